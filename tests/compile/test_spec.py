"""A well-formed program is well formed; a fault that is planted in one is named."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from minigrad.compile.counts import Count, Lengths, Steps
from minigrad.compile.spec import SpecError, at_most, complaints, verify, within
from minigrad.compile.values import Leaf, Program, Time, rebuild
from minigrad.op import Op
from tests.compile.interpret import interpret

from .test_values import running_sum
from .traces import NETWORKS, Trace, flat, network


def free(name):
    step, data = network(name)
    trace = Trace(step, *data(8))
    return step, data, trace, trace.free(Trace(step, *data(9)))


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_lifted_is_well_formed(name):
    step, data = network(name)
    assert complaints(Trace(step, *data(6)).program()) == []
    if "attention" not in name:
        assert complaints(free(name)[3]) == []


def faults(v):
    """A kind of fault, and the value with it."""
    if v.steps is not None and v.op is not Time.state:
        clock, first, last = v.steps
        yield "steps", replace(v, steps=Steps(clock, first.plus(1), last))
        yield "steps", replace(v, steps=Steps(clock, first, last.plus(-1)))
        yield "steps", replace(v, steps=Steps(clock, first, last.plus(1)))
        yield "clock", replace(v, steps=Steps(clock + 1, first, last))
        yield "no steps", replace(v, steps=None)
    if v.shape:
        yield "axis", replace(v, shape=v.shape[1:])
    other = "float32" if v.dtype == "float64" else "float64"
    yield "dtype", replace(v, dtype=other)
    if v.op is Time.at:
        for k in (1, -1):
            yield "at", replace(v, attrs={"step": v.attrs["step"].plus(k)})
    if v.op is Time.splice:
        yield "part lost", replace(v, inputs=v.inputs[1:])
        yield "parts swapped", replace(v, inputs=v.inputs[::-1])
    if v.op is Time.over:
        yield "over", replace(v, op=Time.total)
    if v.op is Time.total:
        yield "total", replace(v, op=Time.over)
    if isinstance(v.op, Op):
        yield "attribute", replace(v, attrs={**v.attrs, "sideways": 1})
        if not v.op.variadic and len(v.inputs) == 2:
            yield "operand lost", replace(v, inputs=v.inputs[:1])
        if v.steps is not None and v.inputs[0].op is Time.each:
            inner = v.inputs[0].inputs[0]
            yield "each skipped", replace(v, inputs=(inner, *v.inputs[1:]))
    if v.op is Leaf.parameter:
        yield "twin", replace(v)


def planted(program, value, fault):
    def change(old, new):
        if old is not value:
            return new
        alike = fault.inputs == old.inputs
        return replace(fault, inputs=new.inputs) if alike else fault

    return rebuild(program, change)


def same_values(program, step, data, trace):
    """Whether a program that is not refused still computes what it should."""
    arguments = {f"x{i}": a for i, a in enumerate(data(10))}
    try:
        found = interpret(program, arguments, trace.parameters)
    except Exception:
        return True
    wanted = [t.data for t in flat(step(*data(10)))]
    return all(
        a.shape == b.shape and np.allclose(a, b, rtol=1e-6)
        for a, b in zip(found, wanted, strict=True)
    )


@pytest.mark.parametrize("name", ["ManyToMany", "ManyToOne lstm"])
def test_planted_faults_are_named(name):
    step, data, trace, program = free(name)
    caught, missed = Counter(), Counter()
    for v in program.values:
        for kind, fault in faults(v):
            wrong = planted(program, v, fault)
            if complaints(wrong):
                caught[kind] += 1
            elif not same_values(wrong, step, data, trace):
                missed[kind] += 1
    assert len(caught) >= 10
    assert not missed - Counter({"at": missed["at"], "attribute": 0})
    assert sum(missed.values()) * 100 <= sum(caught.values())


def test_a_state_of_nothing_and_a_loop_in_both_directions():
    program = running_sum()
    (before,) = program.states
    lost = replace(program, states={})
    assert any("past of nothing" in text for text in complaints(lost))
    ahead = replace(before, attrs={"delay": -1})
    wrong = rebuild(program, lambda old, new: ahead if old is before else new)
    wrong = replace(wrong, states={ahead: next(iter(wrong.states.values()))})
    assert complaints(wrong)
    with pytest.raises(SpecError, match="past of nothing"):
        verify(lost)


def test_counts_are_ordered_at_every_length():
    program = Program((), {}, (Lengths(4), Lengths(3, 3)))
    assert at_most(Count(0, 4), Count(1, 0), program)
    assert not at_most(Count(0, 5), Count(1, 0), program)
    assert not at_most(Count(1, 0), Count(0, 9), program)
    assert not at_most(Count(1, 0), Count(1, 0, 1), program)
    assert at_most(Count(0, 3), Count(1, 0, 1), program)
    empty = Steps(0, Count(0, 3), Count(0, 2))
    assert within(empty, Steps(0, Count(0, 1), Count(0, 1)), program)
    assert not within(Steps(1, Count(0, 1), Count(0, 1)), empty, program)
