"""The op table: one row per op of minigrad, from which all of its tests are made.

A row says where an op is sampled, where its derivative jumps, what the documentation
promises at its hard points and which checks do not apply, with the reason. A test of
the project fails for an op without a row.

>>> [row.op.name for row in ROWS][:3]
['add', 'subtract', 'multiply']
"""

from typing import Any

import numpy as np

import minigrad.ops.elementwise as e
import minigrad.ops.indexing as i
import minigrad.ops.linalg as l
import minigrad.ops.nn as n
import minigrad.ops.reduction as r
import minigrad.ops.shape as s
import minigrad.ops.time as t
from minigrad.testing.row import Row, at, case, distinct, nonzero

POSITIVE = (0.5, 3.0)
MASK = np.array([[True, False, True], [False, False, True]])
NO_GRADIENT = {"contract": "no rule", "products": "no rule", "gradient": "no rule"}
ANY_DTYPE = {"float32": "the dtype of the result is not that of the operands"}


def _gap(a: Any, b: Any) -> Any:
    return a - b


# axis None, int, negative, tuple; keepdims; size-1 axes, 0-d and (where sum of nothing
# is defined) empty arrays; defaults omitted.
REDUCED = (
    case((2, 3)),
    case((2, 3), axis=0),
    case((2, 3), axis=-1, keepdims=True),
    case((2, 3, 2), axis=(0, -1)),
    case((2, 3, 2), axis=(1,), keepdims=True),
    case((1, 3), axis=0),
    case((3, 1)),
    case((3,), axis=-1),
    case((2, 3), axis=()),
    case(()),
    case((), keepdims=True),
)
EMPTY = (case((0,)), case((2, 0), axis=1), case((0, 2), axis=1, keepdims=True))

ROWS = [
    # elementwise
    Row(e.add),
    Row(e.subtract),
    Row(e.multiply),
    Row(e.divide, domain=[(-2.0, 2.0), nonzero]),
    Row(e.negative),
    Row(
        e.power,
        *(
            case(a, b)
            for a, b in [((3,), (3,)), ((2, 1), (1, 3)), ((), (2,)), ((), ())]
        ),
        *(case((2, 3), k) for k in (2, 3.0, 0.5, -1, 0, np.array([2.0, -1.5, 0.0]))),
        case(2.0, (3,)),
        domain=POSITIVE,
        conventions=[
            at([0.0, 2.0], 0.0, gives=[[0.0, 0.0], 0.6931471805599453]),
            at([0.0], [2.0], gives=[[0.0], [0.0]]),
            at([-2.0], 3, gives=[[12.0]]),
            at([0.0], 1, gives=[[1.0]]),
        ],
    ),
    Row(e.exp),
    Row(e.log, domain=POSITIVE),
    Row(e.log1p, domain=(-0.5, 2.0)),
    Row(e.expm1),
    Row(e.sqrt, domain=POSITIVE),
    Row(e.absolute, kinks=[0.0], conventions=[at([0.0, -0.0], gives=[[0.0, 0.0]])]),
    Row(e.sin),
    Row(e.cos),
    Row(e.tanh, conventions=[at([1e4, -1e4], gives=[[0.0, 0.0]])]),
    Row(
        e.maximum,
        kinks=[_gap],
        conventions=[at([1.0, 2.0], [1.0, 2.0], gives=[[0.5, 0.5], [0.5, 0.5]])],
    ),
    Row(
        e.minimum,
        kinks=[_gap],
        conventions=[at([1.0, 2.0], [1.0, 3.0], gives=[[0.5, 1.0], [0.5, 0.0]])],
    ),
    Row(
        e.where,
        case(MASK, (2, 3), (2, 3)),
        case(MASK, (3,), (2, 1)),
        case(MASK, (), (1, 3)),
        case(MASK[0, 0], (2,), (2,)),
        case(MASK, 0.0, (2, 3)),
        case(MASK[:0], (0, 3), ()),
    ),
    Row(e.sign, kinks=[0.0]),
    *(
        Row(op, kinks=[_gap], skips=NO_GRADIENT)
        for op in (
            e.greater,
            e.greater_equal,
            e.less,
            e.less_equal,
            e.equal,
            e.not_equal,
        )
    ),
    Row(e.logical_and, case(MASK, MASK[0]), skips=NO_GRADIENT),
    Row(e.logical_or, case(MASK, MASK[0]), skips=NO_GRADIENT),
    Row(e.logical_not, case(MASK), skips=NO_GRADIENT),
    Row(
        e.sigmoid,
        ref=lambda x: 1 / (1 + np.exp(-x)),
        conventions=[at([1e4, -1e4], gives=[[0.0, 0.0]])],
    ),
    Row(e.relu, kinks=[0.0], conventions=[at([0.0, -0.0], gives=[[0.0, 0.0]])]),
    Row(
        e.softplus,
        ref=lambda x: np.logaddexp(0, x),
        conventions=[at([1e4, -1e4, 0.0], gives=[[1.0, 0.0, 0.5]])],
    ),
    Row(
        e.clip,
        case((2, 3), a_min=-0.5, a_max=0.7),
        case((3,), a_min=-0.5),
        case((), a_max=0.7),
        case((1, 3), a_min=None, a_max=np.array([0.7, 0.7, 3.0], np.float32)),
        case((0,), a_min=-0.5, a_max=0.7),
        kinks=[-0.5, 0.7],
        ref=lambda x, a_min=None, a_max=None: np.clip(x, a_min, a_max),
        conventions=[
            at(
                [-1.0, 0.0, 1.0, 2.0],
                gives=[[0.0, 1.0, 1.0, 0.0]],
                a_min=0.0,
                a_max=1.0,
            )
        ],
    ),
    Row(
        e.astype, case((2, 3), dtype=np.float64), case((), dtype=float), skips=ANY_DTYPE
    ),
    Row(
        e.add_n,
        case((2, 3), (2, 3), (2, 3)),
        case((2,)),
        case((), ()),
        case((0,), (0,)),
    ),
    # reduction
    Row(r.sum, *REDUCED, *EMPTY),
    Row(r.mean, *REDUCED, case((2, 0, 3), axis=0)),
    Row(
        r.max,
        *REDUCED,
        domain=distinct,
        conventions=[
            at([1.0, 3.0, 3.0], gives=[[0.0, 0.5, 0.5]]),
            at([[1.0, 1.0], [0.0, 2.0]], gives=[[[0.5, 0.5], [0.0, 1.0]]], axis=1),
        ],
    ),
    Row(
        r.min,
        *REDUCED,
        domain=distinct,
        conventions=[at([3.0, 3.0, 4.0], gives=[[0.5, 0.5, 0.0]])],
    ),
    Row(
        r.logsumexp,
        *REDUCED,
        *EMPTY,
        ref=np.errstate(divide="ignore")(lambda x, **k: np.log(np.sum(np.exp(x), **k))),
        conventions=[
            at([1e4, 1e4], gives=[[0.5, 0.5]]),
            at([-np.inf, 0.0], gives=[[0.0, 1.0]]),
            at([-np.inf, -np.inf], gives=[[0.0, 0.0]]),
        ],
    ),
    *(
        Row(
            op,
            case((), (2, 3)),
            case((3,), (2, 3), axis=0),
            case((2, 1), (2, 3), axis=-1, keepdims=True),
            case((3,), (2, 3, 2), axis=(0, -1)),
            case((), ()),
            case((0,), (0, 2), axis=1),
        )
        for op in (r.spread, r.spread_mean)
    ),
    # shape
    Row(s.reshape_like, case((2, 3), (3, 2)), case((6,), (1, 6)), case((1,), ())),
    Row(
        s.reshape,
        case((2, 3), shape=(3, 2)),
        case((2, 3), shape=-1),
        case((1,), shape=()),
        case((0, 2), shape=(0,)),
    ),
    Row(
        s.transpose,
        case((2, 3)),
        case((2, 3, 1), axes=(1, 2, 0)),
        case((2, 3, 1), axes=(-1, 0, -2)),
        case((3,)),
        case(()),
    ),
    Row(
        s.swapaxes,
        case((2, 3), axis1=0, axis2=1),
        case((2, 3, 1), axis1=-1, axis2=0),
        case((3,), axis1=0, axis2=0),
    ),
    Row(
        s.squeeze, case((2, 1, 3)), case((1, 2, 1), axis=0), case((1, 1), axis=(0, -1))
    ),
    Row(
        s.expand_dims,
        case((2, 3), axis=0),
        case((3,), axis=-1),
        case((2,), axis=(0, 2)),
        case((), axis=0),
    ),
    Row(
        s.broadcast_to,
        case((3,), shape=(2, 3)),
        case((2, 1), shape=(2, 3)),
        case((), shape=(2, 2)),
        case((1, 2, 1), shape=(2, 1, 2, 3)),
        case((1,), shape=(0,)),
    ),
    Row(
        s.concatenate,
        case((2, 3), (1, 3)),
        case((2, 3), (2, 1), (2, 2), axis=-1),
        case((2,)),
        case((0, 2), (1, 2), axis=0),
    ),
    Row(
        s.stack,
        case((2, 3), (2, 3)),
        case((2,), (2,), (2,), axis=-1),
        case((2, 3), (2, 3), axis=1),
        case((), ()),
    ),
    # linalg
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
            (l.matmul, [case((2, 1, 2, 3), (3, 3, 2)), case((2, 2, 3), (2, 3, 2))]),
            (
                l.dot,
                [
                    case((2, 3), (2, 3, 2)),
                    case((), (2, 3)),
                    case((2,), ()),
                    case((), ()),
                ],
            ),
        ]
    ),
    # indexing
    Row(
        i.getitem,
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
        conventions=[at([1.0, 2.0], gives=[[3.0, 0.0]], key=[0, 0, 0])],
    ),
    Row(
        i.scatter_n,
        case((4,), (), (2,), keys=(1, slice(0, 4, 2))),
        case((3, 2), (2, 2), (3, 2), keys=(np.array([1, 1]), slice(None))),
        case((3,), (2,), np.array([0, 0]), keys=(i.OPERAND,)),
        case((3, 2), (2,), (2, 2), np.array([2, 0]), keys=(0, i.OPERAND)),
        case((2,)),
    ),
    Row(
        i.embedding,
        case((4, 2), np.array([0, 3, 3])),
        case((4,), np.array([[0, 1], [1, 1]])),
        case((4, 2), np.array(2)),
        case((4, 2), np.zeros((0, 2), int)),
        conventions=[at([1.0, 2.0], [1, 1, 1], gives=[[0.0, 3.0]])],
    ),
    # nn
    *(
        Row(
            op,
            case((2, 3)),
            case((2, 3), axis=0),
            case((2, 3, 2), axis=(1, -1)),
            case((3,)),
            case((2, 3), axis=None),
            case((2, 1)),
            case((0, 3)),
            ref=ref,
            conventions=[
                at([1e4, -1e4], gives=[gradient]),
                at([-np.inf, 0.0], gives=[gradient[::-1]]),
            ],
        )
        for op, ref, gradient in [
            (
                n.softmax,
                lambda x, axis=-1: np.exp(x) / np.exp(x).sum(axis, keepdims=True),
                [0.0, 0.0],
            ),
            (
                n.log_softmax,
                lambda x, axis=-1: x - np.log(np.exp(x).sum(axis, keepdims=True)),
                [-1.0, 1.0],
            ),
        ]
    ),
    Row(
        n.mse_loss,
        case((2, 3), (2, 3)),
        case((2, 3), (2, 3), reduction="sum"),
        case((2, 3), (2, 3), reduction="none"),
        case((), ()),
        case((1, 3), np.ones((1, 3))),
    ),
    Row(n.one_hot_like, case(np.array([0, 2]), (2, 3)), case(np.array(1), (2,))),
    Row(
        n.cross_entropy,
        case((2, 3), np.array([0, 2])),
        case((2, 3), np.array([1, 1]), reduction="sum"),
        case((2, 3), np.array([0, 2]), reduction="none"),
        case((2, 2, 3), np.array([[0, 2], [1, 1]])),
        case((3,), np.array(1)),
        conventions=[
            at([[1e4, 0.0]], [0], gives=[[[0.0, 0.0]]]),
            at([[1e4, 0.0]], [1], gives=[[[1.0, -1.0]]]),
        ],
    ),
    # time
    Row(
        t.step,
        case((3, 2)),
        case((1,)),
        call=lambda xs: s.stack([x * k for k, x in t.steps(xs)]),
    ),
]
