"""Room for letters: a figure with letters in doubt is laid out again, wider.

Vocabulary
    wider   by how many points lanes and channels are wider than usual, and rows by 0.7

>>> from minigrad.draw.page.scene import Scene
>>> clearest(lambda wider: Scene(width=100.0 + wider), lambda: None).width
100.0
"""

import warnings
from collections.abc import Callable

from minigrad.draw.page.nearness import Doubt, doubts
from minigrad.draw.page.scene import Scene

WIDER = (0.0, 10.0, 20.0, 30.0)
# What a figure is worse by: a doubt, letters on their line, each point of width.
DOUBT, ON_LINE, WIDENED = 100.0, 3.0, 0.25
# With so many doubts at first no room will help.
TOO_MUCH = 6


LayOut = Callable[[float], Scene]


def clearest(lay_out: LayOut, simpler: Callable[[], LayOut | None]) -> Scene:
    """The best of up to four layouts, each wider than the one before.

    The first one in which no letter is in doubt or on its line is the last. Where there
    are far too many, ``simpler`` lays out a figure with fewer arrows, if there is one.
    """
    found: list[tuple[float, Scene]] = []
    for wider in WIDER:
        scene = lay_out(wider)
        left = len(doubts(scene))
        if left > TOO_MUCH and not wider and (other := simpler()) is not None:
            return clearest(other, lambda: None)
        wrong = DOUBT * left + ON_LINE * sum(text.backed for text in scene.texts)
        if not wrong:
            return scene
        found.append((wrong + WIDENED * wider, scene))
    return min(found, key=lambda pair: pair[0])[1]


def warn_of_doubts(scene: Scene) -> None:
    """Warn of the letters that are still in doubt."""
    found: list[Doubt] = doubts(scene)
    if not found:
        return
    which = ", ".join(f"{d.words} at {d.other or d.edge}" for d in found[:3])
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    warnings.warn(
        f"{len(found)} texts of the figure are in doubt, too near to another arrow or "
        f'text: {which}{more}; view="folded", params="node" or fewer steps= leave more '
        "room",
        stacklevel=3,
    )
