"""Axes to draw into: matplotlib is imported when a plot is asked for, and only then.

>>> blank(None, x="t", y="h(t)").get_xlabel()
't'
"""

from typing import Any

import numpy as np

from minigrad.advice import imported


def blank(axes: Any, x: str, y: str) -> Any:
    """The axes given, or those of a new figure, with the names of what they show."""
    if axes is None:
        pictures = imported("matplotlib.figure", "train")
        axes = pictures.Figure(figsize=(6.4, 3.6), layout="constrained").subplots()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.spines[["top", "right"]].set_visible(False)
    if x == "t":
        axes.locator_params(axis="x", integer=True)
    return axes


def over_steps(axes: Any, y: str, values: Any, names: Any = None) -> Any:
    """A line over t for each column of values (T, k), or one for (T,).

    >>> axes = over_steps(None, "h(t)", np.ones((5, 2)), names=["h₁", "h₂"])
    >>> len(axes.lines), axes.get_legend() is not None
    (2, True)
    """
    axes = blank(axes, "t", y)
    axes.plot(np.arange(1, len(values) + 1), values, label=names)
    return axes if names is None else legend(axes)


def bars(axes: Any, x: str, y: str, heights: Any, places: Any = None) -> Any:
    """A bar for each height, by default at 1, 2, 3, ..

    >>> axes = bars(None, "t", "share", [1.0, 2.0])
    >>> len(axes.patches)
    2
    """
    axes = blank(axes, x, y)
    axes.bar(np.arange(1, len(heights) + 1) if places is None else places, heights)
    return marked(axes, 0.0)


def marked(axes: Any, level: float) -> Any:
    """A thin line at a level.

    >>> len(marked(blank(None, x="t", y="h(t)"), 0.0).lines)
    1
    """
    axes.axhline(level, color="gray", linewidth=0.7)
    return axes


def legend(axes: Any) -> Any:
    """The names of what is shown, beside it, where they hide nothing.

    >>> axes = blank(None, x="t", y="h(t)")
    >>> _ = axes.plot([1, 2], label="h")
    >>> [text.get_text() for text in legend(axes).get_legend().get_texts()]
    ['h']
    """
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return axes
