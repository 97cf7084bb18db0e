"""Ops that move elements without computing: reshape, permute, broadcast, join.

>>> import minigrad as mg
>>> parts = [mg.tensor([1.0]), mg.tensor([2.0, 3.0])]
>>> mg.concatenate(parts).shape, mg.stack(parts[:1]).shape
((3,), (1, 1))
"""

from typing import Any

import numpy as np

from minigrad.op import op


def _back(g: Any, x: Any) -> Any:
    return reshape_like(g, x)


@op(lambda g, y, a, x: _back(g, a), None)
def reshape_like(a: Any, x: Any) -> Any:
    """The elements of a in the shape of x."""
    return np.reshape(a, np.shape(x))


@op(lambda g, y, x, shape=None: reshape_like(g, x), numpy=np.reshape)
def reshape(x: Any, shape: Any) -> Any:
    """The same elements in another shape; one length may be -1."""
    return np.reshape(x, shape)


@op(lambda g, y, x, axes=None: np.transpose(g, _inverse(axes)), numpy=np.transpose)
def transpose(x: Any, axes: Any = None) -> Any:
    """The axes permuted by ``axes``, or reversed."""
    return np.transpose(x, axes)


@op(
    lambda g, y, x, axis1=0, axis2=1: np.swapaxes(g, axis1, axis2),
    numpy=np.swapaxes,
)
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged."""
    return np.swapaxes(x, axis1, axis2)


@op(lambda g, y, x, axis=None: reshape_like(g, x), numpy=np.squeeze)
def squeeze(x: Any, axis: Any = None) -> Any:
    """Axes of length 1 removed."""
    return np.squeeze(x, axis)


@op(lambda g, y, x, axis=None: reshape_like(g, x), numpy=np.expand_dims)
def expand_dims(x: Any, axis: Any) -> Any:
    """New axes of length 1."""
    return np.expand_dims(x, axis)


@op(lambda g, y, x, shape=None: g, numpy=np.broadcast_to)
def broadcast_to(x: Any, shape: Any) -> Any:
    """x repeated along new and length-1 axes; the engine sums the cotangent back."""
    return np.broadcast_to(x, shape)


@op(
    lambda i, g, y, *xs, axis=0: g[_part(i, xs, axis)],
    variadic=True,
    numpy=np.concatenate,
)
def concatenate(xs: Any, axis: int = 0) -> Any:
    """Arrays joined along an axis that they have."""
    return np.concatenate(xs, axis)


@op(
    lambda i, g, y, *xs, axis=0: g[_at(i, axis, g.ndim)],
    variadic=True,
    numpy=np.stack,
)
def stack(xs: Any, axis: int = 0) -> Any:
    """Arrays of one shape joined along a new axis."""
    return np.stack(xs, axis)


def _inverse(axes: Any) -> Any:
    if axes is None:
        return None
    order = [a % len(axes) for a in axes]
    return tuple(sorted(range(len(order)), key=order.__getitem__))


def _part(i: int, xs: Any, axis: int) -> tuple[slice, ...]:
    """Where the i-th array lies in the concatenation."""
    axis = axis % xs[i].ndim
    start = sum(x.shape[axis] for x in xs[:i])
    return (slice(None),) * axis + (slice(start, start + xs[i].shape[axis]),)


def _at(i: int, axis: int, ndim: int) -> tuple[Any, ...]:
    return (slice(None),) * (axis % ndim) + (i,)
