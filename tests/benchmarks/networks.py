"""The networks of the bench for any library: the four cases, and other work.

A network is a function of a library, its parameters by name, and its data; it gives the
loss. ``other`` makes the parameters and the data of the other work.
"""

import numpy as np

from tests.benchmarks.cases import gates


def elman(lib, p, h, x):
    return lib.tanh(p["b"] + x @ p["U"] + h @ p["W"])


def lstm(lib, p, state, x):
    h, s = state
    n = h.shape[1]
    a = p["b"] + h @ p["W"] + x @ p["U"]
    gates = lib.sigmoid(a[:, : 3 * n])
    f, g, q = gates[:, :n], gates[:, n : 2 * n], gates[:, 2 * n :]
    s = f * s + g * lib.tanh(a[:, 3 * n :])
    return q * lib.tanh(s), s


def case(name):
    """The network of a case; a state is (h,), (h, s) or (o,)."""
    loss_per_step = name.endswith("a loss per step")

    def network(lib, p, xs, ys):
        batch, n = xs.shape[1], p["V"].shape[0]

        def body(state, x, y=None):
            if name == "output feedback":
                o = p["c"] + elman(lib, p, state, x) @ p["V"]
                return o, o
            if name == "LSTM":
                return lstm(lib, p, state, x), None
            h = elman(lib, p, state, x)
            if name == "many-to-one":
                return h, None
            o = p["c"] + h @ p["V"]
            return h, lib.cross_entropy(o, y) if loss_per_step else o

        start = lib.zeros(batch, p["W"].shape[0])
        if gates(name) == 4:
            start = start, lib.zeros(batch, n)
        if loss_per_step:
            return lib.scan(body, start, x=xs, y=ys)[1].mean()
        last, os = lib.scan(body, start, x=xs)
        if os is None:
            h = last[0] if name == "LSTM" else last
            os = p["c"] + h @ p["V"]
        return lib.cross_entropy(os, ys)

    return network


# ------------------------------------------------------------------ other work


def mlp(lib, p, x, y):
    return lib.cross_entropy(lib.relu(x @ p["U"] + p["b"]) @ p["V"] + p["c"], y)


def convolution(lib, p, x, y):
    h = lib.relu(lib.conv1d(x, p["U"]) + p["b"][:, None])
    h = lib.relu(lib.conv1d(h, p["W"]))
    return lib.cross_entropy(h.mean(2) @ p["V"] + p["c"], y)


def over_time(cell):
    """A network with one output, that of its last state."""

    def network(lib, p, xs, y, *more):
        start = lib.zeros(xs.shape[1], p["V"].shape[0])
        given = dict(zip("xm", (xs, *more), strict=False))
        h, _ = lib.scan(lambda h, *v: (cell(lib, p, h, *v), None), start, **given)
        return lib.cross_entropy(h @ p["V"] + p["c"], y)

    return network


def embedded(lib, p, index, y):
    return over_time(elman)(lib, p, lib.embedding(p["E"], index), y)


def normalised(lib, p, h, x):
    return lib.tanh(lib.layer_norm(x @ p["U"] + h @ p["W"], p["gain"], p["b"]))


def gru(lib, p, h, x):
    n = h.shape[1]
    gates = lib.sigmoid(p["b"] + h @ p["W"] + x @ p["U"])
    u, r = gates[:, :n], gates[:, n:]
    return u * h + (1 - u) * lib.tanh(p["bc"] + (r * h) @ p["Wc"] + x @ p["Uc"])


def masked(lib, p, h, x, m):
    return lib.where(m[:, None], elman(lib, p, h, x), h)


def attention(lib, p, x, y):
    q, k, v = x @ p["Q"], x @ p["K"], x @ p["U"]
    scores = q @ lib.swapaxes(k, 1, 2) / k.shape[-1] ** 0.5
    return lib.cross_entropy((lib.softmax(scores) @ v).mean(1) @ p["V"] + p["c"], y)


def bilstm(lib, p, xs, ys):
    batch, n = xs.shape[1], p["V"].shape[0] // 2
    zero = lib.zeros(batch, n)

    def direction(xs, layer):
        own = {k: p[f"{k}{layer}"] for k in "UWb"}

        def body(state, x):
            state = lstm(lib, own, state, x)
            return state, state[0]

        return lib.scan(body, (zero, zero), x=xs)[1]

    for layer in "12":
        forth = direction(xs, layer + "f")
        back = lib.flip(direction(lib.flip(xs, 0), layer + "b"), 0)
        xs = lib.concatenate([forth, back], -1)
    return lib.cross_entropy(xs @ p["V"] + p["c"], ys)


def other(name, dtype="float32"):
    """Network, parameters by name, and data of an entry of OTHER."""
    network, shapes, *data = OTHER[name]
    rng = np.random.default_rng(0)
    made = {}
    for key, shape in shapes.items():
        fan_in = np.prod(shape[1:]) if name == "conv1d" else shape[0]
        scale = 0.5 if len(shape) == 1 else fan_in**-0.5
        made[key] = (rng.normal(size=shape) * scale).astype(dtype)
    arrays = []
    for what, *shape in data:
        if what == "numbers":
            arrays.append(rng.normal(size=shape).astype(dtype))
        elif what == "mask":
            lengths = rng.integers(1, shape[0] + 1, shape[1])
            arrays.append(np.arange(shape[0])[:, None] < lengths)
        else:
            arrays.append(rng.integers(what, size=shape))
    return network, made, arrays


_READ = {"V": (64, 10), "c": (10,)}
_ELMAN = {"U": (32, 64), "W": (64, 64), "b": (64,)} | _READ
_XS = ("numbers", 50, 16, 32)
_LAYERS = {
    f"{k}{layer}{way}": shape
    for layer, n_in in (("1", 32), ("2", 128))
    for way in "fb"
    for k, shape in {"U": (n_in, 256), "W": (64, 256), "b": (256,)}.items()
}
OTHER = {
    "MLP": (
        mlp,
        {"U": (784, 256), "b": (256,), "V": (256, 10), "c": (10,)},
        ("numbers", 64, 784),
        (10, 64),
    ),
    "conv1d": (
        convolution,
        {"U": (16, 4, 5), "b": (16,), "W": (16, 16, 5), "V": (16, 10), "c": (10,)},
        ("numbers", 16, 4, 100),
        (10, 16),
    ),
    "embedding": (
        embedded,
        _ELMAN | {"E": (10_000, 32)},
        (10_000, 50, 16),
        (10, 16),
    ),
    "LayerNorm": (over_time(normalised), _ELMAN | {"gain": (64,)}, _XS, (10, 16)),
    "GRU": (
        over_time(gru),
        {"U": (32, 128), "W": (64, 128), "b": (128,)}
        | {"Uc": (32, 64), "Wc": (64, 64), "bc": (64,)}
        | _READ,
        _XS,
        (10, 16),
    ),
    "masked": (over_time(masked), _ELMAN, _XS, (10, 16), ("mask", 50, 16)),
    "attention": (
        attention,
        {"Q": (64, 64), "K": (64, 64), "U": (64, 64)} | _READ,
        ("numbers", 16, 50, 64),
        (10, 16),
    ),
    "BiLSTM": (bilstm, _LAYERS | {"V": (128, 10), "c": (10,)}, _XS, (10, 50, 16)),
}
