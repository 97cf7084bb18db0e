"""What the numbers of the page are: values, gradients, and the share of every use.

Norms are those of the whole array, as in ``Figure.data``; numbers have four digits.

>>> digits(0.123456), digits(3.0), digits(float("nan"))
(0.1235, 3, 'nan')
"""

from typing import Any

import numpy as np

from minigrad.draw.html.frames import Items, Source, shown
from minigrad.draw.measure import gradients, norm, serves
from minigrad.grad import grad_by_use
from minigrad.graph import Graph, Node, Spec
from minigrad.tensor import Tensor

CELLS, TILES = 12, 64


def told(source: Source, items: Items, order: list[str]) -> dict[str, Any] | None:
    """The numbers of the recorded length; None for a graph without values."""
    graph = source.graph
    if graph is None or not source.charts:
        return None
    if any(isinstance(node.value, Spec) for node in graph.nodes):
        return None
    return _Numbers(graph, source, items, order).told()


def digits(value: Any) -> float | str:
    """A number in four digits; what JSON cannot say is a word."""
    if not np.isfinite(value):
        return str(float(value))
    short = float(f"{float(value):.4g}")
    return int(short) if short == int(short) and abs(short) < 1e6 else short


def cells(array: Any) -> list[list[float | str]]:
    """At most 12 x 12 numbers of an array, as rows."""
    whole = np.asarray(array, dtype=np.float64)
    rows = whole.reshape(-1, whole.shape[-1]) if whole.ndim else whole.reshape(1, 1)
    return [[digits(v) for v in row[:CELLS]] for row in rows[:CELLS]]


class _Numbers:
    """The numbers of one recorded graph."""

    def __init__(
        self, graph: Graph, source: Source, items: Items, order: list[str]
    ) -> None:
        self.graph, self.order = graph, order
        self.ids = items.names[source.recorded]
        self.scene = source.scenes[source.recorded]
        self.ids_of = shown(source, items, source.recorded)
        self.loss = graph.outputs[0] if len(graph.outputs) == 1 else None
        if self.loss is not None and not (
            np.size(self.loss.value) == 1 and self.loss.value.dtype.kind == "f"
        ):
            self.loss = None

    def told(self) -> dict[str, Any]:
        """All numbers by id, and the parameters by name."""
        loss = None if self.loss is None else digits(self.loss.value.item())
        parameters = {}
        for parameter in self.graph.parameters:
            name = self.graph.names[parameter]
            parameters[name] = self._parameter(name, parameter)
        return {"loss": loss, "values": self._values(), "parameters": parameters}

    def _values(self) -> dict[str, Any]:
        there = {n: id for n, id in self.ids_of.items() if id is not None}
        smooth = [n for n in there if n.value.dtype.kind == "f"]
        slopes = {}
        if self.loss is not None:
            found = gradients(self.graph, [self.loss], smooth)
            slopes = dict(zip(smooth, found, strict=True))
        values: dict[str, Any] = {}
        for node, id in there.items():
            op = node.op.name if node.op is not None else node.kind
            values[id] = {"op": op, **_array(node.value)}
            if node in slopes and id in self.order:
                slope = np.broadcast_to(slopes[node], node.value.shape)
                values[id] |= {"gradient": digits(norm(slope)), "slope": cells(slope)}
        return values

    def _parameter(self, name: str, parameter: Node) -> dict[str, Any]:
        """A parameter: its uses by step, and the sums in the order of the way back."""
        shares = {}
        if self.loss is not None and parameter.value.dtype.kind == "f":
            (total,) = gradients(self.graph, [self.loss], [parameter])
            if np.ndim(total) or not np.ndim(parameter.value):
                found = grad_by_use(Tensor(self.loss), Tensor(parameter))
                shares = {(s.node, s.argument): s.gradient.data for s in found}
        uses, lit = [], self._lit()
        for use in self.graph.uses(parameter):
            place = (name, self.graph.nodes.index(use.node), use.argument)
            here: dict[str, Any] = {"t": use.t, "edges": lit.get(place, [])}
            here["at"] = self._met(use.node)
            uses.append((here, shares.get((use.node, use.argument))))
        uses.sort(key=lambda use: use[0]["at"], reverse=True)
        sums: list[float | str] = [0]
        running: Any = 0.0
        for here, share in uses:
            if share is not None:
                running = running + share
                sums.append(digits(norm(running)))
                here["norm"] = digits(norm(share))
                if share.size <= TILES:
                    here["slope"] = cells(share)
        told = {**_array(parameter.value), "uses": [here for here, _ in uses]}
        if shares:
            told |= {"gradient": sums[-1], "slope": cells(running), "sums": sums}
        told["uses"].sort(key=lambda here: here["t"] or 0)
        return told

    def _lit(self) -> dict[tuple[str, int, int], list[str]]:
        """The arrows of the columns that each use lies on."""
        found: dict[tuple[str, int, int], list[str]] = {}
        for edge in self.scene.edges:
            for use in edge.uses if edge.part != "folded" else ():
                found.setdefault(use, []).append(self.ids[edge.id])
        return found

    def _met(self, node: Node) -> int:
        """The number of the circle at which the way back meets a use.

        Of several that it feeds it is the last one met, the first that was computed;
        where that is not shown, the next one that is.
        """
        places = {node: k for k, node in enumerate(self.ids_of)}
        first = min([places[n] for n in serves(self.graph, node, places)], default=0)
        before = [
            self.order.index(id)
            for other, id in self.ids_of.items()
            if places[other] <= first and id in self.order
        ]
        return max(before, default=0)


def _array(value: Any) -> dict[str, Any]:
    """Shape, norm and the first numbers of an array."""
    return {
        "shape": list(np.shape(value)),
        "norm": digits(norm(value)),
        "value": cells(value),
    }
