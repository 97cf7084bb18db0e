"""Which steps of a loop are drawn, and where their columns stand.

>>> visible(30, 6)
[1, 2, 3, 4, None, 29, 30]
>>> visible(7, 3)
[1, None, 6, 7]
>>> visible(20, 3, range(2, 21, 2))
[1, 2, None, 18, 19, 20]
"""

from collections.abc import Sequence
from typing import NamedTuple

COLUMN, ROW = 96.0, 72.0
RADIUS = 23.0
USUAL = 6


def visible(length: int, steps: int, there: Sequence[int] = ()) -> list[int | None]:
    """The steps to draw: the first ones, None for the gap, and the last two.

    Of two steps they are the first and the last, of one it is the last. They are
    counted among those at which something is ``there``, by default all.
    """
    there = there or range(1, length + 1)
    last = min(2, (steps + 1) // 2)
    if length <= steps or len(there) <= steps:
        return list(range(1, length + 1))
    first = there[steps - last - 1] if steps > last else 0
    return [*range(1, first + 1), None, *range(there[-last], length + 1)]


class Shown(NamedTuple):
    """The columns of one group: their steps, None for one without time, and their x."""

    steps: tuple[int | None, ...]
    xs: tuple[float, ...]
