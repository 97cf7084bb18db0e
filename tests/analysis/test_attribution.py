"""Saliency and integrated gradients: of sums, and of a recurrent net."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.analysis import integrated_gradients, saliency
from minigrad.models import ManyToOne

XS = np.random.default_rng(0).normal(size=(8, 1, 2))


def network():
    return ManyToOne(2, 5, 3, rng=np.random.default_rng(0), dtype=np.float64)


def loss_of(model):
    return lambda xs: model.loss(xs, np.array([1]))


def test_the_contributions_sum_to_the_difference_of_the_loss():
    f = loss_of(network())
    found = integrated_gradients(f, XS)
    whole = f(mg.tensor(XS)).item() - f(mg.tensor(0 * XS)).item()
    np.testing.assert_allclose(found.difference, whole)
    np.testing.assert_allclose(found.by_step.sum(), whole, atol=1e-12)
    np.testing.assert_allclose(found.elements.sum((1, 2)), found.by_step)


def test_they_do_from_another_baseline_too():
    f, start = loss_of(network()), np.full((2,), 0.3)
    found = integrated_gradients(f, XS, baseline=start)
    np.testing.assert_allclose(found.by_step.sum(), found.difference, atol=1e-12)


def test_a_linear_function_has_its_terms():
    w = np.arange(8.0)[:, None, None]
    for points in (1, 32):
        found = integrated_gradients(lambda xs: (xs * w).sum(), XS, points=points)
        np.testing.assert_allclose(found.elements, w * XS)


def test_few_points_do_not_sum_up_where_the_function_bends():
    found = integrated_gradients(lambda xs: (xs**6).sum(), XS + 2.0, points=1)
    assert abs(found.by_step.sum() - (found.difference or 0)) > 1


def test_saliency_is_the_length_of_the_gradient_of_each_step():
    f, xs = loss_of(network()), mg.tensor(XS, requires_grad=True)
    (expected,) = mg.grad(f(xs), [xs])
    found = saliency(f, XS)
    np.testing.assert_allclose(found.elements, expected.data)
    np.testing.assert_allclose(
        found.by_step, np.linalg.norm(expected.data[:, 0], axis=1)
    )
    assert found.difference is None


def test_a_step_that_is_not_read_has_none():
    assert saliency(lambda xs: xs[:3].sum(), XS).by_step[3:].tolist() == [0.0] * 5
    assert integrated_gradients(lambda xs: xs[2].sum(), XS).by_step[0] == 0


def test_a_tensor_or_a_strided_array_is_read_as_it_is():
    f = loss_of(network())
    wanted = saliency(f, XS[::-1].copy()).by_step
    np.testing.assert_array_equal(saliency(f, XS[::-1]).by_step, wanted)
    for xs in (mg.tensor(XS[::-1]), mg.parameter(XS[::-1].copy(), name="xs")):
        np.testing.assert_array_equal(saliency(f, xs).by_step, wanted)


@pytest.mark.parametrize("analyse", [saliency, integrated_gradients])
def test_class_numbers_are_refused(analyse):
    with pytest.raises(TypeError, match="one-hot or embedded"):
        analyse(lambda xs: xs.sum(), np.array([1, 2]))


@pytest.mark.parametrize("analyse", [saliency, integrated_gradients])
def test_plots(analyse):
    found = analyse(loss_of(network()), XS)
    axes = found.plot()
    heights = [bar.get_height() for bar in axes.patches]
    np.testing.assert_allclose(heights, found.by_step)
    assert axes.get_ylabel() == found.what
