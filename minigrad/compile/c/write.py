"""The text of a plan in C: functions of what C has words for, NumPy between them.

Vocabulary
    stretch  parts in a row that C has words for: one C function
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from minigrad.compile import kernels
from minigrad.compile.c.abilities import Abilities
from minigrad.compile.c.arrays import Arrays
from minigrad.compile.c.elements import FLOATS, TYPES
from minigrad.compile.c.gathers import added, picked, picks_rows, pieces, zeros
from minigrad.compile.c.lines import (
    COPY,
    REDUCES,
    ROW_OPS,
    SHARE,
    SOFT,
    TIMES,
    Line,
    Number,
    Operand,
    is_flat,
)
from minigrad.compile.c.nests import Nest
from minigrad.compile.c.products import matrices, pack, product
from minigrad.compile.c.reductions import counted, reduced
from minigrad.compile.c.sizes import Size, count, size
from minigrad.compile.c.sizes import product as number_of
from minigrad.compile.c.threads import ELEMENTS, Unit, together, worth
from minigrad.compile.c.views import UnsayableError, View
from minigrad.compile.kinds import ALONG, PRODUCTS, O, is_view
from minigrad.compile.memory import Fill, Place, Plan
from minigrad.compile.schedule import Loop, Part
from minigrad.compile.values import Leaf, Time, Value

# Elements that a packed factor may have more than the factor: a vector a row.
VECTOR = {"float32": 16, "float64": 8}
DEEP = 128  # of products.h


class Writing(Arrays):
    """The text of a plan: ``text`` is its Python, ``c_source`` what that calls."""

    def __init__(self, plan: Plan, able: Abilities, threads: int = 1) -> None:
        super().__init__(plan)
        self.threads = threads
        self.able = able
        self.put: set[str] = set()
        self.told: set[Value] = set()  # those that NumPy has a name for
        self.panels: dict[View, str] = {}
        self.code: list[Unit] = []
        self.nest = Nest()
        self.functions: dict[str, str] = {}
        self.products: dict[str, str] = {}  # name -> function, one for each shape
        self.pads: dict[str, int] = {}
        self.before: list[Unit] | None = None  # what runs before the loop
        self.readers = _readers(plan)
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
                self._copy(out, _aligned(value, out.shape, False, 0))
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

    def _add(self, line: Line) -> None:
        if not self.nest.accepts(line):
            self._end_nest()
            taken = self.nest.accepts(line)
            assert taken, "a nest of one line"

    def _copy(self, out: View, x: Operand) -> None:
        self._add(Line(None, COPY, {}, out, [x], [None]))

    def _end_nest(self) -> None:
        if self.nest.lines:
            values = self.nest.values
            split = self.threads > 1 and self.nest.divides
            split = split and worth(self.nest.work, ELEMENTS)
            lines = self.nest.text(
                self.names, lambda line: line.value is not None
                and self.readers.get(line.value, {None}) <= values, split,
            )  # fmt: skip
            self.code.append(Unit(lines, split))
        self.nest = Nest()

    def _lines(self, lines: list[str]) -> None:
        self._end_nest()
        self.code.append(Unit(lines))

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
        inputs = [self._look_at(i) for i in v.inputs]
        self._hold(v)
        out = self._untimed(v)
        assert isinstance(out, View)
        if v.op is Time.total and v.inputs[0].op is Time.each:
            number = {"number": count(v.inputs[0].span.number, self.lengths)}
            given = [_aligned(i, out.shape, False, 0) for i in inputs]
            self._add(Line(v, TIMES, number, out, given, [None]))
            return
        self._line(v, v.inputs, inputs, out, [])

    def _look_at(self, i: Value) -> Operand:
        if i.steps is None:
            return self._untimed(i)
        if i.op is Time.each:  # of a total
            found = self._untimed(i.inputs[0])
            return found
        return self._over(i, i.span)

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
                self._copy(out, _aligned(x, out.shape, p.op is not Time.each, 1))
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

    def _line(
        self, v: Value, operands: Sequence[Value], inputs: list[Operand], out: View,
        front: list[Size],
    ) -> None:  # fmt: skip
        """One value at a step, or with an axis of steps in ``front``."""
        op, attrs = v.op, v.attrs
        timed = [i.op is not Time.each and bool(front) for i in operands]
        if op in PRODUCTS:
            self._product(v, operands, inputs, out, front)
        elif op is kernels.share:
            many, few = (number_of(self._sizes(i.shape)) for i in v.inputs[::-1])
            given = [_aligned(inputs[0], out.shape, timed[0], len(front))]
            share = {"many": many, "few": few}
            self._add(Line(v, SHARE, share, out, given, operands[:1]))
        elif picks_rows(v):
            self._lines(self._picks(v, inputs, out, front, timed))
        elif op in SOFT and self._axes(v) != [len(v.inputs[0].shape) - 1]:
            self._turned(v, inputs[0], out, front)
        elif is_flat(op):
            given = [
                _aligned(i, out.shape, own, len(front))
                for i, own in zip(inputs, timed, strict=True)
            ]
            self._add(Line(v, op, attrs, out, given, operands))
        elif op in ROW_OPS and (op not in REDUCES or self._of_rows(v, inputs[0])):
            self._rows(v, operands, inputs, out, timed)
        elif op is kernels.number_kept:
            self._lines(counted(inputs[0], out, attrs, len(front)))
        elif (
            op is kernels.column_sums
            or op in REDUCES
            or op is O.min
            or (op is Time.total)
        ):
            self._lines(self._reduction(v, inputs[0], out, front))
        elif op in (O.concatenate, O.stack):
            self._join(v, inputs, out, front, timed)
        elif op is O.flip:
            self._flip(v, inputs[0], out, front)
        else:  # a view that needs a copy
            assert isinstance(inputs[0], View), repr(v)
            x = inputs[0]
            into = out
            if op is O.reshape or op in (O.squeeze, O.expand_dims):
                into = out.reshaped(x.shape)
            else:
                x = self._viewed(x, v, front)
            self._add(Line(v, COPY, {}, into, [x], [None]))

    def _of_rows(self, v: Value, x: Operand) -> bool:
        """Whether a reduction is along the last axis alone."""
        return self._axes(v) == [len(v.inputs[0].shape) - 1]

    def _axes(self, v: Value) -> list[int]:
        axis, ndim = v.attrs.get("axis", ALONG.get(v.op)), len(v.inputs[0].shape)
        if axis is None:
            return list(range(ndim))
        return sorted(a % ndim for a in (axis if isinstance(axis, tuple) else (axis,)))

    def _turned(self, v: Value, x: Operand, out: View, front: list[Size]) -> None:
        """softmax and its like along an axis that is not the last one."""
        assert isinstance(x, View)
        (axis,) = self._axes(v)
        n = len(front)
        order = [*range(n + axis), *range(n + axis + 1, len(x.shape)), n + axis]
        if len(out.shape) == len(x.shape):
            out = out.transposed(order)
        line = Line(None, v.op, v.attrs, out, [x.transposed(order)], [None])
        self._add(line)

    def _picks(
        self, v: Value, inputs: list[Operand], out: View, front: list[Size],
        timed: list[bool],
    ) -> list[str]:  # fmt: skip
        views = [i for i in inputs if isinstance(i, View)]
        assert len(views) == len(inputs)
        if v.op is not O.scatter_n:
            x, index = views
            if front and not timed[1]:
                index = index.broadcast((*front, *index.shape))
            return picked(x, index, out, len(front), timed[0])
        lines = zeros(out)
        for piece, index in pieces(v, views):
            lines += added(out, index, piece)
        return lines

    def _rows(
        self, v: Value, operands: Sequence[Value], inputs: list[Operand], out: View,
        timed: list[bool],
    ) -> None:  # fmt: skip
        """A line about rows: each operand has a row, or an element a row."""
        front = len(out.shape) - len(v.shape)
        rank = len(v.inputs[0].shape)
        shape = [*out.shape[:front], *self._sizes(v.inputs[0].shape)]
        outer, width = tuple(shape[:-1]), shape[-1]
        given: list[Operand] = []
        for k, (i, source) in enumerate(zip(inputs, v.inputs, strict=True)):
            if isinstance(i, View):
                wanted = (*outer, size(1)) if len(source.shape) == rank else outer
                wanted = wanted if k else (*outer, width)
                i = _aligned(i, wanted, timed[k], front)
            given.append(i)
        self._add(Line(v, v.op, v.attrs, out, given, operands))

    def _reduction(
        self, v: Value, x: Operand, out: View, front: list[Size]
    ) -> list[str]:
        assert isinstance(x, View)
        if v.op is kernels.column_sums:
            return reduced(x, out, [len(front)], "sum")
        if v.op is Time.total:
            return reduced(x, out, [0], "sum")
        axes = [a + len(front) for a in self._axes(v)]
        return reduced(x, out, axes, v.op.name)

    def _join(
        self, v: Value, inputs: list[Operand], out: View, front: list[Size],
        timed: list[bool],
    ) -> None:  # fmt: skip
        """Operands that are not in their place of it already are copied there."""
        n, whole = len(front), slice(None)
        if v.op is O.concatenate:
            keys = self.plan.copied(v)
        else:
            axis = v.attrs.get("axis", 0) % len(v.shape)
            keys = [(k, (*[whole] * axis, k)) for k in range(len(inputs))]
        for k, key in keys:
            into = out.key((*[whole] * n, *key))
            self._copy(into, _aligned(inputs[k], into.shape, timed[k], n))

    def _flip(self, v: Value, x: Operand, out: View, front: list[Size]) -> None:
        assert isinstance(x, View)
        axes = self._axes(v)
        back, whole = slice(None, None, -1), slice(None)
        key = [back if a in axes else whole for a in range(len(v.shape))]
        turned = x.key((*[whole] * len(front), *key))
        self._copy(out, turned)

    def _product(
        self, v: Value, operands: Sequence[Value], inputs: list[Operand], out: View,
        front: list[Size],
    ) -> None:  # fmt: skip
        a, b = inputs
        if not isinstance(a, View) or not isinstance(b, View):
            raise UnsayableError("a product with a number")
        ranks = [len(i.shape) for i in v.inputs]
        if front:
            n, most = len(front), max(ranks)
            a, b = (
                _insert(x, n, most - r if r > 1 else 0) if i.op is not Time.each else x
                for x, i, r in zip((a, b), operands, ranks, strict=True)
            )
        self._end_nest()
        a, b, out = matrices(a, b, out, ranks)
        self.code += product(
            a, b, out, self._packed, self._pad, self.products, self.threads
        )

    def _packed(self, b: View) -> tuple[str, list[str]]:
        """Panels of a right factor, and the lines that make them here and now."""
        k, n = (x.number for x in b.shape)
        assert k is not None
        assert n is not None
        if b.array not in self.lasting:
            panels = self._pad(b.dtype, k, n)
            return panels, [pack(b, b.pointer, panels)]
        if b not in self.panels:
            wide = VECTOR[b.dtype]
            form = f"{k * (-(-n // wide) * wide)}, '{b.dtype}'"
            code = self.source.allocate(f"{b.array}_packed", form)
            self.panels[b] = self._array(code, b.dtype, (size(1),)).array
            before = self.code if self.before is None else self.before
            before.append(Unit([pack(b, b.pointer, self.panels[b])]))
        return self.panels[b], []

    def _pad(self, dtype: str, k: int, n: int, long: bool = False) -> str:
        """Memory for a factor on its way."""
        wide = -(-n // VECTOR[dtype]) * VECTOR[dtype]
        needed = (DEEP if long else k) * wide
        self.pads[dtype] = max(self.pads.get(dtype, 0), needed)
        pad = self._array(f"w.pad_{FLOATS[dtype]}", dtype, (size(1),)).array
        # Each thread has its own.
        return (
            f"{pad} + me * PAD_SIZE_{FLOATS[dtype]}"
            if long and self.threads > 1
            else pad
        )

    # Results.

    def _result(self, v: Value, i: int) -> str:
        if v not in self.held:
            return super()._result(v, i)
        name = self.source.names[v]
        fresh = not name.startswith("w.") and v not in self.program.outputs[:i]
        return name if fresh else f"np.array({name})"


def _insert(x: View, at: int, number: int) -> View:
    """A view with axes of one element put in."""
    ones, zeros = [size(1)] * number, [size(0)] * number
    return replace(
        x, shape=(*x.shape[:at], *ones, *x.shape[at:]),
        strides=(*x.strides[:at], *zeros, *x.strides[at:]),
    )  # fmt: skip


def _aligned(i: Operand, shape: Sequence[Size], timed: bool, front: int) -> Operand:
    """An operand broadcast to a shape, whose axes in front are steps."""
    if isinstance(i, Number):
        return i
    if timed:
        i = _insert(i, front, len(shape) - len(i.shape))
    return i.broadcast(shape)


def _readers(plan: Plan) -> dict[Value, set[Value | None]]:
    """Who reads each value; None where that is not a line: an output, a later step."""
    reads: dict[Value, set[Value]] = {}
    for v in plan.program.values:
        for i in v.inputs:
            reads.setdefault(i, set()).add(v)
    readers: dict[Value, set[Value | None]] = {v: {*r} for v, r in reads.items()}
    for part in plan.parts:
        if isinstance(part, Loop):
            for line in part.body:
                for i in part.operands(line):
                    readers.setdefault(i, set()).add(line)
    for part in plan.parts:
        if isinstance(part, Loop):
            # On these steps it is another line, which was counted above.
            for v in part.same:
                if reads.get(v, set()) <= part.whole:
                    for i in v.inputs:
                        readers[i].discard(v)
    for v in (*plan.program.outputs, *plan.program.states.values()):
        readers.setdefault(v, set()).add(None)
    return readers
