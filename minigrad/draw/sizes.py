"""How many steps fit where a figure will be printed.

>>> WIDTHS["column"] / 72
3.5
"""

import warnings
from collections.abc import Callable

from minigrad.draw.figure import Figure
from minigrad.draw.textbook.drawing import FOLDED, UNFOLDED

WIDTHS = {"column": 252.0, "page": 504.0}  # points, of a journal with two columns
LEAST = 7.0  # points, of letters that can be read
FEWEST, MOST = 3, 12


def fitting(place: str, drawn: Callable[[int], Figure]) -> Figure:
    """The figure with as many steps as can be read in a column or on a page.

    ``drawn`` makes the figure of some steps; the fewest are those by which every
    initial value is shown. Warns where even their letters are under 7 pt.
    """
    if place not in WIDTHS:
        raise ValueError(f'steps is a number, "column" or "page", got {place!r}')
    fewest, figure = FEWEST, drawn(FEWEST)
    while figure.scene.unread and fewest < MOST:
        fewest += 1
        figure = drawn(fewest)
    size = printed(figure, place)
    if size < LEAST:
        warnings.warn(
            f"in a {place} the letters are {size:.1f} pt, less than {LEAST:g}: "
            f"{_narrower(figure)}name fewer values",
            stacklevel=3,
        )
        return figure
    pitch = drawn(fewest + 1).size[0] - figure.size[0]
    # What is less wide than the place is printed as large as it is.
    room = max(figure.size[0], WIDTHS[place]) * size / LEAST - figure.size[0]
    steps = min(fewest + int(room / pitch), MOST) if pitch > 0 else MOST
    while steps > fewest:
        longer = drawn(steps)
        if printed(longer, place) >= LEAST:
            return longer
        steps -= 1
    return figure


def _narrower(figure: Figure) -> str:
    """Which views have less beside each other than a figure."""
    parts = {node.part for node in figure.scene.nodes}
    if UNFOLDED not in parts:
        return ""
    alone = ' or view="unfolded" alone' if FOLDED in parts else ""
    return f'draw view="folded"{alone}, or '


def printed(figure: Figure, place: str) -> float:
    """The size of the smallest letters where the figure is as wide as that place."""
    labels = [n.lines for n in figure.scene.nodes]
    labels += [t.lines for t in figure.scene.texts]
    runs = [run for lines in labels for line in lines for run in line]
    smallest = min((run.size for run in runs), default=LEAST)
    return smallest * min(1.0, WIDTHS[place] / figure.size[0])
