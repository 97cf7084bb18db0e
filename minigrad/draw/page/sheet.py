"""The sheet that a view is drawn on, until it is a scene.

Outlines and arrows go onto it as they come; labels of arrows are wishes until all of
those are known.

>>> from minigrad.draw.page.scene import Run
>>> sheet = Sheet()
>>> sheet.add(Node("a", 0, 0, 46, 46)), sheet.add(Node("b", 96, 0, 46, 46))
(None, None)
>>> sheet.connect("a", "b", label=((Run("W", "bold", 18),),))
>>> [(text.words, text.x, round(text.y, 1)) for text in sheet.scene().texts]
[('W', 77.15, 45.6)]
"""

from dataclasses import dataclass, field
from itertools import chain, count
from textwrap import wrap
from typing import Any

from minigrad.draw.page.curves import Curve, clipped, leaving
from minigrad.draw.page.fonts import width
from minigrad.draw.page.labels import Wish, place
from minigrad.draw.page.letters import clean
from minigrad.draw.page.scene import (
    Edge,
    Frame,
    Lines,
    Node,
    Rectangle,
    Run,
    Scene,
    Text,
    arranged,
    bounds,
    extent,
)

CAPTION = 13.0


@dataclass
class Sheet:
    """Nodes, edges and texts while a view draws them."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    elided: int = 0
    ids: set[str] = field(default_factory=set)

    def add(self, node: Node) -> None:
        """Put a node on the sheet."""
        self.nodes[node.id] = node

    def write(
        self,
        x: float,
        y: float,
        lines: Lines,
        kind: str = "ink",
        part: str = "",
        **details: Any,
    ) -> None:
        """Put a text on the sheet."""
        self.texts.append(Text(x, y, lines, kind, part=part, **details))

    def connect(
        self,
        tail: str,
        tip: str,
        curve: Curve | None = None,
        label: Lines = (),
        **details: Any,
    ) -> None:
        """Draw an arrow (straight without a curve), and wish for its label."""
        if curve is None:
            curve = clipped(self.nodes[tail], self.nodes[tip])
        ends = details.get("covers") or ((tail, tip),)
        id = details.pop("id", f"{ends[0][0]}>{ends[-1][1]}")
        numbered = (f"{id}#{k}" for k in count(2))
        id = next(i for i in chain([id], numbered) if i not in self.ids)
        self.ids.add(id)
        own = details.pop("own", curve)
        whole, curve = curve, self._outside(curve, tail, tip)
        own = curve if own == whole else self._outside(own, tail, tip)
        edge = Edge(tail, tip, curve, own=own, id=id, **details)
        self.edges.append(edge)
        if label:
            self.wishes.append(Wish(label, edge.id))

    def _outside(self, curve: Curve, tail: str, tip: str) -> Curve:
        """A curve that ends at ovals: layouts know circles only."""
        for end in (tip, tail):
            curve = curve[::-1]
            if end in self.nodes and self.nodes[end].shape == "oval":
                curve = leaving(curve, self.nodes[end])
        return curve

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
        self.texts += place(
            self.wishes, self.nodes.values(), self.edges, self.texts, self.frames
        )
        self.wishes = []

    def scene(self, caption: str | None = None, **details: Any) -> Scene:
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
            elided=self.elided,
            title=caption or "",
            **details,
        )


def _wrapped(caption: str, room: float) -> Lines:
    """The lines of a caption, at most as wide as the figure and six in number."""
    letters = int(room / width("n", "serif", CAPTION))
    lines = [
        part for line in caption.split("\n") for part in wrap(clean(line), letters)
    ]
    if len(lines) > 6:
        lines = [*lines[:5], lines[5][:-1] + "…"]
    return tuple((Run(line, "serif", CAPTION),) for line in lines)
