"""What a step makes of a small change of a state: the norm of ∂h(t)/∂h(t-1).

Vocabulary
    before   the value of a state one step earlier, or its start
    stretch  the largest singular value of the Jacobian by it: how much the step makes
             of the change that it lengthens most, all other states as they were

>>> import minigrad as mg
>>> W, h = mg.parameter([[0.0, 2.0], [0.5, 0.0]], name="W"), mg.ones((1, 2)).named("h0")
>>> for t in mg.steps(3):
...     h = (h @ W).named("h")
>>> stretches(mg.Graph(h), {"h": (1, ("h", "h0"))})
{'h': {1: 2.0, 2: 2.0, 3: 2.0}}
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.draw.measure import Seat, Series, seats
from minigrad.graph import Graph, Leaf, Node, by_id
from minigrad.pullback import pullback, require_current


def stretches(
    graph: Graph,
    before: Mapping[str, tuple[int, tuple[str, ...]]],
    keys: Sequence[str] = (),
) -> Series:
    """The spectral norm of ∂s(t)/∂s(t-d) of each state at each step, of the batch.

    ``before`` has of each state d, which is 1 or -1, and what may stand one step before
    it, the likeliest first; a start, which has no step, counts where it has the shape
    of the state. ``keys`` as for ``seats``. Raises ValueError where a sequence of the
    batch depends on another one.
    """
    at = seats(graph, keys)
    nodes: dict[Seat, list[Node]] = {}
    for node, seat in at.items():
        nodes.setdefault(seat, []).append(node)
    states = {n for n, (name, t) in at.items() if name in before and t is not None}
    series: Series = {name: {} for name in before}
    for name, t in sorted((s for s in nodes if s[0] in before and s[1]), key=str):
        d, names = before[name]
        places = [(other, step) for step in ((t or 0) - d, None) for other in names]
        sources = next((nodes[seat] for seat in places if seat in nodes), None)
        if sources and sources[0].shape == nodes[name, t][-1].shape:
            fixed = {n for n in states if at[n][1] != t}
            J = jacobian(nodes[name, t][-1], sources, fixed)
            largest = np.linalg.norm(J, 2, axis=(1, 2)).max() if J.size else 0.0
            series[name][t or 0] = float(largest)
    return {name: dict(sorted(numbers.items())) for name, numbers in series.items()}


def jacobian(node: Node, sources: Sequence[Node], fixed: Collection[Node]) -> Any:
    """∂node/∂sources (batch, n, m), where nothing goes through what is fixed.

    ``sources`` are nodes of one value, which has the batch first unless it is a vector.
    """
    leaf = Leaf("input", sources[0].value, None, sources[0].scope, None)
    copy = _copied(node, dict.fromkeys(sources, leaf), fixed)
    y, x = np.atleast_2d(node.value), np.atleast_2d(leaf.value)
    J = np.zeros((len(y), y[0].size, x[0].size))
    for k in range(J.shape[1]):
        g = np.zeros((len(y), J.shape[1]), node.value.dtype)
        g[:, k] = 1
        J[:, k] = _pulled(copy, leaf, g).reshape(len(x), -1)
    mixed = np.random.default_rng(0).normal(size=J.shape[:2])
    whole = _pulled(copy, leaf, mixed.astype(node.value.dtype)).reshape(len(x), -1)
    if not np.allclose(whole, np.einsum("bij,bi->bj", J, mixed), rtol=1e-3, atol=1e-5):
        raise ValueError(
            f"in {node.label} a sequence of the batch depends on others, so that no "
            "Jacobian is that of one: draw a batch of one sequence"
        )
    return J


def _pulled(node: Node, leaf: Leaf, g: Any) -> Any:
    found = pullback([node], [g.reshape(node.value.shape)], [leaf]).get(leaf)
    zeros = np.zeros(leaf.value.shape)
    return zeros if found is None else np.asarray(getattr(found, "cotangent", found))


def _copied(node: Node, copies: dict[Node, Node], fixed: Collection[Node]) -> Node:
    """The node as it depends on copies alone; itself where it does not."""
    stack, between = [node], set()
    while stack:
        here = stack.pop()
        if here not in between and here not in copies and here not in fixed:
            between.add(here)
            stack += here.inputs
    for here in sorted(between, key=by_id):
        if not copies.keys().isdisjoint(here.inputs):
            require_current(here)
            inputs = tuple([copies.get(i, i) for i in here.inputs])
            copies[here] = Node(
                here.op, inputs, here.attrs, here.value, here.scope, here.slot
            )
    return copies.get(node, node)
