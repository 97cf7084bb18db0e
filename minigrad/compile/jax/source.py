"""Names, literals and calls: what the lines of a program in JAX are written with.

Vocabulary
    window  a timed value on some steps: an array with an entry a step
    same    what is the same at every step is written without a time axis
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from minigrad.compile.counts import Count, Steps
from minigrad.compile.jax.checks import INDICES
from minigrad.compile.jax.lowerings import LoweringError, lowering
from minigrad.compile.kinds import ALONG, O, is_ufunc
from minigrad.compile.numpy.source import identifier
from minigrad.compile.numpy.table import index
from minigrad.compile.values import Leaf, Program, Time, Value, contains, moves
from minigrad.fold.moving_index import Ahead

INFIX = {O.add: "+", O.subtract: "-", O.multiply: "*", O.divide: "/", O.matmul: "@"}
PYTHON = {"int": int, "float": float}
# Ops whose result has another dtype than what they compute with.
OTHER = frozenset([O.argmax, O.argmin, O.argsort, O.any, O.all, O.count, O.astype])


class Source:
    """The source of one program as it grows; ``namespace`` is what it refers to."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.lengths = [f"T{i or ''}" for i in range(len(program.clocks))]
        self.namespace: dict[str, Any] = {"jnp": jnp, "lax": lax, "vmap": jax.vmap}
        self.taken = {*self.lengths, *self.namespace, "carry", "now"}
        self.names: dict[Value, str] = {}
        self.referred: dict[int, str] = {}
        self.lines: list[str] = []

    # Names and literals.

    def fresh(self, stem: str) -> str:
        """A name that nothing has yet."""
        name = identifier(stem, self.taken)
        self.taken.add(name)
        return name

    def name(self, v: Value) -> str:
        """The name of a value, the same each time."""
        if v not in self.names:
            self.names[v] = self.fresh((v.name or v.op.name).partition("@")[0])
        return self.names[v]

    def refer(self, value: Any, stem: str) -> str:
        """A name by which the source refers to an object."""
        if id(value) not in self.referred:
            self.referred[id(value)] = name = self.fresh(stem)
            self.namespace[name] = value
        return self.referred[id(value)]

    def literal(self, value: Any, clock: int = 0) -> str:
        """An attribute or a number as source; ``clock`` is that of t."""
        if isinstance(value, Count):
            return value.code(self.lengths)
        if isinstance(value, Ahead):
            base = f"{self.lengths[clock]} - t" if value.from_end else "t"
            return f"{base} {'+-'[value.k < 0]} {abs(value.k)}" if value.k else base
        if isinstance(value, (tuple, list)):
            inner = ", ".join(self.literal(part, clock) for part in value)
            return f"({inner}{',' * (len(value) == 1)})"
        if isinstance(value, slice):
            ends = (value.start, value.stop, value.step)
            return f"slice({', '.join(self.literal(e, clock) for e in ends)})"
        if isinstance(value, float) and not np.isfinite(value):
            return f'float("{value}")'
        if isinstance(value, (bool, int, float, str, type(None))):
            return repr(value)
        return "..." if value is Ellipsis else self.refer(value, "k")

    def untimed(self, v: Value) -> str:
        """A value without time."""
        if v.op is not Leaf.constant:
            return self.name(v)
        value = v.attrs["value"]
        if type(value) in (bool, int, float):
            return self.literal(value)
        return self.refer(value, v.name or "c")

    def dtype(self, v: Value) -> str:
        """The dtype that a value has on the device, where 32 bits may be all."""
        known = {"int": int, "float": float}.get(v.dtype, v.dtype)
        return str(jax.dtypes.canonicalize_dtype(known))

    # Calls.

    def call(self, v: Value, codes: Sequence[str], clock: int = 0) -> str:
        """An op's result as an expression of operands of one step."""
        v = _plain(v)
        codes, cast = self._cast(v, codes)
        if v.op in INFIX:
            return f"{codes[0]} {INFIX[v.op]} {codes[1]}"
        if v.op is O.getitem and len(codes) == 1:
            return self._picked(v, codes[0], clock)
        found = lowering(v.call)
        name = found if isinstance(found, str) else self.refer(found, v.op.name)
        keywords = "".join(
            f", {k}={self.literal(a, clock)}" for k, a in v.attrs.items()
        )
        operands = f"[{', '.join(codes)}]" if v.call.variadic else ", ".join(codes)
        return f"{name}({operands}{keywords}){cast}"

    def _picked(self, v: Value, code: str, clock: int) -> str:
        """x[key]; of a slice that moves with t its beginning alone does."""
        key = v.attrs["key"]
        if v.inputs[0].op in (Leaf.constant, Time.each) and moves(key):
            code = f"jnp.asarray({code})"
        parts = list(key) if isinstance(key, tuple) else [key]
        for k, part in enumerate(parts):
            if isinstance(part, slice) and contains(part, Ahead):
                axis = sum(p is not None for p in parts[:k])
                size = _size(part)
                if Ellipsis in parts[:k] or size is None:
                    raise LoweringError(f"jax has no index {key} that moves with t")
                start = self.literal(part.start, clock)
                code = f"lax.dynamic_slice_in_dim({code}, {start}, {size}, {axis})"
                parts[k] = slice(None, None, part.step)
        return f"{code}[{index(tuple(parts), lambda p: self.literal(p, clock))}]"

    def _cast(self, v: Value, codes: Sequence[str]) -> tuple[list[str], str]:
        """Operands in the dtypes in which NumPy computes, and a cast of the result.

        JAX would compute float32 and whole numbers in float32, NumPy in float64.
        """
        kinds = [i.dtype for i in v.inputs]
        if is_ufunc(v.op) or v.op is O.matmul:
            wanted = _loop(v, kinds)
            weak = all(k in PYTHON for k in kinds)
            return [
                code if k == w or (k in PYTHON and not weak) else _as(code, w)
                for code, k, w in zip(codes, kinds, wanted, strict=True)
            ], ""
        if v.op in OTHER or v.dtype == "bool":
            return list(codes), ""
        found, is_index = list(codes), INDICES.get(v.op)
        for i, (code, kind) in enumerate(zip(codes, kinds, strict=True)):
            if kind in PYTHON or kind == v.dtype or (is_index and is_index(v, i)):
                continue
            if kind != "bool" or v.op in ALONG:
                found[i] = _as(code, v.dtype)
        strong = any(k == v.dtype for k in kinds) or found != list(codes)
        return found, "" if strong else f".astype('{v.dtype}')"

    # Timed values as arrays over their steps.

    def window(self, v: Value, steps: Steps) -> str:
        """A timed value on some of its steps; what is the same at each has no axis."""
        if v.op is Time.each:
            return self.untimed(v.inputs[0])
        if v.op is Time.shift:
            return self.window(v.inputs[0], steps.moved(-v.attrs["delay"]))
        low = steps.first.minus(v.span.first)
        high = steps.last.plus(1).minus(v.span.first)
        code = self.name(v)
        if steps == v.span:
            return code
        return f"{code}[{self.literal(low)}:{self.literal(high)}]"

    def wide(self, v: Value, steps: Steps) -> str:
        """The same with its time axis, even if it is the same at each step."""
        code = self.window(v, steps)
        if not is_same(v):
            return code
        shape = self.literal((steps.number, *v.shape))
        return f"jnp.broadcast_to(jnp.asarray({code}, '{self.dtype(v)}'), {shape})"

    def element(self, v: Value, step: Count) -> str:
        """A timed value at one step."""
        if v.op is Time.each:
            return self.untimed(v.inputs[0])
        if v.op is Time.shift:
            return self.element(v.inputs[0], step.plus(-v.attrs["delay"]))
        return f"{self.name(v)}[{self.literal(step.minus(v.span.first))}]"


def _plain(v: Value) -> Value:
    """``dot`` as the operator that it is for operands of few axes."""
    axes = [len(i.shape) for i in v.inputs]
    if v.op is not O.dot or max(axes) > 2:
        return v
    return replace(v, op=O.matmul if min(axes) else O.multiply)


def is_same(v: Value) -> bool:
    """Whether a timed value is the same at every step."""
    while v.op is Time.shift:
        v = v.inputs[0]
    return v.op is Time.each


def _loop(v: Value, kinds: Sequence[str]) -> Sequence[Any]:
    """The dtypes in which NumPy's function computes; Python's numbers widen nothing."""
    ufunc: Any = np.matmul if v.op is O.matmul else v.call.forward
    weak = all(k in PYTHON for k in kinds)
    given = [PYTHON[k] if k in PYTHON and not weak else np.dtype(k) for k in kinds]
    found: Sequence[Any] = ufunc.resolve_dtypes((*given, *[None] * ufunc.nout))
    return found[: len(kinds)]


def _as(code: str, dtype: Any) -> str:
    """A value in another dtype."""
    return f"jnp.asarray({code}).astype('{np.dtype(dtype).name}')"


def _size(part: slice) -> int | None:
    """How many elements a slice has whose ends move alike."""
    a, b = part.start, part.stop
    if isinstance(a, Ahead) and isinstance(b, Ahead) and a.from_end == b.from_end:
        return b.k - a.k
    return None
