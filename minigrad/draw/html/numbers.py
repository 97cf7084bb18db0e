"""What the numbers of the page are: values, gradients, and the share of every use.

Norms are those of the whole array, as in ``Figure.data``; numbers have four digits.

>>> digits(0.123456), digits(3.0), digits(float("nan"))
(0.1235, 3, 'nan')
"""

from collections import defaultdict
from itertools import accumulate
from linecache import getline
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.draw.html.frames import Items, Source, shown
from minigrad.draw.measure import gradients, norm, serves
from minigrad.grad import grad_by_use
from minigrad.graph import Graph, Node, Spec
from minigrad.scope import line_of
from minigrad.tensor import Tensor

CELLS, TILES, LINE = 12, 64, 200


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
    if not whole.size:
        return []
    rows = whole.reshape(-1, whole.shape[-1] if whole.ndim else 1)
    return [[digits(v) for v in row[:CELLS]] for row in rows[:CELLS]]


class _Numbers:
    """The numbers of one recorded graph."""

    def __init__(
        self, graph: Graph, source: Source, items: Items, order: list[str]
    ) -> None:
        self.graph, self.order = graph, order
        self.ids_of = shown(source, items, source.recorded)
        self.places = {node: k for k, node in enumerate(self.ids_of)}
        numbers = {id: k for k, id in enumerate(order)}
        now = (numbers.get(id or "", 0) for id in self.ids_of.values())
        self.met = [*accumulate(now, max), 0]
        self.lines = {node: k for k, node in enumerate(graph.nodes)}
        self.lit: dict[tuple[str, int, int], list[str]] = defaultdict(list)
        for edge in source.scenes[source.recorded].edges:
            for use in edge.uses if edge.part != "folded" else ():
                self.lit[use].append(items.names[source.recorded][edge.id])
        loss, *others = graph.outputs
        one = not others and np.size(loss.value) == 1 and loss.value.dtype.kind == "f"
        self.loss = loss if one else None

    def told(self) -> dict[str, Any]:
        """All numbers by id, and the parameters by name."""
        loss = None if self.loss is None else digits(self.loss.value.item())
        names = self.graph.names
        parameters = {
            names[p]: self._parameter(names[p], p) for p in self.graph.parameters
        }
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
            if line := line_of(node.scope, node.slot):
                values[id]["line"] = _said(line)
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
        told: list[dict[str, Any]] = []
        sums: list[float | str] = [0]
        running: Any = 0.0
        uses = [(self._met(use.node), use) for use in self.graph.uses(parameter)]
        for at, use in sorted(uses, key=lambda use: -use[0]):
            lies = name, self.lines[use.node], use.argument
            told.append({"t": use.t, "edges": self.lit[lies], "at": at})
            if (share := shares.get((use.node, use.argument))) is not None:
                running = running + share
                sums.append(digits(norm(running)))
                told[-1]["norm"] = digits(norm(share))
                if share.size <= TILES and len(uses) <= CELLS:
                    told[-1]["slope"] = cells(share)
        told.sort(key=lambda here: here["t"] or 0)
        whole = {**_array(parameter.value), "uses": told}
        if shares:
            whole |= {"gradient": sums[-1], "slope": cells(running), "sums": sums}
        return whole

    def _met(self, node: Node) -> int:
        """The number of the circle at which the way back meets a use.

        Of several that it feeds it is the last one met, the first that was computed;
        where that is not shown, the next one that is.
        """
        fed = serves(self.graph, node, self.places)
        return self.met[min([self.places[n] for n in fed], default=0)]


def _said(line: str) -> str:
    """A line of the user's program, without the folders of its file."""
    file, _, number = line.rpartition(":")
    return f"{Path(file).name}:{number} {getline(file, int(number)).strip()[:LINE]}"


def _array(value: Any) -> dict[str, Any]:
    """Shape, norm and the first numbers of an array."""
    return {
        "shape": list(np.shape(value)),
        "norm": digits(norm(value)),
        "value": cells(value),
    }
