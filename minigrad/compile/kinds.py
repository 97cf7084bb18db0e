"""What each op is: the one place where the compiler knows ops by name.

An op that no table here names is opaque: it is called as it is, a step at a time.

Vocabulary
    elementwise  each element of the result comes from those at its place
    view         the same elements in another shape: no array is made
    batched      the op and attributes that do to an array with one more axis in front
                 what an op does to each of its entries

>>> batched(O.sum, {"axis": 0}, (2,))
(<op sum(x, axis=None, keepdims=False)>, {'axis': 1})
"""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from minigrad.compile.values import AnyOp, Kernel, Value
from minigrad.fold.moving_index import Ahead, contains
from minigrad.op import Op, registry
from minigrad.ops import elementwise, indexing, linalg, nn, reduction, shape, time

# The rooms in which the ops are declared.
ROOMS = (elementwise, indexing, linalg, nn, reduction, shape, time)


# All recorded ops by their names.
O: Any = SimpleNamespace(**registry)  # noqa: E741 - short, as patterns ask for

ELEMENTWISE = frozenset(
    [O.where, O.clip, O.sigmoid, O.relu, O.softplus, O.astype, O.add_n]
)
# Ops that are their operand, with no gradient into it. One is of a later floor.
DETACHED = frozenset(["detach", "stop_gradient"])
# Ops along an axis, or several, and the axis where none is named.
ALONG: dict[Any, int | None] = {
    **dict.fromkeys(
        [O.sum, O.mean, O.max, O.min, O.prod, O.var, O.std, O.logsumexp, O.cumsum,
         O.cumprod]
    ),
    **dict.fromkeys([O.softmax, O.log_softmax], -1),
    O.linear_recurrence: -1,
}  # fmt: skip
VIEWS = frozenset(
    [
        O.transpose, O.swapaxes, O.reshape, O.squeeze, O.expand_dims, O.broadcast_to,
        O.getitem,
    ]
)  # fmt: skip
# Ops of rows, one beside the other, that reduce only where they are told to.
ROWWISE = frozenset([O.cross_entropy, O.target_weights, O.mse_loss, O.nll_loss])
PRODUCTS = frozenset([O.matmul, O.dot])


def is_elementwise(op: Any) -> bool:
    """Whether each element of the result comes from those at its place."""
    return op in ELEMENTWISE or is_ufunc(op)


def is_ufunc(op: Any) -> bool:
    """Whether the op is a NumPy function of elements, which takes ``out``."""
    return (
        isinstance(op, Op) and isinstance(op.forward, np.ufunc) and op is not O.matmul
    )


def is_basic(key: Any) -> bool:
    """Whether an index is the same at each step and gives a view."""
    parts = key if isinstance(key, tuple) else (key,)
    return all(
        k is None or k is Ellipsis or type(k) is int
        or (isinstance(k, slice) and not contains(k, Ahead))
        for k in parts
    )  # fmt: skip


def is_view(v: Value) -> bool:
    """Whether a value is the same elements as its input, in another shape."""
    if v.op is O.getitem:
        return len(v.inputs) == 1 and is_basic(v.attrs["key"])
    return v.op in VIEWS and len(v.inputs) == 1


Batched = tuple[AnyOp, Mapping[str, Any]] | None


def batched(op: Any, attrs: Mapping[str, Any], shape: tuple[Any, ...]) -> Batched:
    """The op on arrays with an axis in front, for a first operand of ``shape``.

    All operands that have the axis are aligned by the caller. None if there is none.
    """
    if is_elementwise(op):
        return op, attrs
    if op in ALONG:
        return _along(op, attrs, shape)
    rule = _BATCHED.get(op)
    return None if rule is None else rule(op, attrs, len(shape))


def _along(op: Any, attrs: Mapping[str, Any], shape: tuple[Any, ...]) -> Batched:
    axis, ndim = attrs.get("axis", ALONG[op]), len(shape)
    if axis is None and (op not in (O.sum, O.mean, O.max, O.min) or not ndim):
        return None
    return op, {**attrs, "axis": in_front(axis, ndim)}


def in_front(axis: Any, ndim: int) -> Any:
    """An axis, several or all, counted with one more axis in front."""
    if axis is None:
        return tuple(range(1, ndim + 1))
    if isinstance(axis, tuple):
        return tuple(a % ndim + 1 for a in axis)
    return axis % ndim + 1


def _transpose(op: Any, attrs: Any, ndim: int) -> Batched:
    axes = attrs.get("axes") or range(ndim)[::-1]
    return op, {"axes": (0, *(a % ndim + 1 for a in axes))}


def _swapaxes(op: Any, attrs: Any, ndim: int) -> Batched:
    return op, {k: attrs[k] % ndim + 1 for k in ("axis1", "axis2")}


def _expand(op: Any, attrs: Any, ndim: int) -> Batched:
    axis = attrs["axis"]
    axes = axis if isinstance(axis, tuple) else (axis,)
    return op, {"axis": tuple(a % (ndim + len(axes)) + 1 for a in axes)}


def _squeeze(op: Any, attrs: Any, ndim: int) -> Batched:
    axis = attrs.get("axis")
    return None if axis is None else (op, {"axis": in_front(axis, ndim)})


def _getitem(op: Any, attrs: Any, ndim: int) -> Batched:
    key = attrs["key"]
    if not is_basic(key):
        return None
    return op, {"key": (slice(None), *(key if isinstance(key, tuple) else (key,)))}


def _join(op: Any, attrs: Any, ndim: int) -> Batched:
    axis, ndim = attrs.get("axis", 0), ndim + (op is O.stack)
    return None if axis is None else (op, {"axis": axis % ndim + 1})


def _rows(op: Any, attrs: Any, ndim: int) -> Batched:
    """Ops that treat all leading axes alike, if they reduce nothing."""
    reduces = attrs.get("reduction", "mean") != "none"
    return None if reduces else (op, attrs)


def _same(op: Any, attrs: Any, ndim: int) -> Batched:
    return op, attrs


_BATCHED: dict[Any, Callable[[Any, Any, int], Batched]] = {
    O.transpose: _transpose,
    O.swapaxes: _swapaxes,
    O.expand_dims: _expand,
    O.squeeze: _squeeze,
    O.getitem: _getitem,
    O.stack: _join,
    O.concatenate: _join,
    **dict.fromkeys(ROWWISE, _rows),
}


def declare(kernel: Kernel, rule: Callable[[Any, Any, int], Batched] = _same) -> Kernel:
    """A kernel of the compiler's own, and how it is batched."""
    _BATCHED[kernel] = rule
    return kernel
