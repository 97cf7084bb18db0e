"""The loop program: immutable values, and time as ops.

Vocabulary
    value    one line of the program; with ``steps`` it has a value at each of them
    count    an integer that may depend on a loop's length: a T + b
    steps    first..last of a clock; an ordinary op has the steps of all its inputs
    state    the past of a line that depends on it: it is named, not pointed to, so that
             values form no cycle
    program  what some outputs are computed from; it is what they reach, no more

Eight ops know of time, all others act on one step as they act without time:

    read(xs)     x(t) of an array, an entry a step    at(h, t)      one step of h
    each(c)      an untimed value, at every step      over(h)       all steps, stacked
    shift(h, d)  h(t - d), or h on fewer steps        total(h)      the sum over steps
    state(d)     h(t - d) where h depends on it       splice(a, b)  a, and then b

>>> steps = Steps(0, Count(0, 1), Count(1, 0))
>>> xs = argument("xs", (Count(1, 0), 2), "float64")
>>> over(read(xs, steps)).shape, str(steps)
((Count(a=1, b=0, clock=0), 2), '1..T')
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import Any

import numpy as np

from minigrad.compile.connected import strongly_connected
from minigrad.compile.counts import Count, Dim, Lengths, Shape, Steps, shape_at
from minigrad.fold.moving_index import Ahead, at_step, contains, mapped
from minigrad.op import Op


class Leaf(Enum):
    """What a value without inputs is."""

    parameter = "read at each call"
    argument = "given at each call"
    constant = "part of the program"


class Time(Enum):
    """The ops that know of time."""

    read = "an entry a step of an array"
    each = "an untimed value, at every step"
    shift = "the value some steps back, on these steps"
    state = "the value some steps back, of a line that depends on it"
    splice = "one input after the other, each on its own steps"
    at = "one step"
    over = "all steps, stacked as the first axis"
    total = "the sum over the steps"


@dataclass(frozen=True, eq=False)
class Kernel:
    """An op of the compiler's own: what rules make of recorded ops."""

    forward: Callable[..., Any]
    arity: int
    keywords: frozenset[str] = frozenset()
    variadic: bool = False

    @property
    def name(self) -> str:
        """The name of its function."""
        return self.forward.__name__


AnyOp = Op | Kernel


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Value:
    """One line; ``shape`` and ``dtype`` are those of one step.

    The dtype of a Python number is "int", "float" or "bool": it widens nothing.
    """

    op: AnyOp | Leaf | Time
    inputs: tuple["Value", ...]
    attrs: Mapping[str, Any]
    shape: Shape
    dtype: str
    steps: Steps | None = None
    name: str | None = None

    @property
    def span(self) -> Steps:
        """The steps of a value that has some."""
        assert self.steps is not None, f"{self!r} has no time"
        return self.steps

    @property
    def call(self) -> AnyOp:
        """The op of a value that is no leaf, and that knows nothing of time."""
        assert isinstance(self.op, (Op, Kernel)), f"{self!r} calls no function"
        return self.op

    def __repr__(self) -> str:
        when = "" if self.steps is None else f"({self.steps})"
        return f"<{self.name or self.op.name}{when}>"


@dataclass(frozen=True, eq=False)
class Program:
    """Outputs and what they are computed from.

    ``states`` says of each state the line that it is the past of. ``clocks`` are the
    lengths for which the program holds. Parameters and arguments are leaves by name.
    """

    outputs: tuple[Value, ...]
    states: Mapping[Value, Value]
    clocks: tuple[Lengths, ...]
    parameters: Mapping[str, Value] = field(default_factory=dict)
    arguments: Mapping[str, Value] = field(default_factory=dict)

    @cached_property
    def values(self) -> list[Value]:
        """All values, each after its inputs; no recursion, whatever the depth."""
        order: dict[Value, None] = {}
        waiting: list[Value] = [*self.outputs]
        for root in waiting:  # grows: the lines that states are the past of
            stack = [root]
            while stack:
                value = stack[-1]
                missing = [i for i in value.inputs if i not in order]
                if missing and value not in order:
                    stack += missing[::-1]
                    continue
                stack.pop()
                if value not in order:
                    order[value] = None
                    if value in self.states:
                        waiting.append(self.states[value])
        return list(order)

    def reads(self, v: Value) -> tuple[Value, ...]:
        """What a value depends on: of a state its line."""
        return (self.states[v],) if v in self.states else v.inputs

    def connected(self) -> tuple[list[Value], list[list[int]], list[int]]:
        """The values, the numbers of what each reads, and the loop that each is of.

        Loops have numbers above those of what they read, as all other values have.
        """
        values = self.values
        number = {v: i for i, v in enumerate(values)}
        reads = [[number[r] for r in self.reads(v)] for v in values]
        return values, reads, strongly_connected(reads)

    def __str__(self) -> str:
        names = {v: f"{v.name or v.op.name}_{i}" for i, v in enumerate(self.values)}
        lines = []
        for v, name in names.items():
            said = [names[i] for i in self.reads(v)]
            said += [f"{k}={str(a)[:40]}" for k, a in v.attrs.items()]
            when = "" if v.steps is None else f"  t = {v.steps}"
            shape = "x".join(map(str, v.shape)) or "1"
            call = f"{v.op.name}({', '.join(said)})"
            lines.append(f"{name:<14} = {call}  {shape} {v.dtype}{when}")
        outputs = ", ".join(names[o] for o in self.outputs)
        return "\n".join([*lines, f"return {outputs}"])


def parameter(name: str, shape: Shape, dtype: str) -> Value:
    """A parameter, read at each call."""
    return Value(Leaf.parameter, (), {}, shape, dtype, None, name)


def argument(name: str, shape: Shape, dtype: str) -> Value:
    """An array given at each call; a count in its shape tells a length."""
    return Value(Leaf.argument, (), {}, shape, dtype, None, name)


def constant(value: Any, name: str | None = None) -> Value:
    """A number or an array that is part of the program."""
    shape, dtype = np.shape(value), dtype_of(value)
    return Value(Leaf.constant, (), {"value": value}, shape, dtype, None, name)


def dtype_of(value: Any) -> str:
    """The name of a dtype; of a Python number that of its type."""
    return str(getattr(value, "dtype", type(value).__name__))


def read(xs: Value, steps: Steps, offset: int = 0, down: bool = False) -> Value:
    """xs[t - 1 + offset], or with ``down`` xs[T - t + offset]."""
    attrs = {"offset": offset, "down": down}
    return Value(Time.read, (xs,), attrs, xs.shape[1:], xs.dtype, steps)


def each(c: Value, steps: Steps) -> Value:
    """An untimed value, at every step."""
    return Value(Time.each, (c,), {}, c.shape, c.dtype, steps)


def shift(h: Value, delay: int, steps: Steps) -> Value:
    """h(t - delay) on ``steps``; h itself if that is what it is."""
    if not delay and steps == h.steps:
        return h
    return Value(Time.shift, (h,), {"delay": delay}, h.shape, h.dtype, steps)


def state(delay: int, steps: Steps, shape: Shape, dtype: str) -> Value:
    """The past of a line that ``Program.states`` names."""
    return Value(Time.state, (), {"delay": delay}, shape, dtype, steps)


def splice(parts: Iterable[Value]) -> Value:
    """Parts in the order of their steps, one after the other."""
    found = tuple(parts)
    if len(found) == 1:
        return found[0]
    first, last = found[0].span, found[-1].span
    steps = Steps(first.clock, first.first, last.last)
    return Value(Time.splice, found, {}, found[0].shape, found[0].dtype, steps)


def at(h: Value, step: Count) -> Value:
    """One step of h."""
    return Value(Time.at, (h,), {"step": step}, h.shape, h.dtype)


def over(h: Value) -> Value:
    """All steps of h, stacked upwards as the first axis."""
    return Value(Time.over, (h,), {}, (h.span.number, *h.shape), h.dtype)


def total(h: Value) -> Value:
    """The sum over the steps of h."""
    return Value(Time.total, (h,), {}, h.shape, h.dtype)


def apply(op: AnyOp, *inputs: Value, **attrs: Any) -> Value:
    """An ordinary op; its shape is found by example.

    Untimed operands of a timed op are given at every step.
    """
    steps = next((v.steps for v in inputs if v.steps is not None), None)
    if steps is not None:
        inputs = tuple(v if v.steps is not None else each(v, steps) for v in inputs)
    shape, dtype = shape_of(op, inputs, attrs, steps)
    return Value(op, inputs, attrs, shape, dtype, steps)


def shape_of(
    op: AnyOp, inputs: tuple[Value, ...], attrs: Mapping[str, Any], steps: Steps | None
) -> tuple[Shape, str]:
    """Shape and dtype of an op's result: it is run on ones, at two lengths a clock."""
    counts = [d for v in inputs for d in v.shape if isinstance(d, Count)]
    clocks = {d.clock for d in counts}
    # No axis is less than none, and no slice cuts off more than there is.
    enough = 16 + _ends(attrs.get("key")) + max([0, *(-d.b // d.a for d in counts)])
    base = [enough] * (1 + max([*clocks, steps.clock if steps else 0]))
    v = Value(op, inputs, attrs, (), "", steps)
    result = example(v, base)
    shape: list[Dim] = list(np.shape(result))
    for clock in clocks:
        longer = list(base)
        longer[clock] += 1
        other = np.shape(example(v, longer))
        for i, n in enumerate(np.shape(result)):
            a = other[i] - n
            if a:
                shape[i] = Count(a, n - a * base[clock], clock)
    return tuple(shape), dtype_of(result)


def _ends(key: Any) -> int:
    """The sum of all numbers in a key."""
    if isinstance(key, tuple):
        return sum(map(_ends, key))
    if isinstance(key, slice):
        return _ends(key.start) + _ends(key.stop)
    return abs(key) if isinstance(key, int) else 0


def example(v: Value, lengths: Sequence[int]) -> Any:
    """What the op of a value makes of ones; constants are given as they are."""
    given = [ones(i, lengths) for i in v.inputs]
    t, clock = (v.steps.first.at(lengths), v.steps.clock) if v.steps else (0, 0)
    with np.errstate(all="ignore"):
        return compute(v.call, given, resolved(v.attrs, t, lengths, clock))


def ones(value: Value, lengths: Sequence[int]) -> Any:
    """An example of a value: ones, and zeros where it may be an index."""
    source = value
    while source.op in (Time.each, Time.shift):
        source = source.inputs[0]
    if source.op is Leaf.constant:
        return source.attrs["value"]
    make = np.zeros if np.dtype(value.dtype).kind in "iu" else np.ones
    return make(shape_at(value.shape, lengths), value.dtype)


def compute(op: AnyOp, values: list[Any], attrs: Mapping[str, Any]) -> Any:
    """An op on arrays."""
    result = (
        op.forward(values, **attrs) if op.variadic else op.forward(*values, **attrs)
    )
    return result if isinstance(result, np.ndarray) else np.asarray(result)


def resolved(attrs: Any, t: int, lengths: Sequence[int], clock: int) -> Any:
    """Attributes with their counts, and what moves with t, as plain numbers."""

    def number(v: Any) -> int:
        moves = isinstance(v, Ahead)
        return at_step(v, t, lengths[clock]) if moves else v.at(lengths)  # type: ignore[no-any-return]

    return mapped(attrs, (Count, Ahead), number)


def moves(attrs: Any) -> bool:
    """Whether an attribute moves with t."""
    return contains(attrs, Ahead)


def rebuild(program: Program, change: Callable[[Value, Value], Value]) -> Program:
    """A new program: ``change(old, same with new inputs)`` gives each successor."""
    made: dict[Value, Value] = {}
    for value in program.values:
        inputs = tuple([made[i] for i in value.inputs])
        new = value if inputs == value.inputs else replace(value, inputs=inputs)
        made[value] = change(value, new)
    states = {made[s]: made[v] for s, v in program.states.items() if s in made}
    return replace(
        program, outputs=tuple([made[o] for o in program.outputs]), states=states
    )
