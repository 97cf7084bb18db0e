"""Where parameters start."""

import numpy as np
import pytest

from minigrad.nn import init

SHAPES = [(3, 5), (5, 3), (4, 4), (1, 1)]
ALL = [init.glorot, init.orthogonal, init.zeros, init.identity]


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("start", ALL)
@pytest.mark.parametrize("shape", SHAPES)
def test_shape_and_dtype(start, shape):
    assert start(rng(), shape).shape == shape
    assert start(rng(), shape).dtype == np.float32
    assert start(rng(), shape, np.float64).dtype == np.float64


@pytest.mark.parametrize("start", ALL)
def test_the_same_generator_gives_the_same_start(start):
    np.testing.assert_array_equal(start(rng(), (4, 3)), start(rng(), (4, 3)))


@pytest.mark.parametrize("start", [init.glorot, init.orthogonal])
def test_another_seed_gives_another_start(start):
    assert not np.array_equal(start(rng(0), (4, 3)), start(rng(1), (4, 3)))


@pytest.mark.parametrize("start", [init.glorot, init.orthogonal, init.identity])
def test_a_matrix_is_asked_for(start):
    with pytest.raises(ValueError, match=rf"{start.__name__} .* \(3,\)"):
        start(rng(), (3,))


def test_zeros_take_any_shape():
    assert init.zeros(rng(), (3,)).tolist() == [0, 0, 0]


@pytest.mark.parametrize("shape", SHAPES)
def test_orthogonal(shape):
    Q = init.orthogonal(rng(), shape, np.float64)
    small = Q @ Q.T if shape[0] < shape[1] else Q.T @ Q
    np.testing.assert_allclose(small, np.eye(min(shape)), atol=1e-12)


def test_orthogonal_prefers_no_sign():
    # Without the signs of R the diagonal of Q would always be negative.
    first = [init.orthogonal(rng(seed), (2, 2))[0, 0] for seed in range(40)]
    assert 8 < sum(value < 0 for value in first) < 32


@pytest.mark.parametrize("shape", [(4, 3), (3, 4)])
def test_the_signs_of_orthogonal_are_those_of_a_unique_factorisation(shape):
    """Mezzadri (2007): Q R = A with a positive diagonal of R is uniform."""
    Q = init.orthogonal(rng(), shape, np.float64)
    tall = Q if shape[0] > shape[1] else Q.T
    A = rng().normal(size=tall.shape)
    R = tall.T @ A
    np.testing.assert_allclose(np.tril(R, -1), 0, atol=1e-12)
    assert (np.diag(R) > 0).all()


def test_glorot_keeps_its_bound_and_variance():
    U = init.glorot(rng(), (200, 100), np.float64)
    bound = np.sqrt(6 / 300)
    assert np.abs(U).max() <= bound
    np.testing.assert_allclose(U.var(), 2 / 300, rtol=0.05)
    assert abs(U.mean()) < 0.01 * bound
