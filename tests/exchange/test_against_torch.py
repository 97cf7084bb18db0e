"""Weights of PyTorch against PyTorch itself, where it is installed."""

import re
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.exchange import from_torch, to_torch
from minigrad.nn import Embedding, Linear, Module, Sequential
from minigrad.nn.cells import LSTM, Stack
from minigrad.nn.recurrent import unroll
from tests.exchange.twins import MAKES, ROUNDING, layers_of, run

torch = pytest.importorskip("torch")
T, B, N, H = 9, 4, 3, 5


def theirs(kind, dtype, **options):
    torch.manual_seed(0)
    if kind in ("tanh", "relu"):
        net = torch.nn.RNN(N, H, nonlinearity=kind, **options)
    else:
        net = getattr(torch.nn, kind.upper())(N, H, **options)
    return net.to(getattr(torch, np.dtype(dtype).name))


def states(net, xs):
    return net(torch.from_numpy(xs))[0].detach().numpy()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("ways", [1, 2])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("kind", MAKES)
def test_both_compute_the_same_states_each_with_weights_of_the_other(
    kind, layers, ways, bias, dtype
):
    options = {"num_layers": layers, "bidirectional": ways == 2}
    net = theirs(kind, dtype, bias=bias, **options)
    cells, module = layers_of(kind, N, H, layers, ways, dtype)
    xs = np.random.default_rng(0).normal(size=(T, B, N)).astype(dtype)
    expected, atol = states(net, xs), ROUNDING[dtype]
    from_torch(module, net.state_dict())
    np.testing.assert_allclose(run(cells, xs), expected, rtol=0, atol=atol)
    back = theirs(kind, dtype, **options)
    back.load_state_dict({k: torch.from_numpy(a) for k, a in to_torch(module).items()})
    np.testing.assert_allclose(states(back, xs), expected, rtol=0, atol=atol)


class Net(Module):
    """Words to classes."""

    def __init__(self, rng):
        self.words = Embedding(11, N, rng=rng)
        self.rnn = Stack([LSTM(N, H, rng=rng), LSTM(H, H, rng=rng)])
        self.out = Sequential(Linear(H, H, rng=rng), mg.relu, Linear(H, 2, rng=rng))

    def forward(self, numbers):
        *_, (_, (h, *_)) = unroll(self.rnn, self.words(numbers))
        return self.out(h)


class Theirs(torch.nn.Module):
    """The same there."""

    def __init__(self):
        super().__init__()
        self.words = torch.nn.Embedding(11, N)
        self.rnn = torch.nn.LSTM(N, H, num_layers=2)
        layers = torch.nn.Linear(H, H), torch.nn.ReLU(), torch.nn.Linear(H, 2)
        self.out = torch.nn.Sequential(*layers)

    def forward(self, numbers):
        return self.out(self.rnn(self.words(numbers))[0][-1])


def test_a_whole_net_goes_in_and_out():
    torch.manual_seed(0)
    net, other = Net(np.random.default_rng(0)), Theirs()
    numbers = np.random.default_rng(1).integers(11, size=(T, B))
    from_torch(net, other.state_dict())
    expected = other(torch.from_numpy(numbers)).detach().numpy()
    np.testing.assert_allclose(net(numbers).data, expected, rtol=0, atol=4e-6)
    fresh = Theirs()
    fresh.load_state_dict({k: torch.from_numpy(a) for k, a in to_torch(net).items()})
    again = fresh(torch.from_numpy(numbers)).detach().numpy()
    np.testing.assert_allclose(again, expected, rtol=0, atol=4e-6)


def test_half_numbers_are_refused_by_name():
    net, layer = torch.nn.Linear(2, 3), Linear(2, 3, rng=np.random.default_rng(0))
    with pytest.raises(TypeError, match=r"weight holds torch.bfloat16"):
        from_torch(layer, net.bfloat16().state_dict())
    with pytest.raises(ValueError, match="float16"):
        from_torch(layer, net.half().state_dict())


def test_projections_are_refused_by_name():
    net = torch.nn.LSTM(N, H, proj_size=2)
    with pytest.raises(ValueError, match="weight_hr_l0: a projection"):
        from_torch(LSTM(N, H, rng=np.random.default_rng(0)), net.state_dict())


PAGE = Path(__file__).parents[2] / "docs" / "torch-weights.md"


def test_what_the_page_shows_of_pytorch_is_true(tmp_path, monkeypatch):
    """Both of its blocks, with the network that stands between them."""
    pytest.importorskip("safetensors")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(
        r"^```(\S+).*?\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S
    )
    shown = [code for kind, code in blocks if kind == "py"]
    ours = [code for kind, code in blocks if kind == "python"]
    names = {}
    for code in (ours[0], shown[0], ours[1], ours[2], shown[1]):
        exec(code, names)
    numbers = np.random.default_rng(0).integers(50, size=(7, 2))
    expected = names["theirs"](torch.from_numpy(numbers)).detach().numpy()
    found = names["net"](numbers).data
    back = names["fresh"](torch.from_numpy(numbers)).detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=4e-6)
    np.testing.assert_allclose(back, expected, rtol=0, atol=4e-6)
