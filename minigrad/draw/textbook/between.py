"""Arrows from group to group: bridges, and rails with risers and drops.

Vocabulary
    bridge   from one circle to one: the last state of a loop that another starts from
    rail     a track that every riser leads to and every drop leaves: each of the values
             below it is read by each of those above it, or if its own loop reads what
             came before, by those further on
    riser    from a source up to the rail; drop: from the rail up into a target

>>> from minigrad.draw.textbook.chart import Arrow, Chart, Symbol
>>> symbols = Symbol("a", ()), Symbol("s", (), clock=0)
>>> chart = Chart(symbols, (Arrow("a", "s", "broadcast"),), (2,))
>>> from minigrad.draw.textbook.unfolded import draw_unfolded
>>> drawing = Drawing(chart, parts=["unfolded"])
>>> draw_unfolded(drawing, 0.0)
>>> [(edge.tail, edge.tip) for edge in drawing.sheet.edges]
[('a', 's@1'), ('a', 's@-1')]
"""

from itertools import pairwise
from typing import Any, NamedTuple

from minigrad.draw.page.labels import Wish
from minigrad.draw.page.letters import note
from minigrad.draw.page.scene import Lines, Point
from minigrad.draw.textbook.chart import Arrow, Pair, names_on, reads
from minigrad.draw.textbook.columns import RADIUS
from minigrad.draw.textbook.drawing import FOLDED, Drawing, Instance
from minigrad.draw.textbook.marks import at_any, in_words, only_at, said, way_home
from minigrad.draw.textbook.nets import Net
from minigrad.draw.textbook.ways import Way, polyline_way

TURN = 8.0  # the radius of a bend onto a rail
Met = dict[Pair, set[tuple[str, ...]]]


class Stand(NamedTuple):
    """A circle on the sheet, the middle of its column, and what it is in words."""

    id: str
    x: float
    y: float
    base: float
    name: str


class Junction(NamedTuple):
    """Where a riser or a drop meets its rail."""

    x: float
    stand: Stand
    rises: bool
    points: tuple[Point, ...]


def draw_between(drawing: Drawing, part: str) -> None:
    """Draw all arrows between groups."""
    met: Met = {}  # the circles that have an arrow, and by which parameters
    for edge in drawing.sheet.edges:
        for pair in edge.covers if edge.part == part else ():
            met.setdefault(pair, set()).add(edge.parameters)
    groups: dict[Any, list[Net]] = {}
    of = drawing.of(part).of
    for number, net in enumerate(drawing.crossing[part]):
        ends = net.source, net.arrows[0].target
        if part == FOLDED and of[ends[0]] == of[ends[1]]:
            continue
        # In the circuit all arrows from one circle to another are one.
        groups.setdefault(ends if part == FOLDED else number, []).append(net)
    for nets in groups.values():
        arrows = [a for net in nets for a in net.arrows]
        _Between(drawing, part, nets[0], arrows).draw(met)


class _Between:
    """The arrows of one net."""

    def __init__(
        self, drawing: Drawing, part: str, net: Net, arrows: list[Arrow]
    ) -> None:
        self.drawing, self.part, self.net = drawing, part, net
        self.arrows, self.arrow = arrows, net.arrows[0]
        self.labels, self.target = names_on(arrows), self.arrow.target
        chart = drawing.of(part).chart
        self.ends = at_any(chart, net.source), at_any(chart, self.target)
        sources, targets = (
            {
                t: Stand(n.id, n.x, n.y, base, drawing.called(part, key, t))
                for t, n, base in drawing.circles(part, key)
            }
            for key in (net.source, self.target)
        )
        steps = [found for arrow in arrows for found in reads(drawing.chart, arrow)]
        if part == FOLDED:
            steps = [(None, [None])]
        self.pairs = [
            (sources[a], targets[b])
            for b, found in steps
            for a in sources
            if a in found and b in targets
        ]
        self.out = drawing.column(part, net.source)
        self.into = drawing.column(part, self.target)

    def draw(self, met: Met) -> None:
        """As a bridge, as a trunk with drops, or as a rail."""
        labels = self.labels
        ends = [(a.id, b.id) for a, b in self.pairs]
        # A value may reach another one by two arrows, each with letters of its own.
        self.fresh = {
            pair
            for pair in ends
            if not any({*labels} <= {*seen} for seen in met.get(pair, ()))
        }
        for pair in self.fresh:
            met.setdefault(pair, set()).add(labels)
        if self.arrow.kind == "growing":  # what has an arrow would be against the way
            self.pairs = [(a, b) for a, b in self.pairs if (a.id, b.id) in self.fresh]
        sources = list(dict.fromkeys(a for a, _ in self.pairs))
        if not self.fresh:
            return
        if self.net.kind != "bridge" and len(sources) > 1:
            self._rail(sources)
            return
        way = self._bridge if self.net.kind == "bridge" else self._drop
        self.drawing.emit(
            [self._instance(a, b, way(a, b)) for a, b in self.pairs], self.part
        )

    def _instance(self, a: Stand, b: Stand, way: Way) -> Instance:
        pair = a.id, b.id
        details: dict[str, Any] = {
            "id": f"{a.id}>{b.id}",
            "title": in_words(a.name, b.name, self.labels),
        }
        covers: tuple[Pair, ...] = (pair,) if pair in self.fresh else ()
        if self.part == FOLDED:
            covers, details = self._in_circuit()
        net = f"{a.id}>{self.target}"
        return Instance(
            self.arrow, *pair, way, self.labels, covers, net=net, details=details
        )

    def _in_circuit(self) -> tuple[tuple[Pair, ...], dict[str, Any]]:
        """What an arrow of the circuit stands for, and what it says."""
        chart, sheet, id = self.drawing.chart, self.drawing.sheet, way_home(self.arrow)
        index, once = self.drawing.how.index or {}, ""
        if len(chart.steps(self.target)) > 1:
            once = only_at(chart, self.arrows, index)
        if once:
            wish = Wish(note(once), id, "faint", "only", below=True)
            sheet.wishes.append(wish)
        parts = [p for a in self.arrows for p in self.drawing.circuit.parts[a]]
        title = said(chart, *parts)
        details = {"id": id, "dashed": bool(once), "title": title}
        return chart.pairs(*parts), details

    def _lead(self, a: Stand) -> tuple[Point, ...]:
        """Out of the source, up to where it turns onto the track."""
        ports, net = self.out.ports, self.net
        side = self.out.riser(net)
        p = ports.rim(side, ports.at(net, net.source), a.x, a.y)
        if side == "N":
            return (p,)
        return p, (a.base + ports.vertical[net], p[1])

    def _end(self, b: Stand, arrow: Arrow) -> Point:
        ports = self.into.ports
        return ports.rim("S", ports.at(arrow, self.target), b.x, b.y)

    def _drop(self, a: Stand, b: Stand) -> Way:
        lead, end = self._lead(a), self._end(b, self.arrow)
        y = self.drawing.below[self.net]
        return polyline_way(*lead, (lead[-1][0], y), (end[0], y), end, radius=8.0)

    def _bridge(self, a: Stand, b: Stand) -> Way:
        """Level if it can be, else up or down before the column of the target."""
        column, out = self.into, self.out.ports
        side = 1 if b.x > a.x else -1
        if abs(a.y - b.y) < 1:
            return Way(((a.x + side * RADIUS, a.y), (b.x - side * RADIUS, b.y)))
        x = b.base + (column.left if side > 0 else column.right) - side * 24.0
        ways = ("E", "W") if side > 0 else ("W", "E")
        offset = column.ports.at(self.arrow, self.target)
        offset = offset or (11.0 if a.y > b.y else -11.0)
        end = column.ports.rim(ways[1], offset, b.x, b.y)
        start = out.rim(ways[0], out.at(self.net, self.net.source), a.x, a.y)
        return polyline_way(start, (x, start[1]), (x, end[1]), end, radius=12.0)

    # -------------------------------------------------------------------------- rails

    def _rail(self, sources: list[Stand]) -> None:
        y = self.drawing.below[self.net]
        junctions = []
        for a in sources:
            lead = self._lead(a)
            junctions.append(Junction(lead[-1][0], a, True, lead))
        for b in dict.fromkeys(b for _, b in self.pairs):
            end = self._end(b, self.arrow)
            junctions.append(Junction(end[0], b, False, (end,)))
        at = {(j.stand, j.rises): j.x for j in junctions}
        spans = [sorted((at[a, True], at[b, False])) for a, b in self.pairs]
        junctions.sort(key=lambda j: j.x)
        # Whether the rail runs between neighbours on it.
        runs = [
            any(low <= u.x and v.x <= high for low, high in spans)
            for u, v in pairwise(junctions)
        ]
        # The piece of the rail that each is drawn with, i from junction i on: a drop
        # comes from its left if it can, a riser goes on to its right.
        left, right = [False, *runs], [*runs, False]
        pieces = [
            i - (left[i] and not (j.rises and right[i]))
            for i, j in enumerate(junctions)
        ]
        letters = self.drawing.letters(self.labels)
        for i, here in enumerate(junctions):
            k = i + 1 if pieces[i] == i else i - 1
            x = _met(here.x, junctions[k].x, pieces[i] != pieces[k])
            way = polyline_way(*here.points, (here.x, y), (x, y), radius=TURN)
            if here.rises:
                self._connect(way, here.stand.id, "")
                continue
            ends = [(a.id, b.id) for a, b in self.pairs if b == here.stand]
            covers = tuple(pair for pair in ends if pair in self.fresh)
            way = Way(way.corners[::-1], radius=TURN)
            self._connect(way, "", here.stand.id, letters, covers)
            letters = ()
        for i, (u, v) in enumerate(pairwise(junctions)):
            if runs[i] and i not in pieces:
                self._connect(Way(((u.x - TURN, y), (v.x + TURN, y))), "", "")

    def _connect(
        self,
        way: Way,
        tail: str,
        tip: str,
        letters: Lines = (),
        covers: tuple[Pair, ...] = (),
    ) -> None:
        curve, source = way.curve(), tail or self.net.source
        self.drawing.sheet.connect(
            tail,
            tip,
            curve,
            letters,
            own=curve,
            head=bool(tip),
            id=f"{source}>{tip or self.target}",
            net=f"{self.net.source}>{self.target} rail",
            kind=self.drawing.how.edge_kind,
            part=self.part,
            title=in_words(*self.ends, self.labels),
            parameters=self.labels,
            home=self.drawing.way_home(self.arrow),
            covers=covers,
        )


def _met(x: float, other: float, beyond: bool) -> float:
    """Where a rail from x on meets the bend of a junction, before it or beyond it."""
    bend = TURN if beyond else -min(TURN, abs(other - x) / 2)
    return other + bend if other > x else other - bend
