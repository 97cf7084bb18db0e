"""Overlays: a number for each step as the colour of its circle, on a log scale.

Vocabulary
    series   the numbers of one named value: {t: number}
    decade   a power of ten; the colour bar runs over whole decades

Larger is lighter (cividis, which colour-blind eyes read too). What has no logarithm has
its own look: an exact 0 is white, nan and inf have a red dashed border.

>>> scale = Scale([1e-4, 0.5])
>>> scale.decades, scale.fill(1e-4), scale.fill(0.0)
((-4, 0), '#00224E', '#FFFFFF')
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10
from typing import Any

from minigrad.draw.measure import Series, by_step, chosen, gradients, norm, seats
from minigrad.draw.page.letters import (
    clean,
    fitted,
    indexed,
    letter,
    note,
    short,
    sized,
)
from minigrad.draw.page.scene import Frame, Line, Run, line_width
from minigrad.draw.stretch import stretches
from minigrad.draw.textbook.chart import Chart, states
from minigrad.draw.textbook.columns import COLUMN
from minigrad.draw.textbook.drawing import UNFOLDED, Drawing
from minigrad.graph import Graph

# Every fifteenth colour of cividis (Nuñez, Anderton, Renslow 2018).
CIVIDIS = (
    "00224E 002D6B 16396D 2F446B 42506D 545B6F 656870 757575 "
    "858078 978C77 A99A74 BCA76E D0B665 E2C45B F3D24E FEE838"
)
COLOURS = [tuple(bytes.fromhex(colour)) for colour in CIVIDIS.split()]
SWATCH, SWATCHES = 9.0, 24
NUMBER = 26.0  # from the middle of the first number to what stands before it
RED = "#D00000"
SMALL = 12.0
BAR = Run("‖", "serif", SMALL)


@dataclass(frozen=True)
class Overlay:
    """The numbers of an overlay, and what they are called."""

    series: Series
    titles: dict[str, Line]


class Scale:
    """From numbers to colours, over the decades that the numbers span."""

    def __init__(self, numbers: Iterable[float]) -> None:
        logs = [log10(abs(v)) for v in numbers if v and isfinite(v)]
        low = floor(min(logs, default=0.0))
        high = max(ceil(max(logs, default=1.0)), low + 1)
        self.decades = (low, high)

    def position(self, value: float) -> float:
        """Where a number lies on the scale, 0 to 1."""
        low, high = self.decades
        return min(max((log10(abs(value)) - low) / (high - low), 0.0), 1.0)

    def fill(self, value: float) -> str:
        """The colour of a number."""
        plain = value and isfinite(value)
        return mixed(self.position(value)) if plain else "#FFFFFF"

    def look(self, value: float) -> dict[str, Any]:
        """Fill, letters and border of a circle with that number."""
        fill = self.fill(value)
        ink = "#FFFFFF" if luminance(fill) < 0.179 else "#000000"
        odd = {} if isfinite(value) else {"border": RED, "dashed": True}
        return {"fill": fill, "ink": ink, "border": "#1A1A1A"} | odd


def mixed(share: float) -> str:
    """The colour at a share of the colour map."""
    place = share * (len(COLOURS) - 1)
    i = min(int(place), len(COLOURS) - 2)
    a, b = COLOURS[i : i + 2]
    return "#" + "".join(
        f"{round(x + (y - x) * (place - i)):02X}" for x, y in zip(a, b, strict=True)
    )


def luminance(colour: str) -> float:
    """The relative luminance (WCAG 2) of a colour, 0 to 1."""
    linear = [
        c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4
        for c in (v / 255 for v in bytes.fromhex(colour[1:]))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def overlay(graph: Graph, chart: Chart, asked: Any) -> Overlay:
    """The numbers that were asked for.

    Parameters
    ----------
    asked: "grad" (of the loss by each state), "value" (norms of the states),
        "jacobian" (how much a step stretches each state), ("grad", name, t) for the
        loss of that name at step t alone, ("value", name, None) for another value than
        the states, or a function of an array that returns a number.
    """
    if isinstance(asked, tuple) and len(asked) != 3:
        raise ValueError(f"an overlay of one value is (kind, name, t), got {asked!r}")
    kind, name, t = asked if isinstance(asked, tuple) else (asked, None, None)
    shown = [name] if kind == "value" and name is not None else states(chart)
    if not shown:
        raise ValueError("an overlay needs a state: a named value that crosses a step")
    if kind == "grad":
        outputs, top = [*graph.outputs], objective(graph)
        if name is not None:
            outputs, top = [chosen(graph, seats(graph), name, t)], small(name)
            top = top if t is None else sized(indexed(top, str(t)), SMALL)
        titles = {s: gradient_of(top, named(chart, s)) for s in shown}
        series = by_step(
            graph,
            shown,
            lambda nodes: [norm(g) for g in gradients(graph, outputs, nodes)],
            chart.keys,
        )
    elif kind == "jacobian" and name is None:
        ways = {s: _before(chart, s) for s in shown}
        found = stretches(graph, ways, chart.keys)
        series = {s: numbers for s, numbers in found.items() if numbers}
        titles = {s: _jacobian_of(chart, s, ways[s][0]) for s in series}
        if not series:
            raise ValueError("no state has a value of the same shape one step before")
    elif kind == "value" or callable(kind):
        of = norm if kind == "value" else kind
        said = getattr(kind, "__name__", "f")
        said = "f" if said == "<lambda>" else clean(said)
        ends = [Run(f"{said}(", "serif", SMALL), Run(")", "serif", SMALL)]
        before, after = [BAR, BAR] if kind == "value" else ends
        titles = {s: (before, *named(chart, s), after) for s in shown}
        series = by_step(
            graph, shown, lambda nodes: [float(of(n.value)) for n in nodes], chart.keys
        )
    else:
        raise ValueError(
            f'no overlay {asked!r}: there are "grad", "value", "jacobian", '
            '("grad", name, t), ("value", name, None) and functions of an array'
        )
    if not all(series.values()):
        missing = next(s for s in shown if not series[s])
        raise ValueError(f"no value named {missing!r} at any step")
    return Overlay(series, titles)


def objective(graph: Graph) -> Line:
    """What a gradient is of: the name of the output, else L; of an array, its sum."""
    only = graph.outputs[0] if len(graph.outputs) == 1 else None
    if only is None or only.name is None:
        return small("L")
    total = () if only.value.size == 1 else (Run("Σ", "serif", SMALL),)
    return (*total, *small(only.name))


def small(name: str) -> Line:
    """A name in a title, cut to a few letters."""
    return fitted(sized(letter(name, 0), SMALL), 60.0)


def named(chart: Chart, key: str) -> Line:
    """A value at step t in a title."""
    return _at(chart, key, "t")


def _at(chart: Chart, key: str, t: str) -> Line:
    """A value in a title, at step t."""
    found = [(s.name or s.key, s.index(t)) for s in chart.symbols if s.key == key]
    name, index = (*found, (key, t))[0]
    return sized(indexed(small(name), index), SMALL)


def _before(chart: Chart, key: str) -> tuple[int, tuple[str, ...]]:
    """Of a state which way the step before it lies, and what may stand there.

    That is itself, or at steps that differ another one of its name; last its start.
    """
    ahead = any(
        a.kind == "delay" and a.delay < 0 and key in (a.source, a.target)
        for a in chart.arrows
    )
    name = chart.symbol(key).name
    alike = [s.key for s in chart.symbols if s.name == name and s.key != key]
    starts = [s for s in chart.symbols if s.stands_for and s.stands_for.state == key]
    return (-1 if ahead else 1), (key, *alike, *(s.key for s in starts[:1]))


def _jacobian_of(chart: Chart, key: str, delay: int) -> Line:
    """The title ‖∂h(t)/∂h(t-1)‖₂."""
    below = _at(chart, key, f"t{'−' if delay > 0 else '+'}1")
    return (*gradient_of(named(chart, key), below), Run("2", "serif", 8.0, -3.0))


def gradient_of(above: Line, below: Line) -> Line:
    """The title ‖∂L/∂h(t)‖."""
    partial = Run("∂", "serif", SMALL)
    return (BAR, partial, *above, Run("/∂", "serif", SMALL), *below, BAR)


def write_numbers(
    drawing: Drawing, series: Series, titles: dict[str, Line], kind: str = "ink"
) -> None:
    """One row of numbers below the columns for each series, with its name in front.

    Series of one name that have no step in common are one row.
    """
    sheet, grid = drawing.sheet, drawing.grid
    rows: dict[tuple[Any, ...], dict[int, float]] = {}
    for name, title in titles.items():
        row: tuple[Any, ...] = title, grid.of[name]
        if rows.get(row, {}).keys() & series[name].keys():
            row = *row, name
        rows.setdefault(row, {}).update(series[name])
    y = sheet.bounds[1] - 14.0
    for (title, group, *_), numbers in rows.items():
        steps, xs = drawing.shown[UNFOLDED][group]
        for t, x in zip(steps, xs, strict=True):
            if t in numbers:
                sheet.write(x, y, note(short(numbers[t]), 11.0), kind)
        before = max(COLUMN, NUMBER + line_width(title) / 2)
        sheet.write(xs[0] - before, y, (title,), kind)
        y -= 18.0


def write_bar(drawing: Drawing, scale: Scale) -> None:
    """The colour bar with its decades, below everything."""
    sheet, (low, high) = drawing.sheet, scale.decades
    top = sheet.bounds[1] - 16.0
    shown = drawing.shown[UNFOLDED].values()
    left = next(xs[0] for (step, *_), xs in shown if step is not None) - 38.0
    for k in range(SWATCHES):
        box = (left + k * SWATCH, top - 11, left + (k + 1) * SWATCH, top)
        sheet.frames.append(Frame(box, fill=mixed((k + 0.5) / SWATCHES)))
    every = max(1, ceil((high - low) / 8))
    for decade in range(low, high + 1, every):
        x = left + SWATCHES * SWATCH * (decade - low) / (high - low)
        power = Run(str(decade).replace("-", "−"), "serif", 8.0, 4.0)
        sheet.write(x, top - 21, ((Run("10", "serif", 10.0), power),))
    x, words = left + SWATCHES * SWATCH + 40, note("log scale")
    sheet.write(x, top - 5.5, words, "faint", word="scale")
