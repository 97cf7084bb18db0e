"""The names of frames, where they strike nothing.

>>> holds((0, 0, 9, 9), (1, 1, 2, 2)), holds((1, 1, 2, 2), (0, 0, 9, 9))
(True, False)
"""

from collections.abc import Mapping
from itertools import product

import numpy as np

from minigrad.draw.page.curves import HEAD, Curve
from minigrad.draw.page.fonts import shorten
from minigrad.draw.page.letters import note
from minigrad.draw.page.nearness import (
    Array,
    border,
    covered,
    dense,
    overlaps,
    sampled,
    within,
)
from minigrad.draw.page.scene import Lines, Point, Rectangle, Text, around, extent
from minigrad.draw.page.sheet import Sheet


def holds(a: Rectangle, b: Rectangle) -> bool:
    """Whether the first box holds the second."""
    return around([a, b]) == a


def write_names(
    sheet: Sheet, names: Mapping[int, str], size: float, part: str = ""
) -> None:
    """Write the names of frames outside of them; a name is cut where there is no room.

    ``names`` are by the number of the frame on the sheet.
    """
    of, lines = dense([border(frame) for frame in sheet.frames])
    for i, name in names.items():
        box = sheet.frames[i].box
        (x, y), words = _free(sheet, box, name, size, lines[of != i])
        sheet.write(x, y, words, "faint", part)


def _meets(curve: Curve, reach: Array) -> bool:
    """Whether an arrow, with its head, may come into a box."""
    xs, ys = zip(*curve, strict=True)
    (left, low), (right, high) = reach[:2] - HEAD, reach[2:] + HEAD
    return bool(min(xs) < right and max(xs) > left and min(ys) < high and max(ys) > low)


def _free(
    sheet: Sheet, box: Rectangle, name: str, size: float, borders: Array
) -> tuple[Point, Lines]:
    left, low, right, high = box
    found: list[tuple[Point, Lines]] = []
    for room in (np.inf, right - left, 0.6 * (right - left)):
        lines = note(shorten(name, "serif", size, room), size)
        half, up = (side / 2 for side in extent(lines))
        xs = np.linspace(left + half, right - half, 9)
        ys = np.linspace(high - up, low + up, 9)
        at = [*product(xs.tolist(), (high + up, low - up))]
        at += product((left - half - 3, right + half + 3), ys.tolist())
        at += product(xs.tolist(), (high - up, low + up))  # or else inside of it
        found += ((place, lines) for place in at)
    boxes = np.array([Text(*at, lines).box for at, lines in found])
    taken = [n.box for n in sheet.nodes.values()] + [t.box for t in sheet.texts]
    taken += [f.box for f in sheet.frames if not holds(f.box, box)]
    struck = 1e6 * overlaps(boxes, np.array(taken), 0.0).sum(axis=1)
    reach = np.append(boxes.min(axis=0)[:2], boxes.max(axis=0)[2:])
    arrows = [e for e in sheet.edges if e.points and _meets(e.points, reach)]
    for points, cost in ((sampled(arrows)[1], 1e3), (borders, 1.0)):
        near = points[within(points, reach)]
        struck += cost * covered(boxes, near)
    return found[int(struck.argmin())]
