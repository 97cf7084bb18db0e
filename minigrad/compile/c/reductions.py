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
    rows, columns = x.transposed(axes), x.transposed(kept)
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
        row = replace(x, offset=_along(x, own).place(names)).pointer
        made = f"{end}_{call}({row}, {number}){after}"
        one = _along(target, there).element(names)
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
    inner = names[len(down) :]
    one = _along(target, there).element(inner)
    read = _along(x, [*row_strides, *own]).element(names)
    start = "0" if sums else f"{'-' * (kind == 'max')}__builtin_inf()"
    join = f"{one} + {read}" if sums else f"{kind}imum_{end}({one}, {read})"
    return [
        *loops(across, inner, [f"{one} = {start};"]),
        *loops([*down, *across], names, [f"{one} = {join};"]),
        *_divided(target, across, there, after),
    ]


def _along(x: View, strides: Sequence[Size]) -> View:
    """The same memory, along other axes."""
    return replace(x, strides=tuple(strides))


def _divided(
    out: View, sizes: Sequence[Size], strides: Sequence[Size], after: str
) -> list[str]:
    if not after:
        return []
    names = INDICES[: len(sizes)]
    element = _along(out, strides).element(names)
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
