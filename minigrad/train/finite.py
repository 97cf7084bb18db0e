"""Where a loss or its gradient stopped being finite: the op, the scope and the step.

>>> import minigrad as mg
>>> w = mg.parameter([-1.0], name="w")
>>> with np.errstate(invalid="ignore"):
...     loss = mg.sqrt(w).sum()
>>> said_of(1, loss, np.inf)
"step 1: the loss is nan and the gradient's norm inf; ... It began at op sqrt"
"""

import numpy as np

from minigrad.grad import grad
from minigrad.graph import Graph, Node
from minigrad.scope import LOOP
from minigrad.tensor import Tensor


def said_of(step: int, value: Tensor, norm: float) -> str:
    """In words, that a step failed and where in the graph of its loss that began.

    ``value`` is of shape ().
    """
    said = f"step {step}: the loss is {value.item()} and the gradient's norm {norm}"
    advice = "try a smaller learning rate or clip the gradient"
    node = first_not_finite(value)
    if node is None:
        return f"{said}; {advice}"
    names = "/".join(str(part[0]) for part in node.scope.path if part[0] != LOOP)
    where = f", scope {names}" if names else ""
    at = "" if node.t is None else f", t = {node.t}"
    if node.kind == "input":
        place = np.argwhere(~np.isfinite(node.value))[0].tolist()
        number = node.value[tuple(place)]
        return f"{said}, since the input {node.label} is {number} at {place}"
    what = f"op {node.op.name}"
    if not node.inputs:
        what = f"{node.kind} {node.name or 'without a name'}"
    if empty := [np.shape(i.value) for i in node.inputs if not np.size(i.value)]:
        return (
            f"{said}, since {what}{where}{at} reads an array without numbers, "
            f"of shape {empty[0]}: leave out batches that are empty"
        )
    return f"{said}; {advice}. It began at {what}{where}{at}"


def first_not_finite(loss: Tensor) -> Node | None:
    """The first node of a loss, or else of its gradient, with a NaN or an infinity.

    Constants are left out: a -inf in a mask is meant.

    ``loss`` is of shape ().

    >>> import minigrad as mg
    >>> w = mg.parameter([1000.0], name="w")
    >>> with np.errstate(over="ignore"):
    ...     first_not_finite(mg.exp(w).sum()).op.name
    'exp'
    """
    graph = Graph(loss)
    found = _first(graph)
    if found is None and graph.parameters:
        parameters = [Tensor(p) for p in graph.parameters]
        with np.errstate(all="ignore"):
            found = _first(Graph(grad(loss, parameters, create_graph=True)))
    return found


def _first(graph: Graph) -> Node | None:
    for node in graph.nodes:
        finite = np.isfinite(node.value).all()
        if not finite and node.kind != "constant":
            return node
    return None
