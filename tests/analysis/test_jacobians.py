"""Jacobians and Lyapunov exponents of nets whose answers are known."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.analysis import jacobians, lyapunov
from minigrad.nn.cells import LSTM, MinGRU
from tests.analysis.nets import cell_of, elman, folded

RNG = np.random.default_rng(0)
T, B, N, H = 30, 2, 2, 3
XS = RNG.normal(size=(T, B, N))


def rotated(angle, scales):
    """A linear map with known singular values."""
    c, s = np.cos(angle), np.sin(angle)
    return np.diag(scales) @ np.array([[c, -s], [s, c]])


def test_those_of_an_elman_net_are_what_the_book_says():
    cell, recurrence = elman()
    h, expected = np.zeros((B, H)), []
    for x in XS:
        h = np.tanh(cell.b.data + h @ cell.W.data + x @ cell.U.data)
        expected.append([np.diag(1 - row**2) @ cell.W.data.T for row in h])
    found = jacobians(recurrence, {"h": np.zeros((B, H))}, {"x": XS})
    np.testing.assert_allclose(found.matrices, expected, atol=1e-12)
    assert found.names == ("h",)


def test_their_product_is_the_jacobian_of_the_whole_run():
    _, recurrence = cell_of(LSTM)
    state = {"h": np.zeros((1, H)), "s": np.zeros((1, H))}
    leaves = {n: mg.tensor(a, name=n, requires_grad=True) for n, a in state.items()}
    now = leaves
    for x in XS[:6, :1]:
        now = recurrence.step(now, {"x": x})
    found = jacobians(recurrence, state, {"x": XS[:6, :1]})
    whole = np.block(
        [
            [
                J.data.reshape(H, H)
                for J in mg.jacobian(now[n], [leaves[m] for m in found.names])
            ]
            for n in found.names
        ]
    )
    np.testing.assert_allclose(found.product[0], whole, atol=1e-12)


def test_singular_values_of_a_rotation_and_of_a_stretch():
    M = rotated(0.7, [2.0, 0.25])
    recurrence = folded(lambda h: h @ M, np.ones((1, 2)))
    found = jacobians(recurrence, {"h": np.ones((1, 2))}, {}, steps=4)
    np.testing.assert_allclose(found.singular_values, [[[2.0, 0.25]]] * 4)


def test_a_minimal_gru_has_its_gates_on_the_diagonal():
    cell, recurrence = cell_of(MinGRU)
    found = jacobians(recurrence, {"h": np.zeros((1, H))}, {"x": XS[:, :1]})
    gates = 1 / (1 + np.exp(-(cell.b.data + XS[:, 0] @ cell.U.data)[:, :H]))
    expected = [np.diag(u) for u in gates]
    np.testing.assert_allclose(found.matrices[:, 0], expected, atol=1e-12)


def test_exponents_sum_to_the_mean_logarithm_of_the_determinant():
    _, recurrence = elman()
    given = {"h": np.zeros((B, H))}, {"x": XS}
    found = lyapunov(recurrence, *given)
    _, logs = np.linalg.slogdet(jacobians(recurrence, *given).matrices)
    np.testing.assert_allclose(found.exponents.sum(axis=1), logs.mean(axis=0))
    assert (np.diff(found.exponents) <= 0).all()
    assert found.running.shape == (T, B, H)


def test_exponents_of_a_linear_map_are_the_logarithms_of_its_eigenvalues():
    M = np.array([[1.5, 1.0], [0.0, 0.5]])
    recurrence = folded(lambda h: h @ M.T, np.ones((1, 2)))
    found = lyapunov(recurrence, {"h": np.ones((1, 2))}, {}, steps=400)
    np.testing.assert_allclose(found.exponents[0], np.log([1.5, 0.5]), atol=0.01)


def test_the_henon_map():
    """0.419 and -1.623 (Sprott 2003); their sum is ln 0.3, whatever the orbit."""

    def henon(h):
        x, y = h[:, :1], h[:, 1:]
        return mg.concatenate([1 - 1.4 * x * x + y, 0.3 * x], axis=1)

    found = lyapunov(
        folded(henon, np.zeros((1, 2))), {"h": [[0.1, 0.1]]}, {}, steps=3000
    )
    np.testing.assert_allclose(found.exponents[0], [0.419, -1.623], atol=0.02)
    np.testing.assert_allclose(found.exponents.sum(), np.log(0.3))


def test_a_direction_that_is_lost_has_no_finite_exponent():
    recurrence = folded(lambda h: h * np.array([0.5, 0.0]), np.ones((1, 2)))
    found = lyapunov(recurrence, {"h": np.ones((1, 2))}, {}, steps=3)
    np.testing.assert_allclose(found.exponents[0], [np.log(0.5), -np.inf])


@pytest.mark.parametrize("analyse", [jacobians, lyapunov])
def test_plots(analyse):
    _, recurrence = elman()
    found = analyse(recurrence, {"h": np.zeros((B, H))}, {"x": XS})
    axes = found.plot()
    lines = [line.get_xydata() for line in axes.lines[:H]]
    assert all(len(line) == T for line in lines)
    assert found.plot(axes) is axes
    if analyse is jacobians:
        means = np.exp(np.log(found.singular_values).mean(axis=1))
        for k in range(H):
            np.testing.assert_allclose(lines[k][:, 1], means[:, k])
    else:
        np.testing.assert_allclose(lines[0][:, 1], found.running[:, 0, 0])
