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
from itertools import pairwise

from minigrad.draw.ops.frames import draw_frames
from minigrad.draw.ops.items import Item
from minigrad.draw.ops.plan import BUS, Plan
from minigrad.draw.ops.repeats import folded
from minigrad.draw.ops.routes import Routes
from minigrad.draw.page.letters import note
from minigrad.draw.page.nearness import Array, sampled
from minigrad.draw.page.scene import Node, Scene
from minigrad.draw.page.sheet import Sheet
from minigrad.draw.page.spread import spread


def draw_ops(
    items: Sequence[Item], steps: int = 6, caption: str | None = None
) -> Scene:
    """The scene of the items of a graph with a loop over time."""
    items, times = folded(items)
    plan = Plan(items, steps)
    routes = Routes(plan)
    plan.settle()
    sheet = Sheet()
    if routes.buses:
        _buses(sheet, plan, routes)
    for key, item in plan.items.items():
        if plan.slot(key) in plan.left and plan.slot(key) != BUS:
            _box(sheet, item, plan.x(key), plan.rows[plan.rank(key)])
    routes.draw(sheet)
    drawn = sum(bool(e.tail and e.tip) for e in sheet.edges)
    recorded = sum(len(item.inputs) + (item.past is not None) for item in items)
    sheet.elided = recorded - drawn
    draw_frames(sheet, plan, times)
    _captions(sheet, plan)
    return sheet.scene(caption)


def _box(sheet: Sheet, item: Item, x: float, y: float, bus: int | None = None) -> None:
    """The outline of an item."""
    node = Node(
        item.key, x, y, item.width, item.height, item.lines, item.shape, item.kind,
        item.title, item.name, item.column[1] if item.column else None,
        role=item.name, bus=bus,
    )  # fmt: skip
    sheet.add(node)


def _buses(sheet: Sheet, plan: Plan, routes: Routes) -> None:
    """Parameters and sequences, left of all else, each near the height of its bus."""
    colours = {key: i for i, key in enumerate(routes.buses)}
    wanted = {
        key: max(plan.track_y((gap, ("bus", key))) for gap in drops)
        for key, drops in routes.buses.items()
    }
    order = sorted(wanted, key=lambda key: -wanted[key])
    heights = [plan.items[key].height for key in order]
    gaps = [(a + b) / 2 + 4 for a, b in pairwise(heights)]
    ys = spread([-wanted[key] for key in order], [1.0] * len(order), gaps)
    for key, y in zip(order, ys, strict=True):
        item = plan.items[key]
        right = plan.left[BUS] + plan.width(BUS)
        _box(sheet, item, right - item.width / 2, -y, colours[key])


def _captions(sheet: Sheet, plan: Plan) -> None:
    """The step under each column, and what the gap leaves out."""
    low = sheet.bounds[1] - 16
    middle = (plan.rows[0] + plan.rows[-1]) / 2
    points = sampled(sheet.edges)[1]
    for slot in plan.slots:
        x = plan.left[slot] + plan.width(slot) / 2
        if isinstance(slot[0], int):
            sheet.write(x, low, note(f"t = {slot[1]}", 13.0, "bold"))
        elif slot[0] == "gap":
            clock = slot[1]
            hidden = plan.lengths[clock] - sum(s[0] == clock for s in plan.slots)
            words = note(f"{hidden} more step{'s' * (hidden > 1)}")
            sheet.write(x, low, words, "faint", word="more steps")
            y = _free(x, middle, points)
            for k in (-1, 0, 1):
                id = f"dots {clock} {k}"
                sheet.add(Node(id, x + 8 * k, y, 4.5, 4.5, (), "dot", "dot"))


def _free(x: float, y: float, points: Array) -> float:
    """The height nearest to y where no arrow runs through three dots."""
    near = points[abs(points[:, 0] - x) < 12, 1]
    heights = [y + 3.0 * k * side for k in range(20) for side in (1, -1)]
    return next((h for h in heights if (abs(near - h) > 4.0).all()), y)
