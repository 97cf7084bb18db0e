"""SelfAttention: every step reads all so far, no state goes along."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import SelfAttention
from minigrad.models.self_attention import waves

T, B = 6, 2
XS = np.random.default_rng(1).normal(size=(T, B, 3))


def model(**options):
    rng = np.random.default_rng(0)
    return SelfAttention(3, 4, 2, rng=rng, dtype=np.float64, **options)


def by_hand(network, xs):
    p = {path: q.data for path, q in network.named_parameters()}
    places = waves(len(xs))[:, None] @ p["P"] if "P" in p else 0
    z = np.tanh(p["b"] + xs @ p["U"] + places)
    outputs = []
    for t in range(len(xs)):
        scores = np.einsum("tbi,bi->tb", z[: t + 1] @ p["K"], z[t] @ p["Q"]) / 2
        α = np.exp(scores) / np.exp(scores).sum(0)
        found = np.einsum("tb,tbi->bi", α, z[: t + 1])
        h = np.tanh(p["d"] + z[t] @ p["S"] + found @ p["W"])
        outputs.append(p["c"] + h @ p["V"])
    return np.array(outputs)


@pytest.mark.parametrize("order", [True, False])
def test_by_hand(order):
    network = model(order=order)
    np.testing.assert_allclose(network(XS).data, by_hand(network, XS))
    last = model(order=order, read="last")
    np.testing.assert_allclose(last(XS).data, by_hand(last, XS)[-1])


def test_no_state_goes_along_and_what_is_read_grows():
    edges = mg.fold(mg.contract(model()(XS))).edges
    assert not [e for e in edges if e.delay]
    found = {str(e) for e in edges if e.source.name in ("z", "α")}
    growing = {"z(1..t) -> α(t) by K", "z(1..t) -> h(t) by W"}
    same = {"z(t) -> α(t) by Q", "z(t) -> h(t) by S", "α(t) -> h(t) by W"}
    assert found == growing | same


def test_parameters_are_shared_as_in_a_recurrent_network():
    network = model()
    graph = mg.Graph(network(XS))
    for p in network.parameters():
        assert [use.t for use in graph.uses(p)] == list(range(1, T + 1))


def test_later_inputs_reach_no_output():
    other = XS.copy()
    other[4:] += 1
    same = model()(XS).data == model()(other).data
    assert same[:4].all()
    assert not same[4:].any()


def test_without_p_the_last_step_does_not_see_the_order():
    shuffled = XS.copy()
    shuffled[:-1] = XS[:-1][::-1]
    blind, seeing = (model(read="last", order=order) for order in (False, True))
    np.testing.assert_allclose(blind(XS).data, blind(shuffled).data)
    assert np.abs(seeing(XS).data - seeing(shuffled).data).min() > 1e-4


def test_no_two_steps_have_one_place():
    p = waves(500)
    distances = np.linalg.norm(p[:, None] - p[None], axis=-1) + 10 * np.eye(500)
    assert distances.min() > 0.1


def test_the_read_out_is_checked():
    with pytest.raises(ValueError, match='read is "each" or "last"'):
        model(read="mean")
