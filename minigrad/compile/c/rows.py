"""The loops of a nest over rows: see ``nests`` for the words.

What needs a row whole, its sum or its largest element, ends a phase; what a later phase
reads of an earlier one is held in memory, a row's scratch where nobody else reads it.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from minigrad.compile import kernels
from minigrad.compile.c import elements
from minigrad.compile.c.lines import (
    REDUCES,
    ROW_OPS,
    SCRATCH,
    SOFT,
    Line,
    Names,
    Number,
    Text,
    computed,
    level,
    loops,
    views_of,
)
from minigrad.compile.c.sizes import Size, size
from minigrad.compile.c.views import View, nested, view
from minigrad.compile.kinds import O
from minigrad.compile.values import Value


class Rows(Text):
    """Rows: code of a row, and statements of the loop over its elements that waits."""

    def __init__(
        self, lines: Sequence[Line], names: Names, local: set[Value | None],
        outer: tuple[Size, ...], width: Size,
    ) -> None:  # fmt: skip
        super().__init__(lines, names, local)
        self.outer, self.width = outer, width
        self.code: list[str] = []
        self.waiting: list[str] = []
        self.phase = 0
        self.made_in: dict[Value, int] = {}  # the phase of an element's variable
        self.held: dict[Value, View] = {}  # where an earlier phase is found
        self.levels = {line.value: self._level(line) for line in lines if line.value}
        self.across: set[Value | None] = set()
        self.ends: set[Line] = set()
        self._plan_phases()

    def _level(self, line: Line) -> str:
        if line.op in REDUCES or line.op in (O.logsumexp, kernels.losses):
            return "row"
        return level(line.out.shape, self.outer, self.width)

    def _plan_phases(self) -> None:
        """Where the loop that waits must end, and whose elements outlive their loop."""
        phase, made = 0, dict[Value, int]()
        reads, writes = set[str](), set[str]()
        for line in self.lines:
            inner = self._level(line) == "inner"
            own = [s for s in line.sources if s is not None and s in made]
            known = {s for s in line.sources if s is not None and s in self.levels}
            memory = {
                i.array
                for i, s in zip(line.inputs, line.sources, strict=True)
                if isinstance(i, View) and s not in known
            }
            whole = [s for s in line.sources[:1] if s in own and line.op in ROW_OPS]
            if line.op in ROW_OPS or not inner:
                stored = {line.out.array} if self.is_stored(line) else set()
                if (
                    any(made[s] == phase for s in whole if s) or memory & writes
                    or stored & (reads | writes) or (writes and line.op in SOFT)
                ):  # fmt: skip
                    self.ends.add(line)
                    phase, reads, writes = phase + 1, set(), set()
            self.across.update(s for s in own if made[s] != phase or s in whole)
            if inner and line.value is not None:
                made[line.value] = phase
            if inner:
                reads |= memory
                writes.add(line.out.array)
            if inner and (line.op is kernels.gradient or line.op in SOFT):
                self.across.add(line.value)
                phase, reads, writes = phase + 1, set(), set()

    def text(self, split: bool) -> list[str]:
        """The nest of loops; with ``split`` threads divide it."""
        seen = list[View]()
        for line in self.lines:
            seen += [line.out, *views_of(line.inputs)]
        self.sizes, strides = nested(self.outer, [self._outer_of(v) for v in seen])
        self.indices = [f"r{d or ''}" for d in range(len(self.sizes))]
        self.places: dict[tuple[str, Any, Any, Any], list[Size]] = {}
        for v, own in zip(seen, strides, strict=True):
            self.places[v.array, v.shape, v.strides, v.offset] = own
        for line in self.lines:
            self._write(line)
        self._end_phase()
        return (
            loops(self.sizes, self.indices, self.code, "", split)
            if self.sizes
            else (["{", *[f"    {line}" for line in self.code], "}"])
        )

    def _outer_of(self, v: View) -> View:
        """A view without the axis of a row."""
        missing = len(self.outer) + 1 - len(v.shape)
        if missing > 0 and v.shape != self.outer:
            v = v.broadcast((*[size(1)] * missing, *v.shape))
        if v.shape == self.outer:
            return v
        return replace(v, shape=v.shape[:-1], strides=v.strides[:-1]).broadcast(
            self.outer
        )

    # Elements.

    def _row(self, v: View) -> View:
        """The row of a view: one axis, that of the row."""
        own = self.places[v.array, v.shape, v.strides, v.offset]
        offset = v.offset
        for i, stride in zip(self.indices, own, strict=True):
            offset = offset + stride * size(i)
        last = v.strides[-1] if v.shape and v.shape != self.outer else size(0)
        if v.shape and v.shape[-1] == 1 and self.width != 1:
            last = size(0)
        return View(v.array, v.dtype, (self.width,), (last,), offset)

    def _operand(self, line: Line, k: int, index: str = "j") -> str:
        """An operand of a line, as a variable, a number or an element."""
        i, source = line.inputs[k], line.sources[k]
        if isinstance(i, Number):
            return i.code
        if source is not None and source in self.variables:
            row_level = self.levels[source] == "row"
            if row_level or (index == "j" and self.made_in.get(source) == self.phase):
                return self.variables[source]
            return self.held[source].element([index])
        return self._row(i).element([index])

    def _whole(self, line: Line, k: int) -> View:
        """An operand as a row in memory."""
        i, source = line.inputs[k], line.sources[k]
        assert isinstance(i, View)
        if source is not None and source in self.variables:
            return self.held[source]
        return self._row(i)

    def _end_phase(self) -> None:
        if self.waiting:
            self.code += loops([self.width], ["j"], self.waiting)
        self.waiting = []
        self.phase += 1

    def _element(self, line: Line, made: str) -> str:
        """Compute an element of a row in the loop that waits."""
        name = self.variable(line)
        kind = elements.TYPES[line.out.dtype]
        self.waiting.append(f"{kind} {name} = {made};")
        if line.value is not None:
            self.made_in[line.value] = self.phase
        stored = self.is_stored(line)
        if stored:
            row = self._row(line.out)
            self.waiting.append(f"{row.element(['j'])} = {name};")
        if line.value is not None and line.value in self.across:
            if not stored:
                row = self._scratch(line, name)
                self.waiting.append(f"{row.element(['j'])} = {name};")
            self.held[line.value] = row
        return name

    def _scratch(self, line: Line, name: str) -> View:
        """Memory for a row that is read in another phase, and by nobody outside."""
        width = self.width.number
        if width is None or width > SCRATCH:
            return self._row(line.out)
        array = self.names.new(f"{name}_row")
        self.code.append(f"{elements.TYPES[line.out.dtype]} {array}[{width}];")
        return view(array, line.out.dtype, (width,))

    def _scalar(self, line: Line, made: str) -> str:
        """Compute what there is one of in a row."""
        name = self.variable(line)
        self.code.append(f"{elements.TYPES[line.out.dtype]} {name} = {made};")
        if self.is_stored(line):
            self.code.append(f"{self._row(line.out).element(['0'])} = {name};")
        return name

    # Ops.

    def _write(self, line: Line) -> None:
        if line in self.ends:
            self._end_phase()
        special = {
            kernels.shift: self._shift,
            kernels.losses: self._losses,
            kernels.gradient: self._gradient,
        }.get(line.op)
        if special is not None:
            special(line)
        elif line.op in SOFT:
            self._soft(line)
        elif line.op in REDUCES:
            self._reduce(line)
        else:
            inner = self._level(line) == "inner"
            index = "j" if inner else "0"
            codes = [self._operand(line, k, index) for k in range(len(line.inputs))]
            made = computed(line, codes)
            self._element(line, made) if inner else self._scalar(line, made)

    def _reduced(self, kind: str, row: View) -> str:
        """A row's sum or largest element."""
        end = elements.FLOATS[row.dtype]
        if row.strides[0] == 1 or self.width == 1:
            return f"{end}_{kind}({row.pointer}, {self.width})"
        return f"{end}_{kind}_apart({row.pointer}, {row.strides[0]}, {self.width})"

    def _reduce(self, line: Line) -> None:
        made = self._reduced(REDUCES[line.op], self._whole(line, 0))
        if line.op is O.mean:
            made = f"{made} / {self.width.divisor}"
        self._scalar(line, made)

    def _top(self, line: Line) -> tuple[View, str]:
        """A row, and a variable with its largest element."""
        row = self._whole(line, 0)
        top = self.names.new("top")
        kind = elements.TYPES[row.dtype]
        self.code.append(f"{kind} {top} = {self._reduced('row_max', row)};")
        return row, top

    def _shift(self, line: Line) -> None:
        row, top = self._top(line)
        self._element(line, f"{row.element(['j'])} - {top}")

    def _soft(self, line: Line) -> None:
        """softmax, log_softmax and logsumexp of a row, from its exponentials."""
        row, top = self._top(line)
        kind, end = elements.TYPES[row.dtype], elements.FLOATS[row.dtype]
        inner = line.op is not O.logsumexp
        out = self._row(line.out) if inner else None
        total = self.names.new("total")
        if line.op is O.softmax:
            assert out is not None
            e = out
        else:
            width = self.width.number
            assert width is not None
            e = view(self.names.new("e_row"), row.dtype, (width,))
            self.code.append(f"{kind} {e.array}[{width}];")
            if line.op is O.logsumexp:
                # Of infinite elements alone: nothing is subtracted.
                self.code.append(f"if (!isfinite({top})) {top} = 0;")
        made = f"exp_{end}({row.element(['j'])} - {top})"
        self.code += loops([self.width], ["j"], [f"{e.element(['j'])} = {made};"])
        self.code.append(f"{kind} {total} = {self._reduced('row_sum', e)};")
        if line.op is O.logsumexp:
            self._scalar(line, f"{top} + log_{end}({total})")
            return
        if line.op is O.softmax:
            self._element(line, f"{e.element(['j'])} / {total}")
        else:
            logs = self.names.new("log_total")
            self.code.append(f"{kind} {logs} = log_{end}({total});")
            self._element(line, f"{row.element(['j'])} - {top} - {logs}")
        if line.value is not None:
            self.held.setdefault(line.value, self._row(line.out))
        self._end_phase()

    def _class(self, line: Line) -> tuple[str, str]:
        """A variable with the class number of a row, and whether it is not ignored."""
        name = self.names.new("target")
        given = self._operand(line, 2, "0")
        ignored = line.attrs.get("ignore_index", -100)
        kept = f"{name} != {ignored}"
        self.code += [
            f"int64_t {name} = {given};",
            f"if ({kept} && (uint64_t){name} >= {self.width}) {{",
            "    wrong = 1;",
            f"    {name} = {ignored};",
            "}",
        ]
        return name, kept

    def _losses(self, line: Line) -> None:
        z = self._whole(line, 0)
        name, kept = self._class(line)
        end = elements.FLOATS[z.dtype]
        log = f"log_{end}({self._operand(line, 1, '0')})"
        self._scalar(line, f"{kept} ? {log} - {z.element([name])} : 0")

    def _gradient(self, line: Line) -> None:
        name, kept = self._class(line)
        weight, ratio = self.names.new("weight"), self.names.new("ratio")
        kind = elements.TYPES[line.out.dtype]
        given = line.inputs[3]
        code = elements.cast(self._operand(line, 3, "0"), given.dtype, line.out.dtype)
        self.code.append(f"{kind} {weight} = {code};")
        self.code.append(f"{kind} {ratio} = {weight} / {self._operand(line, 1, '0')};")
        self._element(line, f"{kept} ? {self._operand(line, 0)} * {ratio} : 0")
        assert line.value is not None
        self.held.setdefault(line.value, self._row(line.out))
        self._end_phase()
        picked = self.held[line.value].element([name])
        self.code.append(f"if ({kept}) {picked} -= {weight};")
