"""What stands where on the page: all circles, arrows and letters of all lengths.

Vocabulary
    frame   the figure of one length: its window, the circuit's window, and the circles
            in the order in which they are computed
    origin  the first circle of the circuit, at the same point in every frame

A circle keeps its id at every length: h@3 is counted from the first step, and o@-1,
where all that there is of o stands at the end, from the last.

>>> scene = Scene((Circle("h@2", 9, 9, 4, 4, role="h", t=2, part="unfolded"),))
>>> items = gather({2: scene, 4: scene}, 2)
>>> items.places
{'h@2': [[2, 4, 0, 0]]}
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, TypeVar

from minigrad.draw.measure import seats
from minigrad.draw.page.scene import Edge, Lines, Scene, Text, bounds
from minigrad.draw.page.scene import Node as Circle
from minigrad.draw.pictures import Asked, Columns
from minigrad.draw.spacing import WIDER
from minigrad.draw.textbook.chart import Chart
from minigrad.draw.textbook.reading import chart_of, read
from minigrad.draw.textbook.recorded import as_recorded
from minigrad.fold import FoldError, Recurrence, contract, fold
from minigrad.graph import Graph, Node

Thing = TypeVar("Thing", Circle, Edge, Text)
LONGEST, SHOWN = 12, 6
MANY = 3200  # points of arrows in all figures together: more are a heavy page
ROOM, AROUND = 400.0, 10.0
Place = list[Any]
Found = dict[str, tuple[Thing, Place]]


@dataclass
class Source:
    """What the page is of: the recorded graph or its recurrence, and its charts."""

    graph: Graph | None
    charts: dict[int, Chart] = field(default_factory=dict)
    graphs: dict[int, Graph] = field(default_factory=dict)
    scenes: dict[int, Scene] = field(default_factory=dict)
    recorded: int = 0
    wider: float = 0.0
    view: str = "textbook"


def source_of(x: Graph | Recurrence | None, scene: Scene) -> Source:
    """The figures at all lengths; ``scene`` alone of what cannot be folded."""
    graph = x if isinstance(x, Graph) else None
    recurrence, chart = None, None
    if x is not None:
        try:
            recurrence = x if isinstance(x, Recurrence) else fold(contract(x))
            chart = chart_of(recurrence, graph)
        except FoldError:  # steps that differ stand as they were recorded
            assert graph is not None, "only a recorded graph has steps that differ"
            chart = chart_of(as_recorded(graph), graph)
    if chart is None or all(symbol.leaf for symbol in chart.symbols):
        return Source(graph, {}, {}, {0: scene})
    found = Source(graph, recorded=max(chart.lengths, default=0))
    if recurrence is None:
        found.view = "unfolded"
        if graph is not None:
            _add(found, found.recorded, chart, graph)
        return found
    whole = recurrence.unfold(found.recorded) if graph is None else graph
    _add(found, found.recorded, chart, whole)
    points = 0
    for T in range(1, LONGEST + 1) if chart.lengths else ():
        if found.recorded != T:
            try:
                other = recurrence.unfold(T)
                _add(found, T, read(other), other)
            except ValueError:
                continue  # shorter than what it reads of its past
        points += sum(len(edge.points) for edge in found.scenes[T].edges)
        if points > MANY:
            break
    return found


def _add(found: Source, T: int, chart: Chart, graph: Graph) -> None:
    """The figure of one length; others are as wide as that of the recorded one."""
    columns = Columns(Asked(found.view, steps=_columns(T)), chart, graph)
    found.charts[T], found.graphs[T] = chart, graph
    if found.recorded == T:
        found.scenes[T] = scene = columns.scene()
        how = columns.prepare()
        widths = ((w, columns.laid_out(chart, how, w).width) for w in WIDER)
        found.wider = next((w for w, width in widths if width == scene.width), 0.0)
    else:
        found.scenes[T] = columns.laid_out(chart, columns.prepare(), found.wider)


def _columns(T: int) -> int:
    """How many columns a length has: all, or as many as are usual of a long one."""
    return SHOWN if T > LONGEST else max(T, 3)


@dataclass
class Items:
    """All items of all lengths by their ids; those of the shown length come first.

    ``names`` has their ids by length and id of the scene, ``windows`` the view boxes of
    a whole frame and of its circuit.
    """

    nodes: dict[str, Circle] = field(default_factory=dict)
    edges: dict[str, Edge] = field(default_factory=dict)
    texts: dict[str, Text] = field(default_factory=dict)
    places: dict[str, list[Place]] = field(default_factory=dict)
    names: dict[int, dict[str, str]] = field(default_factory=dict)
    windows: dict[int, tuple[list[float], list[float]]] = field(default_factory=dict)

    def at(self, T: int, there: bool = True) -> Scene:
        """The items that stand somewhere at a length, or those that do not."""

        def some(kind: dict[str, Any]) -> tuple[Any, ...]:
            return tuple(kind[id] for id in kind if self._has(id, T) == there)

        return Scene(some(self.nodes), some(self.edges), some(self.texts))

    def _has(self, id: str, T: int) -> bool:
        return any(first <= T <= last for first, last, *_ in self.places[id])


def shown(source: Source, items: Items, T: int) -> dict[Node, str | None]:
    """The recorded values that a figure may show, as they ran: their ids, or None.

    None has what stands in steps that are left out.
    """
    chart, names = source.charts[T], items.names[T]
    known = {symbol.key for symbol in chart.symbols}
    at = seats(source.graphs[T], chart.keys)
    there = {node: chart.seat(*at[node]) for node in at if at[node][0] in known}
    return {node: names.get(id) for node, id in there.items()}


def gather(scenes: dict[int, Scene], shown: int) -> Items:
    """The items of all frames, each once, with its places."""
    items = Items()
    late = _counted_from_the_end(scenes)
    states: dict[str, dict[int, Place]] = {}
    for T in [shown, *(t for t in scenes if t != shown)]:
        frame = _Frame(scenes[T], T, late)
        items.names[T], items.windows[T] = frame.names, frame.windows()
        _keep(frame.nodes(), T, items.nodes, states)
        _keep(frame.lines(), T, items.edges, states)
        _keep(frame.texts(), T, items.texts, states)
    lengths = sorted(scenes)
    for id, there in states.items():
        items.places[id] = _spans(_without_letters(there), lengths)
    return items


def _keep(
    found: "Found[Thing]",
    T: int,
    kind: dict[str, Thing],
    states: dict[str, dict[int, Place]],
) -> None:
    """Add the items of one frame: the first of each id, and each place."""
    for id, (item, state) in found.items():
        kind.setdefault(id, item)
        states.setdefault(id, {})[T] = state


def _counted_from_the_end(scenes: dict[int, Scene]) -> set[str]:
    """The roles whose first step moves with the last one."""
    first: dict[str, dict[int, int]] = {}
    for T, scene in scenes.items():
        for node in scene.nodes:
            if node.t:
                here = first.setdefault(node.role, {})
                here[T] = min(here.get(T, node.t), node.t)
    return {
        role
        for role, found in first.items()
        if len(found) > 1 and len({T - t for T, t in found.items()}) == 1
    }


class _Frame:
    """One scene in the page's coordinates and under its ids."""

    def __init__(self, scene: Scene, T: int, late: set[str]) -> None:
        self.scene, self.T = scene, T
        first = scene.nodes[0]
        self.x, self.y = first.x, first.y
        self.names = {node.id: self._id(node, late) for node in scene.nodes}
        self.edges: list[str] = []
        taken: Counter[str] = Counter()
        for edge in scene.edges:
            id = self._id_of_edge(edge)
            taken[id] += 1
            again = f"#{taken[id]}" if taken[id] > 1 else ""
            self.edges.append(id + again)
            if edge.id:
                self.names[edge.id] = id + again

    def _id(self, node: Circle, late: set[str]) -> str:
        if node.part != "unfolded" or not node.t:
            return node.id
        at = node.t - self.T - 1 if node.role in late else node.t
        return f"{node.role}@{at}"

    def _id_of_edge(self, edge: Edge) -> str:
        if edge.part != "unfolded" or not (edge.tail and edge.tip):
            return edge.id or edge.kind
        return f"{self.names[edge.tail]}>{self.names[edge.tip]}"

    def nodes(self) -> Found[Circle]:
        """The circles and boxes, each with [x, y, letters]."""
        found: Found[Circle] = {}
        for node in self.scene.nodes:
            id = self.names[node.id]
            x, y = self._at(node.x, node.y)
            found[id] = replace(node, id=id, x=x, y=-y), [x, y, _words(node.lines)]
        return found

    def lines(self) -> Found[Edge]:
        """The arrows, each with [points]."""
        found: Found[Edge] = {}
        for id, edge in zip(self.edges, self.scene.edges, strict=True):
            tail, tip = (self.names.get(end, "") for end in (edge.tail, edge.tip))
            points = tuple(self._at(*point) for point in edge.points)
            up = tuple((x, -y) for x, y in points)
            covers = tuple((self._end(a), self._end(b)) for a, b in edge.covers)
            there = replace(edge, id=id, tail=tail, tip=tip, points=up, covers=covers)
            found[id] = there, [_short(points)]
        return found

    def _end(self, id: str) -> str:
        return self.names.get(id, id)

    def texts(self) -> Found[Text]:
        """The letters and words, each with [x, y, letters]."""
        found: Found[Text] = {}
        for text in self.scene.texts:
            owner = self.names.get(text.edge or "")
            id = f"{owner or text.word or text.words} letters"
            while id in found:
                id += "+"
            x, y = self._at(text.x, text.y)
            there = replace(text, edge=owner, x=x, y=-y)
            found[id] = there, [x, y, _words(text.lines)]
        return found

    def _at(self, x: float, y: float) -> tuple[float, float]:
        """A point with y downwards, in tenths."""
        return _round(x - self.x), _round(self.y - y)

    def windows(self) -> tuple[list[float], list[float]]:
        """The view boxes of the frame, and of the circuit with room around it."""
        scene = self.scene
        whole = [*self._at(0.0, scene.height), scene.width, scene.height]
        circuit = replace(
            scene,
            nodes=tuple(n for n in scene.nodes if n.part == "folded"),
            edges=tuple(e for e in scene.edges if e.part == "folded"),
            texts=tuple(t for t in scene.texts if t.part == "folded"),
        )
        if not circuit.nodes:
            return whole, whole
        x0, y0, x1, y1 = bounds(circuit)
        room = max(ROOM - (x1 - x0), 0.0) / 2 + AROUND
        left, top = self._at(x0 - room, y1 + AROUND)
        size = [_round(x1 - x0 + 2 * room), _round(y1 - y0 + 2 * AROUND)]
        return whole, [left, top, *size]


def _words(lines: Lines) -> list[str]:
    return [run.text for line in lines for run in line]


def _round(value: float) -> float:
    """A tenth of a point; whole numbers without their zero."""
    value = round(value, 1) + 0.0
    return int(value) if value == int(value) else value


def _short(points: tuple[tuple[float, float], ...]) -> list[float]:
    """The two ends of a straight arrow, or all control points, one after the other."""
    (x0, y0), (x1, y1) = points[0], points[-1]
    flat = all(
        abs((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)) < 1.0
        and min(x0, x1) - 0.1 <= x <= max(x0, x1) + 0.1
        and min(y0, y1) - 0.1 <= y <= max(y0, y1) + 0.1
        for x, y in points
    )
    kept = (points[0], points[-1]) if flat else points
    return [value for point in kept for value in point]


def _without_letters(states: dict[int, Place]) -> dict[int, Place]:
    """Places with letters only where these differ: o(6), and o(7)."""
    same = len({str(state[2:]) for state in states.values()}) == 1
    return {T: state[:2] for T, state in states.items()} if same else states


def _spans(states: dict[int, Place], lengths: list[int]) -> list[Place]:
    """[[first T, last T, *place]]: neighbours that agree become one."""
    spans: list[Place] = []
    for before, T in pairwise([0, *lengths]):
        if T not in states:
            continue
        if spans and spans[-1][1] == before and spans[-1][2:] == states[T]:
            spans[-1][1] = T
        else:
            spans.append([T, T, *states[T]])
    return spans
