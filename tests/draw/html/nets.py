"""The networks that the page is tried on, and their pages, each made once."""

import warnings
from functools import cache

import numpy as np

import minigrad as mg
from minigrad.tasks.pictures import PICTURES

RECURRENT = ["many-to-many", "many-to-one", "output-feedback"]
EVERY = [*RECURRENT, "lstm", "bidirectional", "recursive", "clockwork", "mlp"]


def mlp():
    rng = np.random.default_rng(5)
    h, n = mg.tensor(rng.normal(size=(1, 3)), name="x"), 3
    for k, width in enumerate((5, 5, 2), 1):
        W = mg.parameter(rng.normal(size=(n, width)) / n**0.5, name=f"W{k}")
        h, n = h @ W + mg.parameter(rng.normal(size=width) * 0.1, name=f"b{k}"), width
        if k < 3:
            h = mg.tanh(h).named(f"h{k}")
    y = mg.tensor(np.zeros(1, int), name="y")
    return mg.cross_entropy(h.named("o"), y).sum().named("L")


@cache
def loss(name, steps=6):
    """The recorded loss of a network."""
    return mlp() if name == "mlp" else PICTURES[name](steps)


@cache
def page(name, steps=6):
    """The page of a network; faults of its figure are the matter of other tests."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        figure = mg.draw(loss(name, steps))
    return figure.html()


def digits(x):
    """A number as the page tells it."""
    return float(f"{float(x):.4g}")
