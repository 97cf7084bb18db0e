"""NumPy's functions that are made of other ops, and record those.

>>> import minigrad as mg
>>> import numpy as np
>>> x = mg.tensor([1.0, 4.0, 9.0], name="x")
>>> np.diff(x).data.tolist(), np.tile(x, 2).shape, np.repeat(x, [0, 1, 2]).data.tolist()
([3.0, 5.0], (6,), [4.0, 9.0, 9.0])
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.op import by_function
from minigrad.ops.elementwise import multiply, not_equal, subtract
from minigrad.ops.indexing import take
from minigrad.ops.linalg import tensordot
from minigrad.ops.shape import (
    broadcast_to,
    concatenate,
    expand_dims,
    reshape,
    split,
    transpose,
)

Axes = int | Sequence[int]


def moveaxis(x: Any, source: Axes, destination: Axes) -> Any:
    """Axes moved to other places, the rest kept in order.

    >>> import numpy as np
    >>> moveaxis(np.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    # The shape of an empty array tells where NumPy puts each axis.
    order = np.moveaxis(np.empty(tuple(range(np.ndim(x)))), source, destination).shape
    return transpose(x, order)


def ravel(x: Any) -> Any:
    """The elements in one axis.

    >>> import numpy as np
    >>> ravel(np.zeros((2, 3))).shape
    (6,)
    """
    return reshape(x, -1)


def repeat(x: Any, repeats: Axes, axis: int | None = None) -> Any:
    """Each element so many times in a row, one number for all or one for each.

    ``axis`` None repeats the elements of x flattened.

    Raises TypeError for repeats that are a Tensor: the shape is fixed when the graph is
    recorded.

    >>> import minigrad as mg
    >>> mg.repeat(mg.tensor([1.0, 2.0]), 2).tolist()
    [1.0, 1.0, 2.0, 2.0]
    """
    _require_plain("repeat", "repeats", repeats)
    n = np.size(x) if axis is None else np.shape(x)[axis]
    return take(x, np.repeat(np.arange(n), repeats), axis=axis)


def tile(x: Any, reps: Axes) -> Any:
    """Copies of x side by side, so many along each axis; the last axes come last.

    Raises TypeError for reps that are a Tensor: the shape is fixed when the graph is
    recorded.

    >>> import minigrad as mg
    >>> mg.tile(mg.tensor([1.0, 2.0]), 2).tolist()
    [1.0, 2.0, 1.0, 2.0]
    """
    _require_plain("tile", "reps", reps)
    copies = list(np.atleast_1d(reps).tolist())
    ndim = max(np.ndim(x), len(copies))
    copies = [1] * (ndim - len(copies)) + copies
    shape = [1] * (ndim - np.ndim(x)) + list(np.shape(x))
    pairs = list(zip(copies, shape, strict=True))
    x = reshape(x, [length for _, n in pairs for length in (1, n)])
    x = broadcast_to(x, [length for pair in pairs for length in pair])
    return reshape(x, [r * n for r, n in pairs])


def diff(
    x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None
) -> Any:
    """Each element less the one before it along ``axis``, ``n`` times over.

    ``prepend`` and ``append`` are joined to x first; a number stands for one element.

    Raises ValueError for an n below 0, and for an x of shape ().

    >>> import minigrad as mg
    >>> mg.diff(mg.tensor([1.0, 4.0, 9.0])).tolist()
    [3.0, 5.0]
    """
    if n < 0:
        raise ValueError(f"diff: the order n is 0 or more, got {n}")
    if not np.ndim(x):
        raise ValueError("diff: a single number has no neighbour, give an axis to x")
    if n == 0:
        return x
    x = x if hasattr(x, "node") else np.asarray(x)
    ends = [None if e is None else _slab(e, x, axis) for e in (prepend, append)]
    parts = [part for part in (ends[0], x, ends[1]) if part is not None]
    x = concatenate(parts, axis=axis) if len(parts) > 1 else x
    before = (slice(None),) * (axis % x.ndim)
    minus = not_equal if x.dtype == bool else subtract
    for _ in range(n):
        x = minus(x[(*before, slice(1, None))], x[(*before, slice(None, -1))])
    return x


def inner(a: Any, b: Any) -> Any:
    """The sum of products over the last axes of a and b; of numbers their product.

    >>> import minigrad as mg
    >>> mg.inner(mg.tensor([1.0, 2.0]), mg.tensor([3.0, 4.0])).item()
    11.0
    """
    if not np.ndim(a) or not np.ndim(b):
        return multiply(a, b)
    return tensordot(a, b, axes=([-1], [-1]))


def vstack(xs: Sequence[Any]) -> Any:
    """Arrays joined along the first axis; a vector is a row.

    >>> import numpy as np
    >>> vstack([np.zeros(3), np.ones(3)]).shape
    (2, 3)
    """
    return concatenate([_row(x) for x in xs], axis=0)


def hstack(xs: Sequence[Any]) -> Any:
    """Arrays joined along the second axis; vectors along their only one.

    >>> import numpy as np
    >>> hstack([np.zeros((2, 1)), np.ones((2, 3))]).shape
    (2, 4)
    """
    parts = [x if np.ndim(x) else reshape(x, 1) for x in xs]
    return concatenate(parts, axis=1 if parts and np.ndim(parts[0]) > 1 else 0)


def array_split(x: Any, indices_or_sections: Axes, axis: int = 0) -> list[Any]:
    """As ``split``, but a number of parts need not divide the axis.

    The first parts are then longer by one element.

    Raises ValueError for less than one part.

    A Tensor in the place of numbers is a TypeError.

    >>> import numpy as np
    >>> [part.shape for part in array_split(np.zeros(7), 3)]
    [(3,), (2,), (2,)]
    """
    _require_plain("array_split", "indices_or_sections", indices_or_sections)
    if np.ndim(indices_or_sections):
        return split(x, indices_or_sections, axis)
    sections = int(indices_or_sections)  # type: ignore[arg-type]
    if sections < 1:
        raise ValueError(f"array_split: there is one part or more, got {sections}")
    least, longer = divmod(x.shape[axis], sections)
    return split(x, [k * least + min(k, longer) for k in range(1, sections)], axis)


def _require_plain(name: str, argument: str, value: Any) -> None:
    """A shape cannot depend on what a tensor computes."""
    if hasattr(value, "node"):
        raise TypeError(
            f"{name}: {argument} says the shape of the result, which is fixed when the "
            "graph is recorded: give whole numbers, or np.asarray(t) for today's values"
        )


def _slab(end: Any, x: Any, axis: int) -> Any:
    """What diff joins to x: a number becomes one element along the axis."""
    if np.ndim(end):
        return end
    shape = list(x.shape)
    shape[axis] = 1
    if isinstance(end, (int, float)):
        return np.full(shape, end, x.dtype)  # a Python number does not widen float32
    return broadcast_to(end, shape)


def _row(x: Any) -> Any:
    if np.ndim(x) > 1:
        return x
    return expand_dims(x, 0) if np.ndim(x) else reshape(x, (1, 1))


by_function.update(
    {
        np.moveaxis: moveaxis,
        np.ravel: ravel,
        np.repeat: repeat,
        np.tile: tile,
        np.diff: diff,
        np.inner: inner,
        np.vstack: vstack,
        np.hstack: hstack,
        np.array_split: array_split,
    }
)
