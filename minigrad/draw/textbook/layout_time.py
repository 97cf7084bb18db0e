"""The textbook, folded and unfolded views: a chart becomes a scene.

>>> from minigrad.draw.textbook.chart import Arrow, Symbol
>>> chart = Chart((Symbol("s", (), clock=0),), (Arrow("s", "s", delay=1),), (3,))
>>> [text.words for text in draw_chart(chart, "textbook").texts]
['Unfold']
"""

from collections.abc import Callable
from dataclasses import replace

from minigrad.draw.page.curves import straight
from minigrad.draw.page.letters import note
from minigrad.draw.page.scene import Edge, Scene
from minigrad.draw.textbook.chart import Chart, Weight
from minigrad.draw.textbook.columns import RADIUS
from minigrad.draw.textbook.drawing import FOLDED, UNFOLDED, Drawing, Unrolling
from minigrad.draw.textbook.folded import draw_folded
from minigrad.draw.textbook.symbolic import symbolic
from minigrad.draw.textbook.unfolded import Unfolded, draw_unfolded

UNFOLD = 64.0

After = Callable[[Drawing, Unfolded], None]


def draw_chart(
    chart: Chart,
    view: str = "textbook",
    steps: int = 6,
    index: str = "number",
    how: Unrolling | None = None,
    after: After | None = None,
    caption: str | None = None,
    wider: float = 0.0,
) -> Scene:
    """The scene of a chart.

    Parameters
    ----------
    view: "textbook", "folded" or "unfolded".
    index: "number", or "symbolic" for columns t-1, t, t+1.
    how: what is written on and beside the circles.
    after: draws onto the finished columns (gradients, an overlay's numbers).
    wider: points of extra room between columns and lanes; 0.7 of it between rows.
    """
    how, recorded = how or Unrolling(), chart.lengths
    if index == "symbolic" and chart.lengths:
        chart, letters, steps = symbolic(chart)
        how = replace(how, index=letters)
    if not chart.lengths:  # without a loop both halves are the same
        view = "unfolded"
    both = {"textbook": (FOLDED, UNFOLDED), "folded": (FOLDED,)}
    drawing = Drawing(chart, how, steps, both.get(view, (UNFOLDED,)), wider)
    sheet, left = drawing.sheet, 0.0
    if view != "unfolded":
        draw_folded(drawing)
        sheet.settle()
        left = sheet.right
    if view == "textbook":
        left = _unfold(drawing, left + 28.0) + 30.0
    if view != "folded":
        done = draw_unfolded(drawing, left)
        if after is not None:
            after(drawing, done)
    return sheet.scene(caption, length=chart.lengths, recorded=recorded)


def shown_weights(chart: Chart, params: str, biases: bool) -> tuple[Weight, ...]:
    """The parameters that are drawn as nodes."""
    return tuple(
        w
        for w in chart.weights
        if (biases if w.bias else params == "node") and params != "hide"
    )


def _unfold(drawing: Drawing, x: float) -> float:
    """The arrow between both halves; returns the x of its tip.

    It stands at the height of the first recurrence.
    """
    later = [a for group in drawing.grid.groups for a in group.later]
    y = drawing.ys[-1] / 2
    if later:
        y = (drawing.y(later[0].source) + drawing.y(later[0].target)) / 2
    tip = (x + UNFOLD, y)
    arrow = straight((x, y), tip)
    drawing.sheet.edges.append(Edge("", "", arrow, kind="unfold", thickness=1.3))
    words = note("Unfold", 15.0)
    drawing.sheet.write(x + UNFOLD / 2 - 4, y + 11, words, word="unfold")
    return tip[0]


__all__ = ["RADIUS", "After", "draw_chart", "shown_weights"]
