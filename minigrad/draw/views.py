"""The one function ``draw``: which view of which graph, and with what on it."""

from collections.abc import Callable
from functools import partial
from typing import Any

from minigrad.draw.chart import Chart
from minigrad.draw.columns import visible
from minigrad.draw.figure import Figure
from minigrad.draw.heights import Heights
from minigrad.draw.items import items_of
from minigrad.draw.layout_backward import add_gradients
from minigrad.draw.layout_dot import draw_items
from minigrad.draw.layout_ops import draw_ops
from minigrad.draw.layout_time import draw_chart, shown_weights
from minigrad.draw.letters import note
from minigrad.draw.measure import Series, backward, norm, seats
from minigrad.draw.overlay import Overlay, Scale, short, write_bar, write_numbers
from minigrad.draw.overlay import overlay as numbers_of
from minigrad.draw.reading import read
from minigrad.draw.scene import Lines, Scene
from minigrad.draw.sheet import Sheet
from minigrad.draw.theme import style as style_named
from minigrad.draw.unfolded import Unfolded, Unrolling
from minigrad.fold import FoldError
from minigrad.graph import Graph

VIEWS = ("auto", "textbook", "folded", "unfolded", "ops", "backward")
CHOICES = {
    "view": VIEWS,
    "index": ("number", "symbolic"),
    "params": ("label", "node", "hide"),
}


def draw(
    x: Any,
    view: str = "auto",
    steps: int = 6,
    index: str = "number",
    params: str = "label",
    biases: bool = False,
    shapes: bool = False,
    values: bool = False,
    overlay: Any = None,
    depth: int | None = None,
    style: str = "color",
    caption: str | None = None,
    engine: str = "auto",
) -> Figure:
    """The figure of a recorded graph.

    Parameters
    ----------
    x: a Tensor, a list of them, or a Graph.
    view: "textbook" (folded circuit, "Unfold", columns), "folded", "unfolded",
        "backward" (columns with the gradient flowing back), "ops" (every operation);
        "auto" is textbook for a graph with named values in a loop over time, else ops.
    steps: how many steps are drawn; the middle of longer loops is left out.
    index: "number", or "symbolic" for columns t-1, t, t+1.
    params: parameters as "label" on arrows, as "node" with a bus, or "hide".
    biases: draw the parameters that do not multiply too, as nodes.
    shapes, values: write them beside or into the nodes.
    overlay: colour the states by "grad", "value", ("grad", name, t) for one loss, or
        a function of an array that returns a number; the numbers are ``fig.data``.
    depth: in the ops view, collapse scopes deeper than this into boxes.
    style: "color", "book" (black and white) or "dark".
    engine: "auto", "dot", "pure", or the path of a Graphviz program.

    Raises FoldError where the steps of a loop differ (the ops view draws such a graph
    all the same) and ValueError for an unknown choice.

    >>> import minigrad as mg
    >>> W = mg.parameter([[0.5]], name="W")
    >>> h = mg.tensor([[1.0]], name="h0")
    >>> for t in mg.steps(5):
    ...     h = (h @ W).named("h")
    >>> draw(h, overlay="grad").data["h"][1]
    0.0625
    """
    given = {"view": view, "index": index, "params": params}
    for what, allowed in CHOICES.items():
        if given[what] not in allowed:
            raise ValueError(f"{what} is one of {allowed}, got {given[what]!r}")
    look = style_named(style)
    graph = x if isinstance(x, Graph) else Graph(x)
    if view == "auto":
        view = "textbook" if _has_loop_of_names(graph) else "ops"
    if view == "ops":
        items = items_of(graph, _kinds(graph), depth, shapes, values)
        timed = any(item.column is not None for item in items)
        scene = draw_ops(items, steps, caption) if timed else draw_items(items, caption)
        return Figure(scene, look, engine)
    try:
        chart = read(graph, shapes)
    except FoldError as error:
        error.add_note('view="ops" draws a graph whose steps differ')
        raise
    data: Series = {}
    scene = _timed(
        graph, chart, view, steps, index, params, biases, values, overlay, caption, data
    )
    return Figure(scene, look, engine, data)


def _has_loop_of_names(graph: Graph) -> bool:
    """Whether there is something that the textbook view can show."""
    return any(node.name and node.inputs and node.time for node in graph.nodes)


def _kinds(graph: Graph) -> dict[str, str]:
    """What the named values are, where the graph can be folded."""
    try:
        return {symbol.key: symbol.kind for symbol in read(graph).symbols}
    except ValueError:
        return {}


def _timed(
    graph: Graph,
    chart: Chart,
    view: str,
    steps: int,
    index: str,
    params: str,
    biases: bool,
    values: bool,
    overlay: Any,
    caption: str | None,
    data: Series,
) -> Scene:
    """The scene of one of the views with columns; fills in ``data``."""
    weights = shown_weights(chart, params, biases)
    below = _values(graph) if values else Unrolling.below
    how = Unrolling(labels=params == "label", weights=weights, below=below)
    if overlay is not None:
        found = numbers_of(graph, chart, overlay)
        data.update(found.series)
        scale = Scale(v for series in found.series.values() for v in series.values())
        how = Unrolling(
            labels=how.labels,
            weights=weights,
            below=below,
            look=lambda name, t: (
                scale.look(found.series[name][t])
                if t in found.series.get(name, {})
                else {}
            ),
        )
        after = partial(_write_overlay, chart=chart, found=found, scale=scale)
        view = "unfolded" if view == "textbook" else view
        return draw_chart(chart, view, steps, index, how, after, caption=caption)
    if view == "backward":
        at = {
            (s.key, t)
            for s in chart.symbols
            for t in (
                visible(chart.lengths[s.clock], steps)
                if s.clock is not None
                else [None]
            )
        }
        flow = backward(graph, at)
        data.update(flow.totals | flow.shares)
        collected = tuple(w for w in chart.weights if biases or not w.bias)
        how = Unrolling(labels=how.labels, below=below, edge_kind="muted")

        def flow_back(sheet: Sheet, heights: Heights, done: Unfolded) -> None:
            add_gradients(sheet, chart, heights, done, flow, collected)

        return draw_chart(
            chart, "unfolded", steps, "number", how, flow_back, collected, caption
        )
    return draw_chart(chart, view, steps, index, how, caption=caption)


def _write_overlay(
    sheet: Sheet,
    heights: Heights,
    done: Unfolded,
    chart: Chart,
    found: Overlay,
    scale: Scale,
) -> None:
    write_numbers(sheet, chart, done, found.series, found.titles)
    write_bar(sheet, heights, done, scale)


def _values(graph: Graph) -> Callable[[str, int], Lines]:
    """What ``values=True`` writes into a circle: the norm of the value."""
    nodes = {seat: node for node, seat in seats(graph).items()}

    def below(name: str, t: int) -> Lines:
        node = nodes.get((name, t))
        return note(short(norm(node.value)), 8.0, "sans") if node is not None else ()

    return below
