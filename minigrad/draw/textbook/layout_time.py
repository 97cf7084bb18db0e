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
from minigrad.draw.page.sheet import Sheet
from minigrad.draw.textbook.chart import Chart, Weight
from minigrad.draw.textbook.columns import RADIUS
from minigrad.draw.textbook.folded import draw_folded
from minigrad.draw.textbook.heights import Heights, recurrence_height
from minigrad.draw.textbook.symbolic import symbolic
from minigrad.draw.textbook.unfolded import Unfolded, Unrolling, draw_unfolded
from minigrad.draw.textbook.weights import buses

UNFOLD = 64.0

After = Callable[[Sheet, Heights, Unfolded], None]


def draw_chart(
    chart: Chart,
    view: str = "textbook",
    steps: int = 6,
    index: str = "number",
    how: Unrolling | None = None,
    after: After | None = None,
    reserve: tuple[Weight, ...] = (),
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
    reserve: parameters for whose tracks room is left, though nothing is drawn there.
    wider: points of extra room between columns and lanes; 0.7 of it between rows.
    """
    how, recorded = how or Unrolling(), chart.lengths
    if index == "symbolic" and chart.lengths:
        chart, letters, steps = symbolic(chart)
        how = replace(how, index=letters)
    sheet = Sheet()
    heights = Heights(chart, buses((*how.weights, *reserve)), wider)
    left = 0.0
    if not chart.lengths:  # without a loop both halves are the same
        view = "unfolded"
    if view != "unfolded":
        draw_folded(
            sheet, chart, heights, 0.0, how.labels, how.weights, how.index or {}
        )
        sheet.settle()
        left = sheet.right
    if view == "textbook":
        y = recurrence_height(chart, heights)
        left = _unfold(sheet, left + 28.0, y) + 30.0 + RADIUS
    if view != "folded":
        done = draw_unfolded(sheet, chart, heights, left, steps, how)
        if after is not None:
            after(sheet, heights, done)
    return sheet.scene(caption, length=chart.lengths, recorded=recorded)


def shown_weights(chart: Chart, params: str, biases: bool) -> tuple[Weight, ...]:
    """The parameters that are drawn as nodes."""
    return tuple(
        w
        for w in chart.weights
        if (biases if w.bias else params == "node") and params != "hide"
    )


def _unfold(sheet: Sheet, x: float, y: float) -> float:
    """The arrow between both halves; returns the x of its tip."""
    tip = (x + UNFOLD, y)
    arrow = straight((x, y), tip)
    sheet.edges.append(Edge("", "", arrow, kind="unfold", thickness=1.3))
    sheet.write(x + UNFOLD / 2 - 4, y + 11, note("Unfold", 15.0), word="unfold")
    return tip[0]
