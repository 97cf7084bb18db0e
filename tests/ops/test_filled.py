"""Constants of one number: shapes, dtypes, and a Tensor that fills."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.testing import check_grad

M = np.arange(12.0).reshape(3, 4)


def test_constants_of_one_number():
    for name in ("zeros", "ones"):
        for shape in (3, (2, 3), ()):
            made, numpys = getattr(mg, name)(shape), getattr(np, name)(shape)
            np.testing.assert_array_equal(made.data, numpys)
            assert (made.dtype, made.node.kind) == (np.float64, "constant")
        assert getattr(mg, name)(2, dtype="int8").dtype == np.int8
    assert mg.full((2, 1), 3).dtype == np.full((2, 1), 3).dtype
    assert mg.full(2, 3, dtype=np.float32).data.tolist() == [3.0, 3.0]


@pytest.mark.parametrize("function", [mg.zeros_like, np.zeros_like, mg.ones_like])
def test_constants_like_another_tensor(function):
    x = mg.tensor(M.astype(np.float32), name="x")
    y = function(x)
    assert (y.shape, y.dtype, y.node.inputs) == (x.shape, x.dtype, ())
    assert function(x, dtype=int).dtype == np.int64
    assert function(x, shape=(2,)).shape == (2,)
    assert np.full_like(x, 2.0).data[0, 0] == 2
    assert mg.full_like(M, 2.0).dtype == M.dtype


def test_a_tensor_fills_with_a_gradient():
    check_grad(lambda a: mg.full((2, 3), a), [np.array(2.0)], order=2)
    check_grad(lambda a: mg.full_like(M, a), [np.array([2.0, 1.0, 0.0, 5.0])], order=2)
    narrow = mg.full(2, mg.tensor(1.0), dtype=np.float32)
    assert narrow.dtype == np.float32
