"""Settings that are numbers: checked where they are given, and named where they fail.

>>> within("momentum", 0.9, "[0, 1)")
0.9
>>> within("lr", -1, "[0, inf)")
Traceback (most recent call last):
ValueError: lr lies in [0, inf), got -1
>>> whole("every", 0)
Traceback (most recent call last):
ValueError: every is a whole number from 1 on, got 0
"""

from operator import index
from typing import Any


def within(name: str, value: Any, interval: str) -> float:
    """The value as a float; a ValueError if it is not in the interval, or NaN.

    ``interval`` is as in mathematics: "[0, 1)" has 0 and not 1.
    """
    low, high = (float(end) for end in interval[1:-1].split(","))
    try:
        number = float(value if not isinstance(value, (str, bytes)) else "text")
    except (TypeError, ValueError):
        raise TypeError(f"{name} is a number in {interval}, got {value!r}") from None
    inside = low < number < high
    at_an_end = (number == low and interval[0] == "[") or (
        number == high and interval[-1] == "]"
    )
    if not (inside or at_an_end):
        raise ValueError(f"{name} lies in {interval}, got {value!r}")
    return number


def whole(name: str, value: Any, least: int = 1) -> int:
    """The value as an int; a ValueError if it is none or smaller than ``least``."""
    try:
        number = index(value)
    except TypeError:
        number = least - 1
    if number < least:
        raise ValueError(f"{name} is a whole number from {least} on, got {value!r}")
    return number
