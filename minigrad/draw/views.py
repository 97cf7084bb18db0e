"""The one function ``draw``: which view of which graph, and with what on it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from minigrad.draw.choices import check_choices, check_options
from minigrad.draw.figure import Figure
from minigrad.draw.measure import Seat, Series, backward, multiplied, norm, seats
from minigrad.draw.ops.items import items_of
from minigrad.draw.ops.layout_ops import draw_ops
from minigrad.draw.page.letters import note, short
from minigrad.draw.page.scene import Lines, Scene
from minigrad.draw.render.theme import style as style_named
from minigrad.draw.spacing import LayOut, clearest, warn_of_doubts
from minigrad.draw.textbook.chart import Chart
from minigrad.draw.textbook.collapsed import collapsed
from minigrad.draw.textbook.columns import visible
from minigrad.draw.textbook.drawing import Drawing, Unrolling
from minigrad.draw.textbook.layout_backward import add_gradients
from minigrad.draw.textbook.layout_time import After, draw_chart, shown_weights
from minigrad.draw.textbook.overlay import (
    Overlay,
    Scale,
    objective,
    write_bar,
    write_numbers,
)
from minigrad.draw.textbook.overlay import overlay as numbers_of
from minigrad.draw.textbook.reading import chart_of, read
from minigrad.draw.textbook.unfolded import Unfolded
from minigrad.fold import FoldError, Recurrence
from minigrad.graph import Graph, Node, Spec


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
    x: a Tensor, a list of them, a Graph, a Recurrence, or a compiled Program.
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
    all the same), ValueError for an unknown choice and for what a view cannot show, and
    TypeError for an option of another type.

    >>> import minigrad as mg
    >>> W = mg.parameter([[0.5]], name="W")
    >>> h = mg.tensor([[1.0]], name="h0")
    >>> for t in mg.steps(5):
    ...     h = (h @ W).named("h")
    >>> draw(h, overlay="grad").data["h"][1]
    0.0625
    """
    check_choices(view=view, index=index, params=params)
    check_options(steps, depth, caption, biases=biases, shapes=shapes, values=values)
    if index == "symbolic" and (values or overlay is not None):
        raise ValueError(
            'values and overlays are of single steps: index="number" shows them'
        )
    if overlay is not None and view in ("ops", "backward", "folded"):
        raise ValueError(f"an overlay colours unrolled columns, not view={view!r}")
    look = style_named(style)
    x = getattr(x, "graph", x)  # a compiled program shows its own
    if isinstance(x, Recurrence):
        graph, chart = None, chart_of(x, shapes=shapes)
        if view in ("ops", "backward") or overlay is not None or values:
            raise ValueError("a folded graph alone has no values and no single ops")
        view = "textbook" if view == "auto" else view
    else:
        graph = x if isinstance(x, Graph) else Graph(x)
        if not graph.nodes:
            raise ValueError("there is nothing to draw: the list of outputs is empty")
        if values or overlay is not None or view == "backward":
            _require_values(graph)
        if view == "auto":
            timed = any(n.name and n.time and _computed(n) for n in graph.nodes)
            view = "ops" if not timed else "unfolded" if overlay else "textbook"
        if view == "ops":
            items = items_of(graph, _kinds(graph), depth, shapes, values)
            return Figure(draw_ops(items, steps, caption), look, engine)
        chart = _chart(graph, shapes)
    how = Unrolling(
        labels=params == "label",
        weights=shown_weights(chart, params, biases),
        below=_values(graph, chart.keys)
        if values and graph is not None
        else Unrolling.below,
    )
    data: Series = {}
    after: After | None = None
    if graph is not None and overlay is not None:
        found = numbers_of(graph, chart, overlay)
        data = found.series
        scale = Scale(v for series in data.values() for v in series.values())
        how = replace(how, look=partial(_look, data, scale))
        after = partial(_write_overlay, found=found, scale=scale)
    elif graph is not None and view == "backward":
        flow = backward(graph, _seats(chart, steps), chart.keys)
        data = flow.totals | flow.shares
        reserve = tuple(w for w in chart.weights if biases or not w.bias)
        entering = Counter(target for w in reserve for target in w.targets)
        # Where many parameters enter there is room for their sums alone.
        labels = how.labels and max(entering.values(), default=0) <= 3
        how = replace(how, labels=labels, weights=(), edge_kind="muted")
        how = replace(how, reserve=reserve)
        after = partial(add_gradients, flow=flow, of=objective(graph))
        view, index = "unfolded", "number"

    def lay_out(chart: Chart, how: Unrolling, below: str | None, wider: float) -> Scene:
        return draw_chart(chart, view, steps, index, how, after, below, wider)

    def simpler() -> LayOut | None:
        small = collapsed(chart)
        if not small.merged or values or after is not None:
            return None  # what is written belongs to single circles
        weights = shown_weights(small, params, biases)
        below = _as_one(small.merged, caption)
        return partial(lay_out, small, replace(how, weights=weights), below)

    scene = clearest(partial(lay_out, chart, how, caption), simpler)
    if graph is not None and view != "folded" and index == "number":
        # A circuit does not show what its start is computed by.
        scene = replace(scene, multiplied=multiplied(graph))
    warn_of_doubts(scene)
    return Figure(scene, look, engine, data)


def _as_one(values: int, caption: str | None) -> str:
    """The caption, and the line that says which circles stand for several values."""
    said = (
        f"{values} values that read the same and are read by the same are drawn as one "
        "circle"
    )
    return said if caption is None else f"{caption}\n{said}"


def _chart(graph: Graph, shapes: bool) -> Chart:
    try:
        return read(graph, shapes)
    except FoldError as error:
        error.add_note('view="ops" draws a graph whose steps differ')
        raise


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


def _seats(chart: Chart, steps: int) -> set[Seat]:
    """Where values stand in the columns that will be drawn."""
    return {
        (symbol.key, t)
        for symbol in chart.symbols
        for t in (
            [None]
            if symbol.clock is None
            else visible(chart.lengths[symbol.clock], steps)
        )
    }


def _look(data: Series, scale: Scale, name: str, t: int) -> dict[str, Any]:
    """The colours of a circle under an overlay."""
    return scale.look(data[name][t]) if t in data.get(name, {}) else {}


def _write_overlay(
    drawing: Drawing, done: Unfolded, found: Overlay, scale: Scale
) -> None:
    write_numbers(drawing, done, found.series, found.titles)
    write_bar(drawing.sheet, done, scale)


def _values(graph: Graph, keys: Sequence[str]) -> Callable[[str, int], Lines]:
    """What ``values=True`` writes into a circle: the norm of the value."""
    nodes = {seat: node for node, seat in seats(graph, keys).items()}

    def below(name: str, t: int) -> Lines:
        node = nodes.get((name, t))
        return note(short(norm(node.value)), 8.0, "sans") if node is not None else ()

    return below
