"""Where the letters of arrows find room: solved for all of them at once.

Vocabulary
    wish    letters that want to stand beside an arrow
    seat    a place where they could stand: at a share of the arrow's own part, on one
            of its sides, at some distance; or on the line, on a patch of paper
    cost    what speaks against a seat: most of all, that the letters could be read as
            those of another arrow

All arrows that stand for one of the circuit take the same seat where they can. The
hardest are seated first; then all choose again, until none moves.

>>> from minigrad.draw.page.curves import straight
>>> from minigrad.draw.page.scene import Run
>>> arrow = Edge("", "", straight((0, 0), (40, 0)), head=False, id="a")
>>> (text,) = place([Wish(((Run("W", "bold", 18),),), "a")], [], [arrow], [])
>>> round(text.x, 1), round(text.y, 1), text.edge
(21.0, 9.6, 'a')
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from minigrad.draw.page.curves import HEAD, Curve
from minigrad.draw.page.nearness import (
    Array,
    Ground,
    Indices,
    along,
    ink,
    nearest,
    overlaps,
    within,
)
from minigrad.draw.page.scene import Edge, Frame, Lines, Node, Text

SHARES = np.linspace(0.05, 0.95, 15)
MORE, LONG = np.linspace(0.02, 0.98, 29), 90.0
GAPS = (4.0, 7.0, 10.0)
# Beside a bow the corners of a long text are nearer than its middle.
FARTHER = (15.0, 21.0)
# Half the width beyond which a text is long.
WIDE = 16.0
# A seat with such a cost leaves the letters in doubt.
BAD = 300.0
STRUCK, ON_TEXT, ON_BORDER = 1000.0, 600.0, 250.0
# How far a seat wants to be from its own line, other lines, outlines, texts, frames.
OWN, OTHERS, OUTLINES, TEXTS, BORDERS = 1.6, 2.2, 2.0, 2.5, 1.5
# By how much others are farther than its own line, and a margin that remains one
# however an engine sets the letters.
MARGIN, SAFE = 2.0, 3.5
# No line that is farther from all seats matters.
NEAR = 20.0
ROUNDS = 6
# How many seats are looked at together.
TOGETHER = 28


@dataclass
class Wish:
    """Letters beside the arrow with an id.

    ``curve`` is where they stand if that is not the arrow's own part; ``below`` tries
    its lower side first.
    """

    lines: Lines
    edge: str
    kind: str = "ink"
    word: str = ""
    curve: Curve = ()
    below: bool = False


def place(
    wishes: Iterable[Wish],
    nodes: Iterable[Node],
    edges: Iterable[Edge],
    texts: Iterable[Text],
    frames: Iterable[Frame] = (),
) -> list[Text]:
    """Texts for all wishes, each where it is nobody else's if there is such a place.

    A stub among the steps left out has none where it is too short for them.
    """
    ground = Ground(nodes, edges, frames)
    boxes = [np.add(ink(t.lines).whole, (t.x, t.y, t.x, t.y)) for t in texts]
    taken = np.array(boxes).reshape(-1, 4)
    seats = [_Seats(wish, ground, taken) for wish in wishes]
    plan = _Plan(seats)
    plan.solve()
    return [
        seat.text(plan.chosen[k])
        for k, seat in enumerate(seats)
        if not seat.stub or plan.cost(k)[plan.chosen[k]] < BAD
    ]


class _Seats:
    """All seats for one wish, and what each costs by what is drawn already."""

    def __init__(self, wish: Wish, ground: Ground, taken: Array) -> None:
        self.wish = wish
        self.edge = edge = ground.edges[ground.numbers[wish.edge]]
        self.stub = not (edge.tail and edge.tip)
        self.ink = ink(wish.lines)
        curve = wish.curve or edge.own or edge.points
        self._seat(along(curve), edge.head and curve[-1] == edge.points[-1])
        self.boxes = self.at[:, [0, 1, 0, 1]] + self.ink.whole
        corners = (np.array(curve) - curve[0]).round(1)
        what = (edge.part, edge.home or edge.id, wish.word, len(self.at))
        self.form = (*what, *corners.flat)
        self.cost += self._off_outlines(ground)
        self.cost += ON_TEXT * overlaps(self.boxes, taken, TEXTS).sum(axis=1)
        # Where something else is struck already, lines need no look. The rest in small
        # groups, each with the lines near to it.
        own = ground.own(edge)
        rest = np.flatnonzero(self.cost < STRUCK)
        for rows in np.array_split(rest, len(rest) // TOGETHER + 1):
            if len(rows):
                self.cost[rows] += self._off_lines(ground, own, rows)

    def _seat(self, own: Array, head: bool) -> None:
        """Points for the text along a curve, and how much each is disliked."""
        run = np.append(0.0, np.hypot(*(own[1:] - own[:-1]).T).cumsum())
        length = run[-1] - (HEAD if head and run[-1] > 2 * HEAD else 0.0)
        shares = MORE if length > LONG else SHARES
        at = np.searchsorted(run, shares * length).clip(0, len(own) - 1)
        ahead = own[(at + 2).clip(0, len(own) - 1)] - own[(at - 2).clip(0)]
        ahead /= np.hypot(*ahead.T).clip(1e-9)[:, None]
        up = ahead[:, ::-1] * np.array([-1, 1])
        flip = (up[:, 1] < -0.2) | ((abs(up[:, 1]) <= 0.2) & (up[:, 0] < 0))
        up[flip] *= -1
        size, middle = np.array(self.ink.size), np.array(self.ink.centre)
        # Letters of a loop want to be at its squares.
        aside = (30 if self.wish.curve else 9) * abs(shares - 0.5)
        places, costs = [own[at] - middle], [aside + 45.0]
        more = FARTHER if size[0] > WIDE else ()
        for side in (1, -1):
            for gap in (*GAPS, *more):
                away = gap + abs(up) @ size
                places.append(own[at] + side * up * away[:, None] - middle)
                wanted = 0.0 if (side < 0) == self.wish.below else 4.0
                costs.append(aside + wanted + 0.6 * (gap - GAPS[0]))
        # Share by share, so that neighbours in the list are neighbours on the page.
        self.at = np.stack(places, axis=1).reshape(-1, 2)
        self.cost = np.stack(costs, axis=1).ravel()
        self.backed = np.arange(len(self.at)) % len(places) == 0

    def _off_outlines(self, ground: Ground) -> Array:
        """What circles, boxes and frames speak against each seat."""
        cost = np.zeros(len(self.boxes))
        if ground.nodes:
            away = ground.from_outlines(self.boxes)
            far = 2 * np.maximum(5 - away, 0)
            on = STRUCK + 10 * (OUTLINES - away)
            cost += np.where(away < OUTLINES, on, far).sum(axis=1)
        borders = ground.borders[within(ground.borders, _reach(self.boxes))]
        if len(borders):
            cost += ON_BORDER * (nearest(self.boxes, borders) < BORDERS)
        return cost

    def _off_lines(self, ground: Ground, own: Array, rows: Indices) -> Array:
        """What lines speak against some seats."""
        boxes, backed = self.boxes[rows], self.backed[rows]
        reach = _reach(boxes)
        own = own[within(own, reach)]
        cost = np.where(~backed & (nearest(boxes, own) < OWN), STRUCK, 0.0)
        points, of = ground.foreign(self.edge, own, reach)
        if not len(points):
            return cost
        away = ground.from_lines(boxes, points, of)
        cost += np.where(away < OTHERS, STRUCK + 20 * (OTHERS - away), 0.0)
        bare = self.at[rows][:, [0, 1, 0, 1]] + self.ink.bare
        more = away - np.where(backed, 0.0, nearest(bare, own))
        far = 1.3 * np.maximum(7 - more, 0) + 25 * np.maximum(SAFE - more, 0)
        cost += np.where(more < MARGIN, BAD + 60 * (MARGIN - more), far)
        if self.ink.size[0] > WIDE:
            # The middle of a long text must not be at another line.
            boxes[:, [0, 2]] += np.array([2 / 3, -2 / 3]) * self.ink.size[0]
            mine = np.where(backed, 0.0, nearest(boxes, own))
            more = ground.from_lines(boxes, points, of) - mine
            cost += 15 * (MARGIN - more).clip(0, 6)
        return cost

    def text(self, j: int) -> Text:
        """The letters on a seat."""
        (x, y), wish, edge = self.at[j].tolist(), self.wish, self.edge
        what = (wish.lines, wish.kind, edge.part, edge.id, wish.word)
        return Text(x, y, *what, backed=bool(self.backed[j]))


def _reach(boxes: Array) -> Array:
    """The box around all from which something matters to one of these."""
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    return np.concatenate([low - NEAR, high + NEAR])


class _Plan:
    """Who sits where."""

    def __init__(self, seats: Sequence[_Seats]) -> None:
        self.seats = seats
        self.chosen = [-1] * len(seats)
        # Nobody is in the way of others as long as he stands nowhere.
        self._boxes = np.full((len(seats), 4), np.nan)
        low = np.array([s.boxes.min(axis=0) for s in seats]).reshape(-1, 4)
        high = np.array([s.boxes.max(axis=0) for s in seats]).reshape(-1, 4)
        hulls = np.hstack([low[:, :2], high[:, 2:]])
        self._near = overlaps(hulls, hulls, TEXTS)
        np.fill_diagonal(self._near, False)
        groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
        for k, seat in enumerate(seats):
            groups[seat.form].append(k)
        self.groups = sorted(
            groups.values(), key=lambda g: -max(seats[k].cost.min() for k in g)
        )

    def solve(self) -> None:
        """Seat the hardest first; then let all choose again while one moves."""
        for _ in range(ROUNDS):
            before = list(self.chosen)
            for group in self.groups:
                self._choose(group)
            if self.chosen == before:
                break

    def cost(self, k: int, but: Sequence[int] = ()) -> Array:
        """What the seats of a wish cost now; ``but`` does not count whom it meets."""
        others = self._near[k].copy()
        others[list(but)] = False
        met = overlaps(self.seats[k].boxes, self._boxes[others], TEXTS)
        total: Array = self.seats[k].cost + ON_TEXT * met.sum(axis=1)
        return total

    def _choose(self, group: list[int]) -> None:
        """One seat for a group, and another for whom that one leaves in doubt."""
        together = sum(self.cost(k, group).clip(max=2 * STRUCK) for k in group)
        best = int(np.argmin(together))
        for k in group:
            self._sit(k, best)
        for k in group:
            alone = self.cost(k)
            if alone[best] >= BAD and alone.min() < alone[best]:
                self._sit(k, int(alone.argmin()))

    def _sit(self, k: int, j: int) -> None:
        self.chosen[k] = j
        self._boxes[k] = self.seats[k].boxes[j]
