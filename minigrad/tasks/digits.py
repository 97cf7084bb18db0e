"""Handwritten digits read row by row: 8 steps of 8 pixels, then one of ten classes."""

from collections.abc import Mapping

import numpy as np

from minigrad.data import Order, digits
from minigrad.mode import no_grad
from minigrad.optim import cosine
from minigrad.tasks.session import ONE_ANSWER, learn, one_answer, picture, table
from minigrad.tasks.task import Options, Task


def run(options: Options) -> Mapping[str, float]:
    """Train on 70 %, validate on 10 %, test on the other 20 %."""
    rng = np.random.default_rng(options.seed)
    images, classes = digits()
    shuffled = rng.permutation(len(images))
    xs, ys = images[shuffled].transpose(1, 0, 2), classes[shuffled]
    train, valid, test = np.split(np.arange(len(ys)), [1258, 1437])
    name, cell = options.model or "many-to-one", options.cell or "gru"
    n_hidden = options.hidden or 64
    model = one_answer(name, 8, n_hidden, 10, rng=rng, read="last", cell=cell)
    order = Order(len(train), options.batch or 32, rng)

    def loss(at: np.ndarray) -> float:
        with no_grad():
            return float(model.loss(xs[:, at], ys[at]).item())

    def batch() -> tuple[np.ndarray, np.ndarray]:
        at = order.next()
        return xs[:, at], ys[at]

    learn(
        "digits",
        options,
        model,
        model.loss,
        lambda: loss(valid),
        batches=batch,
        lr=cosine(0.005, options.steps, 0.00025),
        decay=0.1,
        also={"rng": rng, "order": order},
    )
    picture(options, model.loss(xs[:, :1], ys[:1]))
    with no_grad():
        said = model(xs[:, test]).data.argmax(-1)
    found = {"accuracy": float((said == ys[test]).mean())}
    common = np.bincount(ys[train]).argmax()
    nearest = [
        train[np.square(xs[:, train] - xs[:, [i]]).sum((0, 2)).argmin()] for i in test
    ]
    print(
        table(
            "digits 8x8 by rows",
            "accuracy",
            {
                f"this network ({name} {cell}), 360 unseen digits": found["accuracy"],
                "always the commonest class": float((ys[test] == common).mean()),
                "nearest neighbour, here": float((ys[nearest] == ys[test]).mean()),
            },
        )
    )
    return found


TASK = Task(
    name="digits",
    summary="read handwritten digits row by row",
    steps=2000,
    run=run,
    models=ONE_ANSWER,
    takes=("cell", "hidden", "batch"),
)
