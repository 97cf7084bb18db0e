"""The verifier of memory plans finds what is wrong, and nothing else."""

from dataclasses import replace

import pytest

from minigrad.compile.memory import Place
from minigrad.compile.numpy.engine import Runner, build
from minigrad.compile.values import Time
from tests.compile.interpret import lengths_of

from .test_memory import complaints, runner_of
from .traces import Trace, close, network


def shared(plan, a, b):
    """The plan with one buffer in place of two."""
    places = {
        v: Place(b, p.delay, p.views) if p.buffer is a else p
        for v, p in plan.places.items()
    }
    fills = {
        k: [f._replace(buffer=b) if f.buffer is a else f for f in found]
        for k, found in plan.fills.items()
    }
    return replace(plan, places=places, fills=fills)


def form(buffer):
    return buffer.steps, buffer.shape, buffer.dtype


@pytest.mark.parametrize(
    "name", ["ManyToMany", "ManyToOne lstm", "OutputFeedback free"]
)
def test_buffers_that_are_shared_without_leave_are_found(name):
    """Of each pair one is made: what is not complained of computes the same."""
    step, data = network(name)
    trace = Trace(step, *data(5))
    program = trace.program()
    plan, lengths = build(program).plan, lengths_of(program, trace.arguments)
    values = [trace.parameters[n] for n in program.parameters]
    values += [trace.arguments[n] for n in program.arguments]
    every = dict.fromkeys(place.buffer for place in plan.places.values())
    buffers = [b for b in every if b.source is None and not b.bound]
    found = 0
    for i, a in enumerate(buffers):
        for b in buffers[:i]:
            if form(a) != form(b):
                continue
            wrong = shared(plan, a, b)
            if complaints(wrong, lengths):
                found += 1
            else:
                close(Runner(wrong)(lengths, values), trace.values)
    assert found >= 2


def test_a_delay_that_is_off_by_one_is_found():
    runner, lengths = runner_of("ManyToMany")
    plan, looked = runner.plan, 0
    for v, p in plan.places.items():
        if p.delay and v.op is Time.splice:
            places = plan.places | {v: p._replace(delay=p.delay - 1)}
            assert complaints(replace(plan, places=places), lengths)
            looked += 1
    assert looked >= 2
