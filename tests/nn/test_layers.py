"""Layers: values by their definitions, gradients by the module check."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.nn import Embedding, LayerNorm, Linear
from minigrad.testing import check_module

RNG = np.random.default_rng(0)


def layer(name):
    if name == "linear":
        return Linear(3, 2, rng=RNG, dtype=np.float64), RNG.normal(size=(4, 3))
    if name == "embedding":
        return Embedding(5, 3, rng=RNG, dtype=np.float64), np.array([[0, 2], [2, 4]])
    return LayerNorm(3, dtype=np.float64), RNG.normal(size=(2, 4, 3))


@pytest.mark.parametrize("name", ["linear", "embedding", "norm"])
def test_gradients(name):
    module, x = layer(name)
    check_module(module, lambda model: mg.sum(model(x) ** 3))


def test_linear():
    module, x = layer("linear")
    module.b.assign([1.0, -1.0])
    np.testing.assert_allclose(module(x).data, x @ module.W.data + [1.0, -1.0])
    plain = Linear(3, 2, rng=RNG, bias=False)
    assert [name for name, _ in plain.named_parameters()] == ["W"]
    assert plain(x.astype(np.float32)).dtype == np.float32


def test_embedding_is_a_row():
    module, index = layer("embedding")
    assert (module(index).data == module.E.data[index]).all()


def test_layer_norm_has_mean_0_and_variance_1():
    module, x = layer("norm")
    rows = module(100 * x + 5).data
    np.testing.assert_allclose(rows.mean(-1), 0, atol=1e-12)
    np.testing.assert_allclose(rows.var(-1), 1, atol=1e-5)
