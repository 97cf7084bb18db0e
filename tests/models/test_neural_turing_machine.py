"""NeuralTuringMachine: addressing by content and by location, writing and reading."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import NeuralTuringMachine
from minigrad.models.neural_turing_machine import Head

B, PLACES, WIDTH = 2, 5, 3
XS = np.random.default_rng(1).normal(size=(6, B, 3))


def model():
    return NeuralTuringMachine(
        3,
        4,
        2,
        rng=np.random.default_rng(0),
        places=PLACES,
        width=WIDTH,
        dtype=np.float64,
    )


def head(key=(0, 0, 0), strength=-20, gate=-20, shift=(0, 20, 0), sharp=-20):
    """A head that wants the same whatever h is."""
    made = Head("w", 4, WIDTH, rng=np.random.default_rng(0), dtype=np.float64)
    made.K.assign(np.zeros((4, WIDTH + 6)))
    made.b.assign(np.array([*key, strength, gate, *shift, sharp], float))
    return made


def weights(head, memory, before):
    given = np.zeros((1, 4)), memory[None], before[None]
    return head(*map(mg.tensor, given)).data[0]


MEMORY = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0], [0, -1, 0]], float)
PLACE = np.eye(PLACES)[1]


@pytest.mark.parametrize("by", [-1, 0, 1])
def test_by_location_the_weights_move(by):
    shift = 20 * np.eye(3)[by + 1]
    found = weights(head(shift=shift), MEMORY, PLACE)
    np.testing.assert_allclose(found, np.roll(PLACE, by), atol=1e-4)
    if by:  # over the ends as well
        edge = np.eye(PLACES)[0 if by < 0 else -1]
        np.testing.assert_allclose(
            weights(head(shift=shift), MEMORY, edge),
            np.roll(edge, by),
            atol=1e-4,
        )


def test_by_content_they_are_where_the_key_is():
    found = weights(head(key=(0, 0, 5), strength=50, gate=20), MEMORY, PLACE)
    np.testing.assert_allclose(found, np.eye(PLACES)[2], atol=1e-4)


def test_sharpening_makes_the_largest_one():
    spread = np.array([0.1, 0.5, 0.3, 0.1, 0.0])
    soft = weights(head(), MEMORY, spread)
    sharp = weights(head(sharp=9), MEMORY, spread)
    np.testing.assert_allclose(soft, spread, atol=1e-4)
    assert sharp[1] > 0.99


def test_weights_are_a_distribution():
    graph = mg.Graph(model()(XS))
    for name in ("w", "v"):
        found = [n.value for n in graph.nodes if n.name == name and n.t]
        np.testing.assert_allclose(np.sum(found, axis=-1), 1)
        assert np.min(found) > 0


def test_the_memory_is_erased_and_added_to_by_hand():
    network = model()
    nodes = mg.Graph(network(XS)).nodes

    def values(name):
        return [n.value for n in nodes if n.name == name and n.t]

    before = np.full((B, PLACES, WIDTH), 1e-6)
    for h, w, v, after, r in zip(*map(values, "hwvMr"), strict=True):
        erase = 1 / (1 + np.exp(-h @ network.E.data))
        add = np.tanh(h @ network.A.data)
        kept = before * (1 - w[..., None] * erase[:, None])
        before = kept + w[..., None] * add[:, None]
        np.testing.assert_allclose(after, before)
        np.testing.assert_allclose(r, (v[..., None] * after).sum(1))


def test_all_that_goes_along_is_the_memory_the_heads_and_what_was_read():
    loss = model().loss(XS, XS[..., :2] > 0)
    edges = [e for e in mg.fold(mg.contract(loss)).edges if e.delay == 1]
    assert {(e.source.name, e.target.name) for e in edges} == {
        ("M", "M"),
        ("M", "w"),
        ("w", "w"),
        ("v", "v"),
        ("r", "h"),
    }


def test_more_places_need_no_more_parameters():
    network = model()
    before = network.state_dict()
    network.places = 40
    assert network(XS).shape == (6, B, 2)
    assert network.state_dict().keys() == before.keys()
    assert NeuralTuringMachine(3, 4, 2, rng=np.random.default_rng(0)).places == 32
    with pytest.raises(ValueError, match="places"):
        NeuralTuringMachine(3, 4, 2, rng=np.random.default_rng(0), places=2)
    for width in (0, 2.5):
        with pytest.raises(ValueError, match="width is a whole number from 1 on"):
            NeuralTuringMachine(3, 4, 2, rng=np.random.default_rng(0), width=width)
