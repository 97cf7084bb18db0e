"""information_flow: eq. 10.52 by Jacobians, and its gradient by differences."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import ManyToMany, ManyToOne, OutputFeedback
from minigrad.train import information_flow

T, B, N = 5, 3, 4
XS = np.random.default_rng(1).normal(size=(T, B, 2))


def network(model=ManyToMany, **options):
    made = model(2, N, 2, rng=np.random.default_rng(0), dtype=np.float64, **options)
    if hasattr(made, "rnn"):
        made.rnn.W.assign(0.6 * made.rnn.W.data)
    return made


def recorded(made):
    ys = np.ones((T, B) if isinstance(made, ManyToMany) else B, int)
    return made.loss(XS, ys)


def by_jacobians(made):
    loss = recorded(made)
    hs = [mg.Tensor(n) for n in mg.Graph(loss).nodes if n.name == "h" and n.t]
    arriving = mg.grad(loss, hs)
    W, total = made.rnn.W.data, 0.0
    for h, g in zip(hs[1:], arriving[1:], strict=True):
        ratios = []
        for row, arrived in zip(h.data, g.data, strict=True):
            jacobian = np.diag(1 - row**2) @ W.T
            ratios.append(np.linalg.norm(arrived @ jacobian) / np.linalg.norm(arrived))
        total += np.mean(np.square(np.array(ratios) - 1))
    return total, [g.data for g in arriving]


@pytest.mark.parametrize("model", [ManyToMany, ManyToOne])
def test_it_is_the_equation(model):
    made = network(model)
    expected, _ = by_jacobians(made)
    np.testing.assert_allclose(information_flow(recorded(made)).item(), expected)


def test_the_gradient_takes_what_arrives_as_given():
    made = network()
    W = made.rnn.W
    (found,) = mg.grad(information_flow(recorded(made)), [W])
    _, given = by_jacobians(made)
    start, eps = W.data, 1e-6
    direction = np.random.default_rng(2).normal(size=W.shape)

    def at(sign):
        W.assign(start + sign * eps * direction)
        hs = [n.value for n in mg.Graph(recorded(made)).nodes if n.name == "h" and n.t]
        total = 0.0
        for h, g in zip(hs[1:], given[1:], strict=True):
            passed = (g * (1 - h**2)) @ W.data.T
            ratio = np.linalg.norm(passed, axis=-1) / np.linalg.norm(g, axis=-1)
            total += np.mean(np.square(ratio - 1))
        return total

    slope = (at(1) - at(-1)) / (2 * eps)
    W.assign(start)
    np.testing.assert_allclose((found.data * direction).sum(), slope, rtol=1e-6)


def test_an_orthogonal_linear_recurrence_loses_nothing():
    Q = np.linalg.qr(np.random.default_rng(0).normal(size=(N, N)))[0]
    W, h = mg.parameter(Q, name="W"), mg.tensor(np.ones((B, N)), name="h0")
    for _ in mg.steps(T):
        h = (h @ W).named("h")
    np.testing.assert_allclose(information_flow(h.sum()).item(), 0, atol=1e-20)


def test_steps_that_no_gradient_reaches_ask_for_nothing():
    made = network(ManyToOne, read=2)
    flow = information_flow(made.loss(XS, np.ones(B, int)))
    assert 0 < flow.item() < 1


def test_training_with_it_lengthens_what_comes_back():
    made = network(ManyToOne)
    before = information_flow(recorded(made)).item()
    for _ in range(20):
        for p, g in zip(
            made.parameters(),
            mg.grad(
                information_flow(recorded(made)), made.parameters(), unreached="zeros"
            ),
            strict=True,
        ):
            p.assign(p.data - 0.05 * g.data)
    assert information_flow(recorded(made)).item() < 0.2 * before


def test_it_compiles():
    made = network()

    def step(xs, ys):
        loss = made.loss(xs, ys)
        whole = loss + 0.1 * information_flow(loss)
        return whole, mg.grad(whole, made.parameters())

    given = XS, np.ones((T, B), int)
    value, gradients = mg.compile(step, strict=True)(*given)
    expected, others = step(*given)
    np.testing.assert_allclose(value.data, expected.data)
    for a, b in zip(gradients, others, strict=True):
        np.testing.assert_allclose(a.data, b.data, atol=1e-12)


def test_a_loss_without_such_a_state_is_refused():
    with pytest.raises(ValueError, match="has 1 values named 'h' in a loop"):
        information_flow(network().loss(XS[:1], np.ones((1, B), int)))
    with pytest.raises(ValueError, match="has 0 values named 's'"):
        information_flow(recorded(network()), state="s")
    loss = network(OutputFeedback).loss(XS, np.ones((T, B), int), feedback="teacher")
    with pytest.raises(ValueError, match="is not reached"):
        information_flow(loss)
