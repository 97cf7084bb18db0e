"""Each rule keeps every value; and what each of them is for."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.compile import kernels, opening, rules
from minigrad.compile.counts import Count, Lengths, Steps
from minigrad.compile.kinds import O
from minigrad.compile.spec import complaints
from minigrad.compile.values import (
    Leaf,
    Program,
    Time,
    apply,
    argument,
    constant,
    each,
    over,
    read,
    total,
)
from minigrad.fold.moving_index import Ahead
from tests.compile.interpret import interpret
from tests.programs.strategies import programs

from ..test_fold import cells
from .test_program import curvature, derivatives, many_to_many, sequence
from .test_program import network as recurrent
from .traces import NETWORKS, Trace, close, network

ORDER = [
    lambda p: rules.rewrite(p, [opening.known_shape]),
    lambda p: rules.rewrite(p, [rules.sums]),
    lambda p: rules.rewrite(p, [rules.hoist]),
    rules.common,
    lambda p: rules.rewrite(p, [opening.narrow, rules.hoist]),
    rules.common,
    lambda p: rules.rewrite(p, [opening.open_losses]),
    rules.common,
    lambda p: rules.rewrite(p, [opening.by_step, rules.hoist]),
    rules.additions,
    rules.common,
    lambda p: rules.rewrite(p, [rules.one_product]),
    rules.common,
]


def keeps_values(trace, tolerance=1e-8):
    program = trace.program()
    for rule in ORDER:
        program = rule(program)
        assert complaints(program) == []
        found = interpret(program, trace.arguments, trace.parameters)
        close(found, trace.values, tolerance)
    return program


@settings(max_examples=25)
@given(cells(), st.integers(1, 7), st.sampled_from([1, 2]))
def test_a_random_recurrence(cell, T, order):
    step, parameters = recurrent(cell, np.float64)
    if order == 2:
        step = curvature(step, parameters)
    keeps_values(Trace(step, sequence(T, np.float64)))


@settings(max_examples=25)
@given(programs(), st.sampled_from([np.float32, np.float64]))
def test_a_random_program_without_time(drawn, dtype):
    function, arrays = drawn
    arrays = [a.astype(dtype) for a in arrays]
    keeps_values(Trace(derivatives(function), *arrays))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network(name):
    step, data = network(name)
    keeps_values(Trace(step, *data(4)))


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("ignored", [False, True])
def test_a_classifier(reduction, ignored):
    rng = np.random.default_rng(0)
    ys = rng.integers(5, size=(4, 2))
    if ignored:
        ys[0, 1] = -100
    step = many_to_many(reduction=reduction)
    keeps_values(Trace(step, rng.normal(size=(4, 2, 3)), ys))


def ops(program):
    return Counter(v.op for v in program.values)


def stacked(parameters):
    """Outputs stacked, and one loss over all of them."""
    W, V = parameters

    def step(xs, ys):
        h, outs = mg.tensor(np.zeros((2, 3)), name="h0"), []
        for _, x in mg.steps(x=xs):
            h = mg.tanh(x + h @ W)
            outs.append(h @ V)
        loss = mg.cross_entropy(mg.stack(outs), ys)
        return loss, mg.grad(loss, [W, V])

    return step


def test_losses_share_their_exponentials_and_a_gradient_is_one_product():
    rng = np.random.default_rng(0)
    trace = Trace(
        many_to_many(), rng.normal(size=(6, 2, 3)), rng.integers(5, size=(6, 2))
    )
    found = ops(rules.for_numpy(trace.program()))
    gone = (O.softmax, O.cross_entropy, O.target_weights, O.spread, O.spread_mean)
    assert not [op for op in gone if found[op]]
    assert found[O.exp] == found[kernels.gradient] == found[kernels.losses] == 1
    assert found[kernels.column_sums] == 2  # b, c
    assert found[Time.total] == 0
    loops = [v for v in rules.for_numpy(trace.program()).values if v.op is O.transpose]
    assert all(v.steps is None for v in loops)  # W.T, V.T, and rows of the products


def test_one_loss_over_a_stack_is_a_loss_of_each_step():
    rng = np.random.default_rng(0)
    parameters = [mg.parameter(rng.normal(size=(3, 3)), name=n) for n in "WV"]
    step = stacked(parameters)
    traces = [
        Trace(step, rng.normal(size=(T, 2, 3)), rng.integers(3, size=(T, 2)))
        for T in (6, 7)
    ]
    program = traces[0].free(traces[1])
    made = rules.for_numpy(program)
    assert complaints(made) == []
    found = ops(made)
    assert found[O.cross_entropy] == found[O.softmax] == found[O.stack] == 0
    timed = {v.op for v in made.values if v.steps is not None}
    assert {kernels.losses, kernels.gradient, O.exp} <= timed
    for T in (6, 9):
        arrays = [rng.normal(size=(T, 2, 3)), rng.integers(3, size=(T, 2))]
        given_ = {f"x{i}": a for i, a in enumerate(arrays)}
        loss, grads = step(*arrays)
        wanted = [t.data for t in (loss, *grads)]
        close(interpret(made, given_, traces[0].parameters), wanted)


def test_a_bias_is_added_before_the_loop():
    rng = np.random.default_rng(0)
    b, W = mg.parameter(rng.normal(size=2), name="b"), mg.parameter(np.eye(2), name="W")

    def step(xs):
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        for _, x in mg.steps(x=xs):
            h = mg.tanh(b + h @ W + x)
        return h

    program = rules.for_numpy(Trace(step, sequence(5, np.float64)).program())
    first = next(v for v in program.values if v.op is O.add)
    assert {i.op for i in first.inputs} == {Time.each, Time.read}


def test_a_cut_product_s_gradient_is_laid_side_by_side():
    step, data = network("ManyToOne lstm")
    found = ops(rules.for_numpy(Trace(step, *data(5)).program()))
    assert found[O.scatter_n] == 0
    assert found[O.concatenate] == 2


def test_equal_values_become_one_and_numbers_of_two_kinds_do_not():
    x = argument("x", (2,), "float64")
    a, b = (apply(O.tanh, x) for _ in range(2))
    numbers = [apply(O.multiply, x, constant(n)) for n in (1, 1.0, True, 0.0, -0.0)]
    outputs = (a, b, *numbers)
    program = rules.common(Program(outputs, {}, (), {}, {"x": x}))
    assert program.outputs[0] is program.outputs[1]
    assert len({*program.outputs}) == 6


def test_what_is_the_same_at_every_step_is_computed_once():
    steps = Steps(0, Count(0, 1), Count(1, 0))
    w = constant(np.ones(2), "w")
    v = apply(O.exp, each(w, steps))
    made = rules.hoist(v)
    assert made.op is Time.each
    assert made.inputs[0].op is O.exp
    assert made.inputs[0].inputs == (w,)
    assert rules.hoist(apply(O.getitem, each(w, steps), key=Ahead(-1))) is None


def test_a_mean_over_steps_reads_no_spread_array():
    xs = argument("xs", (Count(1, 0), 2), "float64")
    x = read(xs, Steps(0, Count(0, 1), Count(1, 0)))
    number = constant(np.float64(0.5))
    wide = apply(O.broadcast_to, number, shape=(Count(1, 0), 2))
    seen = rules.rewrite(
        Program((over(apply(O.multiply, x, read(wide, x.steps))),), {}, (Lengths(4),),
                {}, {"xs": xs}),
        rules.ALWAYS,
    )  # fmt: skip
    assert ops(seen)[O.broadcast_to] == 0


def test_a_sum_over_steps_of_products_is_one_product():
    xs = argument("xs", (Count(1, 0), 3, 2), "float64")
    x = read(xs, Steps(0, Count(0, 1), Count(1, 0)))
    product = total(apply(O.matmul, apply(O.transpose, x), x))
    made = rules.one_product(product)
    assert made.op is O.matmul
    assert made.shape == (2, 2)
    assert rules.one_product(total(x)) is None


def test_leaves_are_never_rewritten():
    x = argument("x", (2,), "float64")
    assert all(rule(x) is None for rule in rules.FINAL)
    assert x.op is Leaf.argument
