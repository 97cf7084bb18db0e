"""One class for each view: what it needs, how it is laid out, what is drawn onto it.

A view prepares its numbers, lays out a drawing, and decorates that; ``scene`` does all
three. ``data`` are the numbers that it shows, by name and step.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from minigrad.draw.choices import Asked as Asked  # which a page asks for too
from minigrad.draw.measure import (
    Flow,
    Seat,
    Series,
    backward,
    multiplied,
    norm,
    seats,
    uses,
)
from minigrad.draw.ops.items import Reader
from minigrad.draw.ops.layout_ops import draw_ops
from minigrad.draw.page.letters import note, short
from minigrad.draw.page.scene import Edge, Lines, Scene
from minigrad.draw.render.audit import Fault, faults
from minigrad.draw.spacing import LayOut, clearest, with_asides
from minigrad.draw.textbook.chart import Chart
from minigrad.draw.textbook.collapsed import collapsed
from minigrad.draw.textbook.columns import USUAL
from minigrad.draw.textbook.drawing import UNFOLDED, Drawing, Unrolling
from minigrad.draw.textbook.layout_backward import add_gradients, ends
from minigrad.draw.textbook.layout_time import lay_out, shown_weights
from minigrad.draw.textbook.overlay import Scale, objective, write_bar, write_numbers
from minigrad.draw.textbook.overlay import overlay as numbers_of
from minigrad.graph import Graph, Spec

AS_ONE = "{} values that read the same and are read by the same are one circle"


class View(Protocol):
    """A view of a graph; its scene drawn, ``faults`` are what can be misread there."""

    data: Series
    faults: list[Fault]

    def scene(self) -> Scene:
        """The figure as data."""


class Operations:
    """Every operation."""

    def __init__(self, asked: Asked, graph: Graph, kinds: dict[str, str]) -> None:
        self.asked, self.graph, self.kinds = asked, graph, kinds
        self.data: Series = {}

    def scene(self) -> Scene:
        """The figure as data."""
        asked = self.asked
        steps = asked.steps or USUAL
        how = (asked.depth, asked.shapes, asked.values, steps)
        items = Reader(self.graph, self.kinds, *how).items()
        scene = draw_ops(items, steps, asked.caption)
        self.faults = faults(scene)
        return scene


class Columns:
    """The folded circuit, the unrolled columns, or both.

    ``wider`` is how much room more than usual the scene took.
    """

    def __init__(self, asked: Asked, chart: Chart, graph: Graph | None) -> None:
        self.asked, self.chart, self.graph = asked, chart, graph
        self.data: Series = {}
        self.widths: dict[float, float] = {}  # of what was laid out so much wider
        self.wider = 0.0

    def scene(self) -> Scene:
        """The figure as data, with room for its letters."""
        how = self.prepare()
        usual = partial(self.laid_out, self.chart, how)
        scene, left = clearest(usual, self.simpler(how))
        self.wider = self.widths.get(scene.width, 0.0)
        scene, self.faults = with_asides(scene, left)
        return self._with_uses(scene) if self.graph is not None else scene

    def simpler(self, how: Unrolling) -> LayOut | None:
        """A layout with fewer arrows, if there is one: values that are alike as one."""
        small = collapsed(self.chart)
        if not small.merged or self.asked.values:
            return None
        weights = shown_weights(small, self.asked.params, self.asked.biases)
        return partial(self.laid_out, small, replace(how, weights=weights))

    def _with_uses(self, scene: Scene) -> Scene:
        """The scene with the uses of parameters that lie on each edge."""
        assert self.graph is not None, "what is used was recorded"
        chart, told = self.chart, {}
        for (a, b), found in uses(self.graph, chart.keys).items():
            if found:
                told[chart.seat(*a), chart.seat(*b)] = found

        def used(edge: Edge) -> Edge:
            mine = [use for pair in edge.covers for use in told.get(pair, ())]
            return replace(edge, uses=tuple(dict.fromkeys(mine)))

        return replace(scene, edges=tuple(map(used, scene.edges)))

    def laid_out(self, chart: Chart, how: Unrolling, wider: float) -> Scene:
        """The figure of a chart with that much room more than usual."""
        asked = self.asked
        view = "unfolded" if asked.view == "backward" else asked.view
        drawing = lay_out(chart, view, asked.steps, asked.index, how, wider)
        columns = UNFOLDED in drawing.columns
        if columns:
            self.decorate(drawing)
        outputs = self.graph.outputs if self.graph is not None else ()
        if any(isinstance(node.value, Spec) for node in outputs):
            drawing.say("structure only: nothing was computed", "structure")
        if chart.merged:
            drawing.say(AS_ONE.format(chart.merged), "as one")
        scene = drawing.scene(asked.caption, self.chart.lengths)
        if chart is self.chart:
            self.widths.setdefault(scene.width, wider)
        if self.graph is None or not columns or asked.index == "symbolic":
            return scene  # what a start is computed by is no part of it
        values = {s.name for s in self.chart.symbols}  # a learned start is one
        names = tuple(n for n in multiplied(self.graph) if n not in values)
        return replace(scene, multiplied=names)

    def prepare(self) -> Unrolling:
        """What is written on circles and arrows."""
        asked = self.asked
        below = Unrolling.below
        if asked.values and self.graph is not None:
            below = _values(self.graph, self.chart.keys)
        return Unrolling(
            labels=asked.params == "label",
            weights=shown_weights(self.chart, asked.params, asked.biases),
            below=below,
        )

    def decorate(self, drawing: Drawing) -> None:
        """Draw onto the finished columns."""


class Overlaid(Columns):
    """Columns whose states are coloured by a number."""

    def prepare(self) -> Unrolling:
        """The numbers, and the colours that they give."""
        assert self.graph is not None, "what is overlaid was recorded"
        found = numbers_of(self.graph, self.chart, self.asked.overlay)
        self.data, self.titles = found.series, found.titles
        self.scale = Scale(v for series in self.data.values() for v in series.values())

        def look(name: str, t: int) -> dict[str, Any]:
            here = self.data.get(name, {})
            # Without a number its colour would be taken for one.
            return self.scale.look(here[t]) if t in here else {"fill": "none"}

        return replace(super().prepare(), look=look)

    def simpler(self, how: Unrolling) -> None:
        """None: each number belongs to one circle."""

    def decorate(self, drawing: Drawing) -> None:
        """The numbers below the columns, and the colour bar."""
        write_numbers(drawing, self.data, self.titles)
        write_bar(drawing, self.scale)


class Backward(Columns):
    """Grey columns, and the gradient that flows back."""

    flow: Flow | None = None
    visible: frozenset[Seat] = frozenset()

    def prepare(self) -> Unrolling:
        """Room for the shares of the parameters; letters only where those leave any."""
        params = "hide" if self.asked.params == "hide" else "label"
        alone = shown_weights(self.chart, params, biases=False)
        names = {w.name for w in alone}
        reserve = [
            w
            for w in self.chart.weights
            if self.asked.biases or not w.bias or w.name in names
        ]
        entering = Counter(target for w in reserve for target in w.targets)
        few = max(entering.values(), default=0) <= 3
        how = super().prepare()
        grey = replace(how, labels=how.labels and few, weights=alone, edge_kind="muted")
        return replace(grey, reserve=tuple(reserve))

    def simpler(self, how: Unrolling) -> LayOut | None:
        """No letters: their parameters stand at the sums of their shares."""
        return partial(self.laid_out, self.chart, replace(how, labels=False))

    def decorate(self, drawing: Drawing) -> None:
        """The messages between what is shown, and the sums of the shares."""
        assert self.graph is not None, "what flows back was recorded"
        visible = frozenset(ends(drawing).values())
        # The same however wide the columns are, as long as they are the same.
        if self.flow is None or visible != self.visible:
            self.visible = visible
            self.flow = backward(self.graph, visible, self.chart.keys)
            # Of all steps and the same for each layout: only messages are of what is
            # shown.
            self.data = self.flow.totals | self.flow.shares
        add_gradients(drawing, self.flow, objective(self.graph))


def _values(graph: Graph, keys: Sequence[str]) -> Callable[[str, int], Lines]:
    """What ``values=True`` writes into a circle: a number, or the norm of an array."""
    nodes = {seat: node for node, seat in seats(graph, keys).items()}

    def below(name: str, t: int) -> Lines:
        node = nodes.get((name, t))
        if node is None:
            return ()
        one = node.value.size == 1
        value = float(node.value.item()) if one else norm(node.value)
        return note(short(value), 8.0, "sans")

    return below
