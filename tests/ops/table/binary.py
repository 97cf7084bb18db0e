"""Rows of the ops of yes-or-no answers.

>>> ROWS[0]
<row of binary_cross_entropy: ... cases>
"""

from typing import Any

import numpy as np

from minigrad.ops import binary
from minigrad.testing.row import Row, at, case


def _entropy(o: Any, target: Any, reduction: str = "mean") -> Any:
    """The definition, with the probability itself."""
    p = 1 / (1 + np.exp(-o))
    losses = -target * np.log(p) - (1 - target) * np.log(1 - p)
    return losses if reduction == "none" else getattr(np, reduction)(losses)


ROWS = [
    Row(
        binary.binary_cross_entropy,
        case((2, 3), (2, 3)),
        case((2, 3), (2, 3), reduction="sum"),
        case((2, 3), (2, 3), reduction="none"),
        case((), ()),
        case((), 1),
        case(np.array([[-2.0, 0.5, 3.0]]), np.array([[1, 0, 1]])),
        case((0,), (0,), reduction="sum"),
        domain=(0.1, 0.9),
        ref=_entropy,
        conventions=[
            at([1e4, -1e4], [1.0, 0.0], gives=[[0.0, 0.0], [-5e3, 5e3]]),
            at([1e4, -1e4], [0, 1], gives=[[0.5, -0.5]]),
        ],
    ),
]
