"""Figures of the graph that ran: ``draw``, and the ``Figure`` that it returns.

The rooms, in the order of the work. ``textbook``: ``reading`` makes a chart (letters,
arrows) of a folded graph, or of what ``recorded`` says of one whose steps differ;
``grid`` gives every circle its row and place; ``column`` the form of every arrow, the
same in all columns, with its ``ports``, ``loops`` and ``nets``; ``ways`` makes curves
of those. ``drawing`` holds all this and puts arrows on the sheet, ``folded``,
``unfolded`` with ``steps``, ``between`` and ``weights`` draw with it, ``cut`` leaves
steps out. ``layout_time`` is both halves; ``layout_backward`` and ``overlay`` add what
``measure`` found in the gradients. ``ops``: ``items`` are single operations, which
``rows`` and ``plan`` give their places, ``routes`` their arrows. All draw on a
``sheet`` of ``page``, which becomes a ``Scene``: pure data. ``render``: ``dot`` writes
the scene in a ``theme`` as DOT, ``engine`` runs a Graphviz on it, ``audit`` measures
what was drawn. ``pictures`` has a class for each view, ``spacing`` lays a view out
again, wider, until its letters are in no doubt, ``figure`` holds a finished one, and
``views`` is the one function that chooses.

>>> import minigrad as mg
>>> W = mg.parameter([[0.5]], name="W")
>>> h = mg.tensor([[1.0]], name="h0")
>>> for t in mg.steps(5):
...     h = mg.tanh(h @ W).named("h")
>>> draw(h)
<Figure: 8 nodes, 8 edges>
"""

from minigrad.draw.figure import Figure
from minigrad.draw.render.engine import EngineError, GraphvizNotFound, LayoutTimeout
from minigrad.draw.render.theme import Style
from minigrad.draw.views import draw

__all__ = [
    "EngineError",
    "Figure",
    "GraphvizNotFound",
    "LayoutTimeout",
    "Style",
    "draw",
]
