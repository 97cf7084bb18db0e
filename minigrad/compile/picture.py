"""A compiled program as a graph that can be drawn: each loop over time is a scope.

What is outside of a loop's scope happens once, for all steps; what is inside happens
at each step and is called ``name(t)``. What a step reads of another one is a leaf,
``name(t-1)``, that says which line it is the past of: a figure shows a delay square
there, and an arrow from the line to it.
"""

from typing import Any

from minigrad.compile.schedule import Loop, own_states, schedule
from minigrad.compile.values import Leaf as Kind
from minigrad.compile.values import Program, Time, Value
from minigrad.graph import Graph, Leaf, Node, Past, Spec
from minigrad.graph_json import OpName
from minigrad.scope import ROOT, Scope


def circuit(program: Program) -> Graph:
    """The program's lines as nodes, without values."""
    return _Circuit(own_states(program)).graph()


class _Circuit:
    """One drawing: ``nodes`` has what has been made."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.nodes: dict[Value, Node] = {}
        self.past: dict[tuple[Value, int], Node] = {}

    def graph(self) -> Graph:
        """Straight values at the root, the lines of each loop in a scope of its own."""
        order = {v: i for i, v in enumerate(self.program.values)}
        loops: dict[Any, list[Loop]] = {}
        parts = schedule(self.program)
        for part in parts:
            if isinstance(part, Loop):
                loops.setdefault(part.whole, []).append(part)
        for part in parts:
            if not isinstance(part, Loop):
                self._add(part, ROOT, None)
            elif part is loops[part.whole][0]:
                way = "over" if part.direction > 0 else "back over"
                number = list(loops).index(part.whole)
                scope = Scope(((f"loop {way} t", number),), None, None)
                body = {v for loop in loops[part.whole] for v in loop.body}
                for v in sorted(body, key=order.__getitem__):
                    self._add(v, scope, part)
        outputs = [n for o in self.program.outputs for n in self._nodes(o, ROOT, None)]
        for (v, delay), leaf in self.past.items():
            shape, dtype = leaf.value
            leaf.value = Past(shape, dtype, self.nodes[v], delay)
        # What only another step reads belongs to the picture too.
        lines = [self.nodes[v] for v, _ in self.past]
        return Graph(list(dict.fromkeys(outputs + lines)))

    def _add(self, v: Value, scope: Scope, loop: Loop | None) -> None:
        if v in self.nodes or _is_look(v):
            return
        spec = Spec(tuple([n for n in v.shape if isinstance(n, int)]), v.dtype)
        bare = v.name and v.name.partition("@")[0]
        if isinstance(v.op, Kind):
            kind = "input" if v.op is Kind.argument else v.op.name
            value = v.attrs.get("value", spec)
            self.nodes[v] = Leaf(kind, value, bare, ROOT, next(ROOT.slots))
            return
        inputs = tuple([n for i in v.inputs for n in self._nodes(i, scope, loop)])
        name = f"{bare or v.op.name}(t)" if loop is not None else bare
        slot = next(scope.slots)
        self.nodes[v] = Node(OpName(v.op.name), inputs, {}, spec, scope, slot, name)

    def _nodes(self, v: Value, scope: Scope, loop: Loop | None) -> list[Node]:
        """The nodes of what is read: of a look at values, those of the values."""
        found: dict[Node, None] = {}
        looks = [(v, 0)]
        while looks:
            v, delay = looks.pop()
            if v.op is Time.state:
                looks.append((self.program.states[v], delay + v.attrs["delay"]))
            elif _is_look(v):
                looks += [(i, delay + v.attrs.get("delay", 0)) for i in v.inputs[::-1]]
            else:
                found[self._node(v, delay, scope, loop)] = None
        return list(found)

    def _node(self, v: Value, delay: int, scope: Scope, loop: Loop | None) -> Node:
        """The node of a value; of another step of the same loop, a leaf."""
        inside = loop is not None and v in loop.whole and delay
        if not inside and v in self.nodes:
            return self.nodes[v]
        key = (v, delay)
        if key not in self.past:
            name = f"{(v.name or v.op.name).partition('@')[0]}(t{-delay:+d})"
            spec = Spec(tuple([n for n in v.shape if isinstance(n, int)]), v.dtype)
            self.past[key] = Leaf("input", spec, name, scope, next(scope.slots))
        return self.past[key]


def _is_look(v: Value) -> bool:
    """Whether a value is another one, seen at other steps."""
    return isinstance(v.op, Time) and v.op is not Time.total
