"""A program that is wrong or fails is not used: the function runs eagerly."""

import warnings
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest

import minigrad as mg
from minigrad.compile import rules
from minigrad.compile.check import difference
from minigrad.compile.kinds import O
from minigrad.compile.numpy import engine
from minigrad.mode import TraceError

W = mg.parameter(np.array([[0.3, -0.2], [0.1, 0.4]]), name="W")
XS = np.random.default_rng(0).normal(size=(5, 3, 2))


def step(xs):
    h = mg.tensor(np.zeros((3, 2)), name="h0")
    for _, x in mg.steps(xs):
        h = mg.tanh(h @ W + x)
    return h, mg.grad((h * h).sum(), [W])


def with_tanh_as(op):
    """A rule with a fault: every tanh becomes another op."""

    def rule(v):
        return replace(v, op=op) if v.op is O.tanh else None

    return lambda program: rules.rewrite(program, [rule])


def failing(program):
    raise KeyError("a fault of the compiler")


@pytest.mark.parametrize(
    "fault", [with_tanh_as(O.exp), with_tanh_as(O.sum), failing],
    ids=["wrong", "shapeless", "failing"],
)  # fmt: skip
def test_a_fault_of_the_compiler_ends_in_the_eager_run(fault):
    whole = engine.for_numpy

    def faulty(program, report):
        return fault(whole(program, report))

    with mock.patch.object(engine, "for_numpy", faulty):
        program = mg.compile(step)
        with pytest.warns(RuntimeWarning, match="step is not compiled") as said:
            found = program(XS)
        assert len(said) == 1
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            again = program(XS)
        for result in (found, again):
            np.testing.assert_array_equal(result[1][0].data, step(XS)[1][0].data)
        with pytest.raises(TraceError, match="step is not compiled"):
            mg.compile(step, strict=True)(XS)


def test_a_fault_that_shows_at_a_later_call_ends_in_the_eager_run_too():
    program = mg.compile(step)
    program(XS)
    code = program.traced[0][1]
    code.runner.run = failing
    with pytest.warns(RuntimeWarning, match=r"its program raises .*failing"):
        found = program(XS)
    np.testing.assert_array_equal(found[0].data, step(XS)[0].data)


def test_what_the_function_raises_stays_itself():
    class OwnError(Exception):
        pass

    def odd(x):
        if x.shape[0] == 3:
            raise OwnError("three")
        return x * 2

    for strict in (True, False):
        program = mg.compile(odd, strict=strict)
        assert program(np.ones(2)).data.tolist() == [2.0, 2.0]
        for _ in range(2):
            with pytest.raises(OwnError, match="three"):
                program(np.ones(3))


def test_an_error_that_the_trace_alone_has_ends_in_the_eager_run():
    def only_arrays(x):
        if isinstance(x, mg.Tensor):
            raise KeyError("an array is wanted")
        return mg.tensor(x) * 2

    with pytest.warns(RuntimeWarning, match="traced, it raises KeyError"):
        found = mg.compile(only_arrays)(np.ones(2))
    assert found.data.tolist() == [2.0, 2.0]
    with pytest.raises(TraceError, match="traced, it raises KeyError"):
        mg.compile(only_arrays, strict=True)(np.ones(2))


def test_rounding_is_no_difference_and_all_else_is():
    x = mg.tensor(np.array([1e8, -1e8, 1e-8, np.nan, np.inf]), name="x")
    graph = mg.Graph([x.sum(), x[:3].sum(), x, x > 0])
    wanted = [np.asarray(node.value) for node in graph.outputs]
    assert difference(graph, wanted) is None
    moved = [*wanted]
    moved[1] = wanted[1] + 1e-8  # what cancels leaves rounding of what was
    assert difference(graph, moved) is None
    moved[1] = wanted[1] + 1e-3
    assert "result 2 is off by up to 0.001" in difference(graph, moved)
    for k, other in ((2, wanted[2][:4]), (2, wanted[2].astype("f4")), (3, ~wanted[3])):
        moved = [*wanted]
        moved[k] = other
        assert f"result {k + 1} is" in difference(graph, moved)
    moved = [*wanted]
    moved[2] = np.where(np.isnan(wanted[2]), 0.0, wanted[2])
    assert "off by up to inf" in difference(graph, moved)


def test_a_recurrence_that_amplifies_rounding_is_compiled():
    def logistic(x0):
        x = mg.tensor(np.full(3, 0.2), name="start") + x0
        for _ in mg.steps(25):
            x = 3.9 * x * (1.0 - x) + 0.0 * x0
        return x, mg.grad(x.sum(), [x0])

    mg.compile(logistic, strict=True)(np.full(3, 0.01))


def test_a_compiled_call_inside_of_a_loop_and_of_a_compiled_function():
    program = mg.compile(step, strict=True)
    for _ in mg.steps(2):
        found = program(XS)
    np.testing.assert_allclose(found[0].data, step(XS)[0].data)

    outer = mg.compile(lambda xs: program(xs)[0] * 2.0, strict=True)
    np.testing.assert_allclose(outer(XS).data, 2.0 * step(XS)[0].data)


def test_a_bound_of_an_op_is_no_reason_to_raise():
    o = mg.tensor(np.linspace(-3, 3, 50, dtype=np.float32), name="o")
    y = (mg.tensor(np.arange(50) % 2) == 1).astype(np.float32)
    loss = mg.binary_cross_entropy(o, y)
    rest = mg.Graph(loss - loss.data)
    assert difference(rest, [np.float32(1e-7)]) is None
    assert difference(rest, [np.float32(1e-3)]) == "result 1 is off by up to 0.001"


def test_what_is_moved_out_of_the_range_of_an_op_is_judged_too():
    y = mg.tensor(np.ones(20), name="y")
    loss = mg.binary_cross_entropy(y * 1.0, np.ones(20))
    graph = mg.Graph(loss)
    assert difference(graph, [loss.data]) is None
    assert difference(graph, [loss.data + 0.5]) == "result 1 is off by up to 0.5"
