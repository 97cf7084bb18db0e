"""Parts in C's order: the plan of each is proved, and what is sunk runs in its loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.compile.c import order
from minigrad.compile.c.abilities import Abilities
from minigrad.compile.c.engine import written
from minigrad.compile.c.order import clustered, sunk
from minigrad.compile.rules import for_numpy
from minigrad.compile.schedule import Loop, own_states, schedule
from minigrad.compile.values import Leaf
from tests.compile.interpret import lengths_of
from tests.compile.verify import complaints
from tests.programs.strategies import programs

from ...test_fold import cells
from ..test_program import curvature, derivatives, sequence
from ..test_program import network as recurrent
from ..traces import NETWORKS, Trace, network


def plan_of(program, rules=True):
    """The plan of a program in C, and what C can do of it; nothing is compiled."""
    writing, _ = written(for_numpy(program, []) if rules else program)
    return writing.plan, writing.able


def is_proved(program, lengths, rules=True):
    plan, able = plan_of(program, rules)
    assert complaints(plan, lengths, able) == []
    return plan, able


@pytest.mark.parametrize("rules", [True, False])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_plan_of_a_network_is_proved(name, rules):
    step, data = network(name)
    for T in (3, 6):
        trace = Trace(step, *data(T))
        program = trace.program()
        is_proved(program, lengths_of(program, trace.arguments), rules)


@pytest.mark.parametrize("name", [n for n in NETWORKS if "attention" not in n])
def test_a_plan_for_every_length_is_proved_at_some(name):
    step, data = network(name)
    program = Trace(step, *data(8)).free(Trace(step, *data(9)))
    for T in (8, 9, 13):
        arguments = {f"x{i}": a for i, a in enumerate(data(T))}
        is_proved(program, lengths_of(program, arguments))


@settings(max_examples=15)
@given(cells(), st.integers(1, 7), st.sampled_from([1, 2]), st.booleans())
def test_the_plan_of_a_random_recurrence_is_proved(cell, T, degree, rules):
    step, parameters = recurrent(cell, np.float64)
    if degree == 2:
        step = curvature(step, parameters)
    trace = Trace(step, sequence(T, np.float64))
    program = trace.program()
    is_proved(program, lengths_of(program, trace.arguments), rules)


@settings(max_examples=15)
@given(programs())
def test_the_plan_of_a_random_program_is_proved(drawn):
    function, arrays = drawn
    trace = Trace(derivatives(function), *arrays)
    program = trace.program()
    is_proved(program, lengths_of(program, trace.arguments))


def parts_of(program):
    simple, able = own_states(for_numpy(program, [])), Abilities()
    parts = schedule(simple)
    return simple, parts, sunk(simple, parts, able.says)


@pytest.mark.parametrize("name", NETWORKS)
def test_parts_come_after_what_they_read(name):
    step, data = network(name)
    program, before, parts = parts_of(Trace(step, *data(6)).program())
    ordered = clustered(program, parts)
    assert set(ordered) == set(parts)
    assert len(ordered) == len(parts)
    seen = set()
    for part in ordered:
        values = part.whole if isinstance(part, Loop) else {part}
        for v in values:
            for r in program.reads(v):
                assert r in seen | values or isinstance(r.op, Leaf), (part, r)
        seen |= values
    # Of the ranges of one loop each keeps its place.
    wholes = [p.whole for p in before if isinstance(p, Loop)]
    found = [p.steps for p in ordered if isinstance(p, Loop)]
    assert len(found) == len(wholes)


def test_what_a_loop_alone_reads_runs_in_it():
    W = mg.parameter(np.eye(4), name="W")

    def step(xs):
        h = mg.tensor(np.zeros((2, 4)), name="h0")
        for _, x in mg.steps(xs):
            h = mg.tanh(mg.tanh(x * 2.0) + h @ W)
        return h

    program, before, after = parts_of(
        Trace(step, sequence(5, np.float64).repeat(2, 2)[:, :2]).program()
    )
    (loop,) = [p for p in before if isinstance(p, Loop)]
    (grown,) = [p for p in after if isinstance(p, Loop)]
    moved = set(grown.body) - set(loop.body)
    assert {v.op.name for v in moved} == {"multiply", "tanh"}
    assert not moved & set(after)
    assert program.outputs


def behind(v, readers, body):
    """A body with one more line, behind the first that reads it."""
    first = next((k for k, r in enumerate(body) if r in readers), None)
    return body if first is None else (*body[: first + 1], v, *body[first + 1 :])


def test_a_line_that_is_put_behind_its_reader_is_found(monkeypatch):
    monkeypatch.setattr(order, "_before", behind)
    found = 0
    for name in NETWORKS:
        step, data = network(name)
        trace = Trace(step, *data(5))
        program = trace.program()
        plan, able = plan_of(program)
        found += bool(complaints(plan, lengths_of(program, trace.arguments), able))
    assert found >= 3


def test_an_initial_state_is_kept_until_its_loop_begins():
    """Other parts may come between: it is read when the loop's buffer is filled."""
    U, W = (mg.parameter(np.full((1, 1), 0.5), name=n) for n in "UW")

    def net(xs, ms):
        for _ in mg.steps(2):
            xs = U + mg.tanh(xs)
            state = xs + xs
        losses = []
        for _, _m in mg.steps(ms):
            state = state @ W
            losses.append(xs.sum())
        loss = sum(losses) / len(losses)
        return [loss, state, *mg.grad(loss, [U])]

    trace = Trace(net, np.ones((2, 1, 1)), np.ones((2, 1, 1)))
    program = trace.program()
    is_proved(program, lengths_of(program, trace.arguments))
