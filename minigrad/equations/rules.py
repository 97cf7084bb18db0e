"""What makes each op simpler: a rule has the expression that the op makes, or None.

>>> f = Simplifier((), RULES)
>>> h = f.make("value", (), {"symbol": "h", "time": None}, (1, 2))
>>> f.call("multiply", [h, f.number(1.0)], {}, (1, 2)) is h
True
"""

import math
from collections import Counter
from typing import Any

from minigrad.equations.pieces import CUT, PIECES, flat, is_joined, sliced
from minigrad.equations.simplify import (
    Attrs,
    Over,
    Rule,
    Simplifier,
    axes_of,
    scaled,
)
from minigrad.equations.tree import Expr, Shape


def _both(*over: Over) -> Over:
    total: Counter[int] = Counter()
    for clock, n in (pair for some in over for pair in some):
        total[clock] += n
    return tuple((c, n) for c, n in sorted(total.items()) if n)


def _multiply(f: Simplifier, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    a, b = args if args[1].number is None or args[0].number is not None else args[::-1]
    if a.number is not None and b.number is not None:
        over = _both(a.attrs["over"], b.attrs["over"])
        return f.number(a.number * b.number, shape, over)
    if a.number is not None and b.shape == shape:
        number, over, rest = a.number, a.attrs["over"], b
        while rest.op == "negative" or scaled(rest)[0] is not None:
            n, inner = scaled(rest)
            number *= -1 if n is None or n.number is None else n.number
            over = _both(over, n.attrs["over"]) if n is not None else over
            rest = rest.args[0] if n is None else inner
        if abs(number) != 1 or over:
            front = f.number(abs(number), (), over)
            rest = f.make("multiply", (front, rest), {}, shape)
        return f.make("negative", (rest,), {}, shape) if number < 0 else rest
    for i, x in enumerate((a, b)):
        other = (b, a)[i]
        if is_joined(x) and other.shape == shape and other.op in CUT:
            return _joined(f, x, other, shape)
        pair = [a, b]

        def again(e: Expr, i: int = i, pair: list[Expr] = pair) -> Expr:
            pair[i] = e
            return f.call("multiply", pair, {}, shape)

        if found := f.outward(x, again):
            return found
        if i and a is b:
            return f.make("square", (a,), {}, shape)
        column, row = flat(x, -1), flat(other, 0)
        if column is not None and row is not None:
            return f.make("outer", (column, row), {}, shape)
    return None if a is args[0] else f.make("multiply", (a, b), {}, shape)


def _joined(f: Simplifier, parts: Expr, by: Expr, shape: Shape) -> Expr:
    """A product with features that are joined, as the products joined."""
    found, start = [], 0
    for e in parts.args:
        end = start + e.shape[-1]
        found.append(f.call("multiply", [e, sliced(f, by, start, end)], {}, e.shape))
        start = end
    return f.call("concatenate", found, {"axis": -1}, shape)


def _add(f: Simplifier, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    a, b = args
    for x, y in ((a, b), (b, a)):
        if x.number == 0 and y.shape == shape:
            return y
    if b.op == "negative":
        return f.call("subtract", [a, b.args[0]], {}, shape)
    return f.call("subtract", [b, a.args[0]], {}, shape) if a.op == "negative" else None


def _subtract(f: Simplifier, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    a, b = args
    over = a.attrs.get("over") or b.attrs.get("over")
    if a.number is not None and b.number is not None and not over:
        return f.number(a.number - b.number, shape)
    (n, x), (m, y) = scaled(a), scaled(b)
    if n is not None and n is m and a.shape == b.shape == shape:
        inner = f.call("subtract", [x, y], {}, shape)
        return f.call("multiply", [n, inner], {}, shape)
    return f.call("add", [a, b.args[0]], {}, shape) if b.op == "negative" else None


def _negative(f: Simplifier, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    (x,) = args
    n, rest = scaled(x)
    if x.number is not None:
        return f.number(-x.number, shape, x.attrs["over"])
    if x.op == "subtract" and all(a.shape == shape for a in x.args):
        return f.make("subtract", x.args[::-1], {}, shape)
    if n is not None and n.number is not None and n.number < 0:
        return f.times(-n.number, rest, n.attrs["over"])
    return x.args[0] if x.op == "negative" else None


def _divide(f: Simplifier, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    a, b = args
    if b.number and a.shape == shape:
        over = tuple((c, -n) for c, n in b.attrs["over"])
        return f.times(1 / b.number, a, over)
    return f.outward(a, lambda e: f.call("divide", [e, b], {}, shape))


def _power(f: Simplifier, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    x, n = args[0], args[1].number
    if x.shape != shape or n not in (0, 1, 2):
        return None
    if n == 0:
        return f.number(1.0, shape)
    return x if n == 1 else f.call("square", [x], {}, shape)


def _view(f: Simplifier, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    x = args[0]
    if x.shape == shape:
        return x
    if x.number is not None:
        return f.number(x.number, shape, x.attrs["over"])
    if x.op == "reshape":
        return f.view(x.args[0], shape)
    found = f.outward(x, lambda e: f.view(e, shape))
    return found or f.make("reshape", (x,), {"shape": shape}, shape)


def _broadcast(f: Simplifier, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    x = args[0].args[0] if args[0].op == "broadcast_to" else args[0]
    if x.shape == shape or x.number is not None:
        return _view(f, [x], attrs, shape)
    found = f.outward(x, lambda e: f.call("broadcast_to", [e], {}, shape))
    return found or f.make("broadcast_to", (x,), {"shape": shape}, shape)


def _astype(f: Simplifier, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    floating = str(attrs.get("dtype")).startswith("float")
    return args[0] if floating and args[0].number is not None else None


def _transpose(f: Simplifier, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    (x,), n = args, len(shape)
    axes = attrs.get("axes")
    axes = [*range(n)[::-1]] if axes is None else [a % n for a in axes]
    if axes == [*range(n)] or (x.op == "transpose" and n == 2):
        return x if axes == [*range(n)] else x.args[0]
    if x.number is not None:
        return f.number(x.number, shape, x.attrs["over"])
    plain = {} if axes == [*range(n)[::-1]] else {"axes": tuple(axes)}
    of_turned = x.op == "matmul" and any(a.op == "transpose" for a in x.args)
    if of_turned and n == 2:
        turned = [f.call("transpose", [a], {}, a.shape[::-1]) for a in x.args]
        return f.call("matmul", turned[::-1], {}, shape)
    found = f.outward(x, lambda e: f.call("transpose", [e], plain, shape))
    return found or f.make("transpose", (x,), plain, shape)


def _swapaxes(f: Simplifier, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    axes, i, j = [*range(len(shape))], attrs["axis1"], attrs["axis2"]
    axes[i], axes[j] = axes[j], axes[i]
    return f.call("transpose", args, {"axes": tuple(axes)}, shape)


def _matmul(f: Simplifier, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    a, b = args
    if not a.shape or not b.shape:
        return f.call("multiply", args, {}, shape)
    if max(len(a.shape), len(b.shape)) > 2:
        return None  # dot and matmul are not the same there
    found = f.outward(a, lambda e: f.call("matmul", [e, b], {}, shape))
    found = found or f.outward(b, lambda e: f.call("matmul", [a, e], {}, shape))
    return found or f.make("matmul", args, {}, shape)


def _sum(f: Simplifier, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    x, keepdims = args[0], attrs.get("keepdims", False)
    axes = axes_of(attrs.get("axis"), len(x.shape))
    n = math.prod([x.shape[a] for a in axes])
    if all(x.shape[a] == 1 for a in axes):
        return f.view(x, shape)
    if x.number is not None:
        return f.number(x.number * n, shape, x.attrs["over"])
    if x.op == "unit" and axes == [len(x.shape) - 1]:
        return f.number(1.0, shape)
    if x.op == "multiply" and axes == [0] and len(x.shape) == 2 and not keepdims:
        for a, b in (x.args, x.args[::-1]):
            column = flat(a, -1)
            if column is not None and b.shape == x.shape:
                return f.call("matmul", [column, b], {}, shape)
    if x.op == "stack" and not x.attrs.get("axis", 0) and 0 in axes and not keepdims:
        rest = tuple([a - 1 for a in axes if a])

        def part(e: Expr) -> Expr:
            if e.op == "each":
                return f.make("each", [part(b) for b in e.args], e.attrs, shape)
            return f.call("sum", [e], {"axis": rest}, shape) if rest else e

        return f.call("add_n", [part(a) for a in x.args], {}, shape)
    return f.outward(x, lambda e: f.call("sum", [e], attrs, shape))


def _mean(f: Simplifier, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    n, over = f.count(args[0], axes_of(attrs.get("axis"), len(args[0].shape)))
    return f.times(1 / n, f.call("sum", args, attrs, shape), over) if n else None


def _spread(f: Simplifier, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    a, axis = args[0], attrs.get("axis")
    if axis is not None and not attrs.get("keepdims") and shape:
        axes = axes_of(axis, len(shape))
        a = f.view(a, tuple([1 if i in axes else n for i, n in enumerate(shape)]))
    return f.call("broadcast_to", [a], {}, shape)


def _spread_mean(f: Simplifier, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    n, over = f.count(args[1], axes_of(attrs.get("axis"), len(shape)))
    return f.times(1 / n, _spread(f, args, attrs, shape), over) if n else None


def _add_n(f: Simplifier, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    counts: dict[Expr, Expr] = {}
    for a in args:  # 1/2 x + x is 3/2 x
        n, rest = scaled(a)
        if n is not None and n.attrs["over"]:
            n, rest = None, a
        number = 1.0 if n is None or n.number is None else n.number
        known = counts.get(rest)
        number += known.number if known is not None and known.number is not None else 0
        counts[rest] = f.number(number)
    kept = []
    for x, n in counts.items():
        if x.op == "each" and n.number != 1:
            x = f.make("add_n", (x,), {}, shape)
        if x.number != 0:
            kept.append(f.call("multiply", [n, x], {}, shape) if n.number != 1 else x)
    if len(kept) != 1 or kept[0].op != "each":
        kept = kept or args[:1]
        return f.make("add_n", kept, {}, shape) if len(kept) > 1 else kept[0]
    each = kept[0]

    def again(body: Expr) -> Expr:
        inner = f.make("each", (body,), each.attrs, shape)
        return f.call("add_n", [inner], {}, shape)

    return f.outward(each.args[0], again) if len(each.args) == 1 else None


def _reduced(f: Simplifier, each: Expr, attrs: Attrs, shape: Shape) -> Expr:
    reduction = attrs.get("reduction", "mean")
    return each if reduction == "none" else f.call(reduction, [each], {}, shape)


def _mse(f: Simplifier, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    size = args[0].shape
    difference = f.call("subtract", args, {}, size)
    return _reduced(f, f.make("square", (difference,), {}, size), attrs, shape)


def _cross_entropy(f: Simplifier, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    said = attrs | {"reduction": "none"}
    each = f.make("cross_entropy", args, said, args[1].shape)
    return _reduced(f, each, attrs, shape)


def _unit(f: Simplifier, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    ignored = {"ignored": attrs.get("ignore_index", -100)}
    unit = f.make("unit", args[:1], ignored, shape)
    n = math.prod(args[0].shape) if attrs.get("reduction", "mean") == "mean" else 1
    return f.times(1 / n, unit) if n else unit


RULES: dict[str, Rule] = {
    "multiply": _multiply,
    "add": _add,
    "subtract": _subtract,
    "negative": _negative,
    "divide": _divide,
    "power": _power,
    **dict.fromkeys(["reshape", "reshape_like", "expand_dims", "squeeze"], _view),
    "broadcast_to": _broadcast,
    "astype": _astype,
    "transpose": _transpose,
    "swapaxes": _swapaxes,
    **dict.fromkeys(["matmul", "dot"], _matmul),
    "sum": _sum,
    "mean": _mean,
    "spread": _spread,
    "spread_mean": _spread_mean,
    "add_n": _add_n,
    "mse_loss": _mse,
    "cross_entropy alike": _cross_entropy,
    "target_weights alike": _unit,
    **PIECES,
}
