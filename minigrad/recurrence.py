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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from minigrad.ahead import at_step
from minigrad.graph import Graph, Leaf, Node, Spec, same_value
from minigrad.pickles import NotPickled
from minigrad.scope import ROOT, Clock, Scope


class Span(NamedTuple):
    """Steps first..last of a loop; ``down`` walks them from last to first."""

    first: int
    last: int
    down: bool = False

    def steps(self, length: int) -> range:
        """The steps, for a sequence of ``length``.

        >>> list(Span(1, -2, down=True).steps(4))
        [3, 2, 1]
        """
        first, last = (e if e > 0 else length + 1 + e for e in (self.first, self.last))
        return range(last, first - 1, -1) if self.down else range(first, last + 1)

    def __str__(self) -> str:
        first, last = (
            str(e) if e > 0 else "T" if e == -1 else f"T-{-1 - e}"
            for e in (self.first, self.last)
        )
        return first if first == last else f"{first}..{last}"


class Source(NamedTuple):
    """What an operand reads on some steps (``span``) of its consumer.

    ``kind`` is "delay" (same loop, ``delay`` steps back), "broadcast" (no time, into a
    step), "gather" or "pick" (the steps ``at`` of a loop, or one, into no time or into
    another loop), or "plain" (no time on either side).
    """

    role: int
    kind: str
    delay: int | None = None
    at: Span | None = None
    span: Span | None = None


Operand = tuple[Source, ...]


@dataclass(frozen=True, eq=False)
class Role(NotPickled):
    """One line of the program: what its nodes at all steps have in common.

    An operand of a role with time is one source, or several that hold on different
    spans where it reads across a step; without time, and where a sum gathers another
    loop, the sources of one operand are read in turn, step by step. ``spec`` and
    ``leaf`` are those of one of the nodes.
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

    def __repr__(self) -> str:
        when = "" if self.span is None else f"({self.span})"
        return f"<role {self.label}{when}>"

    def said(self) -> tuple[Any, ...]:
        """All that two equal roles agree on."""
        op = self.op and self.op.name
        place = (self.path, self.slot, self.clock, self.span)
        return (self.kind, op, self.attrs, self.name, place, self.value, self.operands)


class Edge(NamedTuple):
    """One arrow of a folded graph; ``labels`` names the parameters on its path."""

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
        if self.kind == "delay" and self.delay is not None:
            if span is not None and span.first == span.last:
                source += f"({Span(span.first - self.delay, span.first - self.delay)})"
            else:
                source += f"(t{-self.delay:+d})" if self.delay else "(t)"
        elif self.at is not None:
            source += f"({self.at})"
        if span is not None:
            everywhere = span.first != span.last and (
                self.kind == "delay" or span == self.target.span
            )
            target += "(t)" if everywhere else f"({span})"
        by = f" by {', '.join(self.labels)}" if self.labels else ""
        return f"{source} -> {target}{by}"

    def __repr__(self) -> str:
        return f"<edge {self}>"


@dataclass(frozen=True, eq=False)
class Recurrence(NotPickled):
    """Roles and outputs of a folded graph, and the ``lengths`` its loops had.

    Two are equal when their roles and outputs are, whatever their lengths.
    """

    _instead: ClassVar[str] = "save the graph with Graph.to_json(), and fold it again"

    roles: tuple[Role, ...]
    outputs: tuple[Operand, ...]
    lengths: tuple[int, ...]

    def __repr__(self) -> str:
        steps = ", ".join(map(str, self.lengths)) or "no"
        lines = [f"<Recurrence: {len(self.roles)} roles, {steps} steps>"]
        return "\n  ".join([*lines, *map(str, self.edges[:20])])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recurrence) and self.difference(other) is None

    def __hash__(self) -> int:
        return hash((len(self.roles), self.outputs))

    def difference(self, other: "Recurrence") -> str | None:
        """The first difference in words, or None."""
        for a, b in zip(self.roles, other.roles, strict=False):
            if not same_value(a.said(), b.said()):
                return f"{a.label}: {a.said()} / {b.label}: {b.said()}"
        if len(self.roles) != len(other.roles):
            return f"{len(self.roles)} roles / {len(other.roles)} roles"
        return None if self.outputs == other.outputs else "the outputs differ"

    @property
    def edges(self) -> list[Edge]:
        """The arrows, without those from parameters; parallel ones are one."""
        merged: dict[tuple[int, Source], list[str]] = {}
        for role in self.roles:
            via = role.attrs.get("via", ())
            read = [s for operand in role.operands for s in operand]
            names = [
                self.roles[s.role].label
                for s in read
                if self.roles[s.role].kind == "parameter"
            ]
            for i, operand in enumerate(role.operands):
                for column, source in enumerate(operand):
                    if self.roles[source.role].kind == "parameter":
                        continue
                    labels = merged.setdefault((role.index, source), [])
                    by = via[i] if via and role.span else via[i][column] if via else ()
                    for k in by:
                        labels += [] if names[k] in labels else [names[k]]
        return [
            Edge(
                self.roles[s.role],
                self.roles[target],
                *s[1:3],
                s.span,
                s.at,
                (*letters,),
            )
            for (target, s), letters in merged.items()
        ]

    def unfold(self, steps: int | Sequence[int]) -> Graph:
        """The unrolled graph for ``steps`` steps, or for one number per loop.

        Parameters and constants are the folded graph's own nodes; results are not
        computed, their nodes hold a ``Spec``.
        """
        lengths = [steps] * len(self.lengths) if isinstance(steps, int) else list(steps)
        if len(lengths) != len(self.lengths) or min(lengths, default=1) < 1:
            raise ValueError(
                f"the graph has {len(self.lengths)} loops over time, each needs a "
                f"number of steps of at least 1; got {steps}"
            )
        return _Unrolling(self, lengths).graph()


Instance = tuple[int, int | None]  # a role at a step


class _Unrolling:
    """One unrolling of a recurrence: makes each role's node at each of its steps."""

    def __init__(self, recurrence: Recurrence, lengths: list[int]) -> None:
        self.roles = recurrence.roles
        self.outputs = recurrence.outputs
        self.lengths = lengths
        self.same = tuple(lengths) == recurrence.lengths
        self.clocks = [Clock(n) for n in lengths]
        self.scopes: dict[Any, Scope] = {}
        self.nodes: dict[Instance, Node] = {}

    def graph(self) -> Graph:
        for role in self.roles:
            if role.leaf is not None:
                self.nodes[role.index, None] = self._leaf(role, role.leaf)
        wanted = [i for operand in self.outputs for i, _ in self._in_turn(operand)]
        stack = wanted[::-1]
        while stack:
            index, t = stack[-1]
            if stack[-1] in self.nodes:
                stack.pop()
                continue
            reads, attrs = self._reads(self.roles[index], t)
            missing = [read for read in reads if read not in self.nodes]
            if missing:
                stack.extend(reversed(missing))
            else:
                stack.pop()
                inputs = tuple([self.nodes[read] for read in reads])
                self.nodes[index, t] = self._node(self.roles[index], t, inputs, attrs)
        return Graph([self.nodes[w] for w in wanted])

    def _leaf(self, role: Role, leaf: Node) -> Node:
        # An input's shape may depend on the length, so another length gets another one.
        if role.kind != "input" or self.same:
            return leaf
        return Leaf("input", role.spec, role.name, ROOT, role.slot[1])

    def _node(
        self, role: Role, t: int | None, inputs: tuple[Node, ...], attrs: Any
    ) -> Node:
        key = (role.path, role.clock, t)
        scope = self.scopes.get(key)
        if scope is None:
            time = (
                None
                if t is None or role.clock is None
                else (self.clocks[role.clock], t)
            )
            scope = self.scopes[key] = Scope(role.path, time, t)
        slot = _nested(role.slot)
        if role.op is None:
            value = role.value if role.kind == "constant" else role.spec
            return Leaf(role.kind, value, role.name, scope, slot)
        return Node(role.op, inputs, attrs, role.spec, scope, slot, role.name)

    def _reads(self, role: Role, t: int | None) -> tuple[list[Instance], Any]:
        """What a role's node at step t has as inputs, and its attributes."""
        clock = role.clock
        names = tuple(ALIGNED) if t is None else ("via", "places")
        aligned: dict[str, list[Any]] = {k: [] for k in names if k in role.attrs}
        reads: list[Instance] = []
        for i, operand in enumerate(role.operands):
            if t is None:
                found = list(self._in_turn(operand))
            else:
                here = tuple(
                    [s for s in operand if s.span and t in self._steps(s.span, clock)]
                )
                if here and here[0].kind == "gather":
                    found = list(self._in_turn(here))
                else:
                    found = [(self._instance(s, t), 0) for s in here]
            reads += [instance for instance, _ in found]
            for name, values in aligned.items():
                for (_, step), column in found:
                    value = role.attrs[name][i]
                    if t is None:
                        other = self.roles[operand[column].role].clock
                        value = at_step(
                            value[column], step or 0, self.lengths[other or 0]
                        )
                    if value is not None:
                        values.append(value)
        attrs = role.attrs
        if t is not None and attrs:
            attrs = at_step(attrs, t, self.lengths[clock or 0])
        if aligned:
            attrs = attrs | {k: tuple(v) for k, v in aligned.items()}
        return reads, attrs

    def _in_turn(self, operand: Operand) -> Iterator[tuple[Instance, int]]:
        """The instances that a consumer without time reads, and of which source."""
        first = operand[0]
        if first.at is None:
            for column, source in enumerate(operand):
                yield (source.role, None), column
            return
        for t in self._steps(first.at, self.roles[first.role].clock):
            for column, source in enumerate(operand):
                yield self._checked(source.role, t), column

    def _instance(self, source: Source, t: int) -> Instance:
        if source.delay is not None:
            return self._checked(source.role, t - source.delay)
        if source.at is not None:
            (step,) = self._steps(source.at, self.roles[source.role].clock)
            return self._checked(source.role, step)
        return source.role, None

    def _checked(self, index: int, t: int) -> Instance:
        role = self.roles[index]
        if role.span is None or t not in self._steps(role.span, role.clock):
            raise ValueError(
                f"{role.label} does not exist at step {t} of {self.lengths}: the graph "
                "unfolds to the length it was folded from, or to longer ones"
            )
        return index, t

    def _steps(self, span: Span, clock: int | None) -> range:
        return span.steps(self.lengths[clock or 0])


# Attributes with one entry per input, and the input that the first one is for.
ALIGNED = {"keys": 1, "via": 0, "places": 0}


def _nested(slot: Any) -> Any:
    """A place's slot, (base, (argument, k, run), ..), as the slot of a node."""
    base, *rules = slot
    for argument, k, run in rules:
        base = (base, argument, k, run)
    return base
