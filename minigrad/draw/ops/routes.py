"""The arrows of the ops view: within a step, along buses, and between steps.

``ways`` decides first which tracks and channels are needed; when they have their
places, ``draw_arrows`` draws.
"""

from collections.abc import Hashable
from typing import Any

from minigrad.draw.ops.plan import Plan, Way
from minigrad.draw.page.curves import Curve, clipped, polyline, rounded, straight
from minigrad.draw.page.scene import Node, Point
from minigrad.draw.page.sheet import Sheet

BusDrops = dict[tuple[str, int], list[tuple[str, int]]]


def ways(plan: Plan) -> tuple[list[Way], BusDrops]:
    """Claim tracks and channels for all arrows between slots that are shown."""
    found: list[Way] = []
    drops: BusDrops = {}
    for key, item in plan.items.items():
        for argument, source in enumerate(item.inputs):
            here, there = plan.slot(key), plan.slot(source)
            if there[0] == "bus":
                if here in plan.order:
                    gap = plan.rank(key)
                    plan.claim(gap, ("bus", source))
                    drops.setdefault((source, gap), []).append((key, argument))
            elif here != there:
                way = _way(plan, source, key, argument)
                if way is not None:
                    found.append(way)
    for source, _ in drops:
        plan.channel(plan.slots[1], ("bus", source))
    return found, drops


def _way(plan: Plan, source: str, target: str, argument: int) -> Way | None:
    here, there = plan.slot(target), plan.slot(source)
    stub = ""
    if here not in plan.order or there not in plan.order:
        if not _adjacent_to_gap(plan, here, there):
            return None
        stub = "out" if there in plan.order else "in"
    a = plan.order.get(there, plan.order.get(("gap", there[0]), 0))
    b = plan.order.get(here, plan.order.get(("gap", here[0]), 0))
    side = 1 if b > a else -1
    place_a, place_b = plan.items[source].place, plan.items[target].place
    out = into = None
    if stub != "in" and (abs(a - b) > 1 or not plan.grid(source).free(place_a, side)):
        lag = there[1] % (abs(a - b) or 1) if isinstance(there[1], int) else 0
        out = plan.claim(plan.rank(source) + 1, ("out", place_a, place_b, side, lag))
    if stub != "out" and not plan.grid(target).free(place_b, -side):
        into = plan.claim(plan.rank(target), ("into", place_b, argument))
    before = plan.slots[b if side > 0 else b + 1]
    user: Hashable = (place_a, place_b, argument)
    return Way(source, target, argument, out, into, plan.channel(before, user), stub)


def _adjacent_to_gap(plan: Plan, here: Any, there: Any) -> bool:
    """Whether one end is shown and the arrow leads into the gap beside it."""
    if here[0] != there[0] or not isinstance(here[0], int):
        return False
    shown, hidden = (here, there) if here in plan.order else (there, here)
    if shown not in plan.order or ("gap", here[0]) not in plan.order:
        return False
    return abs(plan.order[shown] - plan.order["gap", here[0]]) == 1 and (
        (hidden[1] > shown[1]) == (plan.order["gap", here[0]] > plan.order[shown])
    )


def draw_arrows(sheet: Sheet, plan: Plan, found: list[Way], drops: BusDrops) -> int:
    """Draw all arrows; returns how many recorded edges they are."""
    drawn = 0
    for key, item in plan.items.items():
        met: set[str] = set()
        for source in item.inputs:
            if source in sheet.nodes and plan.slot(source) == plan.slot(key):
                if key in sheet.nodes:
                    _within(sheet, plan, source, key, source in met)
                    drawn += 1
                met.add(source)
    for colour, source in enumerate(dict.fromkeys(source for source, _ in drops)):
        drawn += _bus(sheet, plan, source, drops, colour)
    for way in found:
        _between(sheet, plan, way)
        drawn += not way.stub
    return drawn


def _title(plan: Plan, source: str, target: str) -> str:
    return f"{plan.items[source].words} → {plan.items[target].words}"


def _within(sheet: Sheet, plan: Plan, source: str, target: str, again: bool) -> None:
    """An arrow in a slot: straight, or through the passages that were kept free."""
    a, b = sheet.nodes[source], sheet.nodes[target]
    places = (plan.items[source].place, plan.items[target].place)
    lanes = plan.grid(target).passages.get(places)
    curve: Curve | None = clipped(a, b, 6.0) if again else None
    lane_of = plan.grid(target).lanes
    if not lanes and not again and abs(lane_of[places[0]] - lane_of[places[1]]) > 1:
        # In the gap between two rows, so as not to brush a neighbour.
        end = (b.x + _port(a.x, b), b.y - b.height / 2)
        curve = straight((a.x, a.y + a.height / 2), end)
    if lanes and not again:
        first = plan.rank(source) + 1
        points = [plan.passage(target, first + k, lane) for k, lane in enumerate(lanes)]
        corners: list[Point] = [(a.x, a.y + a.height / 2)]
        for x, y in points:
            reach = 16.0
            corners += [(x, y - reach), (x, y + reach)]
        corners.append((b.x + _port(corners[-1][0], b), b.y - b.height / 2))
        curve = rounded(*corners, radius=10.0)
    sheet.connect(source, target, curve, title=_title(plan, source, target))


def _port(x: float, b: Node) -> float:
    """Where on its lower side a box is entered from x: towards where it comes from."""
    room = b.width * 0.3
    return max(-room, min(room, (x - b.x) * 0.3))


def _bus(sheet: Sheet, plan: Plan, source: str, drops: BusDrops, colour: int) -> int:
    """A box's arrows along its tracks, with a drop at each use; each piece goes on."""
    node = sheet.nodes[source]
    turn = plan.channel_x((plan.slots[1], ("bus", source)))
    drawn = 0
    for (key, gap), uses in drops.items():
        if key != source:
            continue
        y = plan.track_y((gap, ("bus", source)))
        start: tuple[Point, ...] = ((node.x + node.width / 2, node.y), (turn, node.y))
        start += ((turn, y),)
        for target, argument in sorted(uses, key=lambda use: sheet.nodes[use[0]].x):
            tip = sheet.nodes[target]
            apart = min(7.0, 0.7 * tip.width / len(plan.items[target].inputs))
            x = tip.x - tip.width * 0.3 + apart * argument
            end = (x, tip.y - tip.height / 2)
            curve = polyline(*start, (x, y), end)
            sheet.connect(
                source,
                target,
                curve,
                kind=f"bus{colour}",
                title=_title(plan, source, target),
            )
            start = ((x, y),)
            drawn += 1
    return drawn


def _between(sheet: Sheet, plan: Plan, way: Way) -> None:
    """An arrow from slot to slot: out, along, up or down, and in."""
    a, b = sheet.nodes.get(way.source), sheet.nodes.get(way.target)
    x = plan.channel_x(way.channel)
    corners: list[Point] = []
    gap_x = 0.0
    if way.stub:
        clock = plan.slot(way.target)[0]
        gap_x = plan.left["gap", clock] + 15.0
    if a is not None and way.stub != "in":
        side = 1 if (gap_x if way.stub else x) > a.x else -1
        if way.out is None:
            corners.append((a.x + side * a.width / 2, a.y))
        else:
            at = a.x + side * a.width * 0.3
            level = plan.track_y(way.out)
            corners += [(at, a.y + a.height / 2), (at, level)]
        level = corners[-1][1]
        if way.stub == "out":
            corners.append((gap_x - 15.0 * side, level))
        else:
            corners.append((x, level))
    if b is not None and way.stub != "out":
        side = 1 if b.x > (gap_x if way.stub else x) else -1
        if way.stub == "in":
            level = b.y if way.into is None else plan.track_y(way.into)
            corners.append((gap_x + 15.0 * side, level))
        if way.into is None:
            corners += [(x, b.y), (b.x - side * b.width / 2, b.y)]
        else:
            level = plan.track_y(way.into)
            at = b.x - side * b.width * 0.36
            corners += [(x, level), (at, level), (at, b.y - b.height / 2)]
    corners = [p for i, p in enumerate(corners) if not i or p != corners[i - 1]]
    sheet.connect(
        way.source if a is not None else "",
        way.target if b is not None else "",
        rounded(*corners, radius=10.0) if len(corners) > 2 else polyline(*corners),
        head=way.stub != "out",
        kind="recurrence" if isinstance(plan.slot(way.source)[0], int) else "forward",
        title=_title(plan, way.source, way.target),
    )
