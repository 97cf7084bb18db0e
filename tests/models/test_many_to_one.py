"""ManyToOne: one read-out, wherever it is made; and U as the notes have it."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import ManyToMany, ManyToOne, OutputFeedback

T, B, N = 5, 2, 3


def model(**options):
    return ManyToOne(N, 4, 2, rng=np.random.default_rng(0), dtype=np.float64, **options)


def xs(T=T):
    return np.random.default_rng(1).normal(size=(T, B, N))


def states(network, xs):
    U, W, b = network.rnn.U.data, network.rnn.W.data, network.rnn.b.data
    h, found = np.zeros((B, 4)), []
    for x in xs:
        h = np.tanh(b + h @ W + x @ U)
        found.append(h)
    return np.array(found)


@pytest.mark.parametrize(
    ("read", "of"),
    [
        ("last", lambda hs: hs[-1]),
        ("mean", lambda hs: hs.mean(0)),
        ("max", lambda hs: hs.max(0)),
        (2, lambda hs: hs[1]),
        (-2, lambda hs: hs[-2]),
    ],
)
def test_the_read_out(read, of):
    network = model(read=read)
    expected = network.c.data + of(states(network, xs())) @ network.V.data
    np.testing.assert_allclose(network(xs()).data, expected)


def test_there_is_one_o_one_L_and_one_y_at_the_last_step():
    network = model()
    loss = network.loss(xs(), np.array([0, 1]))
    graph = mg.Graph(loss)
    assert [n.name for n in graph.nodes].count("o") == 1
    for p, steps in ((network.V, [None]), (network.c, [None])):
        assert [use.t for use in graph.uses(p)] == steps
    for p in network.rnn.parameters():
        assert [use.t for use in graph.uses(p)] == [1, 2, 3, 4, 5]
    labels = [n.label for n in mg.contract(loss).nodes if n.name in ("o", "L", "y")]
    assert sorted(labels) == ["L(5)", "o(5)", "y(5)"]
    found = {str(edge) for edge in mg.fold(mg.contract(loss)).edges}
    assert "h(t-1) -> h(t) by W" in found


@pytest.mark.parametrize("read", ["last", "mean", "max"])
@pytest.mark.parametrize("cell", ["elman", "lstm"])
def test_padding_changes_neither_loss_nor_gradient(read, cell):
    network = model(read=read, cell=cell)
    y, lengths = np.array([0, 1]), np.array([3, 5])
    results = []
    for filler in (0.0, 1e3):
        padded = xs()
        padded[3:, 0] = filler
        loss = network.loss(padded, y, lengths=lengths)
        results.append(
            (loss.item(), [g.data for g in mg.grad(loss, network.parameters())])
        )
    alone = [
        network.loss(xs()[:n, i : i + 1], y[i : i + 1]) for i, n in enumerate(lengths)
    ]
    mean = (alone[0] + alone[1]) / 2
    results.append((mean.item(), [g.data for g in mg.grad(mean, network.parameters())]))
    for loss, gradients in results[:2]:
        np.testing.assert_allclose(loss, results[2][0], rtol=1e-12)
        for a, b in zip(gradients, results[2][1], strict=True):
            np.testing.assert_allclose(a, b, atol=1e-12)


def test_an_unknown_read_out_is_refused():
    with pytest.raises(ValueError, match="read is"):
        model(read="first")(xs())
    with pytest.raises(ValueError, match="no step 6 among 5"):
        model(read=6)(xs())


@pytest.mark.parametrize("network", [ManyToMany, ManyToOne, OutputFeedback])
def test_u_as_the_identity_is_no_parameter(network):
    rng = np.random.default_rng(0)
    made = network(3, 3, 2, rng=rng, U="identity")
    names = {p.name for p in made.parameters()}
    assert names == {"W", "V", "b", "c"}
    with pytest.raises(ValueError, match="n_in must be n_hidden: got 3 and 4"):
        network(3, 4, 2, rng=rng, U="identity")


def test_u_as_the_identity_adds_x():
    network = ManyToOne(3, 3, 2, rng=np.random.default_rng(0), U="identity")
    x = xs(1).astype(np.float32)
    h = np.tanh(x[0])
    np.testing.assert_allclose(network(x).data, h @ network.V.data, rtol=1e-6)


@pytest.mark.parametrize(("U", "trained"), [("orthogonal", True), ("fixed", False)])
def test_u_orthogonal_trained_or_not(U, trained):
    network = ManyToOne(3, 5, 2, rng=np.random.default_rng(0), U=U, dtype=np.float64)
    start = network.rnn.U
    np.testing.assert_allclose(start.data @ start.data.T, np.eye(3), atol=1e-12)
    assert (start in set(network.parameters())) is trained
    assert "rnn.U" in network.state_dict()


def test_u_is_a_choice_of_the_elman_cell():
    with pytest.raises(ValueError, match="choice of the elman cell"):
        model(cell="gru", U="identity")
