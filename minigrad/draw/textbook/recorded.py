"""A graph whose steps differ, as it was recorded: no proof, and no folded circuit.

Where ``fold`` finds the same at every step, this says of each arrow at which steps it
was there. It cannot be folded or unrolled to another length; columns can be drawn.

>>> import minigrad as mg
>>> h = mg.tensor([[1.0]], name="h0")
>>> for t in mg.steps(4):
...     if t != 3:
...         h = mg.tanh(h).named("h")
>>> [str(edge) for edge in as_recorded(mg.Graph(h)).edges]
['h0 -> h(1)', 'h(1) -> h(2)', 'h(2) -> h(4)']
"""

from collections import defaultdict
from typing import Any

from minigrad.fold import Recurrence, Role, Source, contract
from minigrad.graph import Graph, Node, PerOperand, Spec


class Steps(tuple[int, ...]):
    """Steps one by one, in the place of a ``Span``."""

    down, every = False, 1

    @property
    def first(self) -> int:
        """The first of them."""
        return self[0]

    @property
    def last(self) -> int:
        """The last of them."""
        return self[-1]

    def steps(self, length: int) -> "Steps":
        """The steps themselves."""
        return self

    def __str__(self) -> str:
        return ", ".join(map(str, self))


class _Reads:
    """What one line reads: of each source by which parameters, and at which steps.

    What is read in one place of the formula, at other steps another thing, is one
    operand: an initial state in the place of a state.
    """

    def __init__(self) -> None:
        self.letters: dict[Node, int] = {}
        self.places: dict[Any, dict[tuple[Any, ...], list[int]]] = {}

    def add(self, node: Node, role_of: dict[Node, int]) -> None:
        """Add what a node reads; several steps of another loop are one source."""
        via = node.attrs.get("via", (None,) * len(node.inputs))
        uses = node.attrs.get("uses", range(len(node.inputs)))
        own = [i for i, by in zip(node.inputs, via, strict=True) if by is None]
        for parameter in own:
            self.letters.setdefault(parameter, len(self.letters))
        here = node.time[1] if node.time else 0
        far: dict[tuple[Any, ...], list[int]] = defaultdict(list)
        for source, by, use in zip(node.inputs, via, uses, strict=True):
            if by is None:
                continue
            letters = tuple((own[max(k, ~k)], k < 0) for k in by)
            role, there = role_of[source], source.time
            if there is not None and not (node.time and there[0] is node.time[0]):
                far[role, letters].append(there[1])
                continue
            kind = "delay" if there else "broadcast" if node.time else "plain"
            delay = here - there[1] if there else None
            operand = self.places.setdefault((use, letters), {})
            operand.setdefault((role, kind, delay, None), []).append(here)
        for (role, letters), steps in far.items():
            at = Steps(sorted(set(steps)))
            kind = "pick" if len(at) == 1 else "gather"
            operand = self.places.setdefault(((role, at), letters), {})
            operand.setdefault((role, kind, None, at), []).append(here)


def as_recorded(graph: Graph) -> Recurrence:
    """The named values and their arrows, each with the steps that it is there."""
    contracted = contract(graph)
    clocks = {clock: i for i, clock in enumerate(contracted.clocks)}
    groups: dict[Any, list[Node]] = defaultdict(list)
    for node in contracted.nodes:
        groups[contracted.places[node], node.name].append(node)
    role_of = {node: i for i, nodes in enumerate(groups.values()) for node in nodes}
    names, roles = contracted.names, []
    for index, ((place, _), nodes) in enumerate(groups.items()):
        first, reads = nodes[0], _Reads()
        for node in nodes:
            reads.add(node, role_of)
        operands, via = _operands(reads, role_of, first.time is not None)
        time, value = first.time, first.value
        spans: Any = Steps(sorted(n.time[1] for n in nodes if n.time)) if time else None
        roles.append(
            Role(
                index,
                first.kind,
                first.op,
                {"via": PerOperand(via)},
                first.name,
                place[0],
                place[1],
                clocks[time[0]] if time else None,
                spans,
                value if first.kind == "constant" else None,
                operands,
                Spec(getattr(value, "shape", ()), str(getattr(value, "dtype", ""))),
                first if not time and not first.inputs else None,
                names.get(first) or first.label,
            )
        )
    return Recurrence(tuple(roles), (), tuple(contracted.clocks.values()))


def _operands(
    reads: _Reads, role_of: dict[Node, int], timed: bool
) -> tuple[tuple[Any, ...], list[Any]]:
    """The operands of a role, and by which letters each is read."""
    operands: list[tuple[Source, ...]] = [
        (Source(role_of[p], "broadcast"),) for p in reads.letters
    ]
    via: list[Any] = [None if timed else (None,)] * len(operands)
    for (_, letters), found in reads.places.items():
        sources = []
        for (role, kind, delay, at), steps in found.items():
            span: Any = Steps(sorted(steps)) if timed else None
            sources.append(Source(role, kind, delay, at, span))
        operands.append(tuple(sources))
        told = ((reads.letters[p], turned) for p, turned in letters)
        numbers = tuple(~k if turned else k for k, turned in told)
        via.append(numbers if timed else (numbers,) * len(sources))
    return tuple(operands), via
