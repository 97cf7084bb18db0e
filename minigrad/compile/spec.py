"""What a well-formed program is: checks of one value each, and a few of the whole.

A check is a function (program, value) that yields complaints. All hold at every length
that the program is for: an order of two counts is decided at the shortest and, where
there is no longest, far beyond it. Shapes and dtypes are checked by running the op on
ones, so that no table says them a second time.

A program that passes may still be wrong: the spec cannot see a wrong delay inside of a
range, a sequence read in the wrong direction, or swapped operands of one shape. The
interpreter sees these.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from minigrad.compile.counts import Count, Lengths, Steps, shape_at
from minigrad.compile.kinds import O, is_view
from minigrad.compile.values import (
    Kernel,
    Leaf,
    Program,
    Time,
    Value,
    dtype_of,
    example,
    moves,
    resolved,
)
from minigrad.op import Op

Check = Callable[[Program, Value], Iterator[str]]

FAR = 10**9  # steps; what holds for the shortest length and there holds between


class SpecError(ValueError):
    """A program is not well formed: names the values and says what is wrong."""


def verify(program: Program, shapes: bool = True) -> Program:
    """The program itself; raises SpecError with all that is wrong.

    ``shapes=False`` leaves out the one check that runs ops.
    """
    found = complaints(program, CHECKS if shapes else CHECKS[:-1])
    if found:
        raise SpecError("\n".join(found))
    return program


def complaints(program: Program, checks: tuple[Check, ...] | None = None) -> list[str]:
    """All that is wrong with a program; of each value the first check that it fails."""
    found = []
    for value in program.values:
        for check in checks or CHECKS:
            try:
                said = [f"{value!r}: {text}" for text in check(program, value)]
            except Exception as error:
                said = [f"{value!r}: {check.__name__}: {error}"]
            found += said
            if said:
                break
    return found + [f"program: {text}" for text in _whole(program)]


def at_most(a: Count, b: Count, program: Program) -> bool:
    """Whether a <= b at every length that the program is for: at the ends of these."""
    return all(a.at(n) <= b.at(n) for n in _samples(program.clocks, FAR))


def within(inner: Steps, outer: Steps, program: Program) -> bool:
    """Whether inner lies in outer, or is empty."""
    if inner.clock != outer.clock:
        return False
    return at_most(inner.last.plus(1), inner.first, program) or (
        at_most(outer.first, inner.first, program)
        and at_most(inner.last, outer.last, program)
    )


def end_of(clock: int, program: Program) -> Count:
    """The last step of a clock."""
    known = program.clocks[clock]
    return Count(1, 0, clock) if known.most is None else Count(0, known.least)


def known_op(program: Program, v: Value) -> Iterator[str]:
    """Leaves have no inputs, ops have as many as they take and no unknown attribute."""
    if isinstance(v.op, Leaf) or v.op is Time.state:
        if v.inputs:
            yield "a leaf has no inputs"
    elif isinstance(v.op, Time):
        if not v.inputs or (len(v.inputs) > 1 and v.op is not Time.splice):
            yield f"{v.op.name} takes one input, has {len(v.inputs)}"
    elif not v.op.variadic and not _takes(v.op, len(v.inputs)):
        yield f"{v.op.name} does not take {len(v.inputs)} inputs"
    elif not v.attrs.keys() <= v.op.keywords:
        yield f"{v.op.name} has no attribute {set(v.attrs) - v.op.keywords}"


def _takes(op: Op | Kernel, number: int) -> bool:
    """Whether an op takes so many operands: the last ones of a recorded op may lack."""
    most = op.arity if isinstance(op, Kernel) else len(op.operands)
    return op.arity <= number <= most


def legal_steps(program: Program, v: Value) -> Iterator[str]:
    """Steps lie in 1..T of a clock of the program."""
    if v.steps is None:
        return
    if not 0 <= v.steps.clock < len(program.clocks):
        yield f"there is no clock {v.steps.clock}"
        return
    first, last = v.steps.first, v.steps.last
    if not at_most(Count(0, 1), first, program):
        yield f"the steps {v.steps} start before 1"
    if not at_most(first, last.plus(1), program):
        yield f"the steps {v.steps} end before they start"
    if not at_most(last, end_of(v.steps.clock, program), program):
        yield f"the steps {v.steps} go beyond the end"


def same_steps(program: Program, v: Value) -> Iterator[str]:
    """Ordinary ops have the steps of their inputs; only time ops change them."""
    if isinstance(v.op, Leaf):
        if v.steps is not None:
            yield "a leaf has no steps"
    elif isinstance(v.op, Time):
        has = v.op in (Time.read, Time.each, Time.shift, Time.state, Time.splice)
        if has != (v.steps is not None):
            yield f"{v.op.name} has {'steps' if has else 'no steps'}"
    else:
        for i in v.inputs:
            if i.steps != v.steps:
                yield f"reads {i!r} at {i.steps}, and is itself at {v.steps}"
        if v.steps is None and moves(v.attrs):
            yield "an attribute moves with t, and there is no t"


def time_ops(program: Program, v: Value) -> Iterator[str]:
    """Each time op reads what exists: timed or untimed inputs, on their steps."""
    source = v.inputs[0].steps if v.inputs else None
    match v.op:
        case Time.read | Time.each:
            if source is not None:
                yield f"{v.op.name} is of an untimed value"
            elif v.op is Time.read:
                yield from _rows(program, v)
        case Time.shift:
            back = v.span.moved(-v.attrs["delay"])
            if source is None or not within(back, source, program):
                yield f"reads {back} of {source}"
        case Time.over | Time.total:
            if source is None:
                yield f"{v.op.name} is of a timed value"
            elif v.op is Time.total and not at_most(source.first, source.last, program):
                yield "a sum of no step"
        case Time.at:
            step = v.attrs["step"]
            one = Steps(source.clock, step, step) if source is not None else None
            if source is None or one is None or not within(one, source, program):
                yield f"step {step} of {source}"
        case Time.splice:
            yield from _pieces(v)
        case Time.state:
            yield from _past(program, v)


def _rows(program: Program, v: Value) -> Iterator[str]:
    """A read stays inside of its array."""
    low, high = v.span.first.plus(-1), v.span.last.plus(-1)
    if v.attrs["down"]:
        end = end_of(v.span.clock, program)
        low, high = end.minus(v.span.last), end.minus(v.span.first)
    low, high = low.plus(v.attrs["offset"]), high.plus(v.attrs["offset"])
    rows = v.inputs[0].shape[0] if v.inputs[0].shape else 0
    rows = rows if isinstance(rows, Count) else Count(0, rows)
    inside = at_most(Count(0, 0), low, program) and at_most(high.plus(1), rows, program)
    if not inside and not at_most(high.plus(1), low, program):
        yield f"reads rows {low}..{high} of {rows}"


def _pieces(v: Value) -> Iterator[str]:
    """The parts of a splice follow one another."""
    if any(p.steps is None for p in v.inputs):
        yield "a part has no steps"
        return
    for a, b in pairwise(v.inputs):
        if a.span.last.plus(1) != b.span.first or a.span.clock != b.span.clock:
            yield f"{b!r} does not begin where {a!r} ends"
    ends = v.inputs[0].span.first, v.inputs[-1].span.last
    if (v.span.first, v.span.last) != ends:
        yield f"its parts are {ends[0]}..{ends[1]}"


def _past(program: Program, v: Value) -> Iterator[str]:
    """A state is the past of a line of its own shape, on the line's steps."""
    line = program.states.get(v)
    if line is None:
        yield "is the past of nothing"
        return
    back = v.span.moved(-v.attrs["delay"])
    if (line.shape, line.dtype) != (v.shape, v.dtype):
        yield f"is {v.shape} {v.dtype}, its line {line.shape} {line.dtype}"
    elif not v.attrs["delay"]:
        yield "a line is no state of itself at the same step"
    elif line.steps is None or not within(back, line.steps, program):
        yield f"reads {back} of {line.steps}"


def same_shape(program: Program, v: Value) -> Iterator[str]:
    """Shape and dtype are what the op makes of ones, at several lengths."""
    mine = v.shape, v.dtype
    if v.op is Leaf.constant:
        found = np.shape(v.attrs["value"]), dtype_of(v.attrs["value"])
        if mine != found:
            yield f"is {mine}, its value {found}"
    elif isinstance(v.op, Time):
        for i in v.inputs:
            shape = i.shape[1:] if v.op is Time.read else i.shape
            if v.op is Time.over:
                shape = (i.span.number, *i.shape)
            if mine != (shape, i.dtype):
                yield f"is {mine}, its input {(shape, i.dtype)}"
    elif not isinstance(v.op, Leaf):
        for lengths in _samples(program.clocks, 2):
            if _runs(v, lengths):
                made = _made(v, lengths)
                if (shape_at(v.shape, lengths), v.dtype) != made:
                    yield f"is {mine}, {v.op.name} makes {made} at {lengths}"
                    break


def _made(v: Value, lengths: Sequence[int]) -> tuple[tuple[int, ...], str]:
    """The shape and dtype of what an op makes of ones, at these lengths."""
    result = example(v, lengths)
    return np.shape(result), dtype_of(result)


def holds(program: Program, lengths: Sequence[int], slices: bool = False) -> bool:
    """Whether each axis is at these lengths as long as its count says.

    A count is the line through two lengths. What is no line in T, as every second step
    or the first twelve, may leave it at a third. ``slices`` looks at these alone.
    """
    for v in program.values:
        if isinstance(v.op, (Leaf, Time)) or not _runs(v, lengths):
            continue
        sliced = v.op is O.getitem and is_view(v)
        fixed = all(isinstance(n, int) for i in v.inputs for n in i.shape)
        if fixed or (slices and not sliced):
            continue
        try:
            made = _sliced(v, lengths) if sliced else _made(v, lengths)[0]
        except Exception:  # it does not take ones: nothing is known of it
            return False
        if made != shape_at(v.shape, lengths):
            return False
    return True


def _runs(v: Value, lengths: Sequence[int]) -> bool:
    """Whether it has a step at these lengths, or no time."""
    return v.steps is None or len(v.steps.at(lengths)) > 0


def _sliced(v: Value, lengths: Sequence[int]) -> tuple[int, ...]:
    """The shape of a slice, of an array that has one element in memory."""
    array = np.broadcast_to(False, shape_at(v.inputs[0].shape, lengths))
    return np.shape(array[resolved(v.attrs["key"], 0, lengths, 0)])


def are_lines(program: Program) -> bool:
    """Whether each axis is a line in T, as far as some longer lengths tell."""
    near = [n for more in (1, 2) for n in _samples(program.clocks, more)]
    far = _samples(program.clocks, FAR)
    return all(holds(program, n) for n in near) and all(
        holds(program, n, slices=True) for n in far
    )


def _samples(clocks: tuple[Lengths, ...], more: int) -> list[list[int]]:
    """The shortest lengths, and for each clock that is free one so much longer."""
    least = [c.least for c in clocks]
    free = [i for i, c in enumerate(clocks) if c.most is None]
    return [least] + [[n + more * (k == i) for k, n in enumerate(least)] for i in free]


CHECKS: tuple[Check, ...] = (known_op, legal_steps, same_steps, time_ops, same_shape)


def _whole(program: Program) -> Iterator[str]:
    """What is said of the program and not of one value."""
    values = program.values
    known = {Leaf.parameter: program.parameters, Leaf.argument: program.arguments}
    for output in program.outputs:
        if output.steps is not None:
            yield f"output {output!r} has steps"
    for v in values:
        leaf = v.op if isinstance(v.op, Leaf) else None
        if leaf in known and known[leaf].get(v.name or "") is not v:
            yield f"{v!r} is not the {leaf.name} of that name"
        for n in v.shape:
            if isinstance(n, Count) and program.clocks[n.clock].most is not None:
                yield f"{v!r} has an axis {n} though that length is fixed"
    yield from _directions(program)
    told = [
        n for a in program.arguments.values() for n in a.shape if not isinstance(n, int)
    ]
    for i, clock in enumerate(program.clocks):
        if clock.most is None and not any(n.clock == i and abs(n.a) == 1 for n in told):
            yield f"no argument tells the length of clock {i}"


def _directions(program: Program) -> Iterator[str]:
    """What depends on itself does so through delays of one sign, in one clock."""
    values, reads, part = program.connected()
    signs: dict[int, set[bool]] = {}
    for v, p, found in zip(values, part, reads, strict=True):
        if not any(part[i] == p for i in found):
            continue
        if v.op in (Time.over, Time.total, Time.at):
            yield f"{v!r} depends on itself outside of time"
        if v.op in (Time.state, Time.shift) and v.attrs["delay"]:
            signs.setdefault(p, set()).add(v.attrs["delay"] > 0)
    if any(len(s) > 1 for s in signs.values()):
        yield "a loop that runs in both directions"
