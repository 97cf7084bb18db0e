"""Copy up to ten rows of bits: with a memory to write them into, or without one.

The neural Turing machine has to find a procedure: write row after row, go back, read
row after row. So it goes on where it was not taught, at 20 rows. An LSTM has to hold
all of them in its state. ``memory.png`` shows where the heads were and what the memory
held.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.data.generators import copying_bits
from minigrad.graph import Graph
from minigrad.models import ManyToMany, NeuralTuringMachine
from minigrad.nn.losses import binary_cross_entropy
from minigrad.optim import cosine
from minigrad.tasks.files import figure, save_figure
from minigrad.tasks.networks import made
from minigrad.tasks.session import answer_of, learn, loss_of, picture, report
from minigrad.tasks.task import Options, Task
from minigrad.tensor import Tensor

MODELS = ("neural-turing-machine", "many-to-many")
BITS, LONGEST, FURTHER = 6, 10, 20


def run(options: Options) -> Mapping[str, float]:
    """Train on fresh rows, 1 to 10 of them; test on 200 others of 5, 10 and 20."""
    rng = np.random.default_rng(options.seed)
    name, model = _made(options, rng)

    def loss(xs: Any, ys: Any, mask: Any) -> Tensor:
        """The mean over what is to be said."""
        every = binary_cross_entropy(model(xs), ys)
        return (every * mask).sum() / mask.sum()  # type: ignore[no-any-return]

    def batch(count: int = 16) -> tuple[Any, ...]:
        items = int(rng.integers(1, LONGEST + 1))
        return copying_bits(rng, items, count, BITS, steps=2 * LONGEST + 1)

    def wrong(items: int) -> float:
        xs, ys, mask = copying_bits(rng, items, 200, BITS)
        said = answer_of(model, xs) > 0
        return float((said != (ys > 0))[mask > 0].mean())

    valid = [batch(50) for _ in range(10)]
    learn(
        "memory",
        options,
        model,
        loss,
        lambda: float(np.mean([loss_of(loss, *each) for each in valid])),
        batches=batch,
        lr=cosine(0.01, options.steps, 0.001),
        every=100,
        also={"rng": rng},
    )
    xs, ys, _ = copying_bits(rng, LONGEST, 1, BITS)
    picture(options, model.loss(xs, ys), "folded")
    if isinstance(model, NeuralTuringMachine):
        save_figure(options.out / "memory.png", _memory(model, xs))
    found = {f"{n} rows": wrong(n) for n in (LONGEST // 2, LONGEST, FURTHER)}
    report(
        f"copy, taught to {LONGEST} rows of {BITS} bits: wrong bits",
        list(found),
        {
            f"this network ({name}), 200 unseen": list(found.values()),
            "a guess": [0.5] * 3,
        },
    )
    return found


def _made(
    options: Options, rng: np.random.Generator
) -> tuple[str, NeuralTuringMachine | ManyToMany]:
    """The network and what the report calls it."""
    name = options.model or MODELS[0]
    if name == "many-to-many":
        cell, n = options.cell or "lstm", options.hidden or 100
        loss = binary_cross_entropy
        lstm = made(ManyToMany, BITS + 1, n, BITS, rng=rng, loss=loss, cell=cell)
        return f"{name}, {cell}", lstm
    # A place for each row of the longest test, and a few more.
    places, n = FURTHER + 4, options.hidden or 64
    return name, made(
        NeuralTuringMachine, BITS + 1, n, BITS, rng=rng, places=places, width=10
    )


def _memory(model: NeuralTuringMachine, xs: np.ndarray) -> Any:
    """Where the heads were and what the memory held, step by step."""
    drawn, nodes = figure(11, 4), Graph(model(xs)).nodes
    shown = {
        "w(t): written": _over_time(nodes, "w"),
        "v(t): read": _over_time(nodes, "v"),
        "norm of each row of M(t)": np.linalg.norm(_over_time(nodes, "M"), axis=-1),
    }
    for axes, (title, values) in zip(drawn.subplots(1, 3), shown.items(), strict=True):
        steps, places = values.shape
        extent = (0.5, steps + 0.5, 0.5, places + 0.5)  # both are counted from 1
        axes.imshow(values.T, origin="lower", aspect="auto", extent=extent)
        axes.set_title(title, loc="left", fontsize=11)
        axes.set_xlabel("t")
        axes.set_ylabel("place")
    return drawn


def _over_time(nodes: Any, name: str) -> np.ndarray:
    """The values of a name at every step, of the first sequence."""
    return np.stack([n.value[0] for n in nodes if n.name == name and n.t])


TASK = Task(
    name="memory",
    summary="copy rows of bits by a neural Turing machine (Graves 2014)",
    steps=1500,
    run=run,
    models=MODELS,
    takes=("cell", "hidden"),
)
