"""DeepTransition: how long the way from state to state is, with and without skip."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import DeepTransition, ManyToMany

T, B = 6, 2
XS = np.random.default_rng(1).normal(size=(T, B, 3))
YS = np.zeros((T, B), int)


def loss(skip):
    rng = np.random.default_rng(0)
    return DeepTransition(3, 4, 2, rng=rng, skip=skip, dtype=np.float64).loss(XS, YS)


def recurrences(loss):
    edges = mg.fold(mg.contract(loss)).edges
    return {str(e) for e in edges if e.delay == 1}


def shortest(loss):
    """The fewest arrows from the first h to the last, in the graph of named values."""
    graph = mg.contract(loss)
    hs = [n for n in graph.nodes if n.name == "h"]
    far = {hs[0]: 0}
    for node in graph.nodes:
        reached = [far[i] + 1 for i in node.inputs if i in far]
        if reached:
            far[node] = min(reached)
    return far[hs[-1]]


def test_the_state_is_reached_through_z_alone_or_around_it_too():
    assert recurrences(loss(skip=False)) == {"h(t-1) -> z(t) by W"}
    both = {"h(t-1) -> z(t) by W", "h(t-1) -> h(t) by S"}
    assert recurrences(loss(skip=True)) == both
    assert "z(t) -> h(t) by Q" in {
        str(e) for e in mg.fold(mg.contract(loss(skip=True))).edges
    }


def test_depth_lengthens_the_way_and_the_skip_shortens_it():
    rng = np.random.default_rng(0)
    plain = ManyToMany(3, 4, 2, rng=rng).loss(XS.astype(np.float32), YS)
    ways = [shortest(plain), shortest(loss(False)), shortest(loss(True))]
    assert ways == [T - 1, 2 * (T - 1), T - 1]


@pytest.mark.parametrize("skip", [False, True])
def test_by_hand(skip):
    model = DeepTransition(
        3, 4, 2, rng=np.random.default_rng(0), skip=skip, dtype=np.float64
    )
    p = {path.split(".")[-1]: q.data for path, q in model.named_parameters()}
    h = np.zeros((B, 4))
    for x in XS:
        z = np.tanh(p["b"] + h @ p["W"] + x @ p["U"])
        h = np.tanh(p["b2"] + z @ p["Q"] + (h @ p["S"] if skip else 0))
    np.testing.assert_allclose(model(XS).data[-1], p["c"] + h @ p["V"])
