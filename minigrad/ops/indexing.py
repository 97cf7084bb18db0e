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

from collections.abc import Sequence
from inspect import signature
from typing import Any

import numpy as np

from minigrad.graph import Node
from minigrad.mode import require_known
from minigrad.op import OPERAND, Op, Scatter, op, registry
from minigrad.scope import current


def filled(key: Any, indices: Sequence[Any]) -> Any:
    """A key with its index arrays in their places.

    >>> filled((slice(None), OPERAND), [[0, 2]])
    (slice(None, None, None), [0, 2])
    """
    if not indices:
        return key
    left = iter(indices)
    if not isinstance(key, tuple):
        return next(left)
    return tuple(next(left) if part.__class__ is str else part for part in key)


def places_in(key: Any) -> int:
    """How many index arrays a key has places for.

    >>> places_in((slice(None), OPERAND, OPERAND))
    2
    """
    parts = key if isinstance(key, tuple) else (key,)
    return [part.__class__ for part in parts].count(str)


def scatter_into(buffer: Any, scatter: Scatter) -> None:
    """Add a cotangent into ``buffer`` at its key; duplicate indices accumulate.

    >>> buffer = np.zeros(3)
    >>> scatter_into(buffer, Scatter(np.ones(2), OPERAND, (np.array([1, 1]),)))
    >>> buffer.tolist()
    [0.0, 2.0, 0.0]
    """
    cotangent, key, indices = scatter
    if indices:
        np.add.at(buffer, filled(key, indices), cotangent)
    else:
        buffer[key] += cotangent


@op(
    lambda i, g, y, xs, keys=(): _from_scatter(i, g, xs, keys),
    variadic=True,
)
def scatter_n(xs: Any, keys: Any = ()) -> Any:
    """Zeros shaped as the first operand, with each further one added at its key.

    ``keys`` is a PerOperand. The index arrays that keys have places for are the last
    operands; these, and the first one, have None as key.
    """
    buffer = np.zeros_like(xs[0])
    indices = iter(xs[len(xs) - sum(map(places_in, keys)) :])
    for cotangent, key in zip(xs, keys, strict=True):
        if key is not None:
            own = tuple([next(indices) for _ in range(places_in(key))])
            scatter_into(buffer, Scatter(cotangent, key, own))
    return buffer


def _from_scatter(i: int, g: Any, xs: Any, keys: Any) -> Any:
    if keys[i] is None:
        return None
    first = len(xs) - sum(map(places_in, keys[i:]))
    return g[filled(keys[i], xs[first : first + places_in(keys[i])])]


# The ends of a slice, and the parts of a key, that are plain values.
ENDS = frozenset({int, type(None)})
BASIC = frozenset({int, slice, type(None), type(Ellipsis), bool})


class _GetItem(Op):
    """Indexing: each array in the key becomes an operand behind x."""

    def of_two(self, a: Any, b: Any) -> Any:
        """``a[b]``; integers and slices of integers need not be looked at further."""
        for part in b if b.__class__ is tuple else (b,):
            if part.__class__ is not int and not (
                part.__class__ is slice
                and part.start.__class__ in ENDS
                and part.stop.__class__ in ENDS
                and part.step.__class__ in ENDS
            ):
                return self(a, b)
        scope = current.get()
        return self.made((a.node,), {"key": b}, scope, next(scope.slots))

    def _forward(self, values: list[Any], attrs: dict[str, Any]) -> Any:
        if len(values) == 1:
            return values[0][attrs["key"]]
        return self.forward(values, **attrs)

    def _bind(
        self, args: tuple[Any, ...], attrs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        given = dict(zip(("x", "key"), args, strict=False)) | attrs
        if len(args) > 2 or given.keys() != {"x", "key"}:
            raise TypeError(f"getitem takes x and key, got {[*args, *attrs]}")
        x, key = given["x"], given["key"]
        self._refuse_list(x)
        indices: list[Any] = []
        if key.__class__ is tuple:
            key = tuple([_plain(part, indices) for part in key])
        else:
            key = (None,) if key is None else _plain(key, indices)
        return (x, *indices), {"key": key}


def _require_shape(index: Node) -> None:
    """Raise TraceError for a mask as index in a traced function."""
    if index.value.dtype == bool:
        require_known(
            index,
            "a mask as index gives a shape that depends on its values; "
            "mg.where(mask, x, 0.0) keeps the shape",
        )


def _plain(part: Any, indices: list[Any]) -> Any:
    """A part of a key as it is, or a place for an index that is an operand."""
    if part.__class__ is slice:
        if any(hasattr(end, "node") for end in (part.start, part.stop, part.step)):
            raise TypeError(
                "the ends of a slice are part of the program and take integers, got a "
                "Tensor: write mg.take(x, start + np.arange(n), axis=...), whose index "
                "may change from run to run"
            )
        return part
    if part.__class__ in BASIC:
        return part
    if hasattr(part, "node"):
        _require_shape(part.node)
    elif isinstance(part, (list, tuple, np.ndarray, np.bool_)):
        registry["getitem"]._refuse_list(part)
        part = np.asarray(part)
        if not part.size and part.dtype.kind == "f":
            part = part.astype(int)  # []
    elif hasattr(part, "__index__"):
        return part.__index__()
    else:
        raise IndexError(
            f"an index is an integer, a slice, None, ..., an array or a Tensor of "
            f"integers or a mask, got {part!r}"
        )
    indices.append(part)
    return OPERAND


def _index(xs: Any, key: Any) -> Any:
    """x[key] for every kind of NumPy index; index arrays and masks are operands.

    The shape is the one that NumPy gives. Raises IndexError for a key of another kind.
    """
    return xs[0][filled(key, xs[1:])]


getitem: Op = _GetItem(
    _index,
    lambda i, g, y, xs, key=(): None if i else Scatter(g, key, tuple(xs[1:])),
    variadic=True,
    name="getitem",
)


def _takes(x: Any, key: Any) -> None:
    """What a call of getitem takes."""


getitem.__signature__ = signature(_takes)


@op(lambda g, y, W, index: Scatter(g, OPERAND, (index,)), None)
def embedding(W: Any, index: Any) -> Any:
    """The rows of W, shape (n, ...), at an integer array: shape (*index.shape, ...).

    Raises IndexError for an index that is not whole or names no row.
    """
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
        Scatter(g, OPERAND, (index,))
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
    """Zeros like x with a added where take_along_axis picks: its transposed.

    The shape is that of x, the dtype that of a.
    """
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
    """Zeros like x with a on a diagonal: diagonal, transposed.

    The shape is that of x, the dtype that of a.
    """
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
    """The sum of a diagonal.

    The two axes go: the shape is that of the others.
    """
    return np.trace(x, offset, axis1, axis2)
