"""Contraction: the graph of the named values alone, as the textbook draws it.

``contract`` keeps what has a name (x, h, o, L, y), each unnamed state (it is called s)
that a later step reads and a named value depends on, or that is read more than one step
later, and what a state starts from (h0).
Between two kept values an arrow stands for the paths of ops that join them, and says
which parameters enter these by a product: the letter on the arrow is W, and not b. A
matrix whose rows an index picks is a letter of the index' arrow.

A read-out made after the loop from one step's h gets that step.

>>> import minigrad as mg
>>> U = mg.parameter([[2.0]], name="U")
>>> for t, x in mg.steps([[[1.0]], [[2.0]]]):
...     o = mg.tanh(x @ U).named("o")
>>> [node.label for node in contract(o).nodes]
['U', 'x(2)', 'o(2)']
"""

from collections.abc import Container
from typing import Any, NamedTuple

from minigrad.graph import Graph, Leaf, Node, PerOperand, by_id
from minigrad.scope import Scope, Slot

# Ops in which a parameter multiplies what the arrow carries.
BILINEAR = frozenset(
    ["matmul", "multiply", "dot", "einsum", "tensordot", "outer", "conv1d"]
)
# Ops that pick from their first operand what the others say.
PICKING = frozenset(["embedding", "take", "take_along_axis", "getitem"])


class Letter(NamedTuple):
    """A parameter on the way, and whether it multiplies transposed."""

    node: Node
    turned: bool


class Named(NamedTuple):
    """The op of a contracted node: all that was computed since the values it reads."""

    name: str


NAMED = Named("named")  # known by its name: a graph that was read has another one


def contract(graph: Any) -> Graph:
    """The graph of the named values.

    Takes a Graph, a Tensor or a list of them. A kept value's node reads named values
    and parameters, in the order in which its formula met them first. ``attrs["via"]``
    has an entry for each: None for a parameter that is a letter of the formula, for a
    value the letters on its paths, by number k among the node's letters, or -k - 1 of
    one that multiplies transposed.
    ``attrs["uses"]`` tells where the formula meets each. Raises ValueError if nothing
    has a name.
    """
    whole = graph if isinstance(graph, Graph) else Graph(graph)
    contracted = any(node.op == NAMED for node in whole.nodes)
    return whole if contracted else _Contraction(whole).graph()


class _Read(NamedTuple):
    """What a formula reads, the op and argument that do, and the letters on the way."""

    node: Node
    reader: Node
    argument: int
    letters: tuple[Letter, ...]


class _Contraction:
    def __init__(self, graph: Graph) -> None:
        self.source = graph
        self.kept = _kept(graph)
        self.factors = _factors(graph, self.kept)
        self.made: dict[Node, Node] = {}
        self.untimed = 0
        self.uses: dict[Any, int] = {}
        counts: dict[Any, int] = {}
        places = graph.places
        self.gathers = {
            places[n]
            for n in graph.nodes
            if n.inputs
            and (
                counts.setdefault(places[n], len(n.inputs)) != len(n.inputs)
                or (len(n.inputs) > 1 and _gathers(n, places))
            )
        }

    def graph(self) -> Graph:
        reads = {n: self._reads(n) for n in self.source.nodes if n in self.kept}
        times = _picked_times(reads)
        for node in self.source.nodes:
            if node.kind == "parameter":
                self.made[node] = node
            elif node in self.kept:
                self.made[node] = self._node(node, reads[node], times.get(node))
        lines: dict[Any, list[Node]] = {}
        for output in self.source.outputs:
            found = (
                [output]
                if output in self.kept
                else [r.node for r in self._reads(output) if r.node in self.kept]
            )
            for node in found:
                lines.setdefault(self.source.places[node], []).append(node)
        outputs = [n for line in lines.values() for n in sorted({*line}, key=by_id)]
        if not outputs:
            raise ValueError(
                "no value of this graph has a name: name the ones to see, "
                'h = mg.tanh(...).named("h")'
            )
        return Graph([self.made[node] for node in outputs])

    def _node(self, node: Node, reads: list[_Read], time: Any) -> Node:
        if node.time is not None:
            scope, slot = node.scope, node.slot
        elif node.inputs or time is not None:
            # Numbered anew: unnamed lines outside of the loops do not count here.
            slot, self.untimed = self.untimed, self.untimed + 1
            t = None if time is None else time[1]
            scope = Scope((*node.scope.path, ("read-out", 0)), time, t)
        elif node.name is not None:
            return node
        else:
            scope, slot = node.scope, node.slot
        if not reads:
            return Leaf("input", node.value, self.kept[node], scope, slot)
        letters = [r.node for r in reads if self._is_letter(r.node)]
        number: dict[Node, int] = {}
        for k, letter in enumerate(letters):
            number.setdefault(letter, k)
        via = [
            None
            if self._is_letter(r.node)
            else tuple(~number[p] if turned else number[p] for p, turned in r.letters)
            for r in reads
        ]
        attrs: dict[str, Any] = {"via": PerOperand(via)}
        if scope.time is not None:
            attrs["uses"] = PerOperand([self._use(node, r) for r in reads])
            order = sorted(range(len(reads)), key=attrs["uses"].__getitem__)
            reads = [reads[i] for i in order]
            attrs = {k: PerOperand([v[i] for i in order]) for k, v in attrs.items()}
        inputs = tuple(self.made[r.node] for r in reads)
        return Node(NAMED, inputs, attrs, node.value, scope, slot, self.kept[node])

    def _use(self, node: Node, read: _Read) -> int:
        """The number of a use: the same wherever the formula has it at another step."""
        places = self.source.places
        at = (places[node], places[read.reader])
        # Of an op that gathers steps all that it reads are one use.
        argument = -1 if at[1] in self.gathers else read.argument
        return self.uses.setdefault((at, argument), len(self.uses))

    def _is_letter(self, node: Node) -> bool:
        return node.kind == "parameter" and node not in self.kept

    def _reads(self, target: Node) -> list[_Read]:
        """What a kept value's formula reads."""
        found: list[tuple[Node, Node, int]] = []
        inner = {target}
        stack = _operands(target)
        while stack:
            node, reader, i = stack.pop()
            if node in self.kept or node.kind == "parameter":
                found.append((node, reader, i))
            elif node.inputs and node not in inner:
                inner.add(node)
                stack.extend(_operands(node))
        letters = self._letters(inner)
        return [_Read(node, reader, i, letters[reader, i]) for node, reader, i in found]

    def _letters(self, inner: set[Node]) -> dict[tuple[Node, int], tuple[Letter, ...]]:
        """The letters on all paths from each operand of a formula to its value."""
        above: dict[Node, dict[Letter, None]] = {}
        letters: dict[tuple[Node, int], tuple[Letter, ...]] = {}
        for reader in sorted(inner, key=by_id, reverse=True):
            mine = above.get(reader, {})
            for i, node in enumerate(reader.inputs):
                here = dict(mine)
                for other in partners(reader, i):
                    here |= dict.fromkeys(self.factors.get(other, ()))
                letters[reader, i] = tuple(here)
                if node in inner:
                    above[node] = above.get(node, {}) | here
        return letters


def partners(reader: Node, argument: int) -> tuple[Node, ...]:
    """The operands of an op that multiply what comes in at an argument, or are picked.

    >>> import minigrad as mg
    >>> x, W = mg.tensor([[1.0]], name="x"), mg.parameter([[2.0]], name="W")
    >>> [node.label for node in partners((x @ W).node, 0)]
    ['W']
    """
    if reader.op.name in BILINEAR:
        return (*reader.inputs[:argument], *reader.inputs[argument + 1 :])
    return reader.inputs[:1] if argument and reader.op.name in PICKING else ()


def _gathers(node: Node, places: dict[Node, Any]) -> bool:
    """Whether an op of any number of values reads one line at several steps."""
    variadic = getattr(node.op, "variadic", False)
    sources = set(node.inputs)
    return variadic and len(sources) > 1 and len({places[s] for s in sources}) == 1


def _operands(node: Node) -> list[tuple[Node, Node, int]]:
    """The inputs of a node, last first, each with the node and its argument."""
    if not node.inputs or _reads_a_leaf_sequence(node):
        return []
    pairs = reversed(list(enumerate(node.inputs)))
    return [(source, node, i) for i, source in pairs]


def _reads_a_leaf_sequence(node: Node) -> bool:
    """Whether this is x(t) of data: it stands for itself, its sequence is not drawn."""
    return node.op.name == "step" and not node.inputs[0].inputs


def _kept(graph: Graph) -> dict[Node, str]:
    """The nodes to keep and their names."""
    # Where nothing that was computed has a name, the outputs are what there is to see.
    computed = (n.name for n in graph.nodes if n.inputs and n.op.name != "step")
    serves = set() if any(computed) else set(graph.outputs)
    for node in reversed(graph.nodes):
        if node in serves or node.name is not None:
            serves.update(node.inputs)
    crossing = _crossing(graph)
    states = {
        graph.places[s]
        for s, delay in crossing.items()
        if s.name is None and s.slot.__class__ is not Slot
        # A longer delay tells how what depends on the state begins.
        if s in serves or delay > 1
    }
    sequences = {n.inputs[0] for n in graph.nodes if n.op and n.op.name == "step"}
    kept: dict[Node, str] = {}
    letters: dict[Any, str] = {}
    # A state that is named after its loop has that name at the last step alone.
    said = {graph.places[n]: n.name for n in graph.nodes if n.name and n.time}
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
            k, place = len(letters), graph.places[node]
            kept[node] = said.get(place) or letters.setdefault(
                place, f"s{k + 1}" if k else "s"
            )
    first = {
        graph.places[start]: start.name or f"{kept[state]}0"
        for start, state in _starts(graph, crossing).items()
        if state in kept and start not in kept
    }
    # Of a line in a loop all steps are kept, or the one that is read would differ.
    kept |= {n: first[p] for n, p in graph.places.items() if p in first}
    return kept


def _crossing(graph: Graph) -> dict[Node, int]:
    """The values that another step of their own loop reads, and the longest delay."""
    found: dict[Node, int] = {}
    for node in graph.nodes:
        for source in node.inputs:
            delay = _delay(node, source)
            if source.inputs and delay:
                found[source] = max(delay, found.get(source, 0))
    return found


def _delay(node: Node, source: Node) -> int:
    """How many steps of its own loop lie between a node and a value that it reads."""
    a, b = node.time, source.time
    return abs(a[1] - b[1]) if a and b and a[0] is b[0] else 0


def _starts(graph: Graph, crossing: Container[Node]) -> dict[Node, Node]:
    """Values that are read where other steps read a state of their loop: its start.

    An initial state is a value like any other, be it a parameter, computed or an array.
    """
    states: dict[Any, Node] = {}
    starts: dict[Node, Any] = {}
    for node in graph.nodes:
        if node.time is None or node.slot.__class__ is Slot:
            continue  # in the graph of a gradient the ends are no initial states
        for i, source in enumerate(node.inputs):
            use = (graph.places[node], i)
            if source in crossing and _delay(node, source):
                states.setdefault(use, source)
            elif source.kind == "parameter" or (
                source.name is None
                and source.time != node.time  # what its own step has made is no start
                and (source.kind != "constant" or source.time is None)
            ):
                starts.setdefault(source, []).append(use)
    found = {}
    for node, uses in starts.items():
        state = next((states[use] for use in uses if use in states), None)
        if state is not None:
            found[node] = state
    return found


def _factors(graph: Graph, kept: dict[Node, str]) -> dict[Node, tuple[Letter, ...]]:
    """Which unnamed expressions are made of parameters and constants alone."""
    factors: dict[Node, tuple[Letter, ...]] = {}
    for node in graph.nodes:
        if node in kept:
            continue
        if node.kind == "parameter":
            factors[node] = (Letter(node, False),)
        elif node.kind == "constant":
            factors[node] = ()
        elif node.inputs and all(i in factors for i in node.inputs):
            letters = dict.fromkeys(p for i in node.inputs for p in factors[i])
            turns = node.op.name in ("transpose", "swapaxes")
            factors[node] = tuple(
                Letter(p, turned != (turns and len(p.value.shape) > 1))
                for p, turned in letters
            )
    return factors


def _picked_times(reads: dict[Node, list[_Read]]) -> dict[Node, Any]:
    """The steps of read-outs made after a loop, and of the leaves that serve them."""
    times: dict[Node, Any] = {}
    consumers: dict[Node, list[Node]] = {}
    for node, found in reads.items():
        if node.time is None and found:
            seen = {r.node.time or times.get(r.node) for r in found if r.node in reads}
            seen.discard(None)
            if len(seen) == 1:
                times[node] = seen.pop()
        for read in found:
            consumers.setdefault(read.node, []).append(node)
    for node, found in reads.items():
        if node.time is None and not found and node in consumers:
            # An initial state serves a step itself, a target serves a read-out.
            served = {times.get(c) for c in consumers[node]}
            if len(served) == 1 and None not in served:
                times[node] = served.pop()
    return times
