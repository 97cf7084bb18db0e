"""The arrows of the ops view: within a step, along buses, and between steps.

They say first which tracks and channels they need; when those have their places, the
arrows are drawn.

Vocabulary
    bus     the tracks of a parameter or a sequence, by the row above: who reads it
            there, and as which argument
    way     an arrow between two slots: out, along a track, in a channel, and in
    stub    a way whose other end is among the steps left out
"""

from itertools import groupby
from typing import NamedTuple

from minigrad.draw.ops.plan import BUS, Channel, Plan, Slot, Track
from minigrad.draw.page.curves import Curve, polyline, rounded
from minigrad.draw.page.scene import Point
from minigrad.draw.page.sheet import Sheet

BACK = "recurrence"  # the kind of an arrow that leads to another step of its loop


class Way(NamedTuple):
    """An arrow from one slot to another, with the tracks at its two ends."""

    source: str
    target: str
    argument: int
    out: Track | None
    into: Track | None
    channel: Channel


class Routes:
    """All arrows of a plan, for which tracks and channels are claimed."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.ways: list[Way] = []
        self.buses: dict[str, dict[int, list[tuple[str, int]]]] = {}
        for key, item in plan.items.items():
            here = plan.slot(key)
            for argument, source in enumerate(item.inputs):
                there = plan.slot(source)
                if there == BUS and here in plan.order:
                    gap, _ = plan.claim(plan.rank(key), ("bus", source))
                    drops = self.buses.setdefault(source, {}).setdefault(gap, [])
                    drops.append((key, argument))
                elif there not in (BUS, here) and _is_drawn(plan, here, there):
                    self._claim(source, key, argument)
        for key, item in plan.items.items():
            if item.past is not None and key not in plan.lifted:
                plan.claim(plan.rank(item.past) + 1, ("back", key))
                plan.claim(plan.rank(key), ("back", key))
        for source in self.buses:
            plan.channel(plan.slots[1], ("bus", source))

    def _claim(self, source: str, target: str, argument: int) -> None:
        """What an arrow between two slots needs."""
        plan = self.plan
        here, there = plan.slot(target), plan.slot(source)
        # Steps that are left out are in the gap.
        a, b = (
            plan.order[s if s in plan.order else ("gap", s[0])] for s in (there, here)
        )
        side, far = (1 if b > a else -1), abs(a - b)
        place_a, place_b = plan.items[source].place, plan.items[target].place
        out = into = None
        if there in plan.order and not (
            far == 1 and plan.grid(source).free(place_a, side)
        ):
            lag = there[1] % far if isinstance(there[1], int) else 0
            user = ("out", place_a, place_b, side, lag)
            out = plan.claim(plan.rank(source) + 1, user)
        if here in plan.order and not (
            plan.grid(target).free(place_b, -side)
            and self._outermost(target, argument, -side)
        ):
            into = plan.claim(plan.rank(target), ("into", place_b, argument))
        before = plan.slots[b if side > 0 else b + 1]
        channel = plan.channel(before, (place_a, place_b, argument))
        self.ways.append(Way(source, target, argument, out, into, channel))

    def _outermost(self, key: str, argument: int, side: int) -> bool:
        """Whether an operand is the outermost of those that enter from a side."""
        item, usual = self.plan.items[key], (BUS, self.plan.slot(key))
        if item.commutative:
            slots = map(self.plan.slot, item.inputs)
            return argument == next(k for k, s in enumerate(slots) if s not in usual)
        return argument == (0 if side < 0 else len(item.inputs) - 1)

    def draw(self, sheet: Sheet) -> None:
        """Draw all arrows."""
        plan, self.sheet = self.plan, sheet
        for key, item in plan.items.items():
            for argument, source in enumerate(item.inputs):
                shown = source in sheet.nodes and key in sheet.nodes
                if shown and plan.slot(source) == plan.slot(key):
                    self._within(source, key, argument)
        for number, (key, item) in enumerate(plan.items.items()):
            if item.past is not None:
                self._back(key, item.past, 14.0 + 7.0 * number)
        for colour, source in enumerate(self.buses):
            self._bus(source, f"bus{colour}")
        for way in self.ways:
            self._between(way)

    def _connect(
        self, source: str, target: str, argument: int, curve: Curve, kind: str
    ) -> None:
        """Draw an arrow; an end that is not shown has none."""
        items, nodes = self.plan.items, self.sheet.nodes
        self.sheet.connect(
            source if source in nodes else "",
            target if target in nodes else "",
            curve,
            head=target in nodes,
            kind=kind,
            title=f"{items[source].words} → {items[target].words}",
            place=self.plan.ordered(target, argument),
        )

    def _within(self, source: str, target: str, argument: int) -> None:
        """An arrow in a slot, through its passages in the rows between."""
        past = self.plan.items[source].past is not None
        if source in self.plan.lifted:
            curve = self._upward(target, source)[::-1]
        else:
            curve = self._upward(source, target, self.plan.port(target, argument))
        self._connect(source, target, argument, curve, BACK if past else "forward")

    def _upward(self, low: str, high: str, aside: float = 0.0) -> Curve:
        """From the top of a box to the lower side of another one of its slot."""
        plan, a, b = self.plan, self.sheet.nodes[low], self.sheet.nodes[high]
        places = (plan.items[low].place, plan.items[high].place)
        left, passages = plan.left[plan.slot(low)], plan.grid(low).passages[places]
        corners: list[Point] = [(a.x, a.y + a.height / 2)]
        for rank, x in enumerate(passages, plan.rank(low) + 1):
            reach = plan.heights[rank] / 2 + 3.0
            corners += [(left + x, plan.rows[rank] + up) for up in (-reach, reach)]
        corners.append((b.x + aside, b.y - b.height / 2))
        return rounded(*_simple(corners), radius=10.0)

    def _back(self, square: str, line: str, aside: float) -> None:
        """The line to its past: straight down, or around everything at the right."""
        plan, a, b = self.plan, self.sheet.nodes[line], self.sheet.nodes[square]
        if square in plan.lifted:
            curve = self._upward(square, line)[::-1]
        else:
            slot, user = plan.slot(line), ("back", square)
            right = plan.left[slot] + plan.width(slot) + aside
            high = plan.track_y((plan.rank(line) + 1, user))
            low = plan.track_y((plan.rank(square), user))
            x = a.x + a.width * 0.3
            corners = [(x, a.y + a.height / 2), (x, high), (right, high), (right, low)]
            corners += [(b.x, low), (b.x, b.y - b.height / 2)]
            curve = rounded(*corners, radius=10.0)
        self.sheet.connect(line, square, curve, head=False, kind=BACK, title=b.title)

    def _bus(self, source: str, kind: str) -> None:
        """A box's arrows along its tracks, with a drop at each use; each goes on."""
        plan, nodes = self.plan, self.sheet.nodes
        node, user = nodes[source], ("bus", source)
        turn = plan.channel_x((plan.slots[1], user))
        for gap, uses in self.buses[source].items():
            y = plan.track_y((gap, user))
            start: tuple[Point, ...] = ((node.x + node.width / 2, node.y),)
            start += ((turn, node.y), (turn, y))
            for target, argument in sorted(uses, key=lambda use: nodes[use[0]].x):
                tip = nodes[target]
                x = tip.x + plan.port(target, argument)
                curve = polyline(*start, (x, y), (x, tip.y - tip.height / 2))
                self._connect(source, target, argument, curve, kind)
                start = ((x, y),)

    def _between(self, way: Way) -> None:
        """An arrow from slot to slot: out, along, up or down, and in."""
        plan, nodes = self.plan, self.sheet.nodes
        a, b = nodes.get(way.source), nodes.get(way.target)
        there = plan.slot(way.source)
        x = turn = plan.channel_x(way.channel)
        if a is None or b is None:
            x = plan.left["gap", there[0]] + 15.0
        corners: list[Point] = []
        if a is not None:
            side = 1 if x > a.x else -1
            corners = [(a.x + side * a.width / 2, a.y)]
            if way.out is not None:
                at = a.x + side * a.width * 0.3
                corners = [(at, a.y + a.height / 2), (at, plan.track_y(way.out))]
            corners.append((x if b else x - 15.0 * side, corners[-1][1]))
        if b is not None:
            side = 1 if b.x > x else -1
            level = b.y if way.into is None else plan.track_y(way.into)
            corners += [] if a else [(x + 15.0 * side, level)]
            corners.append((turn, level))
            if way.into is None:
                corners.append((b.x - side * b.width / 2, level))
            else:
                at = b.x + plan.port(way.target, way.argument)
                corners += [(at, level), (at, b.y - b.height / 2)]
        curve = rounded(*(p for p, _ in groupby(corners)), radius=10.0)
        kind = BACK if isinstance(there[0], int) else "forward"
        self._connect(way.source, way.target, way.argument, curve, kind)


def _is_drawn(plan: Plan, here: Slot, there: Slot) -> bool:
    """Whether both ends are shown, or one and the gap beside it."""
    if here in plan.order and there in plan.order:
        return True
    shown, hidden = (here, there) if here in plan.order else (there, here)
    if here[0] != there[0] or shown not in plan.order:
        return False
    beside = plan.order[shown] + (1 if hidden[1] > shown[1] else -1)
    return plan.order.get(("gap", here[0])) == beside


def _simple(corners: list[Point]) -> list[Point]:
    """Corners without those on a straight line, or a hair's breadth beside it."""
    found = corners[:1]
    for before, here, after in zip(corners, corners[1:], corners[2:], strict=False):
        upright = abs(before[0] - here[0]) < 0.1 and abs(here[0] - after[0]) < 0.1
        found += [] if upright else [here]
    return [*found, corners[-1]]
