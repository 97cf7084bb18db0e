"""Parts in an order, loops cut in ranges, and what a loop carries."""

from dataclasses import replace

import numpy as np
import pytest

import minigrad as mg
from minigrad.compile.kinds import O
from minigrad.compile.rules import for_numpy
from minigrad.compile.schedule import (
    Loop,
    ScheduleError,
    own_states,
    schedule,
)
from minigrad.compile.values import Time, Value
from tests.compile.interpret import interpret

from .test_values import running_sum
from .traces import NETWORKS, Trace, close, network

W = mg.parameter(np.array([[0.3, -0.2], [0.1, 0.4]]), name="W")


def loops(program):
    return [p for p in schedule(program) if isinstance(p, Loop)]


def recurrence(delays=(1,), T=6):
    def run(xs):
        states = [mg.tensor(np.zeros((3, 2)), name="h0")] * max(delays)
        for _, x in mg.steps(x=xs):
            total = x
            for d in delays:
                total = total + states[-d] @ W
            states.append(mg.tanh(total).named("h"))
        return mg.stack(states[max(delays) :]), states[-1]

    return Trace(run, np.random.default_rng(0).normal(size=(T, 3, 2)))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_part_comes_after_what_it_reads(name):
    step, data = network(name)
    program = own_states(for_numpy(Trace(step, *data(6)).program()))
    done: set[Value] = set()
    for part in schedule(program):
        if isinstance(part, Loop):
            outside = [i for v in part.body for i in part.operands(v)]
            known = done | part.whole
            assert all(i in known or i.op is Time.each for i in outside)
            done |= part.whole
        else:
            assert all(r in done for r in program.reads(part))
            done.add(part)


def test_an_initial_state_is_carried_and_makes_no_cut():
    (loop,) = loops(recurrence().program())
    (past,) = loop.carried.values()
    assert (loop.direction, past.attrs["delay"], str(loop.steps)) == (1, 1, "1..6")
    ((line, step),) = loop.cells
    assert (line.op, step, loop.cells[line, step].name) == (O.tanh, (0, 0, 0), "h0")
    assert [v.op for v in loop.body] == [O.matmul, O.add, O.tanh]


def test_each_delay_has_as_many_cells():
    (loop,) = loops(recurrence((1, 3)).program())
    assert sorted(v.attrs["delay"] for v in loop.carried.values()) == [1, 3]
    assert sorted(step.b for _, step in loop.cells) == [-2, -1, 0]


def test_a_gradient_runs_backwards_in_ranges():
    def run(xs):
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        losses = []
        for _, x in mg.steps(x=xs):
            h = mg.tanh(x + h @ W)
            losses.append((h * h).sum())
        return mg.grad(mg.stack(losses).mean(), [W])

    xs = np.random.default_rng(0).normal(size=(6, 3, 2))
    trace = Trace(run, xs)
    program = own_states(for_numpy(trace.program()))
    close(interpret(program, trace.arguments, trace.parameters), trace.values)
    found = loops(program)
    assert [loop.direction for loop in found] == [1, -1, -1]
    assert [str(loop.steps) for loop in found[1:]] == ["2..6", "1..1"]
    assert len({loop.whole for loop in found[1:]}) == 1


@pytest.mark.parametrize("name", NETWORKS)
def test_nobody_reads_a_state_from_outside_of_its_loop(name):
    step, data = network(name)
    trace = Trace(step, *data(6))
    program = own_states(for_numpy(trace.program()))
    close(interpret(program, trace.arguments, trace.parameters), trace.values)
    inside = {v for loop in loops(program) for v in loop.whole}
    for v in program.values:
        if v not in inside:
            assert not any(i.op is Time.state for i in v.inputs)


def test_a_loop_in_both_directions_has_no_order():
    program = running_sum()
    (before,) = program.states
    line = program.states[before]
    ahead = replace(before, attrs={"delay": -1})
    both = Value(O.add, (before, ahead), {}, before.shape, before.dtype, before.steps)
    (splice,) = [v for v in program.values if v.op is Time.splice]
    mixed = replace(splice, inputs=(splice.inputs[0], both))
    sums = replace(line, inputs=(mixed, line.inputs[1]))
    outputs = (Value(Time.over, (sums,), {}, (1, 2), "float64"),)
    wrong = replace(program, outputs=outputs, states={before: sums, ahead: sums})
    with pytest.raises(ScheduleError, match="both directions"):
        schedule(wrong)


def test_a_state_that_is_handed_on_is_a_line_that_is_copied():
    W = mg.parameter(np.eye(2) / 2, name="W")

    def step(xs):
        a, b, c = (mg.tensor(np.full((1, 2), k)) for k in (1.0, 0.5, 0.3))
        total = mg.tensor(0.0)
        for _, x in mg.steps(x=xs):
            a, b, c = b.detach(), c.detach(), mg.tanh(a @ W + x)
            total = total + (a * b * c).sum()
        return total, mg.grad(total, [W])

    compiled = mg.compile(step, strict=True)
    for T in (5, 6, 9):
        xs = np.random.default_rng(T).normal(size=(T, 1, 2))
        (found, (g,)), (wanted, (e,)) = compiled(xs), step(xs)
        np.testing.assert_allclose(
            [found.data, *g.data.flat], [wanted.data, *e.data.flat]
        )
    trace = Trace(step, np.ones((6, 1, 2)))
    assert any(loop.picks for loop in loops(for_numpy(trace.program())))
