"""The loop program before it is source: one line per role of a folded graph.

Vocabulary
    line     one assignment of the program; with a clock it happens at each step of its
             span, without one it happens once; one that ``reduces`` reads every step of
             its span and has a single value
    reads    what a line's operands are, as the ``Source``s of a recurrence
    count    a number of steps or a position that may depend on the length: a T + b

>>> from minigrad.fold.roles import Span
>>> str(Count.of_end(-2)), str(Count(1, 0) - Count(0, 2))
('T - 1', 'T - 2')
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from minigrad.compile.identifiers import Names
from minigrad.fold import Operand, Recurrence, Role, Source, Span
from minigrad.graph import Graph, Node, Spec


class NotFoldableError(Exception):
    """The lines cannot be put in an order; the program is compiled without folding."""


class Count(NamedTuple):
    """The integer a T + b."""

    a: int
    b: int

    @classmethod
    def of_end(cls, end: int) -> "Count":
        """An end of a span as a step."""
        return cls(0, end) if end > 0 else cls(1, end + 1)

    def __add__(self, other: Any) -> "Count":
        if isinstance(other, int):
            return Count(self.a, self.b + other)
        return Count(self.a + other.a, self.b + other.b)

    def __sub__(self, other: "Count | int") -> "Count":
        if isinstance(other, int):
            return Count(self.a, self.b - other)
        return Count(self.a - other.a, self.b - other.b)

    def at(self, length: int) -> int:
        """The number for a sequence of ``length`` steps."""
        return self.a * length + self.b

    def code(self, length: str = "T") -> str:
        """The number as source, where ``length`` is the name of T."""
        if not self.a:
            return str(self.b)
        times = length if self.a == 1 else f"{self.a} * {length}"
        return times if not self.b else f"{times} {'+-'[self.b < 0]} {abs(self.b)}"

    def __str__(self) -> str:
        return self.code()


class Steps(NamedTuple):
    """Steps first..last of a loop, both included."""

    first: Count
    last: Count

    @classmethod
    def of(cls, span: Span) -> "Steps":
        """A span with its ends as counts."""
        return cls(Count.of_end(span.first), Count.of_end(span.last))

    @property
    def number(self) -> Count:
        """How many steps these are."""
        return self.last - self.first + 1

    def shifted(self, by: int) -> "Steps":
        """All steps moved by a number."""
        return Steps(self.first + by, self.last + by)

    def meet(self, other: "Steps", length: int) -> "Steps | None":
        """The steps in both, as ordered at ``length``; None if there are none."""
        first = max(self.first, other.first, key=lambda c: c.at(length))
        last = min(self.last, other.last, key=lambda c: c.at(length))
        return Steps(first, last) if first.at(length) <= last.at(length) else None


@dataclass(eq=False)
class Line:
    """One assignment of the program; see the module's vocabulary."""

    index: int
    name: str
    kind: str
    op: str
    forward: Any
    attrs: dict[str, Any]
    reads: list[Operand]
    clock: int | None
    steps: Steps | None
    shape: tuple[int, ...]
    dtype: str
    value: Any = None
    leaf: Any = None
    reduces: bool = False
    variadic: bool = False

    @property
    def timed(self) -> bool:
        """Whether it has a value for each step."""
        return self.clock is not None and not self.reduces

    @property
    def span(self) -> Steps:
        """The steps of a line that has some."""
        assert self.steps is not None, f"{self.name} has no time"
        return self.steps

    def sources(self) -> Iterable[Source]:
        """All sources of all operands."""
        return (source for operand in self.reads for source in operand)


@dataclass
class LoopProgram:
    """Lines in an order in which each is defined before a line without time reads it.

    ``lengths`` are the traced ones, by which ends of spans are ordered. ``report``
    collects what each pass did.
    """

    lines: dict[int, Line]
    outputs: list[Operand]
    lengths: tuple[int, ...]
    names: Names
    report: list[tuple[str, int, int, str]] = field(default_factory=list)

    def new(self, like: Line, name: str, **changes: Any) -> Line:
        """A further line, called after what it is, alike but for the changes."""
        index = max(self.lines) + 1
        changes["name"] = self.names.new(f"{name}_{index}", index)
        fields = {f: getattr(like, f) for f in like.__dataclass_fields__}
        line = Line(
            **(fields | {"value": None, "leaf": None} | changes | {"index": index})
        )
        self.lines[index] = line
        return line

    def replace(self, old: int, new: int) -> None:
        """Let every consumer of one line read another one of the same steps."""
        self.replace_all({old: new})

    def replace_all(self, new: dict[int, int]) -> None:
        """Let the consumers of each line read the one that stands for it."""
        for line in self.lines.values():
            line.reads = [renamed(operand, new) for operand in line.reads]
        self.outputs = [renamed(operand, new) for operand in self.outputs]


def renamed(operand: Operand, new: dict[int, int]) -> Operand:
    """An operand that reads other lines in place of some."""
    if not any(source.role in new for source in operand):
        return operand
    return tuple([s._replace(role=new.get(s.role, s.role)) for s in operand])


def loop_program(recurrence: Recurrence) -> LoopProgram:
    """The lines of a folded graph."""
    names = Names()
    lines = {}
    for role in recurrence.roles:
        steps = None if role.span is None else Steps.of(role.span)
        lines[role.index] = Line(
            role.index,
            names.new(role.label.replace("#", "_"), role.index),
            role.kind,
            role.op.name if role.op else "",
            role.op and role.op.forward,
            role.attrs,
            list(role.operands),
            role.clock,
            steps,
            tuple(role.spec.shape),
            role.spec.dtype,
            role.value,
            role.leaf,
            variadic=getattr(role.op, "variadic", False),
        )
    program = LoopProgram(lines, list(recurrence.outputs), recurrence.lengths, names)
    _refuse_gaps(program)
    for line in list(lines.values()):
        if line.timed:
            line.reads = [_summed_before(program, line, o) for o in line.reads]
        elif line.kind == "op" and not line.variadic:
            line.reads = [o for operand in line.reads for o in _apart(program, operand)]
    return program


def _apart(program: LoopProgram, operand: Operand) -> Iterable[Operand]:
    """The operands of a line without time, each alone.

    What it reads of consecutive steps, or several values of one step, is one operand of
    a fold; a sum or a stack has as many as there are steps, any other op has a number.
    """
    at = operand[0].at
    if at is None:
        return [(source,) for source in operand]
    clock = program.lines[operand[0].role].clock
    number = len(at.steps(program.lengths[clock or 0]))
    ends = [at.last - i if at.down else at.first + i for i in range(number)]
    return [
        (source._replace(kind="pick", at=Span(end, end)),)
        for end in ends
        for source in operand
    ]


def _is_whole(line: Line, operand: Operand, length: int) -> bool:
    """Whether an operand has a source at the first and at the last step of its line."""
    spans = [Steps.of(s.span) for s in operand if s.span is not None]
    if len(spans) < len(operand):
        return True
    first = min(span.first.at(length) for span in spans)
    last = max(span.last.at(length) for span in spans)
    return (first, last) == (line.span.first.at(length), line.span.last.at(length))


def _refuse_gaps(program: LoopProgram) -> None:
    """Roles at every k-th step, and gathers that grow, run as straight code.

    So does an op, other than a sum, that lacks an operand at some steps.
    """
    for line in program.lines.values():
        if line.timed and line.op != "add_n":
            length = program.lengths[line.clock or 0]
            if not all(_is_whole(line, operand, length) for operand in line.reads):
                raise NotFoldableError(f"{line.name} lacks an operand at some steps")
        for source in line.sources():
            spans = [s for s in (source.span, source.at) if s is not None]
            if source.kind == "gather" and source.delay is not None:
                raise NotFoldableError(f"{line.name} gathers all steps so far")
            if source.kind == "gather" and line.timed and line.op != "add_n":
                raise NotFoldableError(f"{line.name} gathers all steps at each step")
            if any(span.every > 1 for span in spans):
                raise NotFoldableError(f"{line.name} reads every k-th step")
    operands = [o for x in program.lines.values() if not x.timed for o in x.reads]
    for operand in [*operands, *program.outputs]:
        if len({source.at for source in operand}) > 1:
            raise NotFoldableError("values of several steps are read in turn")


def _summed_before(program: LoopProgram, line: Line, operand: Operand) -> Operand:
    """What a sum in a loop gathers of another loop becomes a sum without time."""
    kept = [s for s in operand if s.kind != "gather"]
    for span in dict.fromkeys(s.span for s in operand if s.kind == "gather"):
        terms = tuple([s._replace(span=None) for s in operand if s.span == span])
        total = program.new(line, "gathered", reads=[terms], clock=None, steps=None)
        kept.append(Source(total.index, "broadcast", span=span))
    return tuple(kept)


def straight_program(graph: Graph) -> LoopProgram:
    """One line per node, for a graph that does not fold: time is ignored."""
    names = Names()
    number = {node: i for i, node in enumerate(graph.nodes)}
    lines = {}
    for node, i in number.items():
        value = node.value if node.kind == "constant" else None
        attrs = dict(node.attrs)
        if node.op and node.op.name == "step":
            attrs["t"] = node.scope.t
        role = Role(
            i, node.kind, node.op, attrs, node.name, (), (), None, None, value,
            (), _spec(node), None, node.name or f"{_what(node)}_{i}",
        )  # fmt: skip
        reads: list[Operand] = [(Source(number[s], "plain"),) for s in node.inputs]
        lines[i] = Line(
            i, names.new(role.label, i), node.kind, node.op.name if node.op else "",
            node.op and node.op.forward, attrs, reads, None, None,
            role.spec.shape, role.spec.dtype, value,
            node if not node.inputs else None,
            variadic=getattr(node.op, "variadic", False),
        )  # fmt: skip
    outputs: list[Operand] = [(Source(number[o], "plain"),) for o in graph.outputs]
    return LoopProgram(lines, outputs, (), names)


def _what(node: Node) -> str:
    return node.op.name if node.op is not None else "c"


def _spec(node: Node) -> Spec:
    value = node.value
    return Spec(
        tuple(getattr(value, "shape", ())),
        str(getattr(value, "dtype", type(value).__name__)),
    )
