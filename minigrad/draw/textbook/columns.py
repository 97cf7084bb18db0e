"""Which steps of a loop are drawn, where their columns stand, and how they are counted.

Vocabulary
    column   one step, or the gap where steps are left out
    gap      the place of the three dots
    index    what is written in the brackets: the number, or t-1, t, t+1

>>> visible(30, 6)
[1, 2, 3, 4, None, 29, 30]
>>> visible(7, 3)
[1, None, 6, 7]
"""

from dataclasses import dataclass, field

COLUMN, ROW = 96.0, 72.0
RADIUS = 23.0
USUAL = 6


def visible(length: int, steps: int) -> list[int | None]:
    """The steps to draw: the first ones, None for the gap, and the last two.

    Of two steps they are the first and the last, of one it is the last.
    """
    if length <= steps:
        return list(range(1, length + 1))
    last = min(2, (steps + 1) // 2)
    return [*range(1, steps - last + 1), None, *range(length - last + 1, length + 1)]


@dataclass(frozen=True)
class Loop:
    """The columns of one clock: the x of each shown step, and of the gap."""

    length: int
    shown: tuple[int | None, ...]
    xs: tuple[float, ...]
    index: dict[int, str] | None = None

    @property
    def steps(self) -> list[int]:
        """The steps that are drawn."""
        return [t for t in self.shown if t is not None]

    def x(self, t: int) -> float:
        """The x of step t."""
        return self.xs[self.shown.index(t)]

    @property
    def before(self) -> float:
        """The x of a column before the first."""
        return self.xs[0] - COLUMN


@dataclass
class Unfolded:
    """Where the columns came to stand: the loops, and the x of what has no time."""

    loops: dict[int, Loop] = field(default_factory=dict)
    middles: dict[int, float] = field(default_factory=dict)
    left: float = 0.0
    right: float = 0.0
