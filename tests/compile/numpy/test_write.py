"""The text of a plan: what is written how, and that it reads well."""

import numpy as np

import minigrad as mg
from minigrad.compile.numpy.engine import build

from ..test_program import sequence
from ..traces import Trace, network
from .test_engine import agrees


def test_a_product_with_ones_sums_rows():
    b = mg.parameter(np.zeros(2), name="b")

    def step(xs):
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        for _, x in mg.steps(x=xs):
            h = mg.tanh(x + b + 0.5 * h)
        return mg.grad((h * h).sum(), [b])

    trace = Trace(step, sequence(5, np.float64))
    assert "sum_of_rows(" in build(trace.program()).source
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


def test_a_sigmoid_of_a_single_number_in_a_loop():
    def step(xs):
        s = mg.tensor(0.5, name="s0")
        for _, x in mg.steps(x=xs):
            s = mg.sigmoid(s * x)
        return s, mg.grad(s, [mg.tensor(0.0, requires_grad=True)], unreached="zeros")

    trace = Trace(step, np.random.default_rng(0).normal(size=5))
    agrees(trace)
    assert "np.empty((), 'float64')" in build(trace.program()).source


def test_a_value_is_written_over_one_that_is_read_for_the_last_time():
    W = mg.parameter(np.array([[1.0, 2.0], [3.0, 4.0]]), name="W")

    def function(x):
        a = mg.matmul(W, x)
        b = a * 2.0  # over a
        c = b + W  # not over b, which is a result, and not over W
        d = c - 1.0  # not over c, which is read once more
        return b, (c.T + 1.0).sum(axis=0) * d  # over d: the sum is smaller

    trace = Trace(function, np.ones((2, 2)))
    source = build(trace.program()).source
    assert "multiply_1 = multiply(matmul_1, 2.0, matmul_1)" in source
    assert "add_1 = add(multiply_1, W)\n" in source
    assert "add_2 = add(transpose_1, 1.0)\n" in source  # a view is not written over
    assert "subtract_1 = subtract(add_1, 1.0)\n" in source
    assert "multiply_2 = multiply(sum_1, subtract_1, subtract_1)" in source
    agrees(trace)
