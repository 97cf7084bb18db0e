"""Expressions as a person would write them: an op is made by its rule, if it has one.

A rule never changes what is computed, but for the last digits: numbers and signs come
to the front, double transposes go, a mean is a sum with a factor, and what is read back
from a stack of steps is the step.

>>> from minigrad.equations.rules import RULES
>>> forest = Simplifier((), RULES)
>>> x = forest.make("value", (), {"symbol": "x", "time": None}, (2, 3))
>>> turned = forest.call("transpose", [x], {}, (3, 2))
>>> forest.call("transpose", [turned], {"axes": (1, 0)}, (2, 3)) is x
True
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from minigrad.equations.tree import Expr, Forest, Shape, Time
from minigrad.fold.moving_index import Ahead

Attrs = dict[str, Any]
Over = tuple[tuple[int, int], ...]  # the T of a loop, and how often it divides
# An element of the value is made of the elements at its place.
ELEMENTWISE_OPS = """
    add subtract multiply divide negative square where tanh sigmoid relu exp log sqrt
    astype greater greater_equal less less_equal equal not_equal logical_not logical_and
    logical_or maximum minimum absolute clip
"""
ELEMENTWISE = frozenset(ELEMENTWISE_OPS.split())


Rule = Callable[["Simplifier", list[Expr], Attrs, Shape], Any]


class Simplifier(Forest):
    """Makes simplified expressions about step ``t`` of loop ``clock``."""

    clock: int | None = None
    t: int | None = None

    def __init__(self, lengths: Sequence[int], rules: Mapping[str, Rule]) -> None:
        super().__init__()
        self.lengths, self.rules = lengths, rules
        # (sequence's symbol, loop) -> the symbol of its x(t)
        self.readers: dict[tuple[str, int | None], str] = {}
        # What a symbol of this very step is equal to: it is written by its letter.
        self.said: dict[Expr, Expr] = {}

    def call(self, op: str, args: Sequence[Expr], attrs: Attrs, shape: Shape) -> Expr:
        """What an op makes of expressions."""
        rule = self.rules.get(op)
        found: Expr | None = rule(self, list(args), attrs, shape) if rule else None
        if found is None and op in ELEMENTWISE:
            found = self._step_by_step(op, args, attrs, shape)
        found = found or self.make(op, args, attrs, shape)
        return self.said.get(found, found)

    def times(self, number: float, x: Expr, over: Over = ()) -> Expr:
        """An expression times a number."""
        return self.call("multiply", [self.number(number, (), over), x], {}, x.shape)

    def view(self, x: Expr, shape: Shape) -> Expr:
        """The same elements in another shape."""
        return self.call("reshape", [x], {}, shape)

    def outward(self, x: Expr, again: Callable[[Expr], Expr]) -> Expr | None:
        """Number and sign of an operand, in front of what is linear in it."""
        n, rest = scaled(x)
        if n is not None:
            made = again(rest)
            return self.call("multiply", [n, made], {}, made.shape)
        if x.op == "negative":
            made = again(x.args[0])
            return self.call("negative", [made], {}, made.shape)
        return None

    def count(self, x: Expr, axes: Sequence[int]) -> tuple[float, Over]:
        """How many elements lie along axes: a number, and the T that it has beside."""
        n = math.prod([x.shape[a] for a in axes])
        each = whole(x) if 0 in axes else None
        if each is None or x.shape[0] != self.lengths[each.attrs["clock"]]:
            return n, ()
        return n / x.shape[0], ((each.attrs["clock"], 1),)

    def row(self, x: Expr, key: Any) -> Expr:
        """One row of a sequence: x(t) where a loop reads it so."""
        symbol = self.readers.get((x.attrs["symbol"], self.clock))
        if symbol and isinstance(key, Ahead) and not key.from_end:
            attrs = {"symbol": symbol, "time": Time("t", key.k + 1)}
            return self.make("value", (), attrs, x.shape[1:])
        return self.make("getitem", (x,), {"key": key}, x.shape[1:])

    def _step_by_step(
        self, op: str, args: Sequence[Expr], attrs: Attrs, shape: Shape
    ) -> Expr | None:
        """An op of stacked steps as the stack of what it makes of each step."""
        each = next((e for a in args if (e := whole(a))), None)
        # About a t of its own it may hold what no step of the stack may.
        if each is None or self.clock is not None:
            return None
        bodies = []
        self.clock = each.attrs["clock"]
        for a in args:
            other = whole(a)
            if other and other.attrs == each.attrs:
                bodies.append(other.args[0])
            elif a.number is not None and a.shape == shape:
                bodies.append(self.number(a.number, shape[1:], a.attrs["over"]))
            elif len(a.shape) < len(shape):
                bodies.append(a)
            elif a.op == "value" and a.shape[0] == shape[0]:
                bodies.append(self.row(a, Ahead(-1)))
        self.clock = None
        if len(bodies) < len(args):
            return None
        body = self.call(op, bodies, attrs, shape[1:])
        again = self.make("each", (body,), each.attrs, body.shape)
        return self.make("stack", (again,), {"axis": 0}, shape)


def whole(e: Expr) -> Expr | None:
    """The each of a stack of one value at steps 1, 2, .. up to some step."""
    each = e.args[0] if e.op == "stack" and len(e.args) == 1 else e
    if each.op != "each" or e.attrs.get("axis", 0) or len(each.args) > 1:
        return None
    a = each.attrs
    plain = a["first"] == Time("", 1) and a["every"] == 1 and not a["down"]
    return each if plain and e.op == "stack" else None


def scaled(e: Expr) -> tuple[Expr | None, Expr]:
    """The number in front of an expression, and the rest."""
    if e.op == "multiply" and e.args[0].number is not None and not e.args[0].shape:
        return e.args[0], e.args[1]
    return None, e


def axes_of(axis: Any, ndim: int) -> list[int]:
    """The axes that a reduction runs over."""
    axes = range(ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return [a % ndim for a in axes] if ndim else []
