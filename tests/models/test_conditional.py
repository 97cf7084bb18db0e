"""Conditional: the arrow from the last target, and what it is for."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import Conditional, ManyToMany
from minigrad.nn.losses import mse

T, B = 5, 2


def model(loss=mse):
    rng = np.random.default_rng(0)
    return Conditional(3, 4, 2, rng=rng, loss=loss, dtype=np.float64)


def data(T=T):
    rng = np.random.default_rng(1)
    return rng.normal(size=(T, B, 3)), rng.normal(size=(T, B, 2))


def arrows(loss):
    return {str(edge) for edge in mg.fold(mg.contract(loss)).edges}


def test_the_arrow_from_y_is_all_that_figure_10_3_lacks():
    ours = arrows(model().loss(*data()))
    theirs = arrows(
        ManyToMany(3, 4, 2, rng=np.random.default_rng(0), loss=mse).loss(*data())
    )
    assert ours - theirs == {"y0 -> h(1) by R", "y(t-1) -> h(t) by R"}
    assert theirs <= ours


def test_the_last_target_reaches_no_output():
    network, (xs, ys) = model(), data()
    before = network.loss(xs, ys)
    o = [n for n in mg.Graph(before).nodes if n.name == "o"]
    other = ys.copy()
    other[-1] += 1
    o2 = [n for n in mg.Graph(network.loss(xs, other)).nodes if n.name == "o"]
    for a, b in zip(o, o2, strict=True):
        np.testing.assert_array_equal(a.value, b.value)


def test_by_hand():
    network, (xs, ys) = model(), data()
    p = {path: q.data for path, q in network.named_parameters()}
    h, said, losses = np.zeros((B, 4)), np.zeros((B, 2)), []
    for x, y in zip(xs, ys, strict=True):
        h = np.tanh(p["b"] + h @ p["W"] + x @ p["U"] + said @ p["R"])
        losses.append(np.square(p["c"] + h @ p["V"] - y).mean())
        said = y
    np.testing.assert_allclose(network.loss(xs, ys).item(), np.mean(losses))


def test_closed_loop_on_the_truth_is_the_loss_again():
    network, (xs, ys) = model(), data()
    truth = iter(ys)
    o = network.continued(xs, lambda o: next(truth))
    found = np.square(o - ys).mean()
    np.testing.assert_allclose(network.loss(xs, ys).item(), found)


def test_padding_changes_nothing():
    network, (xs, ys) = model(), data(3)
    alone = network.loss(xs, ys).item()
    pad = np.full((2, B, 3), 9.0), np.full((2, B, 2), 9.0)
    longer = [np.concatenate(pair) for pair in zip((xs, ys), pad, strict=True)]
    found = network.loss(*longer, lengths=[3, 3]).item()
    np.testing.assert_allclose(found, alone)


@pytest.mark.parametrize("y", [1, [1] * (B + 1), np.ones((B, 3))])
def test_what_is_said_is_said_for_each_sequence(y):
    with pytest.raises(ValueError, match="say gives class numbers"):
        model().continued(data(2)[0], lambda o: y)
