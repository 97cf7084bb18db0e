"""Expressions as a person would write them: sums of products, and what each op becomes.

A product is a number, factors, and the axes that each of them has: an axis that is not
one of the product's own is summed over. So ``h @ W``, ``W.T``, ``x[None]`` and
``(a * b).sum(-1)`` are all products, and what is the same is one expression. A rule
never changes what is computed, but for the last digits.

>>> f = Algebra(())
>>> x = f.value("x", None, (2, 3))
>>> turned = f.call("transpose", [x], {}, (3, 2))
>>> f.call("transpose", [turned], {"axes": (1, 0)}, (2, 3)) is x
True
>>> f.call("multiply", [x, f.number(1.0)], {}, (2, 3)) is x
True
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from minigrad.equations.tree import Expr, Forest, Shape, Time, step_of
from minigrad.fold.moving_index import Ahead, at_step
from minigrad.ops.reduction import axes_of

Attrs = dict[str, Any]
Over = tuple[tuple[int, int], ...]  # the T of a loop, and how often it divides
Axes = tuple[Any, ...]  # a name for each; None is of length 1 and has none
ALL = slice(None)
# An element of the value is made of the elements at its place.
OPS = (
    "add where tanh sigmoid relu exp log sqrt astype divide greater greater_equal less "
    "less_equal equal not_equal logical_not logical_and logical_or maximum minimum "
    "absolute clip"
)
ELEMENTWISE = frozenset(OPS.split())
# A slice of these is these of slices: of gates, and of their gradients.
CUT = frozenset(["tanh", "sigmoid", "relu"])


class Algebra(Forest):
    """Makes simplified expressions about step ``t`` of loop ``clock``."""

    clock: int | None = None
    t: int | None = None

    def __init__(self, lengths: Sequence[int]) -> None:
        super().__init__()
        self.lengths = lengths
        # (sequence's symbol, loop) -> the symbol of its x(t)
        self.readers: dict[tuple[str, int | None], str] = {}
        # What a symbol of this very step is equal to: it is written by its letter.
        self.said: dict[Expr, Expr] = {}

    def call(self, op: str, args: Sequence[Expr], attrs: Attrs, shape: Shape) -> Expr:
        """What an op makes of expressions."""
        rule = RULES.get(op)
        found = rule(self, [*args], attrs, shape) if rule else None
        if found is None and op in ELEMENTWISE:
            found = self.step_by_step(op, args, attrs, shape)
        found = found or self.make(op, args, attrs, shape)
        return self.said.get(found, found)

    def number(self, number: float, shape: Shape = (), over: Over = ()) -> Expr:
        """A number in every element, divided by the T of the loops in ``over``."""
        return self.make("number", (), {"number": number, "over": over}, shape)

    def times(self, number: float, x: Expr, over: Over = ()) -> Expr:
        """An expression times a number."""
        axes = tuple(range(len(x.shape)))
        return self.product([(x, axes)], axes, x.shape, number, over)

    def view(self, x: Expr, shape: Shape) -> Expr:
        """The same elements in another shape."""
        return self.call("reshape", [x], {}, shape)

    # ----------------------------------------------------------------------- products

    def product(
        self,
        operands: Sequence[tuple[Expr, Axes]],
        own: Axes,
        shape: Shape,
        number: float = 1,
        over: Over = (),
    ) -> Expr:
        """Operands multiplied along the axes ``own``, and summed over all others."""
        size, found = dict(zip(own, shape, strict=True)), []
        for k, (e, axes) in enumerate(operands):
            n, of, rest = split(self, e) if e.op == "product" else (*front(e), e)
            number, over = number * n, both(over, of)
            size |= {a: n for a, n in zip(axes, e.shape, strict=True) if a not in size}
            # A product of matrices stays one, and a transposed one of further axes.
            kept, there = [a for a in axes if a in own], [a for a in own if a in axes]
            flat = kept == there or all(len(at) < 3 for _, at in parts(e))
            one = is_product(e) or (len(operands) == 1 and flat)
            name = dict(enumerate(axes)) | {None: None}
            for x, at in parts(e) if one else [self.narrow(rest)]:
                new = tuple([name.get(a, (k, a)) for a in at])
                size |= {a: n for a, n in zip(new, x.shape, strict=True) if n > 1}
                found.append((x, new))
        used = Counter([a for _, at in found for a in {*at}])
        sums = [at[-1] for x, at in found if x.op == "unit" and used[at[-1]] == 1]
        ones = {*sums}.difference(own)  # of a unit vector the sum is 1
        every = dict.fromkeys([*(a for _, axes in operands for a in axes), *used])
        summed = [a for a in every if a not in own]
        if ones:
            found = [(x, at) for x, at in found if ones.isdisjoint(at)]
            used = Counter([a for _, at in found for a in {*at}])
        number *= math.prod([size.get(a, 1) for a in summed if a not in {*used, *ones}])
        number = int(number) if float(number).is_integer() else number
        # An axis of length 1 that is summed over is one that the product has, or none.
        free = [a for a in own if a not in used and size[a] == 1]
        lone = [a for a in summed if used[a] == 1 == size.get(a, 1) and a is not None]
        named = dict.fromkeys(lone) | dict(zip(lone, free, strict=False))
        found = [(x, tuple([named.get(a, a) for a in at])) for x, at in found]
        special = self._of_steps(found, own, shape) or self._of_parts(found, own, shape)
        if special:
            return self.times(number, special, over) if number != 1 or over else special
        if not found:
            return self.number(number, shape, over)
        names = dict.fromkeys([*own, *(a for _, at in found for a in at)])
        names.pop(None, None)
        index = {a: i for i, a in enumerate(names)} | {None: None}
        at = tuple([tuple([index[a] for a in axes]) for _, axes in found])
        ((x, _), *more), plain = found, (tuple(range(len(shape))),)
        if not more and (number, over, at, x.shape) == (1, (), plain, shape):
            return x
        attrs = {"number": number, "over": over, "axes": at}
        return self.make("product", [x for x, _ in found], attrs, shape)

    def _of_steps(self, found: Any, own: Axes, shape: Shape) -> Expr | None:
        """A product with a stack of steps, as that of what is at each step."""
        stacks = [(x, at) for x, at in found if x.op == "stack" and not _axis(x)]
        if not stacks or (len(found) == 1 and stacks[0][1] == own):
            return None
        x, at = stacks[0]
        each, axis, stay = whole(x), at[0], at[0] in own
        if not stay and len(found) == 1:
            inner = [
                self._within(e, lambda b: self.product([(b, at[1:])], own, shape))
                for e in x.args
            ]
            return self.add(inner, shape)
        if self.clock is not None or not each or (stay and own[0] != axis):
            return None
        bodies: list[Any] = [
            (self.body(x, each, x.shape), a[1:]) if axis in a else (x, a)
            for x, a in found
        ]
        if any(e is None or axis in a for e, a in bodies):
            return None
        body = self.product(bodies, own[stay:], shape[stay:])
        again = self._within(each, lambda _: body)
        return self._stacked(again, shape) if stay else self.add([again], shape)

    def _within(self, e: Expr, change: Callable[[Expr], Expr]) -> Expr:
        """An expression changed, or what an each holds."""
        body = change(e.args[0] if e.op == "each" else e)
        return (
            self.make("each", (body,), e.attrs, body.shape) if e.op == "each" else body
        )

    def _stacked(self, each: Expr, shape: Shape) -> Expr:
        return self.make("stack", (each,), {"axis": 0}, shape)

    def _of_parts(self, found: Any, own: Axes, shape: Shape) -> Expr | None:
        """A product with features that are joined, as the products joined."""
        joined = [(x, at) for x, at in found if is_joined(x) and at[-1:] == own[-1:]]
        there = {a for _, at in found for a in at} - {None, *own}
        if not joined or there or len(found) == 1:
            return None
        axis, made, start = own[-1], [], 0
        others = [x for x, at in found if axis in at and not is_joined(x)]
        if not others or not all(map(is_cut, others)):
            return None
        for e in joined[0][0].args:
            end = start + e.shape[-1]
            cut = [
                (sliced(self, x, start, end) if axis in at else x, at)
                for x, at in found
            ]
            made.append(self.product(cut, own, (*shape[:-1], end - start)))
            start = end
        return self.call("concatenate", made, {"axis": -1}, shape)

    def narrow(self, e: Expr) -> tuple[Expr, Axes]:
        """An expression without the axes along which a product is broadcast."""
        axes, there = range(len(e.shape)), {a for _, at in parts(e) for a in at}
        kept = tuple([a for a in axes if a in there or e.shape[a] == 1])
        if e.op != "product" or len(kept) == len(axes):
            return e, tuple(axes)
        shape = tuple([e.shape[a] for a in kept])
        return self.product(parts(e), kept, shape, *front(e)), kept

    # --------------------------------------------------------------------------- sums

    def add(self, terms: Sequence[Expr], shape: Shape) -> Expr:
        """Terms added: those that differ by a number are one."""
        flat: list[Expr] = []
        for (e, over), n in self._counted(terms).items():
            open_ = e.op == "add" and len(e.args) > 1 and n == 1 and not over
            flat += e.args if open_ else [self.times(n, e, over)]
        counts = self._counted(flat)
        ((n, over), *others) = {(abs(n), over) for (_, over), n in counts.items()}
        if len(counts) > 1 and not others and (n, over) != (1, ()) and n:
            signs = [self.times(1 if k > 0 else -1, e) for (e, _), k in counts.items()]
            return self.times(n, self.add(signs, shape), over)
        kept = [
            self.times(n, e, over)
            for (e, over), n in counts.items()
            if n or e.op != "number"
        ] or [self.number(0.0, shape)]
        if len(kept) == 1:
            return (
                kept[0] if kept[0].shape == shape else _multiply(self, kept, {}, shape)
            )
        found = self.step_by_step("add", kept, {}, shape)
        kept = [e.args[0] if e.op == "add" and len(e.args) == 1 else e for e in kept]
        return found or self.make("add", kept, {}, shape)

    def _counted(self, terms: Sequence[Expr]) -> dict[tuple[Expr, Over], float]:
        """How often each term is there."""
        counts: dict[tuple[Expr, Over], float] = {}
        for e in terms:
            number, over, rest = split(self, e.args[0] if e.op == "each" else e)
            if e.op == "each":
                each = self.make("each", (rest,), e.attrs, e.shape)
                rest = self.make("add", (each,), {}, e.shape)
            counts[rest, over] = counts.get((rest, over), 0) + number
        return counts

    # -------------------------------------------------------------------------- steps

    def body(self, x: Expr, each: Expr, shape: Shape) -> Expr | None:
        """What x, broadcast to a shape, is at each step of a stack; None is unknown."""
        other, n = whole(x), self.lengths[each.attrs["clock"]]
        if other:
            return other.args[0] if other.attrs == each.attrs else None
        if len(x.shape) < len(shape):
            return x
        if x.number is not None and x.shape == shape:
            return self.number(x.number, shape[1:], x.attrs["over"])
        if x.op == "value" and x.shape[0] == n and each.attrs["last"].at(n, n) == n:
            return self.row(x, Ahead(-1), each.attrs["clock"])
        return None

    def row(self, x: Expr, key: Any, clock: int | None) -> Expr:
        """One row of a sequence: x(t) where a loop reads it so."""
        symbol = self.readers.get((x.attrs["symbol"], clock))
        if symbol and isinstance(key, Ahead) and not key.from_end:
            return self.value(symbol, Time("t", key.k + 1), x.shape[1:])
        return self.make("getitem", (x,), {"key": key}, x.shape[1:])

    def step_by_step(
        self, op: str, args: Sequence[Expr], attrs: Attrs, shape: Shape
    ) -> Expr | None:
        """An op of stacked steps as the stack of what it makes of each step."""
        each = next((e for a in args if (e := whole(a))), None)
        # About a t of its own it may hold what no step of the stack may.
        if each is None or self.clock is not None:
            return None
        found = [self.body(a, each, shape) for a in args]
        bodies = [b for b in found if b is not None]
        if len(bodies) < len(args):
            return None
        body = self.call(op, bodies, attrs, shape[1:])
        return self._stacked(self._within(each, lambda _: body), shape)

    def count(self, x: Expr, axes: Sequence[int]) -> tuple[float, Over]:
        """How many elements lie along axes: a number, and the T that it has beside."""
        n, each = math.prod([x.shape[a] for a in axes]), whole(x)
        if each is None or 0 not in axes or n == 0:
            return n, ()
        clock = each.attrs["clock"]
        steps = x.shape[0] == self.lengths[clock]
        return (n / x.shape[0], ((clock, 1),)) if steps else (n, ())


def both(a: Over, b: Over) -> Over:
    """The T by which a product is divided."""
    total = Counter(dict(a))
    for clock, n in b:
        total[clock] += n
    return tuple((c, n) for c, n in sorted(total.items()) if n)


def front(e: Expr) -> tuple[float, Over]:
    """The number in front of an expression."""
    there = e.op in ("number", "product")
    return (e.attrs["number"], e.attrs["over"]) if there else (1, ())


def parts(e: Expr) -> list[tuple[Expr, Axes]]:
    """The factors of an expression, each with its axes."""
    if e.op == "product":
        return [*zip(e.args, e.attrs["axes"], strict=True)]
    return [] if e.op == "number" else [(e, tuple(range(len(e.shape))))]


def is_product(e: Expr) -> bool:
    """Whether it is a number, or a product element by element."""
    at = e.attrs["axes"] if e.op == "product" else ()
    return e.op in ("product", "number") and all(
        a is None or a < len(e.shape) for axes in at for a in axes
    )


def split(f: Algebra, e: Expr) -> tuple[float, Over, Expr]:
    """The number in front of an expression, and the rest."""
    if e.op == "number":
        return e.attrs["number"], e.attrs["over"], f.number(1, e.shape)
    axes = tuple(range(len(e.shape)))
    alone = [(x, at) for x, at in parts(e)]
    return *front(e), e if front(e) == (1, ()) else f.product(alone, axes, e.shape)


def whole(e: Expr) -> Expr | None:
    """The each of a stack of one value at steps 1, 2, .. up to some step."""
    if e.op != "stack" or _axis(e) or len(e.args) > 1 or e.args[0].op != "each":
        return None
    a = e.args[0].attrs
    plain = a["first"] == Time("", 1) and a["every"] == 1 and not a["down"]
    return e.args[0] if plain else None


def _axis(e: Expr) -> Any:
    return e.attrs.get("axis", 0)


# ------------------------------------------------------------------------------ the ops


def _aligned(of: Shape, shape: Shape) -> Axes:
    """The axes of an operand that is broadcast to a shape."""
    first = len(shape) - len(of)
    return tuple(
        None if n == 1 and shape[i] != 1 else i for i, n in enumerate(of, first)
    )


def _multiply(f: Algebra, args: list[Expr], attrs: Attrs, shape: Shape) -> Expr:
    own = tuple(range(len(shape)))
    return f.product([(e, _aligned(e.shape, shape)) for e in args], own, shape)


def _square(f: Algebra, args: list[Expr], attrs: Attrs, shape: Shape) -> Expr:
    return _multiply(f, [*args, *args], attrs, shape)


def _divide(f: Algebra, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    a, b = args
    if b.number:
        over = tuple((c, -n) for c, n in b.attrs["over"])
        return f.times(1 / b.number, _multiply(f, [a], attrs, shape), over)
    (n, over, x), (m, under, y) = split(f, a), split(f, b)
    if (n, m) == (1, 1) or not m or over or under:
        return None
    return f.times(n / m, f.call("divide", [x, y], {}, shape))


def _power(f: Algebra, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    x, n = args[0], args[1].number
    if x.shape != shape or n not in (1, 2) or args[1].attrs["over"]:
        return f.number(1.0, shape) if n == 0 else None
    return x if n == 1 else _square(f, [x], {}, shape)


def _view(f: Algebra, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    x = args[0]
    if [n for n in x.shape if n != 1] == [n for n in shape if n != 1]:
        longer = iter(i for i, n in enumerate(shape) if n != 1)
        axes = tuple(
            next(longer) if n != 1 else ("one", i) for i, n in enumerate(x.shape)
        )
        return (
            x
            if x.shape == shape
            else f.product([(x, axes)], (*range(len(shape)),), shape)
        )
    if x.number is not None:
        return f.number(x.number, shape, x.attrs["over"])
    x = x.args[0] if x.op == "reshape" else x
    return f.make("reshape", (x,), {"shape": shape}, shape)


def _transpose(f: Algebra, args: list[Expr], attrs: Attrs, shape: Shape) -> Expr:
    n, axes = len(shape), attrs.get("axes")
    axes = [*range(n)[::-1]] if axes is None else [a % n for a in axes]
    at = tuple(axes.index(a) for a in range(n))
    return f.product([(args[0], at)], tuple(range(n)), shape)


def _swapaxes(f: Algebra, args: list[Expr], attrs: Attrs, shape: Shape) -> Expr:
    axes, i, j = [*range(len(shape))], attrs["axis1"], attrs["axis2"]
    axes[i], axes[j] = axes[j], axes[i]
    return _transpose(f, args, {"axes": axes}, shape)


def _matmul(f: Algebra, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    a, b = args
    if not a.shape or not b.shape:
        return _multiply(f, args, attrs, shape)
    own, row, column = tuple(range(len(shape))), len(a.shape) > 1, len(b.shape) > 1
    n = len(own) - row - column
    left = (*_aligned(a.shape[:-2], shape[:n]), *own[n : n + row], "k")
    right = (*_aligned(b.shape[:-2], shape[:n]), "k", *own[n + row :])
    return f.product([(a, left), (b, right)], own, shape)


def _dot(f: Algebra, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    return _matmul(f, args, attrs, shape) if len(args[1].shape) < 3 else None


def _einsum(f: Algebra, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    said, _, own = attrs["subscripts"].replace(" ", "").partition("->")
    axes = [tuple(part) for part in said.split(",")]
    if "." in said or not _ or any(len({*at}) < len(at) for at in axes):
        return None
    return f.product([*zip(args, axes, strict=True)], tuple(own), shape)


def _sum(f: Algebra, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    x, axes = args[0], axes_of(attrs.get("axis"), len(args[0].shape))
    at = [("over", i) if i in axes else i for i in range(len(x.shape))]
    keep = attrs.get("keepdims")
    own = [
        ("one", i) if i in axes else i
        for i in range(len(x.shape))
        if keep or i not in axes
    ]
    return f.product([(x, tuple(at))], tuple(own), shape)


def _count(f: Algebra, x: Expr, attrs: Attrs, shape: Shape) -> Expr:
    n, over = f.count(x, axes_of(attrs.get("axis"), len(x.shape)))
    return f.number(n, shape, tuple((clock, -k) for clock, k in over))


def _mean(f: Algebra, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    n, over = f.count(args[0], axes_of(attrs.get("axis"), len(args[0].shape)))
    return f.times(1 / n, _sum(f, args, attrs, shape), over) if n else None


def _spread(f: Algebra, args: list[Expr], attrs: Attrs, shape: Shape) -> Expr:
    a, axis = args[0], attrs.get("axis")
    if axis is not None and not attrs.get("keepdims") and shape:
        axes = axes_of(axis, len(shape))
        a = f.view(a, tuple([1 if i in axes else n for i, n in enumerate(shape)]))
    return _multiply(f, [a], {}, shape)


def _spread_mean(f: Algebra, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    n, over = f.count(args[1], axes_of(attrs.get("axis"), len(shape)))
    return f.times(1 / n, _spread(f, args, attrs, shape), over) if n else None


def _reduced(f: Algebra, each: Expr, attrs: Attrs, shape: Shape) -> Expr:
    reduction = attrs.get("reduction", "mean")
    return each if reduction == "none" else f.call(reduction, [each], {}, shape)


def _mse(f: Algebra, args: list[Expr], attrs: Attrs, shape: Shape) -> Expr:
    size = args[0].shape
    difference = f.call("subtract", args, {}, size)
    return _reduced(f, _square(f, [difference], {}, size), attrs, shape)


def _cross_entropy(f: Algebra, args: list[Expr], attrs: Attrs, shape: Shape) -> Expr:
    each = f.make("cross_entropy", args, attrs | {"reduction": "none"}, args[1].shape)
    return _reduced(f, each, attrs, shape)


def _unit(f: Algebra, args: list[Expr], attrs: Attrs, shape: Shape) -> Expr:
    ignored = {"ignored": attrs.get("ignore_index", -100)}
    unit = f.make("unit", args[:1], ignored, shape)
    n = math.prod(args[0].shape) if attrs.get("reduction", "mean") == "mean" else 1
    return f.times(1 / n, unit) if n else unit


# ------------------------------------------------------------------- parts of arrays


def sliced(f: Algebra, x: Expr, a: int, b: int) -> Expr:
    """The features a..b-1, which are the last axis."""
    shape = (*x.shape[:-1], b - a)
    key = (ALL,) * (len(shape) - 1) + (slice(a, b),)
    return f.call("getitem", [x], {"key": key}, shape)


def feature_ends(key: Any, shape: Shape) -> tuple[int, int] | None:
    """The first feature that a key takes and that behind the last, if it is a slice.

    >>> feature_ends((ALL, slice(1, 3)), (2, 4)), feature_ends((0,), (2, 4))
    ((1, 3), None)
    """
    parts = key if isinstance(key, tuple) else (key,)
    parts = (ALL,) * (len(shape) - 1) + parts[1:] if parts[0] is Ellipsis else parts
    last = parts[-1] if shape and len(parts) == len(shape) else None
    if not isinstance(last, slice) or parts[:-1] != (ALL,) * (len(shape) - 1):
        return None
    numbers = all(e is None or type(e) is int for e in (last.start, last.stop))
    return last.indices(shape[-1])[:2] if numbers and last.step in (None, 1) else None


def is_joined(e: Expr) -> bool:
    """Whether this is features side by side."""
    joined = e.op == "concatenate" and e.attrs.get("axis") == -1
    return joined and not over_steps(e)


def over_steps(e: Expr) -> bool:
    """Whether an operand is what there is at each step of a loop, as in a sum."""
    return any(part.op == "each" for part in e.args)


def is_cut(e: Expr) -> bool:
    """Whether a slice of it is made of slices."""
    if e.op == "product":
        return is_product(e)
    plain = e.op == "add" and e.args[0].number is not None
    return (e.op in CUT or plain) and not over_steps(e)


def _cut(f: Algebra, x: Expr, a: int, b: int) -> Expr | None:
    """Some features of what was made element by element, cut or joined."""
    if (a, b) == (0, x.shape[-1]):
        return x
    shape, last = (*x.shape[:-1], b - a), len(x.shape) - 1
    if x.op == "getitem" and len(x.args) == 1:
        inner = feature_ends(x.attrs["key"], x.args[0].shape)
        return inner and sliced(f, x.args[0], inner[0] + a, inner[0] + b)
    if is_joined(x):
        start = 0
        for e in x.args:
            if start <= a and b <= start + e.shape[-1]:
                return sliced(f, e, a - start, b - start)
            start += e.shape[-1]
    if not is_cut(x):
        return None
    if x.op == "product":
        cut = [(sliced(f, e, a, b) if last in at else e, at) for e, at in parts(x)]
        if any(last in at[:-1] for at in x.attrs["axes"]):
            return None
        return f.product(cut, tuple(range(last + 1)), shape, *front(x))
    args = [sliced(f, e, a, b) if e.shape[-1:] == x.shape[-1:] else e for e in x.args]
    return f.call(x.op, args, x.attrs, shape)


def _getitem(f: Algebra, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    x, key = args[0], attrs["key"]
    parts = key if isinstance(key, tuple) else (key,)
    if len(args) > 1:
        return None
    number, over, rest = split(f, x)
    if (number, over) != (1, ()) or x.op == "number":
        one = rest.op == "number"
        rest = f.number(1, shape) if one else f.call("getitem", [rest], attrs, shape)
        return f.times(number, rest, over)
    moves = [
        p
        for p in parts
        if isinstance(p, Ahead) or getattr(p, "step", 1) not in (None, 1)
    ]
    if math.prod(shape) == math.prod(x.shape) and not moves:
        return f.view(x, shape)
    ends = feature_ends(key, x.shape)
    if ends is not None:
        plain = (ALL,) * (len(shape) - 1) + (slice(*ends),)
        return _cut(f, x, *ends) or f.make("getitem", (x,), {"key": plain}, shape)
    one = len(parts) == 1 and isinstance(parts[0], (int, Ahead)) and len(x.shape) > 0
    return (
        _row(f, x, parts[0], shape) if one and parts[0] not in (True, False) else None
    )


def _row(f: Algebra, x: Expr, index: Any, shape: Shape) -> Expr | None:
    """One row of what was made of all steps: what was made of that step."""
    each, n = whole(x), f.lengths[f.clock or 0] if f.lengths else 0
    there = 0 <= at_step(index, f.t or 0, n) < x.shape[0]
    ahead = isinstance(index, Ahead) and not index.from_end
    if each is not None and ahead and each.attrs["clock"] == f.clock:
        return f.moved(each.args[0], index.k + 1) if there else None
    if x.op == "value":
        return f.row(x, index, f.clock) if there else None

    def row(e: Expr) -> Expr:
        return f.call("getitem", [e], {"key": index}, e.shape[1:])

    if x.op == "product":
        of = [(row(e), at[1:]) if at[:1] == (0,) else (e, at) for e, at in parts(x)]
        if any(0 in at for _, at in of):
            return None
        return f.product(of, tuple(range(1, len(x.shape))), shape)
    if x.op == "embedding":
        return f.make("embedding", (x.args[0], row(x.args[1])), {}, shape)
    same = all(a.shape == x.shape or len(a.shape) < len(x.shape) for a in x.args)
    if x.op not in ELEMENTWISE or not same or over_steps(x):
        return None
    rows = [row(a) if a.shape == x.shape else a for a in x.args]
    return f.call(x.op, rows, x.attrs, shape)


def _scatter(f: Algebra, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    """What fills all of an array is joined: parts of features, or all steps."""
    rest, keys = args[1:], attrs["keys"][1:]
    cuts = [feature_ends(k, shape) if k is not None else None for k in keys]
    if None not in cuts and all(e.op != "each" for e in rest):
        order = sorted(range(len(cuts)), key=lambda i: cuts[i] or (0, 0))
        ends = [cuts[i] or (0, 0) for i in order]
        if [0, *(b for _, b in ends)] == [*(a for a, _ in ends), shape[-1]]:
            return f.call("concatenate", [rest[i] for i in order], {"axis": -1}, shape)
    key = keys[0] if len(rest) == 1 else 0
    if isinstance(key, tuple) and all(p in (None, Ellipsis) or p == ALL for p in key):
        return f.view(rest[0], shape)
    if len(rest) > 1 or rest[0].op != "each" or rest[0].attrs["every"] > 1:
        return None
    a = rest[0].attrs
    n = f.lengths[a["clock"]]
    full = (a["first"], a["last"]) == (step_of(1, n), step_of(n, n, n > 1))
    if full and shape[0] == n and a["entry"] in (Ahead(-1), Ahead(-1, step=True)):
        made = {"down": False, "entry": None}
        again = f.make("each", rest[0].args, a | made, rest[0].shape)
        return f.make("stack", (again,), {"axis": 0}, shape)
    return None


def _concatenate(f: Algebra, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    each = any(a.op == "each" for a in args)
    if attrs.get("axis", 0) not in (-1, len(shape) - 1) or each:
        return args[0] if len(args) == 1 and not each else None
    flat = [part for a in args for part in (a.args if is_joined(a) else [a])]
    return f.make("concatenate", flat, {"axis": -1}, shape)


Rule = Callable[[Algebra, list[Expr], Attrs, Shape], Any]
RULES: dict[str, Rule] = {
    **dict.fromkeys(["multiply", "broadcast_to"], _multiply),
    **dict.fromkeys(["reshape", "reshape_like", "expand_dims", "squeeze"], _view),
    "matmul": _matmul,
    "dot": _dot,
    **dict.fromkeys(["add", "add_n"], lambda f, args, _, shape: f.add(args, shape)),
    "subtract": lambda f, args, _, shape: f.add([args[0], f.times(-1, args[1])], shape),
    "negative": lambda f, args, _, shape: f.times(-1, args[0]),
    "square": _square,
    "divide": _divide,
    "power": _power,
    "transpose": _transpose,
    "swapaxes": _swapaxes,
    "einsum": _einsum,
    "count": lambda f, args, attrs, shape: _count(f, args[0], attrs, shape),
    "sum": _sum,
    "mean": _mean,
    "spread": _spread,
    "spread_mean": _spread_mean,
    "mse_loss": _mse,
    "cross_entropy alike": _cross_entropy,
    "target_weights alike": _unit,
    "scatter_n": _scatter,
    "concatenate": _concatenate,
    "getitem": _getitem,
}
