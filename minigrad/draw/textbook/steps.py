"""The columns of one group: circles, stand-ins, arrows, and the cut in the middle.

Vocabulary
    slot     a place for a column; those that are shown are laid out side by side, and
             the drawing is cut where steps are left out; values without time have one
    rim      with letters for steps: a dashed circle for what lies before the first
             column or after the last
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from minigrad.draw.page.curves import toward
from minigrad.draw.page.letters import indexed, note
from minigrad.draw.page.scene import Node
from minigrad.draw.textbook.chart import (
    Arrow,
    Pair,
    StandIn,
    Step,
    Symbol,
    names_on,
    reads,
    steps_of,
)
from minigrad.draw.textbook.columns import RADIUS, USUAL, Shown, visible
from minigrad.draw.textbook.cut import Cut, heights_of_dots
from minigrad.draw.textbook.drawing import UNFOLDED, Drawing, Instance
from minigrad.draw.textbook.marks import in_words
from minigrad.draw.textbook.nested import draw_frames
from minigrad.draw.textbook.ways import Way, way_of

DOT, APART, BESIDE, COUNT = 4.5, 10.0, 44.0, 68.0
FEW, WIDE, WIDER = 4, 150.0, 230.0
MOST = 2 * USUAL  # columns that are drawn to show where a start is read


class GroupColumns:
    """The columns of a group, from ``left`` on."""

    def __init__(self, drawing: Drawing, number: int, left: float) -> None:
        self.drawing, self.chart, self.number = drawing, drawing.chart, number
        self.column = column = drawing.columns[UNFOLDED][number]
        self.left, self.keys = left, column.group.keys
        self.clock = clock = column.group.clock
        self.length = 0 if clock is None else self.chart.lengths[clock]
        self.index = drawing.how.index
        shown = [] if clock is None else self._shown()
        self.gap = shown.index(None) if None in shown else None
        self.kept: list[Any] = [t for t in shown if t is not None] or [None]
        self.stand = self._rims() if self.index else self._begun()
        self.starts = {} if self.index else self._starts()
        read = {key for key, *_ in self.starts}
        for key in [] if self.index else [k for k in self.stand if k not in read]:
            leads = [a.target for a in self.chart.arrows if a.source == key]
            if {*leads} <= {*self.keys}:  # only steps that are left out read it
                del self.stand[key]
                drawing.unread.append(key)
        self.reach = max(50.0, column.pitch - (column.right - column.left))
        self.x_of: dict[str, float] = {}
        symbols = drawing.grid.chart.symbols
        self.dots = {s.key: s for s in symbols if s.kind == "dot"}
        self.begin = {s.key for s in symbols if s.begins}

    def _shown(self) -> list[int | None]:
        """The steps to draw: fewer where columns are wide; all, if few are hidden."""
        if self.index:
            first, second, last = self.index
            return [first, second, *([None] * (last > second + 1)), last]
        many = sum(g.clock is not None for g in self.drawing.grid.groups) > 1
        steps, pitch = self.drawing.steps, self.column.pitch
        if steps is None:
            steps = 3 if pitch > WIDER else FEW if pitch > WIDE else USUAL
            steps = min(steps, FEW) if many and self.length > USUAL else steps
            tried = range(steps, MOST + 1)
            clear = (k for k in tried if not self._unread(self._visible(k)))
            steps = next(clear, steps)
        shown = self._visible(steps)
        hidden = self.length - len(shown) + 1
        every = hidden < self._longest()
        return visible(self.length, self.length) if every else shown

    def _visible(self, steps: int) -> list[int | None]:
        """So many steps, of those at which something is."""
        chart = self.drawing.grid.chart
        there = {t for key in self.keys for t in chart.steps(key)}
        shown = visible(self.length, steps, sorted(filter(None, there)))
        if len(shown) > 2 * steps + 3:  # nearly all of them are empty
            return visible(self.length, steps)
        return shown

    def _unread(self, shown: Sequence[int | None]) -> bool:
        """Whether a start is read by no step that is shown on its side of the gap."""
        if None not in shown:
            return False
        gap = shown.index(None)
        met: dict[str, set[Step]] = defaultdict(set)
        for a in self.drawing.grid.initial:
            if a.target in self.keys:
                ahead = self.drawing.grid.stand[a.source].offset < 0
                near = shown[:gap] if ahead else shown[gap:]
                met[a.source] |= {*near} & {*steps_of(self.chart, a)}
        return not all(met.values())

    def _longest(self) -> int:
        """The longest delay."""
        return max([1, *(abs(a.delay) for a in self.column.later)])

    def _begun(self) -> dict[str, StandIn]:
        """What stands for states of this group before the first step, or past T."""
        found = self.drawing.grid.stand.items()
        here = {key: stand for key, stand in found if stand.state in self.keys}
        return {k: s for k, s in here.items() if s.offset > 0 or self.gap != 0}

    def _rims(self) -> dict[str, StandIn]:
        """With letters for steps: where a dashed circle stands for more of a state."""
        found = {}
        for a in self.column.later:
            side = 1 if a.delay > 0 else -1
            found[_rim(a.source, side)] = StandIn(a.source, -side)
            if self.gap is None:
                found[_rim(a.target, -side)] = StandIn(a.target, side)
        return found

    def draw(self) -> float:
        """Draw all columns; returns the x after them."""
        column, ports = self.column, self.column.ports
        before, after = (
            [key for key, s in self.stand.items() if s.offset * side > 0]
            for side in (-1, 1)
        )
        self.far = self._places()
        wide = 2 * column.reach + self._reach_of(before) if before else 0.0
        wide += column.pitch * max((self.far[key] for key in before), default=0)
        wide += self._start_width()
        self.first = self.left + wide - min(column.left, ports.outer[-1])
        self.slots = [self.first + i * column.pitch for i in range(len(self.kept))]
        self.cut = self._cut()
        if self.gap == 0 and self.cut:  # nothing but the count of steps is before it
            by = self.left + COUNT / 2 - self.cut.middle
            self.slots = [x + by for x in self.slots]
            self.cut = self._cut()
        self.move = self.cut.moved if self.cut else float
        shown = Shown(tuple(self.kept), tuple(map(self.move, self.slots)))
        self.drawing.shown[UNFOLDED][self.number] = shown
        self._circles()
        self._stand_ins(before, after)
        levels = self.drawing.emit(self._instances(), UNFOLDED, self.cut)
        for t in self.kept:
            draw_frames(self.drawing, UNFOLDED, self._at(t))
        if self.cut:
            self._dots(levels, self.cut.middle)
        end = shown.xs[-1] + max(column.right, ports.outer[1])
        if after:
            end += self._reach_of(after) + 2 * column.reach
            end += column.pitch * max(self.far[key] for key in after)
        room = 22 if self.clock is None else 16
        return end + max(BESIDE, ports.inner[1] + room)

    def _reach_of(self, stand: list[str]) -> float:
        """The room between stand-ins and the columns, for the letters of arrows."""
        wide = [
            self.drawing.width(names)
            for (key, *_), (names, _, _) in self.starts.items()
            if key in stand
        ]
        return max([self.reach, *(w + 30 + 2 * self.column.wider for w in wide)])

    def _start_width(self) -> float:
        """The room for what starts are computed from, left of the stand-ins."""
        here = self.drawing.grid.given_keys if self.stand else ()
        return len(here) * (2 * RADIUS + BESIDE)

    def _cut(self) -> Cut | None:
        if self.gap is None:
            return None
        column, outer = self.column, self.column.ports.outer
        right, left = max(column.right, outer[1]), min(column.left, outer[-1])
        rim, between = self._slot(self.gap - 1) + right, column.pitch - (right - left)
        if any(net.kind == "time" for net in column.nets):
            return Cut(rim + 6, 24.0, 8.0)
        half = max(16.0, 30 - between / 2)
        return Cut(rim + max(6.0, between / 2), half, half)

    def _circles(self) -> None:
        drawing, column, chart = self.drawing, self.column, self.drawing.grid.chart
        for key in self.keys:
            symbol = chart.symbol(key)
            exists = chart.steps(key)
            for x, t in zip(self.slots, self.kept, strict=True):
                if t not in exists:
                    continue
                if key in self.dots:
                    self._turns_left_out(symbol, self.move(x + column.x(key)), t)
                    continue
                details: dict[str, Any] = {}
                if t is not None:
                    said = symbol.index(self.index[t] if self.index else str(t))
                    details = {"t": t, "label": indexed(symbol.label, said)}
                    details["title"] = f"{symbol.title} · step {said}"
                drawing.circle(
                    symbol,
                    self.chart.seat(key, t),
                    self.move(x + column.x(key)),
                    drawing.y(key),
                    UNFOLDED,
                    below=drawing.how.below(key, t or 0),
                    **{**details, **drawing.how.look(key, t or 0)},
                )

    def _turns_left_out(self, symbol: Symbol, x: float, t: Step) -> None:
        """Three dots for turns that are left out; below the lowest, how many."""
        sheet, y = self.drawing.sheet, self.drawing.y(symbol.key)
        self._three_dots(f"dots {symbol.key}@{t}", x, y)
        alike = [s for s in self.dots.values() if s.turn == symbol.turn]
        alike = [s for s in alike if s.loops == symbol.loops]
        if symbol is min(alike, key=lambda s: self.drawing.y(s.key)):
            words = note(symbol.title)
            sheet.write(x, y - 18, words, "faint", UNFOLDED, word="more steps")

    # -------------------------------------------------------------------- stand-ins

    def _places(self) -> dict[str, int]:
        """How many columns further out than the nearest one a stand-in stands."""
        taken: dict[tuple[int, int], str] = {}
        for key, (state, offset) in self.stand.items():
            level, side = self.column.level[state], 1 if offset > 0 else -1
            while (level, offset) in taken:
                offset += side
            taken[level, offset] = key
        places = sorted(taken, key=lambda place: abs(place[1]))
        row = Counter[tuple[int, bool]]()  # each row is as long as it must be
        far = {}
        for level, offset in places:
            far[taken[level, offset]] = row[level, offset > 0]
            row[level, offset > 0] += 1
        return far

    def _stand_ins(self, before: list[str], after: list[str]) -> None:
        """Dashed circles beside the columns, of earlier steps further out."""
        drawing, column = self.drawing, self.column
        for key in (*before, *after):
            state, offset = self.stand[key]
            side = 1 if offset > 0 else -1
            far = self._reach_of(before if side < 0 else after) + column.reach
            far += self.far[key] * column.pitch
            edge = column.right if side > 0 else column.left
            x = (self.slots[-1] if side > 0 else self.first) + edge + side * far
            self.x_of[key] = x
            symbol = self.chart.symbol(state if self.index else key)
            rim = indexed(symbol.label, symbol.index("…")) if self.index else None
            drawing.circle(
                symbol, key, self.move(x), drawing.y(state), UNFOLDED, rim,
                kind="initial", dashed=True, t=None if self.index else 0,
            )  # fmt: skip

    def _starts(self) -> dict[tuple[str, str, int], tuple[Any, Arrow, int]]:
        """What is read of each stand-in: by which circle, which parameters, which slot.

        The key has the delay that the stand-in stands in for.
        """
        found: dict[tuple[str, str, int], tuple[Any, Arrow, int]] = {}
        for a in self.drawing.grid.initial:
            if a.source not in self.stand or a.target not in self.keys:
                continue
            ahead = self.stand[a.source].offset < 0
            for t in steps_of(self.chart, a):
                slot = self.kept.index(t) if t in self.kept else None
                if slot is None or (self.gap and ahead != (slot < self.gap)):
                    continue
                offset = self.stand[a.source].offset
                delay = slot - offset - (0 if ahead else len(self.kept) - 1)
                names, _, _ = found.get((a.source, a.target, delay), ((), a, slot))
                names = tuple(dict.fromkeys((*names, *a.labels)))
                found[a.source, a.target, delay] = names, a, slot
        return found

    def _like(self, state: str, target: str, delay: int) -> Arrow | None:
        """The arrow whose form a start takes: that of the delay that it stands for."""
        column = self.column
        same = [a for a in column.later if (a.source, a.target) == (state, target)]
        level = column.level[state] == column.level[target]
        exact = next((a for a in same if a.delay == delay), None)
        if exact is None and abs(delay) > 1 and level:
            exact = Arrow(state, target, delay=delay)
            column.form[exact] = "arc"
        return exact or (same[0] if same and abs(delay) == 1 else None)

    # -------------------------------------------------------------------- instances

    def _instances(self) -> Iterator[Instance]:
        for (key, target, delay), (names, a, slot) in self.starts.items():
            like = self._like(self.stand[key].state, target, delay)
            yield self._over_the_rim(
                a, like, key, slot, names, True, delay=0, home="",
                title=self._title(a, None, self.kept[slot], names),
                covers=((key, self.chart.seat(target, self.kept[slot])),),
            )  # fmt: skip
        n = len(self.kept)
        for a in (*self.column.now, *self.column.later):
            parts = self.drawing.grid.parts.get(a, ())
            at = [(part, {t for t, _ in reads(self.chart, part)}) for part in parts]
            for q in range(min(0, a.delay), n + max(0, a.delay)):
                p = q - a.delay
                if (0 <= p < n and 0 <= q < n) or self._crosses(p, q):
                    yield from self._inner(a, at, p, q)
                elif self.index and (0 <= p < n or 0 <= q < n):
                    yield from self._at_the_rim(a, p, q)

    def _inner(
        self, a: Arrow, at: list[tuple[Arrow, set[Step]]], p: int, q: int
    ) -> Iterator[Instance]:
        """The instance of an arrow between two slots, if it is there."""
        chart, column, nodes = self.chart, self.column, self.drawing.sheet.nodes
        across = self._crosses(p, q)
        ends = [
            self._ends(a, slot, slot == p != q)
            for slot in (sorted((p, q)) if across else (q,))
        ]
        held = [[part for part, steps in at if end in steps] for end, _ in ends]
        tail, tip = self._seat_at(a.source, p), self._seat_at(a.target, q)
        if not any(held) or (tail and not across and tail not in nodes):
            return
        xs, xt = self._slot(p) + column.x(a.source), self._slot(q) + column.x(a.target)
        way = way_of(column, a, xs, xt, self._slot(p), p % max(1, abs(a.delay)))
        pairs: list[tuple[Pair, ...]] = [
            # A part may say by another arrow what this one says already.
            (
                *dict.fromkeys(
                    (chart.seat(part.source, back), chart.seat(part.target, end))
                    for part in here
                ),
            )
            for (end, back), here in zip(ends, held, strict=True)
        ]
        names = names_on(part for here in held for part in here)
        trunk = column.trunk(a, tail)
        seen = next(end for end, here in zip(ends, held, strict=True) if here)
        title = self._title(a, seen[1], seen[0], names)
        into = pairs[1] if across else ()
        details = {"title": title, "dashed": a.source in self.begin}
        yield Instance(a, tail, tip, way, names, pairs[0], into, across, trunk, details)

    def _title(
        self, a: Arrow, source: Step, target: Step, names: tuple[str, ...]
    ) -> str:
        called = self.drawing.called
        ends = called(UNFOLDED, a.source, source), called(UNFOLDED, a.target, target)
        return in_words(*ends, names)

    def _crosses(self, p: int, q: int) -> bool:
        """Whether what leads from slot to slot crosses the cut."""
        return self.gap is not None and min(p, q) < self.gap <= max(p, q)

    def _slot(self, slot: int) -> float:
        """The middle of a slot, shown or not, before the cut."""
        return self.slots[0] + slot * self.column.pitch

    def _ends(self, a: Arrow, slot: int, source: bool) -> tuple[Step, Step]:
        """The steps of the target and source of an arrow at a slot; 0 if not shown."""
        if not 0 <= slot < len(self.kept):
            return 0, 0
        t = self.kept[slot]
        if t is None:
            return None, None
        return (t + a.delay, t) if source else (t, t - a.delay)

    def _seat_at(self, key: str, slot: int) -> str:
        """The id of the circle in a slot, or of none there."""
        shown = 0 <= slot < len(self.kept)
        return self._seat(key, self.kept[slot]) if shown else f"{key}@…{slot}"

    def _seat(self, key: str, t: Step) -> str:
        """The id of a circle, "" for dots."""
        return "" if key in self.dots else self.chart.seat(key, t)

    def _at(self, t: Step) -> dict[str, Node]:
        """The circles of a column."""
        nodes = self.drawing.sheet.nodes
        ids = {key: self._seat(key, t) for key in self.keys}
        return {key: nodes[id] for key, id in ids.items() if id in nodes}

    def _at_the_rim(self, a: Arrow, p: int, q: int) -> Iterator[Instance]:
        """With letters for steps: from what lies before, or to what lies after."""
        inward = 0 <= q < len(self.kept)
        side = 1 if a.delay > 0 else -1
        key = _rim(a.source, side) if inward else _rim(a.target, -side)
        slot = q if inward else p
        seat = self.chart.seat(a.target if inward else a.source, self.kept[slot])
        if key in self.x_of and seat in self.drawing.sheet.nodes:
            names, t = self.drawing.names(a), self.kept[slot]
            before, after = (0, t) if inward else (t, 0)
            title = self._title(a, before, after, names)
            yield self._over_the_rim(a, a, key, slot, names, inward, title=title)

    def _over_the_rim(
        self,
        a: Arrow,
        like: Arrow | None,
        key: str,
        slot: int,
        names: tuple[str, ...],
        inward: bool,
        covers: tuple[Pair, ...] = (),
        **details: Any,
    ) -> Instance:
        """An arrow between a column and the circle of what is before or after all."""
        column, y = self.column, self.drawing.y
        here = a.target if inward else a.source
        seat = self.chart.seat(here, self.kept[slot])
        base, x = self.slots[slot], self.slots[slot] + column.x(here)
        xs, xt = (self.x_of[key], x) if inward else (x, self.x_of[key])
        tail, tip = (key, seat) if inward else (seat, key)
        net = None
        if like is None:
            start, end = (xs, y(self.stand[key].state)), (xt, y(a.target))
            way = Way((toward(start, end, RADIUS), toward(end, start, RADIUS)))
        else:
            if inward:
                by = column.pitch * (self.far[key] + 1)
                base = self.first - by if like.delay > 0 else self.slots[-1] + by
                slot = -1 - self.far[key]
            way = way_of(column, like, xs, xt, base, slot % max(1, abs(like.delay)))
            net = f"{tail}/{like.delay}" if column.form[like] == "net" else None
        details["dashed"] = True
        return Instance(a, tail, tip, way, names, covers, net=net, details=details)

    def _dots(self, levels: list[float], x: float) -> None:
        """Three dots on each recurrence in the gap, and how many steps that hides."""
        sheet, ys = self.drawing.sheet, self.drawing.ys
        # Without any, in a row: tracks run in the gaps between rows.
        heights = heights_of_dots(levels) or [ys[len(ys) // 2]]
        for y in heights:
            self._three_dots(f"dots {self.clock} {y:g}", x, y)
        if not self.index:
            hidden = self.length - len(self.kept)
            words = note(f"{hidden} more step{'s' if hidden > 1 else ''}")
            y = self._between_tracks(heights)
            sheet.write(x, y, words, "faint", UNFOLDED, word="more steps")

    def _between_tracks(self, heights: list[float]) -> float:
        """Below dots, or above, where no parameter's track and no other dots are."""
        drawing, how = self.drawing, self.drawing.how
        tracks = {
            drawing.bus(weight.name, target)
            for weight in (*how.weights, *how.reserve)
            for target in weight.targets
        }
        options = [y + side * 18 for side in (-1, 1) for y in heights]
        taken = (*tracks, *heights)
        free = (y for y in options if all(abs(y - other) > 9 for other in taken))
        return next(free, options[0])

    def _three_dots(self, id: str, x: float, y: float) -> None:
        for k in (-1, 0, 1):
            at = x + k * APART, y, DOT, DOT
            dot = Node(f"{id} {k}", *at, (), "dot", "dot", part=UNFOLDED)
            self.drawing.sheet.add(dot)


def _rim(key: str, side: int) -> str:
    """The id of the circle that stands for a value before (1) or after all columns."""
    return f"{key}@… {side}"
