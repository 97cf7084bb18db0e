"""The ops view: every recorded operation, one column per step, one bus per parameter.

>>> import minigrad as mg
>>> from minigrad.draw.ops.items import Reader
>>> W = mg.parameter([[0.5]], name="W")
>>> h = mg.tensor([[1.0]], name="h0")
>>> for t in mg.steps(3):
...     h = mg.tanh(h @ W).named("h")
>>> scene = draw_ops(Reader(mg.Graph(h)).items())
>>> (box_of_W,) = (node.id for node in scene.nodes if node.name == "W")
>>> sum(edge.tail == box_of_W for edge in scene.edges)
3
"""

from collections.abc import Sequence

from minigrad.draw.ops.frames import draw_frames
from minigrad.draw.ops.items import Item
from minigrad.draw.ops.plan import Plan
from minigrad.draw.ops.repeats import folded
from minigrad.draw.ops.routes import BusDrops, draw_arrows, ways
from minigrad.draw.page.letters import note
from minigrad.draw.page.scene import Node, Scene
from minigrad.draw.page.sheet import Sheet


def draw_ops(
    items: Sequence[Item], steps: int = 6, caption: str | None = None
) -> Scene:
    """The scene of the items of a graph with a loop over time."""
    items, times = folded(items)
    plan = Plan(items, steps)
    found, drops = ways(plan)
    plan.settle()
    sheet = Sheet()
    _boxes_of_buses(sheet, plan, drops)
    for key, item in plan.items.items():
        slot = plan.slot(key)
        if slot in plan.left and slot[0] != "bus":
            sheet.add(box(item, plan.x(key), plan.rows[plan.rank(key)]))
    recorded = sum(len(item.inputs) for item in items)
    sheet.elided = recorded - draw_arrows(sheet, plan, found, drops)
    draw_frames(sheet, plan, times)
    _captions(sheet, plan)
    return sheet.scene(caption)


def box(item: Item, x: float, y: float, bus: int | None = None) -> Node:
    """The node of an item."""
    return Node(
        item.key,
        x,
        y,
        item.width,
        item.height,
        item.lines,
        item.shape,
        item.kind,
        item.title,
        item.name,
        None if item.column is None else item.column[1],
        role=item.name,
        bus=bus,
    )


def _boxes_of_buses(sheet: Sheet, plan: Plan, drops: BusDrops) -> None:
    """Parameters and sequences, left of all else, each near the height of its bus."""
    wanted: dict[str, float] = {}
    for source, gap in drops:
        y = plan.track_y((gap, ("bus", source)))
        wanted[source] = max(wanted.get(source, y), y)
    order = sorted(wanted, key=lambda key: -wanted[key])
    groups: list[list[str]] = []
    for key in order:
        groups.append([key])
        while len(groups) > 1 and _top(groups[-1], wanted, plan) > _bottom(
            groups[-2], wanted, plan
        ):
            groups[-2:] = [groups[-2] + groups[-1]]
    colours = {key: i for i, key in enumerate(dict.fromkeys(s for s, _ in drops))}
    right = plan.left.get(("bus", 0), 0.0) + (plan.width(("bus", 0)) if order else 0.0)
    for group in groups:
        y = _top(group, wanted, plan)
        for key in group:
            item = plan.items[key]
            y -= item.height / 2 + 2
            sheet.add(box(item, right - item.width / 2, y, colours[key]))
            y -= item.height / 2 + 2


def _size(group: list[str], plan: Plan) -> float:
    return sum(plan.items[key].height + 4 for key in group)


def _top(group: list[str], wanted: dict[str, float], plan: Plan) -> float:
    return sum(wanted[k] for k in group) / len(group) + _size(group, plan) / 2


def _bottom(group: list[str], wanted: dict[str, float], plan: Plan) -> float:
    return _top(group, wanted, plan) - _size(group, plan)


def _captions(sheet: Sheet, plan: Plan) -> None:
    """The step under each column, and what the gap leaves out."""
    low = sheet.bounds[1] - 16
    middle = (plan.rows[0] + plan.rows[-1]) / 2
    for slot in plan.slots:
        x = plan.left[slot] + plan.width(slot) / 2
        if isinstance(slot[0], int):
            sheet.write(x, low, note(f"t = {slot[1]}", 13.0, "bold"))
        elif slot[0] == "gap":
            shown = sum(s[0] == slot[1] for s in plan.slots)
            hidden = plan.lengths[slot[1]] - shown
            sheet.write(
                x,
                low,
                note(f"{hidden} more step{'s' * (hidden > 1)}"),
                "faint",
                word="more steps",
            )
            for k in (-1, 0, 1):
                key = f"dots {slot[1]} {k}"
                dot = Node(key, x + 8 * k, middle, 4.5, 4.5, (), "dot", "dot")
                sheet.add(dot)
