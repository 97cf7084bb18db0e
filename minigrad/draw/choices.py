"""What ``draw`` was asked for, and what its options may be.

>>> Asked(steps=0)
Traceback (most recent call last):
ValueError: steps counts the columns to draw: 1 or more; got 0
>>> Asked("rnn.png")
Traceback (most recent call last):
ValueError: view is one of ... to write a file, mg.draw(...).save('rnn.png')
"""

from dataclasses import dataclass
from operator import index
from typing import Any

VIEWS = ("auto", "textbook", "folded", "unfolded", "ops", "backward")
CHOICES = {
    "view": VIEWS,
    "index": ("number", "symbolic"),
    "params": ("label", "node", "hide"),
}


@dataclass(frozen=True)
class Asked:
    """What ``draw`` was asked for; ``auto`` if the view was left to it.

    Raises TypeError or ValueError for what means nothing, or not together.
    """

    view: str = "textbook"
    steps: int | None = None
    index: str = "number"
    params: str = "label"
    biases: bool = False
    shapes: bool = False
    values: bool = False
    overlay: Any = None
    depth: int | None = None
    caption: str | None = None
    auto: bool = False

    def __post_init__(self) -> None:
        for what, known in CHOICES.items():
            value = getattr(self, what)
            if value not in known:
                text = f"{what} is one of {known}, got {value!r}"
                if what == "view" and "." in str(value):
                    text += f": to write a file, mg.draw(...).save({value!r})"
                raise ValueError(text)
        for what in ("biases", "shapes", "values"):
            if not isinstance(getattr(self, what), bool):
                got = getattr(self, what)
                raise TypeError(f"{what} is True or False, got {got!r}")
        caption, steps, depth = self.caption, self.steps, self.depth
        if caption is not None and not isinstance(caption, str):
            raise TypeError(f"caption is text, got {caption!r}: caption=str(...)")
        if steps is not None and _whole("steps", steps) < 1:
            raise ValueError(
                f"steps counts the columns to draw: 1 or more; got {steps}"
            )
        if depth is not None and _whole("depth", depth) < 0:
            raise ValueError(f"depth counts scopes: 0 or more, or None; got {depth}")
        overlaid = self.overlay is not None
        numbers = self.values or overlaid or self.view == "backward"
        if self.index == "symbolic" and numbers:
            raise ValueError(
                "values, overlays and what flows back are of single steps: "
                'index="number" shows them'
            )
        if overlaid and self.view in ("ops", "backward", "folded"):
            raise ValueError(
                f"an overlay colours unrolled columns, not view={self.view!r}"
            )


def _whole(name: str, value: Any) -> int:
    try:
        if not isinstance(value, bool):
            return index(value)
    except TypeError:
        pass
    raise TypeError(f"{name} is a whole number, got {value!r}")
