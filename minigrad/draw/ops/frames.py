"""Frames around what one ``mg.scope`` made, with its name.

A frame is drawn where it holds nothing else: two frames lie one in the other, or apart.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from minigrad.draw.ops.plan import Plan
from minigrad.draw.page.curves import sample
from minigrad.draw.page.frames import around, clear
from minigrad.draw.page.letters import clean, note
from minigrad.draw.page.scene import Frame, Node, Rectangle, extent
from minigrad.draw.page.sheet import Sheet

PAD, NEST, TITLE = 7.0, 12.0, 10.0


def draw_frames(sheet: Sheet, plan: Plan, times: Mapping[Any, int]) -> None:
    """Frame the scopes; ``times`` are those that stand for several of their kind."""
    members: dict[Any, list[Node]] = defaultdict(list)
    for key in sheet.nodes:
        path = plan.scopes[key] or ()
        for depth in range(1, len(path) + 1):
            members[path[:depth], plan.slot(key)].append(sheet.nodes[key])
    edges = [sample(edge.points) for edge in sheet.edges]
    framed: list[Rectangle] = []
    deepest = max((len(path) for path, _ in members), default=0)
    for (path, _), nodes in members.items():
        box = around(nodes, PAD + NEST * (deepest - len(path)))
        often = times.get(path, 1)
        mine = {node.id for node in nodes}
        alone = not any(
            _meet(box, around([node], 2.0))
            for node in sheet.nodes.values()
            if node.id not in mine
        )
        apart = all(_meet(box, b) in (0, 2) for b in framed)
        if often == 1 and (len(nodes) < 2 or not alone or not apart):
            continue
        framed.append(box)
        sheet.frames.append(Frame(box))
        name = clean(str(path[-1][0])) + (f" × {often}" if often > 1 else "")
        lines = note(name, TITLE)
        sheet.write(*clear(box, extent(lines), edges), lines, "faint")


def _meet(a: Rectangle, b: Rectangle) -> int:
    """0 where two boxes lie apart, 2 where one holds the other, else 1."""
    if a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]:
        return 0
    for one, other in ((a, b), (b, a)):
        low = one[0] <= other[0] and one[1] <= other[1]
        if low and one[2] >= other[2] and one[3] >= other[3]:
            return 2
    return 1
