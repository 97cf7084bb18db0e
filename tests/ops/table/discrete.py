"""Rows of the ops that have no gradient.

>>> ROWS[0]
<row of floor: ... cases>
"""

import numpy as np

from minigrad.ops import discrete
from minigrad.testing.row import Row, case, distinct
from tests.ops.table.elementwise import MASK, NO_GRADIENT

SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -1.5])

ROWS = [
    *(
        Row(op, case((2, 3)), case(()), case((0,)), kinks=kinks)
        for op, kinks in [
            (discrete.floor, [-2.0, -1.0, 0.0, 1.0, 2.0]),
            (discrete.ceil, [-2.0, -1.0, 0.0, 1.0, 2.0]),
            (discrete.rint, [-1.5, -0.5, 0.5, 1.5]),
        ]
    ),
    Row(
        discrete.round,
        case((3,)),
        case((3,), decimals=2),
        case(np.array([123.0, 250.0]), decimals=-2),
        case(np.array([0.5, 1.5, 2.5])),
        skips=NO_GRADIENT,
    ),
    *(
        Row(op, case(SPECIAL), case((2, 3)), case(()), case((0,)), skips=NO_GRADIENT)
        for op in (discrete.isnan, discrete.isinf, discrete.isfinite)
    ),
    *(
        Row(
            op,
            case(MASK),
            case(MASK, axis=0),
            case(MASK, axis=(0, -1), keepdims=True),
            case((2, 3), axis=1, keepdims=True),
            case(()),
            case((0,)),
            case((2, 0), axis=-1),
            skips=NO_GRADIENT,
        )
        for op in (discrete.any, discrete.all)
    ),
    *(
        Row(
            op,
            case((2, 3)),
            case((2, 3), axis=0),
            case((2, 3, 2), axis=-2, keepdims=True),
            case(np.array([1.0, 3.0, 3.0, 1.0])),
            case(()),
            domain=distinct,
            skips=NO_GRADIENT,
        )
        for op in (discrete.argmax, discrete.argmin)
    ),
]
