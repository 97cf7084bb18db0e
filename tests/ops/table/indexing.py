"""Rows of the ops that pick elements.

>>> ROWS[0]
<row of getitem: ... cases>
"""

import numpy as np

from minigrad.graph import PerOperand
from minigrad.op import OPERAND
from minigrad.ops import indexing
from minigrad.testing.row import Row, at, case, distinct

ROWS = [
    Row(
        indexing.getitem,
        *(
            case((3, 4), key=key)
            for key in [
                1,
                -1,
                slice(None, None, -1),
                (slice(1, None), slice(None, None, 2)),
                (Ellipsis, 0),
                (None, 1),
                (1, 2),
                (),
                [0, 0, 2],
                np.array([[0, 1], [1, 1]]),
                (np.array([0, 2]), np.array([1, 1])),
                (slice(None), np.array([3, 3, 0])),
                (np.array([0, 2]), None, np.array([1, 1])),
                np.array([True, False, True]),
                np.arange(12).reshape(3, 4) % 3 == 0,
                (1, np.array([True, False, True, True])),
                np.array([], int),
                slice(0, 0),
            ]
        ),
        case((3,), key=True),
        case((), key=()),
        case((), key=None),
        case((), key=np.array(True)),
        call=lambda x, key: indexing.getitem(x, key),
        conventions=[at([1.0, 2.0], gives=[[3.0, 0.0]], key=[0, 0, 0])],
    ),
    Row(
        indexing.scatter_n,
        case((4,), (), (2,), keys=PerOperand([None, 1, slice(0, 4, 2)])),
        case(
            *[(3, 2), (2, 2), (3, 2), np.array([1, 1])],
            keys=PerOperand([None, OPERAND, slice(None), None]),
        ),
        case(
            *[(3, 2), (2,), (2,), np.array([1, 1]), np.array([0, 0]), np.array([2, 0])],
            keys=PerOperand([None, (OPERAND, OPERAND), (OPERAND, 1), None, None, None]),
        ),
        case((3,), (2,), np.array([0, 0]), keys=PerOperand([None, OPERAND, None])),
        case(
            *[(4,), (2,), (3,), (2,), np.array([0, 1]), np.array([2, 2, 3])],
            keys=PerOperand([None, OPERAND, OPERAND, slice(2), None, None]),
        ),
        case((2,), keys=PerOperand([None])),
    ),
    Row(
        indexing.embedding,
        case((4, 2), np.array([0, 3, 3])),
        case((4,), np.array([[0, 1], [1, 1]])),
        case((4, 2), np.array(2)),
        case((4, 2), np.zeros((0, 2), int)),
        conventions=[at([1.0, 2.0], [1, 1, 1], gives=[[0.0, 3.0]])],
    ),
    Row(
        indexing.take,
        case((4,), np.array([0, 3, 3])),
        case((2, 3), np.array([[5, 0], [-1, 2]])),
        case((2, 3), np.array([2, 2, 0]), axis=-1),
        case((3, 2), np.array([2, 2, -3]), axis=0),
        case((2, 3, 2), np.array([[0, 2], [1, 1]]), axis=1),
        case((2, 3), np.array(1), axis=1),
        case((2, 3), np.array([[2, 0], [1, 1]]), axis=-1),
        case((3,), np.array([-4, 5, 3]), mode="wrap"),
        case((2, 3), np.array([-4, 5, 3]), axis=1, mode="clip"),
        case((3, 2), np.array([4, 1]), axis=0, mode="wrap"),
        case((3,), np.array([], int)),
        conventions=[at([1.0, 2.0], [1, 1, 1], gives=[[0.0, 3.0]])],
    ),
    Row(
        indexing.untake,
        case((3,), np.array([1, 1, 0]), (2, 2)),
        case((2, 3), np.array([0, 0, 3]), (2, 4), axis=1),
        case((2, 2, 3), np.array([[0, 1], [1, 1]]), (2, 3), axis=0),
        case((2,), np.array([-4, 5]), (3,), mode="clip"),
    ),
    Row(
        indexing.take_along_axis,
        case((2, 3), np.array([[0, 2, 2, 1], [1, 1, 0, 0]])),
        case((2, 3), np.array([[1, 0, 1]]), axis=0),
        case((2, 3), np.array([[2], [-1]]), axis=-1),
        case((1, 3), np.array([[0], [2]]), axis=1),
        case((2, 3), np.array([5, 0, 0]), axis=None),
        ref=lambda x, index, axis=-1: np.take_along_axis(x, index, axis),
    ),
    Row(
        indexing.untake_along_axis,
        case((2, 2), np.array([[0, 0], [2, 1]]), (2, 3)),
        case((3,), np.array([5, 0, 0]), (2, 3), axis=None),
    ),
    Row(
        indexing.argsort,
        case((2, 3)),
        case((2, 3), axis=0),
        case((2, 3), axis=None),
        domain=distinct,
    ),
    Row(
        indexing.sort,
        case((2, 3)),
        case((3, 2), axis=0),
        case((2, 3), axis=None),
        case((2, 3, 2), axis=-2),
        case((1,)),
        case((0, 3)),
        domain=distinct,
        conventions=[at([3.0, 1.0, 1.0], gives=[[1.0, 1.0, 1.0]])],
    ),
    *(
        Row(
            op,
            case((3, 3)),
            case((2, 4), offset=1),
            case((4, 2), offset=-2),
            case((2, 3, 2), axis1=0, axis2=2),
            case((2, 3, 2), offset=1, axis1=-1, axis2=1),
            case((2, 2), offset=3),
            case((0, 2)),
        )
        for op in (indexing.diagonal, indexing.trace)
    ),
    Row(
        indexing.undiagonal,
        case((2,), (2, 3)),
        case((1,), (2, 3), offset=-1),
        case((3, 2), (2, 3, 2), axis1=0, axis2=2),
        case((1,), (2, 2)),
    ),
]
