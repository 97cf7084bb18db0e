"""Lines, and what their loops are written with.

Vocabulary
    line    one value computed: where its elements go, and those of its operands are
    local   a value that nobody outside of a nest reads: a variable, no memory

>>> loops([size(2), size("T")], ["i", "j"], ["x[i] += j;"], "")[:2]
['for (ptrdiff_t i = 0; i < 2; i++) {', '    for (ptrdiff_t j = 0; j < T; j++) {']
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from minigrad.compile import kernels
from minigrad.compile.c import elements
from minigrad.compile.c.sizes import Size, size
from minigrad.compile.c.threads import begin, end
from minigrad.compile.c.views import View
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
        self.numbers: dict[str, int] = {}  # from which on one is looked for

    def new(self, base: str) -> str:
        """A name that is not taken."""
        base = base if base.isidentifier() and base.isascii() else "v"
        base = f"v_{base}_" if RESERVED.fullmatch(base) else base
        name, k = base, self.numbers.get(base, 2)
        while name in self.taken:
            name, k = f"{base}_{k}", k + 1
        self.numbers[base] = k
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
# Reductions of a row, and their functions.
REDUCES = {O.sum: "row_sum", O.mean: "row_sum", O.max: "row_max"}
SOFT = frozenset([O.softmax, O.log_softmax, O.logsumexp])
ROW_OPS = frozenset([*REDUCES, *SOFT, kernels.shift, kernels.losses, kernels.gradient])
# An operand as it is, as often as there are steps, and as a share of many.
COPY, TIMES, SHARE = "copy", "times", "share"
# A row's scratch is at most as many elements; a longer one is kept in its own memory.
SCRATCH = 4096
# Variables of loops, the outermost first.
INDICES = ["i", "j", "k", "m", "n", *[f"i{d}" for d in range(5, 64)]]


def is_flat(op: Any) -> bool:
    """Whether an op acts on each element alone."""
    return op in (COPY, TIMES, SHARE) or is_elementwise(op)


class Text:
    """What flat nests and rows share."""

    def __init__(
        self, lines: Sequence[Line], names: Names, local: set[Value | None]
    ) -> None:
        self.lines, self.names, self.local = lines, names, local
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


def views_of(inputs: Sequence[Operand]) -> Iterator[View]:
    """Operands that lie in memory."""
    return (i for i in inputs if isinstance(i, View))


def level(shape: tuple[Size, ...], outer: tuple[Size, ...], width: Size) -> str:
    """Whether a line has elements in a row, or one a row; "" for neither."""
    if shape == (*outer, width):
        return "inner"
    return "row" if shape in (outer, (*outer, size(1))) else ""
