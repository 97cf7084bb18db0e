"""What NumPy refuses and JAX does not: numbers out of range, and 64 bits.

JAX brings an index or a slice that is out of range inside, and makes float32 of float64
unless it is told otherwise. A program looks before: at the arrays that it is given, and
where an index is computed, at a flag that is one more result of it. NumPy then runs the
call, so that the error is NumPy's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from minigrad.compile.backend import EngineError
from minigrad.compile.counts import shape_at
from minigrad.compile.kinds import O
from minigrad.compile.ranges import Range, ranges
from minigrad.compile.values import (
    Kernel,
    Leaf,
    Program,
    Time,
    Value,
    apply,
    moves,
    over,
)
from minigrad.fold.moving_index import at_step

# Ops whose result consists of elements of their first operand.
MOVES = frozenset(
    [O.reshape, O.transpose, O.swapaxes, O.squeeze, O.expand_dims, O.broadcast_to,
     O.flip, O.roll, O.getitem, O.take, O.take_along_axis, O.reshape_like, O.detach]
)  # fmt: skip
PLACES = frozenset([O.argmax, O.argmin, O.argsort])
ANY = (16,) * 99  # lengths, where these do not matter


class PrecisionError(EngineError):
    """A program of 64 bits, where JAX has 32."""


def has_64() -> bool:
    """Whether JAX computes in 64 bits."""
    return bool(jax.config.read("jax_enable_x64"))


def require_bits(program: Program) -> None:
    """Raise PrecisionError for float64 where JAX would make float32 of it."""
    kept = MOVES | PLACES | {O.where, O.concatenate, O.stack}
    for v in () if has_64() else program.values:
        whole = isinstance(v.op, (Leaf, Time)) or v.op in kept
        if v.dtype in ("float64", "uint64") or (v.dtype == "int64" and not whole):
            raise PrecisionError(
                f"{v.name or v.op.name} is {v.dtype}, and JAX would compute it in 32 "
                'bits: write jax.config.update("jax_enable_x64", True) where the '
                "program starts, or make parameters and arrays float32"
            )


def of(v: Value, lengths: Sequence[int] = ANY) -> list[Range]:
    """What a value requires of its operands."""
    if isinstance(v.op, (Leaf, Time)):
        return []
    shapes = [shape_at(i.shape, lengths) for i in v.inputs]
    return [*ranges(v.op, v.attrs, shapes, [i.dtype for i in v.inputs])]


class Checks:
    """What a program requires of its arguments; ``program`` has flags for the rest.

    A flag is an output behind the others, true where an index that is computed is out
    of range.
    """

    def __init__(self, program: Program) -> None:
        self.of_arguments: list[tuple[Value, Value, int]] = []
        flags: list[Value] = []
        for v in program.values:
            for r in of(v):
                source = _source(v.inputs[r.operand])
                if source.op is Leaf.argument:
                    self.of_arguments.append((source, v, r.operand))
                elif not isinstance(source.op, Leaf) and not _is_place(source, r):
                    flags.append(_flag(v))
        self.slices = [v for v in program.values if _has_moving_slice(v)]
        self.flags = len(flags)
        self.program = replace(program, outputs=(*program.outputs, *flags))

    def hold(self, arrays: Mapping[Value, Any], lengths: Sequence[int]) -> bool:
        """Whether arguments are what the program requires of them."""
        for source, v, number in self.of_arguments:
            x = np.asarray(arrays[source])
            (r,) = [r for r in of(v, lengths) if r.operand == number]
            if not np.all(r.holds(x)):
                return False
        if not all(_fits(v, lengths) for v in self.slices):
            return False
        return has_64() or not any(map(_is_long, arrays.values()))


def _has_moving_slice(v: Value) -> bool:
    if v.op is not O.getitem or len(v.inputs) > 1 or not moves(v.attrs):
        return False
    key = v.attrs["key"]
    parts = key if isinstance(key, tuple) else (key,)
    return any(isinstance(part, slice) and moves(part) for part in parts)


def _fits(v: Value, lengths: Sequence[int]) -> bool:
    """Whether a slice that moves stays inside: NumPy cuts it, JAX moves it back."""
    x = np.broadcast_to(0, shape_at(v.inputs[0].shape, lengths))
    wanted, steps = shape_at(v.shape, lengths), v.span.at(lengths)
    keys = [
        at_step(v.attrs["key"], t, lengths[v.span.clock]) for t in (steps[0], steps[-1])
    ]
    return all(x[key].shape == wanted for key in keys)


def _is_long(x: Any) -> bool:
    """Whether 32 bits do not hold an array's whole numbers."""
    if x.dtype.kind not in "iu" or x.dtype.itemsize < 8 or not x.size:
        return False
    return bool(x.min() < -(2**31) or x.max() >= 2**31)


def _source(v: Value) -> Value:
    """The value whose elements a value consists of."""
    alike = (Time.read, Time.each, Time.shift, Time.at, Time.over)
    while v.op in MOVES or v.op in alike:
        v = v.inputs[0]
    return v


def _is_place(v: Value, r: Range) -> bool:
    """Whether a value is a place in an axis that is not too long."""
    if v.op not in PLACES:
        return False
    axis = v.attrs.get("axis", -1 if v.op is O.argsort else None)
    shape = shape_at(v.inputs[0].shape, ANY)
    return (prod(shape) if axis is None else shape[axis]) - 1 <= r.high


def _flag(v: Value) -> Value:
    """Whether an operand of a value is out of range, at any of its steps."""

    def outside(*xs: Any) -> Any:
        found = ranges(
            v.call, v.attrs, [*map(np.shape, xs)], [i.dtype for i in v.inputs]
        )
        return ~jnp.stack([jnp.all(r.holds(xs[r.operand])) for r in found]).all()

    flag = Value(Kernel(outside, len(v.inputs)), v.inputs, {}, (), "bool", v.steps)
    return flag if v.steps is None else apply(O.any, over(flag))
