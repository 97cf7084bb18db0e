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

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from minigrad.ahead import at_step, numbers
from minigrad.graph import Graph, Leaf, Node, PerOperand, Spec, same_value
from minigrad.pickles import NotPickled
from minigrad.scope import ROOT, Clock, Run, Scope, Slot


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
        return back if self.at is None else f"{self.at.first}..{back}"


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
    one for each of its steps.
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
        read = Source(0, self.kind, self.delay, self.at).steps
        if self.delay is not None and span is not None and span.first == span.last:
            read = str(Span(span.first - self.delay, span.first - self.delay))
        source += f"({read})" if read else ""
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
            letters: list[str] = []
            read: list[tuple[Source, tuple[int, ...]]] = []
            via = role.attrs.get("via", (None,) * len(role.operands))
            for operand, by in zip(role.operands, via, strict=True):
                for column, source in enumerate(operand):
                    numbers = by[column] if by and role.span is None else by
                    if numbers is None and self.roles[source.role].kind == "parameter":
                        letters.append(self.roles[source.role].label)
                    else:
                        read.append((source, numbers or ()))
            for source, numbers in read:
                labels = merged.setdefault((role.index, source), [])
                for k in numbers:
                    labels += [] if letters[k] in labels else [letters[k]]
        return [
            Edge(
                self.roles[s.role],
                self.roles[target],
                *s[1:3],
                s.span,
                s.at,
                (*labels,),
            )
            for (target, s), labels in merged.items()
        ]

    def unfold(self, steps: int | Sequence[int]) -> Graph:
        """The unrolled graph for ``steps`` steps, or for one number per loop.

        Parameters and constants are the folded graph's own nodes; results are not
        computed, their nodes hold a ``Spec``. Raises ValueError where the folded graph
        is too short to tell how another length looks: of 2 D + 2 steps on, D the
        longest delay, its ends and its middle are known, with a gradient of 2 D + 4.
        """
        lengths = [steps] * len(self.lengths) if isinstance(steps, int) else list(steps)
        if len(lengths) != len(self.lengths) or min(lengths, default=1) < 1:
            raise ValueError(
                f"the graph has {len(self.lengths)} loops over time, each needs a "
                f"number of steps of at least 1; got {steps}"
            )
        for clock, (mine, other) in enumerate(zip(self.lengths, lengths, strict=True)):
            delay = max(1, self._longest_delay(clock))
            # A gradient comes back through the steps that the values have gone.
            least = 2 * delay + (4 if self._has_gradient(clock) else 2)
            if mine != other and mine < least:
                raise ValueError(
                    f"a graph of {mine} steps with a delay of {delay} does not tell "
                    f"how one of {other} steps begins and ends: fold one of at least "
                    f"{least} steps"
                )
        if tuple(lengths) != self.lengths:
            self._require_known(lengths)
        return _Unrolling(self, lengths).graph()

    def _require_known(self, lengths: Sequence[int]) -> None:
        """Raise for what a graph of one length does not tell of another.

        Steps that are read one by one, or every k-th from an end or other; and a number
        that may be the step, of what is at one step alone.
        """
        for role in self.roles:
            steps = role.span.steps(self.lengths[role.clock or 0]) if role.span else ()
            if "via" in role.attrs:
                continue  # of a named value: these are no numbers of the program
            if len(steps) == 1 < self.lengths[role.clock or 0]:
                alike = {steps[0], steps[0] - 1}.intersection(numbers(role.attrs))
                if alike:
                    raise ValueError(
                        f"{role.label} is at step {steps[0]} alone, and its number "
                        f"{min(alike)} may be that step: let all steps have it"
                    )
        read = [self.outputs, *(r.operands for r in self.roles if r.span is None)]
        for operands in read:
            for source in (s for o in operands for s in o if s.at is not None):
                role, at = self.roles[source.role], source.at
                clock, every = role.clock or 0, at.every if at else 1
                known = role.span is not None and role.span.every == every
                if not known and (lengths[clock] - self.lengths[clock]) % every:
                    raise ValueError(
                        f"{role.label} is read at every {every}-th step: a graph of "
                        f"{self.lengths[clock]} steps does not tell at which of "
                        f"{lengths[clock]}; take a number that is {every} further on"
                    )
            picked = Counter(s.role for o in operands for s in o if s.kind == "pick")
            for index, number in picked.items():
                if number > FEW:
                    raise ValueError(
                        f"{number} steps of {self.roles[index].label} are read one by "
                        "one, which does not tell what is read at another length: "
                        "stack them in the order of the steps"
                    )

    def _has_gradient(self, clock: int) -> bool:
        """Whether a gradient was recorded in a loop."""
        return any(
            len(rule) == 3
            for r in self.roles
            if r.clock == clock
            for rule in r.slot[1:]
        )

    def _longest_delay(self, clock: int) -> int:
        """The longest delay within a loop, also between a value and its gradient."""
        delays = [0]
        for role in self.roles:
            if role.clock == clock:
                delays += [abs(s.delay or 0) for o in role.operands for s in o]
                for _, _, run in (rule for rule in role.slot[1:] if len(rule) == 3):
                    # Asked for in another loop: no length tells how another looks.
                    delays += [r if isinstance(r, int) else NEVER for r in run[2:]]
        return max(delays)


FEW = 3  # steps that a program may pick by hand
NEVER = 10**9  # a delay that no sequence is long enough for
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
            role = self.roles[index]
            found = [self._found(operand, t, role.clock) for operand in role.operands]
            reads = [instance for read in found for instance, _ in read]
            missing = [read for read in reads if read not in self.nodes]
            if missing:
                stack.extend(reversed(missing))
            else:
                stack.pop()
                inputs = tuple([self.nodes[read] for read in reads])
                self.nodes[index, t] = self._node(role, t, inputs, found)
        return Graph([self.nodes[w] for w in wanted])

    def _leaf(self, role: Role, leaf: Node) -> Node:
        # An input's shape may depend on the length, so another length gets another one.
        if role.kind != "input" or self.same:
            return leaf
        return Leaf("input", role.spec, role.name, ROOT, role.slot[1])

    def _node(
        self,
        role: Role,
        t: int | None,
        inputs: tuple[Node, ...],
        found: list[list[tuple[Instance, int]]],
    ) -> Node:
        time = None
        if t is not None and role.clock is not None:
            time = (self.clocks[role.clock], t)
        scope = self._scope(role.path, time)
        terms = role.terms and tuple(
            [term for term, read in zip(role.terms, found, strict=True) for _ in read]
        )
        slot = self._slot(role.slot, terms or None, time)
        if role.op is None:
            value = role.value if role.kind == "constant" else role.spec
            return Leaf(role.kind, value, role.name, scope, slot)
        attrs = {k: self._attribute(v, t, role, found) for k, v in role.attrs.items()}
        return Node(role.op, inputs, attrs, role.spec, scope, slot, role.name)

    def _attribute(
        self, value: Any, t: int | None, role: Role, found: list[Any]
    ) -> Any:
        """An attribute of a role's node at step t."""
        if t is not None:
            value = at_step(value, t, self.lengths[role.clock or 0])
        if not isinstance(value, PerOperand):
            return value
        entries: list[Any] = []
        for operand, entry, read in zip(role.operands, value, found, strict=True):
            for (_, step), column in read:
                if t is None:
                    clock = self.roles[operand[column].role].clock
                    length = 0 if clock is None else self.lengths[clock]
                    entries.append(at_step(entry[column], step or 0, length))
                else:
                    entries.append(entry)
        return PerOperand(entries)

    def _scope(self, path: Any, time: Any) -> Scope:
        """The scope of a path at a time: one for all nodes there."""
        scope = self.scopes.get((path, time))
        if scope is None:
            scope = self.scopes[path, time] = Scope(path, time, time and time[1])
        return scope

    def _slot(self, place: Any, terms: Any, time: Any) -> Any:
        """A place's slot, (base, (part, k, run), ..), as the slot of a node."""
        slot, *rules = place
        for i, rule in enumerate(rules):
            if len(rule) == 1:
                slot = (slot, *rule)
                continue
            part, k, (path, number, *later) = rule
            asked = None
            if later and isinstance(later[0], int):
                asked = (time and time[0], (time[1] if time else 0) + later[0])
            elif later:
                _, clock, step = later[0]
                asked = (self._clock(clock), step)
            run = Run(self._scope(path, asked), number)
            slot = Slot(slot, part, k, run, terms if i == len(rules) - 1 else None)
        return slot

    def _clock(self, index: int) -> Clock:
        """A loop; beyond those of the graph, one that only asked for a gradient."""
        while len(self.clocks) <= index:
            self.clocks.append(Clock(0))
        return self.clocks[index]

    def _found(
        self, operand: Operand, t: int | None, clock: int | None
    ) -> list[tuple[Instance, int]]:
        """What an operand is at step t, and which of its sources each is."""
        if t is None:
            return list(self._in_turn(operand))
        here = [
            (source, column)
            for column, source in enumerate(operand)
            if source.span and t in self._steps(source.span, clock)
        ]
        if not here:
            return []
        first = here[0][0]
        if first.kind == "gather" and first.delay is None:
            return list(self._in_turn(tuple([source for source, _ in here])))
        if first.kind == "gather" and first.at is not None:
            grown = range(first.at.first, t - (first.delay or 0) + 1)
            steps = reversed(grown) if first.at.down else grown
            return [(self._checked(first.role, step), here[0][1]) for step in steps]
        return [(self._instance(source, t), column) for source, column in here]

    def _in_turn(self, operand: Operand) -> Iterator[tuple[Instance, int]]:
        """The instances that a consumer without time reads, and of which source."""
        steps = [s.at and self._steps(s.at, self.roles[s.role].clock) for s in operand]
        numbers = {len(found) for found in steps if found is not None} or {1}
        if len(numbers) > 1:
            raise ValueError(
                f"{self.roles[operand[0].role].label} and what is read in turn with it "
                f"have {sorted(numbers)} steps at lengths {self.lengths}"
            )
        for i in range(numbers.pop()):
            for column, (source, found) in enumerate(zip(operand, steps, strict=True)):
                if found is None:
                    yield (source.role, None), column
                else:
                    yield self._checked(source.role, found[i]), column

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
