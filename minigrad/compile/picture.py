"""A compiled program as a graph that can be drawn: each loop over time is a scope.

What is outside of a loop's scope happens once, for all steps; what is inside happens
at each step and is called ``name(t)``. What a step reads of another one is a leaf,
``name(t-1)``, since a graph has no cycles.
"""

from typing import Any


from minigrad.compile.schedule import Loop, own_states, schedule
from minigrad.compile.values import Leaf as Kind
from minigrad.compile.values import Program, Time, Value
from minigrad.graph import Graph, Leaf, Node, Spec
from minigrad.graph_json import OpName
from minigrad.scope import ROOT, Scope


def circuit(program: Program) -> Graph:
    """The program's lines as nodes, without values."""
    return _Circuit(own_states(program)).graph()


class _Circuit:
    """One drawing: ``nodes`` has what has been made."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.nodes: dict[Any, Node] = {}
        self.carried: list[Node] = []

    def graph(self) -> Graph:
        number = 0
        scopes: dict[Any, Scope] = {}
        for part in schedule(self.program):
            if not isinstance(part, Loop):
                self._add(part, ROOT, None)
                continue
            if part.whole not in scopes:
                way = "over" if part.direction > 0 else "back over"
                scopes[part.whole] = Scope(((f"loop {way} t", number),), None, None)
                number += 1
            for v in part.body:
                self._add(v, scopes[part.whole], part)
        outputs = [self._node(o, ROOT, None) for o in self.program.outputs]
        # What only another step reads belongs to the picture too.
        return Graph(list(dict.fromkeys(outputs + self.carried)))

    def _add(self, v: Value, scope: Scope, loop: Loop | None) -> None:
        if v in self.nodes or _is_look(v):
            return
        spec = Spec(tuple([str(n) if not isinstance(n, int) else n for n in v.shape]), v.dtype)  # type: ignore[misc]
        bare = v.name and v.name.partition("@")[0]
        if isinstance(v.op, Kind):
            kind = "input" if v.op is Kind.argument else v.op.name
            value = v.attrs.get("value", spec)
            self.nodes[v] = Leaf(kind, value, bare, ROOT, next(ROOT.slots))
            return
        reads = v.inputs if loop is None else loop.operands(v)
        inputs = tuple([self._node(i, scope, loop) for i in reads])
        name = f"{bare or v.op.name}(t)" if loop is not None else bare
        slot = next(scope.slots)
        self.nodes[v] = Node(OpName(v.op.name), inputs, {}, spec, scope, slot, name)
        if loop is not None and not inputs:
            self.carried.append(self.nodes[v])

    def _node(self, v: Value, scope: Scope, loop: Loop | None) -> Node:
        """The node of what is read: of a look at a value, that of the value."""
        delay = 0
        while _is_look(v):
            if v.op is Time.state:
                delay += v.attrs["delay"]
                v = self.program.states[v]
            elif v.op is Time.splice:
                past = [p for p in v.inputs if p.op is Time.state]
                v = (past or list(v.inputs))[-1]
            else:
                v = v.inputs[0]
        inside = loop is not None and v in loop.whole and delay
        if not inside and v in self.nodes:
            return self.nodes[v]
        key = (v, delay)
        if key not in self.nodes:
            name = f"{(v.name or v.op.name).partition('@')[0]}(t{-delay:+d})"
            spec = Spec(tuple([n for n in v.shape if isinstance(n, int)]), v.dtype)
            self.nodes[key] = Leaf("input", spec, name, scope, next(scope.slots))
            self.carried.append(self.nodes[key])
        return self.nodes[key]


LOOKS = (Time.each, Time.shift, Time.state, Time.splice, Time.over, Time.at, Time.read)


def _is_look(v: Value) -> bool:
    """Whether a value is another one, seen at other steps."""
    return v.op in LOOKS
