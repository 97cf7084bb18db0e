"""What every network of the corpus is written with.

``P("U 3 4, W 4 4")`` are parameters U and W of those shapes; ``X``, ``Y`` are data.
"""

import zlib

import numpy as np

import minigrad as mg


def P(told):
    """Parameters by name and shape, always the same numbers for one name."""
    made = []
    for one in told.split(","):
        name, *shape = one.split()
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        value = 0.4 * rng.normal(size=tuple(map(int, shape)))
        made.append(mg.parameter(value, name=name))
    return made if len(made) > 1 else made[0]


def zeros(names, n=4):
    """Initial states of a batch of one."""
    made = [mg.tensor(np.zeros((1, n)), name=name) for name in names.split()]
    return made if len(made) > 1 else made[0]


def X(T, n=3, seed=0):
    return np.random.default_rng(seed).normal(size=(T, 1, n))


def Y(T, classes=2):
    return np.random.default_rng(9).integers(classes, size=(T, 1))


def target():
    return mg.tensor(np.zeros(1, int), name="y")


def loss(o, y, name="L"):
    return mg.cross_entropy(o, y).named(name)


def mean(losses):
    return mg.stack(losses).mean()
