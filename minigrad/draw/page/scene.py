"""A figure as pure data: what stands where, with no word about who draws it.

Vocabulary
    run     a stretch of text in one face and size, perhaps raised (a superscript)
    line    runs side by side; a label is lines one above the other
    node    an outline with a label inside: a circle, a box, the delay square, a dot
    edge    Bezier control points from tail to tip, with or without an arrow head
    text    a label without an outline
    kind    what a thing is ("hidden", "loss", "gradient"); a style gives it its colours
    id      what tells a thing from all others in its scene: made from its role, the
            same at every length; steps are counted from the nearer end ("h@3", and
            "o@-1" of the last step), "h@t" is a circle of the circuit
    role    the line of the program that a circle or box stands for, at all steps
    home    the id of what stands for the same thing in the circuit
    covers  the recorded edges that an edge of the figure stands for, as pairs of ids
    uses    the uses of parameters on an edge: (name, place of the consumer among the
            graph's nodes, argument)
    net     what arrows with one trunk have in common: its name
    own     the part of an edge that no sister in its net with other letters runs along

Points (1/72 inch), y upwards.

>>> circle = Node("h", 40, 40, 46, 46, ((Run("h", "bolditalic", 18),),), kind="hidden")
>>> scene = arranged([circle], [], [])
>>> (scene.width, scene.height, scene.nodes[0].x)
(72.0, 72.0, 36.0)
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from minigrad.draw.page.fonts import width

MARGIN, GRID = 8.0, 18.0
# Accents behind the letter that they stand on, and the signs that look like them.
MARKS = dict(zip("\u0302\u0303\u0304\u0307\u0308\u20d7", "ˆ˜¯˙¨→", strict=True))

Point = tuple[float, float]
Rectangle = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text in one face."""

    text: str
    face: str = "sans"
    size: float = 11.0
    rise: float = 0.0

    @property
    def width(self) -> float:
        """The width in points."""
        return width(self.text, self.face, self.size)


Line = tuple[Run, ...]
Lines = tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """An outline with a label inside.

    ``name`` is its name in the program, ``t`` its step, ``last`` that step counted from
    the last one (0, -1, ..).
    """

    id: str
    x: float
    y: float
    width: float
    height: float
    lines: Lines = ()
    shape: str = "circle"
    kind: str = "value"
    title: str = ""
    name: str = ""
    t: int | None = None
    part: str = ""
    role: str = ""
    last: int | None = None
    home: str = ""
    dashed: bool = False
    fill: str | None = None
    ink: str | None = None
    border: str | None = None
    bus: int | None = None

    @property
    def box(self) -> Rectangle:
        """The rectangle around the outline, or the letters that have none."""
        none = self.shape == "text"
        size = extent(self.lines) if none else (self.width, self.height)
        return _box(self.x, self.y, *size)


@dataclass(frozen=True, slots=True)
class Edge:
    """A curve of 3n + 1 control points, the last the tip of the arrow's head.

    ``tail`` and ``tip`` are ids of nodes, "" for an end among the steps left out. A
    parameter that multiplies transposed is called "Wᵀ". ``delay`` counts steps;
    ``place`` is that of an operand whose place matters, as in a - b.
    """

    tail: str
    tip: str
    points: tuple[Point, ...] = ()
    head: bool = True
    kind: str = "forward"
    dashed: bool = False
    thickness: float = 1.0
    title: str = ""
    part: str = ""
    id: str = ""
    parameters: tuple[str, ...] = ()
    delay: int = 0
    covers: tuple[tuple[str, str], ...] = ()
    uses: tuple[tuple[str, int, int], ...] = ()
    net: str | None = None
    own: tuple[Point, ...] = ()
    home: str = ""
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A label without an outline, centred on its point.

    A backed one lies on a patch of paper that hides the line under it.

    ``edge`` is the id of the edge that letters belong to; ``word`` says which word of
    the figures it is ("unfold", "more steps", "only"), for a style that translates it.
    """

    x: float
    y: float
    lines: Lines
    kind: str = "ink"
    part: str = ""
    edge: str | None = None
    word: str = ""
    backed: bool = False

    @property
    def box(self) -> Rectangle:
        """The rectangle around all lines."""
        return _box(self.x, self.y, *extent(self.lines))

    @property
    def patch(self) -> Rectangle:
        """The paper under a backed text."""
        wide, high = extent(self.lines)
        return _box(self.x, self.y, wide + 2, 0.75 * high)

    @property
    def words(self) -> str:
        """The text without its typography."""
        return "\n".join("".join(run.text for run in line) for line in self.lines)


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle behind the nodes: a scope, or a swatch of a colour bar."""

    box: Rectangle
    kind: str = "frame"
    fill: str | None = None
    part: str = ""


@dataclass(frozen=True)
class Scene:
    """The whole figure.

    ``elided`` counts the recorded edges between steps that are not shown.
    ``length`` has the number of steps of each loop, ``recorded`` that of the record;
    ``multiplied`` the parameters that have to be on arrows, ``unread`` the initial
    values that are not shown, for only steps that are left out read them.
    """

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    texts: tuple[Text, ...] = ()
    frames: tuple[Frame, ...] = ()
    width: float = 0.0
    height: float = 0.0
    elided: int = 0
    title: str = ""
    length: tuple[int, ...] = ()
    recorded: tuple[int, ...] = ()
    multiplied: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    def node(self, id: str) -> Node:
        """The node with that id."""
        return {node.id: node for node in self.nodes}[id]

    def edge(self, id: str) -> Edge:
        """The edge with that id."""
        return {edge.id: edge for edge in self.edges}[id]


def _box(x: float, y: float, wide: float, high: float) -> Rectangle:
    return (x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)


def around(boxes: Iterable[Rectangle], pad: float = 0.0) -> Rectangle:
    """The smallest rectangle around others, wider by ``pad`` on all sides; 0 of none.

    >>> around([(0, 0, 1, 1), (3, -2, 4, 0)], 1.0)
    (-1.0, -3.0, 5.0, 2.0)
    """
    left, low, right, high = (
        zip(*boxes, strict=True) if (boxes := [*boxes]) else [[0.0]] * 4
    )
    return (min(left) - pad, min(low) - pad, max(right) + pad, max(high) + pad)


def line_width(line: Line) -> float:
    """The width of runs side by side."""
    return sum(run.width for run in line)


def line_height(line: Line) -> float:
    """The height of a line: 1.2 em of its largest run."""
    return max((run.size for run in line), default=0.0) * 1.2


def extent(lines: Lines) -> tuple[float, float]:
    """The width and height of a label."""
    return max(map(line_width, lines), default=0.0), sum(map(line_height, lines))


def placed_lines(y: float, lines: Lines) -> Iterator[tuple[float, Line]]:
    """The middle of each line of a label that is centred on y; none of an empty one."""
    top = y + extent(lines)[1] / 2
    for line in filter(None, lines):
        top -= line_height(line)
        yield top + line_height(line) / 2, line


def placed_runs(x: float, y: float, lines: Lines) -> Iterator[tuple[float, float, Run]]:
    """The centre of each run of a label that is centred on (x, y).

    Accents that the fonts have on no letter of their own are runs too.
    """
    for middle, line in placed_lines(y, lines):
        left = x - line_width(line) / 2
        for run in line:
            yield from _apart(left, middle + run.rise, run)
            left += run.width


def _apart(left: float, y: float, run: Run) -> Iterator[tuple[float, float, Run]]:
    """A run, and its accents as runs of their own above the letters that have them."""
    if not MARKS.keys() & run.text:
        yield left + run.width / 2, y, run
        return
    letters = ""
    for sign in run.text:
        if sign not in MARKS:
            letters += sign
            continue
        over = letters[-1:]
        tall = over.isupper() or over in "bdfhklt"
        flat = MARKS[sign] == "→"
        size, rise = (0.55, 0.5) if flat else (1.0, 0.0)
        x = left + width(letters, run.face, run.size)
        x -= width(over, run.face, run.size) / 2
        mark = replace(run, text=MARKS[sign], face="serif", size=size * run.size)
        yield x, y + (rise + 0.17 * tall) * run.size, mark
    yield left + run.width / 2, y, replace(run, text=letters)


def bounds(scene: Scene) -> Rectangle:
    """The smallest rectangle around everything in the scene."""
    boxes = [node.box for node in scene.nodes] + [text.box for text in scene.texts]
    boxes += [(*p, *p) for edge in scene.edges for p in edge.points]
    return around([*boxes, *(frame.box for frame in scene.frames)])


def moved(scene: Scene, dx: float, dy: float) -> Scene:
    """The same scene somewhere else; coordinates are rounded to 1/100 pt."""

    def at(*points: Point) -> tuple[Point, ...]:
        # Adding 0.0 turns -0.0 into 0.0, which prints the same on every machine.
        return tuple(
            (round(x + dx, 2) + 0.0, round(y + dy, 2) + 0.0) for x, y in points
        )

    def placed(thing: Any) -> Any:
        ((x, y),) = at((thing.x, thing.y))
        return replace(thing, x=x, y=y)

    def framed(frame: Frame) -> Frame:
        a, b = at(frame.box[:2], frame.box[2:])
        return replace(frame, box=(*a, *b))

    return replace(
        scene,
        nodes=tuple(map(placed, scene.nodes)),
        texts=tuple(map(placed, scene.texts)),
        edges=tuple(
            replace(e, points=at(*e.points), own=at(*e.own)) for e in scene.edges
        ),
        frames=tuple(map(framed, scene.frames)),
    )


def arranged(
    nodes: Iterable[Node],
    edges: Iterable[Edge],
    texts: Iterable[Text],
    frames: Iterable[Frame] = (),
    **details: Any,
) -> Scene:
    """A placed scene in the middle of its canvas, with a margin of at least 8 pt."""
    return centred(
        Scene(tuple(nodes), tuple(edges), tuple(texts), tuple(frames), **details)
    )


def centred(scene: Scene) -> Scene:
    """The scene in the middle of a canvas that fits it."""
    left, bottom, right, top = bounds(scene)
    width, height = whole(right - left), whole(top - bottom)
    scene = moved(scene, (width - left - right) / 2, (height - bottom - top) / 2)
    return replace(scene, width=width, height=height)


def whole(size: float) -> float:
    """A canvas that is a whole number of pixels wide at every usual resolution."""
    return GRID * ceil((size + 2 * MARGIN) / GRID)
