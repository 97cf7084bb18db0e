"""What NumPy refuses and JAX does not: numbers out of range, and 64 bits.

JAX brings an index that is out of range inside, and makes float32 of float64 unless it
is told otherwise. A program looks before: at the arrays that it is given, and where an
index is computed, at a flag that is one more result of it. NumPy then runs the call, so
that the error is NumPy's.

Vocabulary
    index   an operand that picks elements: indices, and class numbers of targets
    range   where the elements of an operand must lie, both ends included
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from math import prod
from operator import and_
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from minigrad.compile import kernels
from minigrad.compile.backend import EngineError
from minigrad.compile.counts import shape_at
from minigrad.compile.kinds import O
from minigrad.compile.values import (
    AnyOp,
    Kernel,
    Leaf,
    Program,
    Time,
    Value,
    apply,
    over,
)
from minigrad.ops.indexing import places_in

# Of each op that picks elements: whether this operand is an index of it.
INDICES: dict[Any, Callable[[Value, int], bool]] = {
    O.getitem: lambda v, i: i > 0,
    O.scatter_n: lambda v, i: v.attrs["keys"][i] is None,
    **dict.fromkeys(
        [O.embedding, O.take, O.untake, O.take_along_axis, O.untake_along_axis,
         O.cross_entropy, O.nll_loss],
        lambda v, i: i == 1,
    ),
    O.target_weights: lambda v, i: i == 0,
    kernels.number_kept: lambda v, i: i == 0,
    **dict.fromkeys([kernels.losses, kernels.gradient], lambda v, i: i == 2),
    O.where: lambda v, i: i == 0,
}  # fmt: skip
# Ops whose result consists of elements of their first operand.
MOVES = frozenset(
    [O.reshape, O.transpose, O.swapaxes, O.squeeze, O.expand_dims, O.broadcast_to,
     O.flip, O.roll, O.getitem, O.take, O.take_along_axis, O.reshape_like, O.detach]
)  # fmt: skip
PLACES = frozenset([O.argmax, O.argmin, O.argsort])


def _has_64() -> bool:
    return bool(jax.config.read("jax_enable_x64"))


class PrecisionError(EngineError):
    """A program of 64 bits, where JAX has 32."""


def require_bits(program: Program) -> None:
    """Raise PrecisionError for float64, which JAX would take for float32."""
    if _has_64():
        return
    kept = MOVES | PLACES | {O.where, O.concatenate, O.stack}
    for v in program.values:
        whole = isinstance(v.op, (Leaf, Time)) or v.op in kept
        if v.dtype in ("float64", "uint64") or (v.dtype == "int64" and not whole):
            raise PrecisionError(
                f"{v.name or v.op.name} is {v.dtype}, and JAX would compute it in 32 "
                'bits: write jax.config.update("jax_enable_x64", True) where the '
                "program starts, or make parameters and arrays float32"
            )


class Range(NamedTuple):
    """An operand, by number, and where its elements must lie, or be ``ignored``."""

    operand: int
    low: int
    high: int
    ignored: int | None = None

    def holds(self, x: Any) -> Any:
        """Which elements do."""
        inside = (x >= self.low) & (x <= self.high)
        return inside if self.ignored is None else inside | (x == self.ignored)


def ranges(
    op: AnyOp, attrs: Mapping[str, Any], shapes: Sequence[Any], kinds: Sequence[str]
) -> Iterator[Range]:
    """What an op requires of operands of these shapes and dtypes."""
    if op in (O.cross_entropy, O.nll_loss, kernels.losses, kernels.gradient):
        classes, index = shapes[0][-1], 2 if isinstance(op, Kernel) else 1
        yield Range(index, 0, classes - 1, attrs.get("ignore_index", -100))
    elif op is kernels.number_kept:
        yield Range(0, 0, attrs["classes"] - 1, attrs["ignore_index"])
    elif op is O.binary_cross_entropy:
        yield Range(1, 0, 1)
    elif op is O.embedding:
        yield _index(1, shapes[0][0])
    elif op in _PICKING and attrs.get("mode", "raise") == "raise":
        shape = shapes[_PICKING[op]]
        axis = attrs.get("axis", None if op in (O.take, O.untake) else -1)
        yield _index(1, prod(shape) if axis is None else shape[axis])
    elif op is O.getitem:
        yield from _of_key(attrs["key"], shapes[0], 1, kinds)
    elif op is O.scatter_n:
        first = len(shapes) - sum(map(places_in, attrs["keys"]))
        for key in attrs["keys"]:
            yield from _of_key(key, shapes[0], first, kinds)
            first += places_in(key)


# Ops along an axis of an operand, and which that is.
_PICKING = {O.take: 0, O.take_along_axis: 0, O.untake: 2, O.untake_along_axis: 2}


def _index(operand: int, n: int) -> Range:
    return Range(operand, -n, n - 1)


def _of_key(key: Any, shape: Any, first: int, kinds: Sequence[str]) -> Iterator[Range]:
    """The ranges of the index arrays of a key, which are the operands from one on."""
    parts = key if isinstance(key, tuple) else (key,)
    rest = len(shape) - sum(p is not None and p is not Ellipsis for p in parts)
    axis = 0
    for part in parts:
        if part.__class__ is str:
            if kinds[first] == "bool":
                return  # a mask is a constant, which the trace has seen
            yield _index(first, shape[axis])
            first += 1
        axis += rest if part is Ellipsis else part is not None


# What a program is given, and what it computes.


class Checks:
    """What a program requires of its arguments; ``program`` has flags for the rest.

    A flag is an output behind the others, true where an index that is computed is out
    of range.
    """

    def __init__(self, program: Program) -> None:
        self.of_arguments: list[tuple[Value, Value, int]] = []
        flags: list[Value] = []
        for v in program.values:
            if isinstance(v.op, (Leaf, Time)):
                continue
            found = ranges(v.call, v.attrs, _shapes(v, _FAR), _kinds(v))
            for r in found:
                leaf = source(v.inputs[r.operand])
                if leaf.op is Leaf.argument:
                    self.of_arguments.append((leaf, v, r.operand))
                elif not isinstance(leaf.op, Leaf) and not _is_place(leaf, r):
                    flags.append(_flag(v))
        self.flags = len(flags)
        self.program = replace(program, outputs=(*program.outputs, *flags))

    def hold(self, arrays: Mapping[Value, Any], lengths: Sequence[int]) -> bool:
        """Whether arguments, NumPy's arrays, are what the program requires of them."""
        for leaf, v, number in self.of_arguments:
            x = arrays[leaf]
            for r in ranges(v.call, v.attrs, _shapes(v, lengths), _kinds(v)):
                if r.operand == number and not np.all(r.holds(np.asarray(x))):
                    return False
        return _has_64() or not any(map(_is_long, arrays.values()))


_FAR = [16] * 99  # lengths, where lengths do not matter


def _shapes(v: Value, lengths: Sequence[int]) -> list[Any]:
    return [shape_at(i.shape, lengths) for i in v.inputs]


def _kinds(v: Value) -> list[str]:
    return [i.dtype for i in v.inputs]


def _is_long(x: Any) -> bool:
    """Whether 32 bits do not hold an array's whole numbers."""
    if x.dtype.kind not in "iu" or x.dtype.itemsize < 8 or not x.size:
        return False
    return bool(x.min() < -(2**31) or x.max() >= 2**31)


def source(v: Value) -> Value:
    """The value whose elements a value consists of."""
    while v.inputs and (v.op in MOVES or isinstance(v.op, Time)):
        if v.op is Time.splice or v.op is Time.total:
            break
        v = v.inputs[0]
    return v


def _is_place(v: Value, r: Range) -> bool:
    """Whether a value is a place in an axis that is not too long."""
    if v.op not in PLACES:
        return False
    axis = v.attrs.get("axis", -1 if v.op is O.argsort else None)
    (shape,) = _shapes(v, _FAR)
    number: int = prod(shape) if axis is None else shape[axis]
    return number <= r.high + 1


def _flag(v: Value) -> Value:
    """Whether an operand of a value is out of range, at any of its steps."""

    def outside(*xs: Any) -> Any:
        found = ranges(v.call, v.attrs, [*map(np.shape, xs)], _kinds(v))
        return ~reduce(and_, [jnp.all(r.holds(xs[r.operand])) for r in found])

    kernel = Kernel(outside, len(v.inputs))
    flag = Value(kernel, v.inputs, {}, (), "bool", v.steps)
    if v.steps is None:
        return flag
    return apply(O.any, over(flag))
