"""Copy: five symbols, a gap, a signal, then the five again (Arjovsky 2016).

Without a memory the best that can be said is blanks, and a guess among 8 at the end: a
mean loss of K ln 8 / (T + 2K) and a recall of 1/8.

The falling rate from 0.01 was the best of three by validation on other seeds, 100-104.
"""

from collections.abc import Mapping
from functools import partial

import numpy as np

from minigrad.data import one_hot
from minigrad.data.generators import copying
from minigrad.models import ManyToMany
from minigrad.optim import cosine
from minigrad.tasks.networks import made
from minigrad.tasks.session import answer_of, learn, loss_of, picture, report
from minigrad.tasks.task import Options, Task

ITEMS = 5


def run(options: Options) -> Mapping[str, float]:
    """Train on fresh sequences, test the recall on 500 others."""
    rng = np.random.default_rng(options.seed)
    gap = options.length or 10

    def drawn(count: int) -> tuple[np.ndarray, np.ndarray]:
        xs, ys = copying(rng, gap, count, ITEMS)
        return one_hot(xs, 10), ys

    valid, test = drawn(200), drawn(500)
    n_hidden, cell = options.hidden or 64, options.cell or "gru"
    model = made(ManyToMany, 10, n_hidden, 9, rng=rng, cell=cell)

    learn(
        "copy",
        options,
        model,
        partial(model.loss, truncate=options.truncate),
        lambda: loss_of(model.loss, *valid),
        batches=lambda: drawn(32),
        lr=cosine(0.01, options.steps, 0.0005),
        every=100,
        also={"rng": rng},
    )
    xs, ys = drawn(32)
    picture(options, model.loss(xs[:, :1], ys[:, :1]))
    said = answer_of(model, test[0]).argmax(-1)
    recall = float((said[-ITEMS:] == test[1][-ITEMS:]).mean())
    found = {"loss": loss_of(model.loss, *test), "recall": recall}
    report(
        f"copy, T = {gap}, {ITEMS} symbols",
        ["loss", "recall"],
        {
            "this network, 500 unseen sequences": list(found.values()),
            "no memory, exactly": [ITEMS * np.log(8) / (gap + 2 * ITEMS), 1 / 8],
        },
    )
    return found


TASK = Task(
    name="copy",
    summary="say five symbols again after a gap (Arjovsky 2016)",
    steps=2500,
    run=run,
    takes=("cell", "hidden", "length", "truncate"),
)
