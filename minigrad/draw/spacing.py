"""Room for letters: a figure that is not clean is laid out again, wider.

Vocabulary
    wider   by how many points lanes and channels are wider than usual, and rows by 0.7
            of that
    aside   below the figure, where letters stand that no width has room for

>>> from minigrad.draw.page.scene import Scene
>>> scene, found = clearest(lambda wider: Scene(width=100.0 + wider))
>>> scene.width, found
(100.0, [])
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace

from minigrad.draw.page.letters import note
from minigrad.draw.page.scene import Scene, Text, bounds, centred
from minigrad.draw.render.audit import Fault, faults

WIDER = (0.0, 10.0, 20.0, 30.0)
# What a figure is worse by: a fault, letters on their line, each point of width.
FAULT, ON_LINE, WIDENED = 100.0, 3.0, 0.25
# How far below each other letters stand aside.
ROW = 16.0
# With more faults than this no room will help.
TOO_MUCH = 6
# A figure with more arrows than this is laid out as usual and as wide as can be.
MANY = 150

LayOut = Callable[[float], Scene]


def clearest(
    lay_out: LayOut, simpler: LayOut | None = None
) -> tuple[Scene, list[Fault]]:
    """The best of up to four layouts, each wider than the one before, and its faults.

    The search ends where a wider layout cannot be better; of MANY arrows there are two.
    ``simpler`` draws the same with fewer arrows, where there are far too many faults or
    some are left.
    """
    found: list[tuple[float, Scene, list[Fault]]] = []
    for wider in WIDER:
        if any(worse <= WIDENED * wider for worse, _, _ in found):
            break
        if found and len(found[0][1].edges) > MANY and wider < WIDER[-1]:
            continue
        scene = lay_out(wider)
        left, backed = faults(scene), sum(text.backed for text in scene.texts)
        worse = FAULT * len(left) + ON_LINE * backed + WIDENED * wider
        found.append((worse, scene, left))
        if simpler is not None and len(left) > TOO_MUCH:
            break
    _, scene, left = min(found, key=lambda one: one[0])
    if simpler is not None and left:
        other, fewer = clearest(simpler)
        return (other, fewer) if len(fewer) < len(left) else (scene, left)
    return scene, left


def with_asides(scene: Scene, found: list[Fault]) -> tuple[Scene, list[Fault]]:
    """The scene with letters in doubt below it, in words, and what is left of faults.

    Of arrows with one trunk letters stand at one: all of these are told.
    """
    doubted = [scene.edge(id) for id in dict.fromkeys(f.edge for f in found) if id]
    if not doubted:
        return scene, found
    alike = {(e.net or e.id, e.parameters) for e in doubted}
    told = [e for e in scene.edges if (e.net or e.id, e.parameters) in alike]
    ids = {e.id for e in told}
    texts = [t for t in scene.texts if t.edge not in ids and t.kind != "caption"]
    left, low, right, _ = bounds(replace(scene, texts=tuple(texts)))
    for row, title in enumerate(dict.fromkeys(e.title for e in told), 1):
        at = (left + right) / 2, low - ROW * row
        texts.append(Text(*at, note(title, 12.0), "faint", word="aside"))
    captions = (t for t in scene.texts if t.kind == "caption")
    below = (replace(t, y=t.y - ROW * row) for t in captions)
    scene = centred(replace(scene, texts=(*texts, *below)))
    return scene, faults(scene)


def warn_of_faults(found: Sequence[Fault]) -> None:
    """Warn of what can be misread in a finished figure."""
    if not found:
        return
    which = "; ".join(f"{f.what}: {f.first}, {f.second}" for f in found[:3])
    more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
    warnings.warn(
        f"the figure can be misread at {len(found)} places ({which}{more}): "
        'view="folded", params="node" or fewer steps= leave more room',
        stacklevel=4,
    )
