"""A pass: values whose elements are all the same are replaced by that one number.

The gradient of a mean is such a value: 1 / n, spread to the shape of what was averaged,
indexed by step and spread again. NumPy broadcasts a number wherever such an array
meets others in an elementwise operation.
"""

from typing import Any

import numpy as np

from minigrad.compile import forms
from minigrad.compile.line import Line, LoopProgram
from minigrad.fold.roles import Operand, Source

SPREAD = frozenset(["spread", "spread_to", "broadcast_to"])
RESHAPE = frozenset(
    ["getitem", "expand_dims", "reshape", "squeeze", "transpose", "swapaxes"]
)


def uniform(program: LoopProgram) -> str:
    """Elementwise operations read one number in place of an array full of it."""
    numbers: dict[int, int] = {}  # line -> line without time and shape, its number
    for line in _in_order(program):
        number = _number(program, line, numbers)
        if number is not None:
            numbers[line.index] = number
    changed = [
        line.name
        for line in list(program.lines.values())
        if line.index not in numbers and _read_numbers(program, line, numbers)
    ]
    return f"one number read by {', '.join(changed)}" if changed else "none"


def _in_order(program: LoopProgram) -> list[Line]:
    """The lines that a number can pass through, each after what it reads."""
    ordered: list[Line] = []
    done: set[int] = set()
    kinds = SPREAD | RESHAPE | {"spread_mean", "spread_mean_to"}
    left = [line for line in program.lines.values() if line.op in kinds]
    waiting = {line.index for line in left}
    again = True
    while again:
        ready = [
            line
            for line in left
            if line.index not in done
            and not any(s.role in waiting - done for s in line.reads[0])
        ]
        ordered += ready
        done |= {line.index for line in ready}
        again = bool(ready)
    return ordered


def _number(program: LoopProgram, line: Line, numbers: dict[int, int]) -> int | None:
    """The line whose one value all elements of ``line`` have, if there is one."""
    if len(line.reads[0]) != 1:
        return None
    source = line.reads[0][0]
    read = program.lines[source.role]
    number = numbers.get(read.index)
    if line.op in RESHAPE:
        return number
    if number is None:
        if read.shape or read.timed or source.kind not in ("plain", "broadcast"):
            return None
        number = read.index
    if line.op in SPREAD:
        return number
    if line.op == "spread_mean" and number != read.index:
        return None
    known = program.lines[number]
    changes: dict[str, Any] = {
        "clock": None, "steps": None, "attrs": {}, "shape": (), "dtype": line.dtype,
    }  # fmt: skip
    reads: list[Operand] = [(Source(number, "plain"),)]
    if line.op == "spread_mean":
        reads.append(line.reads[1])
        made = program.new(
            line, "share", op="equal_share", forward=forms.equal_share,
            reads=reads, **changes,
        )  # fmt: skip
        return made.index if not line.timed else None
    count = int(np.prod(line.shape)) / (int(np.prod(read.shape)) or 1)
    constant = program.new(
        known, "share_of", kind="constant", op="", forward=None, reads=[],
        value=count, **changes,
    )  # fmt: skip
    reads.append((Source(constant.index, "plain"),))
    made = program.new(
        line, "share", op="divide", forward=np.divide, reads=reads, **changes
    )
    return made.index


def _read_numbers(program: LoopProgram, line: Line, numbers: dict[int, int]) -> bool:
    """Let one line read numbers, if its other operands have its shape and its time."""
    if not isinstance(line.forward, np.ufunc) or line.op == "matmul":
        return False
    full = [
        not any(s.role in numbers for s in operand)
        and all(
            program.lines[s.role].shape == line.shape
            and program.lines[s.role].timed == line.timed
            for s in operand
        )
        for operand in line.reads
    ]
    if not any(full):
        return False
    before = list(line.reads)
    line.reads = [
        operand if any(s.role not in numbers for s in operand) else
        tuple(
            Source(
                numbers[s.role], "broadcast" if line.timed else "plain", None, None,
                s.span,
            )
            for s in operand
        )
        for operand in line.reads
    ]  # fmt: skip
    return line.reads != before
