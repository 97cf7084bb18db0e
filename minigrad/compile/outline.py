"""Whether a function does the same at another length: its forward pass, compared.

Vocabulary
    outline    a forward pass that is folded; a gradient is one node in it, which says
               of what and by what it is taken
    seen       a node of another length that is a role of an outline at one of its steps
    stand-in   an array of ones in the place of a value: only shape and dtype count

What a gradient records follows from the forward pass. So a program serves a length if
the forward pass of that length is its outline. That is seen while the function runs: a
node must have the op and the attributes of the role at its place, and read what that
reads. Then it is dropped, and in a loop nothing is computed: it takes less time and
memory than the forward pass.

A node whose place or step is not in the outline is unknown. That does no harm unless a
seen node reads it: it is what no result depends on.

>>> def ends(record, T):
...     x = mg.tensor(np.ones((T, 1)), name="x")
...     record.begin([x])
...     token = current.set(root())
...     with traced(record):
...         h = mg.tensor(np.zeros(1), name="h0")
...         for _, row in mg.steps(x):
...             h = mg.tanh(h + row) if T < 50 else h + row
...     current.reset(token)
...     return [h]
>>> sketch = Sketch()
>>> graph = mg.Graph(ends(sketch, 6))
>>> outline = sketch.outline(graph, mg.fold(graph))
>>> longer = Comparison(outline, (40,))
>>> longer.agrees(ends(longer, 40))
True
>>> ends(Comparison(outline, (60,)), 60)
Traceback (most recent call last):
minigrad.compile.outline.DiffersError: at this length it does something else
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

import numpy as np

from minigrad.fold import Recurrence
from minigrad.fold.moving_index import at_step
from minigrad.fold.roles import Operand, Role
from minigrad.fold.unfolding import Unrolling
from minigrad.graph import Graph, Leaf, Node, ids, same_value
from minigrad.mode import TraceError
from minigrad.scope import Scope
from minigrad.tensor import Tensor

UNKNOWN = -1
OUTSIDE = "outline"  # no scope of a user has a number that is not one


def root() -> Scope:
    """A scope of which no number depends on what ran before."""
    return Scope(((OUTSIDE, None),), None, None)


@dataclass
class Outline:
    """The fold of a forward pass, and where its roles were recorded."""

    recurrence: Recurrence
    arguments: dict[int, int]  # position -> role
    outside: dict[Node, int]  # a leaf, or what was computed before -> role
    places: dict[Any, dict[Any, int]]  # path -> slot -> role


class Sketch:
    """Makes the nodes of a forward pass, to be folded."""

    def begin(self, inputs: Sequence[Tensor]) -> None:
        """Take the arguments of the function, before it runs."""
        self.inputs = [x.node for x in inputs]
        self.first = next(ids)

    def __call__(
        self, op: Any, inputs: Sequence[Node], attrs: Any, scope: Scope, slot: Any
    ) -> Node:
        """A node with its value."""
        return Node(op, tuple(inputs), attrs, op.computed(inputs, attrs), scope, slot)

    def outline(self, graph: Graph, recurrence: Recurrence) -> Outline:
        """The outline, by the graph that was recorded and its fold."""
        roles: dict[Any, int] = {}
        found = Outline(recurrence, {}, {}, {})
        positions = {node: i for i, node in enumerate(self.inputs)}
        for node in graph.nodes:
            role = roles.setdefault(graph.places[node], len(roles))
            if node in positions:
                found.arguments[positions[node]] = role
            elif node.id < self.first:
                found.outside[node] = role
            else:
                found.places.setdefault(node.scope.path, {})[node.slot] = role
        return found


class Seen(Node):
    """A node that was compared: ``at`` says which role at which step it is."""

    __slots__ = ("at",)

    def __init__(
        self, op: Any, attrs: Any, value: Any, scope: Scope, slot: Any, at: int
    ) -> None:
        self.id = next(ids)
        self.op, self.attrs, self.value = op, attrs, value
        self.scope, self.slot, self.name, self.at = scope, slot, None, at

    @property
    def inputs(self) -> NoReturn:  # type: ignore[override]
        """Refused: what looks at its own graph may see another one."""
        raise TraceError("it looks at the graph while it is compared")


_Steady = tuple[tuple[int, bool], ...]


class _Line(NamedTuple):
    """A role at the lengths that are compared.

    From ``low`` to ``high`` it reads ``steady``: for each input ``at`` of that at step
    0, and whether it moves with the steps.
    """

    role: Role
    attrs: dict[str, Any]
    steps: range
    low: int
    high: int
    steady: _Steady
    value: Any


class DiffersError(TraceError):
    """A node is not what the outline has in its place."""


class Comparison:
    """Looks at the nodes of a forward pass of other lengths while they are made."""

    def __init__(self, outline: Outline, lengths: Sequence[int]) -> None:
        self.outline, self.lengths = outline, lengths
        self.roles, outputs = outline.recurrence.roles, outline.recurrence.outputs
        self.outputs = outputs
        self.unrolling = Unrolling(self.roles, outputs, lengths, False)
        self.number = len(self.roles)
        self.lines = {
            path: {slot: self._line(self.roles[role]) for slot, role in slots.items()}
            for path, slots in outline.places.items()
        }
        self.clocks: dict[int, Any] = {}
        self.scope: Scope | None = None
        self.differs = False

    def begin(self, inputs: Sequence[Tensor]) -> None:
        """Take the arguments of the function, before it runs."""
        self.first = next(ids)
        self.leaves = self.outline.outside | {
            inputs[i].node: role for i, role in self.outline.arguments.items()
        }

    def __call__(
        self, op: Any, inputs: Sequence[Node], attrs: Any, scope: Scope, slot: Any
    ) -> Node:
        """A node that was compared, or that is unknown."""
        if scope is not self.scope:
            self._enter(scope)
        line, t = self.here.get(slot), self.t
        if line is None or t not in line.steps:
            value = _stand_in(op.computed(inputs, attrs))
            return Seen(op, attrs, value, scope, slot, UNKNOWN)
        if line.role.op is not op:
            self._refuse()
        if line.low <= t <= line.high:
            moved = self.moved
            if len(inputs) != len(line.steady):
                self._refuse()
            for x, (at, moves) in zip(inputs, line.steady, strict=True):
                found = x.at if x.__class__ is Seen else self._leaf(x)
                if found != (at + moved if moves else at):
                    self._refuse()
        elif [*map(self._at, inputs)] != self._reads(line.role.operands, t, line.role):
            self._refuse()
        if (attrs or line.attrs) and not same_value(attrs, self._attrs(line, t)):
            self._refuse()
        value = line.value
        if value is None:
            value = _stand_in(op.computed(inputs, attrs))
        return Seen(op, attrs, value, scope, slot, line.role.index + self.moved)

    def agrees(self, results: Sequence[Tensor]) -> bool:
        """Whether the results are those of the outline."""
        found = [self._at(result.node) for result in results]
        return not self.differs and found == self._reads(self.outputs, 0, None)

    def _refuse(self) -> NoReturn:
        self.differs = True  # also where the function catches the error
        raise DiffersError("at this length it does something else")

    def _enter(self, scope: Scope) -> None:
        self.scope, self.here = scope, self.lines.get(scope.path, {})
        self.t = scope.time[1] if scope.time else 0
        self.moved = self.t * self.number
        for line in self.here.values():
            if line.role.clock is not None:
                self._require_clock(scope, line.role.clock)
                break  # what lies in one loop has one clock

    def _require_clock(self, scope: Scope, index: int) -> None:
        """Refuse a loop that is another one, or that is two of the outline."""
        clock = scope.time and scope.time[0]
        if index not in self.clocks and clock not in self.clocks.values():
            self.clocks[index] = clock
        if self.clocks.get(index) is not clock:
            self._refuse()

    # Which role at which step: its index, and the number of roles for each step.

    def _at(self, node: Node) -> int:
        return node.at if isinstance(node, Seen) else self._leaf(node)

    def _leaf(self, node: Node) -> int:
        role = self.leaves.get(node)
        if role is not None or node.id < self.first:
            return UNKNOWN if role is None else role
        line = self.lines.get(node.scope.path, {}).get(node.slot)
        t = node.t or 0
        if line is None or t not in line.steps or line.role.kind == "parameter":
            return UNKNOWN
        if line.role.clock is not None:
            self._require_clock(node.scope, line.role.clock)
        leaf, role = line.role.leaf, line.role.index
        value = line.role.value if leaf is None else leaf.value
        same = isinstance(node, Leaf) and same_value(node.value, value)
        return role + t * self.number if same else UNKNOWN

    def _reads(
        self, operands: Sequence[Operand], t: int, role: Role | None
    ) -> list[int]:
        """What a role reads at a step, without time at step 0."""
        clock = None if role is None else role.clock
        return [
            index + (step or 0) * self.number
            for operand in operands
            for (index, step), _ in self.unrolling.reads(operand, t or None, clock)
        ]

    def _attrs(self, line: _Line, t: int) -> dict[str, Any]:
        length = self.lengths[line.role.clock or 0] if t else 0
        return at_step(line.attrs, t, length)  # type: ignore[no-any-return]

    def _line(self, role: Role) -> _Line:
        if role.span is None or role.clock is None:
            return _Line(role, role.attrs, range(1), 1, 0, (), None)
        steps = role.span.steps(self.lengths[role.clock])
        value = _stand_in(np.empty((), role.spec.dtype), role.spec.shape)
        return _Line(role, role.attrs, steps, *self._steady(role, steps), value)

    def _steady(self, role: Role, steps: range) -> tuple[int, int, _Steady]:
        """From which step to which a role reads the same, and what: see ``_Line``."""
        low, high = steps[0], steps[-1]
        reads: list[tuple[int, bool]] = []
        for operand in role.operands:
            spans = [
                source.span.steps(self.lengths[role.clock or 0])
                for source in operand
                if source.span is not None
            ]
            span = max(spans, key=len)
            source = operand[spans.index(span)]
            first, last = max(low, span[0]), min(high, span[-1])
            others = [s for s in spans if s is not span and s]
            if (
                source.kind == "gather"
                or span.step > 1
                or any(s[0] <= last and first <= s[-1] for s in others)
            ):
                return 1, 0, ()
            (at,) = self._reads((operand,), first, role)
            moves = source.kind == "delay"
            reads.append((at - first * self.number if moves else at, moves))
            low, high = first, last
        return low, high, tuple(reads)


def _stand_in(value: Any, shape: Any = None) -> Any:
    one = np.ones((), value.dtype) if value.dtype.kind == "f" else 0
    one = np.asarray(one, value.dtype)
    return np.broadcast_to(one, value.shape if shape is None else shape)
