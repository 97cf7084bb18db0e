"""What the textbook figures say, before any coordinate: letters, arrows and rows.

Vocabulary
    symbol   one circle of the folded circuit: a named value without its step
    arrow    a dependency between symbols: its delay, the steps on which it holds, and
             the parameters that multiply on the way (its labels)
    row      the height of a symbol in its column: the longest path over arrows within a
             step, a target above its loss
    stand-in a value from outside the loop that takes the place of step 0: h(0)
    outside  a stand-in and what it is computed from: no part of the folded circuit
    read-out a value without time that loops lead to, and what it needs: it has a row
             above those of the last loop that it depends on

Pure data, made from a ``Recurrence`` by ``read``.

>>> chart = Chart((Symbol("s", (), clock=0),), (Arrow("s", "s", delay=1),), (3,))
>>> rows(chart), chart.symbol("s").steps(3)
({'s': 0}, range(1, 4))
"""

from collections.abc import Iterator, Sequence
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

    def steps(self, length: int) -> range:
        """The steps at which it exists."""
        return self.span.steps(length)


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

    @property
    def clocks(self) -> range:
        """The loops over time."""
        return range(len(self.lengths))


def states(chart: Chart) -> list[str]:
    """The hidden values that read another step or that another step reads."""
    across = [a for a in chart.arrows if a.kind == "delay" and a.delay]
    ends = {key for a in across for key in (a.source, a.target)}
    return [s.key for s in chart.symbols if s.kind == "hidden" and s.key in ends]


def steps_of(chart: Chart, arrow: Arrow) -> list[int]:
    """The steps of an arrow's target at which it exists, none for one without time."""
    target = chart.symbol(arrow.target)
    if target.clock is None:
        return []
    length = chart.lengths[target.clock]
    span = arrow.span.steps(length)
    return [t for t in target.steps(length) if t in span]


def reads(chart: Chart, arrow: Arrow) -> Iterator[tuple[Step, Sequence[Step]]]:
    """Each step of an arrow's target at which it was recorded, and what that reads.

    >>> h, c = Symbol("h", (), clock=0), Symbol("c", (), clock=0)
    >>> arrow = Arrow("h", "c", "growing", 1, span=Span(2, -1), at=Span(1, -1))
    >>> [(t, list(read)) for t, read in reads(Chart((h, c), (arrow,), (3,)), arrow)]
    [(2, [1]), (3, [1, 2])]
    """
    source = chart.symbol(arrow.source)
    timed = chart.symbol(arrow.target).clock is not None
    steps: Sequence[Step] = steps_of(chart, arrow) if timed else [None]
    for t in steps:
        if t is not None and arrow.kind == "delay":
            yield t, [t - arrow.delay]
        elif source.clock is None or arrow.at is None:
            yield t, [None]
        elif t is not None and arrow.kind == "growing":
            yield t, range(arrow.at.first, t - arrow.delay + 1)
        else:
            yield t, arrow.at.steps(chart.lengths[source.clock])


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


def read_outs(chart: Chart) -> dict[str, int]:
    """The clock after which each read-out stands.

    >>> pick = Arrow("s", "o", "pick", at=Span(-1, -1))
    >>> symbols = (Symbol("s", (), clock=0), Symbol("o", ()))
    >>> read_outs(Chart(symbols, (pick,), (3,)))
    {'o': 0}
    """
    if not chart.lengths:  # without time all values stand in one column
        return {s.key: 0 for s in chart.symbols}
    loose = [s.key for s in chart.symbols if s.clock is None and not s.stands_for]
    clocks = {s.key: s.clock for s in chart.symbols if s.clock is not None}
    feeding = set(clocks)  # and what leads into a loop
    for key in reversed(loose):
        if any(a.source == key and a.target in feeding for a in chart.arrows):
            feeding.add(key)
    found: dict[str, int] = {}
    for key in loose:
        if key not in feeding:
            sources = [a.source for a in chart.arrows if a.target == key]
            after = [clocks[s] for s in sources if s in clocks]
            if after:
                found[key] = clocks[key] = max(after)
    for key in loose:
        read = [a.target for a in chart.arrows if a.source == key]
        if key not in found and key not in feeding and read and read[0] in found:
            found[key] = found[read[0]]
    return found


def rows(chart: Chart) -> dict[str, int]:
    """The row of each timed symbol and read-out, one to a row within its clock."""
    found: dict[str, int] = {}
    beyond = read_outs(chart)
    for clock in chart.clocks or [0]:
        ranks = _ranks(chart, clock, beyond)
        order = sorted(ranks, key=lambda key: ranks[key])
        found.update({key: row for row, key in enumerate(order)})
    return found


def _ranks(chart: Chart, clock: int, beyond: dict[str, int]) -> dict[str, float]:
    """Longest paths within a step; inputs sink to their consumers, targets rise."""
    here = {
        s.key: s
        for s in chart.symbols
        if s.clock == clock or beyond.get(s.key) == clock
    }
    inner = [
        a
        for a in chart.arrows
        if a.source in here and a.target in here
        if a.target in beyond or (a.kind == "delay" and not a.delay)
    ]
    before: dict[str, list[str]] = {key: [] for key in here}
    after: dict[str, list[str]] = {key: [] for key in here}
    for arrow in inner:
        before[arrow.target].append(arrow.source)
        after[arrow.source].append(arrow.target)
    ranks: dict[str, float] = {}
    waiting = {key: len(sources) for key, sources in before.items()}
    ready = [key for key in here if not waiting[key]]
    for key in ready:
        ranks[key] = max((ranks[s] + 1 for s in before[key]), default=0)
        for target in after[key]:
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    for key in here:
        # What only lives on through time, like h in an output feedback, stays put.
        ranks.setdefault(key, 0)
    for key, symbol in here.items():
        if not symbol.leaf:
            continue
        if symbol.kind == "target":
            losses = [t for t in after[key] if here[t].kind == "loss"]
            ranks[key] = max(ranks[t] for t in losses) + 0.5
            for target in after[key]:
                if target not in losses:
                    # What the next step reads of it, in teacher forcing.
                    ranks[target] = ranks[key] + 0.1
        elif after[key]:
            ranks[key] = min(ranks[t] for t in after[key]) - 1
    return ranks
