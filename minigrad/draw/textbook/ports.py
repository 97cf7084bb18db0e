"""Where arrows meet circles, where they pass each other beside a column.

Vocabulary
    port    a place on a side of a circle: N, E, S or W, and how far from its middle
    vertical, side lane: the x of a trunk in the channel, of a way around circles

>>> spread([-1, 0, 1]), spread([1, 2]), spread([-1, 0, 1], busy=True)
([-11.0, 0.0, 11.0], [-9.0, 9.0], [-16.0, 0.0, 16.0])
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import permutations
from math import atan2, pi, sqrt
from typing import TYPE_CHECKING, Any

from minigrad.draw.page.scene import Point
from minigrad.draw.textbook.chart import Arrow
from minigrad.draw.textbook.columns import RADIUS
from minigrad.draw.textbook.loops import Loop, Loops

if TYPE_CHECKING:
    from minigrad.draw.textbook.column import Column
    from minigrad.draw.textbook.nets import Net

VERTICAL, FIRST = 13.0, 16.0
MANY = 4  # heads at one circle


def spread(wishes: Sequence[float], busy: bool = False) -> list[float]:
    """The places of ports on a side, in the order of what they wish, from low to high.

    A wish of 0 is a level or vertical arrow, which keeps the middle; so does a loop,
    where the side is ``busy``.
    """
    zero = any(w == 0 for w in wishes)
    if not zero and not busy:
        gap = {1: 0.0, 2: 18.0, 3: 13.0, 4: 10.0}.get(len(wishes), 0.0)
        gap = gap or 36 / max(1, len(wishes) - 1)
        return [(i - (len(wishes) - 1) / 2) * gap for i in range(len(wishes))]
    found = []
    low, high = sum(w < 0 for w in wishes), sum(w > 0 for w in wishes)
    for i, wish in enumerate(wishes):
        if wish == 0:
            found.append(0.0)
            continue
        many, rank = (low, low - 1 - i) if wish < 0 else (high, i - len(wishes) + high)
        first = {1: 16.0 if busy else 11.0, 2: 12.0 if busy else 10.25}.get(many, 7.0)
        step = (20.0 - first) / (many - 1) if many > 1 else 0.0
        found.append((first + rank * step) * (-1 if wish < 0 else 1))
    return found


class Ports:
    """The ports of one column, its verticals and its side lanes."""

    def __init__(self, column: "Column") -> None:
        self.column = column
        self.offset: dict[tuple[Any, str], float] = {}
        self.docks: dict[tuple[str, str], list[tuple[float, Any]]] = defaultdict(list)
        self.lanes: dict[Arrow, tuple[float, int]] = {}
        self.vertical: dict[Any, float] = {}
        self.inner = {1: 0.0, -1: 0.0}
        self.outer: dict[int, float] = {}
        self.loops: dict[Arrow, Loop] = {}
        self.turn: dict[tuple[Arrow, str], float] = {}
        self._dock_level()
        self._dock_nets()
        self._assign()

    def at(self, who: Any, key: str) -> float:
        """How far from the middle of its side a port lies."""
        return self.offset.get((who, key), 0.0)

    def rim(self, side: str, offset: float, x: float, y: float) -> Point:
        """The point of a port on a circle's rim."""
        far = sqrt(max(RADIUS**2 - offset**2, 1.0))
        if side in "EW":
            return x + (far if side == "E" else -far), y + offset
        return x + offset, y + (far if side == "N" else -far)

    def place(self) -> None:
        """Side lanes, ports, loops and verticals, once lanes have their width."""
        column = self.column
        self.outer = {1: column.right, -1: column.left}
        self._side_lanes()
        self._assign()
        self.loops = Loops(self).placed()
        self._verticals()
        self._turn()

    # ----------------------------------------------------------------------- docks

    def _dock(self, key: str, side: str | int, who: Any, wish: float) -> None:
        """Ask for a port on a side of a circle: N, E, S, W, or 1 for E and -1 for W."""
        side = side if isinstance(side, str) else "E" if side > 0 else "W"
        if (wish, who) not in self.docks[key, side]:
            self.docks[key, side].append((wish, who))

    def _dock_level(self) -> None:
        """Level and vertical arrows, which keep the middle of their sides."""
        c = self.column
        for a in (*c.now, *c.later):
            if c.form[a] != "straight":
                continue
            up = c.level[a.target] - c.level[a.source]
            if not up:
                right = a.delay > 0 or c.x(a.source) < c.x(a.target)
                ends = ("E", "W") if right else ("W", "E")
            elif not a.delay and c.x(a.source) == c.x(a.target):
                ends = ("N", "S") if up > 0 else ("S", "N")
            else:
                continue
            self._dock(a.source, ends[0], (a, "out"), 0.0)
            self._dock(a.target, ends[1], (a, "in"), 0.0)

    def _dock_nets(self) -> None:
        c = self.column
        for net in c.nets:
            side, near, out = c.out(net), c.near(net), c.height(net.source)
            if net.kind == "fan":
                row = c.level[net.arrows[0].target]
                self._dock(net.source, "N", net, 0.01 * (row + 1))
            elif c.beside(net.source, side):
                self._dock(net.source, "N", net, float(side))
            else:
                up = sum(
                    c.height(a.target) - out - 30.0 * (net.entry[a] == "drop")
                    for a in net.arrows
                )
                self._dock(net.source, side, net, up or 1.0)
            for a in net.arrows:
                if net.entry[a] == "drop":
                    wish = 1.0 if net.kind == "fan" else near * (1 + 0.1 * abs(a.delay))
                    self._dock(a.target, "S", a, wish)
                elif net.entry[a] == "top":
                    self._dock(a.target, "N", a, 1.2 * self._top_side(a, near))
                else:
                    self._dock(a.target, near, a, out - c.height(a.target) or 1.0)
        for net in c.crossing:
            if net.source in c.group.keys:
                wish = -1.5 if c.own_step(net) else 1.5
                self._dock(net.source, c.riser(net), net, wish)
            for a in net.arrows:
                if a.target in c.group.keys:
                    self._dock(a.target, *c.landing(net, a))
        for name, target, side in c.entering:
            wish = side * (2.0 + 0.01 * len(self.docks[target, "S"]))
            self._dock(target, "S", name, wish)

    def _top_side(self, a: Arrow, near: int) -> int:
        """Which side of its top a target is entered on: away from what leaves there."""
        c = self.column
        lean = sum(
            c.x(b.target) - c.x(a.target)
            for b in c.now
            if b.source == a.target and c.form[b] == "straight"
        )
        return -1 if lean > 0 else 1 if lean < 0 else near

    def _assign(self) -> None:
        c = self.column
        looped = {a.source for a in c.later if c.form[a] == "loop"}
        for (key, side), found in self.docks.items():
            found.sort(key=lambda dock: dock[0])
            wishes = [wish for wish, _ in found]
            places = spread(wishes, busy=key in looped and side == "E")
            for place, (_, who) in zip(places, found, strict=True):
                self.offset[who, key] = place

    def reach(self) -> dict[tuple[str, int], float]:
        """How far the letters of drops reach beside a circle's middle, on each side."""
        c = self.column
        found: dict[tuple[str, int], float] = {}
        for net in (*c.nets, *c.crossing):
            for a in net.arrows:
                words = c.letters.get(a, 0.0)
                if net.entry.get(a) == "drop" and words and a.target in c.group.keys:
                    offset = self.at(a, a.target)
                    side = 1 if offset >= 0 else -1
                    far = abs(offset) + words + 5
                    found[a.target, side] = max(found.get((a.target, side), 0.0), far)
        return found

    def far(self, side: int) -> float:
        """How far letters of drops reach beyond the column, with room for a line."""
        c = self.column
        rim = c.right if side > 0 else -c.left
        reach = [
            c.x(key) * side + far - rim + 7
            for (key, s), far in self.reach().items()
            if s == side
        ]
        return max([0.0, *reach])

    # ------------------------------------------------------------------------ lanes

    def _side_lanes(self) -> None:
        """A lane for each arrow around circles, the shortest first."""
        c = self.column
        todo = [a for a in c.now if c.form[a] == "side"]
        todo.sort(key=lambda a: abs(c.level[a.source] - c.level[a.target]))
        taken: list[tuple[float, float, float]] = []
        apart = 12.0 + 1.5 * c.wider  # in the end their letters stand between them
        for a in todo:
            ends = c.height(a.source), c.height(a.target)
            low, high = sorted(ends)
            near = [t for t, lo, hi in taken if low < hi and lo < high]
            options = [
                (self._lane_cost(a, x, side, low, high), x, side)
                for side in (-1, 1)
                for x in self._lanes_of(a, side)
                if not any(abs(x - t) < apart for t in near)
                and self._is_free(a, x, side)
            ]
            rim = (c.left - 16.0, -1) if c.x(a.source) <= 0 else (c.right + 16.0, 1)
            _, x, side = min(options, default=(0.0, *rim))
            self.lanes[a] = x, side
            taken.append((x, low, high))
            self.outer = {1: max(self.outer[1], x), -1: min(self.outer[-1], x)}
            words = c.letters[a] + 10 if c.letters[a] else 0.0
            self.inner[1] = max(self.inner[1], x - c.right + words * (x > c.right))
            self.inner[-1] = max(self.inner[-1], c.left - x)
            self._dock(a.source, side, (a, "out"), ends[1] - ends[0])
            self._dock(a.target, side, (a, "in"), ends[0] - ends[1])

    def _lanes_of(self, a: Arrow, side: int) -> list[float]:
        c = self.column
        far = (c.right - c.left + 60) // 6.5
        near = max(c.x(a.source) * side, c.x(a.target) * side) + c.reach + 12
        return [side * (near + 6.5 * k) for k in range(1 + int(far))]

    def _is_free(self, a: Arrow, x: float, side: int) -> bool:
        """Whether no circle is near a lane, nor near the ways to it."""
        c, ends = self.column, (a.source, a.target)
        low, high = map(c.height, ends)
        if not c.free((x, low), (x, high), {(key, 0) for key in ends}, clear=7.0):
            return False
        return all(
            c.free((c.x(k) + (RADIUS + 1) * side, y), (x, y), {(k, 0)}, clear=4.0)
            for k, y in zip(ends, (low, high), strict=True)
        )

    def _lane_cost(
        self, a: Arrow, x: float, side: int, low: float, high: float
    ) -> float:
        """How far the way is, and what it crosses."""
        c = self.column
        cost = abs(x - c.x(a.source)) + abs(x - c.x(a.target)) + 12.0 * (side > 0)
        cost += 40.0 * (x < c.left - 2 or x > c.right + 2)
        for b in c.later:
            way = 1 if b.delay > 0 else -1
            y = c.height(b.source)
            if c.form[b] == "straight" and low < y < high:
                cost += 30.0 * ((x - c.x(b.source)) * way > 0)
            if c.form[b] == "loop" and low - 20 < y < high + 20:
                cost += 22.0 * (way == side and (x - c.x(b.source)) * side > 0)
        for b in c.now:
            if c.form[b] == "straight" and b != a:
                across = (c.x(b.source) - x) * (c.x(b.target) - x) < 0
                middle = (c.height(b.source) + c.height(b.target)) / 2
                cost += 26.0 * (across and low < middle < high)
        for net in c.nets:
            for b in net.arrows:
                y = c.height(b.target)
                if net.entry[b] == "drop" and low < y - RADIUS < high:
                    cost += 180.0 * (c.left < x < c.right) / len(net.arrows)
                if net.entry[b] == "side" and low < y <= high:
                    cost += 14.0 * (c.near(net) == side)
        return cost

    def _verticals(self) -> None:
        """The x of each trunk in the channel, in the order that crosses least."""
        c = self.column
        for side in (1, -1):
            nets = [n for n in c.nets if n.kind == "time" and c.out(n) == side]
            reach = self.far(side) if c.folded else 0.0
            at = max(FIRST, reach) + self.inner[side]
            rim = c.right if side > 0 else -c.left
            way = "E" if side > 0 else "W"
            risers = [
                n
                for n in c.crossing
                if n.source in c.group.keys and n.kind == "rail" and c.riser(n) == way
            ]
            for net in (*self._ordered(nets), *risers):
                self.vertical[net] = side * (at + rim)
                words = {c.letters[a] for a in net.arrows}
                wide = max(24.0, min(words) + 16) if len(words) == 1 else 24.0
                at += wide if c.folded and net.kind == "time" else VERTICAL
            if nets or risers:
                self.inner[side] = at

    def _ordered(self, nets: list["Net"]) -> Sequence["Net"]:
        c = self.column
        ends = {n: (c.exit(n), [c.enter(n, a) for a in n.arrows]) for n in nets}
        spans = {n: (min(y, *ys) - 1, max(y, *ys) + 1) for n, (y, ys) in ends.items()}
        if len(nets) > 6:
            return sorted(nets, key=lambda n: spans[n][1] - spans[n][0])

        def crossings(order: Sequence["Net"]) -> int:
            total = 0
            for (i, a), (j, b) in permutations(enumerate(order), 2):
                (low, high), (out, into) = spans[a], ends[b]
                total += i < j and low < out < high
                if (i < j) == c.folded:
                    total += sum(low < y < high for y in into)
            return total

        return min(permutations(nets), key=crossings)

    # ------------------------------------------------------------------------ turns

    def _turn(self) -> None:
        """Turn slanted straight arrows on the rims until all ends are 7 pt apart.

        Where many heads meet it is up to 10 pt, so that each can be told.
        """
        c = self.column
        ends: dict[str, list[list[Any]]] = defaultdict(list)
        for a in (*c.now, *c.later):
            if c.form[a] != "straight":
                continue
            dx = c.x(a.target) + a.delay * c.pitch - c.x(a.source)
            dy = c.height(a.target) - c.height(a.source)
            angle = atan2(dy, dx)
            fixed = abs(dx) < 0.01 or abs(dy) < 0.01
            ends[a.source].append([angle, fixed, (a, "out")])
            ends[a.target].append([angle + pi, fixed, (a, "in")])
        for (key, side), found in self.docks.items():
            for _, who in found:
                if isinstance(who, tuple) and c.form.get(who[0]) == "straight":
                    continue
                x, y = self.rim(side, self.at(who, key), 0.0, 0.0)
                ends[key].append([atan2(y, x), True, None])
        for a in (*c.now, *c.later):
            if c.form[a] == "arc":
                ahead = a.delay > 0 or (not a.delay and c.x(a.target) > c.x(a.source))
                out = 57 * pi / 180 if ahead else pi - 57 * pi / 180
                ends[a.source].append([out, True, None])
                ends[a.target].append([pi - out, True, None])
        heads = Counter(a.target for a in (*c.now, *c.later))
        for key, around in ends.items():
            start = [angle for angle, *_ in around]
            room = pi * RADIUS / len(around) if heads[key] > MANY else 0.0
            push_apart(around, max(7.0, min(room, 10.0)) / RADIUS)
            for (angle, _, who), before in zip(around, start, strict=True):
                if who is not None:
                    self.turn[who] = max(-0.5, min(0.5, angle - before))


def push_apart(ends: list[list[Any]], need: float) -> None:
    """Change the angles of ends that are not fixed, until they are that far apart."""
    for _ in range(30):
        moved = False
        for i, one in enumerate(ends):
            for other in ends[:i]:
                apart = (one[0] - other[0] + pi) % (2 * pi) - pi
                if abs(apart) >= need - 1e-3:
                    continue
                by = (need - abs(apart)) / 2 * (1 if apart >= 0 else -1)
                if not one[1]:
                    one[0] += by * (2 if other[1] else 1)
                if not other[1]:
                    other[0] -= by * (2 if one[1] else 1)
                moved = moved or not (one[1] and other[1])
        if not moved:
            return
