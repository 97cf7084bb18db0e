"""How arrows run between columns: straight, in an arc, along a bus, or cut short.

Vocabulary
    stub    a half of an arrow whose other end lies among the steps left out
    drop    the end of a bus: up from its track into a circle
"""

from math import sqrt
from typing import Any

from minigrad.draw.page.curves import (
    Curve,
    bulge,
    clipped,
    over,
    part_of,
    point_at,
    rounded,
    straight,
)
from minigrad.draw.page.letters import note
from minigrad.draw.page.scene import Lines, Node
from minigrad.draw.page.sheet import Sheet
from minigrad.draw.textbook.chart import Arrow, Chart, steps_of
from minigrad.draw.textbook.columns import COLUMN, RADIUS, Loop
from minigrad.draw.textbook.heights import ARC, Bus, Heights, rises
from minigrad.draw.textbook.marks import way

PART = "unfolded"
DOT, APART, GAP = 4.5, 10.0, 18.0


def route(
    sheet: Sheet, chart: Chart, heights: Heights, arrow: Arrow, tail: str, tip: str
) -> Curve:
    """The curve of one arrow between two circles that stand on the sheet."""
    a, b = sheet.nodes[tail], sheet.nodes[tip]
    bus = Bus(arrow.source, arrow.target)
    if arrow.kind == "broadcast" and (bus.name, bus.target) in heights.tracks:
        return bus_up(a, b, heights.track(bus), 12.0)
    wide, high = abs(a.x - b.x), abs(a.y - b.y)
    if rises(arrow) and wide > 1:
        return rise(a, b)
    if wide < 1 and heights.apart(arrow.source, arrow.target) > 1:
        return bulge(a, b, 36.0 + 14.0 * _lane(chart, heights, arrow))
    if wide > 1.7 * COLUMN and high < 1:
        if not any(_between(n, a, b) for n in sheet.nodes.values()):
            return clipped(a, b)
        return over(a, b, RADIUS + ARC * 0.75)
    if wide > 1 and heights.apart(arrow.source, arrow.target) > 2:
        return through_gap(a, b)
    return clipped(a, b)


def _between(node: Node, a: Node, b: Node) -> bool:
    low, high = sorted((a.x, b.x))
    return low + 1 < node.x < high - 1 and abs(node.y - a.y) < RADIUS


def _lane(chart: Chart, heights: Heights, arrow: Arrow) -> int:
    """Which of the arrows around circles this one is: the shortest run innermost."""
    clock = chart.symbol(arrow.target).clock
    skips = [
        a
        for a in chart.arrows
        if not a.delay and chart.symbol(a.target).clock == clock
        if a.kind == "delay" or not chart.lengths
        if heights.apart(a.source, a.target) > 1
    ]
    skips.sort(key=lambda a: heights.apart(a.source, a.target))
    return skips.index(arrow) if arrow in skips else 0


def through_gap(a: Node, b: Node) -> Curve:
    """From the side of one circle up or down between the columns to another's side."""
    side = 1 if b.x > a.x else -1
    # Beside the middle of the circle, which belongs to the arrow within the row.
    aside = 11.0 if a.y > b.y else -11.0
    start = (a.x + side * RADIUS, a.y)
    end = (b.x - side * sqrt(RADIUS**2 - aside**2), b.y + aside)
    middle = (a.x + b.x) / 2
    return rounded(start, (middle, a.y), (middle, end[1]), end, radius=14.0)


def bus_up(a: Node, b: Node, track: float, aside: float) -> Curve:
    """From a node along a track, and up into the circle above it."""
    side = 1 if b.x > a.x else -1
    start = (a.x + side * a.width / 2, a.y)
    x = b.x - side * aside
    end = (x, b.y - sqrt(max(RADIUS**2 - aside**2, 0.0)))
    turn = a.x + side * (a.width / 2 + 12)
    return rounded(start, (turn, a.y), (turn, track), (x, track), end, radius=5.0)


def rise(a: Node, b: Node) -> Curve:
    """From the top of a circle to a track above its row, and along it."""
    side = 1 if b.x > a.x else -1
    x = a.x + side * 12.0
    start = (x, a.y + sqrt(RADIUS**2 - 144.0))
    track = a.y + RADIUS + 13
    turn = b.x - side * (b.width / 2 + 22)
    end = (b.x - side * b.width / 2, b.y)
    return rounded(start, (x, track), (turn, track), (turn, b.y), end, radius=5.0)


def stubs(
    sheet: Sheet,
    chart: Chart,
    arrow: Arrow,
    loop: Loop,
    label: Lines,
    kind: str = "forward",
) -> int:
    """The halves of a recurrence at both sides of the gap, and how many there are."""
    if loop.gap is None:
        return 0
    exists = set(steps_of(chart, arrow))
    d = arrow.delay
    drawn = 0
    for t in loop.steps:
        other = t + d
        if other in exists and other not in loop.steps and 1 <= other <= loop.length:
            tail = sheet.nodes.get(chart.seat(arrow.source, t))
            if tail is not None and _faces(loop, t, d):
                curve = _virtual(sheet, arrow, loop, t, d, outgoing=True)
                sheet.connect(
                    tail.id,
                    "",
                    curve,
                    label,
                    head=False,
                    kind=kind,
                    part=PART,
                    title=f"{arrow.source}({t}) → {arrow.target}({other})",
                    **_facts(arrow),
                    covers=((tail.id, chart.seat(arrow.target, other)),),
                )
                drawn += 1
        if t in exists and t - d not in loop.steps and 1 <= t - d <= loop.length:
            tip = sheet.nodes.get(chart.seat(arrow.target, t))
            if tip is not None and _faces(loop, t, -d):
                curve = _virtual(sheet, arrow, loop, t, -d, outgoing=False)
                sheet.connect(
                    "",
                    tip.id,
                    curve,
                    label,
                    kind=kind,
                    part=PART,
                    title=f"{arrow.source}({t - d}) → {arrow.target}({t})",
                    **_facts(arrow),
                    covers=((chart.seat(arrow.source, t - d), tip.id),),
                )
                drawn += 1
    return drawn


def _facts(arrow: Arrow) -> dict[str, Any]:
    """What an edge says of its arrow."""
    return {"parameters": arrow.labels, "delay": arrow.delay, "home": way(arrow)}


def _faces(loop: Loop, t: int, towards: int) -> bool:
    """Whether the gap lies within ``towards`` columns of step t."""
    assert loop.gap is not None
    position = loop.shown.index(t)
    return abs(loop.gap - position) <= abs(towards) and (
        (loop.gap > position) == (towards > 0)
    )


def _virtual(
    sheet: Sheet, arrow: Arrow, loop: Loop, t: int, towards: int, outgoing: bool
) -> Curve:
    """The visible half of the arrow between step t and a place across the gap."""
    assert loop.gap is not None
    side = 1 if towards > 0 else -1
    here = loop.shown.index(t)
    # One step away it is drawn as if the first column past the gap were meant.
    across = loop.gap + side if abs(towards) == 1 else here + towards
    source_y, target_y = (
        next(n.y for n in sheet.nodes.values() if n.role == key and n.part == PART)
        for key in (arrow.source, arrow.target)
    )
    ys = (source_y, target_y)
    if not outgoing:
        here, across = across, here
    start = Node("", loop.at(here), ys[0], 2 * RADIUS, 2 * RADIUS)
    end = Node("", loop.at(across), ys[1], 2 * RADIUS, 2 * RADIUS)
    if abs(towards) > 1:
        high = abs(ys[0] - ys[1]) < 1
        whole = over(start, end, RADIUS + ARC * 0.75) if high else clipped(start, end)
        return part_of(whole, 0.0, 0.4) if outgoing else part_of(whole, 0.6, 1.0)
    whole = clipped(start, end)
    share = _share_at(whole, loop.at(loop.gap), GAP)
    if outgoing:
        return straight(whole[0], point_at(whole, 0.5 - share))
    return straight(point_at(whole, 0.5 + share), whole[-1])


def _share_at(line: Curve, x: float, gap: float) -> float:
    """Half of the share of a line that lies within ``gap`` of the middle."""
    wide = abs(line[-1][0] - line[0][0])
    return min(gap / wide, 0.45) if wide else 0.45


def dots(
    sheet: Sheet, chart: Chart, heights: Heights, clock: int, loop: Loop, count: bool
) -> None:
    """Three dots on each recurrence in the gap, and how many steps it leaves out."""
    assert loop.gap is not None
    x = loop.at(loop.gap)
    ys = sorted(
        {
            (heights.of(a.source) + heights.of(a.target)) / 2
            for a in chart.arrows
            if a.delay and chart.symbol(a.source).clock == clock
            if chart.symbol(a.target).clock == clock
        }
    ) or [heights.middle]
    for y in ys:
        for k in (-1, 0, 1):
            key = f"dots {clock} {y:g} {k}"
            sheet.add(
                Node(key, x + k * APART, y, DOT, DOT, (), "dot", "dot", part=PART)
            )
    if count:
        words = f"{loop.hidden} more step{'s' if loop.hidden > 1 else ''}"
        sheet.write(x, ys[0] - 18, note(words), "faint", PART, word="more steps")
