"""What the options of ``draw`` may be.

>>> check_options(0, None, None, biases=False)
Traceback (most recent call last):
ValueError: steps counts the columns to draw: 1 or more; got 0
>>> check_choices(view="rnn.png")
Traceback (most recent call last):
ValueError: view is one of ... to write a file, mg.draw(...).save('rnn.png')
"""

from operator import index
from typing import Any

VIEWS = ("auto", "textbook", "folded", "unfolded", "ops", "backward")
CHOICES = {
    "view": VIEWS,
    "index": ("number", "symbolic"),
    "params": ("label", "node", "hide"),
}


def check_choices(**given: Any) -> None:
    """Raise ValueError for an option that is none of those that there are."""
    for what, value in given.items():
        if value not in CHOICES[what]:
            text = f"{what} is one of {CHOICES[what]}, got {value!r}"
            if what == "view" and "." in str(value):
                text += f": to write a file, mg.draw(...).save({value!r})"
            raise ValueError(text)


def check_options(steps: Any, depth: Any, caption: Any, **switches: Any) -> None:
    """Raise TypeError or ValueError for an option that means nothing."""
    for name, value in switches.items():
        if not isinstance(value, bool):
            raise TypeError(f"{name} is True or False, got {value!r}")
    if caption is not None and not isinstance(caption, str):
        raise TypeError(f"caption is text, got {caption!r}: caption=str(...)")
    if steps is not None and _whole("steps", steps) < 1:
        raise ValueError(f"steps counts the columns to draw: 1 or more; got {steps}")
    if depth is not None and _whole("depth", depth) < 0:
        raise ValueError(f"depth counts scopes: 0 or more, or None; got {depth}")


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError(f"{name} is a whole number, got {value!r}")
    try:
        return index(value)
    except TypeError:
        raise TypeError(f"{name} is a whole number, got {value!r}") from None
