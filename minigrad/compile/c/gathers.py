"""Picking rows of an array by their numbers in C, and adding to them.

A number that is out of range is noted: NumPy then runs the call and says what is wrong.
"""

from collections.abc import Sequence
from typing import Any

from minigrad.compile.c.elements import TYPES
from minigrad.compile.c.lines import INDICES, loops
from minigrad.compile.c.sizes import product
from minigrad.compile.c.views import View
from minigrad.compile.kinds import O
from minigrad.compile.values import Value
from minigrad.op import OPERAND

INTEGERS = ("int64", "int32")


def picks_rows(v: Value) -> bool:
    """Whether an op picks rows, or adds to rows, by numbers alone."""
    if v.op is O.embedding:
        return v.inputs[1].dtype in INTEGERS
    if v.op is O.getitem:
        index = v.inputs[1:]
        return _leads(v.attrs["key"]) and all(i.dtype in INTEGERS for i in index)
    if v.op is not O.scatter_n:
        return False
    keys = v.attrs["keys"]
    number = sum(map(_leads, keys))
    pieces, indices = v.inputs[1 : len(keys) - number], v.inputs[len(keys) - number :]
    return (
        all(_leads(k) for k in keys[1 : len(keys) - number]) and number == len(pieces)
        and all(p.dtype == v.dtype for p in pieces)
        and all(i.dtype in INTEGERS for i in indices)
    )  # fmt: skip


def _leads(key: Any) -> bool:
    """Whether a key is one index array, with whole axes behind it."""
    parts = key if isinstance(key, tuple) else (key,)
    first = isinstance(parts[0], str) and parts[0] == OPERAND if parts else False
    return first and all(
        (isinstance(p, slice) and p == slice(None)) or p is Ellipsis for p in parts[1:]
    )


def picked(x: View, index: View, out: View, front: int, timed: bool) -> list[str]:
    """out[.., i, j] = x[index[.., i], j]; axes in ``front`` are steps of all three.

    ``timed`` says whether x has them.
    """
    return _rows(x, index, out, front, timed, "{out} = {x};")


def added(x: View, index: View, piece: View) -> list[str]:
    """x[index[i], j] += piece[i, j], one after the other."""
    return _rows(x, index, piece, 0, False, "{x} += {out};")


def _rows(
    x: View, index: View, out: View, front: int, timed: bool, line: str
) -> list[str]:
    rank = len(index.shape)
    names = INDICES[: len(out.shape)]
    at = list(names[rank:])
    axis = front if timed else 0
    n = x.shape[axis]
    steps = names[:front] if timed else []
    element = x.element([*steps, "row", *at])
    body = loops(out.shape[rank:], at, [line.format(out=out.element(names), x=element)])
    lines = [
        f"int64_t row = {index.element(names[:rank])};",
        f"if (row < 0) row += {n};",
        f"if ((uint64_t)row >= (uint64_t)({n})) {{",
        "    wrong = 1;",
        "    row = 0;",
        "}",
        *body,
    ]
    made = loops(index.shape, names[:rank], lines, "")
    return made if rank else ["{", *[f"    {one}" for one in made], "}"]


def zeros(out: View) -> list[str]:
    """Zeros in an array in one piece."""
    kind = TYPES[out.dtype]
    return loops([product(out.shape)], ["i"], [f"({out.pointer})[i] = ({kind})0;"])


def pieces(v: Value, inputs: Sequence[View]) -> list[tuple[View, View]]:
    """Of a scatter: each piece with its index array."""
    number = (len(v.inputs) - 1) // 2
    return list(zip(inputs[1 : 1 + number], inputs[1 + number :], strict=True))
