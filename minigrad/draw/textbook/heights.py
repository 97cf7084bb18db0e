"""The y of every row, with room between rows for buses and arcs.

Vocabulary
    track    the height at which a bus runs, in the gap below the row that it serves
    arc      an arrow over two or more columns within a row; it needs room above the row
    rise     an arrow that runs above all columns of a loop, as of what is read after it

>>> from minigrad.draw.textbook.chart import Symbol
>>> chart = Chart((Symbol("s", (), clock=0),), (Arrow("s", "s", delay=1),), (3,))
>>> Heights(chart).of("s")
0.0
"""

from collections.abc import Iterable
from dataclasses import dataclass

from minigrad.draw.textbook.chart import Arrow, Chart, rows
from minigrad.draw.textbook.columns import RADIUS, ROW

TRACK, ARC, RISE = 13.0, 40.0, 24.0


@dataclass(frozen=True)
class Bus:
    """What reaches a symbol at each step: a parameter, or an untimed value."""

    name: str
    target: str


def rises(arrow: Arrow) -> bool:
    """Whether every step of another loop, or a value without time, reads this one."""
    far = arrow.kind == "pick" and arrow.span.first != arrow.span.last
    return far or arrow.kind in ("gather", "growing")


def outer_buses(chart: Chart) -> list[Bus]:
    """The buses of values from outside of a loop that every step reads."""
    return [
        Bus(a.source, a.target)
        for a in chart.arrows
        if a.kind == "broadcast" and not a.initial
    ]


class Heights:
    """The y of symbols and of tracks.

    ``below`` are the buses that run in the gap below their target's row; tracks of one
    gap lie above each other in that order.
    """

    def __init__(
        self, chart: Chart, below: Iterable[Bus] = (), wider: float = 0.0
    ) -> None:
        self.wider = wider
        self.rows = rows(chart)
        self._level = {s.key: self._level_of(chart, s.key) for s in chart.symbols}
        below = (*outer_buses(chart), *below)
        high = max(self.rows.values(), default=0) + 1
        tracks: list[list[str]] = [[] for _ in range(high)]
        for bus in below:
            gap = tracks[self._level[bus.target]]
            if bus.name not in gap:
                gap.append(bus.name)
        arcs = {
            self.rows[a.source]
            for a in chart.arrows
            if a.kind == "delay" and abs(a.delay) > 1 and a.source in self.rows
            if self.rows[a.source] == self.rows[a.target]
        }
        risen = {self._level[a.source] for a in chart.arrows if rises(a)}
        self._row = [0.0]
        for row in range(1, high):
            room = len(tracks[row]) * TRACK + (ARC if row - 1 in arcs else 0.0)
            room += RISE if row - 1 in risen else 0.0
            self._row.append(self._row[-1] + ROW + 0.7 * wider + room)
        self.tracks: dict[tuple[str, str], float] = {}
        for bus in below:
            row = self._level[bus.target]
            order = tracks[row].index(bus.name)
            y = self._row[row] - RADIUS - 11 - TRACK * order
            self.tracks[bus.name, bus.target] = y

    def _level_of(self, chart: Chart, key: str) -> int:
        """The row of a timed symbol; that of what is nearest to it for any other."""
        near = [key]
        for at in near:
            symbol = chart.symbol(at)
            state = symbol.stands_for.state if symbol.stands_for else at
            if state in self.rows:
                return self.rows[state]
            beside = [a.source for a in chart.arrows if a.target == at]
            beside += [a.target for a in chart.arrows if a.source == at]
            near += [k for k in dict.fromkeys(beside) if k not in near]
        return 0

    def of(self, key: str) -> float:
        """The y of a symbol."""
        return self._row[self._level[key]]

    def track(self, bus: Bus) -> float:
        """The y at which a bus runs."""
        return self.tracks[bus.name, bus.target]

    def apart(self, a: str, b: str) -> int:
        """How many rows lie between two symbols."""
        return abs(self._level[a] - self._level[b])

    @property
    def top(self) -> float:
        """The y of the highest row."""
        return self._row[-1]

    @property
    def middle(self) -> float:
        """The y at which the eye expects the flow of time."""
        return self._row[-1] / 2


def recurrence_height(chart: Chart, heights: Heights) -> float:
    """The y of the Unfold arrow: between the ends of the first recurrence."""
    for arrow in chart.arrows:
        if _recurrent(arrow):
            return (heights.of(arrow.source) + heights.of(arrow.target)) / 2
    return heights.middle


def _recurrent(arrow: Arrow) -> bool:
    return arrow.kind == "delay" and arrow.delay != 0
