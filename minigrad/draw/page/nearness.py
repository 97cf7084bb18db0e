"""Which arrow a letter belongs to, as the eye reads it: the nearest one.

Vocabulary
    ink      the box of what is printed of a text, without the white around it
    own      the part of an arrow beside which its letters stand: no sister with other
             letters runs along it
    kin      arrows of one trunk with the same letters: beside each of them these are
             right
    foreign  every other line, and what kin share with sisters of other letters

>>> from minigrad.draw.page.curves import straight
>>> lines = [Edge("", "", straight((0, y), (60, y)), id=f"at {y}") for y in (0, 25)]
>>> ground = Ground([], lines)
>>> around = np.array([-20.0, -20.0, 80.0, 45.0])
>>> points, of = ground.foreign(lines[0], ground.own(lines[0]), around)
>>> set(points[:, 1].round(1)) >= {25.0}, set(of)
(True, {np.int64(1)})
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from minigrad.draw.page.curves import HEAD, WIDE, Curve, polyline
from minigrad.draw.page.scene import (
    Edge,
    Frame,
    Lines,
    Node,
    Point,
    Rectangle,
    Run,
    around,
    placed_runs,
)

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

STEP = 2.0
ROUND = ("circle", "dot", "oval")
# So near to its own part a trunk is that part.
JOINT = 4.6
# What reaches below the line of writing, and what does not reach high above it.
LOW = set("gjpqyQβγημρφχψςζξ,;()")
SMALL = set("acegmnopqrsuvwxyzαγεηικμνοπρστυχωςφψ,.…−-")


@dataclass(frozen=True, slots=True)
class Ink:
    """What is printed of a text, as seen from its point: left, low, right, high.

    ``bare`` is the part without subscripts and superscripts.
    """

    whole: Rectangle
    bare: Rectangle

    @property
    def size(self) -> Point:
        """Half the width and half the height of all of it."""
        left, low, right, high = self.whole
        return (right - left) / 2, (high - low) / 2

    @property
    def centre(self) -> Point:
        """The middle of all of it."""
        left, low, right, high = self.whole
        return (left + right) / 2, (low + high) / 2


def ink(lines: Lines) -> Ink:
    """The print of a text that is centred on its point.

    Engines put the line of writing 0.24 to 0.31 em below the point: both fit in.

    >>> ink(((Run("W", "bold", 18), Run("f", "italic", 11, -4.0)),)).bare
    (-10.53, -5.58, 7.47, 7.56)
    """
    placed = list(placed_runs(0.0, 0.0, lines))
    large = max((run.size for _, _, run in placed), default=0.0)

    def box(runs: Iterable[tuple[float, float, Run]]) -> Rectangle:
        left, low, right, high = around(_print(*one) for one in runs)
        return round(left, 2), round(low, 2), round(right, 2), round(high, 2)

    return Ink(box(placed), box(one for one in placed if one[2].size == large))


def _print(x: float, y: float, run: Run) -> Rectangle:
    letters, wide = set(run.text), run.width / 2
    low = 0.51 if letters & LOW else 0.31
    high = 0.22 if letters <= SMALL else 0.42
    return (x - wide, y - low * run.size, x + wide, y + high * run.size)


def dense(curves: Sequence[Curve]) -> tuple[Indices, Array]:
    """Points along curves, at most 2 pt apart, and the number of each one's curve."""
    pieces = [
        (i, k + 4 == len(curve), curve[k : k + 4])
        for i, curve in enumerate(curves)
        for k in range(0, len(curve) - 1, 3)
    ]
    controls = np.array([p for _, _, p in pieces], dtype=float).reshape(-1, 4, 2)
    sides = np.hypot(*np.diff(controls, axis=1).T).reshape(3, -1)
    # Nowhere does a curve run faster than three times its longest side.
    counts = np.floor(3 * sides.max(axis=0) / STEP).astype(int) + 1  # less than STEP
    ends = np.array([end for _, end, _ in pieces], dtype=int)
    here = np.repeat(np.arange(len(pieces)), counts + ends)
    first = np.cumsum(counts + ends) - counts - ends
    u = (np.arange(len(here)) - first[here]) / counts[here]
    v = 1 - u
    shares = np.stack([v**3, 3 * v * v * u, 3 * v * u * u, u**3])
    points = np.einsum("kn,nkc->nc", shares, controls[here])
    return np.array([i for i, _, _ in pieces], dtype=np.intp)[here], points


@lru_cache(maxsize=1024)
def along(curve: Curve) -> Array:
    """Points along one curve, at most 2 pt apart, that nobody may change."""
    points = dense([curve])[1]
    points.flags.writeable = False
    return points


def sampled(edges: Sequence[Edge]) -> tuple[Indices, Array]:
    """Points along arrows, and the number of each one's edge.

    Last come the outer corners of the heads.
    """
    which, points = dense([e.points for e in edges])
    ends = [(i, *e.points[-2:]) for i, e in enumerate(edges) if e.head and e.points]
    tips = np.array([tip for _, _, tip in ends]).reshape(-1, 2)
    way = tips - np.array([last for _, last, _ in ends]).reshape(-1, 2)
    way *= HEAD / np.maximum(np.hypot(*way.T), 1e-9)[:, None]
    side = WIDE * way[:, ::-1] * (-1.0, 1.0)
    heads = np.array([i for i, _, _ in ends], dtype=np.intp)
    return (
        np.concatenate([which, heads, heads]),
        np.concatenate([points, tips - way + side, tips - way - side]),
    )


def gaps(boxes: Array, points: Array) -> Array:
    """From each box to each point; 0 within it."""
    squares = _squares(boxes, points)
    return np.sqrt(squares, out=squares)


def nearest(boxes: Array, points: Array) -> Array:
    """From each box to the nearest point; 0 if that is within it."""
    found: Array = np.sqrt(_squares(boxes, points).min(axis=1))
    return found


def _squares(boxes: Array, points: Array) -> Array:
    """The squares of the gaps from each box to each point."""
    squares: list[Array] = []
    for axis in (0, 1):
        at = points[:, axis]
        away = boxes[:, axis, None] - at
        np.maximum(away, at - boxes[:, axis + 2, None], out=away)
        np.maximum(away, 0.0, out=away)
        away *= away
        squares.append(away)
    squares[0] += squares[1]
    return squares[0]


def covered(boxes: Array, points: Array) -> Indices:
    """How many points each box has, those on its sides too."""
    (x, y), (left, low, right, high) = points.T, boxes.T[:, :, None]
    held = x >= left
    for more in (x <= right, y >= low, y <= high):
        held &= more
    found: Indices = np.count_nonzero(held, axis=1)
    return found


def within(points: Array, box: Array) -> NDArray[np.bool_]:
    """Which points lie in a box."""
    inside: NDArray[np.bool_] = (points > box[:2]) & (points < box[2:])
    return inside[:, 0] & inside[:, 1]


def overlaps(boxes: Array, others: Array, clear: float) -> NDArray[np.bool_]:
    """Whether each box comes nearer to each other one than ``clear``."""
    a, b = boxes[:, None, :], others[None, :, :]
    apart = np.maximum(a[..., :2] - b[..., 2:], b[..., :2] - a[..., 2:])
    found: NDArray[np.bool_] = apart < clear
    return found[..., 0] & found[..., 1]


class Ground:
    """What letters stand among: lines as points, and outlines."""

    def __init__(
        self, nodes: Iterable[Node], edges: Iterable[Edge], frames: Iterable[Frame] = ()
    ) -> None:
        self.edges = [e for e in edges if e.points]
        self.numbers = {e.id: i for i, e in enumerate(self.edges)}
        of, points = sampled(self.edges)
        order = np.argsort(points[:, 0], kind="stable")
        self._points, self._of = points[order], of[order]
        self._xs = self._points[:, 0].copy()
        # Half of what a line is thicker than a usual one.
        self._thick = np.array([0.6 * (e.thickness - 1) for e in self.edges])
        self._trunks: dict[tuple[str, str], list[Edge]] = {}
        for edge in self.edges:
            self._trunks.setdefault(_trunk(edge), []).append(edge)
        # By trunk and letters.
        self._own: dict[tuple[object, ...], Array] = {}
        self._akin: dict[tuple[object, ...], NDArray[np.bool_]] = {}
        self.nodes = [n for n in nodes if n.shape != "text"]
        sizes = [(n.x, n.y, n.width / 2, n.height / 2) for n in self.nodes]
        self._sizes = np.array(sizes, dtype=float).reshape(-1, 4)
        self._oval = np.array([n.shape in ROUND for n in self.nodes], dtype=bool)
        self.borders = dense([border(f) for f in frames if f.fill is None])[1]

    def kin(self, edge: Edge) -> list[Edge]:
        """The arrows beside which the letters of an arrow are right."""
        sisters = self._trunks[_trunk(edge)]
        return [e for e in sisters if e.parameters == edge.parameters]

    def own(self, edge: Edge) -> Array:
        """The points beside which the letters of an arrow stand."""
        key = _trunk(edge), edge.parameters
        if key not in self._own:
            curves = [e.own or e.points for e in self.kin(edge)]
            alone = len(curves) == 1
            self._own[key] = along(curves[0]) if alone else dense(curves)[1]
        return self._own[key]

    def akin(self, edge: Edge) -> NDArray[np.bool_]:
        """Which lines are those of the arrow's kin."""
        key = _trunk(edge), edge.parameters
        if key not in self._akin:
            akin = self._akin[key] = np.zeros(len(self.edges), dtype=bool)
            akin[[self.numbers[e.id] for e in self.kin(edge)]] = True
        return self._akin[key]

    def foreign(self, edge: Edge, own: Array, reach: Array) -> tuple[Array, Indices]:
        """The points of foreign lines within a box, and the numbers of the lines."""
        start, end = self._xs.searchsorted((reach[0], reach[2]))
        points, of = self._points[start:end], self._of[start:end]
        inside = (points[:, 1] > reach[1]) & (points[:, 1] < reach[3])
        points, of = points[inside], of[inside]
        mine = self.akin(edge)[of]
        if len(self.kin(edge)) < len(self._trunks[_trunk(edge)]) and mine.any():
            # What sisters with other letters share with it belongs to none of them.
            spots = points[mine][:, [0, 1, 0, 1]]
            mine[mine] = nearest(spots, own) < JOINT
        return points[~mine], of[~mine]

    def from_lines(self, boxes: Array, points: Array, of: Indices) -> Array:
        """From each box to the nearest of some lines, as thick as those are drawn."""
        thick = self._thick[of]
        if not thick.any():
            return nearest(boxes, points)
        found: Array = (gaps(boxes, points) - thick).min(axis=1)
        return found

    def from_outlines(self, boxes: Array) -> Array:
        """From each box to each outline; below 0 within it."""
        x, y, wide, high = self._sizes.T
        dx = np.maximum(np.maximum(boxes[:, :1] - x, x - boxes[:, 2:3]), 0)
        dy = np.maximum(np.maximum(boxes[:, 1:2] - y, y - boxes[:, 3:]), 0)
        oval = (np.hypot(dx / wide, dy / high) - 1) * np.minimum(wide, high)
        found: Array = np.where(self._oval, oval, np.maximum(dx - wide, dy - high))
        return found


def _trunk(edge: Edge) -> tuple[str, str]:
    """What arrows have in common that run together; pieces of a loop are one arrow."""
    if edge.net is None and edge.part == "folded" and edge.home:
        return edge.part, edge.home
    return edge.part, edge.net or edge.id


def border(frame: Frame) -> Curve:
    """The line of a frame."""
    x0, y0, x1, y1 = frame.box
    return polyline((x0, y0), (x0, y1), (x1, y1), (x1, y0), (x0, y0))
