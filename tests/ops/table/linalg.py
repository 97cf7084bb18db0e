"""Rows of the ops that multiply and sum over axes.

>>> ROWS[0]
<row of matmul: ... cases>
"""

import numpy as np

from minigrad.ops import linalg
from minigrad.testing.row import Row, case

ROWS = [
    *(
        Row(
            op,
            case((2, 3), (3, 4)),
            case((3,), (3,)),
            case((3,), (3, 2)),
            case((2, 3), (3,)),
            case((1, 3), (3, 1)),
            case((2, 2, 3), (3,)),
            case((3,), (2, 3, 2)),
            case((2, 2, 3), (3, 1)),
            case((0, 3), (3, 2)),
            case((2, 0), (0, 2)),
            *more,
        )
        for op, more in [
            (
                linalg.matmul,
                [
                    case((2, 1, 2, 3), (3, 3, 2)),
                    case((2, 2, 3), (2, 3, 2)),
                    case((2, 3), (2, 3, 2)),
                ],
            ),
            (
                linalg.dot,
                [
                    case((2, 3), (2, 3, 2)),
                    case((), (2, 3)),
                    case((2,), ()),
                    case((), ()),
                    case((2, 3), 2.0),
                    case(2.0, (3,)),
                ],
            ),
        ]
    ),
    Row(
        linalg.outer,
        case((3,), (2,)),
        case((2, 2), (3,)),
        case((), (2,)),
        case((), ()),
        case((0,), (2,)),
    ),
    Row(
        linalg.tensordot,
        case((2, 3), (2, 3)),
        case((2, 3), (3, 2), axes=1),
        case((2, 3), (4, 2), axes=0),
        case((2, 3, 4), (4, 3, 2), axes=([1, 2], [1, 0])),
        case((2, 3, 4), (3, 5, 2), axes=((-2, 0), (0, -1))),
        case((3,), (2, 3), axes=(0, 1)),
        case((0, 2), (2, 3), axes=1),
    ),
    Row(
        linalg.einsum,
        *(
            case(*shapes, subscripts=spec)
            for spec, *shapes in [
                ("ij,jk->ik", (2, 3), (3, 4)),
                ("ij,jk", (2, 3), (3, 4)),
                ("ij->ji", (2, 3)),
                ("ba", (2, 3)),
                ("ij->", (2, 3)),
                ("ij->j", (2, 3)),
                ("ii", (3, 3)),
                ("ii->i", (3, 3)),
                ("iij->j", (2, 2, 3)),
                ("iii->i", (2, 2, 2)),
                ("ii,i->i", (3, 3), (3,)),
                ("i,i", (3,), (3,)),
                ("i,j->ij", (3,), (2,)),
                ("i,j->", (3,), (2,)),
                ("ij,j,jk->ik", (2, 3), (3,), (3, 2)),
                ("...ij,...jk->...ik", (2, 2, 3), (3, 2)),
                ("...ij,...jk", (2, 1, 2, 3), (3, 3, 2)),
                ("...ij,jk->...ik", (2, 2, 3), (3, 2)),
                ("ij,...jk", (2, 3), (2, 3, 2)),
                ("...i,...i->...", (2, 3), (1, 3)),
                ("i...->...", (2, 3)),
                ("...->...", (2, 3)),
                ("...,...", (), (2,)),
                ("...ii->...i", (2, 3, 3)),
                (" i j , j -> i ", (2, 3), (3,)),
                ("ij,ij->ij", (1, 3), (2, 3)),
                (",i->i", (), (3,)),
                ("ij,jk->ik", (2, 0), (0, 3)),
                ("i,i", (3,), (1,)),
                ("i,i->i", (1,), (3,)),
                ("ij,jk->ik", (2, 3), (1, 4)),
                ("ij,ij,j->", (1, 3), (2, 1), (3,)),
                ("ij,i->i", (1, 3), (2,)),
                ("ii,i->", (3, 3), (1,)),
                ("ii,i->", (1, 1), (3,)),
                ("...i,...i", (2, 1), (1, 3)),
                ("...,...", (1, 3), (2, 1)),
            ]
        ),
        ref=lambda xs, subscripts: np.einsum(subscripts, *xs),
    ),
    Row(linalg.identity_like, case((2, 3)), case((2, 3), axis=0)),
]
