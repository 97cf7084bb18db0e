"""Where steps are left out: a finished drawing is cut, and its right part moved.

Vocabulary
    cut     the x at which the drawing is cut, in the channel after the last step before
            the gap; what lies to the right of it moves by GAP
    half    one of the two parts of an arrow across the cut; each has one end

>>> from minigrad.draw.page.curves import straight
>>> left, right, y = halves(straight((0, 0), (60, 0)), Cut(30.0))
>>> left[-1], right[0], right[-1], y
((54.0, 0.0), (118.0, 0.0), (164.0, 0.0), 0.0)
"""

from itertools import groupby, pairwise
from math import hypot
from typing import NamedTuple

from minigrad.draw.page.curves import (
    HEAD,
    Curve,
    part_of,
    point_at,
    sample,
    straight,
    toward,
)
from minigrad.draw.page.scene import Lines, extent

GAP, NEAR = 104.0, 8.5


class Cut(NamedTuple):
    """The place of a cut, and how far ends before and after it are drawn on."""

    x: float
    before: float = 24.0
    after: float = 16.0

    def moved(self, x: float) -> float:
        """Where something at x stands after the cut."""
        return x + GAP if x > self.x else x

    @property
    def middle(self) -> float:
        """The x of the dots."""
        return self.x + (GAP + self.before - self.after) / 2


def moved(curve: Curve) -> Curve:
    """A curve in the right part."""
    return tuple((x + GAP, y) for x, y in curve)


def halves(curve: Curve, cut: Cut) -> tuple[Curve, Curve, float | None]:
    """The left and the right half of a curve, and the y at which it was cut."""
    parts: tuple[list[Curve], list[Curve]] = [], []
    level: float | None = None
    for i in range(0, len(curve) - 1, 3):
        piece = curve[i : i + 4]
        begins, ends = piece[0][0] > cut.x, piece[-1][0] > cut.x
        if begins == ends:
            parts[begins].append(piece)
            continue
        share = _share(piece, cut.x)
        one, two = part_of(piece, 0.0, share), part_of(piece, share, 1.0)
        x, y = at = point_at(piece, share)
        ahead = two[1] if hypot(two[1][0] - x, two[1][1] - y) >= 1e-6 else two[-1]
        far, near = (cut.after, cut.before) if begins else (cut.before, cut.after)
        end, start = toward(at, ahead, far), toward(at, ahead, -near)
        parts[begins].extend((one, straight(at, end)))
        parts[ends].extend((straight(start, at), two))
        dx, dy = toward(at, ahead, 1.0)[0] - x, toward(at, ahead, 1.0)[1] - y
        level = y + (dy * (far - near) / 2 if abs(dx) > 0.05 else 0.0)
    return _joined(parts[0]), moved(_joined(parts[1])), level


def _share(piece: Curve, x: float) -> float:
    """Where a piece crosses x."""
    low, high = 0.0, 1.0
    begins = piece[0][0] <= x
    for _ in range(40):
        middle = (low + high) / 2
        if (point_at(piece, middle)[0] <= x) == begins:
            low = middle
        else:
            high = middle
    return low


def _joined(pieces: list[Curve]) -> Curve:
    if not pieces:
        return ()
    return (pieces[0][0], *(point for piece in pieces for point in piece[1:]))


def heights_of_dots(levels: list[float]) -> list[float]:
    """The heights of the dots; arrows that are cut close together have one place.

    >>> heights_of_dots([0.0, 6.0, 40.0])
    [3.0, 40.0]
    """
    groups: list[list[float]] = []
    for y, _ in groupby(sorted(levels)):
        if groups and y - groups[-1][-1] < NEAR:
            groups[-1].append(y)
        else:
            groups.append([y])
    return [sum(group) / len(group) for group in groups]


def has_room(own: Curve, letters: Lines) -> bool:
    """Whether the own part of half an arrow is long enough for its letters."""
    points = sample(own, 8) if own else []
    length = sum(hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(points))
    return length >= extent(letters)[0] + HEAD
