"""From forms to curves: the way of one arrow between two circles, and what it shares.

Vocabulary
    way     corners from rim to rim, to be rounded off; or one curve as it is
    trunk   the first part of a way, which sisters of its net run along too

>>> a, b = Way(((0, 0), (30, 0), (30, 50))), Way(((0, 0), (90, 0), (90, 50)))
>>> a.shared(b), b.curve(after=30.0)[0]
(30.0, (21.0, 0.0))
"""

from dataclasses import dataclass
from itertools import pairwise
from math import atan2, cos, dist, pi, sin

from minigrad.draw.page.curves import Curve, rounded, toward
from minigrad.draw.page.scene import Point
from minigrad.draw.textbook.chart import Arrow
from minigrad.draw.textbook.column import Column
from minigrad.draw.textbook.columns import RADIUS
from minigrad.draw.textbook.nets import Net

BEND = 9.0


@dataclass(frozen=True)
class Way:
    """Corners with bends of a radius; ``bow`` is a curve in their place."""

    corners: tuple[Point, ...] = ()
    bow: Curve = ()
    radius: float = BEND

    def shared(self, other: "Way") -> float:
        """How far from its start a way runs along another one."""
        length = 0.0
        if self.bow or other.bow or self.corners[0] != other.corners[0]:
            return length
        pieces = zip(pairwise(self.corners), pairwise(other.corners), strict=False)
        for (a, b), (_, d) in pieces:
            mine, theirs, apart = dist(a, b), dist(a, d), dist(b, d)
            if abs(apart - abs(mine - theirs)) > 1e-6:  # in another direction
                return length
            length += min(mine, theirs)
            if apart > 1e-6:
                return length
        return length

    def curve(self, after: float = 0.0) -> Curve:
        """The way from a little before that length on, or all of it."""
        start = max(after - self.radius, 0.0)
        return self.bow or rounded(*self._from(start), radius=self.radius)

    def own(self, after: float) -> Curve:
        """The way from that length on."""
        return self.bow or rounded(*self._from(after), radius=min(self.radius, 7.0))

    def split(self, at: Point, half: float) -> tuple["Way", "Way"]:
        """What leads to a square that lies on the way, and what leaves it."""
        length = whole = 0.0
        for a, b in pairwise(self.corners):
            if abs(dist(a, at) + dist(at, b) - dist(a, b)) < 1e-6:
                length = whole + dist(a, at)
            whole += dist(a, b)
        into = Way(self.corners[::-1])._from(whole - length + half)[::-1]
        after = self._from(length + half)
        return Way(into, radius=self.radius), Way(after, radius=self.radius)

    def _from(self, length: float) -> tuple[Point, ...]:
        for i, (a, b) in enumerate(pairwise(self.corners)):
            here = dist(a, b)
            if length < here - 1e-6:
                start = toward(a, b, length) if length else a
                return (start, *self.corners[i + 1 :])
            length -= here
        return self.corners[-2:]


def polyline_way(*corners: Point, radius: float = BEND) -> Way:
    """A way through corners, without those that lie on each other."""
    found = [corners[0]]
    for corner in corners[1:]:
        if dist(corner, found[-1]) > 0.5:
            found.append(corner)
    return Way(tuple(found), radius=radius)


def way_of(
    column: Column, a: Arrow, xs: float, xt: float, base: float, phase: int = 0
) -> Way:
    """The way of an arrow from a circle at ``xs`` to one at ``xt``.

    ``base`` is the middle of the source's column; ``phase`` numbers the tracks of a net
    whose delay is more than a step.
    """
    form = column.form[a]
    if form == "straight":
        return _straight(column, a, xs, xt)
    if form == "arc":
        return _arc(column, a, xs, xt)
    ports = column.ports
    ys, yt = column.height(a.source), column.height(a.target)
    if form == "side":
        x, side = ports.lanes[a]
        x += base
        way = "E" if side > 0 else "W"
        p = ports.rim(way, ports.at((a, "out"), a.source), xs, ys)
        q = ports.rim(way, ports.at((a, "in"), a.target), xt, yt)
        return polyline_way(p, (x, p[1]), (x, q[1]), q, radius=16.0)
    net = column.trunk_of(a)
    assert net is not None, "the other forms are of single arrows"
    if net.kind == "fan":
        p = ports.rim("N", ports.at(net, a.source), xs, ys)
        q = ports.rim("S", ports.at(a, a.target), xt, yt)
        y = column.track(column.level[a.target], net)
        return polyline_way(p, (p[0], y), (q[0], y), q, radius=7.0)
    return _trunk(column, net, a, (xs, ys), (xt, yt), base, phase)


def _straight(column: Column, a: Arrow, xs: float, xt: float) -> Way:
    ys, yt = column.height(a.source), column.height(a.target)
    angle = atan2(yt - ys, xt - xs)
    out = angle + column.ports.turn.get((a, "out"), 0.0)
    into = angle + pi + column.ports.turn.get((a, "in"), 0.0)
    p = xs + RADIUS * cos(out), ys + RADIUS * sin(out)
    q = xt + RADIUS * cos(into), yt + RADIUS * sin(into)
    return Way((p, q))


def _arc(column: Column, a: Arrow, xs: float, xt: float) -> Way:
    """Over the columns between: a later one higher and steeper."""
    side = 1 if xt > xs else -1
    far = column.far(a)
    same = {abs(b.delay) for b in column.later if b.source == a.source}
    same |= {column.far(b) for b in column.now if column.form[b] == "arc"}
    same = {d for d in same if d > 1} | {far}
    same |= {d for key, d in column.starts if key == a.source}
    angle = (50 + 15 * min(sorted(same).index(far), 2)) * pi / 180
    dx, dy = side * RADIUS * cos(angle), RADIUS * sin(angle)
    p = xs + dx, column.height(a.source) + dy
    q = xt - dx, column.height(a.target) + dy
    lift = column.lift(a.source, far)
    wide = side * abs(q[0] - p[0]) * 0.2
    return Way((), (p, (p[0] + wide, p[1] + lift), (q[0] - wide, q[1] + lift), q))


def _trunk(
    column: Column, net: Net, a: Arrow, s: Point, t: Point, base: float, phase: int
) -> Way:
    """Out, along the vertical of the net, and to the target."""
    ports, out, near = column.ports, column.out(net), column.near(net)
    x, y = base + ports.vertical[net], column.exit(net)
    if column.beside(net.source, out):
        p = ports.rim("N", ports.at(net, net.source), *s)
        lead: tuple[Point, ...] = (p, (p[0], y))
    else:
        lead = (ports.rim("E" if out > 0 else "W", ports.at(net, net.source), *s),)
    level = column.enter(net, a, phase)
    way = {"side": "E" if near > 0 else "W", "top": "N", "drop": "S"}[net.entry[a]]
    q = ports.rim(way, ports.at(a, a.target), *t)
    turn = () if net.entry[a] == "side" else ((q[0], level),)
    return polyline_way(*lead, (x, y), (x, level), *turn, q)
