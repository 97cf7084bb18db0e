"""Whether every arrow of a figure is seen: its ink is looked for in the pixels.

Points along each shaft where nothing else is drawn, and the middle of each head, have
to show the arrow's colour. A solid line shows it nearly everywhere, a dashed one in
part. Of an arrow that has no point of its own its head alone is looked at.

>>> from minigrad.draw.figure import Figure
>>> from minigrad.draw.page.scene import Edge, arranged
>>> line = Edge("", "", ((0, 0), (30, 0), (60, 0), (90, 0)), id="e")
>>> hidden(Figure(arranged([], [line], [])))
[]
"""

import numpy as np

from minigrad.draw.page.curves import HEAD
from minigrad.draw.page.nearness import sampled
from minigrad.draw.page.scene import extent
from minigrad.draw.render.audit import Arrows
from tests.draw.images import read_png

DPI = 72
ALONE, CLEAR, POINTS = 3.5, 1.5, 15
SOLID, DASHED = 0.8, 0.25


def hidden(figure, picture=None):
    """The arrows without ink in a picture of the figure: (id, what is not seen)."""
    scene, look = figure.scene, figure.look
    pixels = read_png(picture or figure.png(dpi=DPI))
    which, points = sampled(scene.edges)
    heads = 2 * sum(e.head and bool(e.points) for e in scene.edges)
    last = len(which) - heads
    which, points = which[:last], points[:last]
    free, arrows = _outside(points, scene), Arrows(scene.edges)
    found = []
    for i, edge in enumerate(scene.edges):
        own = points[which == i]
        if len(own) < 2:
            continue
        colour = _rgb(look.line(edge.kind))
        ink = _Ink(pixels, colour)
        what = []
        length = HEAD * min(1.8, 0.8 + 0.2 * edge.thickness) if edge.head else 0.0
        shaft = own[free[which == i] & (_left(own) > length + 1.0) & (_left(own) > 1)]
        shaft = [p for p in _some(shaft) if _alone(p, i, arrows)]
        if shaft and ink.share(shaft) < (DASHED if edge.dashed else SOLID):
            what.append("shaft")
        if edge.head and _left(own)[0] >= 1 and not ink.at(_centre(own, length)):
            what.append("head")
        found += [(edge.id, part) for part in what]
    return found


class _Ink:
    """Where the pixels have a colour."""

    def __init__(self, pixels, colour):
        self.pixels, self.paper = pixels, pixels[1, 1]
        self.colour = colour
        self.near = 0.55 * np.abs(colour - self.paper).sum()

    def at(self, point):
        x, y = point[0] * DPI / 72, len(self.pixels) - point[1] * DPI / 72
        rows = slice(max(0, int(y) - 2), int(y) + 3)
        around = self.pixels[rows, max(0, int(x) - 2) : int(x) + 3].reshape(-1, 3)
        return bool((np.abs(around - self.colour).sum(axis=1) < self.near).any())

    def share(self, points):
        return sum(map(self.at, points)) / len(points)


def _rgb(colour):
    return np.array([int(colour.lstrip("#")[k : k + 2], 16) for k in (0, 2, 4)])


def _some(points):
    return points[:: max(1, len(points) // POINTS)]


def _left(points):
    """How far it is from each point along the arrow to its tip."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    return np.append(np.cumsum(steps[::-1])[::-1], 0.0)


def _centre(points, length):
    """The middle of a head."""
    before = points[_left(points) > 1e-6][-1]
    way = points[-1] - before
    return points[-1] - way / np.hypot(*way) * length * 0.55


def _outside(points, scene):
    """Which points lie in no outline and under no letters."""
    x, y = points.T
    free = np.ones(len(points), bool)
    boxes = [(n.x, n.y, n.width, n.height) for n in scene.nodes if n.shape != "text"]
    boxes += [(t.x, t.y, *extent(t.lines)) for t in scene.texts]
    for bx, by, wide, high in boxes:
        aside = abs(x - bx) > wide / 2 + CLEAR
        free &= aside | (abs(y - by) > high / 2 + CLEAR)
    return free


def _alone(point, i, arrows):
    """Whether no other arrow is near to a point of arrow i."""
    x, y = point
    near, _ = arrows.within((x - ALONE, y - ALONE, x + ALONE, y + ALONE))
    return not (near != i).any()
