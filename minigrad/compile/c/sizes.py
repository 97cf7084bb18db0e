"""Sizes and offsets that may depend on lengths and on t, as exact polynomials.

>>> T = size("T")
>>> (T * 3 + 1) * 2 - T, str((T - 1) * T)
(5 * T + 2, 'T * T - T')
"""

from collections.abc import Mapping, Sequence
from typing import Any, Union

from minigrad.compile.counts import Count


class Size:
    """A sum of products of names, with whole numbers as factors."""

    __slots__ = ("terms",)

    def __init__(self, terms: Mapping[tuple[str, ...], int]) -> None:
        self.terms = {k: terms[k] for k in sorted(terms) if terms[k]}

    def __add__(self, other: "AnySize") -> "Size":
        found = dict(self.terms)
        for names, factor in size(other).terms.items():
            found[names] = found.get(names, 0) + factor
        return Size(found)

    def __mul__(self, other: "AnySize") -> "Size":
        found: dict[tuple[str, ...], int] = {}
        for a, i in self.terms.items():
            for b, k in size(other).terms.items():
                names = tuple(sorted(a + b))
                found[names] = found.get(names, 0) + i * k
        return Size(found)

    def __sub__(self, other: "AnySize") -> "Size":
        return self + size(other) * -1

    __radd__, __rmul__ = __add__, __mul__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (int, Size)) and self.terms == size(other).terms

    def __hash__(self) -> int:
        return hash(tuple(self.terms.items()))

    @property
    def number(self) -> int | None:
        """The whole number that this is, None where it depends on a name."""
        return None if any(self.terms) else self.terms.get((), 0)

    @property
    def divisor(self) -> str:
        """The text of what something is divided by."""
        return str(self) if self.number is not None else f"({self})"

    def __str__(self) -> str:
        text = ""
        # What is added comes first, what is known last: 4 * t - 4, but 4 - j.
        terms = sorted(self.terms.items(), key=lambda t: (t[1] < 0, not t[0]))
        for names, factor in terms:
            sign = "-" if factor < 0 else "+"
            numbers = [str(abs(factor))] if abs(factor) != 1 or not names else []
            term = " * ".join([*numbers, *names])
            text += f" {sign} {term}" if text else f"{sign}{term}".removeprefix("+")
        return text or "0"

    __repr__ = __str__


AnySize = Union[int, str, Size]  # noqa: UP007 - read before Size is there


def size(value: AnySize) -> Size:
    """A number, or a name."""
    if isinstance(value, Size):
        return value
    return Size({(value,): 1} if isinstance(value, str) else {(): value})


def count(value: int | Count, lengths: Sequence[str]) -> Size:
    """A count, with these names for the lengths."""
    if not isinstance(value, Count):
        return size(value)
    return size(lengths[value.clock]) * value.a + value.b if value.a else size(value.b)


def product(sizes: Sequence[Any]) -> Size:
    """How many elements an array of this shape has."""
    found = size(1)
    for n in sizes:
        found = found * n
    return found
