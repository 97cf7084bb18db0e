"""Ops that reduce axes or run along one, and ``spread``, which undoes a reduction.

``axis`` is None (all), an int or a tuple, negative ones count from the end. ``max`` and
``min`` split a tie evenly among the elements that attain it, ``std`` of equal elements
has derivative 0, ``prod`` and ``cumprod`` are exact where elements are zero.

Of float16, which holds no count beyond 65,504, sums and counts are made in float32,
as in ``np.mean``, and the result is float16 again.

What a rule needs to know of a length it takes from an operand (``spread``, ``count``),
never from a number: so the gradients of gathered time steps fold alike at every length.

>>> import minigrad as mg
>>> x = mg.tensor([1.0, 3.0, 3.0], requires_grad=True)
>>> mg.grad(mg.max(x), [x])[0].data.tolist()
[0.0, 0.5, 0.5]
"""

from typing import Any

import numpy as np

from minigrad.op import Axis, op
from minigrad.ops.elementwise import astype, floating
from minigrad.ops.shape import reshape_like

HALF = np.dtype(np.float16)


def wide(x: Any) -> Any:
    """x, in float32 where it is float16: what counts and sums are made in.

    >>> wide(np.ones(2, np.float16)).dtype, wide(np.ones(2)).dtype
    (dtype('float32'), dtype('float64'))
    """
    return astype(x, dtype=np.float32) if x.dtype == HALF else x


def total(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The sum of an array; of float16 in float32.

    >>> total(np.full(4096, 1, np.float16)).item()
    4096.0
    """
    kind = np.float32 if x.dtype == HALF else None
    return np.add.reduce(x, axis, kind, None, keepdims)  # type: ignore[call-overload]


def axes_of(axis: Any, ndim: int) -> list[int]:
    """An axis, several or all of an array of ``ndim`` axes, in their order.

    >>> axes_of(-1, 3), axes_of((1, 0), 3), axes_of(None, 2), axes_of(0, 0)
    ([2], [0, 1], [0, 1], [])
    """
    axes = range(ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return sorted(a % ndim for a in axes) if ndim else []


def _narrow(a: Any, x: Any) -> Any:
    """a, computed from ``wide(x)``, in float16 where x is."""
    return a.astype(HALF) if x.dtype == HALF else a


def shared(a: Any, n: float) -> Any:
    """a / n, for an n that float16 may not hold.

    >>> shared(np.full(2, 8, np.float16), 80_000.0).tolist()
    [0.00010001659393310547, 0.00010001659393310547]
    """
    return _narrow(wide(a) / n, a)


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
def spread(a: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """a, a reduction of x over ``axis``, broadcast back to the shape of x."""
    return np.broadcast_to(_open(np.asarray(a), x, axis, keepdims), np.shape(x))


@op(
    lambda g, y, a, x, axis=None, keepdims=False: np.mean(
        g, axis=axis, keepdims=keepdims
    ),
    None,
)
def spread_mean(a: Any, x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """As ``spread``, divided by the number of elements that each one was reduced from.

    The count is taken from x, not recorded as a number, so that a mean over time steps
    folds alike at every length.

    The shape is that of x.
    """
    a, x = np.asarray(a), np.asarray(x)
    return spread.forward(shared(a, x.size / (a.size or 1)), x, axis, keepdims)


@op(
    lambda g, y, x, axis=None, keepdims=False: spread(
        g, x, axis=axis, keepdims=keepdims
    ),
    numpy=np.sum,
)
def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The sum over ``axis``."""
    return np.sum(x, axis=axis, keepdims=keepdims)


@op(
    lambda g, y, x, axis=None, keepdims=False: spread_mean(
        g, x, axis=axis, keepdims=keepdims
    ),
    numpy=np.mean,
)
def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The mean over ``axis``."""
    return np.mean(x, axis=axis, keepdims=keepdims)


def _to_winners(g: Any, y: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    # A NaN is the largest and the smallest of all that are compared with it.
    best = x == spread(y, x, axis=axis, keepdims=keepdims)
    wins = np.logical_or(best, x != x)
    # As floats of g's kind: dividing float32 by a count in int64 would give float64.
    g = wide(g)
    count = np.sum(astype(wins, dtype=g.dtype), axis=axis, keepdims=keepdims)
    return np.where(wins, spread(g / count, x, axis=axis, keepdims=keepdims), 0.0)


@op(
    lambda g, y, x, axis=None, keepdims=False: _to_winners(g, y, x, axis, keepdims),
    numpy=np.max,
)
def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The largest element over ``axis``; a tie splits its gradient evenly.

    A NaN is the result where there is one, and gets the gradient.
    """
    return np.max(x, axis=axis, keepdims=keepdims)


@op(
    lambda g, y, x, axis=None, keepdims=False: _to_winners(g, y, x, axis, keepdims),
    numpy=np.min,
)
def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The smallest element over ``axis``; a tie splits its gradient evenly.

    A NaN is the result where there is one, and gets the gradient.
    """
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
def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) over ``axis``, stable for large values and for -inf."""
    x = floating(x)
    top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0).astype(x.dtype)
    e = np.exp(x - top)
    with np.errstate(divide="ignore"):
        y = np.log(total(e, axis, True)) + top
    y = y.astype(e.dtype, copy=False)
    return y if keepdims else np.squeeze(y, axis=axis)


@op(None)
def count(x: Any, axis: Axis = None) -> Any:
    """How many elements of x each element of its reduction over ``axis`` stands for."""
    x = np.asarray(x)
    kind = np.float32 if x.dtype == HALF else x.dtype
    return np.asarray(np.prod([x.shape[a] for a in axes_of(axis, x.ndim)]), kind)


def _centred(x: Any, axis: Any) -> Any:
    x = wide(x)
    return x - np.mean(x, axis=axis, keepdims=True)


@op(
    lambda g, y, x, axis=None, ddof=0, keepdims=False: (
        spread(wide(g), x, axis=axis, keepdims=keepdims)
        * (2 / (count(x, axis=axis) - ddof) * _centred(x, axis))
    ),
    numpy=np.var,
)
def var(x: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """sum((x - mean(x))²) / (n - ddof) over ``axis``."""
    return _narrow(np.var(wide(x), axis=axis, ddof=ddof, keepdims=keepdims), x)


def _half_over(g: Any, y: Any) -> Any:
    """g / 2y, the cotangent of y², and 0 at y = 0."""
    g, y = wide(g), wide(y)
    return np.where(y == 0, 0.0, g / (2 * np.where(y == 0, 1.0, y)))


@op(
    lambda g, y, x, axis=None, ddof=0, keepdims=False: (
        spread(_half_over(g, y), x, axis=axis, keepdims=keepdims)
        * (2 / (count(x, axis=axis) - ddof) * _centred(x, axis))
    ),
    numpy=np.std,
)
def std(x: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """sqrt(var(x)) over ``axis``; equal elements have derivative 0."""
    return _narrow(np.std(wide(x), axis=axis, ddof=ddof, keepdims=keepdims), x)


def _delayed(x: Any, axis: int, first: float) -> Any:
    """x(t-1) in the place of x(t) along ``axis``, with a number at the first place."""
    axis = axis % x.ndim
    width = ((0, 0),) * axis + ((1, 0),) + ((0, 0),) * (x.ndim - axis - 1)
    padded = np.pad(x, width, constant_values=first)
    return padded[(slice(None),) * axis + (slice(None, -1),)]


def _from_the_end(g: Any, a: Any, axis: int) -> Any:
    """r(t) = g(t) + a(t+1) r(t+1): the cotangent of b in ``linear_recurrence``."""
    factors = _delayed(np.flip(a, axis), axis, 0.0)
    return np.flip(linear_recurrence(factors, np.flip(g, axis), axis=axis), axis)


@op(
    lambda g, y, a, b, axis=-1: _from_the_end(g, a, axis) * _delayed(y, axis, 0.0),
    lambda g, y, a, b, axis=-1: _from_the_end(g, a, axis),
)
def linear_recurrence(a: Any, b: Any, axis: int = -1) -> Any:
    """s(t) = a(t) s(t-1) + b(t) along ``axis``, from s(0) = 0; a and b have one shape.

    Its cotangents are such recurrences again, run from the end: what makes the
    gradients of products exact at zeros, at every order.
    """
    y = np.array(b)
    a, s = np.moveaxis(a, axis, 0), np.moveaxis(y, axis, 0)
    for t in range(1, len(s)):
        s[t] += a[t] * s[t - 1]
    return y


@op(
    lambda g, y, x, axis=None: (
        np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis)
        if axis is not None
        else reshape_like(np.flip(np.cumsum(np.flip(g))), x)
    ),
    numpy=np.cumsum,
)
def cumsum(x: Any, axis: int | None = None) -> Any:
    """Sums of the elements so far along ``axis``; None runs over x flattened."""
    return np.cumsum(x, axis)


def _cumprod_rule(g: Any, y: Any, x: Any, axis: Any) -> Any:
    if axis is None:
        return reshape_like(_cumprod_rule(g, y, np.reshape(x, -1), 0), x)
    return _delayed(y, axis, 1.0) * _from_the_end(g, x, axis)


@op(lambda g, y, x, axis=None: _cumprod_rule(g, y, x, axis), numpy=np.cumprod)
def cumprod(x: Any, axis: int | None = None) -> Any:
    """Products of the elements so far along ``axis``; None runs over x flattened."""
    return np.cumprod(x, axis)


def _others(x: Any, axis: Any) -> Any:
    """For each element the product of all others over ``axis``, without dividing."""
    axes = (
        range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    )
    product = 1.0
    for a in axes:
        before = _delayed(np.cumprod(x, axis=a), a, 1.0)
        after = np.flip(_delayed(np.cumprod(np.flip(x, a), axis=a), a, 1.0), a)
        product = before * after * product
        x = np.prod(x, axis=a, keepdims=True)
    return product


@op(
    lambda g, y, x, axis=None, keepdims=False: (
        spread(g, x, axis=axis, keepdims=keepdims) * _others(x, axis)
    ),
    numpy=np.prod,
)
def prod(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The product over ``axis``; exact where elements are zero."""
    return np.prod(x, axis=axis, keepdims=keepdims)


ORDERS = (None, 1, 2, np.inf)


def _vector_axis(x: Any, ord: Any, axis: Any) -> None:
    """Refuse what is no norm of vectors by its name."""
    if ord not in ORDERS:
        raise ValueError(
            f"norm has the orders None and 2 (Euclidean), 1 and np.inf, got {ord!r}; "
            "write another one with ops, as (abs(x) ** 3).sum() ** (1 / 3)"
        )
    several = np.ndim(x) != 1 if axis is None else isinstance(axis, tuple)
    if ord is not None and several:
        raise ValueError(
            f"norm: with ord={ord!r} over several axes NumPy takes a norm of matrices, "
            "which is no op here; say one axis, or ord=None for the root of the sum of "
            "all squares"
        )


def _norm_rule(g: Any, y: Any, x: Any, ord: Any, axis: Any, keepdims: bool) -> Any:
    if ord == 1:
        return spread(g, x, axis=axis, keepdims=keepdims) * np.sign(x)
    if ord == np.inf:
        return _to_winners(g, y, np.abs(x), axis, keepdims) * np.sign(x)
    # Of no length at all there is no direction: 0, and at order 2 as well.
    each = np.where(y == 0, 0.0, g / np.where(y == 0, 1.0, y))
    return spread(each, x, axis=axis, keepdims=keepdims) * x


@op(
    lambda g, y, x, ord=None, axis=None, keepdims=False: _norm_rule(
        g, y, x, ord, axis, keepdims
    ),
    numpy=np.linalg.norm,
)
def norm(
    x: Any, ord: float | None = None, axis: Axis = None, keepdims: bool = False
) -> Any:
    """The length of the vectors along ``axis``; the derivative at 0 is 0.

    ord None or 2 is the root of the sum of squares (None over any axes), 1 the sum of
    absolute values and np.inf the largest of them, where a tie splits its gradient.

    Raises ValueError for another order, and for one over several axes.

    >>> import minigrad as mg
    >>> x = mg.tensor([0.0, 0.0], requires_grad=True)
    >>> mg.hessian(mg.norm(x), [x])[0][0].data.tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """
    _vector_axis(x, ord, axis)
    x = floating(x)
    if isinstance(axis, tuple):  # of which NumPy takes two at most
        return np.sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims))
    return np.linalg.norm(x, ord, axis, keepdims)
