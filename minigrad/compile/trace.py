"""One run of a function that records it, and what was recorded folded.

>>> import minigrad as mg
>>> given = Given((np.ones((3, 1)),), {}, [np.ones((3, 1))])
>>> trace = record(lambda xs: xs * 2.0, given)
>>> trace.results[0].node.op.name, folded(mg.Graph(trace.results))
('multiply', 'there is no loop over time')
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np

from minigrad.compile.arguments import Handed, Rebuild, names, outputs
from minigrad.fold import Recurrence, fold
from minigrad.graph import Graph, Leaf, Node
from minigrad.mode import traced
from minigrad.scope import ROOT, Scope, current
from minigrad.tensor import Tensor, tensor

SAME = "give the initial state the shape and dtype of the states"


class Given(NamedTuple):
    """The arguments of a call, and the arrays in them."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    arrays: list[Any]


class Trace(NamedTuple):
    """What was recorded: the arguments by position, and the Tensors returned.

    ``said`` is the key of what was returned, ``rebuild`` makes it of other Tensors.
    """

    positions: dict[Node, int]
    results: list[Tensor]
    said: Any
    rebuild: Rebuild


class Outlining(Protocol):
    """What makes the nodes of a forward pass that is recorded alone."""

    root: Scope

    def begin(self, inputs: list[Node]) -> None:
        """Take the arguments, before the function runs."""

    def __call__(
        self, op: Any, inputs: Any, attrs: dict[str, Any], scope: Scope, slot: Any
    ) -> Node:
        """The node of a call of an op."""


def record(
    function: Callable[..., Any], given: Given, outline: Outlining | None = None
) -> Trace:
    """Run a function with Tensors in the place of arrays, gradients included.

    With an ``outline`` that makes the nodes, and no gradient is computed.
    """
    args, kwargs, arrays = given
    scope = current.get()
    try:
        current.set(outline.root if outline else ROOT)
        called = names(function, args, kwargs)
        inputs = [tensor(a, name=n) for a, n in zip(arrays, called, strict=True)]
        if outline:
            outline.begin([x.node for x in inputs])
        handed = Handed(inputs)
        args = tuple([handed.replace(value) for value in args])
        kwargs = {name: handed.replace(value) for name, value in kwargs.items()}
        with traced(outline):
            result = function(*args, **kwargs)
    finally:
        current.set(scope)
    handed.check()
    results: list[Tensor] = []
    said, rebuild = outputs(result, results)
    return Trace({x.node: i for i, x in enumerate(inputs)}, results, said, rebuild)


def folded(graph: Graph, ragged: bool = False) -> Recurrence | str:
    """The trace folded, or why not; a name that one step alone has does not count.

    With ``ragged`` the shape of a line may differ from step to step.
    """
    if not graph.clocks:
        return "there is no loop over time"
    for node in graph.nodes:
        if isinstance(node, Leaf) and node.kind == "input" and node.time:
            node.kind = "constant"  # a leaf made in the body is made by the function
    try:
        return (None if ragged else _changing(graph)) or fold(graph)
    except Exception:
        for node in graph.nodes:
            if node.inputs and node.time:
                node.name = None
    try:
        return fold(Graph(graph.outputs))
    except Exception as reason:
        return f"the graph does not fold: {reason}"


def _changing(graph: Graph) -> str | None:
    """A value whose shape or dtype differs from step to step, in words."""
    first: dict[Any, Node] = {}
    places = graph.places
    for node in graph.nodes:
        value = node.value
        if value.__class__ is not np.ndarray or node.time is None:
            continue
        known = first.setdefault(places[node], node)
        if known.value.shape != value.shape or known.value.dtype != value.dtype:
            a, b = (f"{v.shape} {v.dtype}" for v in (known.value, value))
            return f"{node.label} is {b}, at step {known.t} {a}: {SAME}"
    return None
