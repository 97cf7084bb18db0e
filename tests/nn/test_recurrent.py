"""The loop over time: lengths, truncated gradients, states that are carried on."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import Bidirectional, EncoderDecoder, ManyToMany
from minigrad.nn.recurrent import detached, mask_of, masks

T, B, N = 6, 2, 3
LENGTHS = np.array([4, 6])


def xs():
    return np.random.default_rng(1).normal(size=(T, B, N))


def ys():
    return np.random.default_rng(2).integers(N, size=(T, B))


def made(model=ManyToMany, **options):
    return model(N, 4, N, rng=np.random.default_rng(0), dtype=np.float64, **options)


def gradients(loss, model):
    return [g.data for g in mg.grad(loss, model.parameters())]


@pytest.mark.parametrize("options", [{}, {"cell": "lstm"}, {"layers": 2}])
def test_padding_changes_neither_loss_nor_gradient(options):
    model = made(**options)
    found = []
    for filler in (0, 2):
        x, y = xs(), ys()
        x[4:, 0], y[4:, 0] = filler * 100, filler
        loss = model.loss(x, y, lengths=LENGTHS)
        found.append((loss.item(), gradients(loss, model)))
    parts = [model.loss(xs()[:n, [i]], ys()[:n, [i]]) for i, n in enumerate(LENGTHS)]
    loss = (4 * parts[0] + 6 * parts[1]) / 10
    found.append((loss.item(), gradients(loss, model)))
    for value, grads in found[:2]:
        np.testing.assert_allclose(value, found[2][0], rtol=1e-12)
        for a, b in zip(grads, found[2][1], strict=True):
            np.testing.assert_allclose(a, b, atol=1e-12)


@pytest.mark.parametrize("read", ["each", "ends", "mean", "max"])
def test_padding_and_the_backward_net(read):
    model = made(Bidirectional, read=read)
    y = ys() if read == "each" else ys()[0]
    losses = []
    for filler in (0.0, 50.0):
        x = xs()
        x[4:, 0] = filler
        losses.append(model.loss(x, y, lengths=LENGTHS))
    assert losses[0].item() == losses[1].item()
    for a, b in zip(*(gradients(one, model) for one in losses), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)
    alone = model(xs()[:4, :1]).data
    padded = model(xs(), lengths=LENGTHS).data
    if read == "each":
        padded = padded[:4]
        np.testing.assert_allclose(padded[:, :1], alone)
    else:
        np.testing.assert_allclose(padded[:1], alone)


def test_padding_and_attention():
    model = made(EncoderDecoder, attention=True)
    found = []
    for filler in (0.0, 50.0):
        x = xs()
        x[4:, 0] = filler
        found.append(model.loss(x, ys(), lengths=LENGTHS).item())
    assert found[0] == found[1]


@pytest.mark.parametrize("k", [1, 2, 3, 6, 10])
def test_a_truncated_gradient_is_that_of_the_pieces(k):
    model = made()
    whole = model.loss(xs(), ys(), truncate=k)
    np.testing.assert_allclose(whole.item(), model.loss(xs(), ys()).item())
    total = [np.zeros(p.shape) for p in model.parameters()]
    state = None
    for start in range(0, T, k):
        piece = slice(start, start + k)
        loss, state = model.loss_and_state(xs()[piece], ys()[piece], state)
        state = detached(state)
        share = len(xs()[piece]) / T
        for g, d in zip(total, gradients(loss, model), strict=True):
            g += share * d
    for a, b in zip(gradients(whole, model), total, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_elmans_rule_leaves_the_state_an_input():
    loss = made().loss(xs(), ys(), truncate=1)
    x = mg.tensor(xs(), name="xs", requires_grad=True)
    loss = made().loss(x, ys(), truncate=1)
    last = [n for n in mg.Graph(loss).nodes if n.name == "L" and n.t == T]
    (dx,) = mg.grad(mg.Tensor(last[0]).sum(), [x])
    assert np.abs(dx.data[:-1]).max() == 0 < np.abs(dx.data[-1]).max()


def test_a_run_is_repeatable_bit_for_bit():
    def loss():
        model = ManyToMany(
            N, 8, N, rng=np.random.default_rng(3), layers=2, dropout=0.5, cell="gru"
        )
        return model.loss(xs().astype(np.float32), ys(), rng=np.random.default_rng(4))

    assert loss().item() == loss().item()


def test_without_rng_nothing_is_dropped():
    rng = np.random.default_rng(0)
    model = made(layers=2, dropout=0.9)
    assert model.loss(xs(), ys()).item() == model.loss(xs(), ys()).item()
    assert model.loss(xs(), ys()).item() != model.loss(xs(), ys(), rng=rng).item()


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ([0, 6], r"lie in 1..6"),
        ([1, 7], r"lie in 1..6"),
        ([1.0, 2.0], "whole numbers"),
        ([[1], [2]], "whole numbers"),
    ],
)
def test_wrong_lengths_are_refused(bad, reason):
    with pytest.raises(ValueError, match=reason):
        masks(bad, 6)


def test_a_cut_is_a_number_of_steps():
    with pytest.raises(ValueError, match="truncate is a number of steps"):
        made().loss(xs(), ys(), truncate=0)


def test_a_mask_says_what_lengths_say():
    sequences = np.zeros((3, 2, 1))
    assert mask_of(None, sequences) is None
    told = mask_of(np.array([1, 3]), sequences)
    assert told.data.tolist() == masks([1, 3], 3).tolist()
    assert mask_of(masks([1, 3], 3), sequences).data.tolist() == told.data.tolist()
    assert mask_of(told, sequences) is told
    with pytest.raises(ValueError, match=r"bool \(3, 2\), got bool \(2, 2\)"):
        mask_of(np.ones((2, 2), bool), sequences)


def test_lengths_are_no_tensor():
    with pytest.raises(TypeError, match=r"no Tensor, .* write lengths=t\.data"):
        mask_of(mg.tensor([1, 3]), np.zeros((3, 2, 1)))


@pytest.mark.parametrize("read", ["last", -1, -2])
def test_with_lengths_no_state_beyond_an_end_is_read(read):
    xs, y = np.ones((7, 2, 2)), np.array([0, 1])
    model = Bidirectional(2, 3, 4, rng=np.random.default_rng(0), read=read)
    with pytest.raises(ValueError, match="with lengths"):
        model.loss(xs, y, lengths=[7, 3])
