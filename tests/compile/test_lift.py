"""From a recorded graph to a program: what each kind of read becomes."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.compile.kinds import O
from minigrad.compile.lift import straight
from minigrad.compile.reading import LiftError
from minigrad.compile.spec import complaints
from minigrad.compile.values import Leaf, Time
from tests.compile.interpret import interpret

from .traces import Trace, close, flat

W = mg.parameter(np.array([[0.3, -0.2], [0.1, 0.4]]), name="W")


def xs_of(T):
    return np.random.default_rng(T).normal(size=(T, 3, 2))


def loop(xs, body, state=None):
    h = mg.tensor(np.zeros((3, 2)), name="h0")
    hs = []
    for t, x in mg.steps(x=xs):
        h = body(t, x, h)
        hs.append(h)
    return hs


FUNCTIONS = {
    "last": lambda xs: loop(xs, lambda t, x, h: mg.tanh(x + h @ W))[-1],
    "stack": lambda xs: mg.stack(loop(xs, lambda t, x, h: x + h), axis=1),
    "flat": lambda xs: mg.concatenate(loop(xs, lambda t, x, h: x + h), axis=1),
    "sum": lambda xs: mg.add_n(loop(xs, lambda t, x, h: x * h + x)),
    "indexed": lambda xs: loop(xs, lambda t, x, h: h + xs[t - 1] * 2)[-1],
    "from the end": lambda xs: loop(xs, lambda t, x, h: h + xs[len(xs) - t])[-1],
    "gathered": lambda xs: loop(
        xs, lambda t, x, h: h + mg.take(xs[0], np.array([2, 0, 1]), axis=0)
    )[-1],
}


def with_gradient(function):
    def run(xs):
        xs = xs if isinstance(xs, mg.Tensor) else mg.tensor(xs, requires_grad=True)
        value = function(xs)
        return value, mg.grad((value * value).sum(), [xs, W], unreached="zeros")

    return run


@pytest.mark.parametrize("name", FUNCTIONS)
def test_reads_at_every_length(name):
    run = with_gradient(FUNCTIONS[name])
    trace = Trace(run, xs_of(4))
    close(interpret(trace.program(), trace.arguments, trace.parameters), trace.values)
    try:
        program = trace.free(Trace(run, xs_of(5)))
    except mg.FoldError:
        program = None
    assert program is not None or name not in ("last", "sum", "stack")
    for T in (4, 9) if program else ():
        assert complaints(program) == []
        found = interpret(program, {"x0": xs_of(T)}, trace.parameters)
        close(found, [t.data for t in flat(run(xs_of(T)))])


def test_what_depends_on_itself_reads_a_state():
    program = Trace(FUNCTIONS["last"], xs_of(5)).program()
    (past,) = program.states
    assert past.attrs == {"delay": 1}
    assert str(past.steps) == "2..5"
    assert program.states[past].op is O.tanh
    (start,) = [v for v in program.values if v.op is Time.splice]
    assert [p.op for p in start.inputs] == [Time.each, Time.state]


def test_a_leaf_made_in_a_step_keeps_its_value_of_each_step():
    def run(xs):
        return loop(xs, lambda t, x, h: h + x * mg.tensor(np.full(2, t), name="c"))[-1]

    trace = Trace(run, xs_of(4))
    close(interpret(trace.program(), trace.arguments, {}), trace.values)
    with pytest.raises(LiftError, match="made anew inside of each step"):
        trace.free(Trace(run, xs_of(5)))


def test_a_constant_that_depends_on_the_length_has_no_program_for_every_one():
    def run(xs):
        scale = mg.tensor(np.float64(1 / xs.shape[0]), name="scale")
        return loop(xs, lambda t, x, h: h + x)[-1] * scale

    traces = [Trace(run, xs_of(T)) for T in (4, 5)]
    with pytest.raises(LiftError, match="scale is a constant that depends on T"):
        traces[0].free(traces[1])


def test_a_graph_as_it_stands():
    trace = Trace(with_gradient(FUNCTIONS["last"]), xs_of(3))
    program = straight(trace.graph, trace.names)
    assert not any(v.steps for v in program.values)
    assert complaints(program) == []
    close(interpret(program, trace.arguments, trace.parameters), trace.values)
    assert {v.op for v in program.values} >= {Leaf.argument, Leaf.parameter}
