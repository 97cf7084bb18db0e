"""Figures of the graph that ran: ``draw``, and the ``Figure`` that it returns.

The rooms, in the order of the work: ``reading`` makes a chart (letters, arrows, rows)
of a folded graph; ``layout_time`` with ``folded`` and ``unfolded`` lays it out;
``layout_ops`` and ``layout_dot`` lay out single operations; all give a ``Scene``, pure
data. ``dot`` writes a scene in a ``theme`` as DOT, ``engine`` runs a Graphviz on it,
``figure`` holds it all together and ``audit`` measures what was drawn.

>>> import minigrad as mg
>>> W = mg.parameter([[0.5]], name="W")
>>> h = mg.tensor([[1.0]], name="h0")
>>> for t in mg.steps(5):
...     h = mg.tanh(h @ W).named("h")
>>> draw(h)
<Figure: 8 nodes, 8 edges>
"""

from typing import Any

from minigrad.draw.engine import EngineError, GraphvizNotFound, LayoutTimeout
from minigrad.draw.figure import Figure
from minigrad.draw.layout_time import draw_chart
from minigrad.draw.reading import read
from minigrad.draw.theme import style as style_named
from minigrad.graph import Graph

__all__ = ["EngineError", "Figure", "GraphvizNotFound", "LayoutTimeout", "draw"]


def draw(
    x: Any,
    view: str = "auto",
    steps: int = 6,
    style: str = "color",
    engine: str = "auto",
) -> Figure:
    """Draw a graph."""
    graph = x if isinstance(x, Graph) else Graph(x)
    scene = draw_chart(read(graph), "textbook" if view == "auto" else view, steps)
    return Figure(scene, style_named(style), engine)
