"""Cells against the book's equations written in NumPy."""

from functools import partial

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import Bidirectional, ManyToOne
from minigrad.nn.cells import GRU, LSTM, Cell, Elman, MinGRU, Stack, irnn, make_cell
from minigrad.nn.recurrent import unroll

B, N, H = 2, 3, 4


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def made(cell, **options):
    rng = np.random.default_rng(0)
    found = cell(N, H, rng=rng, dtype=np.float64, **options)
    for p in found.parameters():
        p.assign(rng.normal(size=p.shape))
    return found


def given(names):
    rng = np.random.default_rng(1)
    return rng.normal(size=(B, N)), [rng.normal(size=(B, H)) for _ in names]


def run(cell):
    x, state = given(cell.names)
    new = cell(mg.tensor(x), tuple(mg.tensor(s) for s in state))
    return x, state, [s.data for s in new]


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_elman(activation):
    cell = made(Elman, activation=activation)
    x, (h,), (new,) = run(cell)
    a = cell.b.data + h @ cell.W.data + x @ cell.U.data
    f = {"tanh": np.tanh, "relu": lambda a: np.maximum(a, 0), "sigmoid": sigmoid}
    np.testing.assert_allclose(new, f[activation](a))


def test_leaky_units():
    cell, plain = made(Elman, leak=0.25), made(Elman)
    x, (h,), (new,) = run(cell)
    np.testing.assert_allclose(new, 0.25 * h + 0.75 * run(plain)[2][0])
    learnt = made(Elman, leak="learnt")
    *_, (new,) = run(learnt)
    keep = sigmoid(learnt.a.data)
    v = np.tanh(learnt.b.data + h @ learnt.W.data + x @ learnt.U.data)
    np.testing.assert_allclose(new, keep * h + (1 - keep) * v)


def test_skips_read_the_state_of_that_many_steps_back():
    cell = made(Elman, skips=(3,))
    assert cell.names == ("h", "h", "h")
    x, state, new = run(cell)
    a = cell.b.data + state[0] @ cell.W.data + state[2] @ cell.W3.data
    np.testing.assert_allclose(new[0], np.tanh(a + x @ cell.U.data))
    np.testing.assert_allclose(new[1:], state[:-1])
    assert len({id(s) for s in cell.start(B)}) == 1


@pytest.mark.parametrize("candidate", ["tanh", "sigmoid"])
def test_lstm(candidate):
    cell = made(LSTM, candidate=candidate)
    x, (h, s), (new_h, new_s) = run(cell)
    a = cell.b.data + h @ cell.W.data + x @ cell.U.data
    f, g, q, c = np.split(a, 4, axis=1)
    squash = np.tanh if candidate == "tanh" else sigmoid
    expected = sigmoid(f) * s + sigmoid(g) * squash(c)
    np.testing.assert_allclose(new_s, expected)
    np.testing.assert_allclose(new_h, np.tanh(expected) * sigmoid(q))


def test_forget_gates_start_open():
    b = LSTM(N, H, rng=np.random.default_rng(0)).b.data
    assert b.tolist() == [1.0] * H + [0.0] * 3 * H


def test_gru():
    cell = made(GRU)
    x, (h,), (new,) = run(cell)
    a = sigmoid(cell.b.data + h @ cell.W.data + x @ cell.U.data)
    u, r = a[:, :H], a[:, H:]
    c = np.tanh(cell.bc.data + (r * h) @ cell.Wc.data + x @ cell.Uc.data)
    np.testing.assert_allclose(new, u * h + (1 - u) * c)


def test_gru_with_the_reset_after_the_product():
    cell = made(GRU, reset_after=True)
    x, (h,), (new,) = run(cell)
    ax, ah = cell.b.data + x @ cell.U.data, h @ cell.W.data
    u = sigmoid(ax[:, :H] + ah[:, :H])
    r = sigmoid(ax[:, H : 2 * H] + ah[:, H : 2 * H])
    c = np.tanh(ax[:, 2 * H :] + r * (ah[:, 2 * H :] + cell.br.data))
    np.testing.assert_allclose(new, u * h + (1 - u) * c)


def test_min_gru():
    cell = made(MinGRU)
    x, (h,), (new,) = run(cell)
    a = cell.b.data + x @ cell.U.data
    u = sigmoid(a[:, :H])
    np.testing.assert_allclose(new, u * h + (1 - u) * a[:, H:])


def test_irnn_starts_as_the_identity():
    cell = irnn(N, H, rng=np.random.default_rng(0))
    assert cell.W.data.tolist() == np.eye(H).tolist()
    assert cell.activation is mg.relu


def test_the_spectral_radius_of_w():
    W = Elman(N, H, rng=np.random.default_rng(0), W=0.5, dtype=np.float64).W.data
    np.testing.assert_allclose(np.abs(np.linalg.eigvals(W)).max(), 0.5)


def test_a_stack_hands_up():
    cell = make_cell("lstm", N, H, rng=np.random.default_rng(0), layers=2)
    assert cell.names == ("h2", "s2", "h1", "s1")
    start = cell.start(B)
    assert [s.name for s in start] == ["h20", "s20", "h10", "s10"]
    x = np.ones((B, N), np.float32)
    h2, s2, h1, s1 = cell(x, start)
    below = cell.layers[0](x, start[2:])
    np.testing.assert_array_equal(h1.data, below[0].data)
    np.testing.assert_array_equal(h2.data, cell.layers[1](below[0], start[:2])[0].data)
    assert s2.shape == s1.shape == (B, H)


def test_dropout_masks_keep_the_mean():
    rng = np.random.default_rng(0)
    cell = make_cell("gru", N, H, rng=rng, layers=2, dropout=0.25)
    masks = cell.noise(500, 20, rng)
    assert list(masks) == ["m1"]
    assert masks["m1"].dtype == np.float32
    np.testing.assert_allclose(masks["m1"].mean(), 1, atol=0.01)
    assert set(np.unique(masks["m1"]).round(4)) == {0, np.float32(1.3333)}


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (partial(make_cell, "rnn"), "cell is one of elman, lstm, gru, mingru"),
        (partial(make_cell, "gru", layers=0), "at least one layer"),
        (partial(make_cell, "gru", layers=2, dropout=1.0), "probability below 1"),
        (lambda *a, **k: Stack([]), "a Stack has one layer or more"),
        (partial(Elman, activation="step"), "activation is one of"),
        (partial(Elman, U="eye"), "U is"),
        (partial(Elman, W="random"), "W is one of"),
        (partial(Elman, skips=(1,)), "2 or more"),
        (partial(Elman, leak=1.0), "a leak lies"),
        (partial(Elman, leak="yes"), "leak is"),
    ],
)
def test_what_is_wrong_is_said(make, reason):
    with pytest.raises(ValueError, match=reason):
        make(n_in=N, n_hidden=H, rng=np.random.default_rng(0))


def test_layers_must_fit():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="4 units is read by one with n_in = 3"):
        Stack([Elman(N, 4, rng=rng), Elman(3, 4, rng=rng)])


@pytest.mark.parametrize(
    ("kind", "names", "paths"),
    [
        ("elman", ("h2", "h1"), ["layers.0.U", "layers.0.W", "layers.0.b"]),
        ("lstm", ("h2", "s2", "h1", "s1"), ["layers.0.U", "layers.0.W", "layers.0.b"]),
    ],
)
def test_stacked_layers_are_numbered_from_below(kind, names, paths):
    stack = make_cell(kind, 2, 3, rng=np.random.default_rng(0), layers=2)
    assert stack.names == names
    assert [s.name for s in stack.start(1)] == [f"{name}0" for name in names]
    found = [path for path, _ in stack.named_parameters()]
    assert found == paths + [path.replace("0", "1") for path in paths]


class Own(Cell):
    def __init__(self, n_in, n_hidden, *, rng, dtype=np.float32, gives="state"):
        if gives != "nothing":
            super().__init__(n_in, n_hidden, dtype)
        self.U = mg.parameter(np.ones((n_in, n_hidden), dtype))
        self.gives = gives

    def forward(self, x, state):
        h = state[0] + x @ self.U
        return {"state": (h,), "h": h, "two": (h, h), "flat": (h.sum(),)}[self.gives]


@pytest.mark.parametrize(
    ("gives", "reason"),
    [
        ("nothing", r"Own has no sizes: its __init__ begins with super\(\)"),
        ("h", r"a tuple of Tensors, one for each of its names \(h\): got Tensor"),
        ("two", r"got tuple of 2"),
        ("flat", r"makes h of shape \(\) from one of \(5, 3\)"),
    ],
)
def test_a_cell_of_ones_own_that_is_none(gives, reason):
    make = partial(Own, gives=gives)
    model = ManyToOne(2, 3, 2, rng=np.random.default_rng(0), cell=make)
    with pytest.raises((TypeError, ValueError), match=reason):
        model(np.ones((4, 5, 2), np.float32))


def test_what_is_no_state_of_a_cell():
    cell, h = LSTM(2, 3, rng=np.random.default_rng(0)), mg.tensor(np.zeros((5, 3)))
    xs = np.zeros((4, 5, 2), np.float32)
    said = r"LSTM takes a state, a tuple of 2 \(h, s\), as cell.start\(batch\) is: got "
    for call, given in (
        (lambda: cell(xs[0]), "NoneType"),
        (lambda: cell(xs[0], h), "Tensor"),
        (lambda: cell(xs[0], (h,)), "tuple of 1"),
        (lambda: list(unroll(cell, xs, h)), "Tensor"),
        (lambda: list(unroll(cell, xs, [h])), "list of 1"),
    ):
        with pytest.raises(TypeError, match=said + given):
            call()
    assert cell(xs[0], [h, h])[0].shape == (5, 3)


def test_a_cell_of_ones_own_serves_wherever_cells_do():
    rng, x = np.random.default_rng(0), np.ones((4, 5, 2), np.float32)
    for model in (
        ManyToOne(2, 3, 2, rng=rng, cell=Own),
        ManyToOne(2, 3, 2, rng=rng, cell=Own, layers=2, dropout=0.5),
        Bidirectional(2, 3, 2, rng=rng, cell=Own, read="ends"),
    ):
        loss = mg.compile(model.loss, strict=True)
        y = np.zeros(5, int)
        assert loss(x, y).item() == pytest.approx(model.loss(x, y).item(), rel=1e-5)


def test_a_cell_that_is_made_already():
    cell = LSTM(2, 3, rng=np.random.default_rng(0))
    with pytest.raises(TypeError, match="LSTM is made already: write cell=LSTM"):
        ManyToOne(2, 3, 2, rng=np.random.default_rng(0), cell=cell)
