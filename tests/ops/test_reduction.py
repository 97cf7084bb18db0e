"""Reductions of more elements than float16 can count."""

import numpy as np
import pytest

import minigrad as mg

N = 70_000  # float16 ends at 65,504

LARGE = {
    "mean": lambda x: mg.mean(x, axis=0),
    "var": lambda x: mg.var(x, axis=0),
    "std": lambda x: mg.std(x, axis=0, ddof=1),
    "max": lambda x: mg.max(x, axis=0),
    "logsumexp": lambda x: mg.logsumexp(x, axis=0),
    "softmax": lambda x: mg.softmax(x, axis=0) * 1e4,
    "log_softmax": lambda x: mg.log_softmax(x, axis=0),
    "layer_norm": lambda x: mg.layer_norm(x, axis=0),
    "mse_loss": lambda x: mg.mse_loss(x, np.ones((N, 1), x.dtype)),
    "cross_entropy": lambda x: mg.cross_entropy(x, np.zeros(N, int)),
    "smoothed": lambda x: mg.cross_entropy(x, np.zeros(N, int), label_smoothing=0.1),
    "all classes": lambda x: mg.cross_entropy(x[:, 0], 3),
    "nll_loss": lambda x: mg.nll_loss(x, np.zeros(N, int)),
}


def gradient(f, x, record):
    t = mg.tensor(x, requires_grad=True)
    y = f(t)
    g = np.ones(y.shape, x.dtype) + (np.arange(y.size) % 2).reshape(y.shape)
    (d,) = mg.vjp(y, [t], g.astype(x.dtype), create_graph=record)
    assert y.dtype == d.dtype == x.dtype
    return y.data, d.data


@pytest.mark.parametrize("record", [False, True])
@pytest.mark.parametrize("name", LARGE)
def test_float16_counts_beyond_its_range(name, record):
    x = np.random.default_rng(0).normal(size=(N, 1)).astype(np.float16)
    if name == "max":
        x[:] = 1.0  # all of them are the largest
    found = gradient(LARGE[name], x, record)
    expected = gradient(LARGE[name], x.astype(np.float64), record)
    for a, e in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, e, rtol=0.01, atol=3e-3 * np.abs(e).max())


def test_the_gradient_of_a_small_spread_does_not_overflow():
    x = (1e-3 + 1e-6 * np.arange(4)).astype(np.float16)
    (_, found), (_, expected) = (gradient(mg.std, x.astype(d), False) for d in "ed")
    np.testing.assert_allclose(found, expected, rtol=5e-3, atol=1e-3)


def test_a_layer_norm_of_large_float16():
    x = np.array([[300.0, -400.0, 500.0]], np.float16)
    (found, _), (expected, _) = (
        gradient(mg.layer_norm, x.astype(d), False) for d in "ed"
    )
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_the_variance_of_whole_numbers():
    assert mg.var(mg.tensor([1, 2, 4])).item() == np.var([1, 2, 4])
    assert mg.std(mg.tensor([1, 2, 4])).dtype == np.float64
