"""Rewrites: a pattern, and what stands in its place, written as calls of ops.

A rule is a function from a value, whose inputs have been rewritten already, to another
value that is the same at every step, or None. What no output needs any more is gone by
itself: a program is what its outputs reach. What needs several values at once is a
function from program to program.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from minigrad.loop.kinds import O
from minigrad.loop.values import (
    Leaf,
    Program,
    Time,
    Value,
    apply,
    constant,
    each,
    moves,
    over,
    rebuild,
)
from minigrad.op import Op

Rule = Callable[[Value], Value | None]


def rewrite(program: Program, rules: Sequence[Rule]) -> Program:
    """Apply rules to every value, from inputs to outputs, until none applies."""
    again = True

    def change(old: Value, new: Value) -> Value:
        nonlocal again
        for rule in rules:
            made = rule(new) if new.op is not Time.state else None
            if made is not None:
                again = True
                return replace(made, name=new.name) if _unnamed(made, new) else made
        return new

    while again:
        again = False
        program = rebuild(program, change)
    return program


def _unnamed(made: Value, new: Value) -> bool:
    leaf = isinstance(made.op, Leaf) or made.op is Time.state
    return bool(new.name) and not made.name and not leaf


def sums(v: Value) -> Value | None:
    """add_n(a, b, c) -> (a + b) + c."""
    match v:
        case Value(O.add_n, inputs):
            made = inputs[0]
            for term in inputs[1:]:
                made = Value(O.add, (made, term), {}, v.shape, v.dtype, v.steps)
            return made
    return None


def hoist(v: Value) -> Value | None:
    """f(each(a), each(b)) -> each(f(a, b)), and time ops of the same at every step."""
    match v:
        case Value(Op(), inputs) if inputs and v.steps is not None:
            if all(i.op is Time.each for i in inputs) and not moves(v.attrs):
                once = tuple([i.inputs[0] for i in inputs])
                return each(replace(v, inputs=once, steps=None), v.steps)
        case Value(Time.shift, (Value(Time.each, (c,)),)):
            return each(c, v.span)
        case Value(Time.at, (Value(Time.each, (c,)),)):
            return c
        case Value(Time.splice, parts) if all(p.op is Time.each for p in parts):
            if len({p.inputs[0] for p in parts}) == 1:
                return each(parts[0].inputs[0], v.span)
    return None
