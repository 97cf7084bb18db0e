"""The engine gives what the interpreter gives, for every program."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.compile.counts import Count, Steps
from minigrad.compile.interpret import interpret, lengths_of
from minigrad.compile.kinds import O
from minigrad.compile.numpy.abilities import ABLE, can_batch
from minigrad.compile.numpy.engine import Runner, build, planned
from minigrad.compile.values import Time, apply, argument, each, read
from minigrad.testing.strategies import programs

from ...test_fold import cells
from ..test_program import curvature, derivatives, sequence
from ..test_program import network as recurrent
from ..traces import NETWORKS, Trace, close, network


def run(runner, program, trace, arguments):
    values = [trace.parameters[n] for n in runner.parameters]
    values += [arguments[n] for n in runner.arguments]
    return runner(lengths_of(program, arguments), values)


def agrees(trace, tolerance=1e-8, make=build):
    program = trace.program()
    runner = make(program)
    for _ in range(2):  # a workspace can be used again
        found = run(runner, program, trace, trace.arguments)
        wanted = interpret(program, trace.arguments, trace.parameters)
        close(found, wanted, tolerance)


@settings(max_examples=40)
@given(
    cells(),
    st.integers(1, 8),
    st.sampled_from([1, 2]),
    st.sampled_from([np.float32, np.float64]),
)
def test_a_random_recurrence(cell, T, order, dtype):
    step, parameters = recurrent(cell, dtype)
    if order == 2:
        step = curvature(step, parameters)
    agrees(Trace(step, sequence(T, dtype)))


@settings(max_examples=40)
@given(programs(), st.sampled_from([np.float32, np.float64]))
def test_a_random_program_without_time(drawn, dtype):
    function, arrays = drawn
    agrees(Trace(derivatives(function), *[a.astype(dtype) for a in arrays]))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(
    "make", [build, lambda p: Runner(planned(p))], ids=["rules", "none"]
)
@pytest.mark.parametrize("T", [3, 6])
def test_a_network(name, make, T):
    step, data = network(name)
    agrees(Trace(step, *data(T)), make=make)


@pytest.mark.parametrize("name", [n for n in NETWORKS if "attention" not in n])
def test_a_network_at_every_length(name):
    step, data = network(name)
    trace = Trace(step, *data(8))
    program = trace.free(Trace(step, *data(9)))
    runner = build(program)
    for T in (8, 9, 13):
        arguments = {f"x{i}": a for i, a in enumerate(data(T))}
        for _ in range(2):
            found = run(runner, program, trace, arguments)
            close(found, interpret(program, arguments, trace.parameters))


WHOLE = Steps(0, Count(0, 1), Count(1, 0))


def test_what_runs_over_all_steps_at_once():
    x = read(argument("xs", (Count(1, 0), 3, 2), "float64"), WHOLE)
    V = each(argument("V", (2, 4), "float64"), WHOLE)
    assert can_batch(apply(O.matmul, x, V))
    assert can_batch(apply(O.softmax, x))
    assert not can_batch(apply(O.logsumexp, x, axis=None))
    assert not can_batch(apply(O.tanh, V))
    assert ABLE.writes(apply(O.tanh, x))
    assert not ABLE.fresh(apply(O.flip, x, axis=0))
    assert Time.read is x.op


def test_a_product_with_ones_sums_rows():
    b = mg.parameter(np.zeros(2), name="b")

    def step(xs):
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        for _, x in mg.steps(x=xs):
            h = mg.tanh(x + b + 0.5 * h)
        return mg.grad((h * h).sum(), [b])

    trace = Trace(step, sequence(5, np.float64))
    assert "np.dot(w.ones" in build(trace.program()).source
    agrees(trace)


def test_the_source_reads_as_the_equations_say():
    step, data = network("ManyToMany")
    trace = Trace(step, *data(8))
    source = build(trace.free(Trace(step, *data(9)))).source
    (loop,) = [i for i, x in enumerate(source.splitlines()) if " in zip(w.h_" in x]
    lines = [x.strip() for x in source.splitlines()[loop : loop + 4]]
    assert lines[0].startswith("for h_before, ")
    assert lines[1].startswith("h_before.dot(W, ")
    assert lines[3].startswith("tanh(")
    assert lines[3].endswith(", h_t)")
    exec(compile(source, "source", "exec"), {"np": np})


def test_results_are_fresh_arrays():
    runner = build(Trace(lambda x: (x, x * 2.0, x * 2.0), np.ones(3)).program())
    given_ = np.ones(3)
    first = runner((), [given_])
    assert not any(np.shares_memory(a, given_) for a in first)
    assert not np.shares_memory(first[1], first[2])
    assert not any(
        np.shares_memory(a, b)
        for a in first
        for b in runner((), [given_])
    )  # fmt: skip


def test_a_sigmoid_of_a_single_number_in_a_loop():
    def step(xs):
        s = mg.tensor(0.5, name="s0")
        for _, x in mg.steps(x=xs):
            s = mg.sigmoid(s * x)
        return s, mg.grad(s, [mg.tensor(0.0, requires_grad=True)], unreached="zeros")

    trace = Trace(step, np.random.default_rng(0).normal(size=5))
    agrees(trace)
    assert "np.empty((), 'float64')" in build(trace.program()).source
