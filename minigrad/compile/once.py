"""Lines without time: written once, before, between or behind the loops."""

from typing import Any

from minigrad.compile.line import Count, Line, Steps
from minigrad.compile.writer import Writer
from minigrad.fold.moving_index import Ahead, at_step


def emit(e: Writer, line: Line) -> None:
    """A line without time."""
    operands = [e.outside(o) for o in line.reads]
    if line.op == "step":
        e.body.append(f"{line.name} = {operands[0][0]}[{line.attrs['t'] - 1}]")
        return
    if line.op == "scatter_n" and line.attrs.get("keys"):
        _scatter(e, line, operands)
        return
    if (
        line.op == "stack" and line.attrs.get("axis", 0) == 0
        and len(operands) == 1 and operands[0][1] and len(line.reads[0]) == 1
    ):  # fmt: skip
        e.body.append(f"{line.name} = {operands[0][0]}")
        return
    if line.op == "getitem" and not any(many for _, many in operands):
        array, *indices = [code for code, _ in operands]
        key = e.filled(line.attrs["key"], indices, line)
        e.body.append(f"{line.name} = {array}[{key}]")
        return
    call = e.call(line)
    attrs = e.keywords(line.attrs, line)
    inner = ", ".join(f"*{code}" if many else code for code, many in operands)
    if line.variadic:
        e.body.append(f"{line.name} = {call}([{inner}]{attrs})")
        return
    if line.op in ("matmul", "dot"):
        e.body.append(f"{line.name} = np.{line.op}({inner})")
    elif line.op == "transpose" and not attrs and len(line.shape) > 1:
        # A transposed view costs twice in every product: copy it once.
        e.body.append(f"{line.name} = np.ascontiguousarray({inner}.T)")
    elif line.op == "mean" and line.attrs.get("axis") is None and not line.shape:
        ((code, _),) = operands
        e.body.append(f"{line.name} = np.add.reduce({code}, None) / {code}.size")
    else:
        e.body.append(f"{line.name} = {call}({inner}{attrs})")


def _scatter(e: Writer, line: Line, operands: list[tuple[str, bool]]) -> None:
    """The cotangent of a sequence: whole windows added at once where that is so."""
    keys = line.attrs["keys"]
    # Each operand has its keys by column; a plain program has one key per operand.
    if (
        _has_places(keys)
        or any(len(operand) > 1 for operand in line.reads)
        or not e.program.lengths
    ):
        _scatter_one_by_one(e, line, operands)
        return
    e.body.append(f"{line.name} = np.zeros_like({operands[0][0]})")
    for operand, (code, many), columns in zip(
        line.reads[1:], operands[1:], keys[1:], strict=False
    ):
        (key,) = columns if columns else (None,)
        first = key[0] if isinstance(key, tuple) else key
        rest = key[1:] if isinstance(key, tuple) else ()
        clock = e.lines[operand[0].role].clock
        at = operand[0].at
        if many and isinstance(first, Ahead) and at is not None:
            name = e.length_name(clock)
            steps = Steps.of(at)
            if first.from_end:
                low = Count(1, first.k) - steps.last
                high = Count(1, first.k) - steps.first + 1
                code = f"{code}[::{'' if at.down else '-'}1]"
            else:
                low, high = steps.first + first.k, steps.last + first.k + 1
                code = f"{code}[::{'-' if at.down else ''}1]"
            index = [f"{low.code(name)}:{high.code(name)}"]
            index += [e.literal(k, line) for k in rest]
            e.body.append(f"{line.name}[{', '.join(index)}] += {code}")
        elif many:
            e.body.append(f"for part in {code}:")
            e.body.append(f"    np.add.at({line.name}, {e.literal(key, line)}, part)")
        else:
            t = at.first if at is not None else 0
            fixed = at_step(key, t, e.storage.length(clock)) if t > 0 else key
            if t < 0:
                e.body.append(f"t = {Count.of_end(t).code(e.length_name(clock))}")
            e.body.append(f"np.add.at({line.name}, {e.literal(fixed, line)}, {code})")


def _has_places(key: Any) -> bool:
    """Whether an index array, an operand, belongs somewhere in a key."""
    return isinstance(key, str) or (
        isinstance(key, tuple) and any(_has_places(part) for part in key)
    )


def _scatter_one_by_one(
    e: Writer, line: Line, operands: list[tuple[str, bool]]
) -> None:
    call = e.call(line)
    inner = ", ".join(f"*{code}" if many else code for code, many in operands)
    parts = []
    nested = bool(e.program.lengths) and line.clock is None
    for operand, columns in zip(line.reads, line.attrs["keys"], strict=True):
        if not nested:
            parts.append(f"{e.literal(columns, line)}")
            continue
        inside = ", ".join(e.literal(k, line) for k in columns)
        at = operand[0].at
        if at is None:
            parts.append(inside)
            continue
        name = e.length_name(e.lines[operand[0].role].clock)
        steps = Steps.of(at)
        low, high = steps.first.code(name), (steps.last + 1).code(name)
        order = (
            f"reversed(range({low}, {high}))" if at.down else (f"range({low}, {high})")
        )
        parts.append(f"*[k for t in {order} for k in ({inside},)]")
    e.body.append(f"{line.name} = {call}([{inner}], keys=({', '.join(parts)},))")
