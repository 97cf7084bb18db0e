"""Small nets whose answers are known, as folds."""

import numpy as np

import minigrad as mg
from minigrad.nn.cells import Elman
from minigrad.nn.recurrent import unroll


def folded(step, start, steps=4):
    """The fold of h(t) = step(h(t-1))."""
    h = mg.tensor(np.asarray(start, float), name="h0")
    for _ in mg.steps(steps):
        h = step(h).named("h")
    return mg.fold(h)


def cell_of(make, n_in=2, n_hidden=3):
    """A cell in float64 with random parameters, and its fold."""
    rng = np.random.default_rng(0)
    cell = make(n_in, n_hidden, rng=rng, dtype=np.float64)
    for p in cell.parameters():
        p.assign(rng.normal(size=p.shape) / 2)
    *_, (_, state) = unroll(cell, np.zeros((8, 1, n_in)))
    return cell, mg.fold(mg.Graph(list(dict.fromkeys(state))))


def elman():
    return cell_of(Elman)
