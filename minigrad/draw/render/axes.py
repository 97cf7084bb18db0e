"""Scene to matplotlib: onto the axes of a figure, and as PDF with its fonts in it.

Coordinates are points, so axes of the scene's own size show it true to size; in others
the letters and lines grow and shrink with the rest. The letters are those of STIX,
which come with matplotlib and are as wide as those of Times.

>>> from minigrad.draw.page.scene import Node, Run, arranged
>>> from minigrad.draw.render.theme import style
>>> circle = Node("h", 0, 0, 46, 46, ((Run("h", "italic", 18),),), kind="hidden")
>>> pdf(arranged([circle], [], []), style("color"))[:5]
b'%PDF-'
"""

import io
from collections.abc import Iterator
from typing import Any

from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Ellipse, FancyBboxPatch, PathPatch, Polygon
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Bbox

from minigrad.draw.page.curves import Curve, head_of, shaft_of
from minigrad.draw.page.fonts import BASELINE
from minigrad.draw.page.letters import clean
from minigrad.draw.page.scene import (
    Edge,
    Node,
    Rectangle,
    Run,
    Scene,
    placed_runs,
)
from minigrad.draw.page.scene import Text as Words
from minigrad.draw.render.theme import Style, pen

# Both come with matplotlib, which takes from the second what the first lacks.
SERIF, SANS = ["STIXGeneral", "DejaVu Sans"], ["DejaVu Sans"]
CORNERS = ("square,pad=0", "round,pad=0,rounding_size=8")
measured = text_to_path.get_text_width_height_descent


def pdf(scene: Scene, look: Style) -> bytes:
    """The PDF of a placed scene, of its size; equal scenes give equal bytes."""
    figure = Figure(figsize=(scene.width / 72, scene.height / 72))
    draw_on(figure.add_axes((0, 0, 1, 1)), scene, look)
    out = io.BytesIO()
    with rc_context({"pdf.fonttype": 42}):
        figure.savefig(out, format="pdf", metadata={"CreationDate": None})
    return out.getvalue()


def draw_on(axes: Axes, scene: Scene, look: Style) -> None:
    """Draw a placed scene on axes, which lose their frame and show all of it."""
    axes.set_xlim(0, scene.width)
    axes.set_ylim(0, scene.height)
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.add_artist(Picture(scene, look))


class Picture(Artist):
    """A scene as one artist: its parts are made anew whenever it is drawn.

    Only then is it known how large a point is, and so how large the letters are.
    """

    axes: Axes

    def __init__(self, scene: Scene, look: Style) -> None:
        super().__init__()
        self.scene, self.look = scene, look

    def draw(self, renderer: Any) -> None:
        """Draw the scene as large as the axes are now."""
        if not self.get_visible():
            return
        box = self.get_window_extent(renderer)
        self.scale = box.width / self.scene.width / renderer.points_to_pixels(1.0)
        for part in self._parts():
            part.set_figure(self.axes.figure)
            part.axes = self.axes
            part.set_transform(self.axes.transData)
            part.draw(renderer)
        self.stale = False

    def get_window_extent(self, renderer: Any = None) -> Bbox:
        """Where the scene lies on the canvas."""
        corners = [(0.0, 0.0), (self.scene.width, self.scene.height)]
        return Bbox(self.axes.transData.transform(corners))

    def _parts(self) -> Iterator[Artist]:
        """The artists of the scene, from the back to the front."""
        paper: dict[str, Any] = {"fc": self.look.background, "ec": "none"}
        yield _box((0, 0, self.scene.width, self.scene.height), **paper)
        for frame in self.scene.frames:
            how = {"ec": self.look.rim(frame), "lw": pen(frame) * self.scale}
            yield _box(frame.box, not frame.fill, fc=frame.fill or "none", **how)
        for edge in self.scene.edges:
            yield from self._edge(edge)
        for node in self.scene.nodes:
            paint = self.look.outline(node)
            if node.shape != "text":
                yield self._outline(node)
            yield from self._letters(node, paint.ink)
        for text in self.scene.texts:
            if text.backed:
                yield _box(text.patch, **paper)
            yield from self._letters(text, self.look.line(text.kind))

    def _edge(self, edge: Edge) -> Iterator[Artist]:
        colour, points = self.look.line(edge.kind), edge.points
        if edge.head:
            points = shaft_of(points, edge.thickness)
            corners = head_of(points[-1], edge.points[-1])
            yield Polygon(corners, closed=True, fc=colour, ec="none")
        yield PathPatch(
            _path(points), fc="none", ec=colour, lw=pen(edge) * self.scale,
            ls=_dashes(edge), capstyle="butt",
        )  # fmt: skip

    def _outline(self, node: Node) -> Artist:
        paint = self.look.outline(node)
        how: dict[str, Any] = {"fc": paint.fill, "ec": paint.border}
        how |= {"lw": pen(node) * self.scale, "ls": _dashes(node)}
        if node.shape not in ("box", "rounded", "square"):
            return Ellipse((node.x, node.y), node.width, node.height, **how)
        return _box(node.box, node.shape == "rounded", **how)

    def _letters(self, thing: Node | Words, ink: str) -> Iterator[Artist]:
        for at_x, middle, run in placed_runs(thing.x, thing.y, thing.lines):
            words, font = clean(run.text), _font(run, self.look)
            wide, *_ = measured(words, font, ismath=False)
            # A font that is wider than ours is drawn smaller.
            font.set_size(run.size * self.scale * min(1.0, run.width / (wide or 1.0)))
            yield Text(
                at_x, middle - BASELINE * run.size, words, color=ink, ha="center",
                va="baseline", fontproperties=font, parse_math=False, usetex=False,
            )  # fmt: skip


def _dashes(thing: Node | Edge) -> Any:
    """5 and 3 points, which matplotlib counts in widths of the line."""
    return (0, (5 / pen(thing), 3 / pen(thing))) if thing.dashed else "-"


def _box(box: Rectangle, rounded: bool = False, **how: Any) -> Artist:
    x0, y0, x1, y1 = box
    return FancyBboxPatch((x0, y0), x1 - x0, y1 - y0, CORNERS[rounded], **how)


def _font(run: Run, look: Style) -> FontProperties:
    usual = SANS if run.face == "sans" else SERIF
    return FontProperties(
        family=[look.font(run.face) or usual[0], *usual], size=run.size,
        style="italic" if "italic" in run.face else "normal",
        weight="bold" if "bold" in run.face else "normal",
    )  # fmt: skip


def _path(points: Curve) -> Path:
    return Path(points, [Path.MOVETO] + [Path.CURVE4] * (len(points) - 1))
