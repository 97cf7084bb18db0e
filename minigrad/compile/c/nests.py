"""Loops over elements: lines that visit the same elements share one nest of them.

Vocabulary
    line    one value computed: where its elements go, and those of its operands are
    flat    a nest whose lines act on each element alone, all of one shape
    rows    a nest over rows: lines act on a row's elements, on the row as a whole (its
            sum, its largest), or on what there is one of in each row
    phase   a loop over the elements of a row; what needs the row whole ends one
    local   a value that nobody outside of the nest reads: a variable, no memory

>>> x, y = view("x", "float32", (3, 4)), view("y", "float32", (3, 4))
>>> nest = Nest()
>>> nest.accepts(Line(None, O.tanh, {}, y, [x], [None]))
True
>>> print("\\n".join(nest.text(Names(), lambda line: False)))
EACH for (ptrdiff_t i = 0; i < 12; i++) {
    float v = tanh_f(x[i]);
    y[i] = v;
}
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from minigrad.compile import kernels
from minigrad.compile.c import elements
from minigrad.compile.c.sizes import Size, size
from minigrad.compile.c.threads import begin, end
from minigrad.compile.c.views import View, nested, view
from minigrad.compile.kinds import O, is_elementwise
from minigrad.compile.values import Value


class Number(NamedTuple):
    """An operand that is a number: its text, and its dtype."""

    code: str
    dtype: str


Operand = View | Number


@dataclass(eq=False)
class Line:
    """``value`` by ``op`` from ``inputs``; ``sources`` are the values that they are."""

    value: Value | None
    op: Any
    attrs: Mapping[str, Any]
    out: View
    inputs: Sequence[Operand]
    sources: Sequence[Value | None]


class Names:
    """C names of variables, each once."""

    def __init__(self) -> None:
        self.taken: set[str] = {*KEYWORDS, *elements.FUNCTIONS}

    def new(self, base: str) -> str:
        """A name that is not taken."""
        base = base if base.isidentifier() and base.isascii() else "v"
        base = f"v_{base}_" if RESERVED.fullmatch(base) else base
        name, k = base, 2
        while name in self.taken:
            name, k = f"{base}_{k}", k + 1
        self.taken.add(name)
        return name


KEYWORDS = frozenset(
    """auto break case char const continue default do double else enum extern float for
    goto if inline int long register restrict return short signed sizeof static
    struct switch typedef union unsigned void volatile while asm typeof linux unix
    i j k m n p t wrong me all before row target kept y0 y1 yn j0 j1 jn gamma index main
    int32_t int64_t uint32_t uint64_t ptrdiff_t size_t double_t float_t""".split()  # noqa: SIM905 - a list of them reads worse
)
# Other loop variables; what the headers declare, and macros.
RESERVED = re.compile(r"[rq]\d*|i\d+|[fd]_\w+|\w+_[fd]|_\w*|M_\w+|[A-Z]{2}[A-Z_0-9]*")
# Row reductions, and what they begin with where a row does not lie in one piece.
SUMS = {O.sum: "sum", O.mean: "sum", kernels.column_sums: "sum"}
REDUCES = {O.sum: "row_sum", O.mean: "row_sum", O.max: "row_max"}
SOFT = frozenset([O.softmax, O.log_softmax, O.logsumexp])
ROW_OPS = frozenset([*REDUCES, *SOFT, kernels.shift, kernels.losses, kernels.gradient])
# An operand as it is, as often as there are steps, and as a share of many.
COPY, TIMES, SHARE = "copy", "times", "share"
# A row's scratch is at most as many elements; a longer one is kept in its own memory.
SCRATCH = 4096


def is_flat(op: Any) -> bool:
    """Whether an op acts on each element alone."""
    return op in (COPY, TIMES, SHARE) or is_elementwise(op)


@dataclass
class Nest:
    """Lines that run in one nest of loops."""

    lines: list[Line] = field(default_factory=list)
    shape: tuple[Size, ...] = ()  # of all lines, while the nest is flat
    outer: tuple[Size, ...] | None = None  # of the rows
    width: Size = field(default_factory=lambda: size(0))

    # What may join.

    def accepts(self, line: Line) -> bool:
        """Take a line in, if its elements are visited here in the right order."""
        rows = self._rows_with(line)
        if rows is None or any(self._disturbs(line, other) for other in self.lines):
            return False
        if not all(self._is_at_hand(*read) for read in self._reads_here(line)):
            return False
        self.outer, self.width = rows
        if not self.lines:
            self.shape = line.out.shape
        self.lines.append(line)
        return True

    def _rows_with(self, line: Line) -> tuple[tuple[Size, ...] | None, Size] | None:
        """Outer shape and width of the rows with one more line; None if it differs."""
        shape = line.out.shape
        if self.outer is not None and self.width == 1:
            return None  # one element a row, or one of each row: it cannot be told
        if line.op in ROW_OPS:
            first = line.inputs[0]
            assert isinstance(first, View)
            rows = first.shape[:-1], first.shape[-1]
            if rows[1] == 1 and self.values.intersection(line.sources):
                return None  # a row, or what there is one of in each: it looks alike
            if self.outer is not None:
                return rows if rows == (self.outer, self.width) else None
            fits = not self.lines or (rows[1] != 1 and _level(self.shape, *rows))
            return rows if fits else None
        if self.outer is not None:
            fits = _level(shape, self.outer, self.width)
            return (self.outer, self.width) if fits else None
        if not self.lines or shape == self.shape:
            return None, size(0)
        for long, short in ((self.shape, shape), (shape, self.shape)):
            narrow = not long or long[-1] == 1
            if not narrow and short in (long[:-1], (*long[:-1], size(1))):
                return long[:-1], long[-1]
        return None

    def _disturbs(self, line: Line, other: Line) -> bool:
        """Whether one writes what the other visits elsewhere, or in another order."""
        here = self.values | {line.value}
        for a, b in ((line, other), (other, line)):
            seen = [b.out] + [
                i
                for i, source in zip(b.inputs, b.sources, strict=True)
                if isinstance(i, View) and (source is None or source not in here)
            ]
            if any(v.array == a.out.array and not _same(v, a.out) for v in seen):
                return True
        return False

    def _reads_here(self, line: Line) -> Iterator[tuple[View, View]]:
        """What a line reads of values that are computed here: as it, and they, lie."""
        made = {other.value: other.out for other in self.lines}
        for i, source in zip(line.inputs, line.sources, strict=True):
            if isinstance(i, View) and source is not None and source in made:
                yield i, made[source]

    @staticmethod
    def _is_at_hand(read: View, made: View) -> bool:
        """Whether what is read is the element just computed, also as one a row."""
        if _same(read, made):
            return True
        still = read.offset == made.offset and read.strides[-1:] == (size(0),)
        one_a_row = (read.shape[:-1], (*read.shape[:-1], size(1)))
        strides = made.strides[: len(read.shape) - 1]
        return still and made.shape in one_a_row and strides == read.strides[:-1]

    # The text.

    def text(
        self, names: Names, is_local: Callable[[Line], bool], split: bool = False
    ) -> list[str]:
        """The nest of loops; with ``split`` threads divide it."""
        local: set[Value | None] = {
            line.value for line in self.lines if line.value and is_local(line)
        }
        inner = Names()
        inner.taken |= names.taken
        if self.outer is None:
            return _Flat(self, inner, local).text(split)
        return _Rows(self, inner, local, self.outer, self.width).text(split)

    @property
    def work(self) -> tuple[Size, ...]:
        """The sizes of all that is visited."""
        return self.shape if self.outer is None else (*self.outer, self.width)

    @property
    def divides(self) -> bool:
        """Whether threads may divide it: not where one number serves all."""
        return bool([n for n in self.outer or self.work if n != 1])

    @property
    def values(self) -> set[Value]:
        """The values that are computed here."""
        return {line.value for line in self.lines if line.value is not None}


def _level(shape: tuple[Size, ...], outer: tuple[Size, ...], width: Size) -> str:
    """Whether a line has elements in a row, or one a row; "" for neither."""
    if shape == (*outer, width):
        return "inner"
    return "row" if shape in (outer, (*outer, size(1))) else ""


def _same(a: View, b: View) -> bool:
    """Whether two views visit the same elements in the same order."""
    if a.offset != b.offset:
        return False
    if a.shape == b.shape:
        return a.strides == b.strides
    short, long = sorted((a, b), key=lambda v: len(v.shape))
    padded = short.shape == long.shape[:-1] and long.shape[-1] == 1
    return padded and short.strides == long.strides[:-1]


class _Text:
    """What flat nests and rows share."""

    def __init__(self, nest: Nest, names: Names, local: set[Value | None]) -> None:
        self.nest, self.names, self.local = nest, names, local
        self.variables: dict[Value, str] = {}

    def variable(self, line: Line) -> str:
        """A new variable for an element of a line."""
        value = line.value
        base = "v" if value is None else value.name or value.op.name
        name = self.names.new(base)
        if value is not None:
            self.variables[value] = name
        return name

    def is_stored(self, line: Line) -> bool:
        """Whether somebody outside reads what a line computes."""
        return line.value is None or line.value not in self.local


def computed(line: Line, codes: Sequence[str]) -> str:
    """The expression of an element."""
    dtypes = [i.dtype for i in line.inputs]
    kind = line.out.dtype
    if line.op is COPY:
        return elements.cast(codes[0], dtypes[0], kind)
    if line.op is TIMES:
        return f"{codes[0]} * ({line.attrs['number']})"
    if line.op is SHARE:
        many, few = line.attrs["many"], line.attrs["few"]
        return f"{codes[0]} / (({elements.TYPES[kind]})({many}) / ({few}))"
    return elements.expression(line.op, codes, dtypes, kind)


def loops(
    sizes: Sequence[Size], indices: Sequence[str], body: list[str], each: str = "EACH ",
    split: bool = False,
) -> list[str]:  # fmt: skip
    """A nest of loops around a body; the elements of the innermost stand alone.

    With ``split`` threads divide the outermost.
    """
    lines = body
    for depth, (n, i) in enumerate(zip(sizes[::-1], indices[::-1], strict=True)):
        each = each if not depth else ""
        outermost = split and depth == len(sizes) - 1
        first, last = (begin(n), end(n)) if outermost else (0, n)
        head = f"{each}for (ptrdiff_t {i} = {first}; {i} < {last}; {i}++) {{"
        lines = [head, *[f"    {line}" for line in lines], "}"]
    return lines


class _Flat(_Text):
    def text(self, split: bool) -> list[str]:
        nest = self.nest
        seen: list[View] = []
        known: set[Value | None] = set()
        for line in nest.lines:
            if self.is_stored(line):
                seen.append(line.out)
            seen += [
                i
                for i, source in zip(line.inputs, line.sources, strict=True)
                if isinstance(i, View) and (source is None or source not in known)
            ]
            known.add(line.value)
        sizes, strides = nested(nest.shape, seen)
        indices = ["i", "j", "k", "m", "n", *[f"i{d}" for d in range(5, 32)]]
        at = iter(strides)

        def element(v: View) -> str:
            flat = replace(v, shape=tuple(sizes), strides=tuple(next(at)))
            return flat.element(indices[: len(sizes)])

        body: list[str] = []
        for line in nest.lines:
            stored = element(line.out) if self.is_stored(line) else ""
            codes = []
            for i, source in zip(line.inputs, line.sources, strict=True):
                if isinstance(i, Number):
                    codes.append(i.code)
                elif source is not None and source in self.variables:
                    codes.append(self.variables[source])
                else:
                    codes.append(element(i))
            made = computed(line, codes)
            name = self.variable(line)
            body.append(f"{elements.TYPES[line.out.dtype]} {name} = {made};")
            if stored:
                body.append(f"{stored} = {name};")
        if not sizes:
            return ["{", *[f"    {line}" for line in body], "}"]
        return loops(sizes, indices[: len(sizes)], body, split=split)


def _views(inputs: Sequence[Operand]) -> Iterator[View]:
    return (i for i in inputs if isinstance(i, View))


class _Rows(_Text):
    """Rows: code of a row, and statements of the loop over its elements that waits."""

    def __init__(
        self, nest: Nest, names: Names, local: set[Value | None],
        outer: tuple[Size, ...], width: Size,
    ) -> None:  # fmt: skip
        super().__init__(nest, names, local)
        self.outer, self.width = outer, width
        self.code: list[str] = []
        self.waiting: list[str] = []
        self.phase = 0
        self.made_in: dict[Value, int] = {}  # the phase of an element's variable
        self.held: dict[Value, View] = {}  # where an earlier phase is found
        self.levels = {
            line.value: self._level(line) for line in nest.lines if line.value
        }
        self.across: set[Value | None] = set()
        self.ends: set[Line] = set()
        self._plan_phases()

    def _level(self, line: Line) -> str:
        if line.op in REDUCES or line.op in (O.logsumexp, kernels.losses):
            return "row"
        return _level(line.out.shape, self.outer, self.width)

    def _plan_phases(self) -> None:
        """Where the loop that waits must end, and whose elements outlive their loop."""
        phase, made = 0, dict[Value, int]()
        reads, writes = set[str](), set[str]()
        for line in self.nest.lines:
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
        seen = list[View]()
        for line in self.nest.lines:
            seen += [line.out, *_views(line.inputs)]
        self.sizes, strides = nested(self.outer, [self._outer_of(v) for v in seen])
        self.indices = [f"r{d or ''}" for d in range(len(self.sizes))]
        self.places: dict[tuple[str, Any, Any, Any], list[Size]] = {}
        for v, own in zip(seen, strides, strict=True):
            self.places[v.array, v.shape, v.strides, v.offset] = own
        for line in self.nest.lines:
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
        kept = f"{name} != {line.attrs.get('ignore_index', -100)}"
        self.code.append(f"int64_t {name} = {given};")
        ignored = line.attrs.get("ignore_index", -100)
        self.code += [
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
