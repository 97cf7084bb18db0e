"""Picking elements: by index, along an axis, in order, on a diagonal.

The rules answer with a ``Scatter``, cotangent and place, or with the op that puts
elements where the other has picked them. Duplicate indices accumulate. T indexings of
one array cost O(T): the engine adds each cotangent at its place in one buffer, and when
it records, one ``scatter_n`` node does.

>>> import minigrad as mg
>>> x = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
>>> mg.grad(x[[0, 0, 2]].sum(), [x])[0].data.tolist()
[2.0, 0.0, 1.0]
"""

from typing import Any

import numpy as np

from minigrad.op import Scatter, op

# In the keys of scatter_n: this cotangent's index is an operand, not an attribute.
OPERAND = "operand"


def _basic(key: Any) -> bool:
    """Whether a key has no index array, so that it names each element at most once."""
    parts = key if isinstance(key, tuple) else (key,)
    return not any(isinstance(k, (list, np.ndarray)) for k in parts)


def scatter_into(buffer: Any, key: Any, cotangent: Any) -> None:
    """Add a cotangent into ``buffer`` at ``key``; duplicate indices accumulate."""
    if _basic(key):
        buffer[key] += cotangent
    else:
        np.add.at(buffer, key, cotangent)


@op(
    lambda i, g, y, xs, keys=(): _from_scatter(i, g, xs, keys),
    variadic=True,
)
def scatter_n(xs: Any, keys: Any = ()) -> Any:
    """Zeros shaped as the first operand, with each further one added at its key."""
    buffer = np.zeros_like(xs[0])
    indices = iter(xs[1 + len(keys) :])
    for cotangent, key in zip(xs[1:], keys, strict=False):
        scatter_into(buffer, next(indices) if _is_operand(key) else key, cotangent)
    return buffer


def _is_operand(key: Any) -> bool:
    return isinstance(key, str) and key == OPERAND


def _from_scatter(i: int, g: Any, xs: Any, keys: Any) -> Any:
    if not 1 <= i <= len(keys):
        return None
    if not _is_operand(keys[i - 1]):
        return g[keys[i - 1]]
    before = sum(map(_is_operand, keys[: i - 1]))
    return embedding(g, xs[1 + len(keys) + before])


@op(lambda g, y, x, key=(): Scatter(g, key))
def getitem(x: Any, key: Any) -> Any:
    """x[key] for every kind of NumPy index."""
    return x[key]


@op(lambda g, y, W, index: Scatter(g, index), None)
def embedding(W: Any, index: Any) -> Any:
    """The rows of W, shape (n, ...), at an integer array: shape (*index.shape, ...)."""
    index = np.asarray(index)
    if index.dtype.kind not in "iu":
        raise IndexError(
            f"embedding takes integers, got {index.dtype}: one-hot rows go to x @ W"
        )
    return W[index]


def _flat(index: Any, n: int, mode: str) -> Any:
    """Indices brought into 0..n-1 as np.take does."""
    if mode == "wrap":
        return index % n
    return np.clip(index, 0, n - 1) if mode == "clip" else index


@op(
    lambda g, y, a, index, x, axis=None, mode="raise": np.take(
        g, index, axis=axis, mode=mode
    ),
    None,
    None,
)
def untake(
    a: Any, index: Any, x: Any, axis: int | None = None, mode: str = "raise"
) -> Any:
    """Zeros like x with a added at integers along ``axis``: take, transposed."""
    y = np.zeros(np.shape(x), np.asarray(a).dtype)
    index = np.asarray(index)
    if axis is None:
        np.add.at(y.reshape(-1), _flat(index, y.size, mode), a)
        return y
    axis = axis % y.ndim
    places = [*range(axis, axis + index.ndim)]
    a = np.moveaxis(a, places, [*range(index.ndim)])
    np.add.at(np.moveaxis(y, axis, 0), _flat(index, y.shape[axis], mode), a)
    return y


@op(
    lambda g, y, x, index, axis=None, mode="raise": (
        Scatter(g, index)
        if axis == 0 and mode == "raise"
        else untake(g, index, x, axis=axis, mode=mode)
    ),
    None,
    numpy=np.take,
)
def take(x: Any, index: Any, axis: int | None = None, mode: str = "raise") -> Any:
    """The elements of x at integers along ``axis``; None: of x flattened.

    The index is an operand, so that it may differ from step to step of a loop.
    """
    return np.take(x, np.asarray(index), axis, mode=mode)  # type: ignore[call-overload]


def _along(index: Any, shape: tuple[int, ...], axis: int) -> tuple[Any, ...]:
    """The key of take_along_axis: ``index`` on its axis, every position elsewhere."""
    key = list(np.ogrid[tuple(slice(n) for n in shape)])
    key[axis] = index
    return tuple(key)


@op(
    lambda g, y, a, index, x, axis=-1: np.take_along_axis(g, index, axis=axis),
    None,
    None,
)
def untake_along_axis(a: Any, index: Any, x: Any, axis: int | None = -1) -> Any:
    """Zeros like x with a added where take_along_axis picks: its transposed."""
    y = np.zeros(np.shape(x), np.asarray(a).dtype)
    if axis is None:
        np.add.at(y.reshape(-1), np.asarray(index), a)
    else:
        np.add.at(y, _along(np.asarray(index), y.shape, axis), a)
    return y


@op(
    lambda g, y, x, index, axis=-1: untake_along_axis(g, index, x, axis=axis),
    None,
    numpy=np.take_along_axis,
)
def take_along_axis(x: Any, index: Any, axis: int | None = -1) -> Any:
    """x[..., index[..., k], ...]: for each place its own index along ``axis``."""
    return np.take_along_axis(x, np.asarray(index), axis)


@op(None)
def argsort(x: Any, axis: int | None = -1) -> Any:
    """The indices that sort x along ``axis``; equal elements keep their order."""
    return np.argsort(x, axis, kind="stable")


@op(
    lambda g, y, x, axis=-1: untake_along_axis(g, argsort(x, axis=axis), x, axis=axis),
    numpy=np.sort,
)
def sort(x: Any, axis: int | None = -1) -> Any:
    """The elements in ascending order along ``axis``; None: of x flattened."""
    return np.sort(x, axis)


@op(
    lambda g, y, a, x, offset=0, axis1=0, axis2=1: np.diagonal(
        g, offset=offset, axis1=axis1, axis2=axis2
    ),
    None,
)
def undiagonal(a: Any, x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Zeros like x with a on a diagonal: diagonal, transposed."""
    y = np.zeros(np.shape(x), np.asarray(a).dtype)
    moved = np.moveaxis(y, (axis1, axis2), (-2, -1))
    n = np.diagonal(y, offset, axis1, axis2).shape[-1]
    rows = np.arange(n) - min(offset, 0)
    moved[..., rows, rows + offset] = a
    return y


@op(
    lambda g, y, x, offset=0, axis1=0, axis2=1: undiagonal(
        g, x, offset=offset, axis1=axis1, axis2=axis2
    ),
    numpy=np.diagonal,
)
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The elements with index2 - index1 = offset; they become the last axis."""
    return np.diagonal(x, offset, axis1, axis2)


@op(
    lambda g, y, x, offset=0, axis1=0, axis2=1: undiagonal(
        np.expand_dims(g, -1), x, offset=offset, axis1=axis1, axis2=axis2
    ),
    numpy=np.trace,
)
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sum of a diagonal."""
    return np.trace(x, offset, axis1, axis2)
