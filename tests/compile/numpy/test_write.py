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
