"""Numbers for figures: what flows backward through the recorded graph, in norms.

Vocabulary
    seat      where a named value stands in the unrolled figure: (name, t)
    message   the part of a value's gradient that comes back over one arrow
    share     the part of a parameter's gradient that comes from one step (eq. 10.25)

Norms are those of the whole array (Frobenius), the batch included.

>>> import minigrad as mg
>>> W = mg.parameter([[0.5]], name="W")
>>> h = mg.tensor([[1.0]], name="h0")
>>> for t in mg.steps(3):
...     h = (h @ W).named("h")
>>> flow = backward(mg.Graph(h), {("h", t) for t in (1, 2, 3)})
>>> flow.totals["h"], flow.messages[("h", 2), ("h", 3)]
({1: 0.25, 2: 0.5, 3: 1.0}, 0.5)
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.fold.contract import BILINEAR, PICKING, contract, partners
from minigrad.graph import Graph, Node, by_id
from minigrad.pullback import pullback

Seat = tuple[str, int | None]
Series = dict[str, dict[int, float]]
Use = tuple[str, int, int]
FACTORS = BILINEAR | PICKING


@dataclass(frozen=True)
class Flow:
    """Gradient norms: of values, of messages along arrows, of parameters by step."""

    totals: Series
    messages: dict[tuple[Seat, Seat], float]
    shares: Series
    parameters: dict[str, float]


def seats(graph: Graph, keys: Sequence[str] = ()) -> dict[Node, Seat]:
    """The seat of every value that is drawn; a read-out after the loop has its step's.

    What a figure gives a name (s, h0) has none in the graph. ``keys`` are those of a
    chart's roles, which tell values of one name apart.
    """
    contracted = contract(graph)
    places = contracted.places
    roles: dict[Any, int] = {}
    late: dict[Any, Seat] = {}
    called: dict[Any, Seat] = {}
    for node in contracted.nodes:
        role = roles.setdefault((places[node], node.name), len(roles))
        if node.name is not None:
            here = keys[role] if keys else node.name, node.t
            late[node.name, id(node.value)] = here
            called[id(node.value), node.time] = here
    # A parameter that an arrow comes from is a start that is learnt.
    starts = {
        (source.name, id(source.value))
        for node in contracted.nodes
        for source, letters in zip(node.inputs, node.attrs.get("via", ()), strict=False)
        if source.kind == "parameter" and letters is not None
    }
    found: dict[Node, Seat] = {}
    for node in graph.nodes:
        value = id(node.value)
        learnt = (node.name, value) in starts
        if node.name is not None and (node.kind != "parameter" or learnt):
            name, t = late.get((node.name, value), (node.name, None))
            found[node] = (name, node.t if node.time else t)
        elif node.inputs and (value, node.time) in called:
            found[node] = called[value, node.time]
    return found


def chosen(graph: Graph, at: dict[Node, Seat], name: str | None, t: int | None) -> Node:
    """The node of that name at that step; None as the step means the last."""
    found = [n for n, seat in at.items() if seat[0] == name]
    if t is not None:
        found = [n for n in found if at[n][1] == t]
    if not found:
        step = "" if t is None else f" at step {t}"
        known = f"there are {', '.join(sorted({seat[0] for seat in at.values()}))}"
        if steps := [s for key, s in at.values() if key == name and s is not None]:
            known = f"it is at steps {min(steps)}..{max(steps)}"
        raise ValueError(f"no value named {name!r}{step}; {known}")
    return found[-1]


def gradients(graph: Graph, outputs: Collection[Node], nodes: list[Node]) -> list[Any]:
    """The gradients of the (summed) outputs by some nodes; 0.0 where none arrives."""
    found = pullback(list(outputs), [np.ones_like(o.value) for o in outputs], nodes)
    return [found.get(node, 0.0) for node in nodes]


def by_step(
    graph: Graph,
    names: Collection[str],
    measure: Callable[[list[Node]], list[float]],
    keys: Sequence[str] = (),
) -> Series:
    """A number for each of the named values at each step; ``keys`` as for ``seats``."""
    at = seats(graph, keys)
    nodes = [n for n, (name, t) in at.items() if name in names and t is not None]
    series: Series = {name: {} for name in names}
    for node, value in zip(nodes, measure(nodes), strict=True):
        name, t = at[node]
        series[name][t or 0] = value
    return {name: dict(sorted(numbers.items())) for name, numbers in series.items()}


def norm(array: Any) -> float:
    """The Frobenius norm, in float64; exact zeros give 0.0, and nan and inf stay."""
    values = np.asarray(getattr(array, "cotangent", array), dtype=np.float64)
    largest = float(np.max(np.abs(values), initial=0.0))
    if largest == 0.0 or not np.isfinite(largest):
        return largest
    # Scaled, since squares of 1e-200 would vanish.
    return largest * float(np.sqrt(np.sum((values / largest) ** 2)))


def backward(graph: Graph, visible: Collection[Seat], keys: Sequence[str] = ()) -> Flow:
    """All gradient norms that the backward view shows, in one backward pass.

    ``visible`` are the seats between which messages are wanted, ``keys`` those of a
    chart's roles; totals and shares cover every step.
    """
    at = seats(graph, keys)
    # Elements of a given sequence are data.
    made = [n for n in at if n.inputs and (n.op.name != "step" or n.inputs[0].inputs)]
    values = [n for n in made if np.issubdtype(n.value.dtype, np.inexact)]
    parameters = list(graph.parameters)
    names = graph.names
    # A parameter that is an initial state stands among the values.
    at |= {p: (names[p], None) for p in parameters if (names[p], None) in visible}
    arrived: list[tuple[Node, int, Any]] = []
    outputs = graph.outputs
    ones = [np.ones_like(o.value) for o in outputs]
    found = pullback(outputs, ones, [*values, *parameters], shares=arrived)
    totals: Series = {}
    for node in values:
        name, t = at[node]
        if t is not None:
            totals.setdefault(name, {})[t] = norm(found.get(node, 0.0))
    sums: dict[tuple[Seat, Seat], Any] = {}
    by_use: dict[tuple[str, int], Any] = {}
    wanted = set(parameters)
    for consumer, argument, cotangent in arrived:
        source = consumer.inputs[argument]
        part = getattr(cotangent, "cotangent", cotangent)
        if source in wanted:
            key = (names[source], consumer.t or 0)
            by_use[key] = by_use.get(key, 0.0) + part
        if at.get(source) in visible:
            for target in serves(graph, consumer, at):
                way = (at[source], at[target])
                sums[way] = sums.get(way, 0.0) + part
    shares: Series = {}
    for (name, t), part in sorted(by_use.items()):
        shares.setdefault(name, {})[t] = norm(part)
    return Flow(
        totals,
        {way: norm(part) for way, part in sums.items()},
        shares,
        {names[p]: norm(found.get(p, 0.0)) for p in parameters},
    )


def serves(graph: Graph, node: Node, among: Collection[Node]) -> list[Node]:
    """The first of some values that are computed from a node."""
    served, stack, seen = [], [node], {node}
    while stack:
        here = stack.pop()
        if here in among:
            served.append(here)
            continue
        new = dict.fromkeys(
            use.node for use in graph.uses(here) if use.node not in seen
        )
        seen.update(new)
        stack += new
    return served


def multiplied(graph: Graph) -> tuple[str, ...]:
    """The parameters that multiply what is none, or that an index picks from.

    >>> import minigrad as mg
    >>> W, b = (mg.parameter([2.0], name=name) for name in "Wb")
    >>> multiplied(Graph((mg.tensor([1.0], name="x") * W + b).named("y")))
    ('W',)
    """
    serves = {n for n in graph.nodes if n.name is not None and n.inputs}
    for node in reversed(graph.nodes):  # of the others no figure of values tells
        if node in serves:
            serves.update(node.inputs)
    letters: dict[Node, frozenset[Node]] = {}  # of what is made of parameters alone
    found: dict[Node, None] = {}
    for node in graph.nodes:
        if not node.inputs:
            if node.kind != "input":
                own = {node} if node.kind == "parameter" else ()
                letters[node] = frozenset(own)
        elif node.name is None and all(i in letters for i in node.inputs):
            letters[node] = frozenset().union(*(letters[i] for i in node.inputs))
        elif node.op.name in FACTORS and node in serves:
            for source in node.inputs:
                found |= dict.fromkeys(sorted(letters.get(source, ()), key=by_id))
    names = graph.names
    return tuple(names[parameter] for parameter in found)


def uses(graph: Graph, keys: Sequence[str]) -> dict[tuple[Seat, Seat], list[Use]]:
    """Which uses of parameters lie on each arrow: those that multiply on its way.

    A use is the parameter's name, the place of its consumer among the graph's nodes,
    and the argument.
    """
    at, names = seats(graph, keys), graph.names
    # A start that is learnt is a circle, and no letter on an arrow.
    weights = {p for p in graph.nodes if p.kind == "parameter" and p not in at}
    serving: set[Node] = set()  # what leads to a value that is drawn
    for node in reversed(graph.nodes):
        if node in at or node in serving:
            serving.update(node.inputs)
    inner: dict[Node, list[Use]] = {}  # of what is made of parameters alone
    ways: dict[Node, dict[Seat, dict[Use, None]]] = {}
    found: dict[tuple[Seat, Seat], dict[Use, None]] = {}
    for place, node in enumerate(graph.nodes):
        if node not in at and node not in serving:
            continue
        own = [
            inner.get(source, [])
            + ([(names[source], place, i)] if source in weights else [])
            for i, source in enumerate(node.inputs)
        ]
        fixed = (
            i in inner or i in weights or i.kind == "constant" for i in node.inputs
        )
        if node.inputs and node not in at and all(fixed):
            inner[node] = [use for made in own for use in made]
        here: dict[Seat, dict[Use, None]] = {}
        for i, source in enumerate(node.inputs):
            acting = partners(node, i)
            others = (k for k, other in enumerate(node.inputs) if other in acting)
            met = dict.fromkeys(use for k in others if k != i for use in own[k])
            carried = {at[source]: {}} if source in at else ways.get(source, {})
            for seat, on_way in carried.items():
                here.setdefault(seat, {}).update(on_way | met)
        for seat, on_way in here.items() if node in at else ():
            if seat != at[node]:
                found.setdefault((seat, at[node]), {}).update(on_way)
        ways[node] = here
    return {way: list(on_way) for way, on_way in found.items()}
