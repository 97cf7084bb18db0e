"""Draw every picture of the gallery from a graph that was recorded just now.

    python docs/gallery/build.py [FOLDER]

Writes the pictures beside this file, or into FOLDER. They are drawn by graphviz-pure,
so that every machine writes the same bytes.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.tasks.pictures import PICTURES


def drawn(name: str, length: int = 20, **options: Any) -> Callable[[], mg.Figure]:
    """A network of the chapter, recorded over ``length`` steps."""
    return lambda: mg.draw(PICTURES[name](length), engine="pure", **options)


def multilayer_perceptron() -> mg.Figure:
    """A graph without time."""
    rng = np.random.default_rng(0)
    W1 = mg.parameter(rng.normal(size=(3, 4)), name="W1")
    W2 = mg.parameter(rng.normal(size=(4, 2)), name="W2")
    x = mg.tensor(rng.normal(size=(5, 3)), name="x")
    h = mg.relu(x @ W1).named("h")
    y = mg.tensor(np.zeros(5, int), name="y")
    o = (h @ W2).named("o")
    return mg.draw(mg.cross_entropy(o, y).named("L"), view="ops", engine="pure")


def hessian_vector_product() -> mg.Figure:
    """A gradient of a gradient is a graph too."""
    w = mg.parameter(0.5, name="w")
    x = mg.tensor(2.0, name="x")
    (product,) = mg.hvp(mg.tanh(w * x).named("y"), [w], [1.0], create_graph=True)
    return mg.draw(product, view="ops", engine="pure")


SPANISH = mg.Style(language="es")
FIGURES: dict[str, Callable[[], mg.Figure]] = {
    # The four pictures that Spanish lecture notes ask for.
    "Grafico_RNN": drawn("dynamical-system", 3, style=SPANISH),
    "RNN_Many_to_many": drawn("many-to-many", style=SPANISH),
    "RNN_Output_feedback": drawn("output-feedback", style=SPANISH),
    "RNN_Many_to_One": drawn("many-to-one", style=SPANISH),
    # The networks of the chapter.
    "many-to-many": drawn("many-to-many"),
    "output-feedback": drawn("output-feedback"),
    "teacher-forcing": drawn("teacher-forcing"),
    "many-to-one": drawn("many-to-one"),
    "dynamical-system": drawn("dynamical-system", 3),
    "one-to-many": drawn("one-to-many"),
    "bidirectional": drawn("bidirectional"),
    "encoder-decoder": drawn("encoder-decoder", 5),
    "stacked": drawn("stacked"),
    "lstm": drawn("lstm"),
    "gru": drawn("gru"),
    # The views, overlays and styles.
    "many-to-many-ops": drawn("many-to-many", 3, view="ops"),
    "lstm-ops": drawn("lstm", 2, view="ops"),
    "stacked-depth": drawn("stacked", 3, view="ops", depth=1),
    "many-to-many-backward": drawn("many-to-many", 4, view="backward"),
    "many-to-one-gradient": drawn("many-to-one", 12, overlay="grad", steps=12),
    "many-to-many-book": drawn("many-to-many", style="book", index="symbolic"),
    "many-to-many-dark": drawn("many-to-many", style="dark", params="node"),
    "perceptron": multilayer_perceptron,
    "hessian-vector-product": hessian_vector_product,
}


def main() -> None:
    """Write every figure as PNG."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for name, make in FIGURES.items():
        make().save(folder / f"{name}.png", dpi=120)
        print(f"{name}.png")


if __name__ == "__main__":
    main()
