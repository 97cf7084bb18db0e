"""Integers that may depend on the lengths of loops, and ranges of steps made of them.

>>> str(Count(1, -1)), [*Steps(0, Count(0, 2), Count(1, 0)).at([4])]
('T-1', [2, 3, 4])
"""

from collections.abc import Sequence
from typing import NamedTuple


class Count(NamedTuple):
    """The integer a T + b, T the length of a clock; a number has a = 0, clock 0."""

    a: int
    b: int
    clock: int = 0

    def at(self, lengths: Sequence[int]) -> int:
        """The number for these lengths of all clocks."""
        return self.a * lengths[self.clock] + self.b if self.a else self.b

    def plus(self, b: int) -> "Count":
        """This count and b."""
        return Count(self.a, self.b + b, self.clock)

    def minus(self, other: "Count") -> "Count":
        """The difference of two counts of one clock."""
        a = self.a - other.a
        return Count(a, self.b - other.b, (self if self.a else other).clock * bool(a))

    def code(self, names: Sequence[str] = ("T",)) -> str:
        """The count as source, with these names for the lengths."""
        if not self.a:
            return str(self.b)
        name = names[self.clock] if self.clock < len(names) else f"T{self.clock}"
        times = name if self.a == 1 else f"{self.a} * {name}"
        return times if not self.b else f"{times} {'+-'[self.b < 0]} {abs(self.b)}"

    def __str__(self) -> str:
        return self.code().replace(" ", "")


Dim = int | Count
Shape = tuple[Dim, ...]


class Steps(NamedTuple):
    """Steps first..last of a clock, both included; empty where last = first - 1."""

    clock: int
    first: Count
    last: Count

    def at(self, lengths: Sequence[int]) -> range:
        """The steps, for these lengths."""
        return range(self.first.at(lengths), self.last.at(lengths) + 1)

    def moved(self, by: int) -> "Steps":
        """All steps moved by a number."""
        return Steps(self.clock, self.first.plus(by), self.last.plus(by))

    @property
    def number(self) -> Dim:
        """How many steps these are."""
        count = self.last.minus(self.first).plus(1)
        return count if count.a else count.b

    def __str__(self) -> str:
        return f"{self.first}..{self.last}" + f" of {self.clock}" * bool(self.clock)


class Lengths(NamedTuple):
    """The lengths of a clock for which a program holds; ``most`` None: any longer."""

    least: int
    most: int | None = None


def shape_at(shape: Shape, lengths: Sequence[int]) -> tuple[int, ...]:
    """A shape for these lengths."""
    return tuple([d if isinstance(d, int) else d.at(lengths) for d in shape])
