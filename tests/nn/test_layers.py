"""Layers: values by their definitions, gradients by the module check."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.nn import Dropout, Embedding, LayerNorm, Linear, Sequential
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


def test_dropout_keeps_the_mean_and_draws_by_the_generator():
    drop = Dropout(0.3)
    x = np.ones((200, 50), np.float32)
    y = drop(x, np.random.default_rng(0))
    assert y.dtype == np.float32
    assert y.data.mean() == pytest.approx(1, abs=0.02)
    assert (y.data == 0).mean() == pytest.approx(0.3, abs=0.02)
    assert np.array_equal(y.data, drop(x, np.random.default_rng(0)).data)
    assert np.array_equal(drop(x).data, x)
    mask = drop.mask(np.random.default_rng(0), x.shape, np.float32)
    assert np.array_equal(drop(x, mask).data, y.data)
    for p in (1.0, -0.1, float("nan")):
        with pytest.raises(ValueError, match="p lies in"):
            Dropout(p)


def test_sequential_is_its_parts_in_turn():
    rng = np.random.default_rng(0)
    below, above = Linear(2, 3, rng=rng), Linear(3, 1, rng=rng)
    net = Sequential(below, mg.tanh, Sequential(Dropout(0.5), above))
    x = rng.normal(size=(4, 2)).astype(np.float32)
    assert np.array_equal(net(x).data, above(mg.tanh(below(x))).data)
    drawn = [net(x, np.random.default_rng(k)).data for k in (1, 1, 2)]
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
    paths = ["parts.0.W", "parts.0.b", "parts.2.parts.1.W", "parts.2.parts.1.b"]
    assert [path for path, _ in net.named_parameters()] == paths
    with pytest.raises(TypeError, match="takes modules and functions"):
        Sequential([below, above])
    with pytest.raises(TypeError, match=r"are net\.parts\[k\], and net\.parts all"):
        net[0]
    for size in (0, -1, 2.0, "2"):
        for make in (
            lambda size: Linear(3, size, rng=rng),
            lambda size: Linear(size, 3, rng=rng),
            lambda size: Embedding(size, 3, rng=rng),
            LayerNorm,
        ):
            with pytest.raises(ValueError, match="is a whole number from 1 on, got"):
                make(size)
    with pytest.raises(
        TypeError, match=r"Linear draws .* rng=np.random.default_rng\(0"
    ):
        Linear(3, 2)
    with pytest.raises(TypeError, match=r"are net\.parts\[k\], and net\.parts all"):
        list(net)


@pytest.mark.parametrize("noise", [0, 1, True, np.ones(2)])
def test_dropout_takes_no_seed(noise):
    with pytest.raises(TypeError, match="Dropout takes a generator"):
        Dropout(0.5)(np.ones(3), noise)
