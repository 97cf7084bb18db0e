"""The sheet that a view is drawn on, and where labels of arrows find room.

Vocabulary
    wish    a label that wants to stand beside its arrow

Labels are placed last, when all outlines and arrows are known: at the middle of the
arrow and above it or to its right if nothing is there, else at the first free place
along it.

>>> from minigrad.draw.scene import Run
>>> sheet = Sheet()
>>> sheet.add(Node("a", 0, 0, 46, 46)), sheet.add(Node("b", 96, 0, 46, 46))
(None, None)
>>> sheet.connect("a", "b", label=((Run("W", "bold", 18),),))
>>> [(text.words, text.x, round(text.y, 1)) for text in sheet.scene().texts]
[('W', 76.75, 49.1)]
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from textwrap import wrap
from typing import Any

from minigrad.draw.curves import (
    HEAD,
    Curve,
    beside,
    between,
    clipped,
    point_at,
    polyline,
    sample,
)
from minigrad.draw.dot import clean
from minigrad.draw.fonts import width
from minigrad.draw.scene import (
    Edge,
    Frame,
    Lines,
    Node,
    Point,
    Rectangle,
    Run,
    Scene,
    Text,
    arranged,
    bounds,
    extent,
)

SHARES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82)
CLEAR, CAPTION = 2.0, 13.0


@dataclass
class Wish:
    """A label beside a curve; ``share`` is where along it is tried first."""

    lines: Lines
    curve: Curve
    share: float
    part: str
    kind: str


@dataclass
class Sheet:
    """Nodes, edges and texts while a view draws them."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    elided: int = 0
    ways: dict[tuple[str, str], Wish] = field(default_factory=dict)

    def add(self, node: Node) -> None:
        """Put a node on the sheet."""
        self.nodes[node.key] = node

    def write(
        self, x: float, y: float, lines: Lines, kind: str = "ink", part: str = ""
    ) -> None:
        """Put a text on the sheet."""
        self.texts.append(Text(x, y, lines, kind, part=part))

    def connect(
        self,
        tail: str,
        tip: str,
        curve: Curve | None = None,
        label: Lines = (),
        share: float = 0.5,
        text_kind: str = "ink",
        **details: Any,
    ) -> None:
        """Draw an arrow (straight without a curve), and wish for its label."""
        if curve is None:
            curve = clipped(self.nodes[tail], self.nodes[tip])
        words = ", ".join("".join(run.text for run in line) for line in label)
        edge = Edge(tail, tip, curve, label=words, **details)
        self.edges.append(edge)
        wish = Wish(label, _shaft(edge), share, edge.part, text_kind)
        self.ways[tail, tip] = wish
        if label:
            self.wishes.append(wish)

    def join(self, tail: str, tip: str, label: Lines) -> bool:
        """Add a label to an arrow that is there; False if there is no such arrow."""
        wish = self.ways.get((tail, tip))
        if wish is None:
            return False
        if label and not wish.lines:
            self.wishes.append(wish)
        comma = (Run(", ", "serif", 18.0),)
        wish.lines = ((*wish.lines[0], *comma, *label[0]),) if wish.lines else label
        return True

    @property
    def bounds(self) -> Rectangle:
        """The rectangle around everything so far."""
        nodes = tuple(self.nodes.values())
        return bounds(Scene(nodes, (*self.edges,), (*self.texts,), (*self.frames,)))

    @property
    def right(self) -> float:
        """The x of the rightmost thing so far."""
        return self.bounds[2]

    def settle(self) -> None:
        """Place the labels that have been wished for so far."""
        self.texts += place(self.wishes, self.nodes.values(), self.edges, self.texts)
        self.wishes = []

    def scene(self, caption: str | None = None) -> Scene:
        """The finished scene, with all labels placed and the caption below."""
        self.settle()
        if caption:
            left, low, right, _ = self.bounds
            lines = _wrapped(caption, max(right - left, 240.0))
            y = low - 14 - extent(lines)[1] / 2
            self.write((left + right) / 2, y, lines, "caption")
        return arranged(
            self.nodes.values(),
            self.edges,
            self.texts,
            self.frames,
            self.elided,
            caption or "",
        )


def _shaft(edge: Edge) -> Curve:
    """A straight arrow without its head, whose middle is where the eye sees it."""
    a, b = edge.points[0], edge.points[-1]
    length = ((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2) ** 0.5
    if not edge.head or len(edge.points) != 4 or length < 1:
        return edge.points
    vertical = abs(b[0] - a[0]) < 1
    if vertical:
        return edge.points
    keep = 1 - HEAD / length
    return polyline(a, (a[0] + (b[0] - a[0]) * keep, a[1] + (b[1] - a[1]) * keep))


def _wrapped(caption: str, room: float) -> Lines:
    """The lines of a caption, at most as wide as the figure and six in number."""
    letters = int(room / width("n", "serif", CAPTION))
    lines = [
        part for line in caption.split("\n") for part in wrap(clean(line), letters)
    ]
    if len(lines) > 6:
        lines = [*lines[:5], lines[5][:-1] + "…"]
    return tuple((Run(line, "serif", CAPTION),) for line in lines)


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
    lines = [_Line(sample(e.points, 24)) for e in edges if e.points]
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
        placed.append(Text(*best[1], wish.lines, wish.kind, part=wish.part))
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

    def __init__(self, points: list[Point]) -> None:
        self.points = points
        self.left = min(x for x, _ in points) - CLEAR
        self.right = max(x for x, _ in points) + CLEAR
        self.low = min(y for _, y in points) - CLEAR
        self.high = max(y for _, y in points) + CLEAR

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
        if x0 > self.right or x1 < self.left or y0 > self.high or y1 < self.low:
            return 0.0
        return float(
            sum(
                x0 - CLEAR < x < x1 + CLEAR and y0 - CLEAR < y < y1 + CLEAR
                for x, y in self.points
            )
        )
