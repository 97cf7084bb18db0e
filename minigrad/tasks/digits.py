"""Handwritten digits read row by row: 8 steps of 8 pixels, then one of ten classes."""

from collections.abc import Mapping

import numpy as np

from minigrad.data import Order, digits
from minigrad.optim import cosine
from minigrad.tasks.session import (
    ONE_ANSWER,
    answer_of,
    learn,
    loss_of,
    one_answer,
    picture,
    report,
)
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

    def batch(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return xs[:, at], ys[at]

    learn(
        "digits",
        options,
        model,
        model.loss,
        lambda: loss_of(model.loss, *batch(valid)),
        batches=lambda: batch(order.next()),
        lr=cosine(0.005, options.steps, 0.00025),
        decay=0.1,
        also={"rng": rng, "order": order},
    )
    picture(options, model.loss(xs[:, :1], ys[:1]))
    said = answer_of(model, xs[:, test]).argmax(-1)
    found = {"accuracy": float((said == ys[test]).mean())}
    common = np.bincount(ys[train]).argmax()
    nearest = [
        train[np.square(xs[:, train] - xs[:, [i]]).sum((0, 2)).argmin()] for i in test
    ]
    report(
        "digits 8x8 by rows",
        "accuracy",
        {
            f"this network ({name} {cell}), 360 unseen digits": found["accuracy"],
            "always the commonest class": float((ys[test] == common).mean()),
            "nearest neighbour, here": float((ys[nearest] == ys[test]).mean()),
        },
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
