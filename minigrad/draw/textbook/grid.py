"""Where circles stand: groups side by side, rows by depth, places within a row.

Vocabulary
    group    what shares a column: the values of one loop, or values without time that
             stand before a loop, after all of them, or alone
    row      the longest path over arrows within a step; all groups share the rows
    level    a row, or one of the rows that states of one depth are spread over, so that
             their arrows through time run level
    place    a multiple of half a lane to the left or right of the column's middle

>>> from minigrad.draw.textbook.chart import Arrow, Chart, Symbol
>>> s, x = Symbol("s", (), clock=0), Symbol("x", (), "input", 0, leaf=True)
>>> grid = Grid(Chart((x, s), (Arrow("x", "s"), Arrow("s", "s", delay=1)), (3,)))
>>> grid.level, grid.place
({'x': 0, 's': 1}, {'x': 0.0, 's': 0.0})
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from minigrad.draw.textbook.chart import Arrow, Chart, Symbol, outside
from minigrad.draw.textbook.lanes import places
from minigrad.draw.textbook.nested import Parts, at_once, borders, spread

# How many lanes what stands beside a frame is off the circles in it, where those have
# round loops.
LOOP_ROOM = 2.5
# Of more losses than this a sum has targets above it, not beside it.
MANY = 3


@dataclass(frozen=True)
class Group:
    """Values that share a column, and the arrows among them."""

    clock: int | None
    keys: tuple[str, ...]
    now: tuple[Arrow, ...] = ()
    later: tuple[Arrow, ...] = ()


class Grid:
    """The groups from left to right, and the level and place of every symbol.

    ``between`` are the arrows from group to group, ``initial`` those from a stand-in,
    ``given`` those that lead to one; ``close`` are the levels that stand nearer to the
    one below, ``borders`` those right above borders of frames. Of arrows between two
    circles with one delay a group has the first, for all of its ``parts``. Columns have
    the levels of their ``circuit``.
    """

    def __init__(
        self, chart: Chart, parts: Parts | None = None, circuit: "Grid | None" = None
    ) -> None:
        self.chart = chart
        self.stand = {s.key: s.stands_for for s in chart.symbols if s.stands_for}
        self.outside = outside(chart)
        self.given_keys = self.outside - self.stand.keys()
        members = self._members()
        self.of = {key: g for g, keys in enumerate(members.values()) for key in keys}
        now: dict[int, list[Arrow]] = defaultdict(list)
        later: dict[int, list[Arrow]] = defaultdict(list)
        self.between: list[Arrow] = []
        self.initial: list[Arrow] = []
        self.given: list[Arrow] = []
        self.parts: dict[Arrow, list[Arrow]] = {}
        first: dict[tuple[str, str, int, int], Arrow] = {}
        for arrow in chart.arrows:
            whole = (parts or {}).get(arrow, [arrow])
            ends = self.of.get(arrow.source), self.of.get(arrow.target)
            if arrow.source in self.stand:
                self.initial.append(arrow)
            elif ends[0] is None or ends[1] is None:
                self.given.append(arrow)
            elif ends[0] == ends[1] and arrow.kind in ("delay", "plain"):
                link = arrow.source, arrow.target, arrow.delay, arrow.turns
                if first.setdefault(link, arrow) is arrow:
                    (later if arrow.delay else now)[ends[0]].append(arrow)
                self.parts.setdefault(first[link], []).extend(whole)
            else:
                self.between.append(arrow)
                self.parts[arrow] = list(whole)
        self.groups = [
            Group(clock, tuple(keys), tuple(now[g]), tuple(later[g]))
            for g, ((clock, _), keys) in enumerate(members.items())
        ]
        self.place: dict[str, float] = {}
        self.level: dict[str, int] = {}
        self.close: set[int] = set()
        self.count = 1
        if circuit is not None:
            self._like(circuit)
            return
        self._levels(self._depths())
        self.borders = borders(chart.symbols, self.level)
        for group in self.groups:
            self.place |= places(group.keys, self.level, group.now, group.later)
        self.bare = dict(self.place)
        if self.borders:
            self._spread(self.bare, at_once(chart.symbols), LOOP_ROOM)

    def _like(self, circuit: "Grid") -> None:
        """Take the levels of the circuit, and its places for turns side by side."""
        self.level = dict(circuit.level)
        self.close, self.count = circuit.close, circuit.count
        self.borders = circuit.borders
        for s in self.chart.symbols:
            self.level[s.key] = circuit.level[s.line or s.key]
        self._spread(circuit.bare, self.chart.symbols, 1.0)

    def _spread(
        self, bare: dict[str, float], symbols: Sequence[Symbol], beside: float
    ) -> None:
        """Places for turns side by side, and all else outside of their frames."""
        for group in self.groups:
            here = [s for s in symbols if s.key in group.keys]
            self.place |= spread(here, group.now, self.level, bare, beside)

    def _members(self) -> dict[tuple[int | None, int], list[str]]:
        """The keys of each group, by its clock and the loop that it stands before."""
        chart, last = self.chart, len(self.chart.lengths)
        first: dict[str, int] = {}
        for symbol in reversed(chart.symbols):
            if symbol.clock is not None:
                first[symbol.key] = symbol.clock
                continue
            reads = [a.target for a in chart.arrows if a.source == symbol.key]
            first[symbol.key] = min((first.get(t, last) for t in reads), default=last)
        found: dict[tuple[int, bool], list[str]] = defaultdict(list)
        for s in chart.symbols:
            if s.key not in self.outside and s.key not in self.stand:
                found[first[s.key], s.clock is not None].append(s.key)
        return {(c if own else None, c): found[c, own] for c, own in sorted(found)}

    @property
    def _flow(self) -> list[Arrow]:
        """The arrows that lead upwards."""
        across = [
            a
            for a in self.between
            if not starts_a_loop(self.chart, a)
            and not (a.delay and self.of[a.source] == self.of[a.target])
        ]
        within = [a for group in self.groups for a in group.now]
        return [a for a in within if not self.chart.symbol(a.source).begins] + across

    def _depths(self) -> dict[str, int]:
        """Longest paths; inputs sink to their consumer, a target rises above its loss.

        What no path of this step leads to, as a state of the past alone, stands above
        the inputs all the same.
        """
        symbols = {
            s.key: s for s in self.chart.symbols if s.key in self.of and not s.begins
        }
        into: dict[str, list[str]] = {key: [] for key in symbols}
        out: dict[str, list[str]] = {key: [] for key in symbols}
        for arrow in self._flow:
            if arrow.source != arrow.target:
                into[arrow.target].append(arrow.source)
                out[arrow.source].append(arrow.target)
        lifted = any(s.leaf and s.kind != "target" for s in symbols.values())
        depth: dict[str, int] = {}
        waiting = {key: len(sources) for key, sources in into.items()}
        ready = [key for key in symbols if not waiting[key]]
        for key in ready:
            floor = int(lifted and not symbols[key].leaf)
            depth[key] = max([floor, *(depth[s] + 1 for s in into[key])])
            for target in out[key]:
                waiting[target] -= 1
                if not waiting[target]:
                    ready.append(target)
        for key, symbol in symbols.items():
            depth.setdefault(key, 0)
            if symbol.leaf and symbol.kind != "target" and out[key]:
                depth[key] = min(depth[t] for t in out[key]) - 1
        for key, symbol in symbols.items():
            losses = [t for t in out[key] if symbols[t].kind == "loss"]
            if symbol.kind == "target" and losses:
                depth[key] = max(depth[t] for t in losses) + 1
                summed = {t for loss in losses for t in out[loss]}
                if any(len(into[t]) > MANY and depth[t] == depth[key] for t in summed):
                    depth[key] += 1  # among many arrows there is no place for it
                for target in out[key]:
                    # What the next step reads of it, in teacher forcing.
                    if target not in losses and into[target] == [key]:
                        depth[target] = depth[key] + 1
        order = {d: i for i, d in enumerate(sorted(set(depth.values())))}
        return {key: order[d] for key, d in depth.items()}

    def _levels(self, depth: dict[str, int]) -> None:
        """Spread the states of one depth over levels of their own."""
        states = {stand.state for stand in self.stand.values()}
        for a in (a for group in self.groups for a in group.later):
            if depth[a.source] == depth[a.target]:
                states |= {a.source, a.target}
        bottom = 0
        for d in sorted(set(depth.values())):
            most = 1
            for group in self.groups:
                here = [key for key in group.keys if depth.get(key) == d]
                spread = {k: i for i, k in enumerate(k for k in here if k in states)}
                self.level |= {key: bottom + spread.get(key, 0) for key in here}
                most = max(most, len(spread))
            self.close |= set(range(bottom + 1, bottom + most))
            bottom += most
        for key, stand in self.stand.items():
            self.level[key] = self.level[stand.state]
        for s in (s for s in self.chart.symbols if s.begins and s.key in self.of):
            self.level[s.key] = self.level[s.begins]
        for key in [s.key for s in reversed(self.chart.symbols)]:
            if key in self.outside and key not in self.level:
                target = next(a.target for a in self.given if a.source == key)
                self.level[key] = self.level[target]
        self.count = max(bottom, 1)


def starts_a_loop(chart: Chart, arrow: Arrow) -> bool:
    """Whether an arrow hands the last state of one loop to one step of another."""
    timed = chart.symbol(arrow.target).clock is not None
    return arrow.kind == "pick" and timed and arrow.span.first == arrow.span.last
