"""Styles: which colours the kinds of things get. Adding a style touches this file only.

Vocabulary
    paint   fill, border and text colour of a node
    bus     a track that carries one shared parameter to all steps; tracks next to each
            other differ in colour

The fills are tints of the Okabe-Ito colours, chosen by search so that any two differ by
a CIE76 distance of more than 20 in normal, protan, deutan and tritan vision. A kind is
also told by its letter and its row, never by colour alone.

>>> style("book").paint("hidden").fill
'#FFFFFF'
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from minigrad.draw.page.scene import Edge, Frame, Node
from minigrad.draw.page.words import LANGUAGES

STYLES: dict[str, "Style"] = {}


class Paint(NamedTuple):
    """The colours of one kind of node."""

    fill: str
    border: str
    ink: str


@dataclass(frozen=True)
class Style:
    """What a figure looks like: a style that there is, and what is to differ from it.

    Parameters
    ----------
    name: "color", "book" or "dark": where the rest comes from.
    language: of the words in a figure, "en" or "es".
    serif, sans: the fonts of letters, and of operations. Places are made for letters as
        wide as those of Times and Arial; wider ones may touch what stands beside them.
    background, ink: the colours of the paper, and of lines and texts.
    paints: fill, border and letters by kind of node ("hidden", "input", "loss", ...).
    lines: colours of arrows and texts by kind ("gradient", "recurrence", "faint").
    buses: the colours of buses, one after the other.
    legend: write below a figure what its colours, lines and letters mean.

    >>> Style("book", language="es").paint("hidden").fill
    '#FFFFFF'
    >>> Style(paints={"hidden": ("#FFE0E0", "#800000", "#000000")}).paint("hidden").ink
    '#000000'
    """

    name: str = "color"
    language: str = "en"
    serif: str = "Times"
    sans: str = "Arial"
    background: str = ""
    ink: str = ""
    paints: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)
    lines: Mapping[str, str] = field(default_factory=dict)
    buses: tuple[str, ...] = ()
    legend: bool = False

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            known = ", ".join(LANGUAGES)
            raise ValueError(f"no language {self.language!r}; there are {known}")
        if self.name in STYLES:
            usual = STYLES[self.name]
            fill = object.__setattr__
            fill(self, "background", self.background or usual.background)
            fill(self, "ink", self.ink or usual.ink)
            own = {kind: Paint(*paint) for kind, paint in self.paints.items()}
            fill(self, "paints", {**usual.paints, **own})
            fill(self, "lines", {**usual.lines, **self.lines})
            fill(self, "buses", tuple(self.buses or usual.buses))
        elif not self.background:
            known = ", ".join(STYLES)
            raise ValueError(f"no style {self.name!r}; there are {known}")
        if not isinstance(self.legend, bool):
            raise TypeError(f"legend is True or False, got {self.legend!r}")
        for font in (self.serif, self.sans):
            if not re.fullmatch(r"\w[\w -]*", font):
                raise ValueError(f"a font is one name, got {font!r}")
        colours = [self.background, self.ink, *self.lines.values(), *self.buses]
        colours += [colour for paint in self.paints.values() for colour in paint]
        for colour in colours:
            if not re.fullmatch("#[0-9A-Fa-f]{6}", colour):
                raise ValueError(f"a colour is written #RRGGBB, got {colour!r}")

    def font(self, face: str) -> str | None:
        """The font of a face, None for the usual one."""
        chosen, usual = (
            (self.sans, "Arial") if face == "sans" else (self.serif, "Times")
        )
        return None if chosen == usual else chosen

    def paint(self, kind: str) -> Paint:
        """The paint of a kind of node."""
        return Paint(*self.paints.get(kind, self.paints["value"]))

    def line(self, kind: str) -> str:
        """The colour of a kind of edge or text."""
        if kind.startswith("bus") and self.buses:
            return self.buses[int(kind[3:]) % len(self.buses)]
        return self.lines.get(kind, self.ink)

    def outline(self, node: Node) -> Paint:
        """What one node is painted with: its kind's, or what it has of its own."""
        usual = self.paint(node.kind)
        border = node.border or usual.border
        if node.bus is not None:
            border = self.line(f"bus{node.bus}")
        return Paint(node.fill or usual.fill, border, node.ink or usual.ink)

    def rim(self, frame: Frame) -> str:
        """The colour of a frame's line."""
        return frame.fill or self.line(frame.kind)


def pen(thing: Node | Edge | Frame) -> float:
    """How thick a thing is drawn, in points."""
    if isinstance(thing, Edge):
        return 1.2 * thing.thickness
    if isinstance(thing, Frame):
        return 0.8
    return 1.2 if thing.bus is None else 2.0


# In color | book | dark: fill, border and letters of nodes; then paper, lines, texts.
NODES = """
input        #91CEF1 #0B5A8F #000000 |                         | #12507A #8CCBF0 #FFFFFF
hidden       #D9F0EA #00734F #000000 |                         | #0B6B50 #7FE0C2 #FFFFFF
output       #F2E85E #7A6A00 #000000 |                         | #6B6000 #F2E85E #FFFFFF
loss         #E8A673 #963C00 #000000 |                         | #8A3B07 #F0B48A #FFFFFF
target       #A8A8A8 #4A4A4A #000000 |                         | #5A5A5A #C8C8C8 #FFFFFF
value        #FFFFFF #4A4A4A #000000 | #FFFFFF #1A1A1A #000000 | #16191D #C8C8C8 #FFFFFF
parameter    #FDF6DC #6B5B1E #000000 |                         | #3A3420 #E5D48A #FFFFFF
constant     #FFFFFF #8A8A8A #000000 |                         | #16191D #8A8A8A #FFFFFF
initial      #FFFFFF #6E6E6E #4A4A4A | #FFFFFF #6E6E6E #4A4A4A | #16191D #A8A8A8 #D0D0D0
scope        #EFEAF6 #5B4A86 #000000 |                         | #352D4D #B9A7E8 #FFFFFF
gradient     #FFFFFF #D55E00 #A84A00 |                         | #16191D #FF9A4D #FFB57A
delay        #000000 #000000 #FFFFFF | #000000 #000000 #FFFFFF | #FFFFFF #FFFFFF #000000
dot          #000000 #000000 #FFFFFF | #000000 #000000 #FFFFFF | #E8E8E8 #E8E8E8 #000000
"""
LINES = """
background   #FFFFFF | #FFFFFF | #16191D
ink          #1A1A1A | #1A1A1A | #E8E8E8
faint        #595959 | #4A4A4A | #B0B0B0
muted        #A6A6A6 | #A6A6A6 | #6A6F76
mutedtext    #7A7A7A | #7A7A7A | #9AA0A8
gradient     #D55E00 |         | #FF9A4D
recurrence   #00805C |         | #2FD6A5
gradienttext #A84A00 |         | #FFB57A
frame        #B8B8B8 | #8A8A8A | #5A6068
"""
BUSES = {
    "color": ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B8860B", "#56B4E9"),
    "book": ("#1A1A1A", "#6E6E6E"),
    "dark": ("#56B4E9", "#FF9A4D", "#2FD6A5", "#E59AC4", "#E0B43C", "#9AD4F5"),
}


def _column(table: str, k: int) -> dict[str, list[str]]:
    """The colours of each kind in a column of a table, where it has some."""
    rows = [line.split(maxsplit=1) for line in table.strip().splitlines()]
    found = {kind: cells.split("|")[k].split() for kind, cells in rows}
    return {kind: colours for kind, colours in found.items() if colours}


for k, (name, buses) in enumerate(BUSES.items()):
    paints = {kind: Paint(*own) for kind, own in _column(NODES, k).items()}
    lines = {kind: colour for kind, (colour,) in _column(LINES, k).items()}
    paper, ink = lines.pop("background"), lines.pop("ink")
    STYLES[name] = Style(
        name, background=paper, ink=ink, paints=paints, lines=lines, buses=buses
    )


def style(look: str | Style) -> Style:
    """The style of that name; ValueError lists the names there are."""
    return look if isinstance(look, Style) else Style(look)
