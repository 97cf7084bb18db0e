"""Whether a scene can be read without a doubt: what touches, hides or is mistaken.

Vocabulary
    fault   one thing that touches, hides or confuses another by more than is allowed
    depth   by how many points
    kin     the arrows that letters may be near to: their own, those with the same
            trunk, the other half at a delay square, the arrow back beside it

Allowed: 1 pt between nodes, 1.5 pt between a text and anything else, 2 pt of an arrow
in a node that it does not belong to, 0.5 pt of text outside of its own outline. Letters
are nearer to their own arrow than to any other by 2 pt.

>>> from minigrad.draw.page.scene import Node, arranged
>>> twice = [Node("a", 0, 0, 46, 46), Node("b", 30, 0, 46, 46)]
>>> [fault.what for fault in faults(arranged(twice, [], []))]
['node on node']
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import hypot

import numpy as np
from numpy.typing import NDArray

from minigrad.draw.page.nearness import sampled
from minigrad.draw.page.scene import (
    Edge,
    Node,
    Rectangle,
    Scene,
    Text,
    around,
    placed_runs,
)

NODE, LABEL, FOREIGN, OUTSIDE, NEARER = 1.0, 1.5, 2.0, 0.5, 2.0
CELL, FAR = 120.0, 60.0
DESCENDING = frozenset("gjpqy(),_Q")
ROUND = ("circle", "dot", "oval")


@dataclass(frozen=True, slots=True)
class Fault:
    """One violation: what, between which two things, by how many points.

    ``edge`` is the arrow whose letters are in doubt, if any are.
    """

    what: str
    first: str
    second: str
    depth: float
    edge: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """An outline, or a run of letters; ``owner`` is the id of what letters belong to.

    Letters of one text have one ``owner``, and those in an outline that one's id;
    ``edge`` is that of the arrow that letters belong to.
    """

    name: str
    box: Rectangle
    round: bool = False
    owner: str = ""
    size: float = 0.0
    edge: str = ""


def faults(scene: Scene) -> list[Fault]:
    """All violations in a scene whose things have their places."""
    outlines = [n for n in scene.nodes if n.shape != "text"]
    shapes = [Shape(n.id, n.box, n.shape in ROUND) for n in outlines]
    runs = [[*letters(n.id, n)] for n in scene.nodes]
    texts = [[*letters(f"text {i}", t)] for i, t in enumerate(scene.texts)]
    words = [shape for found in (*runs, *texts) for shape in found]
    arrows = Arrows(scene.edges)
    return [
        *_touching(shapes, words),
        *_struck(scene, words, arrows),
        *(f for s in shapes for f in arrows.through(s, FOREIGN, "arrow through node")),
        *_mistaken(scene, texts, arrows),
        *_swapped(scene),
        *_missing(scene),
    ]


def letters(owner: str, thing: Node | Text) -> Iterator[Shape]:
    """The ink of the runs of a label, by our own widths."""
    edge = (isinstance(thing, Text) and thing.edge) or ""
    for x, y, run in placed_runs(thing.x, thing.y, thing.lines):
        if run.text.strip():
            low = 0.45 if DESCENDING & set(run.text) else 0.25
            wide, down, up = run.width / 2, low * run.size, 0.45 * run.size
            box = (x - wide, y - down, x + wide, y + up)
            name = f"{owner}: {run.text}"
            yield Shape(name, box, owner=owner, size=run.size, edge=edge)


def _touching(shapes: list[Shape], words: list[Shape]) -> Iterator[Fault]:
    """Outlines and labels that reach into each other."""
    for a, b in near(shapes, shapes):
        # The delay square sits on an arrow, dots inside nothing: all outlines count.
        if a.name < b.name and (depth := overlap(a, b)) > NODE:
            yield Fault("node on node", a.name, b.name, round(depth, 2))
    for text, shape in near(words, shapes):
        if text.owner == shape.name:
            if (depth := sticking_out(text, shape)) > OUTSIDE:
                yield Fault("text outside", text.name, shape.name, round(depth, 2))
        elif (depth := overlap(text, shape)) > LABEL:
            names = text.name, shape.name
            yield Fault("label on node", *names, round(depth, 2), text.edge)
    for a, b in near(words, words):
        if a.name < b.name and a.owner != b.owner and (depth := overlap(a, b)) > LABEL:
            names, edge = (a.name, b.name), a.edge or b.edge
            yield Fault("label on label", *names, round(depth, 2), edge)


class Arrows:
    """All arrows as points, sorted by x, so that those near a box are found fast."""

    def __init__(self, edges: tuple[Edge, ...]) -> None:
        self.edges = edges
        which, points = sampled(edges)
        order = np.argsort(points[:, 0], kind="stable")
        self.which, self.points = which[order], points[order]
        self.xs = self.points[:, 0].copy()

    def within(self, box: Rectangle) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The points in a box, and the number of the edge of each."""
        first, last = self.xs.searchsorted((box[0], box[2]))
        points, which = self.points[first:last], self.which[first:last]
        inside = (points[:, 1] > box[1]) & (points[:, 1] < box[3])
        return which[inside], points[inside]

    def through(self, shape: Shape, allowed: float, what: str) -> Iterator[Fault]:
        """The arrows that run deeper into a shape than is allowed."""
        which, points = self.within(shape.box)
        if not len(which):
            return
        depths = inside(points, shape)
        for i in np.unique(which):
            edge = self.edges[i]
            depth = float(depths[which == i].max())
            if depth > allowed and shape.name not in (edge.tail, edge.tip):
                names = named(edge, i), shape.name
                yield Fault(what, *names, round(depth, 2), shape.edge)

    def distances(self, boxes: list[Rectangle]) -> dict[int, float]:
        """How far each arrow is from the nearest of some boxes, if it is not far."""
        which, points = self.within(around(boxes, FAR))
        x, y = points[:, 0], points[:, 1]
        far = np.full(len(which), np.inf)
        for box in boxes:
            dx = np.maximum(np.maximum(box[0] - x, x - box[2]), 0.0)
            dy = np.maximum(np.maximum(box[1] - y, y - box[3]), 0.0)
            far = np.minimum(far, np.hypot(dx, dy))
        least = np.full(len(self.edges), np.inf)
        np.minimum.at(least, which, far)
        return {int(i): float(least[i]) for i in np.unique(which)}


def named(edge: Edge, number: int) -> str:
    """What an arrow is called in a report."""
    return edge.id or f"{edge.tail} -> {edge.tip} ({number})"


def _struck(scene: Scene, words: list[Shape], arrows: Arrows) -> Iterator[Fault]:
    """Arrows through letters, but for a text on a patch of paper on its own arrow."""
    backed = {f"text {i}": t.edge for i, t in enumerate(scene.texts) if t.backed}
    for shape in words:
        for fault in arrows.through(shape, LABEL, "arrow on label"):
            if backed.get(shape.owner) != fault.first:
                yield fault


def _mistaken(
    scene: Scene, texts: list[list[Shape]], arrows: Arrows
) -> Iterator[Fault]:
    """Letters that are nearer to a foreign arrow than to their own, or have none."""
    number = {edge.id: i for i, edge in enumerate(scene.edges) if edge.id}
    squares = {node.id for node in scene.nodes if node.kind == "delay"}
    for text, runs in zip(scene.texts, texts, strict=True):
        if text.edge is None or not runs:
            continue
        if text.edge not in number:
            yield Fault("letters of no arrow", text.words, text.edge, FAR)
            continue
        own = scene.edges[number[text.edge]]
        large = max(run.size for run in runs)
        # Doubt about what belongs to the letter counts against it both ways.
        mine = arrows.distances([run.box for run in runs if run.size == large])
        others = arrows.distances([run.box for run in runs])
        close = {*mine, *others}
        akin = {i for i in close if kin(own, scene.edges[i], squares)}
        nearest = min((d for i, d in mine.items() if i in akin), default=FAR)
        nearest = 0.0 if text.backed else nearest
        foreign = ((d, i) for i, d in others.items() if i not in akin)
        distance, i = min(foreign, default=(FAR, 0))
        if (depth := nearest + NEARER - distance) > 0:
            other = named(scene.edges[i], i)
            letters = f"{text.words} of {text.edge}"
            depth = round(depth, 2)
            yield Fault("letters at another arrow", letters, other, depth, own.id)


def kin(own: Edge, other: Edge, squares: set[str]) -> bool:
    """Whether letters of one arrow may be near to another one."""
    if own is other or (own.net is not None and own.net == other.net):
        return True
    if {own.tail, own.tip} & {other.tail, other.tip} & squares:
        return True  # the halves at a delay square
    return bool(own.tail and own.tip) and {own.tail, own.tip} == {other.tail, other.tip}


def _swapped(scene: Scene) -> Iterator[Fault]:
    """Operands of an op that do not enter it from left to right as they are written."""
    entering: dict[str, list[Edge]] = defaultdict(list)
    numbered = {text.edge for text in scene.texts if text.edge is not None}
    for edge in scene.edges:
        if edge.place is not None and edge.points and edge.id not in numbered:
            entering[edge.tip].append(edge)
    for tip, edges in entering.items():
        edges.sort(key=lambda e: e.place or 0)
        for a, b in pairwise(edges):
            depth = a.points[-1][0] - b.points[-1][0]
            if depth > -1.0 and a.tail != b.tail:
                yield Fault("operands swapped", f"{a.tail}, {b.tail}", tip, depth)


def _missing(scene: Scene) -> Iterator[Fault]:
    """Parameters that multiply or are indexed, and are on no arrow."""
    found = {p.removesuffix("ᵀ") for edge in scene.edges for p in edge.parameters}
    for name in scene.multiplied:
        if name not in found:
            yield Fault("parameter on no arrow", name, "", 0.0)


def overlap(a: Shape, b: Shape) -> float:
    """How deep two shapes reach into each other; 0 if they do not touch."""
    if a.round and b.round:
        (ax, ay, ar), (bx, by, br) = disc(a, b), disc(b, a)
        return max(0.0, ar + br - hypot(ax - bx, ay - by))
    if a.round or b.round:
        (x, y, r), box = (disc(a, b), b.box) if a.round else (disc(b, a), a.box)
        dx = max(box[0] - x, 0.0, x - box[2])
        dy = max(box[1] - y, 0.0, y - box[3])
        return max(0.0, r - hypot(dx, dy))
    wide = min(a.box[2], b.box[2]) - max(a.box[0], b.box[0])
    high = min(a.box[3], b.box[3]) - max(a.box[1], b.box[1])
    return max(0.0, min(wide, high))


def disc(shape: Shape, other: Shape) -> tuple[float, float, float]:
    """Centre and radius of a circle; of an oval, of its end next to another shape."""
    x0, y0, x1, y1 = shape.box
    radius = min(x1 - x0, y1 - y0) / 2
    at = (other.box[0] + other.box[2]) / 2
    return min(max(at, x0 + radius), x1 - radius), (y0 + y1) / 2, radius


def sticking_out(text: Shape, shape: Shape) -> float:
    """How far a text reaches over its own outline."""
    x0, y0, x1, y1 = text.box
    if shape.round:
        corners = np.array([(x0, y0), (x0, y1), (x1, y0), (x1, y1)])
        return float(-inside(corners, shape).min())
    b = shape.box
    return max(b[0] - x0, x1 - b[2], b[1] - y0, y1 - b[3])


def inside(points: NDArray[np.float64], shape: Shape) -> NDArray[np.float64]:
    """How deep points lie in a shape; negative outside."""
    x0, y0, x1, y1 = shape.box
    x, y = points[:, 0], points[:, 1]
    if shape.round:
        wide, high = (x1 - x0) / 2, (y1 - y0) / 2
        away = np.hypot((x - x0 - wide) / wide, (y - y0 - high) / high)
        found: NDArray[np.float64] = (1.0 - away) * min(wide, high)
        return found
    sides: NDArray[np.float64] = np.minimum(
        np.minimum(x - x0, x1 - x), np.minimum(y - y0, y1 - y)
    )
    return sides


def near(first: list[Shape], second: list[Shape]) -> Iterator[tuple[Shape, Shape]]:
    """Pairs from both lists that share a cell of a coarse grid, each once."""
    grid = defaultdict(list)
    for i, shape in enumerate(second):
        for cell in cells(shape.box):
            grid[cell].append(i)
    for shape in first:
        close = {i for cell in cells(shape.box) for i in grid.get(cell, ())}
        for i in sorted(close):
            yield shape, second[i]


def cells(box: Rectangle) -> Iterator[tuple[int, int]]:
    """The grid cells that a box touches."""
    for i in range(int(box[0] // CELL), int(box[2] // CELL) + 1):
        for j in range(int(box[1] // CELL), int(box[3] // CELL) + 1):
            yield i, j
