"""The columns of one loop: circles, stand-ins, arrows, and the cut in the middle.

Vocabulary
    slot     a place for a column; those that are shown are laid out side by side, and
             the drawing is cut where steps are left out
    rim      with letters for steps: a dashed circle for what lies before the first
             column or after the last
"""

from collections import defaultdict
from typing import Any

from minigrad.draw.page.letters import indexed, note
from minigrad.draw.page.scene import Node
from minigrad.draw.textbook.chart import Arrow, Pair, StandIn, Symbol, steps_of
from minigrad.draw.textbook.column import Column
from minigrad.draw.textbook.columns import RADIUS, USUAL, Loop, Unfolded, visible
from minigrad.draw.textbook.cut import Cut, heights_of_dots
from minigrad.draw.textbook.drawing import UNFOLDED, Drawing, Instance
from minigrad.draw.textbook.marks import circle, in_words
from minigrad.draw.textbook.nested import draw_frames
from minigrad.draw.textbook.ways import Way, way_of

DOT, APART, BESIDE = 4.5, 10.0, 44.0
FEW, WIDE, WIDER = 4, 150.0, 230.0


class LoopColumns:
    """The columns of one loop."""

    def __init__(
        self, drawing: Drawing, clock: int, column: Column, left: float
    ) -> None:
        self.drawing, self.clock, self.column = drawing, clock, column
        self.chart, self.left = drawing.chart, left
        self.length = self.chart.lengths[clock]
        index = drawing.how.index
        shown = self._shown() if index is None else _around(list(index))
        self.shown = shown
        self.kept = [t for t in shown if t is not None]
        self.gap = shown.index(None) if None in shown else None
        stand = [
            (key, s)
            for key, s in drawing.grid.stand.items()
            if drawing.grid.of.get(s.state) == drawing.columns[UNFOLDED].index(column)
        ]
        self.stand = dict(stand) if index is None else self._rims()
        self.reach = max(50.0, column.pitch - (column.right - column.left))
        self.x_of: dict[str, float] = {}
        symbols = drawing.grid.chart.symbols
        self.dots = {s.key: s for s in symbols if s.kind == "dot"}
        self.begin = {s.key for s in symbols if s.begins}

    def _shown(self) -> list[int | None]:
        """The steps to draw: fewer where columns are wide; all, if few are hidden."""
        many = sum(g.clock is not None for g in self.drawing.grid.groups) > 1
        steps, pitch = self.drawing.steps, self.column.pitch
        if steps is None:
            steps = 3 if pitch > WIDER else FEW if pitch > WIDE else USUAL
            steps = min(steps, FEW) if many and self.length > USUAL else steps
        longest = max([1, *(abs(a.delay) for a in self.column.later)])
        if self.length <= steps or self.length - steps < longest:
            return list(range(1, self.length + 1))
        return visible(self.length, steps)

    def _rims(self) -> dict[str, StandIn]:
        """With letters for steps: where a dashed circle stands for more of a state."""
        found = {}
        for a in self.column.later:
            side = 1 if a.delay > 0 else -1
            found[f"{a.source}@… {side}"] = StandIn(a.source, -side)
            if self.gap is None:
                found[f"{a.target}@… {-side}"] = StandIn(a.target, side)
        return found

    def draw(self, done: Unfolded) -> float:
        """Draw all columns; returns the x after them."""
        column, grid = self.column, self.drawing.grid
        before = [k for k, s in self.stand.items() if s.offset < 0]
        after = [k for k, s in self.stand.items() if s.offset > 0]
        wide = 2 * column.reach + self._reach_of(before) if before else 0.0
        wide += self._start_width()
        self.first = self.left + wide - min(column.left, column.ports.outer[-1])
        n = len(self.kept)
        slots = [self.first + i * column.pitch for i in range(n)]
        self.slots = slots
        self.cut = self._cut()
        move = self.cut.moved if self.cut else float
        if self.cut:
            xs = list(map(move, slots))
            xs.insert(self.gap or 0, self.cut.middle)
        else:
            xs = slots
        index = dict(self.drawing.how.index) if self.drawing.how.index else None
        loop = Loop(self.length, tuple(self.shown), tuple(xs), index)
        done.loops[grid.of[column.group.keys[0]]] = loop
        self._circles(move)
        self._stand_ins(before, after, move)
        levels = self.drawing.emit(self._instances(), UNFOLDED, self.cut)
        self._frames()
        if self.cut:
            self._dots(levels)
        end = move(slots[-1]) + max(column.right, column.ports.outer[1])
        if after:
            end += self._reach_of(after) + 2 * column.reach
        return end + max(BESIDE, column.ports.inner[1] + 16)

    def _reach_of(self, stand: list[str]) -> float:
        """The room between stand-ins and the columns, for the letters of arrows."""
        wide = [
            self.drawing.width(names)
            for (key, target, _), (names, _, _) in self._starts().items()
            if key in stand
            and self.column.level[self.stand[key].state] == self.column.level[target]
        ]
        return max([self.reach, *(w + 30 for w in wide)])

    def _start_width(self) -> float:
        """The room for what starts are computed from, left of the stand-ins."""
        grid = self.drawing.grid
        here = [k for k in grid.outside if k not in grid.stand]
        return len(here) * (2 * RADIUS + BESIDE) if self.stand and here else 0.0

    def _cut(self) -> Cut | None:
        if self.gap is None:
            return None
        column = self.column
        right = max(column.right, column.ports.outer[1])
        left = min(column.left, column.ports.outer[-1])
        between = column.pitch - (right - left)
        if any(net.kind == "time" for net in column.nets):
            return Cut(self.slots[self.gap - 1] + right + 6, 24.0, 8.0)
        half = max(16.0, 30 - between / 2)
        return Cut(self.slots[self.gap - 1] + right + max(6.0, between / 2), half, half)

    def _circles(self, move: Any) -> None:
        drawing, column = self.drawing, self.column
        for key in column.group.keys:
            symbol = drawing.grid.chart.symbol(key)
            exists = symbol.steps(self.length)
            for x, t in zip(self.slots, self.kept, strict=True):
                if t not in exists:
                    continue
                if symbol.kind == "dot":
                    self._dot(symbol, move(x + column.x(key)), t)
                    continue
                said = symbol.index(self.text(t))
                details = {"t": t} | drawing.how.look(key, t)
                title = details.pop("title", f"{symbol.title} · step {said}")
                drawing.sheet.add(
                    circle(
                        self.chart,
                        symbol,
                        self.chart.seat(key, t),
                        move(x + column.x(key)),
                        drawing.y(key),
                        UNFOLDED,
                        indexed(symbol.label, said),
                        drawing.how.below(key, t),
                        title=title,
                        **details,
                    )
                )

    def _dot(self, symbol: Symbol, x: float, t: int) -> None:
        """Three dots for turns that are left out; below the lowest, how many."""
        sheet, y = self.drawing.sheet, self.drawing.y(symbol.key)
        for k in (-1, 0, 1):
            id = f"dots {symbol.key}@{t} {k}"
            dot = Node(id, x + k * APART, y, DOT, DOT, (), "dot", "dot", part=UNFOLDED)
            sheet.add(dot)
        alike = (s for s in self.dots.values() if s.turn == symbol.turn)
        if y == min(self.drawing.y(s.key) for s in alike if s.loops == symbol.loops):
            words = note(symbol.title)
            sheet.write(x, y - 18, words, "faint", UNFOLDED, word="more steps")

    def _frames(self) -> None:
        """A frame around each loop within a step."""
        nodes = self.drawing.sheet.nodes
        for t in self.kept:
            seats = {key: self._seat(key, t) for key in self.column.group.keys}
            at = {key: nodes[id] for key, id in seats.items() if id in nodes}
            draw_frames(self.drawing, UNFOLDED, at)

    def text(self, t: int) -> str:
        """What stands in the brackets at step t."""
        index = self.drawing.how.index
        return str(t) if index is None else index[t]

    # -------------------------------------------------------------------- stand-ins

    def _stand_ins(self, before: list[str], after: list[str], move: Any) -> None:
        """Dashed circles beside the columns, in a row of more than one further out."""
        drawing, column = self.drawing, self.column
        taken: dict[tuple[int, int], int] = defaultdict(int)
        for key in (*before, *after):
            state, offset = self.stand[key]
            side = 1 if offset > 0 else -1
            rank = taken[column.level[state], side]
            taken[column.level[state], side] += 1
            far = self._reach_of(before if side < 0 else after) + column.reach
            far += rank * (2 * column.reach + 12)
            edge = column.right if side > 0 else column.left
            x = (self.slots[-1] if side > 0 else self.first) + edge + side * far
            self.x_of[key] = x
            symbol = self.chart.symbol(state if drawing.how.index else key)
            rim = indexed(symbol.label, symbol.index("…"))
            label = rim if drawing.how.index else None
            drawing.sheet.add(
                circle(
                    self.chart,
                    symbol,
                    key,
                    move(x),
                    drawing.y(state),
                    UNFOLDED,
                    label,
                    kind="initial",
                    dashed=True,
                    t=None if drawing.how.index else 0,
                )
            )

    def _starts(self) -> dict[tuple[str, str, int], tuple[Any, Arrow, int]]:
        """What is read of each stand-in: by which circle, which parameters, which slot.

        The key has the delay that the stand-in stands in for.
        """
        found: dict[tuple[str, str, int], tuple[Any, Arrow, int]] = {}
        arrows = self.drawing.grid.initial if self.drawing.how.index is None else ()
        for a in arrows:
            if a.source not in self.stand or a.target not in self.column.group.keys:
                continue
            ahead = self.stand[a.source].offset < 0
            for t in steps_of(self.chart, a):
                if t not in self.kept:
                    continue
                slot = self.kept.index(t)
                if self.gap is not None and ahead != (slot < self.gap):
                    continue
                delay = slot + 1 if ahead else slot - len(self.kept)
                names, _, _ = found.get((a.source, a.target, delay), ((), a, slot))
                names = tuple(dict.fromkeys((*names, *a.labels)))
                found[a.source, a.target, delay] = names, a, slot
        return found

    def _start_instances(self) -> list[Instance]:
        found = []
        for (key, target, delay), (names, a, slot) in self._starts().items():
            state = self.stand[key].state
            tip = self.chart.seat(target, self.kept[slot])
            like = self._like(state, target, delay)
            xs, xt = self.x_of[key], self.slots[slot] + self.column.x(target)
            base = self.first - self.column.pitch
            base = base if delay > 0 else self.slots[-1] + self.column.pitch
            net = None
            if like is None:
                way = self._beeline(state, target, xs, xt)
            else:
                way = way_of(self.column, like, xs, xt, base)
                if self.column.form[like] == "net":
                    net = f"{key}/{like.delay}"
            details = {"delay": 0, "home": ""}
            title = in_words(a, None, self.kept[slot], names)
            covers = ((key, tip),)
            found.append(
                Instance(
                    a,
                    key,
                    tip,
                    way,
                    names,
                    covers,
                    (),
                    False,
                    net,
                    True,
                    title,
                    details,
                )
            )
        return found

    def _like(self, state: str, target: str, delay: int) -> Arrow | None:
        """The arrow whose form a start takes: that of the delay that it stands for."""
        column = self.column
        same = [a for a in column.later if (a.source, a.target) == (state, target)]
        for a in same:
            if a.delay == delay:
                return a
        level = column.level[state] == column.level[target]
        if abs(delay) > 1 and level:
            a = Arrow(state, target, delay=delay)
            column.form[a] = "arc"
            return a
        return next((a for a in same if abs(delay) == 1), None)

    def _beeline(self, source: str, target: str, xs: float, xt: float) -> Way:
        from minigrad.draw.page.curves import toward

        p, q = (xs, self.drawing.y(source)), (xt, self.drawing.y(target))
        return Way((toward(p, q, RADIUS), toward(q, p, RADIUS)))

    # -------------------------------------------------------------------- instances

    def _instances(self) -> list[Instance]:
        found = self._start_instances()
        for a in (*self.column.now, *self.column.later):
            found += self._of(a)
        return found

    def _of(self, a: Arrow) -> list[Instance]:
        """The instances of an arrow between the slots."""
        chart, column, n = self.chart, self.column, len(self.kept)
        parts = [(p, set(steps_of(chart, p))) for p in self.drawing.grid.parts[a]]
        net = next((m for m in column.nets if a in m.arrows), None)
        found = []
        for q in range(min(0, a.delay), n + max(0, a.delay)):
            p = q - a.delay
            if not (0 <= p < n or 0 <= q < n):
                continue
            if not (0 <= p < n and 0 <= q < n):
                found += self._over_the_rim(a, p, q)
                continue
            t, s = self.kept[q], self.kept[p]
            across = t - s != a.delay
            ends = ((s + a.delay, s), (t, t - a.delay)) if across else ((t, s),)
            if across and a.delay < 0:
                ends = ends[::-1]
            held = [[x for x, steps in parts if end in steps] for end, _ in ends]
            if not any(held):
                continue
            xs = self.slots[p] + column.x(a.source)
            xt = self.slots[q] + column.x(a.target)
            way = way_of(column, a, xs, xt, self.slots[p], p % max(1, abs(a.delay)))
            pairs: list[tuple[Pair, ...]] = [
                tuple(
                    (chart.seat(part.source, back), chart.seat(part.target, end))
                    for part in here
                )
                for (end, back), here in zip(ends, held, strict=True)
            ]
            names = tuple(
                dict.fromkeys(x for h in held for part in h for x in part.labels)
            )
            tail, tip = self._seat(a.source, s), self._seat(a.target, t)
            if not across and tail not in {"", *self.drawing.sheet.nodes}:
                continue
            trunk = f"{tail}/{a.delay or column.level[a.target]}" if net else None
            into = pairs[1] if across else ()
            title = in_words(a, ends[0][1], ends[0][0], names)
            found.append(
                Instance(
                    a,
                    tail,
                    tip,
                    way,
                    names,
                    pairs[0],
                    into,
                    across,
                    trunk,
                    a.source in self.begin,
                    title,
                )
            )
        return found

    def _seat(self, key: str, t: int) -> str:
        """The id of a circle, "" for dots."""
        return "" if key in self.dots else self.chart.seat(key, t)

    def _over_the_rim(self, a: Arrow, p: int, q: int) -> list[Instance]:
        """With letters for steps: from what lies before, or to what lies after."""
        inward = 0 <= q < len(self.kept)
        side = 1 if a.delay > 0 else -1
        key = f"{a.source}@… {side}" if inward else f"{a.target}@… {-side}"
        if key not in self.x_of:
            return []
        t = self.kept[q if inward else p]
        seat = self.chart.seat(a.target if inward else a.source, t)
        if seat not in self.drawing.sheet.nodes:
            return []
        column, pitch = self.column, self.column.pitch
        xs, xt = self.x_of[key], self.slots[q] + column.x(a.target) if inward else 0.0
        base = self.first - pitch if side > 0 else self.slots[-1] + pitch
        if not inward:
            xs, xt = self.slots[p] + column.x(a.source), self.x_of[key]
            base = self.slots[p]
        way = way_of(column, a, xs, xt, base)
        ends = (key, seat) if inward else (seat, key)
        net = f"{ends[0]}/{a.delay}" if column.form[a] == "net" else None
        names = self.drawing.names(a)
        title = in_words(a, None, None, names)
        return [Instance(a, *ends, way, names, (), (), False, net, True, title)]

    def _dots(self, levels: list[float]) -> None:
        """Three dots on each recurrence in the gap, and how many steps that hides."""
        assert self.cut is not None, "dots are where the drawing is cut"
        sheet = self.drawing.sheet
        ys = self.drawing.ys
        # Without any, in a row: tracks run in the gaps between rows.
        heights = heights_of_dots(levels) or [ys[len(ys) // 2]]
        for y in heights:
            for k in (-1, 0, 1):
                key = f"dots {self.clock} {y:g} {k}"
                x = self.cut.middle + k * APART
                sheet.add(Node(key, x, y, DOT, DOT, (), "dot", "dot", part=UNFOLDED))
        if self.drawing.how.index is None:
            hidden = self.length - len(self.kept)
            words = note(f"{hidden} more step{'s' if hidden > 1 else ''}")
            y = heights[0] - 18
            sheet.write(self.cut.middle, y, words, "faint", UNFOLDED, word="more steps")


def _around(index: list[int]) -> list[int | None]:
    """The columns t-1, t and t+1, or t-1, t and the last."""
    first, second, last = index
    return [first, second, *([None] * (last > second + 1)), last]
