"""Round loops of the circuit: on which side, how high and how far out each runs.

A loop is put where it meets the fewest circles and arrows.
"""

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minigrad.draw.page.scene import Point
from minigrad.draw.textbook.chart import Arrow
from minigrad.draw.textbook.columns import RADIUS
from minigrad.draw.textbook.nested import PAD

if TYPE_CHECKING:
    from minigrad.draw.textbook.column import Column
    from minigrad.draw.textbook.ports import Ports


class Loop(NamedTuple):
    """The x of a loop's squares, how far above its circle, its rank there, its side."""

    x: float
    shift: float
    number: int
    side: int


# How far above or below its circle's middle a loop is clear of what leaves there.
CLEAR = 28.0
# Between a loop's squares and the arrow beyond its letters.
ROOM = 20.0


def lane_for(column: "Column") -> float:
    """How wide lanes are where the letters of loops end before the next arrow."""
    found = 0.0
    for loop, (x, shift, _, side) in column.loops.items():
        y, middle = column.height(loop.source) + shift, column.grid.place[loop.source]
        for a in column.now if column.letters[loop] else ():
            low, high = column.height(a.source), column.height(a.target)
            if column.form[a] != "straight" or not min(low, high) < y < max(low, high):
                continue
            share = (y - low) / (high - low)
            tail, tip = column.grid.place[a.source], column.grid.place[a.target]
            lanes = side * (tail + (tip - tail) * share - middle)
            out = side * (x - column.x(loop.source))
            if lanes > 0 and lanes * column.lane > out:
                found = max(found, (out + column.letters[loop] + ROOM) / lanes)
    return found


class Loops:
    """The loops of one column."""

    def __init__(self, ports: "Ports") -> None:
        self.ports, self.column = ports, ports.column

    def placed(self) -> dict[Arrow, Loop]:
        """Where each round loop runs."""
        c, inner = self.column, self.ports.inner
        found: dict[Arrow, Loop] = {}
        by_circle: dict[tuple[str, int], list[Arrow]] = defaultdict(list)
        for a in c.later:
            if c.form[a] == "loop":
                by_circle[a.source, 1 if a.delay > 0 else -1].append(a)
        for (key, way), arrows in by_circle.items():
            arrows.sort(key=lambda a: (not a.turns, abs(a.delay)))
            side, shift, out = self._loop_side(key, way, len(arrows))
            reach = c.reach + 27.0 + out
            for number, a in enumerate(arrows):
                x = c.x(key) + side * reach
                found[a] = Loop(x, shift, number, side)
                reach += 2 * PAD * bool(a.turns)  # a frame lies between
                reach += max(20.0, c.letters[a] + (16.0 if len(arrows) == 1 else 20.0))
                edge = x - c.right if side > 0 else c.left - x
                inner[side] = max(inner[side], edge + c.letters[a] + 10)
        return found

    def _loop_side(self, key: str, way: int, many: int) -> tuple[int, float, float]:
        """Where a loop meets least: its side, how far above its circle, how far out."""
        c = self.column
        lines = self.lines - (c.x(key), c.height(key))
        others = [
            (c.x(k) - c.x(key), c.height(k) - c.height(key))
            for k in c.group.keys
            if k != key
        ]
        bridged = {
            side
            for net in c.crossing
            for side, end in ((1, net.source), (-1, net.arrows[0].target))
            if net.kind == "bridge" and key == end
        }

        def met(x: float, y: float, wide: float, high: float) -> int:
            return int(np.all(abs(lines - (x, y)) < (wide, high), axis=1).sum())

        def cost(side: int, y: float, out: float) -> float:
            x = side * (c.reach + 15.0 + out)
            lying = met(x, y, 16.0, 26.0 + 10.0 * (many > 1))
            lying += 3 * met(side * (c.reach + 27.0 + out), y, 8.0, 9.0)
            near = sum(
                abs(ox - x) < RADIUS + 20 and abs(oy - y) < RADIUS + 24
                for ox, oy in others
            )
            asked = 4.0 * (side != way) + 0.2 * abs(y) + 0.3 * out
            through = side in bridged and abs(y) < CLEAR
            return 10.0 * lying + 400.0 * near + 60.0 * through + asked

        shifts = (0.0, 15.0, -15.0) if many == 1 else (0.0,)
        if bridged and many == 1:
            shifts = (*shifts, CLEAR, -CLEAR)
        options = [
            (side, shift, out)
            for side in (way, -way)
            for shift in shifts
            for out in (0.0, 14.0, 28.0)
        ]
        return min(options, key=lambda option: cost(*option))

    @cached_property
    def lines(self) -> NDArray[np.float64]:
        """Points along all arrows that are laid out before the loops."""
        c = self.column
        ends: list[tuple[Point, Point]] = []
        for a in c.now:
            p = c.x(a.source), c.height(a.source)
            q = c.x(a.target), c.height(a.target)
            if c.form[a] == "side":
                lane = self.ports.lanes[a][0]
                ends += [(p, (lane, p[1])), ((lane, q[1]), q)]
                p, q = (lane, p[1]), (lane, q[1])
            ends.append((p, q))
        for net in (n for n in c.nets if n.kind == "time"):
            side = c.out(net)
            rim = (c.right if side > 0 else c.left) + 80.0 * side
            levels = [(net.source, c.exit(net))]
            levels += [
                (a.target, c.enter(net, a))
                for a in net.arrows
                if net.entry[a] == "side"
            ]
            ends += [((c.x(k) + RADIUS * side, y), (rim, y)) for k, y in levels]
        pairs = np.array(ends).reshape(-1, 2, 2)
        return np.linspace(pairs[:, 0], pairs[:, 1], 41).reshape(-1, 2)
