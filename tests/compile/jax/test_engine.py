"""The engine gives what the interpreter gives, and keeps what engines promise."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
import tests.engines  # noqa: F401
from minigrad.compile.jax import build
from minigrad.compile.jax.checks import PrecisionError
from minigrad.held import Held, held
from tests.compile.interpret import interpret
from tests.programs.strategies import programs

from ...test_fold import cells
from ..numpy.test_engine import agrees, run
from ..test_program import curvature, derivatives, sequence
from ..test_program import network as recurrent
from ..traces import NETWORKS, Trace, close, network


@settings(max_examples=8)
@given(cells(), st.integers(1, 8), st.sampled_from([1, 2]))
def test_a_random_recurrence(cell, T, order):
    step, parameters = recurrent(cell, np.float64)
    if order == 2:
        step = curvature(step, parameters)
    agrees(Trace(step, sequence(T, np.float64)), make=build)


@settings(max_examples=8)
@given(programs(), st.sampled_from([np.float32, np.float64]))
def test_a_random_program_without_time(drawn, dtype):
    function, arrays = drawn
    trace = Trace(derivatives(function), *[a.astype(dtype) for a in arrays])
    agrees(trace, make=build)


@pytest.mark.parametrize("T", [1, 2, 3])
@pytest.mark.parametrize("name", ["ManyToMany gru", "ManyToOne lstm", "Bidirectional"])
def test_a_few_steps(name, T):
    step, data = network(name)
    agrees(Trace(step, *data(T)), make=build)


@pytest.mark.parametrize("name", ["ManyToMany skips", "OutputFeedback free"])
def test_a_network_at_every_length(name):
    step, data = network(name)
    trace = Trace(step, *data(8))
    program = trace.free(Trace(step, *data(9)))
    runner = build(program)
    for T in (8, 13):
        arguments = {f"x{i}": a for i, a in enumerate(data(T))}
        found = run(runner, program, trace, arguments)
        close(found, interpret(program, arguments, trace.parameters))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_source_is_the_same_wherever_values_lie_in_memory(name):
    step, arrays = network(name)
    program, kept, sources = Trace(step, *arrays(6)).program(), [], set()
    for size in range(1, 5):
        kept.append([object() for _ in range(37 * size)])
        sources.add(build(program).source)
    assert len(sources) == 1


def compiled(function, **options):
    return mg.compile(function, strict=True, backend="jax", **options)


def test_a_result_comes_back_when_it_is_read():
    W = mg.parameter(np.eye(2), name="W")
    step = compiled(lambda x: x @ W)
    y = step(np.ones((3, 2)))
    assert type(y.node) is Held
    assert y.shape == (3, 2)
    again = step(y)  # goes back without having been here
    assert type(y.node) is type(again.node) is Held
    assert isinstance(held(y.node), jax.Array)
    assert again.data.tolist() == [[1.0, 1.0]] * 3
    assert type(again.node) is not Held
    assert not again.data.flags.writeable


def test_a_parameter_is_copied_once_as_long_as_it_is_the_same():
    W = mg.parameter(np.eye(2), name="W")
    step = compiled(lambda x: x @ W)
    step(np.ones((1, 2)))
    runner = step.traced[-1][1].runner
    first = runner.devices.parameter(W.node.value)
    step(np.ones((1, 2)))
    assert runner.devices.parameter(W.node.value) is first
    W.assign(2 * np.eye(2))
    assert step(np.ones((1, 2))).data.tolist() == [[2.0, 2.0]]
    assert runner.devices.parameter(W.node.value) is not first


def test_what_it_was_given_may_change_after_the_call():
    step = compiled(lambda x: (x * 2.0).sum())
    given_ = np.ones((100, 100))
    results = []
    for k in range(5):
        given_[...] = k
        results.append(step(given_))
    given_[...] = -1
    assert [r.item() for r in results] == [0.0, 20000.0, 40000.0, 60000.0, 80000.0]


def test_an_array_of_jax_is_an_argument_for_every_engine():
    given_ = jax.numpy.ones((2, 3))
    for backend in ("numpy", "jax"):
        step = mg.compile(lambda x: x.sum(), strict=True, backend=backend)
        assert step(given_).item() == step(np.ones((2, 3))).item() == 6.0
        assert len(step.codes) == 1


@pytest.fixture
def in_32_bits():
    jax.config.update("jax_enable_x64", False)
    yield
    jax.config.update("jax_enable_x64", True)


def test_float64_is_refused_where_jax_has_32_bits(in_32_bits):
    step = mg.compile(lambda x: x * 2.0, backend="jax")
    with pytest.raises(PrecisionError, match=r'update\("jax_enable_x64", True\)'):
        step(np.ones(2))
    assert step(np.ones(2, np.float32)).dtype == np.float32


def test_whole_numbers_in_32_bits(in_32_bits):
    E = mg.parameter(np.arange(6, dtype=np.float32).reshape(3, 2), name="E")
    step = compiled(lambda i: (mg.embedding(E, i), i, mg.argmax(E, axis=0)))
    rows, same, best = step(np.array([2, 0]))
    assert rows.data.tolist() == [[4.0, 5.0], [0.0, 1.0]]
    assert (same.dtype, best.dtype) == (np.int64, np.int64)
    assert best.data.tolist() == [2, 2]
    with pytest.raises(PrecisionError, match="int64"):
        compiled(lambda i: i * 2)(np.array([1]))
    echo = compiled(lambda i: i.reshape(-1))
    assert echo(np.array([1])).data.tolist() == [1]
    assert echo(np.array([2**40])).data.tolist() == [2**40]


def test_explain_says_what_is_scanned_and_where():
    step, data = network("ManyToMany")
    program = compiled(step)
    program(*data(6))
    said = program.explain()
    assert "2 scans" in said
    assert "devices" in said


def test_a_branch_on_a_value_runs_eagerly_after_one_warning():
    step = mg.compile(lambda x: x if x.sum() > 0 else -x, backend="jax")
    with pytest.warns(RuntimeWarning, match="runs eagerly"):
        assert step(np.ones(2)).data.tolist() == [1.0, 1.0]


SMALLER = {
    "a number": lambda a: a.mean(),
    "a row": lambda a: np.broadcast_to(a[0], (2, 4)),
    "a column": lambda a: a.sum(axis=1, keepdims=True),
    "a row of a product": lambda a: np.broadcast_to(a[0], (2, 4)) @ np.eye(4) * 0.5,
}


@pytest.mark.parametrize("kind", SMALLER)
@pytest.mark.parametrize("T", [2, 5])
def test_what_each_step_broadcasts_is_broadcast_within_its_step(kind, T):
    # With T = 2 the steps of a row have the shape of its two sequences.
    rng = np.random.default_rng(3)
    U = mg.parameter(rng.normal(size=(3, 4)), name="U")

    def f(xs):
        h = mg.tensor(np.zeros((2, 4)), name="h0")
        for _, x in mg.steps(x=xs):
            h = mg.tanh(h + SMALLER[kind](x @ U))
        loss = (h**2).sum()
        return loss, mg.grad(loss, [U])[0]

    xs = rng.normal(size=(T, 2, 3))
    program = mg.compile(f, backend="jax")
    for made, eager in zip(program(xs), f(xs), strict=True):
        np.testing.assert_allclose(made.data, eager.data, rtol=1e-9, atol=1e-12)
