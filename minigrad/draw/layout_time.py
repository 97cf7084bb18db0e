"""The textbook, folded and unfolded views: a chart becomes a scene.

>>> from minigrad.draw.chart import Arrow, Symbol
>>> chart = Chart((Symbol("s", (), clock=0),), (Arrow("s", "s", delay=1),), (3,))
>>> [text.words for text in draw_chart(chart, "textbook").texts]
['Unfold']
"""

from minigrad.draw.chart import Chart
from minigrad.draw.columns import RADIUS
from minigrad.draw.curves import straight
from minigrad.draw.folded import draw_folded
from minigrad.draw.heights import Heights, recurrence_height
from minigrad.draw.letters import note
from minigrad.draw.scene import Edge, Scene
from minigrad.draw.sheet import Sheet
from minigrad.draw.unfolded import Unrolling, draw_unfolded

UNFOLD = 64.0


def draw_chart(
    chart: Chart,
    view: str = "textbook",
    steps: int = 6,
    how: Unrolling | None = None,
) -> Scene:
    """The scene of a chart: view is "textbook", "folded" or "unfolded"."""
    how = how or Unrolling()
    sheet = Sheet()
    heights = Heights(chart)
    left = 0.0
    if view != "unfolded":
        draw_folded(sheet, chart, heights, 0.0, how.labels)
        left = sheet.right
    if view == "textbook":
        left = _unfold(sheet, left + 28.0, recurrence_height(chart, heights)) + 30.0
        left += RADIUS
    if view != "folded":
        draw_unfolded(sheet, chart, heights, left, steps, how)
    return sheet.scene()


def _unfold(sheet: Sheet, x: float, y: float) -> float:
    """The arrow between both halves; returns the x of its tip."""
    tip = (x + UNFOLD, y)
    sheet.edges.append(
        Edge("", "", straight((x, y), tip), kind="unfold", thickness=1.3)
    )
    sheet.write(x + UNFOLD / 2 - 4, y + 11, note("Unfold", 15.0))
    return tip[0]
