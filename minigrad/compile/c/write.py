"""The text of a plan in C: functions of what C has words for, NumPy between them.

Vocabulary
    stretch  parts in a row that C has words for: one C function
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from minigrad.compile.c.abilities import Abilities
from minigrad.compile.c.elements import FLOATS, TYPES
from minigrad.compile.c.lines import (
    COPY,
    TIMES,
    Line,
)
from minigrad.compile.c.ops import Ops, aligned
from minigrad.compile.c.sizes import Size, count, size
from minigrad.compile.c.threads import Unit, together
from minigrad.compile.c.views import UnsayableError, View
from minigrad.compile.kinds import is_view
from minigrad.compile.memory import Fill, Place, Plan
from minigrad.compile.schedule import Loop, Part
from minigrad.compile.values import Leaf, Time, Value


class Writing(Ops):
    """The text of a plan: ``text`` is its Python, ``c_source`` what that calls."""

    def __init__(self, plan: Plan, able: Abilities, threads: int = 1) -> None:
        super().__init__(plan, threads)
        self.able = able
        self.put: set[str] = set()
        self.told: set[Value] = set()  # those that NumPy has a name for
        self.functions: dict[str, str] = {}
        if threads > 1:  # where they meet
            self._array("w.meeting", "int32", (32,))
            self.source.workspace.append("w.meeting = np.zeros(32, 'int32')")

    # Parts.

    def part(self, part: Part, fills: Iterable[Fill]) -> None:
        """A part, in C where it can be said."""
        for fill in fills:
            if self._says_fill(fill):
                where = None if fill.step is None else count(fill.step, self.lengths)
                out = self._placed(Place(fill.buffer), where)
                value = self._untimed(fill.value)
                self._copy(out, aligned(value, out.shape, False, 0))
            else:
                self._told(fill.value)
                self._end_stretch()
                self._fill(fill)
        if self.able.says(part):
            try:
                self._say(part)
            except UnsayableError as error:
                error.part = part
                raise
        elif not self._is_seen(part):
            for v in part.body if isinstance(part, Loop) else (part,):
                for i in part.operands(v) if isinstance(part, Loop) else v.inputs:
                    self._told(i)
            self._end_stretch()
            super().part(part, ())
            if not isinstance(part, Loop):
                self.told.add(part)

    def ended(self) -> None:
        """The last stretch."""
        for o in self.program.outputs:
            self._told(o)
        self._end_stretch()
        made = self.source.workspace
        for dtype, elements in self.pads.items():
            each = self.threads * elements
            made.append(f"w.pad_{FLOATS[dtype]} = empty({each}, '{dtype}')")
        for code, slot in self.slots.items():
            if code.startswith("w.") or code in self.constants:
                made.append(f"w.give({slot}, {code})")

    @property
    def c_source(self) -> str:
        """All C functions."""
        pads = [
            f"#define PAD_SIZE_{FLOATS[dtype]} {elements} /* of each thread */"
            for dtype, elements in self.pads.items() if self.threads > 1
        ]  # fmt: skip
        return "\n\n".join([*pads, *self.products.values(), *self.functions.values()])

    def _says_fill(self, fill: Fill) -> bool:
        return (
            not fill.buffer.bound
            and fill.value.dtype in TYPES
            and fill.buffer.dtype in TYPES
            and self._is_known(fill.value)
        )

    def _is_known(self, v: Value) -> bool:
        try:
            self._untimed(v)
        except UnsayableError:
            return False
        return True

    def _is_seen(self, part: Part) -> bool:
        """Whether a part needs no line: a view, or a look at a buffer."""
        if isinstance(part, Loop):
            return False
        if isinstance(part.op, Leaf):
            return True
        if part.steps is not None:
            given = part.op is Time.read and not part.attrs["down"]
            return given or part not in self.plan.roots
        return part.op in (Time.over, Time.at) or (
            is_view(part)
            and part.inputs[0].dtype in TYPES
            and self._as_view(part) is not None
        )

    def _told(self, v: Value) -> None:
        """Write for NumPy what C sees as a view of another array."""
        if v.steps is not None:
            place = self.plan.places.get(v)
            if v.op is Time.each:
                self._told(v.inputs[0])
            elif place is not None and place.buffer.source is not None:
                self._told(place.buffer.source)
            return
        if v in self.told or v in self.held or isinstance(v.op, Leaf):
            return
        self.told.add(v)
        if is_view(v) or v.op in (Time.over, Time.at):
            for i in v.inputs:
                self._told(i)
            if is_view(v) or v.inputs[0] not in self.plan.places:
                self._end_stretch()
                self._straight(v)

    # A stretch.

    def _end_stretch(self) -> None:
        """Make a function of the lines so far, and call it."""
        self._end_nest()
        if not self.code:
            return
        unit = together(self.code, self.threads)
        words = set(re.findall(r"[A-Za-z_]\w*", "\n".join(unit.lines)))
        head = []
        for code, slot in self.slots.items():
            name = self.c_names[code]
            if name not in words:
                continue
            head.append(f"{self.types[name]} *{name} = p[{slot}];")
            if name in self.foreign and name not in self.put:
                self.put.add(name)
                given = self.foreign[name]
                self.run.append(f"if {given} is not w.held[{slot}]:")
                self.run.append(f"    w.give({slot}, {given})")
        name = f"part_{len(self.functions)}"
        team = [f"ptrdiff_t {n}" for n in ("me", "all")] if self.threads > 1 else []
        takes = ", ".join(
            ["void **p", *[f"ptrdiff_t {n}" for n in self.lengths], *team]
        )
        gives = ["p", *self.lengths, *(["me", "all"] if team else [])]
        body = "".join(f"    {line}\n" for line in [*head, *unit.lines])
        self.functions[name] = (
            f"static int {name}_({takes}) {{\n    int wrong = 0;\n{body}"
            f"    return wrong;\n}}\n\n"
            f"int {name}({takes}) {{\n"
            f"    uint64_t before = flush_on();\n"
            f"    int wrong = {name}_({', '.join(gives)});\n"
            f"    flush_back(before);\n    return wrong;\n}}"
        )
        given = ", ".join(["w.table", *self.lengths])
        call = f"{name}({given}{', 0, 1' if team else ''})"
        if unit.split:
            call = f"run_in_threads({name}, {self.threads}, {given})"
        self.run += [f"if {call}:", "    return None"]
        self.code = []

    # Lines.

    def _say(self, part: Part) -> None:
        if isinstance(part, Loop):
            self._loop(part)
            return
        if part.steps is None:
            self._untimed_line(part)
        elif part in self.plan.roots:
            self._batch(part)

    def _untimed_line(self, v: Value) -> None:
        if isinstance(v.op, Leaf) or self._is_seen(v):
            return
        inputs = [
            self._untimed(i) if i.steps is None else self._at(i, i.span)
            for i in v.inputs
        ]
        self._hold(v)
        out = self._untimed(v)
        assert isinstance(out, View)
        if v.op is Time.total and v.inputs[0].op is Time.each:
            number = {"number": count(v.inputs[0].span.number, self.lengths)}
            given = [aligned(i, out.shape, False, 0) for i in inputs]
            self._add(Line(v, TIMES, number, out, given, [None]))
            return
        self._line(v, v.inputs, inputs, out, [])

    def _batch(self, v: Value) -> None:
        """All steps of a value."""
        steps = v.span
        if v.op is Time.read:
            if v.attrs["down"]:
                self._read_down(v)
            return
        if v.op is Time.splice:
            for p in v.inputs:
                out, x = self._over(v, p.span), self._at(p, p.span)
                self._copy(out, aligned(x, out.shape, p.op is not Time.each, 1))
            return
        inputs = [self._at(i, steps) for i in v.inputs]
        number = count(steps.number, self.lengths)
        self._line(v, v.inputs, inputs, self._over(v, steps), [number])

    def _read_down(self, v: Value) -> None:
        xs = self._untimed(v.inputs[0])
        assert isinstance(xs, View)
        end = count(self.plan.end(v.span.clock), self.lengths)
        # Step t reads entry T - t + offset.
        first = end - count(v.span.first, self.lengths) + v.attrs["offset"]
        out = self._over(v, v.span)
        found = replace(
            xs, shape=out.shape, offset=xs.offset + xs.strides[0] * first,
            strides=(xs.strides[0] * -1, *xs.strides[1:]),
        )  # fmt: skip
        self._copy(out, found)

    def _loop(self, loop: Loop) -> None:
        self._end_nest()
        outside, self.code = self.code, []
        self.before = outside
        first, last = (
            count(c, self.lengths) for c in (loop.steps.first, loop.steps.last)
        )
        t: Size = first if loop.steps.first == loop.steps.last else size("t")
        for v in loop.body:
            if v not in self.plan.roots:
                continue
            operands = loop.operands(v)
            inputs = [self._at(i, t) for i in operands]
            out = self._placed(self.plan.places[v], t)
            if v.op is Time.splice:
                if inputs[0] != out:
                    self._add(Line(v, COPY, {}, out, inputs, operands))
            else:
                self._line(v, operands, inputs, out, [])
        self._end_nest()
        units, self.code, self.before = self.code, outside, None
        if loop.steps.first == loop.steps.last:
            self.code += units
            return
        body, split = together(units, self.threads)
        head = f"for (ptrdiff_t t = {first}; t <= {last}; t++) {{"
        if loop.direction < 0:
            head = f"for (ptrdiff_t t = {last}; t >= {first}; t--) {{"
        lines = [head, *[f"    {line}" for line in body], "}"]
        self.code.append(Unit(lines, split))

    # Results.

    def _result(self, v: Value, i: int) -> str:
        if v not in self.held:
            return super()._result(v, i)
        name = self.source.names[v]
        fresh = not name.startswith("w.") and v not in self.program.outputs[:i]
        return name if fresh else f"np.array({name})"
