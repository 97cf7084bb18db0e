"""Contraction: the graph of the named values alone, as the textbook draws it.

``contract`` keeps what has a name (x, h, o, L, y), and each unnamed state that a later
step reads and a named value depends on (it is called s). Between two kept values an
arrow stands for the path of ops that joins them, and says which parameters enter that
path by a product: the letter on the arrow is W, and not b.

A read-out made after the loop from one step's h gets that step.

>>> import minigrad as mg
>>> U = mg.parameter([[2.0]], name="U")
>>> for t, x in mg.steps([[[1.0]], [[2.0]]]):
...     o = mg.tanh(x @ U).named("o")
>>> [node.label for node in contract(o).nodes]
['U', 'x(2)', 'o(2)']
"""

from typing import Any, NamedTuple

from minigrad.graph import Graph, Leaf, Node
from minigrad.scope import Scope

# Ops in which a parameter multiplies what the arrow carries.
BILINEAR = frozenset(
    ["matmul", "multiply", "dot", "einsum", "tensordot", "outer", "conv1d"]
)


class Named(NamedTuple):
    """The op of a contracted node: all that was computed since the values it reads."""

    name: str


NAMED = Named("named")  # known by its name: a graph that was read has another one


def contract(graph: Any) -> Graph:
    """The graph of the named values.

    Takes a Graph, a Tensor or a list of them. A kept value's node reads, in the order
    in which its formula meets them, named values and parameters; ``attrs["via"]`` gives
    for each the parameters (by number among the node's parameters) on its path, and
    ``attrs["places"]`` where the formula meets it. Raises ValueError if nothing has a
    name.
    """
    graph = graph if isinstance(graph, Graph) else Graph(graph)
    return _Contraction(graph).graph()


class _Contraction:
    def __init__(self, graph: Graph) -> None:
        self.source = graph
        self.kept = _kept(graph)
        self.factors = _factors(graph, self.kept)
        self.made: dict[Node, Node] = {}
        self.untimed = 0

    def graph(self) -> Graph:
        reads = {n: self._reads(n) for n in self.source.nodes if n in self.kept}
        times = _picked_times(reads)
        for node in self.source.nodes:
            if node.kind == "parameter":
                self.made[node] = node
            elif node in self.kept:
                self.made[node] = self._node(node, reads[node], times.get(node))
        outputs: dict[Node, None] = {}
        for output in self.source.outputs:
            found = (
                [output]
                if output in self.kept
                else [n for n, _, _ in self._reads(output) if n in self.kept]
            )
            outputs.update((self.made[n], None) for n in found)
        if not outputs:
            raise ValueError(
                "no value of this graph has a name: name the ones to see, "
                'h = mg.tanh(...).named("h")'
            )
        return Graph(list(outputs))

    def _node(self, node: Node, reads: list[Any], time: Any) -> Node:
        if node.time is not None:
            scope, slot = node.scope, node.slot
        elif node.inputs or time is not None:
            # Numbered anew: unnamed lines outside of the loops do not count here.
            slot, self.untimed = self.untimed, self.untimed + 1
            t = None if time is None else time[1]
            scope = Scope((*node.scope.path, ("read-out", 0)), time, t)
        else:
            return node
        if not reads:
            return Leaf("input", node.value, self.kept[node], scope, slot)
        attrs = {"via": tuple(via for _, _, via in reads)}
        if scope.time is not None:
            attrs["places"] = tuple(place for _, place, _ in reads)
        inputs = tuple(self.made[n] for n, _, _ in reads)
        return Node(NAMED, inputs, attrs, node.value, scope, slot, self.kept[node])

    def _reads(self, target: Node) -> list[tuple[Node, int, tuple[int, ...]]]:
        """What a kept value's formula reads: (node, place, parameters on its path)."""
        found: list[tuple[Node, int, tuple[Node, ...]]] = []
        expanded = {target}
        place = 0
        stack: list[tuple[Node, tuple[Node, ...]]] = self._operands(target, ())
        while stack:
            node, labels = stack.pop()
            if node in self.kept or node.kind == "parameter":
                found.append((node, place, labels))
            elif node.inputs and node not in expanded:
                expanded.add(node)
                stack.extend(self._operands(node, labels))
                continue
            place += 1
        parameters = [n for n, _, _ in found if n.kind == "parameter"]
        number: dict[Node, int] = {}
        for k, p in enumerate(parameters):
            number.setdefault(p, k)
        return [
            (n, at, () if n.kind == "parameter" else tuple(number[p] for p in labels))
            for n, at, labels in found
        ]

    def _operands(
        self, node: Node, labels: tuple[Node, ...]
    ) -> list[tuple[Node, tuple[Node, ...]]]:
        """The inputs of a node, last first, each with the parameters that label it."""
        if not node.inputs or _reads_a_leaf_sequence(node):
            return []
        operands = []
        for i in reversed(range(len(node.inputs))):
            here = labels
            if node.op.name in BILINEAR:
                for j, other in enumerate(node.inputs):
                    if j != i:
                        here += self.factors.get(other, ())
            operands.append((node.inputs[i], here))
        return operands


def _reads_a_leaf_sequence(node: Node) -> bool:
    """Whether this is x(t) of data: it stands for itself, its sequence is not drawn."""
    return node.op.name == "step" and not node.inputs[0].inputs


def _kept(graph: Graph) -> dict[Node, str]:
    """The nodes to keep and their names."""
    crossing: set[Node] = set()
    for node in graph.nodes:
        for source in node.inputs:
            if source.name is None and source.inputs and source.time is not None:
                same = node.time is not None and node.time[0] is source.time[0]
                if same and node.time != source.time:
                    crossing.add(source)
    serves: set[Node] = set()
    for node in reversed(graph.nodes):
        if node in serves or node.name is not None:
            serves.update(node.inputs)
    states = {graph.places[node] for node in crossing & serves}
    sequences = {n.inputs[0] for n in graph.nodes if n.op and n.op.name == "step"}
    kept: dict[Node, str] = {}
    letters: dict[Any, str] = {}
    for node in graph.nodes:
        if node.kind == "parameter":
            continue
        if node.name is not None:
            # The sequence that a loop reads x(t) from is not drawn beside the x(t).
            if (
                node not in sequences
                or node.inputs
                or any(use.node.op.name != "step" for use in graph.uses(node))
            ):
                kept[node] = node.name
        elif node.time is not None and graph.places[node] in states:
            k = len(letters)
            letter = letters.setdefault(graph.places[node], f"s{k + 1}" if k else "s")
            kept[node] = letter
    return kept


def _factors(graph: Graph, kept: dict[Node, str]) -> dict[Node, tuple[Node, ...]]:
    """Which unnamed expressions are made of parameters and constants alone."""
    factors: dict[Node, tuple[Node, ...]] = {}
    for node in graph.nodes:
        if node.kind == "parameter":
            factors[node] = (node,)
        elif node.kind == "constant":
            factors[node] = ()
        elif (
            node.inputs and node not in kept and all(i in factors for i in node.inputs)
        ):
            factors[node] = tuple(
                dict.fromkeys(p for i in node.inputs for p in factors[i])
            )
    return factors


def _picked_times(reads: dict[Node, list[Any]]) -> dict[Node, Any]:
    """The steps of read-outs made after a loop, and of the leaves that serve them."""
    times: dict[Node, Any] = {}
    consumers: dict[Node, list[Node]] = {}
    for node, found in reads.items():
        if node.time is None and found:
            seen = {n.time or times.get(n) for n, _, _ in found if n in reads}
            seen.discard(None)
            if len(seen) == 1:
                times[node] = seen.pop()
        for source, _, _ in found:
            consumers.setdefault(source, []).append(node)
    for node, found in reads.items():
        if node.time is None and not found and node in consumers:
            # An initial state serves a step itself, a target serves a read-out.
            served = {times.get(c) for c in consumers[node]}
            if len(served) == 1 and None not in served:
                times[node] = served.pop()
    return times
