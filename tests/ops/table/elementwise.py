"""Rows of the ops that work element by element.

>>> ROWS[0]
<row of add: ... cases>
"""

from typing import Any

import numpy as np

from minigrad.ops import elementwise
from minigrad.testing.row import Row, at, case, nonzero

POSITIVE = (0.5, 3.0)
MASK = np.array([[True, False, True], [False, False, True]])
BITS = np.array([[5, 3, 0], [-1, 7, 2]])
NO_GRADIENT = {"contract": "no rule", "products": "no rule", "gradient": "no rule"}
ANY_DTYPE = {"float32": "the dtype of the result is not that of the operands"}


def _gap(a: Any, b: Any) -> Any:
    return a - b


ROWS = [
    Row(elementwise.add),
    Row(elementwise.subtract),
    Row(elementwise.multiply),
    Row(elementwise.divide, domain=[(-2.0, 2.0), nonzero]),
    Row(elementwise.negative),
    Row(elementwise.square, conventions=[at([0.0, -3.0], gives=[[0.0, -6.0]])]),
    Row(elementwise.reciprocal, domain=nonzero),
    Row(
        elementwise.power,
        *(
            case(a, b)
            for a, b in [((3,), (3,)), ((2, 1), (1, 3)), ((), (2,)), ((), ())]
        ),
        *(case((2, 3), k) for k in (2, 3.0, 0.5, -1, 0, np.array([2.0, -1.5, 0.0]))),
        case(2.0, (3,)),
        case(np.array([0.0, 2.0]), 0),
        domain=POSITIVE,
        conventions=[
            at([0.0, 2.0], 0.0, gives=[[0.0, 0.0], 0.6931471805599453]),
            at([0.0], [2.0], gives=[[0.0], [0.0]]),
            at([-2.0], 3, gives=[[12.0]]),
            at([0.0], 1, gives=[[1.0]]),
        ],
    ),
    Row(elementwise.exp),
    Row(elementwise.log, domain=POSITIVE),
    Row(elementwise.log1p, domain=(-0.5, 2.0)),
    Row(elementwise.expm1),
    Row(elementwise.sqrt, domain=POSITIVE),
    Row(
        elementwise.absolute,
        kinks=[0.0],
        conventions=[
            at([0.0, -0.0], gives=[[0.0, 0.0]]),
            at([np.nan], gives=[[np.nan]]),
        ],
    ),
    Row(elementwise.sin),
    Row(elementwise.cos),
    Row(elementwise.tanh, conventions=[at([1e4, -1e4], gives=[[0.0, 0.0]])]),
    Row(
        elementwise.maximum,
        kinks=[_gap],
        conventions=[
            at([1.0, 2.0], [1.0, 2.0], gives=[[0.5, 0.5], [0.5, 0.5]]),
            at([np.nan, 1.0, np.nan], [1.0, np.nan, np.nan], gives=[[1.0] * 3] * 2),
        ],
    ),
    Row(
        elementwise.minimum,
        kinks=[_gap],
        conventions=[
            at([1.0, 2.0], [1.0, 3.0], gives=[[0.5, 1.0], [0.5, 0.0]]),
            at([np.nan, 1.0, np.nan], [1.0, np.nan, np.nan], gives=[[1.0] * 3] * 2),
        ],
    ),
    Row(
        elementwise.where,
        case(MASK, (2, 3), (2, 3)),
        case(MASK, (3,), (2, 1)),
        case(MASK, (), (1, 3)),
        case(MASK[0, 0], (2,), (2,)),
        case(MASK, 0.0, (2, 3)),
        case(MASK[:0], (0, 3), ()),
    ),
    Row(elementwise.sign, kinks=[0.0]),
    Row(elementwise.detach, skips=NO_GRADIENT),
    *(
        Row(op, kinks=[_gap], skips=NO_GRADIENT)
        for op in (
            elementwise.greater,
            elementwise.greater_equal,
            elementwise.less,
            elementwise.less_equal,
            elementwise.equal,
            elementwise.not_equal,
        )
    ),
    Row(elementwise.logical_and, case(MASK, MASK[0]), skips=NO_GRADIENT),
    Row(elementwise.logical_or, case(MASK, MASK[0]), skips=NO_GRADIENT),
    Row(elementwise.logical_not, case(MASK), skips=NO_GRADIENT),
    *(
        Row(
            op,
            case(MASK, MASK[0]),
            case(BITS, np.array([6, 1, 0])),
            case(BITS, 1),
            case(BITS.astype(np.uint8), np.uint8(3)),
            skips=NO_GRADIENT,
        )
        for op in (
            elementwise.bitwise_and,
            elementwise.bitwise_or,
            elementwise.bitwise_xor,
        )
    ),
    Row(
        elementwise.invert,
        case(MASK),
        case(BITS),
        case(BITS.astype(np.uint8)),
        skips=NO_GRADIENT,
    ),
    Row(
        elementwise.sigmoid,
        ref=lambda x: 1 / (1 + np.exp(-x)),
        conventions=[
            at([1e4, -1e4], gives=[[0.0, 0.0]]),
            at([-700.0], gives=[[np.exp(-700.0)]]),
            at([np.nan], gives=[[np.nan]]),
        ],
    ),
    Row(
        elementwise.relu,
        kinks=[0.0],
        conventions=[at([0.0, -0.0, np.nan], gives=[[0.0, 0.0, 1.0]])],
    ),
    Row(
        elementwise.softplus,
        ref=lambda x: np.logaddexp(0, x),
        conventions=[
            at([1e4, -1e4, 0.0, np.nan], gives=[[1.0, 0.0, 0.5, np.nan]]),
            at([-700.0], gives=[[np.exp(-700.0)]]),
        ],
    ),
    Row(
        elementwise.clip,
        case((2, 3), -0.5, 0.7),
        case((3,), -0.5, None),
        case((3,), -0.5),
        case((), a_max=0.7),
        case((1, 3), None, (3,)),
        case((2, 3), (), (2, 1)),
        case((3,), (2, 1), (3,)),
        case((0,), -0.5, 0.7),
        kinks=[
            lambda x, *bounds: np.concatenate(
                [np.ravel(x - b) for b in bounds if b is not None] or [np.ones(1)]
            )
        ],
        ref=lambda x, a_min=None, a_max=None: np.clip(x, a_min, a_max),
        conventions=[
            at([-1.0, 0.0, 1.0, 2.0], 0, 1, gives=[[0.0, 1.0, 1.0, 0.0]]),
            at([-1.0, 0.0, 2.0], 0.0, 1.0, gives=[[0.0, 1.0, 0.0], 1.0, 1.0]),
            at([-1.0, 0.5, 2.0], 1.0, 0.0, gives=[[0.0, 0.0, 0.0], 0.0, 3.0]),
        ],
    ),
    Row(
        elementwise.astype,
        case((2, 3), dtype=np.float64),
        case((), dtype=float),
        skips=ANY_DTYPE,
    ),
    Row(
        elementwise.add_n,
        case((2, 3), (2, 3), (2, 3)),
        case((2,)),
        case((), ()),
        case((0,), (0,)),
    ),
]
