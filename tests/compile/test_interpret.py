"""What a program means is what the recorded function gives, for every network."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad.compile.reading import LiftError
from tests.compile.interpret import interpret, lengths_of
from tests.programs.strategies import programs

from ..test_fold import cells
from .test_program import curvature, derivatives, sequence
from .test_program import network as recurrent
from .traces import NETWORKS, Trace, close, flat, network


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("T", [3, 6])
def test_a_network_at_its_own_length(name, T):
    step, data = network(name)
    trace = Trace(step, *data(T))
    close(interpret(trace.program(), trace.arguments, trace.parameters), trace.values)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_at_other_lengths(name):
    step, data = network(name)
    trace = Trace(step, *data(8))
    if (
        name == "EncoderDecoder attention"
    ):  # it compares a step with all of another loop
        with pytest.raises(LiftError, match="shape of one step"):
            trace.free(Trace(step, *data(9)))
        return
    program = trace.free(Trace(step, *data(9)))
    for T in (8, 11):
        arguments = {f"x{i}": a for i, a in enumerate(data(T))}
        found = interpret(program, arguments, trace.parameters)
        close(found, [t.data for t in flat(step(*data(T)))])


@settings(max_examples=30)
@given(cells(), st.integers(1, 7), st.sampled_from([1, 2]))
def test_a_random_recurrence(cell, T, order):
    step, parameters = recurrent(cell, np.float64)
    if order == 2:
        step = curvature(step, parameters)
    trace = Trace(step, sequence(T, np.float64))
    close(interpret(trace.program(), trace.arguments, trace.parameters), trace.values)


@settings(max_examples=20)
@given(programs())
def test_a_random_program_without_time(drawn):
    function, arrays = drawn
    trace = Trace(derivatives(function), *arrays)
    close(interpret(trace.program(), trace.arguments, trace.parameters), trace.values)


def test_lengths_are_told_by_shapes():
    step, data = network("ManyToMany")
    trace = Trace(step, *data(8))
    program = trace.free(Trace(step, *data(9)))
    xs, ys = data(10)
    assert lengths_of(program, {"x0": xs, "x1": ys}) == (10,)
    with pytest.raises(ValueError, match="has 9 steps where others have 10"):
        lengths_of(program, {"x0": xs, "x1": ys[1:]})
    with pytest.raises(ValueError, match="the least is 8"):
        lengths_of(program, {"x0": xs[:5], "x1": ys[:5]})
    with pytest.raises(ValueError, match="an axis of 4 in place of 5"):
        lengths_of(program, {"x0": xs[:, :4], "x1": ys})
