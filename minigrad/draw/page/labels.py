"""Where the labels of arrows find room.

Vocabulary
    wish    a label that wants to stand beside its arrow

Labels are placed when all outlines and arrows are known: at the middle of the arrow and
above it or to its right if nothing is there, else at the first place along it where
they touch nothing and no other arrow lies between.

>>> from minigrad.draw.page.curves import straight
>>> from minigrad.draw.page.scene import Run
>>> wish = Wish(((Run("W", "bold", 18),),), straight((0, 0), (40, 0)), 0.5, "", "ink")
>>> [(text.x, round(text.y, 1)) for text in place([wish], [], [], [])]
[(20.0, 14.1)]
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from minigrad.draw.page.curves import Curve, beside, between, point_at, sample
from minigrad.draw.page.scene import (
    Edge,
    Lines,
    Node,
    Point,
    Rectangle,
    Text,
    extent,
)

SHARES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82)
CLEAR = 2.0


@dataclass
class Wish:
    """A label beside a curve; ``share`` is where along it is tried first."""

    lines: Lines
    curve: Curve
    share: float
    part: str
    kind: str
    edge: str | None = None
    word: str = ""


def place(
    wishes: Iterable[Wish],
    nodes: Iterable[Node],
    edges: Iterable[Edge],
    texts: Iterable[Text],
) -> list[Text]:
    """Texts for all wishes, each where it touches nothing if there is such a place."""
    taken = [_box(n.x, n.y, n.width, n.height) for n in nodes if n.shape != "text"]
    for text in texts:
        taken.append(_box(text.x, text.y, *_ink(text.lines)))
    lines = [_Line(sample(e.points, 24), e.thickness) for e in edges if e.points]
    placed = []
    # Level arrows first: theirs is the only good place above them.
    for wish in sorted(wishes, key=lambda w: abs(w.curve[0][1] - w.curve[-1][1]) > 1):
        size = _ink(wish.lines)
        best: tuple[float, Point] | None = None
        for at, anchor in _candidates(wish, size):
            box = _box(*at, *size)
            cost = sum(_overlap(box, other) for other in taken)
            cost += sum(line.through(box) for line in lines)
            # Across another arrow it would be taken for that one's label.
            start = between(anchor, at, 0.1)
            cost += sum(line.crosses(start, at) for line in lines)
            if best is None or cost < best[0]:
                best = (cost, at)
            if not cost:
                break
        assert best is not None, "there is always a candidate"
        taken.append(_box(*best[1], *size))
        placed.append(
            Text(
                *best[1],
                wish.lines,
                wish.kind,
                part=wish.part,
                edge=wish.edge,
                word=wish.word,
            )
        )
    return placed


def _candidates(wish: Wish, size: Point) -> Iterable[tuple[Point, Point]]:
    """Places for a label, the best first, each with its point on the arrow."""
    shares = sorted(SHARES, key=lambda s: abs(s - wish.share))
    for gap in (6.0, 10.0, 16.0):
        for side in (1, -1):
            for share in shares:
                a = point_at(wish.curve, max(share - 0.02, 0))
                b = point_at(wish.curve, min(share + 0.02, 1))
                middle = point_at(wish.curve, share)
                x, y = beside(a, b, middle, size, gap)
                if side < 0:
                    x, y = 2 * middle[0] - x, 2 * middle[1] - y
                yield (x, y), middle


def _ink(lines: Lines) -> Point:
    """The size of a label without the white above and below its letters."""
    wide, high = extent(lines)
    return wide, high * 0.75


def _box(x: float, y: float, wide: float, high: float) -> Rectangle:
    return (x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)


def _overlap(a: Rectangle, b: Rectangle) -> float:
    wide = min(a[2], b[2]) - max(a[0], b[0]) + CLEAR
    high = min(a[3], b[3]) - max(a[1], b[1]) + CLEAR
    return min(wide, high) if wide > 0 and high > 0 else 0.0


def _turn(a: Point, b: Point, c: Point) -> bool:
    """Whether c lies left of the line from a to b."""
    return (b[0] - a[0]) * (c[1] - a[1]) > (b[1] - a[1]) * (c[0] - a[0])


class _Line:
    """The points of an arrow, with the box around them for a quick no."""

    def __init__(self, points: list[Point], thickness: float) -> None:
        self.points = points
        self.clear = clear = CLEAR + thickness / 2
        self.left = min(x for x, _ in points) - clear
        self.right = max(x for x, _ in points) + clear
        self.low = min(y for _, y in points) - clear
        self.high = max(y for _, y in points) + clear

    def crosses(self, a: Point, b: Point) -> bool:
        """Whether the line runs between two points."""
        if max(a[0], b[0]) < self.left or min(a[0], b[0]) > self.right:
            return False
        if max(a[1], b[1]) < self.low or min(a[1], b[1]) > self.high:
            return False
        return any(
            _turn(a, b, p) != _turn(a, b, q) and _turn(p, q, a) != _turn(p, q, b)
            for p, q in pairwise(self.points)
        )

    def through(self, box: Rectangle) -> float:
        """How much of the line runs through a box."""
        x0, y0, x1, y1 = box
        clear = self.clear
        if x0 > self.right or x1 < self.left or y0 > self.high or y1 < self.low:
            return 0.0
        return float(
            sum(
                x0 - clear < x < x1 + clear and y0 - clear < y < y1 + clear
                for x, y in self.points
            )
        )
