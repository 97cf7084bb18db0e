"""Weights of PyTorch without PyTorch: its equations in NumPy, and what is refused."""

from functools import partial

import numpy as np
import pytest

from minigrad.exchange import from_torch, to_torch
from minigrad.models import Bidirectional, ManyToMany, ManyToOne
from minigrad.nn import Dropout, Embedding, LayerNorm, Linear, Module, Sequential
from minigrad.nn.cells import GRU, LSTM, Cell, Elman, MinGRU, Stack
from tests.exchange.twins import MAKES, layers_of, run

T, B, N, H = 6, 2, 3, 4
GATES = {"tanh": 1, "relu": 1, "lstm": 4, "gru": 3}
XS = np.random.default_rng(1).normal(size=(T, B, N))


def rng():
    return np.random.default_rng(0)


def state_of(kind, n_in=N, n_hidden=H, layers=1, ways=1, bias=True, dtype=float):
    """A state as PyTorch's documentation of its modules lays it out."""
    draw, rows, state = np.random.default_rng(2), GATES[kind] * n_hidden, {}
    for k in range(layers):
        for way in ("", "_reverse")[:ways]:
            columns = n_in if k == 0 else ways * n_hidden
            state[f"weight_ih_l{k}{way}"] = draw.normal(0, 0.4, (rows, columns))
            state[f"weight_hh_l{k}{way}"] = draw.normal(0, 0.4, (rows, n_hidden))
            if bias:
                state[f"bias_ih_l{k}{way}"] = draw.normal(0, 0.4, rows)
                state[f"bias_hh_l{k}{way}"] = draw.normal(0, 0.4, rows)
    return {key: array.astype(dtype) for key, array in state.items()}


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def step(kind, x, h, c, W_i, W_h, b_i, b_h):
    """One sequence's next h and c, in columns, as PyTorch's documentation says."""
    from_x, from_h = W_i @ x + b_i, W_h @ h + b_h
    if kind in ("tanh", "relu"):
        a = from_x + from_h
        return (np.tanh(a) if kind == "tanh" else np.maximum(a, 0)), c
    if kind == "lstm":
        i, f, g, o = np.split(from_x + from_h, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c
    (x_r, x_z, x_n), (h_r, h_z, h_n) = np.split(from_x, 3), np.split(from_h, 3)
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    return (1 - z) * np.tanh(x_n + r * h_n) + z * h, c


def reference(kind, state, xs):
    """All states of the top layer."""
    layers = 1 + max(int(key.split("_l")[1][0]) for key in state)
    ways = 2 if "weight_ih_l0_reverse" in state else 1
    rows = xs
    for k in range(layers):
        sides = []
        for way in ("", "_reverse")[:ways]:
            n = state[f"weight_hh_l{k}{way}"].shape[1]
            zeros = np.zeros(GATES[kind] * n)
            weights = [state[f"weight_{part}_l{k}{way}"] for part in ("ih", "hh")]
            biases = [
                state.get(f"bias_{part}_l{k}{way}", zeros) for part in ("ih", "hh")
            ]
            out = np.zeros((*rows.shape[:2], n))
            for b in range(rows.shape[1]):
                h, c = np.zeros(n), np.zeros(n)
                for t in reversed(range(T)) if way else range(T):
                    h, c = step(kind, rows[t, b], h, c, *weights, *biases)
                    out[t, b] = h
            sides.append(out)
        rows = np.concatenate(sides, axis=-1)
    return rows


CASES = [
    (kind, layers, ways, bias)
    for kind in MAKES
    for layers in (1, 3)
    for ways in (1, 2)
    for bias in (True, False)
]


@pytest.mark.parametrize(("kind", "layers", "ways", "bias"), CASES)
def test_the_states_are_those_of_the_equations(kind, layers, ways, bias):
    cells, module = layers_of(kind, N, H, layers, ways)
    state = state_of(kind, layers=layers, ways=ways, bias=bias)
    from_torch(module, state)
    np.testing.assert_allclose(
        run(cells, XS), reference(kind, state, XS), rtol=0, atol=1e-14
    )


@pytest.mark.parametrize(("kind", "layers", "ways", "bias"), CASES)
def test_what_goes_out_is_the_same_network(kind, layers, ways, bias):
    cells, module = layers_of(kind, N, H, layers, ways)
    state = state_of(kind, layers=layers, ways=ways, bias=bias)
    from_torch(module, state)
    out = to_torch(module)
    assert list(out) == list(state_of(kind, layers=layers, ways=ways))
    for key, array in out.items():
        assert array.flags.c_contiguous
        assert array.flags.writeable
        if key.startswith("weight"):
            np.testing.assert_array_equal(array, state[key])
    np.testing.assert_allclose(
        reference(kind, out, XS), run(cells, XS), rtol=0, atol=1e-14
    )


def test_the_bias_that_r_multiplies_stays_apart():
    cell, state = MAKES["gru"](N, H, rng=rng(), dtype=float), state_of("gru")
    from_torch(cell, state)
    np.testing.assert_array_equal(cell.br.data, state["bias_hh_l0"][2 * H :])
    out = to_torch(cell)
    np.testing.assert_array_equal(out["bias_hh_l0"][: 2 * H], 0)
    np.testing.assert_array_equal(out["bias_hh_l0"][2 * H :], cell.br.data)


class Net(Module):
    """An embedding, two layers, a read-out of two: as one writes it there too."""

    def __init__(self):
        self.embedding = Embedding(7, N, rng=rng())
        self.rnn = Stack([LSTM(N, H, rng=rng()), LSTM(H, H, rng=rng())])
        self.out = Sequential(Linear(H, H, rng=rng()), np.tanh, Linear(H, 2, rng=rng()))


def test_a_net_of_parts_has_the_paths_that_it_has_there():
    out = to_torch(Net())
    lstm = [f"{part}_l{k}" for k in (0, 1) for part in PARTS]
    assert list(out) == [
        "embedding.weight",
        *[f"rnn.{part}" for part in lstm],
        *["out.0.weight", "out.0.bias", "out.2.weight", "out.2.bias"],
    ]
    net, draw = Net(), np.random.default_rng(5)
    state = {k: draw.normal(size=a.shape).astype(np.float32) for k, a in out.items()}
    from_torch(net, state)
    np.testing.assert_array_equal(net.embedding.E.data, state["embedding.weight"])
    x = draw.normal(size=(5, H)).astype(np.float32)
    inner = np.tanh(x @ state["out.0.weight"].T + state["out.0.bias"])
    expected = inner @ state["out.2.weight"].T + state["out.2.bias"]
    np.testing.assert_allclose(net.out(x).data, expected, atol=1e-6)


PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def test_a_model_has_a_cell_and_a_read_out():
    model = ManyToOne(N, H, 2, rng=rng(), cell=MAKES["gru"])
    state = {f"rnn.{key}": a for key, a in state_of("gru", dtype=np.float32).items()}
    state |= {"V.weight": np.ones((2, H), np.float32), "V.bias": np.float32([1, 2])}
    from_torch(model, state)
    assert model.V.data.tolist() == np.ones((H, 2)).tolist()
    assert model.c.data.tolist() == [1, 2]
    expected = reference("gru", state_of("gru", dtype=np.float32), XS)[-1].sum(-1)
    o = model(XS.astype(np.float32)).data
    np.testing.assert_allclose(o, np.stack([expected + 1, expected + 2], -1), atol=1e-5)


def test_a_model_of_both_directions_is_one_module_there():
    model = Bidirectional(N, H, 2, rng=rng(), dtype=float, cell="lstm")
    state = {f"rnn.{key}": a for key, a in state_of("lstm", ways=2).items()}
    V, c = np.random.default_rng(3).normal(size=(2, 2 * H)), np.array([1.0, 2.0])
    from_torch(model, {**state, "V.weight": V, "V.bias": c})
    states = reference("lstm", state_of("lstm", ways=2), XS)
    np.testing.assert_allclose(model(XS).data, states @ V.T + c, atol=1e-13)
    assert list(to_torch(model)) == [*state, "V.weight", "V.bias"]


def test_a_layer_without_a_bias_asks_for_none():
    layer = Linear(2, 3, rng=rng(), bias=False)
    assert list(to_torch(layer)) == ["weight"]
    with pytest.raises(ValueError, match=r"bias: unknown"):
        from_torch(layer, {**to_torch(layer), "bias": np.zeros(3, np.float32)})


class Twice(Module):
    """One layer at two places."""

    def __init__(self):
        self.a = self.b = Linear(2, 2, rng=rng())


def test_one_layer_at_two_places_is_two_equal_ones_there():
    net = Twice()
    state = to_torch(net)
    assert list(state) == ["a.weight", "a.bias", "b.weight", "b.bias"]
    from_torch(net, state)
    state["b.weight"] = state["b.weight"] + 1
    before = net.a.W.data
    with pytest.raises(ValueError, match="W is one parameter of Twice, and two arrays"):
        from_torch(net, state)
    assert net.a.W.data is before


def without(*keys):
    return lambda state: {k: a for k, a in state.items() if k not in keys}


def changed(**arrays):
    return lambda state: {**state, **arrays}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without("bias_hh_l0"), r"bias_hh_l0: missing; where .* other is zeros"),
        (without("weight_hh_l0"), r"weight_hh_l0: missing$"),
        (
            lambda s: {k.replace("_hh_", "_h_"): a for k, a in s.items()},
            r"(?s)weight_hh_l0: missing; near it: weight_h_l0"
            r".*weight_h_l0: unknown; near it: weight_hh_l0",
        ),
        (
            lambda s: {k: a[:-1] for k, a in s.items()},
            r"weight_ih_l0: float64 \(16, 3\)",
        ),
        (
            lambda s: {k: a.astype(np.float32) for k, a in s.items()},
            r"in the state; make it with dtype=float32",
        ),
        (changed(weight_hr_l0=np.zeros((2, 4))), "weight_hr_l0: a projection"),
        (changed(bias_ih_l0=np.full(16, np.nan)), "bias_ih_l0: it has NaN"),
        (lambda s: state_of("lstm", layers=2), "weight_ih_l1: unknown"),
        (lambda s: state_of("lstm", ways=2), "weight_ih_l0_reverse: unknown"),
        (lambda s: state_of("gru"), r"\(16, 3\) here, float64 \(12, 3\) in the state"),
        (
            lambda s: {f"lstm.{k}": a for k, a in s.items()},
            "near it: lstm.weight_ih_l0",
        ),
    ],
)
def test_a_state_of_another_network_is_refused_whole(change, words):
    cell = LSTM(N, H, rng=rng(), dtype=float)
    before = cell.state_dict()
    with pytest.raises(ValueError, match=words) as error:
        from_torch(cell, change(state_of("lstm")))
    assert "not one of LSTM; nothing was loaded" in str(error.value)
    assert all(a is before[path] for path, a in cell.state_dict().items())


class Own(Cell):
    def forward(self, x, state):
        return state


class Gain(Module):
    def __init__(self):
        self.norm = LayerNorm(3)


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (
            GRU(N, H, rng=rng()),
            r"the cell: .* r after .*GRU\(\.\.\., reset_after=True\)",
        ),
        (ManyToMany(N, H, 2, rng=rng(), cell="gru"), "^rnn: PyTorch's GRU applies r"),
        (MinGRU(N, H, rng=rng()), "PyTorch has no MinGRU"),
        (Own(N, H), "PyTorch has no Own"),
        (Elman(N, H, rng=rng(), leak=0.5), "RNN has no leak"),
        (Elman(N, H, rng=rng(), leak="learnt"), "RNN has no leak"),
        (Elman(N, H, rng=rng(), skips=(2,)), "RNN has no skips"),
        (Elman(H, H, rng=rng(), U="identity"), 'RNN has no U="identity"'),
        (Elman(N, H, rng=rng(), activation="sigmoid"), "has tanh or relu"),
        (LSTM(N, H, rng=rng(), candidate="relu"), "candidate is tanh alone"),
        (
            GRU(N, H, rng=rng(), candidate="sigmoid", reset_after=True),
            "candidate is tanh alone",
        ),
        (
            Stack([Elman(N, H, rng=rng()), GRU(H, H, rng=rng())]),
            "^layer 1: PyTorch's G",
        ),
        (
            Stack([Elman(N, H, rng=rng()), LSTM(H, H, rng=rng())]),
            "cells: .* of one kind",
        ),
        (Stack([Elman(N, H, rng=rng()), Elman(H, 2, rng=rng())]), "one size"),
        (
            Bidirectional(
                N, H, 2, rng=rng(), cell=lambda *a, **k: Stack([Elman(*a, **k)])
            ),
            "rnn: two stacks, one each way.*a list of pairs of cells",
        ),
        (Gain(), "norm.gain is a parameter of its own"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_has_no_twin_is_named(module, words):
    with pytest.raises(ValueError, match=words):
        to_torch(module)
    with pytest.raises(ValueError, match=words):
        from_torch(module, {})


def test_what_is_no_state_or_no_module_is_said():
    with pytest.raises(TypeError, match=r"network.state_dict\(\) gives: got Linear"):
        from_torch(Linear(2, 2, rng=rng()), Linear(2, 2, rng=rng()))
    for nothing in (Dropout(0.5), None, [], np.ones(3)):
        with pytest.raises(TypeError, match=r"are those of a module.* has none"):
            to_torch(nothing)


class Bfloat:
    """A tensor of numbers that NumPy does not have, as PyTorch's answers."""

    dtype = "torch.bfloat16"

    def detach(self):
        return self

    cpu = detach

    def numpy(self):
        raise TypeError("Got unsupported ScalarType BFloat16")


def test_numbers_that_numpy_lacks_are_named():
    layer = Linear(2, 2, rng=rng())
    with pytest.raises(TypeError, match=r"weight holds torch.bfloat16.*float\(\)"):
        from_torch(layer, {**to_torch(layer), "weight": Bfloat()})


def test_a_partial_of_a_cell_serves_in_a_model():
    model = ManyToMany(
        N, H, 2, rng=rng(), cell=partial(GRU, reset_after=True), layers=2
    )
    assert len(to_torch(model)) == 10
