"""Networks here whose weights are PyTorch's, and what runs them."""

from functools import partial

import numpy as np

import minigrad as mg
from minigrad.nn.cells import GRU, LSTM, Elman, Stack
from minigrad.nn.recurrent import unroll

MAKES = {
    "tanh": Elman,
    "relu": partial(Elman, activation="relu"),
    "lstm": LSTM,
    "gru": partial(GRU, reset_after=True),
}
# One step more in the last digit of a number near 1, and some for the sums.
ROUNDING = {np.float64: 1e-14, np.float32: 4e-6}


def layers_of(kind, n_in, n_hidden, layers, ways, dtype=np.float64):
    """Cells by layer and direction, and what holds them."""
    rng = np.random.default_rng(0)
    sizes = [n_in] + [n_hidden * ways] * (layers - 1)
    pairs = [
        tuple(MAKES[kind](n, n_hidden, rng=rng, dtype=dtype) for _ in range(ways))
        for n in sizes
    ]
    if ways == 2:
        return pairs, pairs
    cells = [cell for (cell,) in pairs]
    return pairs, Stack(cells) if layers > 1 else cells[0]


def run(layers, xs):
    """All states of the top layer, both directions side by side."""
    rows = list(xs)
    for pair in layers:
        both = [
            [s[0] for _, s in unroll(cell, rows, reverse=bool(back))]
            for back, cell in enumerate(pair)
        ]
        if len(pair) == 2:
            both[1].reverse()
        rows = [mg.concatenate(list(hs), axis=-1) for hs in zip(*both, strict=True)]
    return np.stack([row.data for row in rows])
