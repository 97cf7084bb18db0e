"""Gradients in other ways, against those of back-propagation."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.analysis import gauss_newton, per_example, rtrl
from minigrad.models import ManyToMany, OutputFeedback
from minigrad.nn.cells import GRU, LSTM, Elman, MinGRU
from minigrad.nn.losses import mse

RNG = np.random.default_rng(0)
T, B, N, H, C = 7, 3, 2, 4, 3
XS = RNG.normal(size=(T, B, N))
YS = RNG.integers(C, size=(T, B))


def recorded(make, xs=XS, ys=YS):
    """A cell with a read-out, and its losses over a run."""
    cell = make(N, H, rng=np.random.default_rng(1), dtype=np.float64)
    V = mg.parameter(np.random.default_rng(2).normal(size=(H, C)), name="V")
    state, losses = cell.start(xs.shape[1]), []
    for _, x, y in mg.steps(x=xs, y=ys):
        state = cell(x, state)
        for name, s in zip(cell.names, state, strict=True):
            if s.node.name is None:
                s.named(name)
        losses.append(mg.cross_entropy(state[0] @ V, y).named("L"))
    return [*cell.parameters(), V], losses


def skipping(*args, **options):
    return Elman(*args, skips=(3,), **options)


@pytest.mark.parametrize("make", [Elman, LSTM, GRU, MinGRU, skipping])
def test_forward_in_time_is_back_propagation(make):
    parameters, losses = recorded(make)
    expected = mg.grad(mg.add_n(losses), parameters)
    recurrence = mg.fold(mg.stack(losses))
    state = {name: np.zeros((B, H)) for name in recurrence.states}
    found = rtrl(recurrence, state, {"x": XS, "y": YS})
    assert found.gradients.keys() == {p.name for p in parameters}
    for p, e in zip(parameters, expected, strict=True):
        np.testing.assert_allclose(found.gradients[p.name], e.data, atol=1e-12)
    np.testing.assert_allclose(found.losses, [L.item() for L in losses])


def test_it_may_go_on_for_longer_than_what_was_folded():
    recurrence = mg.fold(mg.stack(recorded(Elman, XS[:4], YS[:4])[1]))
    parameters, losses = recorded(Elman)
    found = rtrl(recurrence, {"h": np.zeros((B, H))}, {"x": XS, "y": YS})
    expected = mg.grad(mg.add_n(losses), parameters)
    for p, e in zip(parameters, expected, strict=True):
        np.testing.assert_allclose(found.gradients[p.name], e.data, atol=1e-12)


def test_a_loss_of_each_sequence_is_summed():
    model = ManyToMany(N, H, C, rng=np.random.default_rng(0), dtype=np.float64)
    loss = model.loss(XS, YS)
    found = rtrl(mg.fold(loss), {"h": np.zeros((B, H))}, {"x": XS, "y": YS})
    np.testing.assert_allclose(found.losses.sum() / (T * B), loss.item())
    for p, e in zip(
        model.parameters(), mg.grad(loss, list(model.parameters())), strict=True
    ):
        np.testing.assert_allclose(
            found.gradients[p.name] / (T * B), e.data, atol=1e-12
        )


def test_what_a_step_adds_is_the_gradient_of_its_loss():
    parameters, losses = recorded(Elman)
    recurrence = mg.fold(mg.stack(losses))
    found = rtrl(recurrence, {"h": np.zeros((B, H))}, {"x": XS, "y": YS})
    for t in (0, T - 1):
        parts = mg.grad(losses[t], parameters, unreached="zeros")
        length = np.sqrt(sum(np.square(d.data).sum() for d in parts))
        np.testing.assert_allclose(found.norms[t], length)


def test_a_loop_without_that_loss_is_refused():
    recurrence = mg.fold(mg.stack(recorded(Elman)[1]))
    with pytest.raises(ValueError, match="makes h, and no 'L'"):
        rtrl(recurrence, {"h": np.zeros((B, H))}, {"x": XS})


def test_each_example_has_the_gradient_that_it_has_alone():
    model = ManyToMany(N, H, C, rng=np.random.default_rng(0), dtype=np.float64)
    parameters = list(model.parameters())
    o = model(XS)
    losses = mg.cross_entropy(o, YS, reduction="none").mean(axis=0)
    found = per_example(losses, parameters)
    for k in range(B):
        alone = mg.grad(model.loss(XS[:, k : k + 1], YS[:, k : k + 1]), parameters)
        for g, e in zip(found.gradients, alone, strict=True):
            np.testing.assert_allclose(g[k], e.data, atol=1e-12)
        length = np.sqrt(sum(np.square(e.data).sum() for e in alone))
        np.testing.assert_allclose(found.norms[k], length)


def test_one_loss_for_all_is_refused():
    with pytest.raises(ValueError, match='reduction="none"'):
        per_example(mg.parameter(1.0, name="w") * 2, [])


def explicit(o, H_L, parameters):
    """Jᵀ H J as a matrix."""
    J = np.concatenate(
        [j.data.reshape(o.size, -1) for j in mg.jacobian(o, parameters)], axis=1
    )
    return J.T @ H_L @ J


def test_the_product_is_that_of_the_matrix():
    model = ManyToMany(N, 2, C, rng=np.random.default_rng(0), dtype=np.float64)
    parameters = list(model.parameters())
    o = model(XS)
    loss = mg.cross_entropy(o, YS)
    p = np.exp(mg.log_softmax(o).data.reshape(-1, C))
    blocks = [(np.diag(row) - np.outer(row, row)) / (T * B) for row in p]
    G = explicit(o, block(blocks), parameters)
    v = [RNG.normal(size=q.shape) for q in parameters]
    found = gauss_newton(loss, [o], parameters, v)
    flat = np.concatenate([a.ravel() for a in v])
    products = np.concatenate([a.ravel() for a in found.products])
    np.testing.assert_allclose(products, G @ flat, atol=1e-12)
    np.testing.assert_allclose(found.curvature, flat @ G @ flat)
    assert found.curvature > 0
    assert found.names == tuple(q.name for q in parameters)


def block(blocks):
    """A block-diagonal matrix."""
    size = len(blocks[0])
    whole = np.zeros((size * len(blocks),) * 2)
    for k, b in enumerate(blocks):
        whole[k * size : (k + 1) * size, k * size : (k + 1) * size] = b
    return whole


def test_outputs_of_each_step_give_the_same():
    model = ManyToMany(N, 2, C, rng=np.random.default_rng(0), dtype=np.float64)
    parameters = list(model.parameters())
    v = [RNG.normal(size=q.shape) for q in parameters]
    whole = model.loss(XS, YS)
    outputs = [mg.Tensor(n) for n in mg.Graph(whole).nodes if n.name == "o"]
    assert len(outputs) == T
    found = gauss_newton(whole, outputs, parameters, v)
    o = model(XS)
    expected = gauss_newton(mg.cross_entropy(o, YS), [o], parameters, v)
    for a, b in zip(found.products, expected.products, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_of_a_linear_net_it_is_the_hessian():
    W = mg.parameter(RNG.normal(size=(N, C)), name="W")
    o = mg.tensor(XS[0]) @ W
    loss = mg.mse_loss(o, np.ones((B, C)))
    v = [RNG.normal(size=(N, C))]
    (expected,) = mg.hvp(loss, [W], v)
    found = gauss_newton(loss, [o], [W], v)
    np.testing.assert_allclose(found.products[0], expected.data)


def test_a_loss_with_another_way_to_the_parameters_is_refused():
    W = mg.parameter(RNG.normal(size=(N, C)), name="W")
    o = mg.tensor(XS[0]) @ W
    loss = (o * o).sum() + (W * W).sum()
    with pytest.raises(ValueError, match="depends on W beside the outputs"):
        gauss_newton(loss, [o], [W], [W.data])


def test_outputs_that_feed_each_other_are_refused():
    model = OutputFeedback(
        N, H, N, rng=np.random.default_rng(0), loss=mse, dtype=np.float64
    )
    loss = model.loss(XS, XS, feedback="free")
    outputs = [mg.Tensor(n) for n in mg.Graph(loss).nodes if n.name == "o"]
    parameters = list(model.parameters())
    with pytest.raises(ValueError, match="depends on another output"):
        gauss_newton(loss, outputs, parameters, [p.data for p in parameters])


def test_plots():
    parameters, losses = recorded(Elman)
    recurrence = mg.fold(mg.stack(losses))
    found = rtrl(recurrence, {"h": np.zeros((B, H))}, {"x": XS, "y": YS})
    (line,) = found.plot().lines
    np.testing.assert_allclose(line.get_ydata(), found.norms)
    each = per_example(mg.stack(losses), parameters)
    heights = [bar.get_height() for bar in each.plot().patches]
    np.testing.assert_allclose(heights, each.norms)
    product = gauss_newton(
        losses[0], [losses[0]], parameters, [p.data for p in parameters]
    )
    heights = [bar.get_height() for bar in product.plot().patches]
    np.testing.assert_allclose(heights, product.shares)
