"""Kernels compute what the recorded ops that they stand for compute."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.compile import kernels


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8])
@pytest.mark.parametrize("ignore_index", [-100, 1])
def test_the_parts_of_cross_entropy(dtype, ignore_index):
    rng = np.random.default_rng(0)
    o, y = rng.normal(size=(4, 3)), np.array([0, 2, 1, 2], dtype)
    z = o - o.max(1, keepdims=True)
    e = np.exp(z)
    s = e.sum(1, keepdims=True)
    options = {"ignore_index": ignore_index}
    x = mg.parameter(o)
    losses = mg.cross_entropy(x, y, reduction="none", **options)
    found = kernels.picked_losses(z, s, y, **options)
    np.testing.assert_allclose(found, losses.data)
    (g,) = mg.grad(mg.cross_entropy(x, y, **options), [x])
    number = kernels.kept_targets(y, 3, dtype="float64", **options)
    for weight in (1 / number, np.full((4, 1), 1 / number)):
        found = kernels.class_gradient(e, s, y, weight, **options)
        np.testing.assert_allclose(found, g.data)
    np.testing.assert_allclose(
        kernels.class_gradient(e, s, y, 1 / number, out=e, **options), g.data
    )


@pytest.mark.parametrize("wrong", [-1, 3])
def test_a_class_number_out_of_range_is_refused(wrong):
    z, s = np.zeros((2, 3)), np.ones((2, 1))
    with pytest.raises(ValueError, match=r"class numbers lie in 0\.\.2"):
        kernels.picked_losses(z, s, np.array([0, wrong]))


def test_targets_that_count():
    y = np.array([[0, 1], [2, 2], [2, 1]])
    count = kernels.kept_targets
    assert count(y, 3, ignore_index=-100, dtype="float32") == 6
    assert count(y, 3, ignore_index=2, dtype="float32").dtype == np.float32
    rows = count(y, 3, ignore_index=2, dtype="float64", axis=(1,))
    np.testing.assert_array_equal(rows, [2, np.nan, 1])
    rows = count(y, 3, ignore_index=-100, dtype="float64", axis=(1,))
    np.testing.assert_array_equal(rows, [2, 2, 2])


def test_shares_and_sums():
    x = np.arange(6.0).reshape(3, 2)
    np.testing.assert_allclose(kernels.equal_share(1.0, x), 1 / 6)
    np.testing.assert_allclose(kernels.equal_share(np.ones(2), x), [1 / 3, 1 / 3])
    np.testing.assert_array_equal(kernels.sum_of_rows(x), [6, 9])
