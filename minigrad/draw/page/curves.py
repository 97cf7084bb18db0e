"""Geometry of arrows: straight lines, arcs, and polylines as Bezier control points.

Vocabulary
    curve   3n + 1 points: an end, then two controls and an end for each piece
    shaft   the part of an arrow before its head

>>> straight((0, 0), (30, 0))
((0, 0), (10.0, 0.0), (20.0, 0.0), (30, 0))
"""

from collections.abc import Callable
from itertools import pairwise
from math import dist, hypot, sqrt

from minigrad.draw.page.scene import Node, Point

HEAD, WIDE = 8.5, 0.4
NEARLY = 1.15
Curve = tuple[Point, ...]


def between(a: Point, b: Point, share: float) -> Point:
    """The point that divides a line from a to b."""
    return (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share)


def straight(a: Point, b: Point) -> Curve:
    """A straight piece."""
    return (a, between(a, b, 1 / 3), between(a, b, 2 / 3), b)


def polyline(*corners: Point) -> Curve:
    """Straight pieces through all corners."""
    curve: Curve = (corners[0],)
    for a, b in pairwise(corners):
        curve += straight(a, b)[1:]
    return curve


def rounded(*corners: Point, radius: float = 8.0) -> Curve:
    """Straight pieces whose inner corners are rounded off."""
    curve: Curve = (corners[0],)
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        reach = min(
            radius,
            hypot(corner[0] - before[0], corner[1] - before[1]) / 2,
            hypot(after[0] - corner[0], after[1] - corner[1]) / 2,
        )
        start = toward(corner, before, reach)
        end = toward(corner, after, reach)
        controls = (between(start, corner, 0.55), between(end, corner, 0.55))
        curve += (*straight(curve[-1], start)[1:], *controls, end)
    return curve + straight(curve[-1], corners[-1])[1:]


def toward(a: Point, b: Point, distance: float) -> Point:
    """The point at that distance from a in the direction of b."""
    length = hypot(b[0] - a[0], b[1] - a[1]) or 1.0
    return between(a, b, distance / length)


def point_at(curve: Curve, share: float) -> Point:
    """The point of a curve at a share (0..1) of its pieces."""
    pieces = (len(curve) - 1) // 3
    piece = min(int(share * pieces), pieces - 1)
    u = share * pieces - piece
    return _blossom(curve[3 * piece : 3 * piece + 4], u, u, u)


def _blossom(piece: Curve, u: float, v: float, w: float) -> Point:
    """De Casteljau's way to a point, with a share of its own at each level."""
    a, b, c, d = piece
    ab, bc, cd = between(a, b, u), between(b, c, u), between(c, d, u)
    return between(between(ab, bc, v), between(bc, cd, v), w)


def sample(curve: Curve, steps: int = 24) -> list[Point]:
    """Points along a curve, for measuring."""
    count = steps * ((len(curve) - 1) // 3)
    return [point_at(curve, i / count) for i in range(count + 1)]


def part_of(curve: Curve, start: float, end: float) -> Curve:
    """The piece of a one-piece curve between two shares."""
    ways = ((start,) * 3, (start, start, end), (start, end, end), (end,) * 3)
    return tuple(_blossom(curve, *way) for way in ways)


def _leaves(piece: Curve, inside: Callable[[Point], bool]) -> tuple[float, float]:
    """The shares between which a piece leaves what its start lies in."""
    low, high = 0.0, 1.0
    for _ in range(40):
        share = (low + high) / 2
        within = inside(point_at(piece, share))
        low, high = (share, high) if within else (low, share)
    return low, high


def shaft_of(curve: Curve, thickness: float = 1.0) -> Curve:
    """An arrow without its head, which reaches from the shaft's end to the curve's.

    The curve is divided there, so that both controls of its last piece lie before the
    head, however short the piece was. A head takes at most two thirds of what leads to
    it without a corner.

    >>> round(shaft_of(straight((0, 0), (30, 0)))[-1][0], 6)
    21.5
    >>> round(shaft_of(polyline((0, 0), (30, 0), (30, 6)))[-1][1], 6)
    2.0
    """
    tip = curve[-1]

    def away(p: Point) -> float:
        return hypot(p[0] - tip[0], p[1] - tip[1])

    head = HEAD * min(1.8, 0.8 + 0.2 * thickness)
    start = len(curve) - 4
    # A piece that is hardly longer than a head is all head.
    while start > 0 and away(curve[start]) <= NEARLY * head:
        if _is_corner(curve, start):
            break
        start -= 3
    head = min(head, 2 / 3 * max(map(away, sample(curve[start:], 8))))
    piece = curve[start : start + 4]
    end, _ = _leaves(piece, lambda p: away(p) > head)
    return (*curve[:start], *part_of(piece, 0.0, end))


def _is_corner(curve: Curve, at: int) -> bool:
    """Whether a curve turns by more than 45 degrees where two pieces meet."""
    before = complex(*curve[at]) - complex(*curve[at - 1])
    after = complex(*curve[at + 1]) - complex(*curve[at])
    return (after * before.conjugate()).real < 0.7 * abs(after) * abs(before)


def leaving(curve: Curve, node: Node) -> Curve:
    """A curve from where it leaves an oval at its start.

    >>> oval = Node("h", 0, 0, 60, 46, shape="oval")
    >>> round(leaving(straight((0, 0), (96, 0)), oval)[0][0], 6)
    30.0
    """

    def inside(p: Point) -> bool:
        x, y = (p[0] - node.x) / node.width, (p[1] - node.y) / node.height
        return x * x + y * y < 0.25

    pieces = [curve[i : i + 4] for i in range(0, len(curve) - 1, 3)]
    while len(pieces) > 1 and inside(pieces[0][-1]):
        pieces.pop(0)
    if not inside(pieces[0][0]):
        return curve
    _, start = _leaves(pieces[0], inside)
    first = part_of(pieces[0], start, 1.0)
    return (*first, *(p for piece in pieces[1:] for p in piece[1:]))


def head_of(base: Point, tip: Point) -> tuple[Point, Point, Point]:
    """The corners of an arrow's head: its tip, and both ends of its base."""
    dx, dy = (tip[0] - base[0]) * WIDE, (tip[1] - base[1]) * WIDE
    return tip, (base[0] - dy, base[1] + dx), (base[0] + dy, base[1] - dx)


def _unit(a: Point, b: Point) -> Point:
    """The unit vector from a to b."""
    length = hypot(b[0] - a[0], b[1] - a[1]) or 1.0
    return (b[0] - a[0]) / length, (b[1] - a[1]) / length


def _right(a: Point, b: Point) -> Point:
    """The unit vector to the right of the way from a to b."""
    dx, dy = _unit(a, b)
    return dy, -dx


def clipped(tail: Node, tip: Node, aside: float = 0.0) -> Curve:
    """A straight line between two outlines.

    ``aside`` moves it to the right-hand side as seen from the tail, so that an arrow
    and its reversal run next to each other.
    """
    a, b = (tail.x, tail.y), (tip.x, tip.y)
    dx, dy = _right(a, b)
    a = (a[0] + dx * aside, a[1] + dy * aside)
    b = (b[0] + dx * aside, b[1] + dy * aside)
    return straight(toward(a, b, reach(tail, a, b)), toward(b, a, reach(tip, b, a)))


def reach(node: Node, a: Point, b: Point) -> float:
    """How far from ``a`` the line towards ``b`` leaves the outline of a node."""
    dx, dy = _unit(a, b)
    px, py = a[0] - node.x, a[1] - node.y
    wide, high = node.width / 2, node.height / 2
    if node.shape in ("circle", "oval", "dot"):
        square = (dx / wide) ** 2 + (dy / high) ** 2
        along = px * dx / wide**2 + py * dy / high**2
        rest = (px / wide) ** 2 + (py / high) ** 2 - 1
        return (-along + sqrt(max(0.0, along**2 - square * rest))) / square
    ways = []
    if dx:
        ways.append(((wide if dx > 0 else -wide) - px) / dx)
    if dy:
        ways.append(((high if dy > 0 else -high) - py) / dy)
    return min(ways, default=0.0)


def parallel(curve: Curve, aside: float) -> Curve:
    """A curve beside another one, on the right-hand side as seen from its start.

    >>> parallel(straight((0, 0), (30, 0)), 8.0)
    ((0.0, -8.0), (10.0, -8.0), (20.0, -8.0), (30.0, -8.0))
    """
    found: list[Point] = []
    for i in range(0, len(curve) - 1, 3):
        a, b, c, d = curve[i : i + 4]
        start, end = _right(a, b if b != a else d), _right(c if c != d else a, d)

        def moved(p: Point, *by: Point) -> Point:
            return p[0] + aside * sum(x for x, _ in by), p[1] + aside * sum(
                y for _, y in by
            )

        piece = [moved(a, start), moved(b, start), moved(c, end), moved(d, end)]
        if hypot(start[0] - end[0], start[1] - end[1]) > 0.1:
            # The inner side of a bend is shorter than the outer one.
            corner = moved(between(b, c, 0.5), start, end)
            piece[1:3] = [between(p, corner, 0.55) for p in (piece[0], piece[3])]
        found += piece[bool(found) :]
    return tuple(found)


def trimmed(curve: Curve, tail: Node | None, tip: Node | None) -> Curve:
    """A curve whose straight ends lie on the outlines of circles."""
    points = list(curve)
    for node, end, inner, other in ((tail, 0, 1, 3), (tip, -1, -2, -4)):
        if node is not None:
            way = points[end], points[inner]
            points[end] = toward(*way, reach(node, *way))
            if dist(points[other], points[inner]) > dist(points[other], points[end]):
                # The outline is nearer than the control point: no way back from that.
                points[inner] = between(points[end], points[other], 1 / 3)
    return tuple(points)
