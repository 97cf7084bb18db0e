"""Frames around what one ``mg.scope`` made, with its name.

A frame is drawn where it holds nothing else: two frames lie one in the other, or apart.
"""

from collections import defaultdict
from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np

from minigrad.draw.ops.plan import Plan
from minigrad.draw.page.fonts import shorten
from minigrad.draw.page.letters import clean, note
from minigrad.draw.page.nearness import (
    Array,
    border,
    dense,
    gaps,
    overlaps,
    sampled,
    within,
)
from minigrad.draw.page.scene import (
    Frame,
    Lines,
    Node,
    Point,
    Rectangle,
    Text,
    around,
    extent,
)
from minigrad.draw.page.sheet import Sheet

PAD, NEST, TITLE = 7.0, 12.0, 10.0


def draw_frames(sheet: Sheet, plan: Plan, times: Mapping[Any, int]) -> None:
    """Frame the scopes; ``times`` are those that stand for several of their kind."""
    members: dict[Any, list[Node]] = defaultdict(list)
    for key in sheet.nodes:
        path = plan.scopes[key] or ()
        for depth in range(1, len(path) + 1):
            members[path[:depth], plan.slot(key)].append(sheet.nodes[key])
    deepest = max((len(path) for path, _ in members), default=0)
    names = []
    for (path, _), nodes in members.items():
        box = around((n.box for n in nodes), PAD + NEST * (deepest - len(path)))
        often = times.get(path, 1)
        mine = {n.id for n in nodes}
        others = [
            around([n.box], 2.0) for n in sheet.nodes.values() if n.id not in mine
        ]
        alone = all(_apart(box, other) for other in others) and all(
            _apart(box, f.box) or _holds(box, f.box) or _holds(f.box, box)
            for f in sheet.frames
        )
        if often > 1 or (len(nodes) > 1 and alone):
            sheet.frames.append(Frame(box))
            names.append(clean(str(path[-1][0])) + f" × {often}" * (often > 1))
    arrows = sampled(sheet.edges)[1]
    of, lines = dense([border(frame) for frame in sheet.frames])
    for i, name in enumerate(names):
        _write(sheet, sheet.frames[i].box, name, arrows, lines[of != i])


def _apart(a: Rectangle, b: Rectangle) -> bool:
    return a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def _holds(a: Rectangle, b: Rectangle) -> bool:
    return around([a, b]) == a


def _write(
    sheet: Sheet, box: Rectangle, name: str, arrows: Array, borders: Array
) -> None:
    """Write the name of a frame outside of it, where it strikes nothing.

    It is cut where there is no room for all of it.
    """
    left, low, right, high = box
    found: list[tuple[Point, Lines]] = []
    for room in (np.inf, right - left, 0.6 * (right - left)):
        lines = note(shorten(name, "serif", TITLE, room), TITLE)
        half, up = (size / 2 for size in extent(lines))
        xs = np.linspace(left + half, right - half, 9)
        ys = np.linspace(high - up, low + up, 9)
        at = [*product(xs.tolist(), (high + up, low - up))]
        at += product((left - half - 3, right + half + 3), ys.tolist())
        found += ((place, lines) for place in at)
    boxes = np.array([Text(*at, lines).box for at, lines in found])
    taken = [n.box for n in sheet.nodes.values()] + [t.box for t in sheet.texts]
    taken += [f.box for f in sheet.frames if not _holds(f.box, box)]
    struck = 1e6 * overlaps(boxes, np.array(taken), 0.0).sum(axis=1)
    reach = np.append(boxes.min(axis=0)[:2], boxes.max(axis=0)[2:])
    for points, cost in ((arrows, 1e3), (borders, 1.0)):
        near = points[within(points, reach)]
        struck += cost * (gaps(boxes, near) == 0).sum(axis=1)
    (x, y), lines = found[int(struck.argmin())]
    sheet.write(x, y, lines, "faint")
