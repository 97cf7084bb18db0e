"""One group's column: the form of each arrow, chosen once, so that columns are alike.

Vocabulary
    form     straight: rim to rim. side: around the circles of its own column, up a lane
             beside them. arc: over the columns between, within a row. loop: from a
             circle round to itself, folded. net: along a trunk
    net      arrows of one value and one delay: a trunk that leaves the circle once,
             runs along a vertical in the channel between the columns and along tracks,
             and has a branch to each target
    fan      a net within a step, where another one drops into the same row
    track    a height in the gap below a row, along which branches run to their drops
    drop     the last piece of a branch, up into a circle
    channel  the room between a column and the next, with the verticals
    port     where an arrow meets a circle: its side, and how far from the middle of it

``ways`` makes curves of these; everything here counts from the column's own middle.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from math import hypot
from typing import Any

from minigrad.draw.page.curves import HEAD
from minigrad.draw.page.scene import Point
from minigrad.draw.textbook.chart import Arrow
from minigrad.draw.textbook.columns import COLUMN, RADIUS
from minigrad.draw.textbook.grid import Grid, Group
from minigrad.draw.textbook.loops import Loop, lane_for
from minigrad.draw.textbook.nets import Net
from minigrad.draw.textbook.ports import Ports

LANE, WIDEST, TRACK = 66.0, 110.0, 13.0
CLEAR, LETTERED, BARE = 6.5, 37.0, 20.0
GAP_ROW, HIGHEST = 72.0, 240.0
BORDER, APEX, NEXT_ARC, LONG, LEAN = 16.0, 52.0, 40.0, 34.0, 26.0


@dataclass(eq=False)
class Column:
    """The pattern that all columns of a group follow.

    ``letters`` has the width of each arrow's letters; ``nets`` those that come from or
    lead to other groups, at first; ``wider`` is extra room between all of it, ``reach``
    half the width of the widest outline.
    """

    grid: Grid
    group: Group
    letters: Mapping[Arrow, float]
    folded: bool
    crossing: Sequence[Net] = ()
    entering: Sequence[tuple[str, str, int]] = ()  # parameter, target, side
    wider: float = 0.0
    reach: float = RADIUS
    lane: float = LANE
    pitch: float = COLUMN

    def __post_init__(self) -> None:
        self.now = self.group.now
        self.later = self.group.later
        self.level = self.grid.level
        self.lane += self.wider + 2 * (self.reach - RADIUS)
        self.form: dict[Arrow, str] = {}
        self.loops: dict[Arrow, Loop] = {}
        self.nets: list[Net] = []
        self.tracks: dict[int, list[tuple[Net, int]]] = {}
        self.y: Sequence[float] = [72.0 * r for r in range(self.grid.count)]
        self.zones: Sequence[float] = [BARE] * self.grid.count
        # Delays that only an initial state has: their arcs need room too.
        self.starts: set[tuple[str, int]] = set()

    def x(self, key: str) -> float:
        """How far right of the column's middle a circle stands."""
        return self.grid.place[key] * self.lane

    def height(self, key: str) -> float:
        """The y of a symbol."""
        return self.y[self.level[key]]

    @property
    def right(self) -> float:
        """The right rim of the rightmost circle."""
        return max(map(self.x, self.group.keys)) + self.reach

    @property
    def left(self) -> float:
        """The left rim of the leftmost circle."""
        return min(map(self.x, self.group.keys)) - self.reach

    def trunk_of(self, a: Arrow) -> Net | None:
        """The net that an arrow belongs to."""
        return next((net for net in self.nets if a in net.arrows), None)

    def trunk(self, a: Arrow, tail: str) -> str | None:
        """The name of the trunk of an arrow from a circle, if it has one."""
        return f"{tail}/{a.delay or self.level[a.target]}" if self.trunk_of(a) else None

    def beside(self, key: str, side: int) -> bool:
        """Whether another circle stands in the same row on that side."""
        return any(
            self.level[k] == self.level[key]
            and (self.grid.place[k] - self.grid.place[key]) * side > 0
            for k in self.group.keys
        )

    def free(
        self,
        p: Point,
        q: Point,
        but: set[tuple[str, int]],
        steps: Collection[int] = (0,),
        clear: float = CLEAR,
    ) -> bool:
        """Whether no circle is near the line between two points.

        ``steps`` are the columns to look at, 0 this one; ``but`` are not looked at.
        """
        dx, dy = q[0] - p[0], q[1] - p[1]
        length = dx * dx + dy * dy or 1.0
        for step in steps:
            for key in self.group.keys:
                if (key, step) in but:
                    continue
                x, y = self.x(key) + step * self.pitch - p[0], self.height(key) - p[1]
                share = max(0.0, min(1.0, (x * dx + y * dy) / length))
                aside, above = share * dx - x, share * dy - y
                if hypot(aside * RADIUS / self.reach, above) < RADIUS + clear:
                    return False
        return True

    def choose(self, ys: Sequence[float]) -> None:
        """Choose a form for each arrow, at these heights of the rows."""
        self.y = ys
        self.form = {a: self._form(a) for a in (*self.now, *self.later)}
        # Of one value and row, all arrows have one form.
        along = {a: (a.source, a.delay, self.level[a.target]) for a in self.later}
        trunked = {along[a] for a in self.later if self.form[a] == "net"}
        for a in self.later:
            if self.form[a] == "straight" and along[a] in trunked:
                self.form[a] = "net"
        trunks: dict[Any, list[Arrow]] = defaultdict(list)
        for a in self.later:
            if self.form[a] == "net":
                held = a.at if a.kind == "delay" else None
                trunks[a.source, a.delay, a.turns, held].append(a)
        self.nets = [Net(s, d, arrows) for (s, d, *_), arrows in trunks.items()]
        for net in self.nets:
            net.entry = {a: self._entry(net, a) for a in net.arrows}
        self._from_above()
        self._fans()
        self._tracks()

    def _form(self, a: Arrow) -> str:
        if self.folded and a in self.later:
            return "loop" if a.source == a.target else "net"
        p = self.x(a.source), self.height(a.source)
        q = self.x(a.target) + a.delay * self.pitch, self.height(a.target)
        wide, high = abs(q[0] - p[0]), abs(q[1] - p[1])
        near = not high or high >= 0.32 * wide
        if a.delay:
            close = not high or (wide <= 215 and high <= 190)
            near = close and abs(a.delay) == 1
        ends = {(a.source, 0), (a.target, a.delay)}
        if near and self.free(p, q, ends, {0, a.delay}):
            return "straight"
        if a.delay:
            return "net" if high or abs(a.delay) == 1 else "arc"
        return "side" if high else "arc"

    def out(self, net: Net) -> int:
        """The side on which a net leaves; folded, away from where two loops are."""
        side = 1 if net.delay >= 0 else -1
        if self.folded and net.kind == "time":
            ends = {net.source, *(a.target for a in net.arrows)}
            for end in ends:
                loops = [a for a in self.later if a.source == end == a.target]
                if len(loops) > 1:
                    return -side
        return side

    def near(self, net: Net) -> int:
        """The side of its targets on which a net through time arrives."""
        return self.out(net) if self.folded else -self.out(net)

    def _entry(self, net: Net, a: Arrow) -> str:
        row = [b for b in net.arrows if self.level[b.target] == self.level[a.target]]
        alone = len(row) == 1 and (self.folded or abs(a.delay) == 1)
        free = not self.beside(a.target, self.near(net))
        return "side" if free and alone else "drop"

    def _from_above(self) -> None:
        """Of three trunks into a row, one whose source is above drops from above."""
        for row in range(self.grid.count):
            into = [n for n in self.nets if n.drops(self.level, row)]
            straight = (a for a in self.now if self.form[a] == "straight")
            fanned = any(self.level[a.target] == row for a in straight)
            over = [n for n in into if self.level[n.source] > row]
            if len(into) + fanned >= 3 and len(into) > 1 and over:
                net = min(over, key=lambda n: len(n.arrows))
                for a in net.drops(self.level, row):
                    net.entry[a] = "top"

    def _fans(self) -> None:
        """Values with several targets in a row into which nets drop."""
        dropped = {
            self.level[a.target]
            for n in (*self.nets, *self.crossing)
            for a in n.arrows
            if n.entry.get(a, "drop") == "drop" and a.target in self.group.keys
        }
        for source in self.group.keys:
            rows: dict[int, list[Arrow]] = defaultdict(list)
            for a in self.now:
                if a.source == source and self.form[a] != "arc":
                    rows[self.level[a.target]].append(a)
            for row, arrows in rows.items():
                forms = [self.form[a] for a in arrows]
                # Of many in a row the outermost would have to go around.
                many = self.grid.borders and len(arrows) > 2 and "side" in forms
                arrows = [a for a in arrows if many or self.form[a] == "straight"]
                meets = len(arrows) > 1 and (many or row in dropped)
                if meets and row > self.level[source]:
                    self.form |= dict.fromkeys(arrows, "fan")
                    entry = dict.fromkeys(arrows, "drop")
                    self.nets.append(Net(source, 0, arrows, "fan", entry))

    def _tracks(self) -> None:
        """Which nets have a track in the gap below which row, from above to below."""
        self.tracks = defaultdict(list)
        for net in sorted(self.nets, key=lambda n: n.kind == "fan"):
            rows = {self.level[a.target] for a in net.arrows if net.entry[a] == "drop"}
            phases = 1 if self.folded or net.kind == "fan" else abs(net.delay)
            for row in rows:
                self.tracks[row] += [(net, phase) for phase in range(phases)]
        for net in self.nets:
            if net.kind == "time" and self.beside(net.source, self.out(net)):
                self.tracks[self.level[net.source] + 1].insert(0, (net, -1))

    def needs(self, row: int) -> float:
        """The room below a row for all but tracks."""
        room = BORDER * self.grid.borders[row]
        for net in self.nets:
            tops = (a for a in net.arrows if net.entry[a] == "top")
            room += 44.0 * any(self.level[a.target] == row - 1 for a in tops)
        arcs = [
            a
            for a in (*self.now, *self.later)
            if self.form[a] == "arc" and self.level[a.source] == row - 1
        ]
        if arcs:
            lettered = any(self.letters[a] for a in arcs)
            lifts = [self.lift(a.source, self.far(a)) for a in arcs]
            room += 18 + 0.75 * max(lifts) - RADIUS + (14 if lettered else 2)
        # So far up that the outermost of many can come straight, beside the others.
        into = Counter(
            a.target
            for a in self.now
            if self.level[a.target] == row == self.level[a.source] + 1
        )
        apart = (RADIUS + CLEAR + 0.5) * (max(into.values(), default=0) - 1) / 2
        room = max(room, min(apart, HIGHEST) - GAP_ROW)
        slanted = [a for a in self.passing(row) if self.x(a.source) != self.x(a.target)]
        long = any(self.letters[a] > LONG for a in slanted)
        return max(room, 14.0) if long or len(slanted) > 1 else room

    def lettered(self, row: int) -> bool:
        """Whether a drop into a row has letters."""
        nets = (*self.nets, *self.crossing)
        drops = (a for net in nets for a in net.drops(self.level, row))
        return any(self.letters.get(a) for a in drops)

    def passing(self, row: int) -> list[Arrow]:
        """The straight arrows with letters that lead up into a row."""
        straight = [a for a in self.now if self.form[a] == "straight"]
        return [a for a in straight if self.level[a.target] == row and self.letters[a]]

    def track(self, row: int, net: Net, phase: int = 0) -> float:
        """The y of a net's track below a row."""
        number = self.tracks[row].index((net, phase))
        return self.y[row] - RADIUS - self.zones[row] - TRACK * number

    def far(self, a: Arrow) -> int:
        """Over how many columns an arc leads, or over how many turns within one."""
        places = self.grid.place[a.target] - self.grid.place[a.source]
        return abs(a.delay) or max(2, round(abs(places)))

    def lift(self, source: str, far: int) -> float:
        """How high the controls of an arc stand above its ends."""
        row = self.level[source]
        ranks = {
            self.far(b)
            for b in (*self.now, *self.later)
            if self.form[b] == "arc" and self.level[b.source] == row
        }
        ranks |= {d for key, d in self.starts if self.level[key] == row}
        number = sorted(ranks | {far}).index(far)
        share = 1 / far
        over = (RADIUS + 13 - 20) / (3 * share * (1 - share))
        return max((APEX + NEXT_ARC * number - 20) / 0.75, over)

    def settle(self) -> None:
        """Find the ports, the verticals and the pitch."""
        self.ports = Ports(self)
        self._widen()
        self.ports.place()
        self.loops = self.ports.loops
        self.pitch = max(self.pitch, self.full_pitch())

    def exit(self, net: Net) -> float:
        """The y at which a net's trunk leaves for its vertical."""
        if self.beside(net.source, self.out(net)):
            return self.track(self.level[net.source] + 1, net, -1)
        return self.height(net.source) + self.ports.at(net, net.source)

    def enter(self, net: Net, a: Arrow, phase: int = 0) -> float:
        """The y at which a branch leaves the vertical of its net."""
        if net.entry[a] == "side":
            return self.height(a.target) + self.ports.at(a, a.target)
        if net.entry[a] == "top":
            return self.height(a.target) + RADIUS + 38
        return self.track(self.level[a.target], net, phase)

    def _widen(self) -> None:
        """Lanes wide enough for the letters beside drops, and along level arrows."""
        extra = 2 * (self.reach - RADIUS)
        loops = min(lane_for(self), 2 * WIDEST)
        self.lane = max(LANE + self.wider + extra, loops)
        for a in (a for a in self.now if self.form[a] == "straight"):
            if self.level[a.source] == self.level[a.target]:
                room = 2 * self.reach + self.letters[a] + HEAD + 18
                self.lane = max(self.lane, min(room, 2 * WIDEST + extra))
            elif self.letters[a] > LONG and self.x(a.source) != self.x(a.target):
                # Beside it there is another one, from which it has to lean away.
                self.lane = max(self.lane, LANE + self.wider + extra + LEAN)
        reach = self.ports.reach()
        for k, o in permutations(self.group.keys, 2):
            apart = self.grid.place[o] - self.grid.place[k]
            ends = reach.get((k, 1), 0.0), reach.get((o, -1), 0.0)
            if self.level[k] == self.level[o] and 0 < apart < 1.6 and any(ends):
                need = max(ends[0], 12.0) + max(ends[1], 12.0) + 7
                self.lane = max(self.lane, min(need / apart, WIDEST) + self.wider)

    def riser(self, net: Net) -> str:
        """Where what leads to another group leaves its circle: up, or at the side.

        What is read in its own step too leaves before that step's drop, others behind.
        """
        if net.kind == "bridge":
            return "E"
        x, row = self.x(net.source), self.level[net.source]
        goal = min(self.level[a.target] for a in net.arrows)
        over = any(
            row < self.level[k] < goal and abs(self.x(k) - x) < RADIUS + 18
            for k in self.group.keys
        )
        side = "W" if self.own_step(net) else "E"
        return side if over or goal <= row else "N"

    def own_step(self, net: Net) -> bool:
        """Whether a net is what steps read of their own loop, up to themselves."""
        a = net.arrows[0]
        return a.kind == "growing" and not a.delay

    def landing(self, net: Net, a: Arrow) -> tuple[str, Arrow, float]:
        """Where what comes from another group arrives: at the side, or from below."""
        if net.kind == "bridge":
            dy = self.height(net.source) - self.height(a.target)
            return "W", a, dy
        return "S", a, 1.5 if self.own_step(net) else -1.5

    def full_pitch(self) -> float:
        """The distance of columns: the column itself, and its channel."""
        channel = 50.0
        inner = self.ports.inner
        for a in self.later:
            if self.form[a] in ("straight", "arc") and abs(a.delay) == 1:
                slanted = self.level[a.source] != self.level[a.target]
                room = self.letters[a] + HEAD + 22 + 6 * slanted
                channel = max(channel, room + inner[1] + inner[-1])
        for side in (1, -1):
            trunks = [n for n in self.nets if n.kind == "time" and self.out(n) == side]
            if trunks:
                into = (a for n in trunks for a in n.arrows if n.entry[a] == "side")
                level = [self.letters[a] + HEAD + 8 for a in into]
                room = max([12.0, self.ports.far(-side), *level])
                channel = max(channel, inner[side] + room)
        wide = self.right - self.left
        pitch = max(wide + channel, COLUMN, self.right - self.ports.outer[-1] + 40)
        return pitch + self.wider
