"""The charts of the site: few kinds, each in a light and a dark version.

>>> "</svg>" in curves({"h": {1: 0.5, 2: 0.25}}, x="t", y="norm", log=True).svg()
True
"""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.text import Text

# On a phone a chart shrinks to the screen, and its letters can still be read.
WIDTH = 560
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#7A5C00", "#5B3F9B")
ON_DARK = ("#56B4E9", "#FF9A4D", "#2FD6A5", "#E59AC4", "#E6C34D", "#B8A1F0")
DECIMAL = re.compile(r"(?<=\d)\.(?=\d)")
DASHES = ("-", "--", "-.", ":")


@dataclass(frozen=True)
class Chart:
    """A chart as a function that draws it into axes, given the colours to use."""

    draw: Callable[[Any, Sequence[str]], None]
    height: float = 3.0

    def svg(self, dark: bool = False, language: str = "en") -> str:
        """The chart as SVG; in Spanish its numbers have a decimal comma."""
        ink, paper = ("#E8E8E8", "#16191D") if dark else ("#1A1A1A", "#FFFFFF")
        inked = ("axes.edgecolor", "axes.labelcolor", "text.color")
        inked += ("xtick.color", "ytick.color")
        settings: dict[str, Any] = dict.fromkeys(inked, ink)
        settings |= dict.fromkeys(("figure.facecolor", "axes.facecolor"), paper)
        settings |= {
            "font.size": 11,
            "svg.fonttype": "path",
            "svg.hashsalt": "minigrad",
        }
        with matplotlib.rc_context(settings):
            figure = Figure(figsize=(WIDTH / 96, self.height), layout="constrained")
            axes = figure.subplots()
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(axis="y", color=ink, alpha=0.15, linewidth=0.7)
            axes.set_axisbelow(True)
            self.draw(axes, ON_DARK if dark else COLOURS)
            if language == "es":
                _with_commas(figure)
            text = io.StringIO()
            figure.savefig(text, format="svg", metadata={"Date": None})
        return text.getvalue()


def curves(
    series: Mapping[str, Any],
    x: str,
    y: str,
    log: bool = False,
    marks: str = "",
) -> Chart:
    """Lines by name, each a mapping from x to y, or a sequence counted from 1."""

    def draw(axes: Any, colours: Sequence[str]) -> None:
        for i, (name, line) in enumerate(series.items()):
            points = line if isinstance(line, Mapping) else dict(enumerate(line, 1))
            colour, dash = colours[i % len(colours)], DASHES[i % len(DASHES)]
            axes.plot(
                *zip(*points.items(), strict=True),
                color=colour,
                linestyle=dash,
                marker=marks,
                markersize=4,
                label=name,
            )
            if all(isinstance(at, int) for at in points):  # no step is 2.5
                axes.xaxis.get_major_locator().set_params(integer=True)
        _labelled(axes, x, y, log, len(series))

    return Chart(draw)


def grid(
    values: Any,
    x: str,
    y: str,
    extent: tuple[float, float, float, float],
    paths: Mapping[str, tuple[Sequence[float], Sequence[float]]] | None = None,
) -> Chart:
    """Numbers as brightness: rows of ``values`` from below, in left, right, low, high.

    ``paths`` are lines over it by name, each the xs and the ys of its points.
    """

    def draw(axes: Any, colours: Sequence[str]) -> None:
        axes.grid(visible=False)
        axes.imshow(values, origin="lower", extent=extent, aspect="auto", cmap="Greys")
        for i, (name, (xs, ys)) in enumerate((paths or {}).items()):
            axes.plot(
                xs, ys, color=COLOURS[i], marker="o", markersize=3, lw=1.2, label=name
            )
        axes.set_xlim(*extent[:2])
        axes.set_ylim(*extent[2:])
        _labelled(axes, x, y, False, len(paths or {}))

    return Chart(draw)


def bars(values: Mapping[Any, float], x: str, y: str, log: bool = False) -> Chart:
    """One bar a key."""

    def draw(axes: Any, colours: Sequence[str]) -> None:
        axes.bar(range(len(values)), list(values.values()), color=colours[0])
        every = slice(None, None, 1 + len(values) // 15)
        axes.set_xticks(range(len(values))[every], [str(k) for k in values][every])
        _labelled(axes, x, y, log, 1)

    return Chart(draw)


def plotted(result: Any, words: Mapping[str, str] | None = None) -> Chart:
    """What the result of an analysis draws of itself.

    ``words`` are its words in another language; each of them has to be there.
    """

    def draw(axes: Any, colours: Sequence[str]) -> None:
        axes.set_prop_cycle(color=list(colours))
        result.plot(axes)
        said = {text.get_text(): text for text in axes.findobj(Text)}
        for word, other in (words or {}).items():
            said[word].set_text(other)

    return Chart(draw)


def _with_commas(figure: Figure) -> None:
    """Write the numbers of a chart with a decimal comma: on its axes, and in words."""
    for axis in (a for axes in figure.axes for a in (axes.xaxis, axes.yaxis)):
        for formatter in (axis.get_major_formatter(), axis.get_minor_formatter()):
            formatter.format_ticks = _commas(formatter.format_ticks)
    for text in figure.findobj(Text):
        text.set_text(DECIMAL.sub(",", text.get_text()))


def _commas(written: Callable[[Any], list[str]]) -> Callable[[Any], list[str]]:
    return lambda values: [DECIMAL.sub(",", text) for text in written(values)]


def _labelled(axes: Any, x: str, y: str, log: bool, lines: int) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    if log:
        axes.set_yscale("log")
    if lines > 1:  # above the chart, where it covers no line
        axes.figure.legend(frameon=False, loc="outside upper left", ncols=2)
