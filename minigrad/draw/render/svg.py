"""Scene to SVG: the default of notebooks and pages, written without any engine.

An element says what it is: ``class="mg-node mg-hidden"`` and ``data-node="h@3"`` for a
node, ``mg-edge`` and ``data-edge`` for an arrow and its letters. Colours are attributes
of the elements, so a page's own CSS comes before them. Ids begin with a digest of the
picture and so do not meet those of another picture on the page.

>>> from minigrad.draw.page.scene import Node, Run, arranged
>>> from minigrad.draw.render.theme import style
>>> circle = Node("h", 0, 0, 46, 46, ((Run("h", "italic", 18),),), kind="hidden")
>>> print(write(arranged([circle], [], []), style("color")).splitlines()[-3])
<ellipse cx="36" cy="36" rx="23" ry="23" fill="#D9F0EA" stroke="#00734F" .../>
"""

from collections.abc import Iterator
from hashlib import sha256
from html import escape
from itertools import pairwise
from unicodedata import bidirectional

from minigrad.draw.page.curves import Curve, head_of, shaft_of
from minigrad.draw.page.fonts import BASELINE
from minigrad.draw.page.letters import UNPRINTABLE
from minigrad.draw.page.scene import Node, Rectangle, Run, Scene, Text, placed_lines
from minigrad.draw.page.words import phrased
from minigrad.draw.render.dot import number
from minigrad.draw.render.theme import Style, pen

# All of these are as wide as the tables of `page.fonts` say.
SERIF = "Tinos,'Liberation Serif','Nimbus Roman','Times New Roman',Times,serif"
SANS = "Arimo,'Liberation Sans','Nimbus Sans',Arial,Helvetica,sans-serif"
BOLD, ITALIC = ' font-weight="bold"', ' font-style="italic"'
FACES = {
    "serif": "",
    "bold": BOLD,
    "italic": ITALIC,
    "bolditalic": BOLD + ITALIC,
    "sans": ' font-family="{}"',
}
RIGHT_TO_LEFT = {"R", "AL", "RLE", "RLO", "RLI"}
NAMED = 12  # as many names the description reads out


def write(scene: Scene, look: Style) -> str:
    """The SVG text of a placed scene; equal scenes give equal text."""
    picture = elements(scene, look)
    mark = "mg" + sha256(picture.encode()).hexdigest()[:8]
    wide, high = number(scene.width), number(scene.height)
    title = scene.title or phrased(look.language, "Computational graph")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="minigrad mg-{look.name}" '
        f'width="{wide}pt" height="{high}pt" viewBox="0 0 {wide} {high}" '
        f'style="max-width:100%;height:auto" font-family="{_fonts(look, "serif")}" '
        f'text-anchor="middle" xml:space="preserve" '
        f'role="img" aria-labelledby="{mark}-title {mark}-desc">\n'
        f'<title id="{mark}-title">{said(title)}</title>\n'
        f'<desc id="{mark}-desc">{said(description(scene, look.language))}</desc>\n'
        f"{picture}\n</svg>\n"
    )


def elements(scene: Scene, look: Style) -> str:
    """What stands in the picture, for an SVG element around it."""
    return "\n".join(_Picture(scene, look).elements())


def said(text: str) -> str:
    """Text that is safe in an element and in an attribute.

    >>> said('<b>"&"\\x00')
    '&lt;b&gt;&quot;&amp;&quot;?'
    """
    return escape(UNPRINTABLE.sub("?", text))


def description(scene: Scene, language: str = "en") -> str:
    """The picture in words: how many things, in each half, and the first names.

    Squares of delay, dots, the arrow between the halves and a legend are none of them.
    """
    drawn = [n for n in scene.nodes if n.shape not in ("text", "square", "dot")]
    drawn = [node for node in drawn if node.part != "legend"]
    edges = [e for e in scene.edges if e.kind != "unfold" and e.part != "legend"]
    led = [edge for edge in edges if edge.head or (edge.covers and not edge.tip)]
    every = [*(node.part for node in drawn), *(edge.part for edge in led)]
    parts = dict.fromkeys(part == "folded" for part in every)
    words = []
    for folded in parts:
        nodes = [node for node in drawn if (node.part == "folded") == folded]
        arrows = sum((edge.part == "folded") == folded for edge in led)
        names = list(dict.fromkeys(node.name for node in nodes if node.name))
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        listed = f" ({', '.join(names[:NAMED])}{more})" if names else ""
        half = ("Folded: " if folded else "Unfolded: ") if len(parts) > 1 else ""
        words.append(f"{half}{len(nodes)} nodes{listed}, {arrows} arrows.")
    if scene.elided:
        words.append(f"{scene.elided} arrows of the graph are left out.")
    return phrased(language, " ".join(words))


class _Picture:
    """The elements of one scene, from the back to the front."""

    def __init__(self, scene: Scene, look: Style) -> None:
        self.scene, self.look = scene, look

    def elements(self) -> Iterator[str]:
        paper = self.look.background
        yield f'<rect class="mg-paper" width="100%" height="100%" fill="{paper}"/>'
        for frame in self.scene.frames:
            yield (
                f'<rect class="mg-frame mg-{frame.kind}" '
                f"{self.box(frame.box, 0 if frame.fill else 8)} "
                f'fill="{frame.fill or "none"}" stroke="{self.look.rim(frame)}" '
                f'stroke-width="{pen(frame)}"/>'
            )
        yield from self.arrows()
        for node in self.scene.nodes:
            yield from self.node(node)
        for text in self.scene.texts:
            ink = self.look.line(text.kind)
            data = _data(edge=text.edge, word=text.word, part=text.part)
            yield f'<g class="mg-text mg-{text.kind}"{data}>'
            if text.backed:
                box = self.box(text.patch)
                yield f'<rect class="mg-paper" {box} fill="{paper}"/>'
            yield self.letters(text, ink)

    def arrows(self) -> Iterator[str]:
        for edge in self.scene.edges:
            colour, points = self.look.line(edge.kind), edge.points
            head = ""
            if edge.head:
                points = shaft_of(points, edge.thickness)
                corners = head_of(points[-1], edge.points[-1])
                head = f'\n<path class="mg-head" d="{self.line(corners)}Z" '
                head += f'fill="{colour}" stroke="none"/>'
            by = " ".join(edge.parameters)
            data = _data(edge=edge.id, tail=edge.tail, tip=edge.tip, by=by)
            yield (
                f'<g class="mg-edge mg-{edge.kind}"{data}>{_title(edge.title)}'
                f'<path d="{self.curve(points)}" fill="none" stroke="{colour}" '
                f'stroke-width="{number(pen(edge))}"{_dashes(edge.dashed)}/>{head}</g>'
            )

    def node(self, node: Node) -> Iterator[str]:
        paint = self.look.outline(node)
        data = _data(node=node.id, name=node.name, t=node.t, part=node.part)
        yield f'<g class="mg-node mg-{node.kind}"{data}>{_title(node.title)}'
        drawn = f'fill="{paint.fill}" stroke="{paint.border}" '
        drawn += f'stroke-width="{number(pen(node))}"{_dashes(node.dashed)}/>'
        if node.shape in ("box", "rounded", "square"):
            yield f"<rect {self.box(node.box, 8 * (node.shape == 'rounded'))} {drawn}"
        elif node.shape != "text":
            radii = f'rx="{number(node.width / 2)}" ry="{number(node.height / 2)}"'
            at = f'cx="{number(node.x)}" cy="{self.y(node.y)}"'
            yield f"<ellipse {at} {radii} {drawn}"
        yield self.letters(node, paint.ink)

    def letters(self, thing: Node | Text, ink: str) -> str:
        """One element a line; runs follow each other, whatever font is at hand."""
        out = []
        for middle, line in placed_lines(thing.y, thing.lines):
            bases = [middle + run.rise - BASELINE * run.size for run in line]
            drops = [before - base for before, base in pairwise(bases[:1] + bases)]
            spans = "".join(
                f"<tspan{_drop(drop)}{self.face(run)}>{said(run.text)}</tspan>"
                for run, drop in zip(line, drops, strict=True)
            )
            place = f'x="{number(thing.x)}" y="{self.y(bases[0])}"'
            out.append(f'<text {place} fill="{ink}">{spans}</text>')
        return "\n".join(out) + "</g>"

    def face(self, run: Run) -> str:
        turned = any(bidirectional(c) in RIGHT_TO_LEFT for c in run.text)
        alone = ' unicode-bidi="isolate"' if turned else ""
        face = FACES[run.face].format(_fonts(self.look, run.face))
        return f'{face} font-size="{number(run.size)}"{alone}'

    def curve(self, points: Curve) -> str:
        rest = (self.at(points[i : i + 3]) for i in range(1, len(points), 3))
        return f"M{self.at(points[:1])}" + "".join(f"C{part}" for part in rest)

    def line(self, points: Curve) -> str:
        return "M" + "L".join(self.at((point,)) for point in points)

    def at(self, points: Curve) -> str:
        return " ".join(f"{number(x)},{self.y(y)}" for x, y in points)

    def y(self, y: float) -> str:
        return number(self.scene.height - y)

    def box(self, box: Rectangle, radius: int = 0) -> str:
        x0, y0, x1, y1 = box
        size = f'width="{number(x1 - x0)}" height="{number(y1 - y0)}"'
        corner = f' rx="{radius}"' if radius else ""
        return f'x="{number(x0)}" y="{self.y(y1)}" {size}{corner}'


def _title(words: str) -> str:
    return f"<title>{said(words)}</title>\n" if words else ""


def _data(**what: str | int | None) -> str:
    """What an element is, as far as the scene says it."""
    return "".join(
        f' data-{name}="{said(str(value))}"'
        for name, value in what.items()
        if value not in (None, "")
    )


def _dashes(dashed: bool) -> str:
    return ' stroke-dasharray="5 3"' if dashed else ""


def _drop(by: float) -> str:
    return f' dy="{number(by)}"' if number(by) != "0" else ""


def _fonts(look: Style, face: str) -> str:
    """A style's font before those that are as wide as the tables say."""
    usual, chosen = SANS if face == "sans" else SERIF, look.font(face)
    return f"'{chosen}',{usual}" if chosen else usual
