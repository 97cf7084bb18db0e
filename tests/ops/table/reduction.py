"""Rows of the ops that reduce axes or run along one.

>>> ROWS[0]
<row of sum: ... cases>
"""

from typing import Any

import numpy as np

from minigrad.ops import reduction
from minigrad.testing.row import Row, at, case, distinct

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


def _apart(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """A domain of both signs without near ties of size, away from zero."""
    size = int(np.prod(shape))
    sizes = rng.permutation(size) * 0.25 + rng.uniform(0.3, 0.4, size)
    return (sizes * rng.choice([-1.0, 1.0], size)).reshape(shape)


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """NumPy's, which takes two axes at most, or all."""
    if isinstance(axis, tuple) and len(axis) > 2:
        return np.linalg.norm(x)
    return np.linalg.norm(x, ord, axis, keepdims)


ROWS = [
    Row(reduction.sum, *REDUCED, *EMPTY),
    Row(reduction.mean, *REDUCED, case((2, 0, 3), axis=0)),
    Row(
        reduction.max,
        *REDUCED,
        domain=distinct,
        conventions=[
            at([1.0, 3.0, 3.0], gives=[[0.0, 0.5, 0.5]]),
            at([[1.0, 1.0], [0.0, 2.0]], gives=[[[0.5, 0.5], [0.0, 1.0]]], axis=1),
            at([1.0, np.nan, 3.0, np.nan], gives=[[0.0, 0.5, 0.0, 0.5]]),
            at([[np.nan, 9.0], [0.0, 2.0]], gives=[[[1.0, 0.0], [0.0, 1.0]]], axis=1),
        ],
    ),
    Row(
        reduction.min,
        *REDUCED,
        domain=distinct,
        conventions=[
            at([3.0, 3.0, 4.0], gives=[[0.5, 0.5, 0.0]]),
            at([1.0, np.nan, 3.0, np.nan], gives=[[0.0, 0.5, 0.0, 0.5]]),
        ],
    ),
    Row(
        reduction.logsumexp,
        *REDUCED,
        case((0,)),
        case((0, 2), axis=1),
        ref=np.errstate(divide="ignore")(lambda x, **k: np.log(np.sum(np.exp(x), **k))),
        conventions=[
            at([1e4, 1e4], gives=[[0.5, 0.5]]),
            at([-np.inf, 0.0], gives=[[0.0, 1.0]]),
            at([-np.inf, -np.inf], gives=[[0.0, 0.0]]),
        ],
    ),
    Row(
        reduction.prod,
        *REDUCED,
        *EMPTY,
        conventions=[
            at([0.0, 2.0, 3.0], gives=[[6.0, 0.0, 0.0]]),
            at([0.0, 2.0, 0.0], gives=[[0.0, 0.0, 0.0]]),
            at([[0.0, 2.0], [3.0, 4.0]], gives=[[[24.0, 0.0], [0.0, 0.0]]]),
        ],
    ),
    *(
        Row(
            op,
            *REDUCED[:4],
            case((2, 3), ddof=1),
            case((2, 3), axis=1, ddof=2, keepdims=True),
            case((3,), axis=-1, ddof=0.5),
            case((2, 3, 2), axis=(0, 2)),
            domain=distinct,
            conventions=[at([2.0, 2.0], gives=[[0.0, 0.0]]), *more],
        )
        for op, more in [
            (reduction.var, [at([1.0, 3.0], gives=[[-1.0, 1.0]])]),
            (
                reduction.std,
                [
                    at(
                        [[1.0, 1.0], [1.0, 3.0]],
                        gives=[[[0.0, 0.0], [-0.5, 0.5]]],
                        axis=1,
                    )
                ],
            ),
        ]
    ),
    Row(
        reduction.count,
        case((2, 3)),
        case((2, 3), axis=-1),
        case((2, 3), axis=(0, 1)),
        case(()),
    ),
    Row(
        reduction.linear_recurrence,
        case((4,), (4,)),
        case((2, 3), (2, 3), axis=0),
        case((1, 1), (1, 1)),
        case((2, 0), (2, 0)),
    ),
    *(
        Row(
            op,
            case((2, 3)),
            case((2, 3), axis=0),
            case((2, 3, 2), axis=-2),
            case((3,), axis=0),
            case((1,), axis=-1),
            case(()),
            case((0,)),
            case((2, 0), axis=1),
            conventions=conventions,
        )
        for op, conventions in [
            (reduction.cumsum, [at([1.0, 2.0, 3.0], gives=[[3.0, 2.0, 1.0]])]),
            (
                reduction.cumprod,
                [
                    at([0.0, 2.0, 3.0], gives=[[9.0, 0.0, 0.0]]),
                    at([2.0, 0.0, 0.0], gives=[[1.0, 2.0, 0.0]]),
                ],
            ),
        ]
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
        for op in (reduction.spread, reduction.spread_mean)
    ),
    Row(
        reduction.norm,
        *REDUCED[:8],
        case((2, 3, 2), axis=(0, 1, 2)),
        *(
            one
            for ord in (1, 2, np.inf)
            for one in (
                case((3,), ord=ord),
                case((2, 3), ord=ord, axis=-1),
                case((2, 3), ord=ord, axis=0, keepdims=True),
            )
        ),
        case((0,)),
        case((2, 0), axis=1),
        domain=_apart,
        ref=_norm,
        conventions=[
            at([0.0, 0.0], gives=[[0.0, 0.0]]),
            at([[0.0, 0.0], [3.0, 4.0]], gives=[[[0.0, 0.0], [0.6, 0.8]]], axis=1),
            at([0.0, -2.0], gives=[[0.0, -1.0]], ord=1),
            at([1.0, -3.0, 3.0], gives=[[0.0, -0.5, 0.5]], ord=np.inf),
            at([0.0, 0.0], gives=[[0.0, 0.0]], ord=np.inf),
        ],
    ),
]
