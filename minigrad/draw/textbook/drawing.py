"""One drawing of a chart: grid, columns and heights, and how arrows get onto it.

Vocabulary
    part      the folded circuit, or the unfolded columns
    instance  one arrow between two circles of a part, before it is drawn
    sisters   instances on one trunk; the first one draws it, the others their branches

>>> from minigrad.draw.textbook.chart import Arrow, Symbol
>>> chart = Chart((Symbol("s", (), clock=0),), (Arrow("s", "s", delay=1),), (3,))
>>> drawing = Drawing(chart)
>>> drawing.y("s"), [c.folded for c in drawing.columns["folded"]]
(0.0, [True])
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from minigrad.draw.page.letters import enclosed, indexed, note
from minigrad.draw.page.scene import Line, Lines, Node, Scene, extent
from minigrad.draw.page.sheet import Sheet
from minigrad.draw.textbook.chart import (
    Arrow,
    Chart,
    Pair,
    Step,
    Symbol,
    Weight,
    names_on,
    steps_of,
)
from minigrad.draw.textbook.column import BARE, GAP_ROW, LETTERED, TRACK, Column
from minigrad.draw.textbook.columns import RADIUS, Shown
from minigrad.draw.textbook.cut import Cut, halves, has_room, moved
from minigrad.draw.textbook.grid import Grid, Group, starts_a_loop
from minigrad.draw.textbook.marks import called, home, label_of, way_home
from minigrad.draw.textbook.nested import drawn, in_circuit, rolled
from minigrad.draw.textbook.nets import Net
from minigrad.draw.textbook.ways import Way
from minigrad.fold import Span

FOLDED, UNFOLDED = "folded", "unfolded"
GAP_CLOSE = 64.0


@dataclass(frozen=True)
class Unrolling:
    """How the columns are written: their index, and what overlays add to a circle.

    ``reserve`` are parameters for whose tracks there is room though nothing is drawn.
    """

    index: Mapping[int, str] | None = None
    labels: bool = True
    weights: tuple[Weight, ...] = ()
    reserve: tuple[Weight, ...] = ()
    edge_kind: str = "forward"
    below: Callable[[str, int], Lines] = lambda name, t: ()
    look: Callable[[str, int], dict[str, Any]] = lambda name, t: {}


@dataclass(eq=False)
class Instance:
    """An arrow from circle to circle; ``details`` are those of its edge.

    Of one ``across`` a gap ``covers`` is what its left half stands for, ``into`` what
    its right half does; a half that stands for nothing is not drawn.
    """

    arrow: Arrow
    tail: str
    tip: str
    way: Way
    names: tuple[str, ...] = ()
    covers: tuple[Pair, ...] = ()
    into: tuple[Pair, ...] = ()
    across: bool = False
    net: str | None = None
    details: dict[str, Any] = field(default_factory=dict)


class Drawing:
    """A chart on its way to a scene."""

    def __init__(
        self,
        chart: Chart,
        how: Unrolling | None = None,
        steps: int | None = None,
        parts: Sequence[str] = (FOLDED, UNFOLDED),
        wider: float = 0.0,
    ) -> None:
        self.chart, self.how, self.steps = chart, how or Unrolling(), steps
        self.wider = wider
        self.sheet = Sheet()
        self.circuit = self.grid = Grid(*rolled(chart))
        if self.circuit.chart is not chart:
            self.grid = Grid(*drawn(chart, steps), self.circuit)
        crossing = {grid: self._crossing(grid) for grid in map(self.of, parts)}
        symbols = *chart.symbols, *self.grid.chart.symbols
        self.line = {s.key: s.line or s.key for s in symbols}
        self.crossing = {part: crossing[self.of(part)] for part in parts}
        self.how = replace(
            self.how,
            weights=self._kept(self.how.weights),
            reserve=self._kept(self.how.reserve),
        )
        # Parameters enter left of a circle's middle, shares leave right of it.
        sides = [(-1, w) for w in self.how.weights] + [(1, w) for w in self.how.reserve]
        self.buses = [(w.name, t, side) for side, w in sides for t in w.targets]
        self.homes: dict[str, str] = {}
        self.columns = {part: self._columns(part) for part in parts}
        self.shown: dict[str, dict[int, Shown]] = {part: {} for part in parts}
        self.right = 0.0
        self.unread: list[str] = []  # starts that only steps left out read
        self.below: dict[Any, float] = {}  # the y of tracks between groups
        self._settle()

    # -------------------------------------------------------------------- the columns

    def of(self, part: str) -> Grid:
        """The grid of a part: turns of loops within a step are one in the circuit."""
        return self.circuit if part == FOLDED else self.grid

    def _kept(self, weights: Sequence[Weight]) -> tuple[Weight, ...]:
        """Parameters without what they enter at turns that are left out."""
        at = self.grid.level
        kept = ((w, tuple(t for t in w.targets if t in at)) for w in weights)
        return tuple(replace(w, targets=targets) for w, targets in kept)

    def _crossing(self, grid: Grid) -> list[Net]:
        """What leads from group to group, by its source, target and letters."""
        found: dict[Any, list[Arrow]] = defaultdict(list)
        single = (a for g in grid.groups for a in (*g.now, *g.later) if not a.turns)
        met = {(a.source, a.target, a.delay): a for a in single}
        for arrow in grid.between:
            same = met.get((arrow.source, arrow.target, arrow.delay))
            if same is not None and arrow.kind == "growing":  # its nearest step
                grid.parts[same] += grid.parts[arrow]
            # What reads other steps is no part of a rail.
            at = arrow.at if arrow.kind in ("pick", "gather") else None
            found[arrow.source, arrow.target, arrow.labels, at].append(arrow)
        nets = []
        for (source, *_), arrows in found.items():
            at = arrows[0].at
            bridge = starts_a_loop(grid.chart, arrows[0]) and at and at.last == -1
            entry = dict.fromkeys(arrows, "side" if bridge else "drop")
            kind = "bridge" if bridge else "rail"
            nets.append(Net(source, 0, arrows, kind, entry))
        return nets

    def _columns(self, part: str) -> list[Column]:
        folded, grid = part == FOLDED, self.of(part)
        found = []
        for group in grid.groups:
            ends = {n: {n.source, n.arrows[0].target} for n in self.crossing[part]}
            crossing = [n for n, keys in ends.items() if keys & {*group.keys}]
            if folded:  # what reads several steps of its own loop is one arrow there
                inner = [n for n in crossing if ends[n] <= {*group.keys}]
                crossing = [n for n in crossing if n not in inner]
                group = self._circuit(group, [a for n in inner for a in n.arrows])
            else:
                group = replace(group, later=(*group.later, *_unmet(grid, group)))
            nets = [a for n in crossing for a in n.arrows]
            arrows = [*group.now, *group.later, *nets]
            letters = {a: self.width(self.names(a, part)) for a in arrows}
            entering = [b for b in self.buses if b[1] in group.keys]
            reach = self._half_width(grid, group)
            column = Column(
                grid, group, letters, folded, crossing, entering, self.wider, reach
            )
            column.starts = self._only_starts(grid, group)
            found.append(column)
        return found

    def _half_width(self, grid: Grid, group: Group) -> float:
        """Half the width of the widest outline, with the longest index."""
        symbols = [grid.chart.symbol(key) for key in group.keys]
        labels = [s.label for s in symbols]
        if group.clock is not None:
            index = str(self.chart.lengths[group.clock])
            labels = [indexed(s.label, s.index(index)) for s in symbols]
        return max(enclosed(label, RADIUS)[1] / 2 for label in labels)

    def _circuit(self, group: Group, inner: list[Arrow]) -> Group:
        """The group as a circuit, with what reads several of its own steps."""
        now, later, parts = list(group.now), self._held(group), self.circuit.parts
        single = (a for a in (*now, *later) if not a.turns)
        met = {(a.source, a.target, a.delay): a for a in single}
        for arrow in inner:
            same = met.get((arrow.source, arrow.target, arrow.delay))
            if same is None:
                through = arrow.delay or arrow.source == arrow.target
                (later if through else now).append(arrow)
            else:
                parts[same] += [a for a in parts[arrow] if a not in parts[same]]
        return Group(group.clock, group.keys, tuple(now), tuple(later))

    def _held(self, group: Group) -> list[Arrow]:
        """The arrows through time; those of one value that take turns are one.

        What stays the same for some steps is read one step later, two steps later, ...
        """
        parts, to = self.circuit.parts, {a: a for a in group.later}
        alike: dict[Any, list[Arrow]] = defaultdict(list)
        for a in (a for a in group.later if not a.turns):
            alike[a.source, a.target, self.names(a, FOLDED), a.delay > 0].append(a)
        for arrows in alike.values():
            every = [part for a in arrows for part in parts[a]]
            steps = [t for part in every for t in steps_of(self.chart, part)]
            if len(arrows) > 1 and len(steps) == len(set(steps)):
                delays = sorted(a.delay for a in arrows)
                one = replace(arrows[0], at=Span(delays[0], delays[-1]))
                parts[one] = every
                to |= dict.fromkeys(arrows, one)
        self.homes |= {way_home(a): way_home(one) for a, one in to.items()}
        return list(dict.fromkeys(to.values()))

    def _only_starts(self, grid: Grid, group: Group) -> set[tuple[str, int]]:
        """States and delays of more than a step by which their starts are read."""
        found = set()
        for arrow in grid.initial:
            if group.clock is not None and arrow.target in group.keys:
                state = grid.stand[arrow.source].state
                longest = max((abs(a.delay) for a in group.later), default=0)
                steps = arrow.span.steps(self.chart.lengths[group.clock])
                if grid.level[state] == grid.level[arrow.target]:
                    found |= {(state, t) for t in steps[:longest] if t > 1}
        return found if any(abs(a.delay) > 1 for a in group.later) else set()

    def way_home(self, arrow: Arrow) -> str:
        """The id of an arrow of the columns in the circuit."""
        id = way_home(in_circuit(arrow, self.line))
        return self.homes.get(id, id)

    def names(self, arrow: Arrow, part: str = UNFOLDED) -> tuple[str, ...]:
        """The parameters on an arrow and all that it stands for."""
        return names_on(self.of(part).parts.get(arrow, [arrow]))

    def width(self, names: tuple[str, ...]) -> float:
        """How wide the letters on an arrow are."""
        return extent(self.letters(names))[0]

    def letters(self, names: tuple[str, ...]) -> Lines:
        """The letters of parameters, where arrows have any."""
        return label_of(self.chart, names) if self.how.labels else ()

    def _settle(self) -> None:
        """Heights of rows and tracks, forms, ports and widths, until they agree."""
        grid = self.grid
        every = [c for columns in self.columns.values() for c in columns]
        ys = [72.0 * row for row in range(grid.count)]
        before: Any = None
        for _ in range(5):
            for column in every:
                column.choose(ys)
            zones, ys = self._heights(every)
            for column in every:
                column.zones = zones
                column.choose(ys)
                column.settle()
            found = ys, zones, [(c.lane, c.pitch, c.loops) for c in every]
            if found == before:
                break
            before = found
        self.ys = ys

    def _heights(self, every: list[Column]) -> tuple[list[float], list[float]]:
        """How far below its row each first track lies, and the rows themselves."""
        level = self.grid.level
        rails: dict[int, dict[Any, None]] = defaultdict(dict)
        for net in (n for nets in self.crossing.values() for n in nets):
            if net.kind == "rail":
                rails[level[net.arrows[0].target]][net] = None
        for name, target, _ in self.buses:
            rails[level[target]][name, level[target]] = None
        ys, zones = [0.0], []
        for row in range(self.grid.count):
            lettered = any(c.lettered(row) for c in every)
            zones.append(LETTERED if lettered else BARE)
            local = max(len(c.tracks.get(row, ())) for c in every)
            if row:
                tracks = local + len(rails[row])
                room = tracks * TRACK + (16.0 if lettered else -4.0) if tracks else 0.0
                buses = any(not isinstance(name, Net) for name in rails[row])
                room += 16.0 * (buses and any(c.passing(row) for c in every))
                room += max(c.needs(row) for c in every) + 0.7 * self.wider
                base = GAP_CLOSE if row in self.grid.close else GAP_ROW
                ys.append(ys[-1] + base + room)
            for number, name in enumerate(rails[row], local):
                self.below[name] = ys[row] - RADIUS - zones[row] - TRACK * number
        return zones, ys

    def y(self, key: str) -> float:
        """The y of a symbol."""
        return self.ys[self.grid.level[key]]

    def bus(self, name: str, target: str) -> float:
        """The y of the track of a parameter."""
        return self.below[name, self.grid.level[target]]

    def column(self, part: str, key: str) -> Column:
        """The column that a symbol belongs to."""
        return self.columns[part][self.of(part).of[key]]

    def seat(self, part: str, key: str, t: Step) -> str:
        """The id of a circle of the circuit, or of the columns."""
        return home(key) if part == FOLDED else self.chart.seat(key, t)

    def called(self, part: str, key: str, t: Step = None) -> str:
        """A value as the figure writes it, at a step."""
        index = self.how.index
        there = t is not None and (t > 0 or bool(index))
        at = (index.get(t or 0, "…") if index else str(t)) if there else ""
        return called(self.of(part).chart, key, at)

    def circles(self, part: str, key: str) -> Iterator[tuple[Step, Node, float]]:
        """The circles of a symbol: step, node, and the middle of its column."""
        g = self.of(part).of.get(key)
        steps, xs = ((None,), (0.0,)) if g is None else self.shown[part][g]
        for t, x in zip(steps, xs, strict=True):
            node = self.sheet.nodes.get(self.seat(part, key, t))
            if node is not None:
                yield t, node, x

    def circle(
        self,
        symbol: Symbol,
        id: str,
        x: float,
        y: float,
        part: str,
        label: Line | None = None,
        below: Lines = (),
        **details: Any,
    ) -> None:
        """Draw the circle of a symbol; ``below`` is a second line of its label."""
        lines, wide = enclosed(label or symbol.label, RADIUS, below)
        length = self.chart.lengths[symbol.clock] if symbol.clock is not None else 0
        t = details.get("t")
        shape = "circle" if wide == 2 * RADIUS else "oval"
        about: dict[str, Any] = {
            "kind": symbol.kind,
            "title": symbol.title,
            "name": symbol.name or symbol.key,
            "role": symbol.key,
            "last": t - length if t and length else None,
            "dashed": symbol.kind == "initial",
            "home": home(symbol.line or symbol.key),
            "part": part,
        }
        about |= details
        self.sheet.add(Node(id, x, y, wide, 2 * RADIUS, lines, shape, **about))

    def say(self, words: str, word: str) -> None:
        """Write a faint line below everything."""
        left, low, right, _ = self.sheet.bounds
        lines = note(words, 12.0)
        at = (left + right) / 2, low - 14.0
        self.sheet.write(*at, lines, "faint", word=word)

    def scene(self, caption: str | None, recorded: tuple[int, ...]) -> Scene:
        """The finished scene; ``recorded`` has the lengths of the record's loops."""
        length = recorded if self.how.index else self.chart.lengths
        details = {"recorded": recorded, "unread": tuple(self.unread)}
        return self.sheet.scene(caption, length=length, **details)

    # ---------------------------------------------------------------------- emission

    def emit(
        self, instances: Iterable[Instance], part: str, cut: Cut | None = None
    ) -> list[float]:
        """Draw instances; returns the heights at which the cut meets them."""
        nets: dict[Any, list[Instance]] = defaultdict(list)
        for number, one in enumerate(instances):
            nets[one.net or number].append(one)
        levels: list[float] = []
        for sisters in nets.values():
            across = [s for s in sisters if s.across]
            left = [s for s in across if s.covers]
            right = [replace(s, covers=s.into) for s in across if s.into]
            self._draw([s for s in sisters if not s.across], part, cut, None, levels)
            self._draw(left, part, cut, 0, levels)
            self._draw(right, part, cut, 1, levels)
        return levels

    def _draw(
        self,
        sisters: list[Instance],
        part: str,
        cut: Cut | None,
        half: int | None,
        levels: list[float],
    ) -> None:
        """Draw sisters, each from where it leaves those before it."""
        alike = len({s.names for s in sisters}) == 1
        edges = self.sheet.edges
        trunk = len(edges)
        for i, one in enumerate(sisters):
            after = max([one.way.shared(s.way) for s in sisters[:i]], default=0.0)
            others = [s for s in sisters if s.names != one.names]
            mine = max([one.way.shared(s.way) for s in others], default=0.0)
            curve, own = one.way.curve(after), one.way.own(after if alike else mine)
            letters = self.letters(one.names) if not alike or not i else ()
            ends = one.tail, one.tip
            if cut is not None and half is None and curve[0][0] > cut.x:
                curve, own = moved(curve), moved(own)
            if cut is not None and half is not None:
                left, right, level = halves(curve, cut)
                kept = (left, right)[half]
                if not kept:
                    if len(edges) > trunk:  # its trunk is that of the first sister
                        both = (*edges[trunk].covers, *one.covers)
                        edges[trunk] = replace(edges[trunk], covers=both)
                    continue
                forward = one.way.curve()[0][0] < one.way.curve()[-1][0]
                ends = (one.tail, "") if forward == (half == 0) else ("", one.tip)
                curve, own = kept, halves(own, cut)[:2][half]
                levels += [] if level is None else [level]
                letters = letters if has_room(own, letters) else ()
            details = {
                "own": own or curve,
                "head": bool(ends[1]),
                "net": one.net if len(sisters) > 1 else None,
                "kind": self.how.edge_kind,
                "part": part,
                "parameters": one.names,
                "delay": one.arrow.delay,
                "home": self.way_home(one.arrow),
                "covers": one.covers,
            }
            self.sheet.connect(*ends, curve, letters, **{**details, **one.details})


def _unmet(grid: Grid, group: Group) -> list[Arrow]:
    """The arrows that starts stand in for where no step reads another one: T = 1."""
    met = {(a.source, a.target) for a in group.later}
    found = {}
    for a in (a for a in grid.initial if a.target in group.keys):
        state, offset = grid.stand[a.source]
        if state in group.keys and (state, a.target) not in met:
            delay = 1 if offset < 0 else -1
            found[state, a.target] = Arrow(
                state, a.target, delay=delay, labels=a.labels
            )
    return list(found.values())
