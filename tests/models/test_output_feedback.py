"""OutputFeedback: which recurrence there is, by the way it is trained."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import OutputFeedback
from minigrad.nn.losses import mse

T, B = 5, 2


def model(fed="o", loss=mse, **options):
    rng = np.random.default_rng(0)
    return OutputFeedback(
        3, 4, 3, rng=rng, loss=loss, fed=fed, dtype=np.float64, **options
    )


def data():
    rng = np.random.default_rng(1)
    return rng.normal(size=(T, B, 3)), rng.normal(size=(T, B, 3))


def arrows(loss):
    return {str(edge) for edge in mg.fold(mg.contract(loss)).edges}


def by_hand(model, xs, back):
    """The outputs, each step fed with ``back(t, o)`` of the step before."""
    U, W, V, b, c = (p.data for p in (model.U, model.W, model.V, model.b, model.c))
    fed, outputs = np.zeros((B, 3)), []
    for t, x in enumerate(xs):
        outputs.append(c + np.tanh(b + fed @ W + x @ U) @ V)
        fed = back(t, outputs[-1])
    return np.array(outputs)


def test_free_running_has_the_arrow_from_o_to_h_and_no_other_recurrence():
    found = arrows(model().loss(*data(), feedback="free"))
    assert "o(t-1) -> h(t) by W" in found
    assert {a for a in found if "t-1" in a} == {"o(t-1) -> h(t) by W"}
    assert "h(t) -> o(t) by V" in found
    assert "x(t) -> h(t) by U" in found


def test_under_teacher_forcing_that_arrow_is_absent_and_y_stands_in_its_place():
    found = arrows(model().loss(*data(), feedback="teacher"))
    assert {a for a in found if "t-1" in a} == {"y(t-1) -> h(t) by W"}


@pytest.mark.parametrize("feedback", ["teacher", "free", 0.5])
def test_parameters_are_one_node_each_with_one_use_per_step(feedback):
    network = model()
    loss = network.loss(*data(), feedback=feedback, rng=np.random.default_rng(2))
    graph = mg.Graph(loss)
    assert [p.name for p in graph.parameters] == ["U", "W", "V", "b", "c"]
    for p in network.parameters():
        assert [use.t for use in graph.uses(p)] == [1, 2, 3, 4, 5]


def test_gradient_runs_through_time_only_in_free_running():
    xs, ys = data()
    for feedback, reached in (("free", True), ("teacher", False)):
        network = model()
        x = mg.tensor(xs, name="xs", requires_grad=True)
        network.loss(x, ys, feedback=feedback)
        outputs = []
        loss = network.loss(x, ys, feedback=feedback)
        outputs = [n for n in mg.Graph(loss).nodes if n.name == "L" and n.t == T]
        (dx,) = mg.grad(mg.Tensor(outputs[0]).sum(), [x])
        assert bool(np.abs(dx.data[0]).max() > 0) is reached
        assert np.abs(dx.data[-1]).max() > 0


def test_losses_are_those_of_the_equations():
    xs, ys = data()
    network = model()
    taught = by_hand(network, xs, lambda t, o: ys[t])
    free = by_hand(network, xs, lambda t, o: o)
    np.testing.assert_allclose(
        network.loss(xs, ys).item(), np.square(taught - ys).mean()
    )
    np.testing.assert_allclose(
        network.loss(xs, ys, feedback="free").item(), np.square(free - ys).mean()
    )
    np.testing.assert_allclose(network.continued(xs), free)
    np.testing.assert_allclose(network.continued(xs, known=ys), taught)


@pytest.mark.parametrize(("p", "same_as"), [(1.0, "teacher"), (0.0, "free")])
def test_the_ends_of_scheduled_sampling(p, same_as):
    network = model()
    mixed = network.loss(*data(), feedback=p, rng=np.random.default_rng(0))
    plain = network.loss(*data(), feedback=same_as)
    np.testing.assert_allclose(mixed.item(), plain.item())
    parameters = network.parameters()
    for a, b in zip(
        mg.grad(mixed, parameters), mg.grad(plain, parameters), strict=True
    ):
        np.testing.assert_allclose(a.data, b.data, atol=1e-12)


def test_what_is_fed_back():
    from minigrad.nn.losses import cross_entropy

    xs, _ = data()
    ys = np.random.default_rng(3).integers(3, size=(T, B))

    def softmax(o):
        e = np.exp(o)
        return e / e.sum(-1, keepdims=True)

    for fed, back in (
        ("softmax", lambda t, o: softmax(o)),
        ("best", lambda t, o: np.eye(3)[o.argmax(-1)]),
    ):
        network = model(fed, cross_entropy)
        outputs = by_hand(network, xs, back)
        logp = np.log(softmax(outputs))
        expected = -np.take_along_axis(logp, ys[..., None], -1).mean()
        loss = network.loss(xs, ys, feedback="free")
        np.testing.assert_allclose(loss.item(), expected)
    network = model("drawn", cross_entropy)
    one, again = (
        network.continued(xs, rng=np.random.default_rng(seed)) for seed in (0, 0)
    )
    np.testing.assert_array_equal(one, again)
    with pytest.raises(ValueError, match="pass rng="):
        network.continued(xs)


def test_a_drawn_symbol_has_the_frequency_of_softmax():
    network = model("drawn")
    network.V.assign(np.zeros((4, 3)))
    network.c.assign(np.log([0.5, 0.3, 0.2]))
    noise = np.random.default_rng(0).gumbel(size=(20000, 3))
    o = mg.tensor(np.tile(network.c.data, (20000, 1)))
    drawn = network.spoken(o, mg.tensor(noise)).data.mean(0)
    np.testing.assert_allclose(drawn, [0.5, 0.3, 0.2], atol=0.01)


@pytest.mark.parametrize("bad", ["always", -0.1, 1.5])
def test_an_unknown_feedback_is_refused(bad):
    with pytest.raises(ValueError, match="feedback"):
        model().loss(*data(), feedback=bad)
