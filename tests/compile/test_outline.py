"""A length is compared by its forward pass; a whole trace of it must fold alike."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.compile.lengths import proves
from minigrad.compile.outline import Comparison, outline
from minigrad.compile.trace import Given, folded, record
from minigrad.graph import Graph
from minigrad.mode import TraceError, outlined

from ..test_fold import cells
from .test_program import curvature, network, sequence

W = mg.parameter(np.array([[0.3, -0.2], [0.1, 0.4]]), name="W")


def given_of(T):
    xs = sequence(T, np.float64, T)
    return Given((xs,), {}, [xs])


def compared(function, few, many):
    """Whether ``many`` steps agree with the outline of ``few``."""
    forward = outline(function, given_of(few), (few,))
    assert forward is not None
    comparison = Comparison(forward, (many,))
    return comparison.agrees(record(function, given_of(many), comparison).results)


def state(xs):
    h = mg.tensor(np.zeros((3, 2)), name="h0")
    for _, x in mg.steps(xs):
        h = mg.tanh(h @ W + x)
    return h


@settings(max_examples=25)
@given(cells(), st.booleans(), st.data())
def test_what_is_served_folds_alike_when_it_is_traced_whole(cell, second, data):
    step, parameters = network(cell, np.float64)
    function = curvature(step, parameters) if second else step
    program = mg.compile(function, strict=True)
    lengths = data.draw(st.lists(st.integers(4, 30), min_size=3, max_size=5))
    for T in lengths:
        program(sequence(T, np.float64))
        whole = record(function, given_of(T))
        recurrence = folded(Graph(whole.results))
        (entry,) = [e for k, e in program.codes.items() if k[1][0][0][0] == T]
        if entry.code.recurrence.lengths == (T,):
            continue  # it was traced
        assert recurrence == entry.code.recurrence
        assert proves(recurrence, entry.code, whole.positions)


def test_a_gradient_is_one_node():
    def function(xs):
        h = state(xs)
        return h, mg.grad(h.sum(), [W])[0]

    forward = outline(function, given_of(6), (6,))
    ops = [role.op.name for role in forward.recurrence.roles if role.op is not None]
    assert ops.count("gradient") == 1
    assert set(ops) == {"step", "matmul", "add", "tanh", "sum", "gradient", "detach"}


def test_nothing_is_computed_in_a_loop():
    ran = []

    def counted(x):
        ran.append(x.shape)
        return np.tanh(x)

    op = mg.Op(counted, lambda g, y, x: g * (1 - y * y), name="test_counted")

    def function(xs):
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        for _, x in mg.steps(xs):
            h = op(h @ W + x)
        return op(h)

    assert compared(function, 6, 50)
    assert len(ran) == 7 + 1


def test_no_value_is_kept():
    seen = []

    def function(xs):
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        for _, x in mg.steps(xs):
            h = mg.tanh(h @ W + x)
            seen.append(h)
        assert (h.shape, h.dtype) == ((3, 2), np.float64)
        return h

    assert compared(function, 6, 50)
    assert {x.node.like.strides for x in seen[6:]} == {(0, 0)}
    assert len({id(x.node.like) for x in seen[6:]}) == 1


def test_shapes_outside_of_loops_are_those_of_the_length():
    shapes = []

    def function(xs):
        ys = xs * 2.0
        hs = []
        for _, y in mg.steps(ys):
            hs.append(mg.tanh(y @ W))
        shapes.append((ys.shape, mg.stack(hs).shape))
        return mg.stack(hs).sum()

    assert compared(function, 6, 50)
    assert shapes == [((6, 3, 2),) * 2, ((50, 3, 2),) * 2]


@pytest.mark.parametrize("many", [7, 50])
def test_a_difference_ends_the_run(many):
    ran = []

    def function(xs):
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        for t, x in mg.steps(xs):
            h = mg.tanh(h @ W + x) if len(xs) == 6 else mg.tanh(h @ W - x)
            ran.append(t)
        return h

    with pytest.raises(TraceError, match="something else"):
        compared(function, 6, many)
    assert ran == [1, 2, 3, 4, 5, 6]


def test_a_function_that_catches_the_error_does_not_agree():
    def function(xs):
        h = state(xs)
        try:
            return mg.tanh(h) if len(xs) == 6 else mg.sin(h)
        except TraceError:
            return mg.tanh(h)

    assert not compared(function, 6, 7)


def test_a_function_without_a_loop_has_no_outline():
    assert outline(lambda xs: xs.sum(), given_of(6), (6,)) is None
    assert outlined.get() is None


def test_a_failure_leaves_nothing_behind():
    def function(xs):
        raise ArithmeticError

    assert outline(function, given_of(6), (6,)) is None
    assert outlined.get() is None
