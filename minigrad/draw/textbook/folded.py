"""The folded circuit: one circle per symbol, and a black square for each step of delay.

>>> from minigrad.draw.textbook.chart import Symbol
>>> chart = Chart((Symbol("s", (), clock=0),), (Arrow("s", "s", delay=1),), (3,))
>>> sheet = Sheet()
>>> draw_folded(sheet, chart, Heights(chart), 0.0)
>>> list(sheet.nodes), [edge.head for edge in sheet.edges]
(['s@t', 's@t>s@t/1/0'], [False, True])
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from minigrad.draw.page.curves import Curve, bulge, over, sample, straight
from minigrad.draw.page.labels import Wish
from minigrad.draw.page.letters import note
from minigrad.draw.page.scene import Lines, Node, line_width
from minigrad.draw.page.sheet import Sheet
from minigrad.draw.textbook.chart import (
    Arrow,
    Chart,
    Symbol,
    Weight,
    outside,
    read_outs,
    reads,
)
from minigrad.draw.textbook.columns import COLUMN, RADIUS
from minigrad.draw.textbook.heights import Heights
from minigrad.draw.textbook.marks import (
    circle,
    home,
    label_of,
    only_at,
    said,
    steps_read,
    way,
)
from minigrad.draw.textbook.outside import first_clock
from minigrad.draw.textbook.weights import draw_boxes

SQUARE = 9.0
LOOP, LANE = 54.0, 40.0
PART = "folded"


class Lanes:
    """Which lanes beside a column are free between two heights."""

    def __init__(self) -> None:
        self.taken: dict[tuple[float, int], list[tuple[int, float, float]]] = {}
        self.labels: dict[tuple[float, int], float] = {}

    def claim(self, x: float, side: int, low: float, high: float) -> int:
        """The innermost free lane on a side of the column at x."""
        lanes = self.taken.setdefault((x, side), [])
        lane = 0
        while any(k == lane and a < high and low < b for k, a, b in lanes):
            lane += 1
        lanes.append((lane, low, high))
        return lane


def draw_folded(
    sheet: Sheet,
    chart: Chart,
    heights: Heights,
    left: float,
    labels: bool = True,
    weights: tuple[Weight, ...] = (),
    index: Mapping[int, str] = MappingProxyType({}),
) -> None:
    """Draw every symbol once with its arrows; ``left`` is the first circuit's x."""
    left_out = outside(chart)
    symbols = [s for s in chart.symbols if s.key not in left_out]
    xs = _columns(chart, symbols, heights)
    for symbol in symbols:
        x, y = left + xs[symbol.key], heights.of(symbol.key)
        sheet.add(circle(chart, symbol, home(symbol.key), x, y, PART))
    lanes = Lanes()
    arrows: dict[tuple[str, str], list[Arrow]] = {}
    for arrow in sorted(chart.arrows, key=lambda a: _reach(a, heights)):
        if left_out & {arrow.source, arrow.target}:
            continue
        if _crosses(chart, arrow):
            label = label_of(chart, arrow) if labels else ()
            _loop(sheet, chart, arrow, label, lanes)
        else:
            arrows.setdefault((arrow.source, arrow.target), []).append(arrow)
    for here in arrows.values():
        _straight(sheet, chart, here, heights, labels, lanes, index)
    room = max((_room(sheet, node) for node in sheet.nodes.values()), default=RADIUS)
    if weights:
        draw_boxes(sheet, chart, weights, room + 42, PART)
        room += 62
    room += 8
    for symbol in chart.symbols:
        if symbol.note and home(symbol.key) in sheet.nodes:
            node = sheet.nodes[home(symbol.key)]
            at = node.x - room - line_width(note(symbol.note)[0]) / 2
            # What comes in from the left keeps the middle to itself.
            tails = [sheet.nodes[e.tail] for e in sheet.edges if e.tip == node.id]
            met = any(n.x < at and abs(n.y - node.y) < 9 for n in tails)
            y = node.y - (14 if met else 0)
            sheet.write(at, y, note(symbol.note), "faint", PART)


def _room(sheet: Sheet, node: Node) -> float:
    """How far the arrows of a circle's own column reach to its left."""
    reach = RADIUS
    for edge in sheet.edges:
        ends = (sheet.nodes[edge.tail], sheet.nodes[edge.tip])
        if node in ends and abs(ends[0].x - ends[1].x) < COLUMN * 0.75:
            reach = max(reach, *(node.x - x for x, _ in sample(edge.points)))
    return reach


def _crosses(chart: Chart, arrow: Arrow) -> bool:
    """Whether an arrow leads from one step of a loop to another, as a loop here."""
    if arrow.kind in ("delay", "growing"):
        return arrow.delay != 0
    clock = chart.symbol(arrow.target).clock
    return clock is not None and chart.symbol(arrow.source).clock == clock


def _straight(
    sheet: Sheet,
    chart: Chart,
    arrows: list[Arrow],
    heights: Heights,
    labels: bool,
    lanes: Lanes,
    index: Mapping[int, str],
) -> None:
    """All arrows from one circle to another as one, dashed if at a single step."""
    tail, tip = sheet.nodes[home(arrows[0].source)], sheet.nodes[home(arrows[0].target)]
    times = [only_at(chart, arrow, index) for arrow in arrows]
    once = times[0] if len(set(times)) == 1 else ""
    curve = None
    if tail.x == tip.x and heights.apart(arrows[0].source, arrows[0].target) > 1:
        low, high = sorted((tail.y, tip.y))
        lane = lanes.claim(tail.x, -1, low, high)
        # Around the letters of a loop on that side, too.
        inner = lanes.labels.get((tail.x, -1), 18.0) if lane else 18.0
        curve = bulge(tail, tip, max(40.0, inner) + 22 * lane)
    elif abs(tail.x - tip.x) > COLUMN:
        curve = over(tail, tip)
    met: set[tuple[str, ...]] = set()
    for arrow in arrows:
        # Of many steps of another loop all letters are alike.
        label = label_of(chart, arrow) if labels and arrow.labels not in met else ()
        if not met:
            facts = _facts(chart, arrows)
            sheet.connect(tail.id, tip.id, curve, label, dashed=bool(once), **facts)
        else:
            sheet.join(tail.id, tip.id, label, arrow.labels)
        met.add(arrow.labels)
    words = "" if arrows[0].span == chart.symbol(arrows[0].source).span else once
    words = words or next(
        (f"t = {steps_read(a)}" for a in arrows if a.kind == "growing"), ""
    )
    if words:
        edge = sheet.edges[-1].id
        sheet.wishes.append(Wish(note(words), edge, "faint", "only", below=True))


def _columns(
    chart: Chart, symbols: Sequence[Symbol], heights: Heights
) -> dict[str, float]:
    """One x per clock, of read-outs too; what has no time stands before what it feeds.

    Of several on one height, each has a place of its own.
    """
    after = read_outs(chart)
    before: dict[int, list[str]] = {}
    clock_of: dict[str, int] = {}
    for symbol in symbols:
        clock = after.get(symbol.key, symbol.clock)
        if clock is None:
            first = first_clock(chart, symbol.key)
            before.setdefault(len(chart.lengths) if first is None else first, [])
            before[len(chart.lengths) if first is None else first].append(symbol.key)
        else:
            clock_of[symbol.key] = clock
    found: dict[str, float] = {}
    x = 0.0
    for clock in range(len(chart.lengths) + 1):
        waiting = before.get(clock, [])
        levels = Counter(heights.of(key) for key in waiting)
        x += COLUMN * max(0, max(levels.values(), default=1) - 1) if clock else 0.0
        for key in waiting:
            found[key] = x - COLUMN * levels[heights.of(key)]
            levels[heights.of(key)] -= 1
        found |= {key: x for key, at in clock_of.items() if at == clock}
        x += 2 * COLUMN
    return found


def _facts(chart: Chart, arrows: list[Arrow]) -> dict[str, Any]:
    """What the edges of some arrows between two circles say of them."""
    first = arrows[0]
    return {
        "part": PART,
        "title": "; ".join(said(chart, arrow) for arrow in arrows),
        "id": way(first),
        "home": way(first),
        "parameters": tuple(dict.fromkeys(p for a in arrows for p in a.labels)),
        "delay": first.delay,
        "covers": tuple(
            (chart.seat(arrow.source, a), chart.seat(arrow.target, b))
            for arrow in arrows
            for b, found in reads(chart, arrow)
            for a in found
        ),
    }


def _reach(arrow: Arrow, heights: Heights) -> tuple[float, int]:
    return abs(heights.of(arrow.source) - heights.of(arrow.target)), abs(arrow.delay)


def _loop(sheet: Sheet, chart: Chart, arrow: Arrow, label: Lines, lanes: Lanes) -> None:
    """An arrow through time: out of a circle, through its squares, into a circle.

    What comes from later steps runs on the left-hand side through hollow squares.
    """
    tail, tip = sheet.nodes[home(arrow.source)], sheet.nodes[home(arrow.target)]
    side = -1 if arrow.delay < 0 else 1
    read = steps_read(arrow)
    low, high = sorted((tail.y, tip.y))
    itself = low == high
    reach = 30.0 if itself else 0.0
    lane = lanes.claim(tail.x, side, low - reach, high + reach)
    x = tail.x + side * (LOOP + LANE * lane)
    y = (low + high) / 2
    squares = []
    count = abs(arrow.delay) if abs(arrow.delay) <= 3 and not read else 1
    for k in range(count):
        at = y + (count - 1 - 2 * k) * 9.0 * (1 if tail.y >= tip.y else -1)
        key = f"{way(arrow)}/{k}"
        squares.append(
            Node(
                key,
                x,
                at,
                SQUARE,
                SQUARE,
                (),
                "square",
                "delay",
                "delay of one step" if side > 0 else "one step ahead",
                part=PART,
                fill=None if side > 0 else "none",
            )
        )
        sheet.add(squares[-1])
    down = 1 if squares[0].y >= y and tail.y >= tip.y else -1
    out, into = _halves(tail, tip, squares, side, lane, down)
    facts = _facts(chart, [arrow])
    sheet.connect(tail.id, squares[0].id, out, head=False, **facts)
    for a, b in pairwise(squares):
        ends = ((a.x, a.y - down * SQUARE / 2), (b.x, b.y + down * SQUARE / 2))
        link = straight(*ends)
        sheet.connect(a.id, b.id, link, head=False, **facts)
    sheet.connect(squares[-1].id, tip.id, into, **facts)
    if read:
        label = (*label, *note(f"t = {read}"))
    elif count < abs(arrow.delay):
        label = (*label, *note(f"{abs(arrow.delay)} steps"))
    if label:
        width = max(line_width(line) for line in label)
        lanes.labels[tail.x, side] = abs(x - tail.x) + width
        # Beside the squares if there is room.
        through = straight(out[-1], into[0])
        around = (*out, *through[1:], *into[1:])
        edge = sheet.edges[-1].id
        sheet.wishes.append(Wish(label, edge, curve=around, below=side < 0))


def _halves(
    tail: Node, tip: Node, squares: list[Node], side: int, lane: int, down: int
) -> tuple[Curve, Curve]:
    """The curve into the first square and the one out of the last."""
    first, last = squares[0], squares[-1]
    enter = (first.x, first.y + down * SQUARE / 2)
    leave = (last.x, last.y - down * SQUARE / 2)
    if tail.id == tip.id:
        lift = 30.0 + 14 * lane + 9 * (len(squares) - 1)
        angle = (0.83, 0.56) if not lane else (0.6, 0.8)
        a = (tail.x + side * RADIUS * angle[0], tail.y + RADIUS * angle[1])
        b = (tip.x + side * RADIUS * angle[0], tip.y - RADIUS * angle[1])
        near = (tail.x + side * (36.0 + 8 * lane), tail.y + lift + 4)
        out = (a, near, (first.x, tail.y + lift), enter)
        into = (leave, (last.x, tip.y - lift), (near[0], tip.y - lift - 4), b)
        return out, into
    # An outer lane passes the squares of the inner ones below or above.
    away = 16.0 if lane else 0.0
    wide = (RADIUS**2 - away**2) ** 0.5
    a = (tail.x + side * wide, tail.y - down * away)
    b = (tip.x + side * wide, tip.y + down * away)
    bend = 20.0 if abs(tail.y - enter[1]) > 44 else 8.0
    lean = 0.0 if abs(tail.y - enter[1]) > 44 else 8.0
    out = (a, (first.x - side * lean, a[1]), (first.x, a[1] - down * bend), enter)
    into = (leave, (last.x, b[1] + down * bend), (last.x - side * lean, b[1]), b)
    return out, into
