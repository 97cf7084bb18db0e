"""Losses, normalisation and convolution against PyTorch, where it is installed."""

import itertools

import numpy as np
import pytest

import minigrad as mg

torch = pytest.importorskip("torch")
F = torch.nn.functional
RNG = np.random.default_rng(0)
WEIGHT = np.array([0.5, 2.0, 1.0, 0.0])


def agree(ours, theirs, *arrays):
    """Values, gradients and Hessian-vector products of both agree."""
    xs = [mg.tensor(a, requires_grad=True) for a in arrays]
    ts = [torch.tensor(a, requires_grad=True) for a in arrays]
    y, z = ours(*xs), theirs(*ts)
    np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=1e-10, atol=1e-12)
    u = RNG.normal(size=y.shape)
    ds = mg.grad((y * u).sum(), xs, create_graph=True)
    es = torch.autograd.grad((z * torch.tensor(u)).sum(), ts, create_graph=True)
    for d, e in zip(ds, es, strict=True):
        np.testing.assert_allclose(d.data, e.detach().numpy(), rtol=1e-9, atol=1e-11)
    ours_2 = mg.grad(sum((d * d).sum() for d in ds), xs, unreached="zeros")
    theirs_2 = torch.autograd.grad(
        sum((e * e).sum() for e in es), ts, allow_unused=True
    )
    for d, e in zip(ours_2, theirs_2, strict=True):
        expected = np.zeros(d.shape) if e is None else e.numpy()
        np.testing.assert_allclose(d.data, expected, rtol=1e-8, atol=1e-10)


LOSSES = list(
    itertools.product(
        [None, WEIGHT], [-100, 2], ["mean", "sum", "none"], [0.0, 0.3], [False, True]
    )
)


@pytest.mark.parametrize(("weight", "ignore", "reduction", "eps", "some"), LOSSES)
def test_cross_entropy(weight, ignore, reduction, eps, some):
    y = np.array([0, 2, 1, ignore if some else 1, 0])
    agree(
        lambda o: mg.cross_entropy(
            o,
            y,
            weight=weight,
            ignore_index=ignore,
            reduction=reduction,
            label_smoothing=eps,
        ),
        lambda o: F.cross_entropy(
            o,
            torch.tensor(y),
            weight=None if weight is None else torch.tensor(weight),
            ignore_index=ignore,
            reduction=reduction,
            label_smoothing=eps,
        ),
        RNG.normal(size=(5, 4)),
    )


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_nll_loss(weight, reduction):
    y = np.array([0, 2, -100, 1])
    agree(
        lambda x: mg.nll_loss(x, y, weight=weight, reduction=reduction),
        lambda x: F.nll_loss(
            x,
            torch.tensor(y),
            weight=None if weight is None else torch.tensor(weight),
            reduction=reduction,
        ),
        RNG.normal(size=(4, 4)),
    )


def test_all_ignored_is_nan_as_in_torch():
    o = RNG.normal(size=(2, 3))
    y = np.array([-100, -100])
    assert np.isnan(mg.cross_entropy(mg.tensor(o), y).item())
    assert np.isnan(F.cross_entropy(torch.tensor(o), torch.tensor(y)).item())
    assert mg.cross_entropy(mg.tensor(o), y, reduction="sum").item() == 0.0


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_mse_loss(reduction):
    a, b = RNG.normal(size=(2, 2, 3))
    agree(
        lambda o, y: mg.mse_loss(o, y, reduction=reduction),
        lambda o, y: F.mse_loss(o, y, reduction=reduction),
        a,
        b,
    )


def test_layer_norm():
    agree(
        lambda x, g, b: mg.layer_norm(x, g, b),
        lambda x, g, b: F.layer_norm(x, (5,), g, b),
        RNG.normal(size=(3, 5)),
        RNG.normal(size=5),
        RNG.normal(size=5),
    )


@pytest.mark.parametrize(
    ("stride", "padding", "dilation", "groups"),
    [(1, 0, 1, 1), (2, 1, 1, 1), (1, 2, 2, 2), (3, 3, 2, 4), (1, "same", 2, 1)],
)
def test_conv1d(stride, padding, dilation, groups):
    attrs = {
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
    }
    agree(
        lambda x, w: mg.conv1d(x, w, **attrs),
        lambda x, w: F.conv1d(x, w, **attrs),
        RNG.normal(size=(2, 4, 9)),
        RNG.normal(size=(8, 4 // groups, 3)),
    )


@pytest.mark.parametrize("axis", [None, 0, -1])
def test_products_with_zeros(axis):
    x = np.array([[0.0, 2.0, 3.0], [1.0, 0.0, 0.0]])
    agree(
        lambda x: mg.prod(x, axis=axis),
        lambda x: torch.prod(x) if axis is None else torch.prod(x, axis),
        x,
    )
    if axis is not None:
        agree(lambda x: mg.cumprod(x, axis), lambda x: torch.cumprod(x, axis), x)


def test_dlpack_reaches_torch():
    t = mg.tensor([1.0, 2.0])
    assert torch.from_dlpack(t).tolist() == [1.0, 2.0]
