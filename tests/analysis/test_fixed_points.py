"""Fixed points of maps that are known, and of a net that learnt to keep two bits."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.analysis import fixed_points
from minigrad.data.generators import flip_flop
from minigrad.models import ManyToMany
from minigrad.nn.cells import LSTM
from minigrad.nn.losses import mse
from minigrad.optim import Adam
from minigrad.train import Training, fit
from tests.analysis.nets import cell_of, folded

RNG = np.random.default_rng(0)
HELD = 0.957504  # h = tanh(2 h)


def test_two_units_that_each_hold_a_sign():
    recurrence = folded(lambda h: mg.tanh(2 * h), np.ones((1, 2)))
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, 7)] * 2), -1).reshape(-1, 2)
    found = fixed_points(recurrence, {"h": grid}, {})
    places = np.array([[a, b] for a in (-1, 0, 1) for b in (-1, 0, 1)])
    np.testing.assert_allclose(found.points, HELD * places, atol=1e-6)
    np.testing.assert_array_equal(found.stable, np.abs(places).all(axis=1))
    slope = np.where(places == 0, 2.0, 2 * (1 - HELD**2))
    expected = -np.sort(-slope, axis=1)
    np.testing.assert_allclose(found.eigenvalues, expected, atol=1e-5)
    assert found.lost == 0
    assert (found.speeds <= 1e-9).all()


def test_a_rotation_has_complex_eigenvalues():
    M = 0.9 * np.array([[0.0, -1.0], [1.0, 0.0]])
    recurrence = folded(lambda h: h @ M.T + 1.0, np.ones((1, 2)))
    found = fixed_points(recurrence, {"h": RNG.normal(size=(3, 2))}, {})
    expected = np.linalg.solve(np.eye(2) - M, np.ones(2))
    np.testing.assert_allclose(found.points, [expected])
    np.testing.assert_allclose(np.sort(found.eigenvalues[0].imag), [-0.9, 0.9])
    assert found.stable.tolist() == [True]


def test_where_there_is_none_all_starts_are_lost():
    recurrence = folded(lambda h: mg.softplus(h) + 1.0, np.ones((1, 1)))
    found = fixed_points(recurrence, {"h": RNG.normal(size=(4, 1))}, {}, updates=50)
    assert (found.points.shape, found.lost) == ((0, 1), 4)
    assert found.stable.shape == (0,)


def test_slow_points_count_where_the_tolerance_says_so():
    # h + (h² + 0.001) has no fixed point, and is slow at 0.
    recurrence = folded(lambda h: h + h * h + 0.001, np.ones((1, 1)))
    starts = {"h": [[0.2], [-0.2]]}
    assert fixed_points(recurrence, starts, {}).lost == 2
    slow = fixed_points(recurrence, starts, {}, tolerance=0.0011)
    assert slow.lost == 0
    np.testing.assert_allclose(slow.points, 0, atol=0.02)


def test_the_input_moves_the_points():
    _, recurrence = cell_of(LSTM)
    starts = {name: RNG.normal(size=(5, 3)) for name in recurrence.states}
    for x in (np.zeros((1, 2)), np.ones((1, 2))):
        found = fixed_points(recurrence, starts, {"x": x})
        assert found.names == ("s", "h")
        for point in found.points:
            state = {"s": point[None, :3], "h": point[None, 3:]}
            after = recurrence.step(state, {"x": x})
            np.testing.assert_allclose(after["h"], state["h"], atol=1e-8)
            np.testing.assert_allclose(after["s"], state["s"], atol=1e-8)


@pytest.fixture(scope="module")
def memory():
    """A net of 12 units that keeps two bits, and states that it was in."""
    rng = np.random.default_rng(0)
    net = ManyToMany(2, 12, 2, rng=rng, loss=mse)
    training = Training(net, Adam(net.parameters(), 0.01), net.loss, clip=1.0)
    fit(training, lambda: flip_flop(rng, 20, 32), steps=400, title=None)
    loss = net.loss(*flip_flop(rng, 20, 64))
    seen = [n.value for n in mg.Graph(loss).nodes if n.name == "h" and n.t]
    return net, mg.fold(loss), np.concatenate(seen)[::6]


def test_a_net_that_keeps_two_bits_has_four_stable_points(memory):
    net, recurrence, seen = memory
    starts = seen + RNG.normal(size=seen.shape) * 0.1
    found = fixed_points(recurrence, {"h": starts}, {"x": np.zeros((1, 2))})
    assert found.stable.sum() == 4
    o = found.points[found.stable] @ net.V.data + net.c.data
    np.testing.assert_allclose(np.abs(o), 1, atol=0.1)
    assert {tuple(bits) for bits in np.sign(o)} == {(-1, -1), (-1, 1), (1, -1), (1, 1)}


def test_a_pulse_leads_from_one_point_to_another(memory):
    net, recurrence, seen = memory
    found = fixed_points(recurrence, {"h": seen}, {"x": np.zeros((1, 2))})
    points = found.points[found.stable]
    bits = np.sign(points @ net.V.data + net.c.data)
    state = {"h": points}
    for x in ([[1.0, 0.0]], *[[[0.0, 0.0]]] * 20):
        state = recurrence.step(state, {"x": np.array(x)})
    after = np.sign(state["h"] @ net.V.data + net.c.data)
    np.testing.assert_array_equal(after, np.column_stack([np.ones(4), bits[:, 1]]))


@pytest.mark.parametrize("n", [1, 2, 4])
def test_plots(n):
    recurrence = folded(lambda h: mg.tanh(2 * h), np.ones((1, n)))
    starts = {"h": RNG.uniform(-1, 1, (40, n))}
    found = fixed_points(recurrence, starts, {})
    axes = found.plot()
    drawn = {line.get_label(): len(line.get_xdata()) for line in axes.lines}
    stable = int(found.stable.sum())
    assert drawn["stable"] == stable
    assert sum(drawn.values()) == len(found.points)
    xy = np.concatenate([line.get_xydata() for line in axes.lines])
    points = np.concatenate([found.points[found.stable], found.points[~found.stable]])
    if n < 3:
        flat = np.column_stack([points, np.zeros((len(points), 2))])[:, :2]
        np.testing.assert_allclose(xy, flat)
        return
    # The plane in which they differ most: the two largest of the principal components.
    centred = points - points.mean(axis=0)
    largest = np.linalg.eigvalsh(centred.T @ centred)[::-1]
    np.testing.assert_allclose(np.sort((xy**2).sum(axis=0))[::-1], largest[:2])
    np.testing.assert_allclose(xy.mean(axis=0), 0, atol=1e-12)


def test_a_plot_of_one_point_in_many_numbers():
    recurrence = folded(lambda h: 0.5 * h, np.ones((1, 4)))
    found = fixed_points(recurrence, {"h": np.ones((1, 4))}, {})
    (line,) = found.plot().lines
    np.testing.assert_allclose(line.get_xydata(), [[0, 0]], atol=1e-12)
