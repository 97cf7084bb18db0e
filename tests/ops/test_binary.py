"""Answers of yes or no: exact for large logits, and what is refused."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.testing import check_grad


def test_log_sigmoid():
    x = np.array([-1e4, -2.0, 0.0, 40.0, 1e4])
    expected = [-1e4, -np.log1p(np.exp(2)), -np.log(2), -np.exp(-40), 0.0]
    np.testing.assert_allclose(mg.log_sigmoid(mg.tensor(x)).data, expected, 1e-13)
    check_grad(mg.log_sigmoid, [np.array([-2.0, 0.1, 3.0])], order=2)


def test_the_loss_is_exact_to_the_last_digits_for_large_logits():
    o = mg.tensor([40.0, -40.0, 700.0, -1e4, 1e4])
    loss = mg.binary_cross_entropy(o, [1, 0, 0, 1, 1], reduction="none")
    exact = [np.exp(-40.0), np.exp(-40.0), 700.0, 1e4, 0.0]
    np.testing.assert_allclose(loss.data, exact, rtol=1e-15)


@pytest.mark.parametrize("target", [[1, 0], [True, False], [1.0, 0.0]])
def test_targets_are_bits_of_any_kind_and_float32_stays(target):
    o = mg.tensor(np.array([0.5, -2.0], np.float32), requires_grad=True)
    loss = mg.binary_cross_entropy(o, target)
    (d,) = mg.grad(loss, [o], create_graph=True)
    assert (loss.dtype, d.dtype) == (np.float32, np.float32)
    p = 1 / (1 + np.exp(-o.data))
    np.testing.assert_allclose(d.data, (p - np.array(target, float)) / 2, rtol=1e-6)
    made = {n.value.dtype for n in mg.Graph(d).nodes if n.op}
    assert made == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (np.zeros((2, 1)), r"o has shape \(2, 3\) and y \(2, 1\)"),
        (np.full((2, 3), 2), "lies between 0 and 1, got 2 to 2; for class numbers"),
        (np.full((2, 3), -1.0), "got -1.0 to -1.0"),
        (np.full((2, 3), np.nan), "got nan to nan"),
    ],
)
def test_what_is_no_probability_is_refused(target, said):
    with pytest.raises(ValueError, match=said):
        mg.binary_cross_entropy(mg.tensor(np.zeros((2, 3))), target)
