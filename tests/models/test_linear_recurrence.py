"""LinearRecurrence: the state in closed form, and how its gradient vanishes."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import LinearRecurrence

T, B = 7, 2
XS = np.random.default_rng(1).normal(size=(T, B, 3))


def model(**options):
    rng = np.random.default_rng(0)
    return LinearRecurrence(3, 4, 2, rng=rng, dtype=np.float64, **options)


def states(network):
    return [n for n in mg.Graph(network(XS)).nodes if n.name == "h"]


def test_the_only_recurrence_is_unit_by_unit():
    network = model()
    edges = mg.fold(mg.contract(network(XS))).edges
    assert {str(e) for e in edges if e.delay} == {"h(t-1) -> h(t) by a"}
    assert network.a.shape == (4,)


def test_the_state_is_the_sum_of_all_inputs_by_powers_of_λ():
    network = model()
    λ, U = np.exp(-np.exp(network.a.data)), network.U.data
    for t, h in enumerate(states(network), 1):
        whole = sum(λ ** (t - k) * (XS[k - 1] @ U) for k in range(1, t + 1))
        np.testing.assert_allclose(h.value, whole)


def test_without_a_loop_it_is_the_same():
    network = model()
    λ = np.exp(-np.exp(network.a.data))
    inputs = XS @ network.U.data
    at_once = mg.linear_recurrence(np.broadcast_to(λ, inputs.shape), inputs, axis=0)
    found = np.array([h.value for h in states(network)])
    np.testing.assert_allclose(found, np.asarray(at_once))


def test_the_gradient_goes_back_by_powers_of_λ():
    network = model()
    λ = np.exp(-np.exp(network.a.data))
    hs = [mg.Tensor(n) for n in states(network)]
    for t, g in enumerate(mg.grad(hs[-1].sum(), hs), 1):
        np.testing.assert_allclose(g.data, np.broadcast_to(λ ** (T - t), (B, 4)))


def test_units_remember_from_one_step_to_the_longest():
    λ = np.exp(-np.exp(model(longest=50.0).a.data))
    np.testing.assert_allclose(-1 / np.log(λ[[0, -1]]), [1, 50])


def test_the_last_output_is_that_of_the_last_step():
    np.testing.assert_allclose(model(read="last")(XS).data, model()(XS).data[-1])
    with pytest.raises(ValueError, match='read is "each" or "last"'):
        model(read="mean")
    with pytest.raises(ValueError, match="longest"):
        model(longest=0.5)
