"""The engine gives what the interpreter gives, for every program."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad.compile.numpy.engine import Runner, build, planned
from tests.compile.interpret import interpret, lengths_of
from tests.programs.strategies import programs

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


@pytest.mark.parametrize("name", NETWORKS)
def test_the_source_is_the_same_wherever_values_lie_in_memory(name):
    step, arrays = network(name)
    program, kept, sources = Trace(step, *arrays(6)).program(), [], set()
    for size in range(1, 9):
        kept.append([object() for _ in range(37 * size)])
        sources.add(build(program).source)
    assert len(sources) == 1
