"""Frames around what one ``mg.scope`` made, with its name.

A frame is drawn where it holds nothing else: two frames lie one in the other, or apart.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from minigrad.draw.ops.plan import Plan
from minigrad.draw.page.frames import holds, write_names
from minigrad.draw.page.letters import clean
from minigrad.draw.page.scene import Frame, Node, Rectangle, around
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
            _apart(box, f.box) or holds(box, f.box) or holds(f.box, box)
            for f in sheet.frames
        )
        if often > 1 or (len(nodes) > 1 and alone):
            sheet.frames.append(Frame(box))
            names.append(clean(str(path[-1][0])) + f" × {often}" * (often > 1))
    write_names(sheet, dict(enumerate(names)), TITLE)


def _apart(a: Rectangle, b: Rectangle) -> bool:
    return a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
