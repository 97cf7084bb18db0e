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

>>> import minigrad as mg
>>> def last(xs):
...     h = mg.tensor(np.zeros(1), name="h0")
...     for t, x in mg.steps(xs):
...         h = mg.tanh(h + x) if len(xs) < 50 else h + x
...     return h
>>> def run(T, comparison):
...     xs = np.ones((T, 1))
...     return record(last, Given((xs,), {}, [xs]), comparison).results
>>> few = np.ones((6, 1))
>>> forward = outline(last, Given((few,), {}, [few]), (6,))
>>> longer = Comparison(forward, (40,))
>>> longer.agrees(run(40, longer))
True
>>> run(60, Comparison(forward, (60,)))
Traceback (most recent call last):
minigrad.mode.TraceError: at this length it does something else
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

import numpy as np

from minigrad.compile.trace import Given, folded, record
from minigrad.fold import Recurrence
from minigrad.fold.moving_index import at_step
from minigrad.fold.roles import Operand, Role
from minigrad.fold.unfolding import Unrolling
from minigrad.graph import Graph, Node, ids, same_value
from minigrad.mode import TraceError, tracing
from minigrad.scope import Scope
from minigrad.tensor import Tensor

UNKNOWN = -1
PATH = (("outline", None),)  # a scope of a user has a number


@dataclass
class Outline:
    """The fold of a forward pass, and where its roles were recorded."""

    recurrence: Recurrence
    arguments: dict[int, int]  # position -> role
    outside: dict[Node, int]  # a leaf, or what was computed before -> role
    places: dict[Any, dict[Any, int]]  # path -> slot -> role


def outline(
    function: Callable[..., Any], given: Given, lengths: Sequence[int]
) -> Outline | None:
    """The outline of a function at these arguments, None if it has none.

    ``lengths`` are those of the loops of what the function records in all.
    """
    sketch = _Sketch()
    try:
        graph = Graph(record(function, given, sketch).results)
    except Exception:  # a gradient in it has no value that could be used
        return None
    recurrence = folded(graph)
    if isinstance(recurrence, str) or recurrence.lengths != lengths:
        return None
    roles: dict[Any, int] = {}
    found = Outline(recurrence, {}, {}, {})
    positions = {node: i for i, node in enumerate(sketch.inputs)}
    for node in graph.nodes:
        role = roles.setdefault(graph.places[node], len(roles))
        if node in positions:
            found.arguments[positions[node]] = role
        elif node.id < sketch.first:
            found.outside[node] = role
        else:
            found.places.setdefault(node.scope.path, {})[node.slot] = role
    return found


class _Sketch:
    """Makes the nodes of an outline, which have their values."""

    def __init__(self) -> None:
        self.root = Scope(PATH, None, None)  # nothing that ran before counts in it

    def begin(self, inputs: list[Node]) -> None:
        """Take the arguments, before the function runs."""
        self.inputs, self.first = inputs, next(ids)

    def __call__(
        self, op: Any, inputs: Any, attrs: dict[str, Any], scope: Scope, slot: Any
    ) -> Node:
        """The node of a call of an op."""
        return Node(op, tuple(inputs), attrs, op.computed(inputs, attrs), scope, slot)


class Seen(Node):
    """A node that was compared: ``at`` says which role at which step it is."""

    __slots__ = ("at", "like")

    def __init__(
        self, op: Any, attrs: Any, like: Any, scope: Scope, slot: Any, at: int
    ) -> None:
        self.id = next(ids)
        self.op, self.attrs, self.like = op, attrs, like
        self.scope, self.slot, self.name, self.at = scope, slot, None, at

    @property
    def value(self) -> Any:
        """A stand-in, as long as the function runs."""
        if not tracing():
            raise TypeError(LEFT)
        return self.like

    @property
    def inputs(self) -> NoReturn:  # type: ignore[override]
        """Refused: there is no graph."""
        raise TraceError(LEFT)


LEFT = (
    "this Tensor was recorded to compare a length of a compiled function, and has "
    "neither a value nor a graph: return from the function what is used after it"
)
_Steady = tuple[tuple[int, bool], ...]


class _Line(NamedTuple):
    """A role at the lengths that are compared.

    From ``low`` to ``high`` it reads ``steady``: for each input ``at`` of that at step
    0, and whether it moves with the steps. ``like`` is a stand-in, None of what has no
    step, since its shape may depend on the lengths.
    """

    role: Role
    steps: range
    low: int
    high: int
    steady: _Steady
    like: Any


class Comparison:
    """Looks at the nodes of a forward pass of other lengths while they are made."""

    def __init__(self, outline: Outline, lengths: Sequence[int]) -> None:
        self.outline, self.lengths = outline, lengths
        self.root = Scope(PATH, None, None)
        roles, self.outputs = outline.recurrence.roles, outline.recurrence.outputs
        self.unrolling = Unrolling(roles, self.outputs, lengths, False)
        self.number = len(roles)
        self.lines = {
            path: {slot: self._line(roles[role]) for slot, role in slots.items()}
            for path, slots in outline.places.items()
        }
        self.scope: Scope | None = None

    def begin(self, inputs: list[Node]) -> None:
        """Take the arguments, before the function runs."""
        self.first = next(ids)
        self.leaves = self.outline.outside | {
            inputs[i]: role for i, role in self.outline.arguments.items()
        }

    def __call__(
        self, op: Any, inputs: Sequence[Node], attrs: Any, scope: Scope, slot: Any
    ) -> Node:
        """A node that was compared, or that is unknown."""
        if scope is not self.scope:
            self._enter(scope)
        line = self.here.get(slot)
        if line is None or self.t not in line.steps:
            return Seen(op, attrs, _like(op, inputs, attrs), scope, slot, UNKNOWN)
        if not self._is(line, op, inputs, attrs):
            raise TraceError("at this length it does something else")
        like = _like(op, inputs, attrs) if line.like is None else line.like
        return Seen(op, attrs, like, scope, slot, line.role.index + self.moved)

    def agrees(self, results: Sequence[Tensor]) -> bool:
        """Whether the results are those of the outline."""
        found = [self._at(result.node) for result in results]
        return found == self._reads(self.outputs, 0, None)

    def _is(self, line: _Line, op: Any, inputs: Sequence[Node], attrs: Any) -> bool:
        """Whether a node is a role at this step."""
        role, t = line.role, self.t
        if role.op is not op:
            return False
        if line.low <= t <= line.high:
            if len(inputs) != len(line.steady):
                return False
            for x, (at, moves) in zip(inputs, line.steady, strict=False):
                found = x.at if x.__class__ is Seen else self._leaf(x)
                if found != (at + self.moved if moves else at):
                    return False
        elif [*map(self._at, inputs)] != self._reads(role.operands, t, role.clock):
            return False
        if not attrs and not role.attrs:
            return True
        length = self.lengths[role.clock or 0] if t else 0
        return same_value(attrs, at_step(role.attrs, t, length))

    def _enter(self, scope: Scope) -> None:
        self.scope, self.here = scope, self.lines.get(scope.path, {})
        self.t = scope.time[1] if scope.time else 0
        self.moved = self.t * self.number

    # Which role at which step: its index, and the number of roles for each step.

    def _at(self, node: Node) -> int:
        return node.at if isinstance(node, Seen) else self._leaf(node)

    def _leaf(self, node: Node) -> int:
        if node in self.leaves or node.id < self.first:
            return self.leaves.get(node, UNKNOWN)
        line = self.lines.get(node.scope.path, {}).get(node.slot)
        t = node.t or 0
        if line is None or t not in line.steps:
            return UNKNOWN
        role = line.role
        value = role.value if role.leaf is None else role.leaf.value
        same = _same(node.value, value)
        return role.index + t * self.number if same else UNKNOWN

    def _reads(
        self, operands: Sequence[Operand], t: int, clock: int | None
    ) -> list[int]:
        """What is read at a step of a loop, without time at step 0."""
        return [
            index + (step or 0) * self.number
            for operand in operands
            for (index, step), _ in self.unrolling.reads(operand, t or None, clock)
        ]

    def _line(self, role: Role) -> _Line:
        if role.span is None or role.clock is None:
            return _Line(role, range(1), 1, 0, (), None)
        steps = role.span.steps(self.lengths[role.clock])
        like = _stand_in(role.spec.shape, np.dtype(role.spec.dtype))
        return _Line(role, steps, *self._steady(role, steps), like)

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
            (at,) = self._reads((operand,), first, role.clock)
            moves = source.kind == "delay"
            reads.append((at - first * self.number if moves else at, moves))
            low, high = first, last
        return low, high, tuple(reads)


def _same(a: Any, b: Any) -> bool:
    """Whether two constants are one, of arrays by their bits: that is fast."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return (a.shape, a.dtype, a.tobytes()) == (b.shape, b.dtype, b.tobytes())
    return same_value(a, b)


def _like(op: Any, inputs: Any, attrs: dict[str, Any]) -> Any:
    with np.errstate(all="ignore"):
        value = op.computed(inputs, attrs)
    return _stand_in(value.shape, value.dtype)


def _stand_in(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """Ones that take the memory of a number; an index is 0, which is always one."""
    return np.broadcast_to(np.asarray(dtype.kind == "f", dtype), shape)
