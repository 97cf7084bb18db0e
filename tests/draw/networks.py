"""The graphs that the drawing tests draw: bare loops, as a user writes them."""

import numpy as np

import minigrad as mg


def _parameters(rng, sizes):
    return [
        mg.parameter(rng.normal(size=size) * 0.5, name=name)
        for name, size in sizes.items()
    ]


def many_to_many(length=5, batch=2):
    rng = np.random.default_rng(0)
    U, W, V = _parameters(rng, {"U": (3, 4), "W": (4, 4), "V": (4, 2)})
    b, c = _parameters(rng, {"b": (4,), "c": (2,)})
    xs = rng.normal(size=(length, batch, 3))
    ys = rng.integers(0, 2, size=(length, batch))
    h = mg.tensor(np.zeros((batch, 4)), name="h0")
    total = 0
    for _, x, y in mg.steps(x=xs, y=ys):
        h = mg.tanh(h @ W + x @ U + b).named("h")
        o = (h @ V + c).named("o")
        total = total + mg.cross_entropy(o, y).named("L")
    return total


def output_feedback(length=5, batch=2):
    rng = np.random.default_rng(1)
    U, W, V = _parameters(rng, {"U": (3, 4), "W": (2, 4), "V": (4, 2)})
    xs = rng.normal(size=(length, batch, 3))
    ys = rng.integers(0, 2, size=(length, batch))
    o = mg.tensor(np.zeros((batch, 2)), name="o0")
    total = 0
    for _, x, y in mg.steps(x=xs, y=ys):
        h = mg.tanh(o @ W + x @ U).named("h")
        o = (h @ V).named("o")
        total = total + mg.cross_entropy(o, y).named("L")
    return total


def many_to_one(length=5, batch=2):
    rng = np.random.default_rng(2)
    U, W, V = _parameters(rng, {"U": (3, 4), "W": (4, 4), "V": (4, 2)})
    (c,) = _parameters(rng, {"c": (2,)})
    h = mg.tensor(np.zeros((batch, 4)), name="h0")
    for _, x in mg.steps(rng.normal(size=(length, batch, 3))):
        h = mg.tanh(h @ W + x @ U).named("h")
    o = (h @ V + c).named("o")
    y = mg.tensor(rng.integers(0, 2, size=batch), name="y")
    return mg.cross_entropy(o, y).named("L")


def dynamical_system(length=3):
    rng = np.random.default_rng(3)
    (theta,) = _parameters(rng, {"θ": (3, 3)})
    s = mg.tensor(np.zeros(3), name="s0")
    for _, x in mg.steps(rng.normal(size=(length, 3))):
        s = mg.tanh(s @ theta + x).named("s")
    return s


def linear(scale, length=20, size=6):
    """h(t) = h(t-1) W with W a multiple of an orthogonal matrix, and one loss."""
    rng = np.random.default_rng(4)
    W = mg.parameter(scale * np.linalg.qr(rng.normal(size=(size, size)))[0], name="W")
    h = mg.tensor(np.zeros((1, size)), name="h0")
    for _, x in mg.steps(rng.normal(size=(length, 1, size))):
        h = (h @ W + x).named("h")
    return mg.sum(h * h).named("L")


def skip(length=6):
    """h(t) reads h(t-1) and h(t-2)."""
    rng = np.random.default_rng(5)
    U, W, R = _parameters(rng, {"U": (3, 4), "W": (4, 4), "R": (4, 4)})
    before = h = mg.tensor(np.zeros((2, 4)), name="h0")
    for _, x in mg.steps(rng.normal(size=(length, 2, 3))):
        before, h = h, mg.tanh(h @ W + before @ R + x @ U).named("h")
    return mg.sum(h)


def bidirectional(length=6):
    rng = np.random.default_rng(6)
    U, R = _parameters(rng, {"U": (3, 4), "R": (3, 4)})
    W, Q = _parameters(rng, {"W": (4, 4), "Q": (4, 4)})
    V, Z = _parameters(rng, {"V": (4, 2), "Z": (4, 2)})
    xs = mg.tensor(rng.normal(size=(length, 2, 3)), name="xs")
    h, g = (mg.tensor(np.zeros((2, 4)), name=name) for name in ("h0", "g0"))
    hs, gs = [], []
    for _, x in mg.steps(x=xs):
        h = mg.tanh(h @ W + x @ U).named("h")
        hs.append(h)
    for _, x in mg.steps(x=xs, reverse=True):
        g = mg.tanh(g @ Q + x @ R).named("g")
        gs.append(g)
    total = 0
    ys = mg.tensor(rng.integers(0, 2, size=(length, 2)), name="ys")
    for _, y, h, g in mg.steps(y=ys, h=hs, g=gs[::-1]):
        o = (h @ V + g @ Z).named("o")
        total = total + mg.cross_entropy(o, y).named("L")
    return total


def encoder_decoder(length=6, out=4):
    rng = np.random.default_rng(7)
    U, W, R, V = _parameters(rng, {"U": (3, 4), "W": (4, 4), "R": (4, 4), "V": (4, 2)})
    h = mg.tensor(np.zeros((2, 4)), name="h0")
    for _, x in mg.steps(x=rng.normal(size=(length, 2, 3))):
        h = mg.tanh(h @ W + x @ U).named("h")
    s, total = h, 0
    for _, y in mg.steps(y=rng.integers(0, 2, size=(out, 2))):
        s = mg.tanh(s @ R).named("s")
        o = (s @ V).named("o")
        total = total + mg.cross_entropy(o, y).named("L")
    return total


def one_to_many(length=4):
    rng = np.random.default_rng(8)
    U, W = _parameters(rng, {"U": (3, 4), "W": (4, 4)})
    x = mg.tensor(rng.normal(size=(2, 3)), name="x")
    h = mg.tensor(np.zeros((2, 4)), name="h0")
    for _ in mg.steps(length):
        h = mg.tanh(h @ W + x @ U).named("h")
    return mg.sum(h)


def lstm(length=4, layers=1):
    rng = np.random.default_rng(9)
    size, batch = 4, 2
    xs = mg.tensor(rng.normal(size=(length, batch, size)), name="xs")
    zero = np.zeros((batch, size))
    hs = [mg.tensor(zero, name=f"h{k}_0") for k in range(1, layers + 1)]
    cs = [mg.tensor(zero, name=f"c{k}_0") for k in range(1, layers + 1)]
    cells = [
        {
            g: _parameters(rng, {f"W_{g}{k}": (4, 4), f"U_{g}{k}": (4, 4)})
            for g in "ifog"
        }
        for k in range(1, layers + 1)
    ]
    for _, x in mg.steps(x=xs):
        below = x
        for k, cell in enumerate(cells):
            with mg.scope(f"lstm{k + 1}"):
                gate = {}
                for g, (W, U) in cell.items():
                    with mg.scope("gate"):
                        act = mg.tanh if g == "g" else mg.sigmoid
                        gate[g] = act(hs[k] @ W + below @ U)
                kept = gate["f"] * cs[k] + gate["i"] * gate["g"]
                cs[k] = kept.named(f"c{k + 1}")
                below = hs[k] = (gate["o"] * mg.tanh(cs[k])).named(f"h{k + 1}")
    return mg.sum(below).named("L")


def mlp():
    rng = np.random.default_rng(10)
    W1, W2 = _parameters(rng, {"W1": (3, 4), "W2": (4, 2)})
    b1, b2 = _parameters(rng, {"b1": (4,), "b2": (2,)})
    x = mg.tensor(rng.normal(size=(5, 3)), name="x")
    y = mg.tensor(rng.integers(0, 2, size=5), name="y")
    h = mg.relu(x @ W1 + b1).named("h")
    return mg.cross_entropy((h @ W2 + b2).named("o"), y).named("L")


def expression():
    a, b = (
        mg.tensor(v, name=n, requires_grad=True) for v, n in ((2.0, "a"), (3.0, "b"))
    )
    return (a * a + b) * mg.tanh(a - 2 * b)


def hessian_vector_product():
    a, b = (
        mg.tensor(v, name=n, requires_grad=True) for v, n in ((2.0, "a"), (3.0, "b"))
    )
    v = mg.tensor(1.0, name="v")
    return mg.hvp(mg.tanh(a * b) * a, [a], [v], create_graph=True)


def random_graph(nodes=2000, seed=11):
    """A graph without time in which each node reads two of the fifty before it."""
    rng = np.random.default_rng(seed)
    values = [mg.tensor(1.0, name="x", requires_grad=True)]
    while len(values) < nodes:
        a, b = (values[-1 - int(rng.integers(min(50, len(values))))] for _ in "ab")
        values.append(a + b if rng.integers(2) else a * 0.5 - b)
    return values[-1]


NETWORKS = {
    "many_to_many": many_to_many,
    "output_feedback": output_feedback,
    "many_to_one": many_to_one,
    "dynamical_system": dynamical_system,
    "skip": skip,
    "bidirectional": bidirectional,
    "encoder_decoder": encoder_decoder,
    "one_to_many": one_to_many,
    "lstm": lstm,
}
UNTIMED = {
    "mlp": mlp,
    "expression": expression,
    "hessian_vector_product": hessian_vector_product,
}
