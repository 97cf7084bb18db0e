"""One program of a compiled function: lengths told by shapes, straight code."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.compile.backend import engine
from minigrad.compile.code import Code

from .traces import Trace, close, network, sequences

ENGINE = engine("numpy")


def code_of(trace, recurrence=None):
    positions = {node: i for i, node in enumerate(trace.names)}
    return Code(trace.graph, recurrence or trace.fold(), positions, ENGINE)


def test_a_code_of_one_length_runs():
    step, data = network("ManyToMany")
    trace = Trace(step, *data(6))
    code = code_of(trace)
    assert not code.is_free
    close(code(list(data(6))), trace.values)


def test_a_second_trace_frees_the_lengths():
    step, data = network("ManyToMany")
    traces = [Trace(step, *data(T)) for T in (8, 9)]
    free = code_of(traces[0]).freed(traces[1].fold())
    assert free.is_free
    for T in (8, 12):
        xs, ys = data(T)
        shapes = [(a.shape, a.dtype) for a in (xs, ys)]
        assert free.lengths_of(shapes) == (T,)
        close(free([xs, ys]), Trace(step, xs, ys).values)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda xs, ys: (xs[1:], ys),
        lambda xs, ys: (xs[:, 1:], ys),
        lambda xs, ys: (xs.astype(np.float32), ys),
        lambda xs, ys: (xs[0], ys),
    ],
    ids=["lengths", "batch", "dtype", "axes"],
)
def test_other_shapes_are_not_served(wrong):
    step, data = network("ManyToMany")
    traces = [Trace(step, *data(T)) for T in (8, 9)]
    free = code_of(traces[0]).freed(traces[1].fold())
    shapes = [(a.shape, a.dtype) for a in wrong(*sequences(10))]
    assert free.lengths_of(shapes) is None


def test_what_does_not_fold_is_straight_and_says_why():
    trace = Trace(lambda x: mg.tanh(x) * 2.0, np.ones(3))
    code = code_of(trace, "there is no loop over time")
    assert code.recurrence is None
    assert code.explain().startswith("straight      there is no loop over time")
    close(code([np.ones(3)]), trace.values)
