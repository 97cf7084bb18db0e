"""The textbook, folded and unfolded views: a chart becomes a scene.

>>> from minigrad.draw.textbook.chart import Arrow, Symbol
>>> chart = Chart((Symbol("s", (), clock=0),), (Arrow("s", "s", delay=1),), (3,))
>>> [text.words for text in lay_out(chart).scene(None, chart.lengths).texts]
['Unfold']
"""

from dataclasses import replace

from minigrad.draw.page.curves import straight
from minigrad.draw.page.letters import note
from minigrad.draw.page.scene import Edge
from minigrad.draw.textbook.chart import Chart, Weight, outside
from minigrad.draw.textbook.drawing import FOLDED, UNFOLDED, Drawing, Unrolling
from minigrad.draw.textbook.folded import draw_folded
from minigrad.draw.textbook.symbolic import symbolic
from minigrad.draw.textbook.unfolded import draw_unfolded

UNFOLD = 64.0


def lay_out(
    chart: Chart,
    view: str = "textbook",
    steps: int | None = None,
    index: str = "number",
    how: Unrolling | None = None,
    wider: float = 0.0,
) -> Drawing:
    """The drawing of a chart.

    Parameters
    ----------
    view: "textbook", "folded" or "unfolded".
    steps: how many columns; None for as many as are usual.
    index: "number", or "symbolic" for columns t-1, t, t+1.
    how: what is written on and beside the circles.
    wider: extra room between columns, lanes and tracks, in points.
    """
    how = how or Unrolling()
    if index == "symbolic" and chart.lengths:
        chart, letters, steps = symbolic(chart)
        how = replace(how, index=letters)
    if not chart.lengths:  # without a loop both halves are the same
        view = "unfolded"
    parts = {"textbook": (FOLDED, UNFOLDED), "folded": (FOLDED,)}
    drawing = Drawing(chart, how, steps, parts.get(view, (UNFOLDED,)), wider)
    left = 0.0
    if view != "unfolded":
        draw_folded(drawing)
        drawing.sheet.settle()
        left = drawing.sheet.right
    if view == "textbook":
        left = _unfold(drawing, left + 28.0) + 30.0
    if view != "folded":
        draw_unfolded(drawing, left)
    return drawing


def shown_weights(chart: Chart, params: str, biases: bool) -> tuple[Weight, ...]:
    """The parameters that are drawn as nodes.

    Those of a value that nothing else enters are: no arrow has their letters.
    """
    fed = {a.target for a in chart.arrows} | outside(chart)
    found = []
    for w in chart.weights if params != "hide" else ():
        every = biases if w.bias else params == "node"
        targets = tuple(t for t in w.targets if every or t not in fed)
        found += [replace(w, targets=targets)] if targets else []
    return tuple(found)


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
