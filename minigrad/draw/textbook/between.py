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
>>> done = draw_unfolded(drawing, 0.0)
>>> [(edge.tail, edge.tip) for edge in drawing.sheet.edges]
[('a', 's@1'), ('a', 's@-1')]
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from minigrad.draw.page.scene import Point
from minigrad.draw.textbook.chart import Arrow, Pair, Step, reads
from minigrad.draw.textbook.column import Column
from minigrad.draw.textbook.columns import RADIUS, Loop
from minigrad.draw.textbook.drawing import FOLDED, Drawing, Instance
from minigrad.draw.textbook.marks import home, said, way_home
from minigrad.draw.textbook.nets import Net
from minigrad.draw.textbook.ways import Way, polyline_way


class Stand(NamedTuple):
    """A circle that stands on the sheet, and the middle of its column."""

    id: str
    step: Step
    x: float
    y: float
    base: float


class Junction(NamedTuple):
    """Where a riser or a drop meets its rail."""

    x: float
    stand: Stand
    rises: bool
    points: tuple[Point, ...]


def draw_between(
    drawing: Drawing,
    part: str,
    loops: Mapping[int, Loop],
    middles: Mapping[int, float],
) -> None:
    """Draw all arrows between groups; ``middles`` are the x of columns drawn once."""
    met: dict[Pair, set[tuple[str, ...]]] = {}
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
        _Between(drawing, part, nets[0], arrows, loops, middles).draw(met)


class _Between:
    """The arrows of one net."""

    def __init__(
        self,
        drawing: Drawing,
        part: str,
        net: Net,
        arrows: list[Arrow],
        loops: Mapping[int, Loop],
        middles: Mapping[int, float],
    ) -> None:
        self.drawing, self.part, self.net = drawing, part, net
        self.loops, self.middles, self.arrows = loops, middles, arrows
        self.arrow = net.arrows[0]
        self.labels = tuple(dict.fromkeys(name for a in arrows for name in a.labels))
        self.fresh: set[Pair] = set()
        self.target = self.arrow.target
        sources, targets = self._stands(net.source), self._stands(self.target)
        self.pairs = [
            (sources[a], targets[b])
            for a, b in self._steps()
            if a in sources and b in targets
        ]
        self.out = drawing.column(part, net.source)
        self.into = drawing.column(part, self.target)

    def _stands(self, key: str) -> dict[Step, Stand]:
        """The circles of a symbol, by step; in the circuit there is one for all."""
        nodes, g = self.drawing.sheet.nodes, self.drawing.of(self.part).of[key]
        if self.part == FOLDED:
            node = nodes[home(key)]
            return {None: Stand(node.id, None, node.x, node.y, self.middles[g])}
        if g in self.middles:
            node = nodes[key]
            return {None: Stand(key, None, node.x, node.y, self.middles[g])}
        found: dict[Step, Stand] = {}
        for t in self.loops[g].steps:
            node_of = nodes.get(self.drawing.chart.seat(key, t))
            if node_of is not None:
                base = node_of.x - self.drawing.column(self.part, key).x(key)
                found[t] = Stand(node_of.id, t, node_of.x, node_of.y, base)
        return found

    def _steps(self) -> list[tuple[Step, Step]]:
        if self.part == FOLDED:
            return [(None, None)]
        chart = self.drawing.chart
        shown = set(self._stands(self.net.source))
        return [
            (a, b)
            for arrow in self.arrows
            for b, found in reads(chart, arrow)
            for a in shown
            if a in found
        ]

    def draw(self, met: dict[Pair, set[tuple[str, ...]]]) -> None:
        """As a bridge, as a trunk with drops, or as a rail.

        ``met`` are the pairs of circles that have an arrow, and by which parameters.
        """
        labels = self.labels
        ends = [(a.id, b.id) for a, b in self.pairs]
        if all(labels in met.get(pair, ()) for pair in ends):
            return
        # A value may reach another one by two arrows, each with letters of its own.
        self.fresh = {pair for pair in ends if labels not in met.get(pair, ())}
        for pair in ends:
            met.setdefault(pair, set()).add(labels)
        sources = list(dict.fromkeys(a for a, _ in self.pairs))
        if self.net.kind == "bridge":
            ways = [(a, b, self._bridge(a, b)) for a, b in self.pairs]
        elif len(sources) == 1:
            ways = [(a, b, self._drop(a, b)) for a, b in self.pairs]
        else:
            self._rail(sources)
            return
        instances = []
        for a, b, way in ways:
            covers: tuple[Pair, ...] = ((a.id, b.id),)
            covers = covers if covers[0] in self.fresh else ()
            details: dict[str, Any] = {"id": f"{a.id}>{b.id}"}
            title = f"{a.id} → {b.id}".replace("@t", "")
            if self.part == FOLDED:
                covers = self._recorded()
                details = {"id": way_home(self.arrow)}
                chart = self.drawing.chart
                title = "; ".join(said(chart, x) for x in self.arrows)
            if self.labels and self.part != FOLDED:
                title += f" by {', '.join(self.labels)}"
            net = f"{a.id}>{self.target}"
            names = self.labels
            dashed = self.part == FOLDED and self._once()
            instances.append(
                Instance(
                    self.arrow, a.id, b.id, way, names, covers, (), False, net, dashed,
                    title, details,
                )
            )  # fmt: skip
        self.drawing.emit(instances, self.part)

    def _once(self) -> bool:
        """Whether the arrow is at one step of several."""
        chart = self.drawing.chart
        clock = chart.symbol(self.target).clock
        if clock is None or chart.lengths[clock] == 1:
            return False
        steps = {b for arrow in self.arrows for b, _ in reads(chart, arrow)}
        return (
            len(steps) == 1
            and len(chart.symbol(self.target).steps(chart.lengths[clock])) > 1
        )

    def _recorded(self) -> tuple[Pair, ...]:
        chart = self.drawing.chart
        return tuple(
            (chart.seat(arrow.source, a), chart.seat(arrow.target, b))
            for arrow in self.arrows
            for b, found in reads(chart, arrow)
            for a in found
        )

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
        y = self.drawing.rail(self.net)
        return polyline_way(*lead, (lead[-1][0], y), (end[0], y), end, radius=8.0)

    def _bridge(self, a: Stand, b: Stand) -> Way:
        """Level if it can be, else up or down before the column of the target."""
        column: Column = self.into
        side = 1 if b.x > a.x else -1
        if abs(a.y - b.y) < 1:
            return Way(((a.x + side * RADIUS, a.y), (b.x - side * RADIUS, b.y)))
        x = b.base + (column.left if side > 0 else column.right) - side * 24.0
        ports = column.ports
        offset = ports.at(self.arrow, self.target) or (11.0 if a.y > b.y else -11.0)
        end = ports.rim("W" if side > 0 else "E", offset, b.x, b.y)
        start = self.out.ports.rim(
            "E" if side > 0 else "W",
            self.out.ports.at(self.net, self.net.source),
            a.x,
            a.y,
        )
        return polyline_way(start, (x, start[1]), (x, end[1]), end, radius=12.0)

    # -------------------------------------------------------------------------- rails

    def _rail(self, sources: list[Stand]) -> None:
        y = self.drawing.rail(self.net)
        targets = list(dict.fromkeys(b for _, b in self.pairs))
        junctions = []
        for a in sources:
            lead = self._lead(a)
            junctions.append(Junction(lead[-1][0], a, True, lead))
        for b in targets:
            end = self._end(b, self.arrow)
            junctions.append(Junction(end[0], b, False, (end,)))
        self.at = {(j.stand, j.rises): j.x for j in junctions}
        junctions.sort(key=lambda j: j.x)
        runs = [self._runs(u, v) for u, v in pairwise(junctions)]
        left, drawn = [False, *runs], set[int]()
        letters = self.drawing.letters(self.labels)
        for i, here in enumerate(junctions):
            # A drop comes from its left if it can, a riser goes on to its right.
            right = i < len(runs) and runs[i]
            other = i - 1 if left[i] and not (here.rises and right) else i + 1
            if not (left[i] or right):
                other = i
            drawn.add(min(i, other))
            along = (junctions[other].x, y)
            way = polyline_way(*here.points, (here.x, y), along, radius=8.0)
            if here.rises:
                self._connect(way, here.stand.id, "", (), ())
                continue
            ends = [(a.id, b.id) for a, b in self.pairs if b == here.stand]
            covers = tuple(pair for pair in ends if pair in self.fresh)
            way = Way(way.corners[::-1], radius=8.0)
            self._connect(way, "", here.stand.id, letters, covers)
            letters = ()
        for i, (u, v) in enumerate(pairwise(junctions)):
            if runs[i] and i not in drawn:
                self._connect(Way(((u.x, y), (v.x, y))), "", "", (), ())

    def _runs(self, u: Junction, v: Junction) -> bool:
        """Whether a rail runs between two neighbours on it."""
        return any(
            min(self.at[a, True], self.at[b, False]) <= u.x
            and max(self.at[a, True], self.at[b, False]) >= v.x
            for a, b in self.pairs
        )

    def _connect(
        self, way: Way, tail: str, tip: str, letters: Any, covers: tuple[Pair, ...]
    ) -> None:
        curve = way.curve()
        ends = f"{tail or self.net.source} → {tip or f'every {self.target}'}"
        self.drawing.sheet.connect(
            tail,
            tip,
            curve,
            letters,
            own=curve,
            text_kind=self.drawing.how.text_kind,
            head=bool(tip),
            id=f"{tail or self.net.source}>{tip or self.target}",
            net=f"{self.net.source}>{self.target} rail",
            kind=self.drawing.how.edge_kind,
            part=self.part,
            title=ends,
            parameters=self.labels,
            home=self.drawing.way_home(self.arrow),
            covers=covers,
        )
