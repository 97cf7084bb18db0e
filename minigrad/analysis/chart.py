"""Axes to draw into: matplotlib is imported when a plot is asked for, and only then.

>>> blank(None, x="t", y="h(t)").get_xlabel()
't'
"""

from typing import Any


def blank(axes: Any, x: str, y: str) -> Any:
    """The axes given, or those of a new figure, with the names of what they show."""
    if axes is None:
        from matplotlib.figure import Figure

        axes = Figure(figsize=(6.4, 3.6), layout="constrained").subplots()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.spines[["top", "right"]].set_visible(False)
    return axes
