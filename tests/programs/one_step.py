"""What a fold says of one step: that it is linear, and what it computes.

A recorded graph is run again with other values of a state at two steps. Where the state
is said to be linear, what it is at the others changes linearly, and where it is said to
be diagonal, only the element at the place of the one that was changed.

>>> from tests.programs.recurrence import draw_recurrence
>>> trial = Trial(draw_recurrence("recurrence/0/0"))
>>> trial.check(linear)
>>> trial.check(stepped)
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.graph import Graph, Node
from tests.programs.agreement import (
    Array,
    Trial,
    gap_of,
    scale_of,
    tolerance_of,
)
from tests.programs.folding import LENGTHS, Recorded


def linear(trial: Trial) -> None:
    """States that are said to be linear are, in the program and in its gradient."""
    _of_both(trial, "linear", why_not_linear)


def stepped(trial: Trial) -> None:
    """A step gives what the recorded ones have."""
    _of_both(trial, "stepped", why_not_stepped)


def _of_both(trial: Trial, check: str, why: Callable[[Graph], str | None]) -> None:
    for with_gradient in (False, True):
        recorded = Recorded(trial, check, with_gradient)
        graph = recorded.at(LENGTHS[0])
        if graph is None or not graph.clocks:
            continue
        try:
            said = why(graph)
        except ValueError as error:  # a FoldError is one
            trial.refusals.append(f"{check}: {error}")
            continue
        if said is not None:
            raise recorded.fail(said, "", check, LENGTHS[0])


def why_not_linear(graph: Graph) -> str | None:
    """What contradicts ``Recurrence.linear``, in words, or None.

    >>> import minigrad as mg
    >>> h = mg.tensor([1.0], name="h0")
    >>> for t in mg.steps(6):
    ...     h = 0.5 * h + 1.0
    >>> why_not_linear(mg.Graph(h)) is None
    True
    """
    from minigrad.fold.folding import Folding
    from minigrad.fold.linear import linear as linear_roles

    folding = Folding(graph)
    roles = folding.recurrence().roles
    rng = np.random.default_rng(0)
    tolerance = tolerance_of(list(graph.outputs))
    for index, how in linear_roles(roles).items():
        nodes, label = folding.members[index], roles[index].label
        if how is None:
            continue
        turned = nodes[max(0, len(nodes) // 2 - 1) :][:2]
        way = [rng.normal(size=n.shape) for n in turned]
        for far in (0.1, 3.0):
            moves = [[k * far * w for w in way] for k in (0, 1, 2)]
            by = [dict(zip(turned, move, strict=True)) for move in moves]
            a, b, c = (_moved(graph, move, nodes) for move in by)
            size = scale_of([*a, *b, *c])
            bend = max(gap_of(x + z, 2 * y) for x, y, z in zip(a, b, c, strict=True))
            if bend > tolerance * size:
                return f"{label} is said to be {how}, and bends"
        if how == "diagonal" and not _apart(graph, turned[0], nodes):
            return f"{label} is said to be diagonal, and its elements mix"
    return None


def _moved(graph: Graph, by: Mapping[Node, Array], of: Sequence[Node]) -> list[Array]:
    """The values of some nodes where others are moved."""
    # In the dtype of the node: another one would round elsewhere too.
    values = {n: (n.value + move).astype(n.value.dtype) for n, move in by.items()}
    for node in graph.nodes:
        if node not in values and any(i in values for i in node.inputs):
            values[node] = _again(node, [values.get(i, i.value) for i in node.inputs])
    return [np.asarray(values.get(node, node.value), float) for node in of]


def _again(node: Node, given: list[Any]) -> Any:
    """What the op of a node makes of other values."""
    if node.op.name == "step":  # it knows its own step from where it runs
        return given[0][(node.t or 0) - 1]
    return node.op.on(given, dict(node.attrs))


def _apart(graph: Graph, turned: Node, nodes: Sequence[Node]) -> bool:
    """Whether a change of one element leaves all others as they are."""
    before = _moved(graph, {}, nodes)
    for place in np.ndindex(turned.shape):
        move = np.zeros(turned.shape)
        move[place] = 1.0
        for old, new in zip(before, _moved(graph, {turned: move}, nodes), strict=True):
            if old.shape != turned.shape or np.any((old != new) & (move == 0)):
                return False
    return True


def why_not_stepped(graph: Graph) -> str | None:
    """What ``Recurrence.step`` gives that the recorded steps have not, or None.

    >>> import minigrad as mg
    >>> h = mg.tensor([1.0], name="h0")
    >>> for t in mg.steps(6):
    ...     h = mg.tanh(0.5 * h + 1.0)
    >>> why_not_stepped(mg.Graph(h)) is None
    True
    """
    from minigrad.fold.folding import Folding
    from minigrad.fold.stepping import is_given

    folding = Folding(graph)
    recurrence = folding.recurrence()
    body = recurrence._body
    at = {(i, n.t): n.value for i, nodes in enumerate(folding.members) for n in nodes}
    (length,) = recurrence.lengths
    back = 1 if body.back == "+" else -1
    tolerance = tolerance_of(list(graph.outputs))
    for t in range(body.longest + 2, length - body.longest):
        state = {
            name: at[i, t + back * k] for i in body.reach for k, name in body.entries(i)
        }
        given = [i for i in body.order if is_given(recurrence.roles[i])]
        found = recurrence.step(state, {body.names[i]: at[i, t] for i in given})
        for i in body.results:
            name, expected = body.names[i], np.asarray(at[i, t])
            if name not in found:
                continue  # it needs what one step alone does not have
            if found[name].shape != expected.shape:
                return f"{name}({t}) has shape {found[name].shape}"
            size = scale_of([expected])
            if gap_of(found[name], expected) > tolerance * size:
                return f"{name}({t}) is {found[name]} instead of {expected}"
    return None
