"""A loop that is linear in its state, element by element, as ``lax.associative_scan``.

h(t) = a(t) h(t-1) + b(t) composes: two steps are again such a step, with a2 a1 and
a2 b1 + b2. So T steps take log T rounds, which an accelerator computes side by side.

Vocabulary
    affine  a line of the loop as (a, b) at all steps, such that it is a h(t-1) + b
"""

from collections.abc import Sequence
from typing import Any

from minigrad.compile.backend import EngineError
from minigrad.compile.jax.source import Source, is_same
from minigrad.compile.kinds import O
from minigrad.compile.numpy.table import behind_time
from minigrad.compile.schedule import Loop
from minigrad.compile.values import Time, Value

Affine = tuple[str, str]
ZERO, ONE = "0.0", "1.0"
# How a line follows from affine operands, and those that the loop has no part in.
PLACES = {
    O.add: (0, 1), O.subtract: (0, 1), O.add_n: None, O.multiply: (0, 1),
    O.divide: (0,), O.negative: (0,), O.where: (1, 2),
}  # fmt: skip


class NotLinearError(EngineError):
    """A loop that no associative scan computes."""


def combined(one: Any, two: Any) -> Any:
    """Two steps, or runs of them, as one."""
    return one[0] * two[0], two[0] * one[1] + two[1]


class Linear:
    """The lines of one range of a loop as affine functions of its one state."""

    def __init__(self, source: Source, loop: Loop) -> None:
        self.source, self.loop, self.affine = source, loop, dict[Value, Affine]()
        states = source.program.states
        found = {states[s] for s in loop.whole if s in states}
        delays = {s.attrs["delay"] for s in loop.whole if s in states}
        line = next(iter(found))
        if len(found) > 1 or not delays <= {1, -1} or loop.picks:
            raise self._refusal(line, "its loop has more than one state, or older ones")
        self.line: Value = line
        for v in loop.body:
            self.affine[v] = self._line(v)

    def _refusal(self, v: Value, why: str) -> NotLinearError:
        return NotLinearError(
            f'{v.name or v.op.name}: scan="associative" is for loops that are linear '
            f"in one state, element by element, and {why}; leave scan out, or write "
            "the loop as h = a * h + b"
        )

    def _line(self, v: Value) -> Affine:
        operands = self.loop.operands(v)
        inside = [k for k, i in enumerate(operands) if self._is_inside(i)]
        places = PLACES.get(v.op, ())
        bad = places is not None and not {*inside} <= {*places}
        if bad or (v.op is O.multiply and len(inside) > 1):
            raise self._refusal(v, f"{v.op.name} is not linear in it")
        if (v.shape, v.dtype) != (self.line.shape, self.line.dtype):
            raise self._refusal(v, f"{v.op.name} has another shape or dtype")
        parts = [
            self._affine(i) if k in inside else self._free(i, len(v.shape))
            for k, i in enumerate(operands)
        ]
        return _applied(v.op, parts, inside)

    def _is_inside(self, i: Value) -> bool:
        past = self.loop.carried.get(i, i)
        return i in self.affine or past.op is Time.state

    def _affine(self, i: Value) -> Affine:
        return self.affine.get(i, (ONE, ZERO))

    def _free(self, i: Value, axes: int) -> Affine:
        code = self.source.window(i, self.loop.steps)
        missing = 0 if is_same(i) else axes - len(i.shape)
        return ZERO, behind_time(code, missing)


def _applied(op: Any, parts: Sequence[Affine], inside: Sequence[int]) -> Affine:
    """What an op makes of affine operands."""
    (a, b), *rest = parts
    if op is O.where:
        (_, test), (c, d), (e, f) = parts
        return f"jnp.where({test}, {c}, {e})", f"jnp.where({test}, {d}, {f})"
    if op is O.negative:
        return f"(-{a})", f"(-{b})"
    if op in (O.multiply, O.divide):
        factor = parts[1 - inside[0]][1]
        sign = "*" if op is O.multiply else "/"
        a, b = parts[inside[0]]
        return _scaled(a, sign, factor), _scaled(b, sign, factor)
    for c, d in rest:
        sign = "-" if op is O.subtract else "+"
        a, b = _added(a, sign, c), _added(b, sign, d)
    return a, b


def _scaled(a: str, sign: str, factor: str) -> str:
    if a == ZERO or (a == ONE and sign == "*"):
        return ZERO if a == ZERO else factor
    return f"({a} {sign} {factor})"


def _added(a: str, sign: str, b: str) -> str:
    if b == ZERO:
        return a
    return b if a == ZERO and sign == "+" else f"({a} {sign} {b})"
