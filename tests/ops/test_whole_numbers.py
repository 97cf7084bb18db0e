"""Ops whose results are fractions take whole numbers and truth values for floats."""

import numpy as np
import pytest

import minigrad as mg

Y = np.array([0, 1])
WEIGHT = np.array([0.5, 0.25, 2.0])
SHARES = np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]])
OPS = {
    "softmax": mg.softmax,
    "log_softmax": mg.log_softmax,
    "logsumexp": mg.logsumexp,
    "logsumexp of rows": lambda x: mg.logsumexp(x, axis=-1, keepdims=True),
    "softplus": mg.softplus,
    "sigmoid": mg.sigmoid,
    "log_sigmoid": mg.log_sigmoid,
    "cross_entropy": lambda x: mg.cross_entropy(x, Y),
    "cross_entropy of each": lambda x: mg.cross_entropy(x, Y, reduction="none"),
    "cross_entropy, smoothed": lambda x: mg.cross_entropy(x, Y, label_smoothing=0.1),
    "cross_entropy, weighted": lambda x: mg.cross_entropy(x, Y, WEIGHT),
    "cross_entropy of shares": lambda x: mg.cross_entropy(x, SHARES),
    "weighted shares": lambda x: mg.cross_entropy(x, SHARES, WEIGHT),
    "nll_loss": lambda x: mg.nll_loss(x, Y),
    "nll_loss, weighted": lambda x: mg.nll_loss(x, Y, WEIGHT),
    "mse_loss": lambda x: mg.mse_loss(x, np.ones((2, 3), np.uint8)),
    "mse_loss, swapped": lambda x: mg.mse_loss(np.ones((2, 3), np.uint8), x),
    "binary_cross_entropy": lambda x: mg.binary_cross_entropy(x, SHARES),
    "layer_norm": mg.layer_norm,
    "norm": lambda x: mg.norm(x, axis=(0, 1)),
    "norm of rows": lambda x: mg.norm(x, ord=1, axis=-1),
    "var": mg.var,
    "std": lambda x: mg.std(x, axis=0),
    "mean": mg.mean,
}


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int8, np.int16, np.int64])
@pytest.mark.parametrize("name", OPS)
def test_the_result_is_that_of_floats(name, dtype):
    op = OPS[name]
    x = np.array([[1, 2, 100], [7, 0, 3]]).astype(dtype)
    expected = op(x.astype(np.float64))
    for found in (op(x), op(mg.tensor(x, name="x")).data):
        assert np.asarray(found).dtype.kind == "f"
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_compiled_losses_of_whole_numbers(dtype, reduction):
    def loss(xs, ys):
        each = [
            mg.cross_entropy(x, y, reduction=reduction)
            for _, x, y in mg.steps(x=xs, y=ys)
        ]
        return mg.stack(each)

    xs = np.arange(24).reshape(4, 2, 3).astype(dtype) ** 2
    ys = np.array([[0, 1]] * 4)
    found = mg.compile(loss, strict=True)(xs, ys)
    np.testing.assert_allclose(found.data, loss(xs.astype(float), ys), rtol=1e-12)


def test_a_loss_of_whole_numbers_has_a_gradient_by_the_rest():
    weight = mg.parameter(WEIGHT, name="weight")
    x = np.array([[1, 2, 0], [7, 0, 3]], np.uint8)
    grads = [
        mg.grad(mg.cross_entropy(a, Y, weight), [weight])[0].data
        for a in (mg.tensor(x, name="x"), mg.tensor(x.astype(float), name="x"))
    ]
    np.testing.assert_allclose(*grads)


@pytest.mark.parametrize("shape", [(5, 3), (1,), (2, 5, 3), (), (4,)])
@pytest.mark.parametrize("loss", [mg.cross_entropy, mg.nll_loss])
def test_class_weights_are_one_for_each_class(loss, shape):
    o = mg.tensor(np.zeros((2, 5, 3)), name="o")
    with pytest.raises(ValueError, match=r"each of the 3 classes, shape \(3,\): got"):
        loss(o, np.zeros((2, 5), int), np.ones(shape))
    with pytest.raises(ValueError, match=r"each of the 3 classes, shape \(3,\): got"):
        mg.cross_entropy(o, np.ones((2, 5, 3)), mg.tensor(np.ones(shape)))


@pytest.mark.parametrize("loss", [mg.cross_entropy, mg.nll_loss])
def test_a_single_number_has_no_classes(loss):
    with pytest.raises(ValueError, match="its last axis holds the classes"):
        loss(mg.tensor(3.0), 0)
    with pytest.raises(ValueError, match="its last axis holds the classes"):
        mg.cross_entropy(mg.tensor(3.0), 1.0)
