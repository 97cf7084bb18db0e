"""How ops are written with NumPy: as an expression, or into an array that is given.

The same entry serves a value without time, all steps at once (with the attributes that
``kinds.batched`` gives) and one step of a loop.

>>> written(O.tanh, {}, ["x"], "y", str)
['tanh(x, y)']
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.compile import kernels
from minigrad.compile.counts import Dim
from minigrad.compile.kinds import PRODUCTS, Batched, O, batched, is_ufunc
from minigrad.compile.values import AnyOp, Kernel, Value

Literal = Callable[[Any], str]

# What a reduction of floats is as a ufunc: faster than the function around it.
REDUCTIONS = {O.sum: "add", O.max: "maximum", O.min: "minimum"}
# Ops whose NumPy function of the same name means the same.
SAME_NAME = frozenset(
    [O.where, O.clip, O.concatenate, O.stack, O.flip, O.swapaxes, O.expand_dims,
     O.squeeze, O.sum, O.mean, O.max, O.min, O.dot, O.matmul]
)  # fmt: skip


def written(
    op: AnyOp,
    attrs: Mapping[str, Any],
    codes: Sequence[str],
    out: str,
    literal: Literal,
    part: str = "",
) -> list[str]:
    """Lines that write an op's result into ``out``; ``part`` is an array like it."""
    if is_ufunc(op):
        # NumPy wants it by name where a third operand could be meant.
        into = f"out={out}" if ufunc(op) in ("maximum", "minimum") else out
        return [f"{ufunc(op)}({', '.join(codes)}, {into})"]
    if op is O.sigmoid and part:
        return _sigmoid(codes[0], out, part)
    if op in PRODUCTS:
        return [f"{codes[0]}.dot({codes[1]}, {out})"]
    if op is O.clip or (isinstance(op, Kernel) and "out" in op.keywords):
        return [called(op, attrs, codes, literal, f", out={out}")]
    return [f"{out}[...] = {expression(op, attrs, codes, literal)}"]


def expression(
    op: AnyOp, attrs: Mapping[str, Any], codes: Sequence[str], literal: Literal,
    dtype: str = "",
) -> str:  # fmt: skip
    """An op's result as an expression; ``dtype`` is that of its first operand."""
    if is_ufunc(op):
        return f"{ufunc(op)}({', '.join(codes)})"
    view = _VIEWS.get(op)
    if view is not None and len(codes) == 1:
        return view(codes[0], attrs, literal)
    if op in REDUCTIONS and dtype in ("float32", "float64"):
        axis = literal(attrs.get("axis"))
        keep = ", keepdims=True" if attrs.get("keepdims") else ""
        return f"np.{REDUCTIONS[op]}.reduce({codes[0]}, {axis}{keep})"
    whole = attrs.get("axis") is None and not attrs.get("keepdims")
    if op is O.mean and whole and dtype in ("float32", "float64"):
        return f"np.add.reduce({codes[0]}, None) / {codes[0]}.size"
    return called(op, attrs, codes, literal)


def called(
    op: AnyOp, attrs: Mapping[str, Any], codes: Sequence[str], literal: Literal,
    rest: str = "",
) -> str:  # fmt: skip
    """A plain call of an op's function."""
    keywords = "".join(f", {k}={literal(v)}" for k, v in attrs.items()) + rest
    name = f"np.{op.name}" if op in SAME_NAME else literal(op)
    operands = f"[{', '.join(codes)}]" if op.variadic else ", ".join(codes)
    return f"{name}({operands}{keywords})"


def over_steps(v: Value, number: Dim) -> Batched:
    """The op on arrays with an axis of so many steps in front, if there is one."""
    if v.op in (O.reshape, O.broadcast_to):
        return v.call, {"shape": (number, *v.shape)}
    return batched(v.op, v.attrs, v.inputs[0].shape)


def behind_time(code: str, axes: int) -> str:
    """An array over steps with so many axes put in behind the first, to broadcast."""
    return f"{code}[:{', None' * axes}]" if axes > 0 else code


def ufunc(op: AnyOp) -> str:
    """The name of an op's NumPy function."""
    assert isinstance(op.forward, np.ufunc)
    return op.forward.__name__


def _sigmoid(x: str, out: str, part: str) -> list[str]:
    """e / (1 + e) of e = exp(x): nothing cancels, in the far tails neither."""
    return [
        f"minimum({x}, 80, out={out})",  # of which it is 1, and exp does not overflow
        f"exp({out}, {out})",
        f"add({out}, 1, {part})",
        f"divide({out}, {part}, {out})",
    ]


# Writers that write each element after having read those at its place.
ALIGNED = frozenset([O.sigmoid, kernels.shift, kernels.gradient])


def index(key: Any, literal: Literal) -> str:
    """An index as it stands between brackets; slices as a:b."""
    found = []
    for part in key if isinstance(key, tuple) else (key,):
        if isinstance(part, slice) and part.step is None:
            ends = ["" if p is None else literal(p) for p in (part.start, part.stop)]
            found.append(":".join(ends))
        else:
            found.append(literal(part))
    return ", ".join(found) or "()"


def _transpose(code: str, attrs: Any, literal: Literal) -> str:
    axes = attrs.get("axes")
    return f"{code}.transpose({literal(tuple(axes))})" if axes else f"{code}.T"


_VIEWS: dict[Any, Callable[[str, Any, Literal], str]] = {
    O.getitem: lambda x, a, lit: f"{x}[{index(a['key'], lit)}]",
    O.reshape: lambda x, a, lit: f"{x}.reshape({lit(a['shape'])})",
    O.transpose: _transpose,
    O.broadcast_to: lambda x, a, lit: f"np.broadcast_to({x}, {lit(a['shape'])})",
}
