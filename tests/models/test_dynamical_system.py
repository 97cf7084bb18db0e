"""DynamicalSystem: its recurrence and the unrolling written out."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import DynamicalSystem


def system():
    return DynamicalSystem(2, 3, rng=np.random.default_rng(0), dtype=np.float64)


def inputs(T):
    return np.random.default_rng(1).normal(size=(T, 1, 2))


def test_the_state_is_that_of_the_recurrence():
    model, xs = system(), inputs(4)
    s = np.zeros((1, 3))
    for x in xs:
        s = np.tanh(np.concatenate([s, x], axis=-1) @ model.theta.data)
    np.testing.assert_allclose(model(xs).data, s)


def test_an_initial_state_is_used():
    model, xs = system(), inputs(4)
    np.testing.assert_allclose(model(xs[2:], model(xs[:2])).data, model(xs).data)


def test_theta_is_one_node_with_a_use_at_every_step():
    model = system()
    graph = mg.Graph(model(inputs(5)))
    assert [use.t for use in graph.uses(model.theta)] == [1, 2, 3, 4, 5]
    assert [node.name for node in graph.parameters] == ["θ"]


def unrolled(s, down_to=1):
    return mg.equations(s, functions={"f": "f"}).unrolled(down_to).text()


def test_the_unrolling_of_the_notes_at_tau_3():
    s = system()(inputs(3))
    assert unrolled(s) == "s(3) = f(f(s(1), x(2); θ), x(3); θ)"
    assert unrolled(s, down_to=2) == "s(3) = f(s(2), x(3); θ)"
    assert unrolled(s, down_to=0) == "s(3) = f(f(f(s(0), x(1); θ), x(2); θ), x(3); θ)"


def test_the_last_state_is_written_out_once_at_least():
    assert unrolled(system()(inputs(2)), down_to=9) == "s(2) = f(s(1), x(2); θ)"


def test_a_function_says_what_was_recorded():
    class Undriven(DynamicalSystem):
        def f(self, s, x):
            return np.tanh(s * 2.0)

    s = Undriven(2, 3, rng=np.random.default_rng(0))(inputs(3))
    assert unrolled(s) == "s(3) = f(f(s(1)))"


def test_what_f_reads_twice_is_written_once():
    class Leaky(DynamicalSystem):
        def f(self, s, x):
            return 0.9 * s + 0.1 * super().f(s, x)

    s = Leaky(2, 3, rng=np.random.default_rng(0))(inputs(3))
    assert unrolled(s) == "s(3) = f(f(s(1), x(2); θ), x(3); θ)"
    assert str(mg.equations(s)) == "s(t) = 0.9 s(t-1) + 0.1 tanh(θ [s(t-1); x(t)])"


def test_a_long_unrolling_needs_no_recursion():
    assert unrolled(system()(inputs(2000))).count("f(") == 1999


@pytest.mark.parametrize("T", [1, 7])
def test_the_shape_of_the_state(T):
    assert system()(inputs(T)).shape == (1, 3)
