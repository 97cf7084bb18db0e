"""Pieces of arrays: slices of features, rows of sequences, and what puts them together.

>>> feature_ends((slice(None), slice(1, 3)), (2, 4)), feature_ends((0,), (2, 4))
((1, 3), None)
"""

import math
from typing import Any

from minigrad.equations.simplify import ELEMENTWISE, Attrs, Rule, Simplifier, whole
from minigrad.equations.tree import Expr, Shape, step_of
from minigrad.fold.moving_index import Ahead, at_step

ALL = slice(None)
# A slice of these is these of slices: of gates, and of their gradients.
CUT = frozenset(["tanh", "sigmoid", "relu", "square", "multiply", "subtract"])


def sliced(f: Simplifier, x: Expr, a: int, b: int) -> Expr:
    """The features a..b-1, which are the last axis."""
    shape = (*x.shape[:-1], b - a)
    key = (ALL,) * (len(shape) - 1) + (slice(a, b),)
    return f.call("getitem", [x], {"key": key}, shape)


def feature_ends(key: Any, shape: Shape) -> tuple[int, int] | None:
    """The first feature that a key takes and that behind the last, if it is a slice."""
    parts = key if isinstance(key, tuple) else (key,)
    parts = (ALL,) * (len(shape) - 1) + parts[1:] if parts[0] is Ellipsis else parts
    last = parts[-1] if shape and len(parts) == len(shape) else None
    if not isinstance(last, slice) or parts[:-1] != (ALL,) * (len(shape) - 1):
        return None
    numbers = all(e is None or type(e) is int for e in (last.start, last.stop))
    return last.indices(shape[-1])[:2] if numbers and last.step in (None, 1) else None


def _slice(f: Simplifier, x: Expr, a: int, b: int) -> Expr | None:
    """Some features of what was made element by element, cut or joined."""
    if (a, b) == (0, x.shape[-1]):
        return x
    if x.op == "getitem" and len(x.args) == 1:
        inner = feature_ends(x.attrs["key"], x.args[0].shape)
        return inner and sliced(f, x.args[0], inner[0] + a, inner[0] + b)
    if is_joined(x):
        start = 0
        for e in x.args:
            if start <= a and b <= start + e.shape[-1]:
                return sliced(f, e, a - start, b - start)
            start += e.shape[-1]
    numbers = all(e.shape == x.shape or not e.shape for e in x.args)
    if x.op in CUT and numbers:
        parts = [sliced(f, e, a, b) if e.shape else e for e in x.args]
        return f.call(x.op, parts, x.attrs, (*x.shape[:-1], b - a))
    return None


def is_joined(e: Expr) -> bool:
    """Whether this is features side by side."""
    joined = e.op == "concatenate" and e.attrs.get("axis") == -1
    return joined and all(part.op != "each" for part in e.args)


def flat(e: Expr, axis: int) -> Expr | None:
    """The vector that was given an axis of length 1: a column, or a row."""
    inner = e.args[0] if e.op == "reshape" else e
    given = len(e.shape) == 2 and e.shape[axis] == 1 and e is not inner
    ok = len(inner.shape) == 1 and (given or (not axis and e is inner))
    return inner if ok and e.number is None else None


def _scatter(f: Simplifier, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    """What fills all of an array is joined: parts of features, or all steps."""
    rest = args[1:]
    cuts = [
        feature_ends(k, shape) if k is not None else None for k in attrs["keys"][1:]
    ]
    if None not in cuts and all(e.op != "each" for e in rest):
        order = sorted(range(len(cuts)), key=lambda i: cuts[i] or (0, 0))
        ends = [cuts[i] or (0, 0) for i in order]
        if [0, *(b for _, b in ends)] == [*(a for a, _ in ends), shape[-1]]:
            return f.call("concatenate", [rest[i] for i in order], {"axis": -1}, shape)
    each = rest[0]
    key = attrs["keys"][1] if len(rest) == 1 else 0
    if isinstance(key, tuple) and all(p in (None, Ellipsis) or p == ALL for p in key):
        return f.view(each, shape)
    if (
        len(rest) > 1
        or each.op != "each"
        or len(each.args) > 1
        or each.attrs["every"] > 1
    ):
        return None
    a, key = each.attrs, each.attrs["entries"][0]
    n = f.lengths[a["clock"]]
    full = (a["first"], a["last"]) == (step_of(1, n), step_of(n, n, n > 1)) and shape[
        0
    ] == n
    if full and key == Ahead(-1, step=getattr(key, "step", False)):
        again = f.make(
            "each", each.args, a | {"down": False, "entries": (None,)}, each.shape
        )
        return f.make("stack", (again,), {"axis": 0}, shape)
    return None


def _concatenate(f: Simplifier, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    if attrs.get("axis", 0) not in (-1, len(shape) - 1) or any(
        a.op == "each" for a in args
    ):
        return args[0] if len(args) == 1 and args[0].op != "each" else None
    flat = [part for a in args for part in (a.args if is_joined(a) else [a])]
    return f.make("concatenate", flat, {"axis": -1}, shape)


def _getitem(f: Simplifier, args: list[Expr], attrs: Attrs, shape: Shape) -> Any:
    x, key = args[0], attrs["key"]
    parts = key if isinstance(key, tuple) else (key,)
    if len(args) > 1:
        return None
    if x.number is not None:
        return f.number(x.number, shape, x.attrs["over"])
    if math.prod(shape) == math.prod(x.shape) and not any(
        isinstance(p, Ahead) or (isinstance(p, slice) and p.step not in (None, 1))
        for p in parts
    ):
        return f.view(x, shape)
    row = flat(x.args[0], 0) if x.op == "matmul" and len(x.shape) == 2 else None
    if row is not None and row is not x.args[0] and parts == (Ellipsis, 0, ALL):
        return f.call("matmul", [row, x.args[1]], {}, shape)
    found = f.outward(x, lambda e: f.call("getitem", [e], attrs, shape))
    ends = feature_ends(key, x.shape)
    if ends is not None and not found:
        a, b = ends
        plain = (ALL,) * (len(shape) - 1) + (slice(a, b),)
        return _slice(f, x, a, b) or f.make("getitem", (x,), {"key": plain}, shape)
    if found or len(parts) > 1 or not isinstance(parts[0], (int, Ahead)):
        return found
    return None if isinstance(parts[0], bool) else _row(f, x, parts[0], shape)


def _row(f: Simplifier, x: Expr, index: Any, shape: Shape) -> Expr | None:
    """One row of what was made of all steps: what was made of that step."""
    each, k = (
        whole(x),
        at_step(index, f.t or 0, f.lengths[f.clock or 0] if f.lengths else 0),
    )
    if not x.shape or not 0 <= k < x.shape[0]:
        return None
    ahead = isinstance(index, Ahead) and not index.from_end
    if each is not None and ahead and each.attrs["clock"] == f.clock:
        return f.moved(each.args[0], index.k + 1)
    if x.op == "value":
        return f.row(x, index)

    def row(e: Expr) -> Expr:
        return f.call("getitem", [e], {"key": index}, e.shape[1:])

    if x.op == "broadcast_to":
        inner = x.args[0]
        if len(inner.shape) == len(x.shape):
            one = inner.shape[0] == 1
            inner = f.view(inner, inner.shape[1:]) if one else row(inner)
        return f.call("broadcast_to", [inner], {}, shape)
    if x.op == "embedding":
        at = row(x.args[1])
        return f.make("embedding", (x.args[0], at), {}, shape)
    if x.op not in ELEMENTWISE or any(
        a.shape != x.shape and len(a.shape) == len(x.shape) for a in x.args
    ):
        return None
    rows = [row(a) if a.shape == x.shape else a for a in x.args]
    return f.call(x.op, rows, x.attrs, shape)


PIECES: dict[str, Rule] = {
    "scatter_n": _scatter,
    "concatenate": _concatenate,
    "getitem": _getitem,
}
