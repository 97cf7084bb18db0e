"""A pass: of a sum in a loop, what does not recur is added before the loop.

``b + h @ W + x @ U`` says the bias first and then what comes from the step before, so
two additions would have to wait for it; ``(b + x @ U) + h @ W`` has one that need not.
"""

import numpy as np

from minigrad.compile.line import Line, LoopProgram
from minigrad.compile.schedule import strongly_connected
from minigrad.fold.roles import Operand, Source


def additions(program: LoopProgram) -> str:
    """Rewrite (a + r) + c, in which r alone recurs, as (a + c) + r."""
    loops = [group for group in strongly_connected(program) if len(group) > 1]
    recurs = {index for group in loops for index in group}
    readers: dict[int, int] = {}
    for operand in [*program.outputs, *_operands(program)]:
        for source in operand:
            readers[source.role] = readers.get(source.role, 0) + 1
    moved = []
    for line in list(program.lines.values()):
        if line.op != "add" or line.index not in recurs:
            continue
        for k in (0, 1):
            inner, other = line.reads[k], line.reads[1 - k]
            parts = _parts(program, line, inner, recurs)
            if parts is None or readers[inner[0].role] > 1:
                continue
            if other[0].role in recurs or not _plain(program, other, line):
                continue
            still, recurring = parts
            shapes = [program.lines[o[0].role].shape for o in (still, other)]
            first = program.new(
                line, "add", reads=[still, other],
                shape=np.broadcast_shapes(*shapes),
            )  # fmt: skip
            span = recurring[0].span
            line.reads = [(Source(first.index, "delay", 0, None, span),), recurring]
            moved.append(first.name)
            break
    return f"out of the loop: {', '.join(moved)}" if moved else "none"


def _operands(program: LoopProgram) -> list[Operand]:
    return [operand for line in program.lines.values() for operand in line.reads]


def _plain(program: LoopProgram, operand: Operand, line: Line) -> bool:
    """Whether an operand is one value of the line's own step, or of none."""
    source = operand[0]
    return (
        len(operand) == 1
        and program.lines[source.role].dtype == line.dtype
        and (source.delay == 0 or source.kind == "broadcast")
    )


def _parts(
    program: LoopProgram, line: Line, operand: Operand, recurs: set[int]
) -> tuple[Operand, Operand] | None:
    """What does not recur and what does, of a sum that an addition reads."""
    inner = program.lines[operand[0].role]
    if inner.op != "add" or inner.index not in recurs or not inner.timed:
        return None
    if (inner.steps, inner.shape) != (line.steps, line.shape):
        return None
    if not all(_plain(program, o, line) for o in [operand, *inner.reads]):
        return None
    still = [o for o in inner.reads if o[0].role not in recurs]
    rest = [o for o in inner.reads if o[0].role in recurs]
    return (still[0], rest[0]) if len(still) == len(rest) == 1 else None
