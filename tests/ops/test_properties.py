"""Ops on shapes, axes, indices and layouts that hypothesis chooses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.testing import check_contract, check_grad, strategies

QUICK = settings(max_examples=40)


@QUICK
@given(st.data(), strategies.broadcastable())
def test_broadcasting(data, pair):
    op = data.draw(st.sampled_from([mg.add, mg.multiply, mg.subtract, mg.divide]))
    a, b = (data.draw(strategies.arrays(shape, 0.5, 2.0)) for shape in pair)
    np.testing.assert_array_equal(op(mg.tensor(a), b).data, op.forward(a, b))
    check_grad(op, [a, b], order=2)
    check_contract(op, [a, b])


@QUICK
@given(st.data(), strategies.broadcastable(3))
def test_where_broadcasts_three_ways(data, shapes):
    c, a, b = (data.draw(strategies.arrays(shape)) for shape in shapes)
    check_grad(mg.where, [c > 0, a, b], order=2)


@QUICK
@given(st.data(), strategies.shapes(min_side=1), strategies.keepdims())
@pytest.mark.parametrize("name", ["sum", "mean", "logsumexp"])
def test_reductions(name, data, shape, keepdims):
    x = data.draw(strategies.arrays(shape))
    axis = data.draw(strategies.axes(x.ndim))
    check_grad(lambda x: getattr(mg, name)(x, axis=axis, keepdims=keepdims), [x], 2)


@QUICK
@given(st.data(), strategies.shapes(min_side=1), strategies.keepdims())
@pytest.mark.parametrize("name", ["max", "min"])
def test_extremes(name, data, shape, keepdims):
    order = data.draw(st.permutations(range(int(np.prod(shape)))))
    x = np.reshape(np.array(order, float) / 4, shape)
    axis = data.draw(strategies.axes(x.ndim))
    check_grad(lambda x: getattr(mg, name)(x, axis=axis, keepdims=keepdims), [x], 2)


@settings(max_examples=150)
@given(st.data(), strategies.shapes(min_dims=1))
def test_indexing(data, shape):
    x = data.draw(strategies.arrays(shape))
    key = data.draw(strategies.indices(shape))
    np.testing.assert_array_equal(mg.tensor(x)[key].data, x[key])
    check_grad(lambda x: x[key] * x[key], [x], order=2)


@QUICK
@given(st.data(), strategies.shapes())
def test_layouts(data, shape):
    x = data.draw(strategies.layouts(data.draw(strategies.arrays(shape, 0.5, 2.0))))
    t = mg.tensor(x, requires_grad=True, copy=False)
    y = (mg.log(t) * t).sum()
    np.testing.assert_allclose(mg.grad(y, [t])[0].data, np.log(x) + 1, rtol=1e-12)


@QUICK
@given(st.data(), st.integers(0, 3), st.integers(0, 3), strategies.broadcastable())
def test_matmul_broadcasts_batches(data, n, k, batches):
    a = data.draw(strategies.arrays((*batches[0], 2, n)))
    b = data.draw(strategies.arrays((*batches[1], n, k)))
    check_grad(mg.matmul, [a, b], order=2)


@pytest.mark.parametrize("where", [3, [1], [1, 1, 5], [-1], [], np.array([2, 4])])
def test_split(where):
    x = np.arange(12.0).reshape(2, 6)
    parts = mg.split(mg.tensor(x), where, axis=-1)
    for ours, theirs in zip(parts, np.split(x, where, axis=-1), strict=True):
        np.testing.assert_array_equal(ours.data, theirs)
    check_grad(lambda x: mg.split(x, where, axis=-1), [x], order=2)


@pytest.mark.parametrize(
    "product",
    [
        lambda x: mg.tensordot(2.0, x, axes=0),
        lambda x: mg.tensordot(x, 2.0, axes=0),
        lambda x: mg.einsum(",i->i", 2.0, x),
        lambda x: mg.outer(x, 2.0),
    ],
)
def test_a_python_number_is_an_operand_of_products(product):
    check_grad(product, [np.arange(3.0)], order=2)
