"""Ops that reduce axes, and ``spread``, which every rule here undoes a reduction with.

``axis`` is None (all), an int or a tuple, negative ones count from the end. ``max`` and
``min`` split a tie evenly among the elements that attain it.

>>> import minigrad as mg
>>> x = mg.tensor([1.0, 3.0, 3.0], requires_grad=True)
>>> mg.grad(mg.max(x), [x])[0].data.tolist()
[0.0, 0.5, 0.5]
"""

from typing import Any

import numpy as np

from minigrad.op import op
from minigrad.ops.elementwise import astype


def _open(g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """g with the reduced axes of x put back as axes of length 1."""
    if keepdims or axis is None or not x.shape:
        return g
    axes = {a % x.ndim for a in (axis if isinstance(axis, tuple) else (axis,))}
    shape = [1 if a in axes else n for a, n in enumerate(x.shape)]
    return np.reshape(g, shape)


@op(
    lambda g, y, a, x, axis=None, keepdims=False: np.sum(
        g, axis=axis, keepdims=keepdims
    ),
    None,
)
def spread(a: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """a, a reduction of x over ``axis``, broadcast back to the shape of x."""
    return np.broadcast_to(_open(np.asarray(a), x, axis, keepdims), np.shape(x))


@op(
    lambda g, y, a, x, axis=None, keepdims=False: np.mean(
        g, axis=axis, keepdims=keepdims
    ),
    None,
)
def spread_mean(a: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """As ``spread``, divided by the number of elements that each one was reduced from.

    The count is taken from x, not recorded as a number, so that a mean over time steps
    folds alike at every length.
    """
    a, x = np.asarray(a), np.asarray(x)
    return spread.forward(a / (x.size / (a.size or 1)), x, axis, keepdims)


@op(
    lambda g, y, x, axis=None, keepdims=False: spread(
        g, x, axis=axis, keepdims=keepdims
    ),
    numpy=np.sum,
)
def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum over ``axis``."""
    return np.sum(x, axis=axis, keepdims=keepdims)


@op(
    lambda g, y, x, axis=None, keepdims=False: spread_mean(
        g, x, axis=axis, keepdims=keepdims
    ),
    numpy=np.mean,
)
def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean over ``axis``."""
    return np.mean(x, axis=axis, keepdims=keepdims)


def _to_winners(g: Any, y: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    wins = x == spread(y, x, axis=axis, keepdims=keepdims)
    # As floats of g's kind: dividing float32 by a count in int64 would give float64.
    count = np.sum(astype(wins, dtype=g.dtype), axis=axis, keepdims=keepdims)
    return np.where(wins, spread(g / count, x, axis=axis, keepdims=keepdims), 0.0)


@op(
    lambda g, y, x, axis=None, keepdims=False: _to_winners(g, y, x, axis, keepdims),
    numpy=np.max,
)
def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest element over ``axis``; a tie splits its gradient evenly."""
    return np.max(x, axis=axis, keepdims=keepdims)


@op(
    lambda g, y, x, axis=None, keepdims=False: _to_winners(g, y, x, axis, keepdims),
    numpy=np.min,
)
def min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest element over ``axis``; a tie splits its gradient evenly."""
    return np.min(x, axis=axis, keepdims=keepdims)


def _weights(x: Any, y: Any, axis: Any, keepdims: bool) -> Any:
    """exp(x - y) for y = logsumexp(x): softmax, and 0 where all of x is -inf."""
    finite = np.where(y == -np.inf, 0.0, y)
    return np.exp(x - spread(finite, x, axis=axis, keepdims=keepdims))


@op(
    lambda g, y, x, axis=None, keepdims=False: (
        spread(g, x, axis=axis, keepdims=keepdims) * _weights(x, y, axis, keepdims)
    )
)
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) over ``axis``, stable for large values and for -inf."""
    x = np.asarray(x)
    top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0).astype(x.dtype)
    with np.errstate(divide="ignore"):
        y = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return y if keepdims else np.squeeze(y, axis=axis)
