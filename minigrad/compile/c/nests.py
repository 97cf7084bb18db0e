"""Loops over elements: lines that visit the same elements share one nest of them.

Vocabulary
    flat    a nest whose lines act on each element alone, all of one shape
    rows    a nest over rows: lines act on a row's elements, on the row as a whole (its
            sum, its largest), or on what there is one of in each row
    phase   a loop over the elements of a row; what needs the row whole ends one

>>> from minigrad.compile.c.views import view
>>> from minigrad.compile.kinds import O
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

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from minigrad.compile.c import elements
from minigrad.compile.c.lines import (
    INDICES,
    ROW_OPS,
    Line,
    Names,
    Number,
    Text,
    computed,
    level,
    loops,
)
from minigrad.compile.c.rows import Rows
from minigrad.compile.c.sizes import Size, size
from minigrad.compile.c.views import View, nested
from minigrad.compile.values import Value


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
            fits = not self.lines or (rows[1] != 1 and level(self.shape, *rows))
            return rows if fits else None
        if self.outer is not None:
            fits = level(shape, self.outer, self.width)
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
            return _Flat(self.lines, inner, local).text(split)
        return Rows(self.lines, inner, local, self.outer, self.width).text(split)

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


def _same(a: View, b: View) -> bool:
    """Whether two views visit the same elements in the same order."""
    if a.offset != b.offset:
        return False
    if a.shape == b.shape:
        return a.strides == b.strides
    short, long = sorted((a, b), key=lambda v: len(v.shape))
    padded = short.shape == long.shape[:-1] and long.shape[-1] == 1
    return padded and short.strides == long.strides[:-1]


class _Flat(Text):
    def text(self, split: bool) -> list[str]:
        seen: list[View] = []
        known: set[Value | None] = set()
        for line in self.lines:
            if self.is_stored(line):
                seen.append(line.out)
            seen += [
                i
                for i, source in zip(line.inputs, line.sources, strict=True)
                if isinstance(i, View) and (source is None or source not in known)
            ]
            known.add(line.value)
        sizes, strides = nested(self.lines[0].out.shape, seen)
        at = iter(strides)

        def element(v: View) -> str:
            flat = replace(v, shape=tuple(sizes), strides=tuple(next(at)))
            return flat.element(INDICES[: len(sizes)])

        body: list[str] = []
        for line in self.lines:
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
        return loops(sizes, INDICES[: len(sizes)], body, split=split)
