"""A loop that is linear in its states, element by element, as an associative scan.

h(t) = A(t) h(t-1) + b(t) composes: two steps are again such a step, with A2 A1 and
A2 b1 + b2. So T steps take log T rounds, which an accelerator computes side by side.
Of one state A is a number for each element, of k states k by k of them.

Vocabulary
    row  a line of the loop as its factor of each state and what it adds to them
"""

from collections.abc import Sequence
from functools import reduce
from typing import Any

from minigrad.compile.backend import EngineError
from minigrad.compile.jax.source import Source, is_same
from minigrad.compile.kinds import O
from minigrad.compile.numpy.table import behind_time
from minigrad.compile.schedule import Loop
from minigrad.compile.values import Program, Value
from minigrad.fold.linear import FORMS

Row = tuple[str, ...]
ZERO, ONE = "0.0", "1.0"


class NotLinearError(EngineError):
    """A loop that no associative scan computes, or none where one was asked for."""


def require_loop(program: Program, loops: Sequence[Loop]) -> None:
    """Raise NotLinearError where there is nothing to scan, other than for one step."""
    if not loops and all(clock.most != 1 for clock in program.clocks):
        raise NotLinearError(
            'scan="associative" computes the loops of a program over time, and this '
            "one has none: leave scan out, or record the loop as h = "
            '(a * h + b).named("h") in for t, x in mg.steps(xs)'
        )


def combined(one: Any, two: Any) -> Any:
    """Two steps, or runs of them, as one."""
    (a, b), (c, d) = one, two
    k = range(len(b))
    return (
        [[sum(c[i][n] * a[n][j] for n in k) for j in k] for i in k],
        [sum(c[i][n] * b[n] for n in k) + d[i] for i in k],
    )


def applied(row: Row, codes: Sequence[str]) -> str:
    """What a row is of these states."""
    *factors, rest = row
    terms = [f"{a} * {x}" for a, x in zip(factors, codes, strict=True) if a != ZERO]
    return " + ".join([*terms, rest])


class Linear:
    """The lines of one range of a loop as rows; ``lines`` are those of its states."""

    def __init__(self, source: Source, loop: Loop) -> None:
        self.source, self.loop, self.rows = source, loop, dict[Value, Row]()
        self.states = {
            s: v for s, v in source.program.states.items() if s in loop.whole
        }
        lines = {*self.states.values()}
        self.lines = [v for v in loop.body if v in lines]
        if loop.picks or any(abs(s.attrs["delay"]) > 1 for s in self.states):
            raise self._refusal(
                self.lines[0], "its loop reads older ones than the last"
            )
        for v in loop.body:
            self.rows[v] = self._line(v)

    def _refusal(self, v: Value, why: str) -> NotLinearError:
        return NotLinearError(
            f'{v.name or v.op.name}: scan="associative" is for loops that are linear '
            f"in their states, element by element, and {why}; leave scan out, or write "
            "the loop as h = a * h + b"
        )

    def _line(self, v: Value) -> Row:
        operands = self.loop.operands(v)
        inside = [k for k, i in enumerate(operands) if self._is_inside(i)]
        form = FORMS.get(v.op.name)
        may = range(len(operands))[form.linear] if form and form.in_place else ()
        if not {*inside} <= {*may} or (form and form.alone and len(inside) > 1):
            raise self._refusal(v, f"{v.op.name} is not linear in it")
        one = self.lines[0]
        if not v.dtype.startswith("float"):
            raise self._refusal(v, f"{v.op.name} is not of floating point")
        if (v.shape, v.dtype) != (one.shape, one.dtype):
            raise self._refusal(v, f"{v.op.name} has another shape or dtype")
        parts = [
            self._inner(i) if k in inside else self._free(i, len(v.shape))
            for k, i in enumerate(operands)
        ]
        return _row(v.op, parts, inside)

    def _is_inside(self, i: Value) -> bool:
        return i in self.rows or self.loop.carried.get(i, i) in self.states

    def _inner(self, i: Value) -> Row:
        if i in self.rows:
            return self.rows[i]
        own = self.states[self.loop.carried.get(i, i)]
        return (*[ONE if v is own else ZERO for v in self.lines], ZERO)

    def _free(self, i: Value, axes: int) -> Row:
        code = self.source.window(i, self.loop.steps)
        missing = 0 if is_same(i) else axes - len(i.shape)
        return (*[ZERO] * len(self.lines), behind_time(code, missing))


def _row(op: Any, parts: Sequence[Row], inside: Sequence[int]) -> Row:
    """What an op makes of its operands, entry by entry."""
    if op is O.where:
        test = parts[0][-1]
        pairs = zip(parts[1], parts[2], strict=True)
        return tuple(a if a == b else f"jnp.where({test}, {a}, {b})" for a, b in pairs)
    if op is O.negative:
        return tuple(_added(ZERO, "-", a) for a in parts[0])
    if op in (O.multiply, O.divide):
        k = inside[0] if inside else 0  # on some ranges none may be
        sign, factor = "*" if op is O.multiply else "/", parts[1 - k][-1]
        return tuple(_scaled(a, sign, factor) for a in parts[k])
    sign = "-" if op is O.subtract else "+"
    columns = zip(*parts, strict=True)
    return tuple(reduce(lambda a, b: _added(a, sign, b), column) for column in columns)


def _scaled(a: str, sign: str, factor: str) -> str:
    if a == ZERO or (a == ONE and sign == "*"):
        return ZERO if a == ZERO else factor
    return f"({a} {sign} {factor})"


def _added(a: str, sign: str, b: str) -> str:
    if b == ZERO:
        return a
    return (b if sign == "+" else f"(-{b})") if a == ZERO else f"({a} {sign} {b})"
