"""Losses against their definitions."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import ManyToMany
from minigrad.nn import losses


def test_cross_entropy_is_minus_log_p_of_the_target():
    o = np.array([[0.0, 1.0, 2.0], [1.0, -1.0, 0.5]])
    y = np.array([2, 0])
    p = np.exp(o) / np.exp(o).sum(1, keepdims=True)
    L = losses.cross_entropy(mg.tensor(o, name="o"), y)
    np.testing.assert_allclose(L.data, -np.log(p[[0, 1], y]))


def test_mse_is_the_mean_square():
    o, y = np.array([[1.0], [4.0]]), np.array([[0.0], [1.0]])
    assert losses.mse(mg.tensor(o, name="o"), y).data.tolist() == [1.0, 9.0]


@pytest.mark.parametrize("loss", [losses.cross_entropy, losses.mse])
def test_a_loss_is_one_number_per_sequence(loss):
    o = mg.tensor(np.zeros((4, 3)), name="o")
    y = np.zeros(4, int) if loss is losses.cross_entropy else np.zeros((4, 3))
    assert loss(o, y).shape == (4,)


def test_the_target_of_one_row_may_be_a_plain_number():
    o = mg.tensor([0.0, 0.0], requires_grad=True)
    assert mg.grad(mg.cross_entropy(o, 1), [o])[0].data.tolist() == [0.5, -0.5]


def test_a_step_ignores_no_target():
    o = mg.tensor(np.zeros((2, 3)), name="o")
    with pytest.raises(ValueError, match=r"got -100\.\.1; a step's loss ignores none"):
        losses.cross_entropy(o, np.array([1, -100]))
    with pytest.raises(ValueError, match=r"0\.\.2, got 1\.\.3\n"):
        losses.cross_entropy(o, np.array([1, 3]))


def test_unit_vectors_are_no_class_numbers():
    o = mg.tensor(np.zeros((2, 3)), name="o")
    with pytest.raises(ValueError, match=r"unit vectors pass ys\.argmax\(-1\)"):
        losses.cross_entropy(o, np.eye(3)[[0, 2]])


def test_the_name_of_a_loss_is_no_loss():
    model = ManyToMany(1, 2, 1, rng=np.random.default_rng(0), loss="mse")
    x = np.zeros((3, 1, 1), np.float32)
    with pytest.raises(TypeError, match=r"as minigrad\.nn\.losses\.mse is: got 'mse'"):
        model.loss(x, x)


def test_targets_with_an_axis_too_many():
    o = mg.tensor(np.zeros((4, 3)), name="o")
    with pytest.raises(ValueError, match=r"of shape \(4, 1\); write y\[\.\.\., 0\]"):
        losses.cross_entropy(o, np.zeros((4, 1), int))
