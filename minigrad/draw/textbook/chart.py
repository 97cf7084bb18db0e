"""What the textbook figures say, before any coordinate: letters and arrows.

Vocabulary
    symbol   one circle of the folded circuit: a named value without its step
    arrow    a dependency between symbols: its delay, the steps on which it holds, and
             the parameters that multiply on the way (its labels)
    stand-in a value from outside the loop that takes the place of step 0: h(0)
    outside  a stand-in and what it is computed from: no part of the folded circuit

Pure data, made from a ``Recurrence`` by ``read``.

>>> chart = Chart((Symbol("s", (), clock=0),), (Arrow("s", "s", delay=1),), (3,))
>>> chart.steps("s")
range(1, 4)
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from minigrad.draw.page.scene import Line
from minigrad.fold import Span

ALL = Span(1, -1)
Step = int | None
Pair = tuple[str, str]


class StandIn(NamedTuple):
    """What an initial value is: ``state`` at step ``t`` from before step 1 (or past T).

    ``offset`` counts columns from the loop: -1 is next to the first, 1 to the last.
    """

    state: str
    offset: int


@dataclass(frozen=True, slots=True)
class Symbol:
    """A named value.

    Of what ``loops`` within a step made, ``turn`` has their steps, 2 of h(t,2), and
    ``line`` is the key of the first of all turns. What the state ``begins`` with has a
    turn before that.
    """

    key: str
    label: Line
    kind: str = "hidden"
    clock: int | None = None
    span: Span = ALL
    leaf: bool = False
    stands_for: StandIn | None = None
    title: str = ""
    note: str = ""
    name: str = ""
    turn: tuple[float, ...] = ()
    loops: tuple[Any, ...] = ()
    line: str = ""
    begins: str = ""

    def index(self, t: str) -> str:
        """What stands in the brackets at step t: 2, or 2,1 of a loop within a step."""
        return ",".join((t, *map(str, self.turn)))


@dataclass(frozen=True, slots=True)
class Arrow:
    """A dependency; ``kind`` is delay, broadcast, gather, growing, pick or plain.

    A growing one reads the steps of its own loop from ``at.first`` to ``delay`` back;
    ``initial`` ones read a value in the place of a state that does not exist yet. From
    one step of a loop within a step to another it is ``turns`` later.
    """

    source: str
    target: str
    kind: str = "delay"
    delay: int = 0
    span: Span = ALL
    at: Span | None = None
    labels: tuple[str, ...] = ()
    initial: bool = False
    turns: int = 0


@dataclass(frozen=True, slots=True)
class Weight:
    """A parameter: its letter, and the arrows or symbols that it enters."""

    name: str
    label: Line
    targets: tuple[str, ...] = ()
    bias: bool = False
    title: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """All symbols, arrows and parameters of a recurrence; ``keys`` of its roles.

    ``merged`` counts the values that are drawn as one with others.
    """

    symbols: tuple[Symbol, ...]
    arrows: tuple[Arrow, ...]
    lengths: tuple[int, ...] = ()
    weights: tuple[Weight, ...] = ()
    keys: tuple[str, ...] = ()
    merged: int = 0

    def symbol(self, key: str) -> Symbol:
        """The symbol with that key."""
        return next(s for s in self.symbols if s.key == key)

    def weight(self, name: str) -> Weight:
        """The parameter of that name, or of that name transposed: Wᵀ."""
        names = (name, name.removesuffix("ᵀ"))
        return next(w for n in names for w in self.weights if w.name == n)

    def seat(self, key: str, t: Step) -> str:
        """The id of a circle; its step is counted from the nearer end.

        >>> s = Symbol("s", (), clock=0)
        >>> [Chart((s,), (), (9,)).seat("s", t) for t in (1, 5, 9, None)]
        ['s@1', 's@5', 's@-1', 's']
        """
        clock = self.symbol(key).clock
        if t is None or clock is None:
            return key
        length = self.lengths[clock]
        return f"{key}@{t if 2 * t <= length + 1 else t - length - 1}"

    def steps(self, key: str) -> Sequence[Step]:
        """The steps at which a symbol exists, None for one without time."""
        symbol = self.symbol(key)
        if symbol.clock is None:
            return (None,)
        return symbol.span.steps(self.lengths[symbol.clock])

    def pairs(self, *arrows: Arrow) -> tuple[Pair, ...]:
        """The circles that were joined by arrows, at all steps."""
        return tuple(
            (self.seat(arrow.source, a), self.seat(arrow.target, b))
            for arrow in arrows
            for b, found in reads(self, arrow)
            for a in found
        )

    @property
    def clocks(self) -> range:
        """The loops over time."""
        return range(len(self.lengths))


def names_on(arrows: Iterable[Arrow]) -> tuple[str, ...]:
    """The parameters on arrows, each once."""
    return tuple(dict.fromkeys(name for arrow in arrows for name in arrow.labels))


def states(chart: Chart) -> list[str]:
    """The hidden values that read another step or that another step reads."""
    across = [a for a in chart.arrows if a.kind == "delay" and a.delay]
    ends = {key for a in across for key in (a.source, a.target)}
    return [s.key for s in chart.symbols if s.kind == "hidden" and s.key in ends]


def steps_of(chart: Chart, arrow: Arrow) -> list[int]:
    """The steps of an arrow's target at which it exists, none for one without time."""
    clock = chart.symbol(arrow.target).clock
    span = () if clock is None else arrow.span.steps(chart.lengths[clock])
    return [t for t in chart.steps(arrow.target) if t in span and t is not None]


def reads(chart: Chart, arrow: Arrow) -> Iterator[tuple[Step, Sequence[Step]]]:
    """Each step of an arrow's target at which it was recorded, and what that reads.

    >>> h, c = Symbol("h", (), clock=0), Symbol("c", (), clock=0)
    >>> arrow = Arrow("h", "c", "growing", 1, span=Span(2, -1), at=Span(1, -1))
    >>> [(t, list(read)) for t, read in reads(Chart((h, c), (arrow,), (3,)), arrow)]
    [(2, [1]), (3, [1, 2])]
    """
    source, timed = (chart.symbol(key).clock for key in (arrow.source, arrow.target))
    steps: Sequence[Step] = steps_of(chart, arrow) if timed is not None else [None]
    for t in steps:
        if t is not None and arrow.kind == "delay":
            yield t, [t - arrow.delay]
        elif source is None or arrow.at is None:
            yield t, [None]
        elif t is not None and arrow.kind == "growing":
            yield t, range(arrow.at.first, t - arrow.delay + 1)
        else:
            yield t, arrow.at.steps(chart.lengths[source])


def outside(chart: Chart) -> set[str]:
    """The stand-ins, and the values that lead to nothing but them.

    >>> start = Arrow("x", "h0", "plain"), Arrow("h0", "h", "broadcast", initial=True)
    >>> symbols = Symbol("x", ()), Symbol("h0", ()), Symbol("h", (), clock=0)
    >>> sorted(outside(Chart(symbols, start, (3,))))
    ['h0', 'x']
    """
    within = {s.key for s in chart.symbols if s.clock is not None}
    for symbol in chart.symbols:  # and what was computed from the steps of a loop
        if any(a.target == symbol.key and a.source in within for a in chart.arrows):
            within.add(symbol.key)
    found: set[str] = set()
    for symbol in reversed(chart.symbols):
        leads = [a for a in chart.arrows if a.source == symbol.key]
        starts = all(a.initial or a.target in found for a in leads)
        if leads and starts and symbol.key not in within:
            found.add(symbol.key)
    return found
