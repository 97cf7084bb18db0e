"""Sums, means and extremes over axes in C, and counts of targets."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from minigrad.compile.c.elements import FLOATS, TYPES
from minigrad.compile.c.lines import INDICES, Operand, loops
from minigrad.compile.c.sizes import Size, product, size
from minigrad.compile.c.views import UnsayableError, View, nested


def reduced(x: View, out: View, axes: Sequence[int], kind: str) -> list[str]:
    """Lines that reduce axes of x; kind is sum, mean, max or min."""
    if x.dtype not in FLOATS or out.dtype != x.dtype:
        raise UnsayableError("a sum of whole numbers")
    kept = [a for a in range(len(x.shape)) if a not in axes]
    rows = replace(
        x, shape=tuple([x.shape[a] for a in axes]),
        strides=tuple([x.strides[a] for a in axes]),
    )  # fmt: skip
    columns = replace(
        x, shape=tuple([x.shape[a] for a in kept]),
        strides=tuple([x.strides[a] for a in kept]),
    )  # fmt: skip
    into = list(out.strides)
    if len(out.shape) != len(kept):  # axes that were kept with one element
        into = [s for a, s in enumerate(out.strides) if a not in axes]
    target = replace(out, shape=columns.shape, strides=tuple(into))
    number = product(rows.shape)
    end = FLOATS[x.dtype]
    down, (row_strides,) = nested(rows.shape, [rows])
    across, (own, there) = nested(columns.shape, [columns, target])
    if not across:
        across, own, there = [size(1)], [size(1)], [size(1)]
    after = f" / {number.divisor}" if kind == "mean" else ""
    if len(down) <= 1 and (row_strides or [size(1)])[0] == 1 and kind != "min":
        # What is reduced lies in one piece: a row of each.
        names = INDICES[: len(across)]
        call = "row_max" if kind == "max" else "row_sum"
        a = x.offset + _at(own, names)
        o = target.offset + _at(there, names)
        made = f"{end}_{call}({replace(x, offset=a).pointer}, {number}){after}"
        one = replace(target, shape=(), strides=(), offset=o).element([])
        return loops(across, names, [f"{one} = {made};"], "")
    sums = kind in ("sum", "mean")
    one_by_one = len(down) == len(across) == 1 and across[0].number is not None
    if sums and one_by_one and own[0] == there[0] == 1:
        call = (
            f"{end}_column_sums({down[0]}, {across[0]}, {x.pointer}, "
            f"{row_strides[0]}, 0, {target.pointer});"
        )
        return [call, *_divided(target, across, there, after)]
    names = INDICES[: len(down) + len(across)]
    outer, inner = names[: len(down)], names[len(down) :]
    one = replace(
        target, shape=(), strides=(), offset=target.offset + _at(there, inner)
    ).element([])
    read = replace(
        x, shape=(), strides=(),
        offset=x.offset + _at(row_strides, outer) + _at(own, inner),
    ).element([])  # fmt: skip
    start = "0" if sums else f"{'-' * (kind == 'max')}__builtin_inf()"
    join = f"{one} + {read}" if sums else f"{kind}imum_{end}({one}, {read})"
    return [
        *loops(across, inner, [f"{one} = {start};"]),
        *loops([*down, *across], names, [f"{one} = {join};"]),
        *_divided(target, across, there, after),
    ]


def _at(strides: Sequence[Size], names: Sequence[str]) -> Size:
    found = size(0)
    for stride, name in zip(strides, names, strict=True):
        found = found + stride * size(name)
    return found


def _divided(
    out: View, sizes: Sequence[Size], strides: Sequence[Size], after: str
) -> list[str]:
    if not after:
        return []
    names = INDICES[: len(sizes)]
    one = replace(out, shape=(), strides=(), offset=out.offset + _at(strides, names))
    element = one.element([])
    return loops(sizes, names, [f"{element} = {element}{after};"])


def counted(y: Operand, out: View, attrs: Mapping[str, Any], front: int) -> list[str]:
    """How many targets are not ignored, for each of the axes in front; NaN for none."""
    assert isinstance(y, View)
    names = INDICES[: len(y.shape)]
    ignored = attrs["ignore_index"]
    one = y.element(names)
    body = [
        f"int64_t target = {one};",
        f"int is_kept = target != {ignored};",
        f"if (is_kept && (uint64_t)target >= {attrs['classes']}) wrong = 1;",
        "kept += is_kept;",
    ]
    inner = loops(y.shape[front:], names[front:], body, "")
    kind = TYPES[out.dtype]
    place = out.element(names[: len(out.shape)])
    lines = ["ptrdiff_t kept = 0;", *inner, f"{place} = kept ? ({kind})kept : NAN;"]
    made = loops(y.shape[:front], names[:front], lines, "")
    return made if front else ["{", *[f"    {line}" for line in made], "}"]
