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

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from minigrad.draw.measure import seats
from minigrad.draw.page.curves import polyline
from minigrad.draw.page.scene import Edge, Lines, Scene, Text, bounds
from minigrad.draw.page.scene import Node as Circle
from minigrad.draw.pictures import Asked, Columns
from minigrad.draw.render.audit import faults
from minigrad.draw.spacing import with_asides
from minigrad.draw.textbook.chart import Chart
from minigrad.draw.textbook.reading import chart_of, read
from minigrad.draw.textbook.recorded import as_recorded
from minigrad.fold import FoldError, Recurrence, contract, fold
from minigrad.graph import Graph, Node

LONGEST, SHOWN = 12, 6
MANY = 3050  # points of arrows in all figures together: more are a heavy page
ROOM, AROUND = 400.0, 10.0
Item = Circle | Edge | Text
Place = list[Any]


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

    def add(self, T: int, chart: Chart, graph: Graph) -> int:
        """The figure of one length, as wide as the recorded one: the points it has."""
        steps = SHOWN if T > LONGEST else max(T, 3)
        columns = Columns(Asked(self.view, steps=steps), chart, graph)
        if self.recorded == T:
            scene, self.wider = columns.scene(), columns.wider
        else:
            scene = columns.laid_out(chart, columns.prepare(), self.wider)
            scene, _ = with_asides(scene, faults(scene))
        self.charts[T], self.graphs[T], self.scenes[T] = chart, graph, scene
        return sum(len(edge.points) for edge in scene.edges)


def source_of(x: Graph | Recurrence | None, scene: Scene) -> Source:
    """The figures at all lengths; ``scene`` alone of what cannot be folded."""
    graph = x if isinstance(x, Graph) else None
    recurrence, chart = None, None
    if graph is not None and not any(n.name and n.inputs for n in graph.nodes):
        x = None  # nothing that was computed has a name
    if x is not None:
        try:
            recurrence = x if isinstance(x, Recurrence) else fold(contract(x))
            chart = chart_of(recurrence, graph)
        except FoldError:  # steps that differ stand as they were recorded
            assert graph is not None, "only a recorded graph has steps that differ"
            chart = chart_of(as_recorded(graph), graph)
    if chart is None or all(symbol.leaf for symbol in chart.symbols):
        return Source(graph, scenes={0: scene})
    found = Source(graph, recorded=max(chart.lengths, default=0))
    if recurrence is None or found.recorded == 1:
        found.view = "unfolded"  # of one step both halves are the same
    if recurrence is None:
        assert graph is not None, "what is no recurrence was recorded"
        found.add(found.recorded, chart, graph)
        return found
    points = found.add(
        found.recorded, chart, graph or recurrence.unfold(found.recorded)
    )
    for T in range(1, LONGEST + 1) if chart.lengths else ():
        if found.recorded != T and points <= MANY:
            try:
                other = recurrence.unfold(T)
                points += found.add(T, read(other), other)
            except ValueError:
                continue  # shorter than what it reads of its past
    return found


@dataclass
class Items:
    """All items of all lengths by their ids; those of the shown length come first.

    ``names`` has their ids by length and id of the scene, ``windows`` the view boxes of
    a whole frame and of its circuit.
    """

    all: dict[str, Item] = field(default_factory=dict)
    places: dict[str, list[Place]] = field(default_factory=dict)
    names: dict[int, dict[str, str]] = field(default_factory=dict)
    windows: dict[int, tuple[list[float], list[float]]] = field(default_factory=dict)

    @property
    def nodes(self) -> list[Circle]:
        """The circles and boxes."""
        return [item for item in self.all.values() if isinstance(item, Circle)]

    def at(self, T: int, there: bool = True) -> Scene:
        """The items that stand somewhere at a length, or those that do not."""
        return _scene(
            item
            for id, item in self.all.items()
            if there == any(first <= T <= last for first, last, *_ in self.places[id])
        )


def _scene(items: Iterable[Item]) -> Scene:
    some = list(items)
    return Scene(
        tuple(item for item in some if isinstance(item, Circle)),
        tuple(item for item in some if isinstance(item, Edge)),
        tuple(item for item in some if isinstance(item, Text)),
    )


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
    items, late = Items(), _counted_from_the_end(scenes)
    states: dict[str, dict[int, Place]] = defaultdict(dict)
    for T in [shown, *(t for t in scenes if t != shown)]:
        frame = _Frame(scenes[T], T, late)
        items.names[T], items.windows[T] = frame.names, frame.windows()
        for id, item, state in frame.items():
            items.all.setdefault(id, item)
            states[id][T] = state
    for id, there in states.items():
        items.places[id] = _spans(_without_letters(there), sorted(scenes))
    return items


def _counted_from_the_end(scenes: dict[int, Scene]) -> set[str]:
    """The roles whose first step moves with the last one."""
    before: dict[str, list[int]] = defaultdict(list)
    for T, scene in scenes.items():
        steps = {(n.role, n.t or 0) for n in scene.nodes if n.t}
        for role, t in dict(sorted(steps, reverse=True)).items():
            before[role].append(T - t)
    return {role for role, found in before.items() if found[1:] and len({*found}) == 1}


class _Frame:
    """One scene in the page's coordinates and under its ids."""

    def __init__(self, scene: Scene, T: int, late: set[str]) -> None:
        self.scene, self.T, self.late = scene, T, late
        self.x, self.y = scene.nodes[0].x, scene.nodes[0].y
        self.taken: Counter[str] = Counter()
        self.names = {node.id: self._id(node) for node in scene.nodes}

    def _id(self, node: Circle) -> str:
        if node.part != "unfolded" or not node.t:
            return self._new(node.id)
        at = node.t - (self.T + 1) * (node.role in self.late)
        return self._new(f"{node.role}@{at}")

    def _new(self, id: str) -> str:
        """An id that nothing has: a value may be called as an arrow is."""
        self.taken[id] += 1
        return f"{id}#{self.taken[id]}" if self.taken[id] > 1 else id

    def items(self) -> Iterator[tuple[str, Item, Place]]:
        """Frames and arrows with [points], circles and boxes with [x, y, letters]."""
        for frame in self.scene.frames:
            id, (x0, y0, x1, y1) = self._new("frame"), frame.box
            around = polyline((x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0))
            points = tuple(self._at(*point) for point in around)
            up = tuple((x, -y) for x, y in points)
            line = Edge("", "", up, False, frame.kind, part=frame.part, id=id)
            yield id, replace(line, thickness=0.7), [_short(points)]
        for node in self.scene.nodes:
            id, (x, y) = self.names[node.id], self._at(node.x, node.y)
            circle = replace(node, id=id, x=x, y=-y, title="")
            yield id, circle, [x, y, _words(node.lines)]
        for edge in self.scene.edges:
            tail, tip = (self.names.get(end, "") for end in (edge.tail, edge.tip))
            through = edge.part == "unfolded" and edge.tail and edge.tip
            id = self._new(f"{tail}>{tip}" if through else edge.id or edge.kind)
            self.names |= {edge.id: id} if edge.id else {}
            points = tuple(self._at(*point) for point in edge.points)
            up = tuple((x, -y) for x, y in points)
            named = self.names.get
            covers = tuple((named(a, a), named(b, b)) for a, b in edge.covers)
            arrow = replace(edge, id=id, tail=tail, tip=tip, points=up, covers=covers)
            yield id, replace(arrow, title=""), [_short(points)]
        for text in self.scene.texts:
            owner, (x, y) = self.names.get(text.edge or ""), self._at(text.x, text.y)
            id = self._new(f"{owner or text.word or text.words} letters")
            letters = replace(text, edge=owner, x=x, y=-y)
            yield id, letters, [x, y, _words(text.lines)]

    def _at(self, x: float, y: float) -> tuple[float, float]:
        """A point with y downwards, in tenths."""
        return _round(x - self.x), _round(self.y - y)

    def windows(self) -> tuple[list[float], list[float]]:
        """The view boxes of the frame, and of the circuit with room around it."""
        scene = self.scene
        whole = [*self._at(0.0, scene.height), scene.width, scene.height]
        every: tuple[Item, ...] = (*scene.nodes, *scene.edges, *scene.texts)
        circuit = _scene(item for item in every if item.part == "folded")
        if not circuit.nodes:
            return whole, whole
        x0, y0, x1, y1 = bounds(circuit)
        room = max(ROOM - (x1 - x0), 0.0) / 2 + AROUND
        size = [_round(x1 - x0 + 2 * room), _round(y1 - y0 + 2 * AROUND)]
        return whole, [*self._at(x0 - room, y1 + AROUND), *size]


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
    return [
        v for point in (points[:: len(points) - 1] if flat else points) for v in point
    ]


def _without_letters(states: dict[int, Place]) -> dict[int, Place]:
    """Places with letters only where these differ: o(6), and o(7)."""
    same = len({str(state[2:]) for state in states.values()}) == 1
    return {T: state[:2] for T, state in states.items()} if same else states


def _spans(states: dict[int, Place], lengths: list[int]) -> list[Place]:
    """[[first T, last T, *place]]: neighbours that agree become one."""
    spans: list[Place] = []
    for before, T in pairwise([0, *lengths]):
        if spans and spans[-1][1:] == [before, *states.get(T, ())]:
            spans[-1][1] = T
        elif T in states:
            spans.append([T, T, *states[T]])
    return spans
