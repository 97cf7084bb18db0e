"""What a program means: every value at every step, computed by NumPy one by one.

No order is planned and nothing is batched: a value at a step is computed when somebody
asks for it, from its inputs at the steps that its op reads. It is slow, and hard to get
wrong: rules and engines are tested against it, and it is tested against eager runs.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.compile.counts import Count
from minigrad.compile.values import Leaf, Program, Time, Value, compute, resolved

Instance = tuple[Value, int | None]


def interpret(
    program: Program,
    arguments: Mapping[str, Any],
    parameters: Mapping[str, Any],
    lengths: Sequence[int] | None = None,
) -> list[Any]:
    """The outputs, as arrays; lengths are those of the arguments unless given."""
    found = lengths_of(program, arguments) if lengths is None else tuple(lengths)
    run = Run(program, found, {Leaf.argument: arguments, Leaf.parameter: parameters})
    return [run.value((o, None)) for o in program.outputs]


def lengths_of(program: Program, arguments: Mapping[str, Any]) -> tuple[int, ...]:
    """The length of each clock: fixed, or what the shape of an argument tells.

    Raises ValueError where arguments disagree or are too short for the program.
    """
    lengths = {i: c.least for i, c in enumerate(program.clocks) if c.least == c.most}
    for name, value in program.arguments.items():
        for dim, n in zip(value.shape, np.shape(arguments[name]), strict=True):
            if isinstance(dim, Count):
                known = lengths.setdefault(dim.clock, (n - dim.b) // dim.a)
                if dim.a * known + dim.b != n:
                    raise ValueError(f"{name} has {n} steps where others have {known}")
            elif dim != n:
                raise ValueError(f"{name} has an axis of {n} in place of {dim}")
    for i, clock in enumerate(program.clocks):
        if lengths[i] < clock.least:
            raise ValueError(
                f"a loop of {lengths[i]} steps; the least is {clock.least}"
            )
    return tuple([lengths[i] for i in range(len(program.clocks))])


class Run:
    """One run: what has been computed so far."""

    def __init__(
        self, program: Program, lengths: tuple[int, ...], leaves: dict[Leaf, Any]
    ) -> None:
        self.program, self.lengths, self.leaves = program, lengths, leaves
        self.known: dict[Instance, Any] = {}

    def value(self, wanted: Instance) -> Any:
        """A value at a step; what it needs is computed before it, without recursion."""
        stack = [wanted]
        while stack:
            instance = stack[-1]
            if instance in self.known:
                stack.pop()
                continue
            reads = self.reads(*instance)
            missing = [r for r in reads if r not in self.known]
            stack += missing[::-1]
            if not missing:
                values = [self.known[r] for r in reads]
                self.known[instance] = self.computed(*instance, values)
        return self.known[wanted]

    def reads(self, v: Value, t: int | None) -> list[Instance]:
        """What a value at step t is computed from."""
        if v.steps is not None and t not in v.steps.at(self.lengths):
            raise LookupError(f"{v!r} has no step {t} of {self.lengths}")
        delay = v.attrs.get("delay", 0)
        match v.op:
            case Time.read | Time.each:
                return [(v.inputs[0], None)]
            case Time.shift:
                return [(v.inputs[0], (t or 0) - delay)]
            case Time.state:
                return [(self.program.states[v], (t or 0) - delay)]
            case Time.splice:
                return [(p, t) for p in v.inputs if t in p.span.at(self.lengths)]
            case Time.at:
                return [(v.inputs[0], v.attrs["step"].at(self.lengths))]
            case Time.over | Time.total:
                return [(v.inputs[0], s) for s in v.inputs[0].span.at(self.lengths)]
        return [(i, t) for i in v.inputs]

    def computed(self, v: Value, t: int | None, values: list[Any]) -> Any:
        """A value from those that it reads."""
        clock = v.steps.clock if v.steps is not None else 0
        match v.op:
            case Leaf.constant:
                return v.attrs["value"]
            case Leaf():
                return self.leaves[v.op][v.name]
            case Time.read:
                length, offset = self.lengths[clock], v.attrs["offset"]
                row = length - (t or 0) if v.attrs["down"] else (t or 0) - 1
                return values[0][row + offset]
            case Time.over:
                return np.stack(values)
            case Time.total:
                return sum(values[1:], values[0])
            case Time():
                (value,) = values
                return value
        return compute(v.op, values, resolved(v.attrs, t or 0, self.lengths, clock))
