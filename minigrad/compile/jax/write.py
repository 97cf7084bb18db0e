"""The text of a program: one function ``run`` of lengths and arrays, to be jitted.

Values without time are a line each. A timed value that does not depend on itself is
computed for all its steps at once: what acts along no axis of time as it is, all else
by ``vmap``. A ``Loop`` is a ``lax.scan``, see ``loop``.
"""

from dataclasses import replace
from typing import Any

from minigrad.compile import kernels
from minigrad.compile.jax.loop import Scans
from minigrad.compile.jax.source import Source, is_same
from minigrad.compile.kinds import PRODUCTS, O, is_elementwise
from minigrad.compile.numpy.table import behind_time, over_steps
from minigrad.compile.schedule import Loop, Part, schedule
from minigrad.compile.spec import end_of
from minigrad.compile.values import Leaf, Program, Time, Value, moves


class Writing:
    """Writes the parts of a program in their order."""

    def __init__(self, program: Program, scan: str) -> None:
        self.program, self.source = program, Source(program)
        self.parts = schedule(program)
        self.scans = Scans(self.source, self.parts, scan)

    def text(self) -> tuple[str, dict[str, Any]]:
        """The source, and the names that it refers to."""
        s, program = self.source, self.program
        given = [*s.lengths, *s.names.values()]
        for part in self.parts:
            self._part(part)
        results = "".join(f"{s.untimed(o)}, " for o in program.outputs).rstrip()
        body = "".join(f"    {line}\n" for line in s.run)
        head = "import jax.numpy as jnp\nfrom jax import lax, nn, vmap\n\n\n"
        text = f"{head}def run({', '.join(given)}):\n{body}    return ({results})\n"
        return text, s.namespace

    def _part(self, part: Part) -> None:
        if isinstance(part, Loop):
            self.scans.write(part)
        elif not isinstance(part.op, Leaf) and part.op not in (Time.each, Time.shift):
            code = self._untimed(part) if part.steps is None else self._timed(part)
            if code.isidentifier():
                self.source.names[part] = code
            else:
                self.source.run.append(f"{self.source.name(part)} = {code}")

    def _untimed(self, v: Value) -> str:
        s = self.source
        if not isinstance(v.op, Time):
            return s.call(v, [s.untimed(i) for i in v.inputs])
        (h,) = v.inputs
        if v.op is Time.at:
            return s.element(h, v.attrs["step"])
        if v.op is Time.over:
            return s.wide(h)
        return f"jnp.sum({s.wide(h)}, 0, '{s.dtype(v)}')"

    def _timed(self, v: Value) -> str:
        s = self.source
        if v.op is Time.read:
            return self._read(v)
        if v.op is Time.splice:
            return f"jnp.concatenate([{', '.join(map(s.wide, v.inputs))}])"
        codes = [s.window(i, v.span) for i in v.inputs]
        timed = [not is_same(i) for i in v.inputs]
        axes = [len(i.shape) for i in v.inputs]
        missing = [(len(v.shape) - n) * t for n, t in zip(axes, timed, strict=True)]
        if any(timed) and is_elementwise(v.op) and not v.call.variadic:
            return s.call(v, [*map(behind_time, codes, missing)])
        rows = v.op in PRODUCTS and axes == [2, 2] and timed == [True, False]
        if rows or (v.op is O.embedding and timed == [False, True]):
            return s.call(v, codes)
        alone = all(timed) and not moves(v.attrs) and v.op is not kernels.gradient
        form = over_steps(v, v.span.number) if alone else None
        if form is not None:
            if v.op is O.broadcast_to:
                codes = [*map(behind_time, codes, missing)]
            return s.call(replace(v, op=form[0], attrs=form[1]), codes)
        return self._mapped(v, codes, timed)

    def _read(self, v: Value) -> str:
        """The rows of an array, downwards those of the last steps first."""
        s, (xs,), offset = self.source, v.inputs, v.attrs["offset"]
        low, high = v.span.first.plus(offset - 1), v.span.last.plus(offset)
        if v.attrs["down"]:
            end = end_of(v.span.clock, self.program)
            low = end.minus(v.span.last).plus(offset)
            high = end.minus(v.span.first).plus(offset + 1)
        whole = not low.a and not low.b and xs.shape[0] == (high if high.a else high.b)
        rows = "" if whole else f"[{s.literal(low)}:{s.literal(high)}]"
        return f"{s.untimed(xs)}{rows}{'[::-1]' * v.attrs['down']}"

    def _mapped(self, v: Value, codes: list[str], timed: list[bool]) -> str:
        """One step of v, mapped over all of them."""
        s, inner, over = self.source, list(codes), dict[str, str]()
        for i, (code, is_timed) in enumerate(zip(codes, timed, strict=True)):
            if is_timed:
                inner[i] = over.setdefault(code, f"a{len(over)}")
        if moves(v.attrs) or not over:
            first, after = s.literal(v.span.first), s.literal(v.span.last.plus(1))
            over[f"jnp.arange({first}, {after})"] = "t"
        step = s.call(v, inner, v.span.clock)
        function, _, rest = step.partition("(")
        if rest != f"{', '.join(over.values())})":
            function = f"lambda {', '.join(over.values())}: {step}"
        return f"vmap({function})({', '.join(over)})"
