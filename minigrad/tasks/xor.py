"""Temporal XOR: b1, b2, b1 xor b2, b3, ... - predict the next bit (Elman 1990).

Two bits of three are chance; the third can be known, by a network that finds out where
in the triple it is and remembers two bits.
"""

from collections.abc import Mapping
from functools import partial

import numpy as np

from minigrad.data import streams
from minigrad.data.generators import temporal_xor
from minigrad.models import ManyToMany
from minigrad.nn.losses import mse
from minigrad.tasks.networks import made
from minigrad.tasks.session import answer_of, learn, picture, report
from minigrad.tasks.task import Options, Task


def run(options: Options) -> Mapping[str, float]:
    """Train on 3,000 bits in pieces of 30, test on 1,200 others."""
    rng = np.random.default_rng(options.seed)
    train, valid, test = (temporal_xor(rng, n) for n in (3000, 900, 1200))
    x, y = (_pieces(train[i : len(train) - 30 + i], 30) for i in (0, 1))
    n_hidden, cell = options.hidden or 8, options.cell or "elman"
    model = made(ManyToMany, 1, n_hidden, 1, rng=rng, loss=mse, cell=cell)

    def error(bits: np.ndarray, positions: int) -> float:
        o = answer_of(model, bits[:-1, None, None].astype(np.float32))[:, 0, 0]
        wrong = np.square(o - bits[1:])
        xor = np.arange(1, len(bits)) % 3 == 2
        return float(np.sqrt(wrong[xor if positions else ~xor].mean()))

    learn(
        "xor",
        options,
        model,
        partial(model.loss, truncate=options.truncate),
        lambda: error(valid, 1),
        batches=(x, y),
        lr=0.01,
    )
    picture(options, model.loss(x[:9, :1], y[:9, :1]))
    found = {"xor bits": error(test, 1), "other bits": error(test, 0)}
    report(
        "temporal XOR: root mean square error",
        list(found),
        {
            "this network, 1,200 unseen bits": list(found.values()),
            "always 1/2": [0.5, 0.5],
            "published (Elman 1990): a figure, no number": ["dips", "does not"],
        },
    )
    return found


def _pieces(bits: np.ndarray, length: int) -> np.ndarray:
    whole = bits[: len(bits) // length * length]
    return streams(whole, len(whole) // length)[..., None].astype(np.float32)


TASK = Task(
    name="xor",
    summary="predict the next bit of b1, b2, b1 xor b2, ... (Elman 1990)",
    steps=1000,
    run=run,
    takes=("cell", "hidden", "truncate"),
)
