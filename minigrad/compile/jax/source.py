"""Names, literals and calls: what the lines of a program in JAX are written with.

Vocabulary
    window  a timed value on some of its steps: an array with an entry a step; what is
            the same at every step is written without that axis
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, nn, vmap

from minigrad.compile.counts import Count, Steps
from minigrad.compile.jax import checks
from minigrad.compile.jax.lowerings import LoweringError, lowering
from minigrad.compile.kinds import ALONG, O, is_ufunc
from minigrad.compile.numpy.source import Names
from minigrad.compile.numpy.source import Source as NumpySource
from minigrad.compile.numpy.table import index
from minigrad.compile.values import Leaf, Program, Time, Value, moves
from minigrad.fold.moving_index import Ahead, contains

INFIX = {O.add: "+", O.subtract: "-", O.multiply: "*", O.divide: "/", O.matmul: "@"}
PYTHON = {"int": int, "float": float}
# Ops whose result has another dtype than what they compute with.
OTHER = frozenset([O.argmax, O.argmin, O.argsort, O.any, O.all, O.count, O.astype])


class Source(NumpySource):
    """The source of one program as it grows; ``namespace`` is what it refers to."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.lengths = [f"T{i or ''}" for i in range(len(program.clocks))]
        self.namespace = {"jnp": jnp, "lax": lax, "nn": nn, "vmap": vmap}
        self.taken = Names([*self.lengths, *self.namespace, "carry", "now"])
        self.names: dict[Any, str] = {}
        self.functions: dict[Any, str] = {}
        self.run: list[str] = []
        leaves = [*program.parameters.values(), *program.arguments.values()]
        for v in leaves:
            self.names[v] = self.fresh((v.name or "").partition("@")[0])

    def untimed(self, v: Value) -> str:
        """A value without time."""
        return super().untimed(v) if v.op is Leaf.constant else self.name(v)

    def dtype(self, v: Value) -> str:
        """The dtype that a value has on the device, where 32 bits may be all."""
        return str(jax.dtypes.canonicalize_dtype(PYTHON.get(v.dtype, v.dtype)))

    def call(self, v: Value, codes: Sequence[str], clock: int = 0) -> str:
        """An op's result as an expression of operands of one step of a clock."""
        self.clock = clock
        v = _plain(v)
        found, cast = self._cast(v, _widened(v, codes))
        if found != [*codes] and v.op is O.clip:
            cast = f".astype('{v.dtype}')"
        if v.op in INFIX:
            return f"{found[0]} {INFIX[v.op]} {found[1]}"
        if v.op is O.getitem and len(found) == 1:
            return self._picked(v, found[0])
        function = lowering(v.call)
        name = (
            function if isinstance(function, str) else self.refer(function, v.op.name)
        )
        keywords = "".join(f", {k}={self.literal(a)}" for k, a in v.attrs.items())
        operands = f"[{', '.join(found)}]" if v.call.variadic else ", ".join(found)
        return f"{name}({operands}{keywords}){cast}"

    def _picked(self, v: Value, code: str) -> str:
        """x[key]; of a slice that moves with t its beginning alone does."""
        key = v.attrs["key"]
        if v.inputs[0].op in (Leaf.constant, Time.each) and moves(key):
            code = f"jnp.asarray({code})"
        parts = list(key) if isinstance(key, tuple) else [key]
        for k, part in enumerate(parts):
            if isinstance(part, slice) and contains(part, Ahead):
                axis = sum(p is not None for p in parts[:k])
                a, b = part.start, part.stop
                if Ellipsis in parts[:k] or {type(a), type(b)} != {Ahead}:
                    raise LoweringError(f"JAX has no index {key}, which moves with t")
                code = (
                    f"lax.dynamic_slice_in_dim({code}, {self.literal(a)}, {b.k - a.k}, "
                    f"{axis})"
                )
                parts[k] = slice(None, None, part.step)
        return f"{code}[{index(tuple(parts), self.literal)}]"

    def _cast(self, v: Value, codes: Sequence[str]) -> tuple[list[str], str]:
        """Operands in the dtypes in which NumPy computes, and a cast of the result.

        JAX would compute float32 and whole numbers in float32, NumPy in float64.
        """
        kinds, found = [i.dtype for i in v.inputs], list(codes)
        if is_ufunc(v.op) or v.op is O.matmul:
            ufunc: Any = np.matmul if v.op is O.matmul else v.call.forward
            weak = all(k in PYTHON for k in kinds)  # Python's numbers widen nothing
            given = [
                PYTHON[k] if k in PYTHON and not weak else np.dtype(k) for k in kinds
            ]
            wanted = ufunc.resolve_dtypes((*given, *[None] * ufunc.nout))
            for i, k in enumerate(kinds):
                if k != wanted[i] and (k not in PYTHON or weak):
                    found[i] = _as(codes[i], wanted[i])
            return found, ""
        if v.op in OTHER or v.dtype == "bool":
            return found, ""
        indices = {r.operand for r in checks.of(v)}
        indices |= {1} if v.op in (O.take, O.untake) else set()
        for i, kind in enumerate(kinds):
            is_number = kind not in PYTHON and (kind != "bool" or v.op in ALONG)
            if is_number and kind != v.dtype and i not in indices:
                found[i] = _as(codes[i], v.dtype)
        strong = v.dtype in kinds or found != [*codes]
        return found, "" if strong else f".astype('{v.dtype}')"

    # Timed values.

    def window(self, v: Value, steps: Steps) -> str:  # type: ignore[override]
        """A timed value on some of its steps."""
        if v.op is Time.each:
            return self.untimed(v.inputs[0])
        if v.op is Time.shift:
            return self.window(v.inputs[0], steps.moved(-v.attrs["delay"]))
        low, high = self._ends(steps, v.span)
        return f"{self.name(v)}[{low}:{high}]" if low or high else self.name(v)

    def wide(self, v: Value) -> str:
        """A timed value at all of its steps, also if it is the same at each."""
        code = self.window(v, v.span)
        if not is_same(v):
            return code
        shape = self.literal((v.span.number, *v.shape))
        return f"jnp.broadcast_to(jnp.asarray({code}, '{self.dtype(v)}'), {shape})"

    def element(self, v: Value, step: Count) -> str:  # type: ignore[override]
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


def _widened(v: Value, codes: Sequence[str]) -> Sequence[str]:
    """Operands of a comparison or a clip, as wide as the whole numbers of Python need.

    JAX would bring 300 into the range of uint8. Raises LoweringError where no dtype is
    wide enough.
    """
    numbers = [_whole_number(i) for i in v.inputs]
    kinds = [np.dtype(i.dtype) for i in v.inputs if i.dtype not in PYTHON]
    if (v.op is not O.clip and v.dtype != "bool") or {k.kind for k in kinds} - {*"iu"}:
        return codes
    known = [n for n in numbers if n is not None]
    if all(_holds(k, n) for k in kinds for n in known):
        return codes
    wide = np.dtype(jax.dtypes.canonicalize_dtype(np.int64))
    ends = [n for k in kinds for n in (np.iinfo(k).min, np.iinfo(k).max)]
    if not all(_holds(wide, n) for n in (*known, *ends)):
        raise LoweringError(
            f"JAX has no whole number that holds {kinds[0]} and {known[0]}, as "
            f"{v.op.name} needs: make the array floating point"
        )
    return [
        code if i.dtype in PYTHON else _as(code, wide)
        for i, code in zip(v.inputs, codes, strict=True)
    ]


def _whole_number(v: Value) -> int | None:
    """The value of a whole number of Python's that is a constant."""
    v = v.inputs[0] if v.op is Time.each else v
    value = v.attrs.get("value") if v.op is Leaf.constant else None
    return value if type(value) is int else None


def _holds(kind: np.dtype[Any], number: int) -> bool:
    return bool(np.iinfo(kind).min <= number <= np.iinfo(kind).max)


def is_same(v: Value) -> bool:
    """Whether a timed value is the same at every step."""
    while v.op is Time.shift:
        v = v.inputs[0]
    return v.op is Time.each


def _as(code: str, dtype: Any) -> str:
    return f"jnp.asarray({code}).astype('{np.dtype(dtype).name}')"
