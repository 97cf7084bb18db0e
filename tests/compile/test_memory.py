"""Places and buffers: every plan is proved; memory is used again where it may be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.compile.numpy.abilities import ABLE
from minigrad.compile.numpy.engine import build
from minigrad.compile.schedule import Loop
from tests.compile.interpret import lengths_of
from tests.compile.verify import complaints as verified

from ..test_fold import cells
from .test_program import curvature, sequence
from .test_program import network as recurrent
from .traces import NETWORKS, Trace, close, network


def complaints(plan, lengths):
    return verified(plan, lengths, ABLE)


def runner_of(name, T=6):
    step, data = network(name)
    trace = Trace(step, *data(T))
    program = trace.program()
    return build(program), lengths_of(program, trace.arguments)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_plan_of_a_network_is_proved(name):
    for T in (3, 6):
        runner, lengths = runner_of(name, T)
        assert complaints(runner.plan, lengths) == []


@pytest.mark.parametrize("name", [n for n in NETWORKS if "attention" not in n])
def test_a_plan_for_every_length_is_proved_at_some(name):
    step, data = network(name)
    program = Trace(step, *data(8)).free(Trace(step, *data(9)))
    runner = build(program)
    for T in (8, 9, 13):
        arguments = {f"x{i}": a for i, a in enumerate(data(T))}
        assert complaints(runner.plan, lengths_of(program, arguments)) == []


@settings(max_examples=25)
@given(cells(), st.integers(1, 7), st.sampled_from([1, 2]))
def test_the_plan_of_a_random_recurrence_is_proved(cell, T, order):
    step, parameters = recurrent(cell, np.float64)
    if order == 2:
        step = curvature(step, parameters)
    trace = Trace(step, sequence(T, np.float64))
    program = trace.program()
    runner = build(program)
    assert complaints(runner.plan, lengths_of(program, trace.arguments)) == []


def test_the_hidden_state_and_its_past_are_windows_of_one_buffer():
    runner, _ = runner_of("ManyToMany")
    (h,) = {p.buffer for v, p in runner.plan.places.items() if v.name == "h"}
    assert str(h.steps) == "0..6"
    assert len([f for fills in runner.plan.fills.values() for f in fills]) == 1


def test_gates_are_written_in_their_place_and_read_as_views():
    runner, _ = runner_of("ManyToOne lstm")
    assert len(runner.plan.placed) >= 5
    inside = [x for x in runner.source.splitlines() if x.startswith("        ")]
    assert not [x for x in inside if "[...] = " in x]
    assert "scatter_n(" not in runner.source


def test_dying_buffers_are_used_again():
    runner, _ = runner_of("ManyToMany")
    roots = [v for v in runner.plan.roots if v in runner.plan.places]
    stored = {
        p.buffer
        for v, p in runner.plan.places.items()
        if v in runner.plan.roots and p.buffer.source is None
    }
    assert len(stored) < len(roots) - 3


def test_a_view_that_is_read_after_its_base_was_written_over():
    """x U, then v = h + x, (x + x) + v, and a square: buffers that die at odd times."""
    U = mg.parameter(np.array([[0.3, -0.2], [0.1, 0.4]]), name="U")

    def step(xs):
        h, total = mg.tensor(np.zeros((3, 2)), name="h0"), None
        for _, x in mg.steps(x=xs):
            x = x @ U
            v = h + x
            r = (x + x) + v
            h = mg.tanh(v)
            w = (r * r).sum()
            total = w if total is None else total + w
        return mg.grad(total, [U])

    compiled = mg.compile(step, strict=True)
    for T in (2, 3, 5, 6, 9):
        xs = sequence(T, np.float64)
        np.testing.assert_allclose(compiled(xs)[0].data, step(xs)[0].data, rtol=1e-9)


def proved_and_right(step):
    """The plan of a step's program is proved, and it gives what the step gives."""
    for T in (2, 3, 6):
        trace = Trace(step, sequence(T, np.float64))
        program = trace.program()
        runner = build(program)
        lengths = lengths_of(program, trace.arguments)
        assert complaints(runner.plan, lengths) == []
        values = [trace.parameters[n] for n in runner.parameters]
        close(runner(lengths, [*values, sequence(T, np.float64)]), trace.values)


def test_what_the_next_step_reads_is_not_written_over():
    """a(t) is read at t and at t - 1: what is made of it at t needs another buffer."""
    U = mg.parameter(np.array([[0.3, -0.2], [0.1, 0.4]]), name="U")

    def step(xs):
        h = before = mg.tensor(np.zeros((3, 2)), name="h0")
        total = 0.0
        for _, x in mg.steps(x=xs):
            a = mg.exp(x @ U)
            h = mg.tanh(h * 0.5 + before * a)
            r = a * h
            total = total + (r * r).sum()
            before = a
        return total, mg.grad(total, [U])

    proved_and_right(step)


def test_a_part_of_a_join_that_has_a_past_keeps_a_buffer_of_its_own():
    W = mg.parameter(np.array([[0.3, -0.2], [0.1, 0.4]]), name="W")

    def step(xs):
        a = mg.tensor(np.ones((3, 2)), name="a0")
        b = mg.tensor(np.full((3, 2), 0.5), name="b0")
        joined = []
        for _, x in mg.steps(x=xs):
            a, b = mg.tanh(a @ W + x), mg.sigmoid(b * a)
            joined.append(mg.concatenate([a, b], axis=1))
        loss = (mg.stack(joined) ** 2).sum()
        return mg.stack(joined), mg.grad(loss, [W])

    proved_and_right(step)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_buffer_is_one_of_a_line_that_is_computed(name):
    plan = runner_of(name)[0].plan
    computed = {v for p in plan.parts for v in (p.body if isinstance(p, Loop) else [p])}
    assert {place.buffer.root for place in plan.places.values()} <= computed


def test_what_nobody_reads_any_more_is_written_over():
    plan = runner_of("ManyToMany")[0].plan
    kept = [plan.places[v].buffer for v in plan.roots if v in plan.places]
    kept = [b for b in kept if b.steps is not None and not (b.bound or b.source)]
    assert len(set(kept)) < len(kept)
