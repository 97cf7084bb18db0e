"""ManyToMany against its equations written in NumPy, and its graph."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import ManyToMany
from minigrad.nn.losses import mse

T, B = 5, 2


@pytest.fixture
def model():
    rng = np.random.default_rng(0)
    model = ManyToMany(3, 4, 2, rng=rng, dtype=np.float64)
    model.rnn.b.assign(rng.normal(size=4))
    model.c.assign(rng.normal(size=2))
    return model


@pytest.fixture
def xs():
    return np.random.default_rng(1).normal(size=(T, B, 3))


@pytest.fixture
def ys():
    return np.random.default_rng(2).integers(2, size=(T, B))


def cell(model):
    return model.rnn.U, model.rnn.W, model.rnn.b


def by_hand(model, xs, h):
    U, W, b, V, c = (p.data for p in (*cell(model), model.V, model.c))
    outputs = []
    for x in xs:
        h = np.tanh(b + h @ W + x @ U)
        outputs.append(c + h @ V)
    return np.array(outputs)


def test_outputs_are_those_of_the_equations(model, xs):
    np.testing.assert_allclose(model(xs).data, by_hand(model, xs, np.zeros((B, 4))))


def test_an_initial_state_is_used(model, xs):
    h0 = np.full((B, 4), 0.5)
    np.testing.assert_allclose(
        model(xs, (mg.tensor(h0, name="h0"),)).data, by_hand(model, xs, h0)
    )


def test_the_initial_state_may_be_learnt(model, xs, ys):
    h0 = mg.parameter(np.zeros((B, 4)), name="h0")
    loss = model.loss(xs, ys, (h0,))
    assert h0.node in mg.Graph(loss).parameters
    loss.backward()
    assert np.abs(h0.grad).max() > 0


def test_the_loss_is_the_mean_cross_entropy(model, xs, ys):
    o = by_hand(model, xs, np.zeros((B, 4)))
    logp = o - np.log(np.exp(o).sum(-1, keepdims=True))
    expected = -np.take_along_axis(logp, ys[..., None], -1).mean()
    np.testing.assert_allclose(model.loss(xs, ys).item(), expected)


def test_another_loss(xs):
    model = ManyToMany(3, 4, 2, rng=np.random.default_rng(0), loss=mse)
    xs = xs.astype(np.float32)
    target = np.ones((T, B, 2), np.float32)
    loss = model.loss(xs, target)
    expected = np.square(model(xs).data - target).mean()
    np.testing.assert_allclose(loss.item(), expected, rtol=1e-5)
    assert loss.dtype == np.float32


def test_gradients_are_those_of_backpropagation_through_time(model, xs, ys):
    # Eq. 10.17-10.28 written out, an oracle that knows nothing of the engine.
    U, W, b, V, c = (p.data for p in (*cell(model), model.V, model.c))
    h, states, outputs = np.zeros((B, 4)), [np.zeros((B, 4))], []
    for x in xs:
        h = np.tanh(b + h @ W + x @ U)
        states.append(h)
        outputs.append(c + h @ V)
    expected = {p: np.zeros_like(p.data) for p in model.parameters()}
    dh = np.zeros((B, 4))
    for t in range(T, 0, -1):
        o, h = outputs[t - 1], states[t]
        p = np.exp(o) / np.exp(o).sum(-1, keepdims=True)
        do = (p - np.eye(2)[ys[t - 1]]) / (T * B)
        da = (dh + do @ V.T) * (1 - h * h)
        expected[model.c] += do.sum(0)
        expected[model.V] += h.T @ do
        expected[model.rnn.b] += da.sum(0)
        expected[model.rnn.W] += states[t - 1].T @ da
        expected[model.rnn.U] += xs[t - 1].T @ da
        dh = da @ W.T
    model.loss(xs, ys).backward()
    for p, g in expected.items():
        np.testing.assert_allclose(p.grad, g, atol=1e-12, err_msg=p.name)


def test_each_parameter_is_one_node_with_one_use_per_step(model, xs, ys):
    graph = mg.Graph(model.loss(xs, ys))
    assert [node.name for node in graph.parameters] == ["U", "W", "b", "V", "c"]
    for p in model.parameters():
        assert [use.t for use in graph.uses(p)] == list(range(1, T + 1))


def test_the_values_of_a_step_have_the_books_letters(model, xs, ys):
    graph = mg.Graph(model.loss(xs, ys))
    for t in range(1, T + 1):
        named = {n.name for n in graph.nodes if n.time and n.time[1] == t and n.name}
        assert named == {"x", "h", "o", "L", "y"}
    assert [n.name for n in graph.inputs if n.name.startswith("h")] == ["h0"]


def test_the_start_is_float32_and_seeded(xs):
    one, other, third = (
        ManyToMany(3, 4, 2, rng=np.random.default_rng(seed)) for seed in (0, 0, 1)
    )
    assert {p.dtype for p in one.parameters()} == {np.dtype(np.float32)}
    np.testing.assert_array_equal(one(xs).data, other(xs).data)
    assert not np.array_equal(one(xs).data, third(xs).data)
