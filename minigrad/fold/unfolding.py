"""Unrolling a recurrence again: each role's node at each of its steps.

>>> import minigrad as mg
>>> h = mg.tensor(1.0, name="h0")
>>> for t in mg.steps(4):
...     h = mg.tanh(h)
>>> mg.fold(h).unfold(6).steps
6
"""

from collections.abc import Iterator, Sequence
from typing import Any

from minigrad.fold.moving_index import at_step
from minigrad.fold.roles import Operand, Role, Source, Span
from minigrad.graph import Graph, Leaf, Node, PerOperand
from minigrad.scope import ROOT, Clock, Run, Scope, Slot

Instance = tuple[int, int | None]  # a role at a step


def _grows(operand: Operand) -> bool:
    """Whether this is a gather of all steps before, of which step 1 has none."""
    return all(s.kind == "gather" and s.delay for s in operand)


def _is_sum(role: Role) -> bool:
    """Whether a role adds up cotangents."""
    rule = role.slot[-1]
    return isinstance(rule, tuple) and rule[0] in ("sum", "scatter")


class Unrolling:
    """One unrolling of a recurrence: makes each role's node at each of its steps."""

    def __init__(
        self,
        roles: tuple[Role, ...],
        outputs: tuple[Operand, ...],
        lengths: Sequence[int],
        same: bool,
    ) -> None:
        """``same``: the lengths are those that the graph was folded from."""
        self.roles = roles
        self.outputs = outputs
        self.lengths = lengths
        self.same = same
        self.clocks = [Clock(n) for n in lengths]
        self.scopes: dict[Any, Scope] = {}
        self.nodes: dict[Instance, Node] = {}

    def graph(self) -> Graph:
        """The unrolled graph."""
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
            found = [self.reads(operand, t, role.clock) for operand in role.operands]
            if _is_sum(role):
                whole = sum(map(len, found)) > 1  # of one term none is recorded
            else:
                pairs = zip(role.operands, found, strict=True)
                whole = all(read or _grows(operand) for operand, read in pairs)
                whole = whole or "uses" in role.attrs
            if not whole:
                raise ValueError(self._too_short(t))
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

    def reads(
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
        if first.kind != "gather" and len(here) > 1:
            raise ValueError(self._too_short(t))
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

    def _too_short(self, t: int | None) -> str:
        step = "" if t is None else f" at step {t}"
        return (
            f"at {self.lengths} steps what is read at the beginning and at the end "
            f"meet{step}: unfold to more steps"
        )

    def _checked(self, index: int, t: int) -> Instance:
        role = self.roles[index]
        if role.span is None or t not in self._steps(role.span, role.clock):
            when = "no step" if role.span is None else f"steps {role.span}"
            raise ValueError(
                f"{role.label}({t}) is read and does not exist: it is at {when}, and "
                f"the loops have {self.lengths} steps"
            )
        return index, t

    def _steps(self, span: Span, clock: int | None) -> range:
        return span.steps(self.lengths[clock or 0])
