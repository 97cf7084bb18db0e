"""Rewrites: a pattern, and what stands in its place, written as calls of ops.

A rule is a function from a value, whose inputs have been rewritten already, to another
value that is the same at every step, or None. What no output needs any more is gone by
itself: a program is what its outputs reach. What needs several values at once is a
function from program to program.

    shapes    what reads a value for its shape alone is told the shape
    timeless  what is the same at every step is computed once
    losses    softmax and cross-entropy as parts that they share
    stacks    an array over all steps, used step by step, becomes timed lines
    sums      over the steps: of products one product, of rows one product with ones
    common    equal values become one
    additions of a sum in a loop, what does not recur is added before it
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from minigrad.compile import kernels
from minigrad.compile.kinds import O
from minigrad.compile.opening import (
    by_step,
    known_shape,
    narrow,
    open_losses,
    open_norms,
)
from minigrad.compile.values import (
    Kernel,
    Leaf,
    Program,
    Time,
    Value,
    apply,
    each,
    moves,
    over,
    rebuild,
    shift,
)
from minigrad.fold.moving_index import key_of
from minigrad.op import Op

Rule = Callable[[Value], Value | None]


def rewrite(program: Program, rules: Sequence[Rule]) -> Program:
    """Apply rules to every value, from inputs to outputs, until none applies."""
    again, settled = True, set[Value]()

    def change(old: Value, new: Value) -> Value:
        nonlocal again
        for rule in rules if new not in settled else ():
            made = rule(new) if new.op is not Time.state else None
            if made is not None:
                again = True
                return replace(made, name=new.name) if _unnamed(made, new) else made
        settled.add(new)  # a rule reads the value alone, and what it is made of
        return new

    while again:
        again = False
        program = rebuild(program, change)
    return program


def _unnamed(made: Value, new: Value) -> bool:
    leaf = isinstance(made.op, Leaf) or made.op is Time.state
    return bool(new.name) and not made.name and not leaf


# What is the same at every step.


def hoist(v: Value) -> Value | None:
    """f(each(a), each(b)) -> each(f(a, b)), and time ops of the same at every step."""
    match v:
        case Value(Op() | Kernel(), inputs) if inputs and v.steps is not None:
            if all(i.op is Time.each for i in inputs) and not moves(v.attrs):
                once = tuple([i.inputs[0] for i in inputs])
                return each(replace(v, inputs=once, steps=None), v.steps)
        case Value(Time.shift, (Value(Time.each, (c,)),)):
            return each(c, v.span)
        case Value(Time.shift, (Value(Time.shift, (h,), inner),), outer):
            return shift(h, inner["delay"] + outer["delay"], v.span)
        case Value(Time.at, (Value(Time.each, (c,)),)):
            return c
        case Value(Time.splice, parts) if all(p.op is Time.each for p in parts):
            if len({p.inputs[0] for p in parts}) == 1:
                return each(parts[0].inputs[0], v.span)
    return None


# Sums over the steps.


def one_product(v: Value) -> Value | None:
    """total(a.T @ d) -> rows(a).T @ rows(d), and sums of rows as one sum of rows."""
    match v:
        case Value(
            Time.total,
            (Value(O.matmul | O.dot, (Value(O.transpose, (a,), attrs), d)),),
        ) if len(a.shape) == len(d.shape) == 2 and not attrs.get("axes"):
            timed = a.op is not Time.each and d.op is not Time.each
            if timed and 0 not in (a.shape[-1], d.shape[-1]):
                return apply(O.matmul, apply(O.transpose, rows(a)), rows(d))
        case Value(Time.total, (Value(O.sum, (d,), attrs),)) if (
            attrs.get("axis") in (0, (0,)) and not attrs.get("keepdims")
            and len(d.shape) == 2 and _is_float(d) and d.op is not Time.each
            and d.shape[-1] != 0
        ):  # fmt: skip
            return apply(kernels.column_sums, rows(d))
    return None


def _is_float(d: Value) -> bool:
    return d.dtype in ("float32", "float64")


def rows(x: Value) -> Value:
    """The rows of all steps, one below the other; they are not empty."""
    return apply(O.reshape, over(x), shape=(-1, x.shape[-1]))


def sums(v: Value) -> Value | None:
    """add_n(a, b, c) -> (a + b) + c."""
    match v:
        case Value(O.add_n, inputs) if all(i.dtype == v.dtype for i in inputs):
            made = inputs[0]
            for term in inputs[1:]:
                made = Value(O.add, (made, term), {}, v.shape, v.dtype, v.steps)
            return made
    return None


# Values that are the same are one.


def common(program: Program) -> Program:
    """One value for all that have the same op, inputs, attributes and steps."""
    known: dict[Any, Value] = {}
    pasts: dict[Any, Value] = {}

    def change(old: Value, new: Value) -> Value:
        if new.op in (Leaf.parameter, Leaf.argument):
            return new
        if new.op is Time.state:
            past = (program.states[old], new.steps, new.attrs["delay"])
            return pasts.setdefault(past, new)
        made = new.op, new.inputs, key_of(new.attrs)
        return known.setdefault((*made, new.steps, new.dtype, new.shape), new)

    return rebuild(program, change)


def additions(program: Program) -> Program:
    """(a + r) + c -> (a + c) + r, where r alone recurs: a + c need not wait for it."""
    values, _, part = program.connected()
    sizes = Counter(part)
    readers = Counter([*program.outputs, *(i for v in values for i in v.inputs)])
    recurs = {v for v, p in zip(values, part, strict=True) if sizes[p] > 1}
    made: dict[Value, Value] = {}

    def is_sum(v: Value) -> bool:
        return (
            v.op is O.add
            and v.steps is not None
            and all(i.dtype == v.dtype for i in v.inputs)
        )

    def change(old: Value, new: Value) -> Value:
        made[old] = new
        if old not in recurs or not is_sum(old):
            return new
        for inner, c in (old.inputs, old.inputs[::-1]):
            if inner not in recurs or c in recurs or not is_sum(inner):
                continue
            rest = [i for i in inner.inputs if i in recurs]
            if len(rest) != 1 or readers[inner] > 1 or inner.shape != old.shape:
                continue
            (r,) = rest
            a = next(i for i in inner.inputs if i is not r)
            first = apply(O.add, made[a], made[c])
            if first.shape != old.shape:
                continue
            return replace(new, inputs=(first, made[r]))
        return new

    return rebuild(program, change)


ALWAYS: tuple[Rule, ...] = (known_shape, sums, hoist, narrow)
OPENED: tuple[Rule, ...] = (*ALWAYS, open_losses, open_norms, by_step)
FINAL: tuple[Rule, ...] = (*OPENED, one_product)


def for_numpy(
    program: Program, report: list[tuple[str, int, int]] | None = None
) -> Program:
    """All rules, in the order in which they help one another.

    ``report`` receives how many values there were before and after each.
    """
    passes = {"shapes": ALWAYS, "losses": OPENED, "stacks": OPENED, "sums": FINAL}
    for name, rules in passes.items():
        before = len(program.values)
        if rules is FINAL:
            program = additions(program)
        program = common(rewrite(program, rules))
        if report is not None:
            report.append((name, before, len(program.values)))
    return program
