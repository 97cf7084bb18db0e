"""The one function ``draw``: which view of which graph, and with what on it."""

from dataclasses import replace
from typing import Any

from minigrad.draw.choices import Asked
from minigrad.draw.figure import Figure
from minigrad.draw.legend import with_legend
from minigrad.draw.page.words import translated
from minigrad.draw.pictures import Backward, Columns, Operations, Overlaid, View
from minigrad.draw.render.theme import Style
from minigrad.draw.render.theme import style as style_named
from minigrad.draw.sizes import fitting
from minigrad.draw.spacing import warn_of_faults
from minigrad.draw.textbook.chart import Chart
from minigrad.draw.textbook.reading import chart_of, read
from minigrad.draw.textbook.recorded import as_recorded
from minigrad.fold import FoldError, Recurrence
from minigrad.graph import Graph, Node, Spec


def draw(
    x: Any,
    view: str = "auto",
    steps: int | str | None = None,
    index: str = "number",
    params: str = "label",
    biases: bool = False,
    shapes: bool = False,
    values: bool = False,
    overlay: Any = None,
    depth: int | None = None,
    style: str | Style = "color",
    caption: str | None = None,
    engine: str = "auto",
) -> Figure:
    """The figure of a recorded graph.

    Parameters
    ----------
    x: a Tensor, a list of them, a Graph, a Recurrence, or a compiled Program.
    view: "textbook" (folded circuit, "Unfold", columns), "folded", "unfolded",
        "backward" (columns with the gradient flowing back), "ops" (every operation);
        "auto" is textbook for a graph with named values in a loop over time, else ops.
    steps: how many steps are drawn; the middle of longer loops is left out. None: 6,
        or fewer where columns are wide. "column" or "page": as many as can be read
        where the figure is 3.5 or 7 inches wide.
    index: "number", or "symbolic" for columns t-1, t, t+1.
    params: parameters as "label" on arrows, as "node" with a bus, or "hide".
    biases: draw the parameters that do not multiply too, as nodes.
    shapes, values: write them beside or into the nodes.
    overlay: colour the states by "grad", "value", "jacobian" (how much a step makes of
        a small change), ("grad", name, t) for one loss, or a function of an array that
        returns a number; the numbers are ``fig.data``.
    depth: in the ops view, collapse scopes deeper than this into boxes.
    style: "color", "book" (black and white), "dark", or a ``Style`` with a language,
        fonts, colours and a legend.
    engine: "auto", "dot", "pure", or the path of a Graphviz program.

    A graph whose steps differ is drawn unfolded, as recorded; "textbook" and "folded"
    raise FoldError for it. Raises ValueError for an unknown choice and for what a view
    cannot show, and TypeError for an option of another type.

    >>> import minigrad as mg
    >>> W = mg.parameter([[0.5]], name="W")
    >>> h = mg.tensor([[1.0]], name="h0")
    >>> for t in mg.steps(5):
    ...     h = (h @ W).named("h")
    >>> draw(h, overlay="grad").data["h"][1]
    0.0625
    """
    how = (index, params, biases, shapes, values, overlay, depth, caption)
    look = style_named(style)
    if isinstance(steps, str):
        return fitting(steps, lambda n: _drawn(x, Asked(view, n, *how), look, engine))
    return _drawn(x, Asked(view, steps, *how), look, engine)


def _drawn(x: Any, asked: Asked, look: Style, engine: str) -> Figure:
    x = getattr(x, "graph", x)  # a compiled program shows its own
    source = x if isinstance(x, (Graph, Recurrence)) else Graph(x)
    view = _view(source, asked)
    scene = translated(view.scene(), look.language)
    warn_of_faults(view.faults)
    scene = with_legend(scene, look) if look.legend else scene
    shown = None if asked.view == "ops" else source
    return Figure(scene, look, engine, view.data, shown)


def _view(graph: Graph | Recurrence, asked: Asked) -> View:
    """The view that was asked for, of what there is."""
    needs_values = asked.values or asked.overlay is not None or asked.view == "backward"
    if isinstance(graph, Recurrence):
        if needs_values or asked.view == "ops":
            raise ValueError("a folded graph alone has no values and no single ops")
        asked = replace(asked, view="textbook" if asked.view == "auto" else asked.view)
        chart = chart_of(graph, shapes=asked.shapes)
        return Columns(_one_half(asked, chart), chart, None)
    if not graph.nodes:
        raise ValueError("there is nothing to draw: the list of outputs is empty")
    if needs_values:
        _require_values(graph)
    if asked.view == "auto":
        timed = any(n.name and n.time and _computed(n) for n in graph.nodes)
        shown = "unfolded" if asked.overlay else "textbook"
        asked = replace(asked, view=shown if timed else "ops", auto=True)
    if asked.view == "ops":
        return Operations(asked, graph, _kinds(graph))
    try:
        chart = read(graph, asked.shapes)
    except FoldError as error:
        folded = asked.view in ("textbook", "folded") and not asked.auto
        if folded or asked.index == "symbolic":
            error.add_note('view="unfolded" draws the steps as they were recorded')
            raise
        chart = chart_of(as_recorded(graph), graph, asked.shapes)
        if asked.view == "textbook":
            asked = replace(asked, view="unfolded")
    asked = _one_half(asked, chart)
    if asked.overlay is not None:
        return Overlaid(asked, chart, graph)
    return (Backward if asked.view == "backward" else Columns)(asked, chart, graph)


def _one_half(asked: Asked, chart: Chart) -> Asked:
    """Of one step both halves are the same, and no square tells what it begins with."""
    once = max(chart.lengths, default=0) == 1 and asked.view in ("textbook", "folded")
    return replace(asked, view="unfolded") if once else asked


def _computed(node: Node) -> bool:
    """Whether a value was made by more than reading a sequence."""
    return bool(node.inputs) and node.op.name != "step"


def _require_values(graph: Graph) -> None:
    """Raise for a graph that was unfolded or read from text: it has no values."""
    bare = next((n for n in graph.nodes if isinstance(n.value, Spec)), None)
    if bare is not None:
        raise ValueError(
            f"{bare.label} has a shape and no value, as all of a graph that was "
            "unfolded or read: values, overlays and gradients are those of a recorded "
            "one"
        )


def _kinds(graph: Graph) -> dict[str, str]:
    """What the named values are, where the graph can be folded."""
    try:
        return {symbol.key: symbol.kind for symbol in read(graph).symbols}
    except ValueError:
        return {}
