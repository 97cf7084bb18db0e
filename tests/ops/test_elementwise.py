"""Ops element by element: exact in the tails, and with NumPy's bits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg

FLOATS = [np.float16, np.float32, np.float64]
POINTS = [-10, -15, -17, -20, -87, -88, -95, -103, -104, -300, -708, -730, -745, -800]


def sigmoid(x):
    """The exact value, to the many more digits of a long double."""
    x = x.astype(np.longdouble)
    return np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))


def softplus(x):
    x = x.astype(np.longdouble)
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def near(found, exact, ulps):
    """Within some units in the last place that the dtype has at the exact value."""
    unit = np.spacing(exact.astype(found.dtype)).astype(np.longdouble)
    off = np.abs(found - exact) / unit
    assert off.max() <= ulps, off.max()


@pytest.mark.parametrize("dtype", FLOATS)
def test_sigmoid_and_softplus_are_exact_in_the_tails(dtype):
    x = np.array([*POINTS, 0, *(-p for p in POINTS), *np.linspace(-30, 30, 601)], dtype)
    t = mg.tensor(x, requires_grad=True)
    near(mg.sigmoid(t).data, sigmoid(x), 4)
    y = mg.softplus(t)
    near(y.data, softplus(x), 4)
    (slope,) = mg.grad(y.sum(), [t])
    near(slope.data, sigmoid(x), 4)


@given(st.floats(-750, 750), st.sampled_from(FLOATS))
def test_a_sigmoid_and_its_mirror_are_one(x, dtype):
    x = dtype(x)
    y, z = mg.sigmoid(x), mg.sigmoid(-x)
    assert y.dtype == dtype
    near(np.asarray(y + z), np.ones((), np.longdouble), 2)
    assert 0 <= min(y, z) <= 0.5 <= max(y, z) <= 1


def test_the_logarithm_of_a_sigmoid_is_finite_with_its_gradient():
    x = mg.tensor(np.array([-20, -50, -88, 88, 104], np.float32), requires_grad=True)
    y = mg.log(mg.sigmoid(x))
    np.testing.assert_allclose(y.data, np.minimum(x.data, 0), atol=1e-6)
    (slope,) = mg.grad(y.sum(), [x])
    np.testing.assert_allclose(slope.data, [1, 1, 1, 0, 0], rtol=1e-6)


def test_sigmoid_of_whole_numbers():
    x = np.array([0, 3, 200], np.uint8)
    np.testing.assert_allclose(mg.sigmoid(x), sigmoid(x).astype(float), rtol=1e-15)


@pytest.mark.parametrize(
    ("ours", "numpy"),
    [
        (lambda a, b: a & b, np.bitwise_and),
        (lambda a, b: a | b, np.bitwise_or),
        (lambda a, b: a ^ b, np.bitwise_xor),
    ],
)
@pytest.mark.parametrize(
    "pair",
    [
        (np.array([1, 2, 3]), 1),
        (np.array([-1, 6, 0]), np.array([3, 5, 9])),
        (np.array([True, False, True]), np.array([True, True, False])),
        (np.array([True, False]), True),
        (np.array([1, 2], np.uint8), np.uint8(3)),
    ],
)
def test_bits_are_those_of_numpy(ours, numpy, pair):
    a, b = pair
    expected = numpy(a, b)
    for y in (ours(mg.tensor(a), b), ours(b, mg.tensor(a)), ours(a, mg.tensor(b))):
        assert isinstance(y, mg.Tensor)
        assert y.dtype == expected.dtype
        np.testing.assert_array_equal(y.data, expected)


def test_inverted_bits_are_those_of_numpy():
    for a in (np.array([0, 1, -5]), np.array([True, False]), np.array([7], np.uint8)):
        np.testing.assert_array_equal((~mg.tensor(a)).data, ~a)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x & 1,
        lambda x: True | x,
        lambda x: x ^ x,
        lambda x: ~x,
    ],
)
def test_floats_have_no_bits(call):
    with pytest.raises(TypeError, match="not supported for the input types"):
        call(mg.tensor([1.0, 0.0]))


def test_a_nan_gets_the_gradient():
    x = mg.tensor([np.nan, 2.0, 1.0], requires_grad=True)
    weights = np.array([1.0, 2.0, 3.0])
    for y, expected in [
        (mg.max(x), [1, 0, 0]),
        (mg.min(x), [1, 0, 0]),
        (mg.relu(x), [1, 1, 1]),
        (mg.maximum(x, 1.5), [1, 1, 0]),
        (mg.minimum(x, 1.5), [1, 0, 1]),
        (mg.sort(x) * weights, [3, 2, 1]),
    ]:
        np.testing.assert_array_equal(mg.grad(y.sum(), [x])[0].data, expected)
