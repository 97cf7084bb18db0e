"""A contraction of the recorded graph that is written from its definition alone.

It shares no code with ``minigrad.contract``: figures are held to it. A value is a node
that has a name and is no parameter, or an unnamed state, or what a state starts from.
Value a is read by value b where a path of unnamed nodes leads from a to b. A parameter
is a letter of that where it multiplies, or is indexed by, what comes along such a path.

>>> from tests.draw.corpus import recorded
>>> found = reads(recorded("tied")).items()
>>> sorted((a.name, b.name, b.t, *letters) for (a, b), letters in found)[5]
('h', 'o', 1, 'U')
"""

from collections import Counter
from typing import NamedTuple

import minigrad as mg

PRODUCTS = {"matmul", "multiply", "dot", "einsum", "tensordot", "outer", "conv1d"}
INDEXED = {"embedding", "take", "take_along_axis", "getitem"}


class Value(NamedTuple):
    """A circle to be drawn; ``rank`` tells those of one name and step apart.

    ``turn`` are the steps of the loops within a step that made it.
    """

    name: str
    t: int | None
    rank: int = 0
    turn: tuple[int, ...] = ()


def reads(graph: mg.Graph) -> dict[tuple[Value, Value], frozenset[str]]:
    """Which value reads which, and the parameters on the way."""
    kept = values(graph)
    alone = _of_parameters_alone(graph, kept)
    called = graph.names
    ways: dict[mg.Node, dict[mg.Node, frozenset[str]]] = {}
    found = {}
    for node in graph.nodes:
        if node.kind == "parameter" and node not in kept:
            continue
        if node.op is not None and not (node.op.name == "step" and _leaf(node)):
            ways[node] = _onto(node, kept, ways, alone, called)
        for source, letters in ways.get(node, {}).items() if node in kept else ():
            way = (kept[source], kept[node])
            found[way] = found.get(way, frozenset()) | letters
    return found


def _onto(node, kept, ways, alone, called):
    """The values whose paths lead to a node, each with the letters met so far."""
    reached = {}
    for i, operand in enumerate(node.inputs):
        here = {operand: frozenset()} if operand in kept else ways.get(operand, {})
        letters = set()
        for j, other in enumerate(node.inputs):
            if i != j and (node.op.name in PRODUCTS or node.op.name in INDEXED):
                letters |= {called[p] for p in alone.get(other, ())}
        for source, met in here.items():
            reached[source] = reached.get(source, frozenset()) | met | letters
    return reached


def _of_parameters_alone(graph, kept):
    """Unnamed nodes that depend on parameters and numbers and nothing else."""
    alone = {}
    for node in graph.nodes:
        if node in kept:
            continue
        if node.kind == "parameter":
            alone[node] = {node}
        elif not node.inputs:
            alone[node] = set()
        elif all(i in alone for i in node.inputs):
            alone[node] = set().union(*(alone[i] for i in node.inputs))
    return alone


def _leaf(node):
    return not node.inputs[0].inputs


def values(graph: mg.Graph) -> dict[mg.Node, Value]:
    """The nodes that a figure of named values shows, and what they are called."""
    names = _named(graph)
    states, starts = _states(graph, names)
    found: dict[mg.Node, Value] = {}
    data: dict[object, Value] = {}
    seen: Counter[object] = Counter()
    for node in graph.nodes:
        name = names.get(node) or states.get(node) or starts.get(node)
        if name is None:
            continue
        t = None if node in starts else node.t
        turn = tuple(part[2] for part in node.scope.path if len(part) > 2)
        if node.op is not None and node.op.name == "step" and _leaf(node):
            # What two loops read of one sequence is one value.
            same = (node.inputs[0], t, turn, name)
            if same in data:
                found[node] = data[same]
                continue
        else:
            same = node
        data[same] = found[node] = Value(name, t, seen[name, t, turn], turn)
        seen[name, t, turn] += 1
    return found


def _named(graph):
    """All named nodes but parameters, and sequences that nothing but loops reads."""
    read = Counter()
    for node in graph.nodes:
        for i in node.inputs:
            read[i] += node.op.name != "step"
    steps = {
        n.inputs[0] for n in graph.nodes if n.op is not None and n.op.name == "step"
    }
    names = {
        n: n.name
        for n in graph.nodes
        if n.name is not None
        and n.kind != "parameter"
        and (n not in steps or n.inputs or read[n])
    }
    if not any(n.inputs and n.op.name != "step" for n in names):
        names |= {n: n.name or "" for n in graph.outputs}
    return names


def _line(node):
    """The line of the program that made a node, the same at every step."""
    return node.scope.path, node.slot


def _delay(node, source):
    a, b = node.time, source.time
    return abs(a[1] - b[1]) if a and b and a[0] is b[0] and source.inputs else 0


def _states(graph, names):
    """Unnamed states, and what is read in the place of a state: node to name."""
    serves = set(names)
    for node in reversed(graph.nodes):
        if node in serves:
            serves.update(node.inputs)
    state_lines, state_uses = {}, {}
    for node in graph.nodes:
        for i, source in enumerate(node.inputs):
            delay = _delay(node, source)
            if delay:
                state_uses[_line(node), i] = source
                if source.name is None and (source in serves or delay > 1):
                    state_lines.setdefault(_line(source))
    letters: dict[object, str] = {}
    # One that is named after its loop is called so at every step.
    said = {_line(n): name for n, name in names.items() if n.time is not None}
    states = {}
    for node in graph.nodes:
        if node.time is not None and node.inputs and _line(node) in state_lines:
            k = len(letters)
            made = said.get(_line(node))
            made = made or letters.setdefault(_line(node), f"s{k + 1}" if k else "s")
            states[node] = made
    starts = {}
    for node in graph.nodes:
        if node.time is None:
            continue
        for i, source in enumerate(node.inputs):
            state = state_uses.get((_line(node), i))
            if state is None or _delay(node, source) or source.time is not None:
                continue
            name = states.get(state) or names.get(state)
            if name is not None:
                starts[source] = source.name or f"{name}0"
    return states, starts
