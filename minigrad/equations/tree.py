"""Expression trees: what one equation says, as data.

Vocabulary
    expression  an op's name, what it takes, its attributes, and the shape of its value
    value       a symbol at a time; number, product and each are the others that are no
                ops
    each        what it holds at every step of a span, one after the other: what a sum
                over t adds up
    time        a step: t + k, k, or T + k; an equation is about its own t, what an each
                holds about the step that the each is at

Equal expressions are one object, so two steps of a loop that compute the same have the
same tree. Arrays have the shapes and the order of axes that minigrad has: rows.

>>> forest = Forest()
>>> h = forest.value("h", Time("t", -1), (2,))
>>> forest.moved(h, 1).attrs["time"], forest.moved(h, -2) is forest.moved(h, -2)
(t, True)
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

from minigrad.fold.moving_index import Ahead, at_step, key_of, mapped

Shape = tuple[int, ...]


class Time(NamedTuple):
    """A step: ``k`` further than t (``of`` is "t") or than T, or k itself ("")."""

    of: str
    k: int

    def __repr__(self) -> str:
        return f"{self.of}{self.k:+d}" if self.of and self.k else self.of or str(self.k)

    def at(self, t: int, length: int) -> int:
        """The number of the step."""
        return self.k + {"t": t, "T": length, "": 0}[self.of]


def step_of(t: int, length: int, late: bool = False) -> Time:
    """A step counted from the nearer end; from the last one too if it is an end.

    >>> step_of(2, 9), step_of(8, 9), step_of(2, 3), step_of(2, 3, late=True)
    (2, T-1, 2, T-1)
    >>> step_of(11, 9)
    T+2
    """
    early = t - 1 < length - t + (not late)
    return Time("", t) if early and t <= length else Time("T", t - length)


@dataclass(frozen=True, eq=False)
class Expr:
    """One expression; ``size`` counts its leaves, ``depth`` its ops in a row."""

    op: str
    args: tuple["Expr", ...]
    attrs: dict[str, Any]
    shape: Shape
    size: int
    depth: int

    def __repr__(self) -> str:
        said = [*map(repr, self.args), *(f"{k}={v!r}" for k, v in self.attrs.items())]
        return f"{self.op}({', '.join(said)})"

    @property
    def number(self) -> float | None:
        """The number that every element is, or None."""
        return self.attrs["number"] if self.op == "number" else None


class Forest:
    """Makes expressions, each once."""

    def __init__(self) -> None:
        self.known: dict[Any, Expr] = {}
        self.shifted: dict[Any, Expr] = {}

    def make(
        self, op: str, args: Sequence[Expr], attrs: dict[str, Any], shape: Shape
    ) -> Expr:
        """The expression of these parts."""
        key = (op, tuple(map(id, args)), key_of(attrs), shape)
        found = self.known.get(key)
        if found is None:
            size = sum([a.size for a in {*args}]) if args else int(op != "number")
            depth = 1 + max([a.depth for a in args], default=0)
            found = self.known[key] = Expr(op, tuple(args), attrs, shape, size, depth)
        return found

    def value(self, symbol: str, time: Time | None, shape: Shape) -> Expr:
        """A symbol at a time."""
        key = symbol, time, shape
        if key not in self.known:
            attrs = {"symbol": symbol, "time": time}
            self.known[key] = self.make("value", (), attrs, shape)
        return self.known[key]

    def moved(self, e: Expr, by: int) -> Expr:
        """An expression about t, said about t - by."""
        if not by:
            return e
        return self._timed(e, lambda v: ahead(v, by), ("moved", by))

    def fixed(self, e: Expr, t: int, length: int) -> Expr:
        """An expression about t, said of the step t."""

        def change(value: Any) -> Any:
            if isinstance(value, Time):
                return step_of(t + value.k, length) if value.of == "t" else value
            return at_step(value, t, length)

        return self._timed(e, change, ("fixed", t, length))

    def _timed(self, e: Expr, change: Callable[[Any], Any], how: Any) -> Expr:
        """An expression with its times changed; an each is about steps of its own."""
        found = self.shifted.get((id(e), how))
        if found is None:
            each = e.op == "each"
            args = e.args if each else [self._timed(a, change, how) for a in e.args]
            attrs = {
                k: v if each and k == "entry" else change(v) for k, v in e.attrs.items()
            }
            found = self.shifted[id(e), how] = self.make(e.op, args, attrs, e.shape)
        return found


def in_spans(items: Sequence[Any], step: Callable[[Any], int]) -> Iterator[list[Any]]:
    """Items in order, in parts whose steps are equally far from one another.

    >>> [*in_spans([1, 2, 3, 7], int)], [*in_spans([2, 4, 6], int)]
    ([[1, 2, 3], [7]], [[2, 4, 6]])
    >>> [*in_spans([2, 2, 2], int)]
    [[2], [2], [2]]
    """
    gaps = [step(b) - step(a) for a, b in pairwise(items)]
    # Of every k-th step three are needed to see a period.
    gap = gaps[0] if len({*gaps}) == 1 and len(gaps) > 1 else -1 if -1 in gaps else 1
    gap = gap or 1  # one step twice is two parts
    found: list[Any] = []
    for item in items:
        if found and step(item) - step(found[-1]) != gap:
            yield found
            found = []
        found.append(item)
    yield found


def ahead(value: Any, by: int) -> Any:
    """What moves with t, said about t - by.

    >>> ahead((Ahead(-1), Time("T", 0), slice(None)), 1)
    (t, T, slice(None, None, None))
    """

    def moved(v: Any) -> Any:
        if isinstance(v, Time):
            return v._replace(k=v.k + by) if v.of == "t" else v
        return replace(v, k=v.k - by if v.from_end else v.k + by)

    return mapped(value, (Ahead, Time), moved)
