"""The arrows of the ops view: within a step, along buses, and between steps.

``ways`` decides first which tracks and channels are needed; when they have their
places, ``draw_arrows`` draws.
"""

from collections.abc import Hashable
from typing import Any

from minigrad.draw.ops.plan import Plan, Way
from minigrad.draw.page.curves import Curve, polyline, rounded
from minigrad.draw.page.scene import Point
from minigrad.draw.page.sheet import Sheet

BACK = "recurrence"  # the kind of an arrow that leads to another step of its loop
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
    for key, item in plan.items.items():
        if item.past is not None and key not in plan.lifted:
            plan.claim(plan.rank(item.past) + 1, ("back", key))
            plan.claim(plan.rank(key), ("back", key))
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
    beside = plan.grid(target).free(place_b, -side) and _first(
        plan, target, argument, -side
    )
    if stub != "out" and not beside:
        into = plan.claim(plan.rank(target), ("into", place_b, argument))
    before = plan.slots[b if side > 0 else b + 1]
    user: Hashable = (place_a, place_b, argument)
    return Way(source, target, argument, out, into, plan.channel(before, user), stub)


def _first(plan: Plan, key: str, argument: int, side: int) -> bool:
    """Whether an operand is the outermost of those that enter from a side."""
    item, here = plan.items[key], plan.slot(key)
    from_there = [
        k
        for k, source in enumerate(item.inputs)
        if plan.slot(source) not in (here, ("bus", 0))
    ]
    if item.commutative:
        return argument == from_there[0]
    return argument == (0 if side < 0 else len(item.inputs) - 1)


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
        for argument, source in enumerate(item.inputs):
            shown = source in sheet.nodes and key in sheet.nodes
            if shown and plan.slot(source) == plan.slot(key):
                _within(sheet, plan, source, key, argument)
                drawn += 1
    for number, (key, item) in enumerate(plan.items.items()):
        if item.past is not None:
            _back(sheet, plan, key, item.past, number)
    for colour, source in enumerate(dict.fromkeys(source for source, _ in drops)):
        drawn += _bus(sheet, plan, source, drops, colour)
    for way in found:
        _between(sheet, plan, way)
        drawn += not way.stub
    return drawn


def _title(plan: Plan, source: str, target: str) -> str:
    return f"{plan.items[source].words} → {plan.items[target].words}"


def _within(sheet: Sheet, plan: Plan, source: str, target: str, argument: int) -> None:
    """An arrow in a slot, through its passages in the rows between."""
    title, place = _title(plan, source, target), plan.ordered(target, argument)
    if source in plan.lifted:
        curve = _upward(sheet, plan, target, source)[::-1]
        sheet.connect(source, target, curve, kind=BACK, title=title)
        return
    curve = _upward(sheet, plan, source, target, plan.port(target, argument))
    kind = "forward" if plan.items[source].past is None else BACK
    sheet.connect(source, target, curve, kind=kind, title=title, place=place)


def _upward(sheet: Sheet, plan: Plan, low: str, high: str, aside: float = 0.0) -> Curve:
    """From the top of a box to the lower side of another one of its slot."""
    a, b = sheet.nodes[low], sheet.nodes[high]
    grid, left = plan.grid(low), plan.left[plan.slot(low)]
    places = (plan.items[low].place, plan.items[high].place)
    corners: list[Point] = [(a.x, a.y + a.height / 2)]
    for rank, x in enumerate(grid.passages[places], plan.rank(low) + 1):
        reach = plan.heights[rank] / 2 + 3.0
        for y in (plan.rows[rank] - reach, plan.rows[rank] + reach):
            corners.append((left + x, y))
    corners.append((b.x + aside, b.y - b.height / 2))
    return rounded(*_simple(corners), radius=10.0)


def _back(sheet: Sheet, plan: Plan, square: str, line: str, number: int) -> None:
    """The line to its past: straight down to it, or around everything at the right."""
    a, b = sheet.nodes[line], sheet.nodes[square]
    if square in plan.lifted:
        curve = _upward(sheet, plan, square, line)[::-1]
    else:
        slot, user = plan.slot(line), ("back", square)
        right = plan.left[slot] + plan.width(slot) + 14.0 + 7.0 * number
        high = plan.track_y((plan.rank(line) + 1, user))
        low = plan.track_y((plan.rank(square), user))
        x = a.x + a.width * 0.3
        corners = [(x, a.y + a.height / 2), (x, high), (right, high), (right, low)]
        corners += [(b.x, low), (b.x, b.y - b.height / 2)]
        curve = rounded(*corners, radius=10.0)
    sheet.connect(line, square, curve, head=False, kind=BACK, title=f"{b.title}")


def _simple(corners: list[Point]) -> list[Point]:
    """Corners without those on a straight line, or a hair's breadth beside it."""
    found = corners[:1]
    for before, here, after in zip(corners, corners[1:], corners[2:], strict=False):
        upright = abs(before[0] - here[0]) < 0.1 and abs(here[0] - after[0]) < 0.1
        found += [] if upright else [here]
    return [*found, corners[-1]]


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
            x = tip.x + plan.port(target, argument)
            end = (x, tip.y - tip.height / 2)
            curve = polyline(*start, (x, y), end)
            sheet.connect(
                source,
                target,
                curve,
                kind=f"bus{colour}",
                title=_title(plan, source, target),
                place=plan.ordered(target, argument),
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
            at = b.x + plan.port(way.target, way.argument)
            corners += [(x, level), (at, level), (at, b.y - b.height / 2)]
    corners = [p for i, p in enumerate(corners) if not i or p != corners[i - 1]]
    sheet.connect(
        way.source if a is not None else "",
        way.target if b is not None else "",
        rounded(*corners, radius=10.0) if len(corners) > 2 else polyline(*corners),
        head=way.stub != "out",
        kind=BACK if isinstance(plan.slot(way.source)[0], int) else "forward",
        title=_title(plan, way.source, way.target),
        place=plan.ordered(way.target, way.argument),
    )
