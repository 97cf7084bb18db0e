"""Clockwork: which group is computed when, and who reads it."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import Clockwork

B = 2


def model(periods=(1, 2, 4), **options):
    rng = np.random.default_rng(0)
    return Clockwork(3, 4, 2, rng=rng, periods=periods, dtype=np.float64, **options)


def data(T):
    return np.random.default_rng(1).normal(size=(T, B, 3)), np.zeros((T, B), int)


@pytest.mark.parametrize("T", [12, 13, 14])
def test_a_group_is_in_the_graph_at_its_own_steps_alone(T):
    graph = mg.Graph(model().loss(*data(T)))
    for k, period in ((1, 1), (2, 2), (3, 4)):
        at = [n.t for n in graph.nodes if n.name == f"h{k}" and n.op.name == "tanh"]
        assert at == list(range(1, T + 1, period))


def test_the_fold_has_the_periods():
    rec = mg.fold(mg.contract(model().loss(*data(24))))
    spans = {r.name: r.span.every for r in rec.roles if r.span and r.name[0] == "h"}
    assert spans == {"h1": 1, "h2": 2, "h3": 4}
    edges = {str(e) for e in rec.edges}
    loops = {"h1(t-1) -> h1(t) by W11", "h2(t-2) -> h2(t) by W22"}
    assert loops | {"h3(t-4) -> h3(t) by W33"} <= edges


def test_a_slower_group_reads_no_faster_one():
    rec = mg.fold(mg.contract(model().loss(*data(24))))
    read = {(e.source.name, e.target.name) for e in rec.edges}
    assert {("h2", "h1"), ("h3", "h1"), ("h3", "h2")} <= read
    assert not {("h1", "h2"), ("h1", "h3"), ("h2", "h3")} & read


def test_whoever_reads_a_group_reads_its_latest_value():
    network, (xs, _) = model((1, 3)), data(8)
    p = {path: q.data for path, q in network.named_parameters()}
    h1 = h2 = np.zeros((B, 4))
    for t, x in enumerate(xs):
        if t % 3 == 0:
            h2 = np.tanh(p["b2"] + x @ p["U2"] + h2 @ p["W22"])
        h1 = np.tanh(p["b1"] + x @ p["U1"] + h1 @ p["W11"] + h2 @ p["W12"])
        o = p["c"] + h1 @ p["V1"] + h2 @ p["V2"]
        np.testing.assert_allclose(network(xs).data[t], o)
    last = model((1, 3), read="last")
    last.load_state_dict(network.state_dict())
    np.testing.assert_allclose(last(xs).data, o)


def test_read_at_the_end_lengths_a_period_apart_fold_alike():
    network = model((1, 2), read="last")
    first, second = (mg.fold(network(data(T)[0])) for T in (10, 12))
    assert first.difference(second) is None
    assert first.unfold(12).same_as(mg.Graph(network(data(12)[0])))
    # One step further the last value of h2 is another number of steps old.
    with pytest.raises(ValueError, match=r"h2\(10\) is read and does not exist"):
        first.unfold(11)


def test_slow_units_cost_fewer_operations():
    def products(periods):
        graph = mg.Graph(model(periods)(data(24)[0]))
        return sum(n.op is not None and n.op.name == "matmul" for n in graph.nodes)

    # U, W and V: 24 steps of one group; of the second group 6 more, and what h1 and o
    # read of it at every step.
    assert products((1,)) == 3 * 24
    assert products((1, 4)) == 3 * 24 + 2 * 6 + 2 * 24


@pytest.mark.parametrize("periods", [(), (2, 1), (1, 2, 3), (1, 1), 2])
def test_periods_that_do_not_fit_are_refused(periods):
    with pytest.raises(ValueError, match="each is a multiple of the one before"):
        model(periods)
    with pytest.raises(ValueError, match='read is "each" or "last"'):
        model(read="first")
