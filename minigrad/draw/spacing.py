"""Room for letters: a figure that is not clean is laid out again, wider.

Vocabulary
    wider   by how many points lanes and channels are wider than usual, and rows by 0.7
            of that

>>> from minigrad.draw.page.scene import Scene
>>> clearest(lambda wider: Scene(width=100.0 + wider), lambda: None).width
100.0
"""

import warnings
from collections.abc import Callable

from minigrad.draw.page.scene import Scene
from minigrad.draw.render.audit import faults

WIDER = (0.0, 10.0, 20.0, 30.0)
# What a figure is worse by: a fault, letters on their line, each point of width.
FAULT, ON_LINE, WIDENED = 100.0, 3.0, 0.25
# With more faults than this at first no room will help.
TOO_MUCH = 6

LayOut = Callable[[float], Scene]


def clearest(lay_out: LayOut, simpler: Callable[[], LayOut | None]) -> Scene:
    """The best of up to four layouts, each wider than the one before.

    The first one without a fault and without letters on their line is the last. Where
    there are far too many, ``simpler`` lays out a figure with fewer arrows, if there is
    one.
    """
    found: list[tuple[float, Scene]] = []
    for wider in WIDER:
        scene = lay_out(wider)
        left = len(faults(scene))
        if left > TOO_MUCH and not wider and (other := simpler()) is not None:
            return clearest(other, lambda: None)
        wrong = FAULT * left + ON_LINE * sum(text.backed for text in scene.texts)
        if not wrong:
            return scene
        found.append((wrong + WIDENED * wider, scene))
    return min(found, key=lambda pair: pair[0])[1]


def warn_of_faults(scene: Scene) -> None:
    """Warn of what can be misread in a finished figure."""
    found = faults(scene)
    if not found:
        return
    which = "; ".join(f"{f.what}: {f.first}, {f.second}" for f in found[:3])
    more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
    warnings.warn(
        f"the figure can be misread at {len(found)} places ({which}{more}): "
        'view="folded", params="node" or fewer steps= leave more room',
        stacklevel=3,
    )
