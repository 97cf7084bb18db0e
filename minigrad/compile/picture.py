"""A compiled program as a graph that can be drawn: each loop over time is a scope.

What is outside of a loop's scope happens once, for all steps; what is inside happens
at each step and is called ``name(t)``. What a step reads of another one is a leaf,
``name(t-1)``, since a graph has no cycles.
"""

from typing import Any

from minigrad.compile.line import Line, LoopProgram
from minigrad.compile.schedule import Phase
from minigrad.fold.roles import Source
from minigrad.graph import Graph, Leaf, Node, Spec
from minigrad.graph_json import OpName
from minigrad.scope import ROOT, Scope


def circuit(program: LoopProgram, phases: list[Phase]) -> Graph:
    """The program's lines as nodes, without values."""
    nodes: dict[Any, Node] = {}
    for number, phase in enumerate(phases):
        scope, body = ROOT, set()
        if phase.direction:
            loop = f"loop {'over' if phase.direction > 0 else 'back over'} t"
            scope = Scope(((loop, number),), None, None)
            body = {line.index for line in phase.lines}
        for line in phase.lines:
            inputs = [_read(program, nodes, body, s, scope) for s in line.sources()]
            nodes[line.index] = _node(line, tuple(inputs), scope, bool(body))
    outputs = [nodes[s.role] for operand in program.outputs for s in operand]
    # What only another step reads belongs to the picture too.
    carried = [nodes[key[0]] for key in nodes if isinstance(key, tuple)]
    return Graph(list(dict.fromkeys(outputs + carried)))


def _node(line: Line, inputs: tuple[Node, ...], scope: Scope, inside: bool) -> Node:
    spec = Spec(line.shape, line.dtype)
    if line.kind != "op":
        value = line.value if line.kind == "constant" else spec
        return Leaf(line.kind, value, line.name, ROOT, next(ROOT.slots))
    # What has no name of its own is called by its op and a number: the op is enough.
    named = line.name if not line.name.startswith(line.op) else None
    if inside:
        named = f"{line.name}(t)"
    return Node(OpName(line.op), inputs, {}, spec, scope, next(scope.slots), named)


def _read(
    program: LoopProgram,
    nodes: dict[Any, Node],
    body: set[int],
    source: Source,
    scope: Scope,
) -> Node:
    if source.role not in body or not source.delay:
        return nodes[source.role]
    key = (source.role, source.delay)
    if key not in nodes:
        line = program.lines[source.role]
        name = f"{line.name}(t{-source.delay:+d})"
        spec = Spec(line.shape, line.dtype)
        nodes[key] = Leaf("input", spec, name, scope, next(scope.slots))
    return nodes[key]
