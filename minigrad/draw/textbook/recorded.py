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
    """What one line reads: of each source by which parameters, and at which steps."""

    def __init__(self) -> None:
        self.letters: dict[Node, int] = {}
        self.steps: dict[tuple[Any, ...], list[int]] = defaultdict(list)


def as_recorded(graph: Graph) -> Recurrence:
    """The named values and their arrows, each with the steps that it is there."""
    contracted = contract(graph)
    clocks = {clock: i for i, clock in enumerate(contracted.clocks)}
    groups: dict[Any, list[Node]] = defaultdict(list)
    for node in contracted.nodes:
        groups[contracted.places[node], node.name].append(node)
    role_of = {node: i for i, nodes in enumerate(groups.values()) for node in nodes}
    names = contracted.names
    roles = []
    for index, ((place, _), nodes) in enumerate(groups.items()):
        first, reads = nodes[0], _Reads()
        for node in nodes:
            _add(reads, node, role_of)
        parameters = [(Source(role_of[p], "broadcast"),) for p in reads.letters]
        operands, via = [], []
        for (role, kind, delay, at, letters), steps in reads.steps.items():
            span: Any = Steps(sorted(steps)) if first.time else None
            operands.append((Source(role, kind, delay, at, span),))
            numbers = tuple(reads.letters[p] for p in letters)
            via.append(numbers if first.time else (numbers,))
        none = [None if first.time else (None,)] * len(parameters)
        time = first.time
        spans: Any = Steps(sorted(n.time[1] for n in nodes if n.time)) if time else None
        value = first.value
        roles.append(
            Role(
                index,
                first.kind,
                first.op,
                {"via": PerOperand([*none, *via])},
                first.name,
                place[0],
                place[1],
                clocks[time[0]] if time else None,
                spans,
                value if first.kind == "constant" else None,
                (*parameters, *operands),
                Spec(getattr(value, "shape", ()), str(getattr(value, "dtype", ""))),
                first if not time and not first.inputs else None,
                names.get(first) or first.label,
            )
        )
    return Recurrence(tuple(roles), (), tuple(contracted.clocks.values()))


def _add(reads: _Reads, node: Node, role_of: dict[Node, int]) -> None:
    """Add what a node reads; several steps of another loop are one source."""
    via = node.attrs.get("via", (None,) * len(node.inputs))
    pairs = list(zip(node.inputs, via, strict=True))
    own = [source for source, by in pairs if by is None]
    for parameter in own:
        reads.letters.setdefault(parameter, len(reads.letters))
    here = node.time[1] if node.time else 0
    far: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for source, by in pairs:
        if by is None:
            continue
        letters = tuple(own[k] for k in by)
        role = role_of[source]
        if source.time is None:
            kind = "broadcast" if node.time else "plain"
            reads.steps[role, kind, None, None, letters].append(here)
        elif node.time and source.time[0] is node.time[0]:
            delay = here - source.time[1]
            reads.steps[role, "delay", delay, None, letters].append(here)
        else:
            far[role, letters].append(source.time[1])
    for (role, letters), steps in far.items():
        at = Steps(sorted(set(steps)))
        kind = "pick" if len(at) == 1 else "gather"
        reads.steps[role, kind, None, at, letters].append(here)
