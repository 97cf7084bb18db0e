"""What roles read: spans as counts, starts, terms that are absent at some steps."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.compile.counts import Count
from minigrad.compile.reading import LiftError
from tests.compile.interpret import interpret

from .test_lift import FUNCTIONS, W, loop, xs_of
from .traces import Trace, close


def test_lengths_become_counts():
    traces = [Trace(FUNCTIONS["stack"], xs_of(T)) for T in (4, 6)]
    program = traces[0].free(traces[1])
    assert program.arguments["x0"].shape == (Count(1, 0), 3, 2)
    assert program.clocks[0].least == 4
    assert program.clocks[0].most is None


def test_a_term_that_a_sum_lacks_at_some_steps_is_zero_there():
    def run(xs):
        hs = loop(xs, lambda t, x, h: mg.tanh(x + h @ W))
        return mg.grad((hs[-1] * hs[1]).sum(), [W])

    trace = Trace(run, xs_of(5))
    close(interpret(trace.program(), trace.arguments, trace.parameters), trace.values)


def test_an_initial_state_of_another_shape_is_refused():
    def run(xs):
        h = mg.tensor(np.zeros((1, 2)), name="h0")
        for _, x in mg.steps(x=xs):
            h = mg.tanh(x + h @ W)
        return h.sum()

    trace = Trace(run, xs_of(4))
    with pytest.raises(LiftError, match=r"\(3, 2\) float64 at some steps and \(1, 2\)"):
        trace.free(Trace(run, xs_of(5)))
    close(interpret(trace.program(), trace.arguments, trace.parameters), trace.values)
