"""A folded graph: its roles, their sources, and how to unroll it again.

Vocabulary
    role    the nodes that are one line of the program at every step; ``h`` is one role
    span    the steps on which a role or an edge exists, ends counted from the nearer
            end of the sequence: 1, 2, .. from the start, -1, -2, .. from the end
    source  what an operand of a role reads: another role, and how many steps back
    edge    the same seen as an arrow, with the parameters on its path as labels

Nothing here depends on the number of steps, so graphs of two lengths can be equal.

>>> list(Span(2, -1).steps(5))
[2, 3, 4, 5]
"""

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from minigrad.graph import Node, Spec
from minigrad.pickles import NotPickled


class Span(NamedTuple):
    """Steps first, first + every, .. up to last; ``down``: last, last - every, .."""

    first: int
    last: int
    down: bool = False
    every: int = 1

    def steps(self, length: int) -> range:
        """The steps, for a sequence of ``length``.

        >>> list(Span(1, -2, down=True).steps(4)), list(Span(2, -1, every=2).steps(5))
        ([3, 2, 1], [2, 4])
        """
        first, last = (e if e > 0 else length + 1 + e for e in (self.first, self.last))
        if self.down:
            return range(last, first - 1, -self.every)
        return range(first, last + 1, self.every)

    def __str__(self) -> str:
        first, last = (
            str(e) if e > 0 else "T" if e == -1 else f"T-{-1 - e}"
            for e in (self.first, self.last)
        )
        if self.every > 1:
            first = f"{first},{self.first + self.every},"
        return first if first == last else f"{first}..{last}"


class Source(NamedTuple):
    """What an operand reads on some steps (``span``) of its consumer.

    ``kind`` is "delay" (same loop, ``delay`` steps back), "broadcast" (no time, into a
    step), "gather" or "pick" (the steps ``at`` of a loop, or one, into no time or into
    another loop), or "plain" (no time on either side). A gather with a ``delay`` reads
    its own loop and grows: from ``at.first`` to ``delay`` steps back.
    """

    role: int
    kind: str
    delay: int | None = None
    at: Span | None = None
    span: Span | None = None

    @property
    def steps(self) -> str:
        """The steps that are read, in words: t-1, T, 1..t."""
        if self.delay is None:
            return "" if self.at is None else str(self.at)
        back = f"t{-self.delay:+d}" if self.delay else "t"
        if self.at is None:
            return back
        ends = [str(self.at.first), back]
        return "..".join(ends[::-1] if self.at.down else ends)


Operand = tuple[Source, ...]


@dataclass(frozen=True, eq=False)
class Role(NotPickled):
    """One line of the program: what its nodes at all steps have in common.

    An operand of a role with time is one source, or several that hold on different
    spans where it reads across a step. Without time, and where a sum gathers another
    loop, the sources of one operand are read in turn, step by step. A ``PerOperand`` in
    ``attrs`` has an entry for each operand; without time that is a tuple with one for
    each source. ``terms`` are those of the nodes' slots. ``spec`` is that of one of the
    nodes, ``leaf`` the node of a leaf without time; a leaf in a loop has ``values``,
    one for each of its steps. ``ragged`` is how many nodes there are up to the last one
    that has another shape than those after it, 0 where all have one shape.
    """

    _instead: ClassVar[str] = "save the graph with Graph.to_json(), and fold it again"

    index: int
    kind: str
    op: Any
    attrs: dict[str, Any]
    name: str | None
    path: Any
    slot: Any
    clock: int | None
    span: Span | None
    value: Any
    operands: tuple[Operand, ...]
    spec: Spec
    leaf: Node | None
    label: str
    terms: tuple[Any, ...] | None = None
    values: tuple[Any, ...] = ()
    ragged: int = 0

    def __repr__(self) -> str:
        when = "" if self.span is None else f"({self.span})"
        return f"<role {self.label}{when}>"

    @property
    def words(self) -> str:
        """The role in a message: what has no name is told by its op."""
        what, unnamed, _ = self.label.partition("#")
        return f"a {what} without a name" if unnamed else what

    @property
    def sources(self) -> list[Source]:
        """All that it reads."""
        return [source for operand in self.operands for source in operand]

    def said(self) -> tuple[Any, ...]:
        """All that two equal roles agree on."""
        op = self.op and self.op.name
        place = (self.path, self.slot, self.clock, self.span)
        return (self.kind, op, self.attrs, self.name, place, self.value, self.operands)


class Edge(NamedTuple):
    """One arrow of a folded graph; ``labels`` names the parameters on its path.

    One that multiplies transposed is Wᵀ.
    """

    source: Role
    target: Role
    kind: str
    delay: int | None
    span: Span | None
    at: Span | None
    labels: tuple[str, ...]

    def __str__(self) -> str:
        source, target = self.source.label, self.target.label
        span = self.span
        read = Source(0, self.kind, self.delay, self.at).steps
        if self.delay is not None and span is not None and span.first == span.last:
            read = str(Span(span.first - self.delay, span.first - self.delay))
        source += f"({read})" if read else ""
        if span is not None:
            everywhere = (
                span.first != span.last
                and span.every == 1
                and (self.kind == "delay" or span == self.target.span)
            )
            target += "(t)" if everywhere else f"({span})"
        by = f" by {', '.join(self.labels)}" if self.labels else ""
        return f"{source} -> {target}{by}"

    def __repr__(self) -> str:
        return f"<edge {self}>"
