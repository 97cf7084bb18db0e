"""Programs as users write them, each with what a fold or a rule may get wrong."""

import numpy as np

import minigrad as mg
from minigrad.models import ManyToMany

PROGRAMS = {}


def program(f):
    """A function of a generator, that gives a loss, and what it is derived by."""
    PROGRAMS[f.__name__] = lambda: f(np.random.default_rng(0))
    return f


def parameter(rng, name, *shape):
    return mg.parameter(rng.normal(size=shape) / 2, name=name)


def start(*shape, name="h0"):
    return mg.tensor(np.zeros(shape), name=name)


@program
def gates_cut_by_slices(rng):
    n = 3
    W, U = parameter(rng, "W", n, 4 * n), parameter(rng, "U", 2, 4 * n)
    b, h, s = parameter(rng, "b", 4 * n), start(2, n), start(2, n, name="s0")
    for _, x in mg.steps(rng.normal(size=(5, 2, 2))):
        z = b + h @ W + x @ U
        i, f, o, g = (z[:, k * n : (k + 1) * n] for k in range(4))
        s = (mg.sigmoid(f) * s + mg.sigmoid(i) * mg.tanh(g)).named("s")
        h = (mg.sigmoid(o) * mg.tanh(s)).named("h")
    return (h**2).mean()


@program
def one_matrix_at_four_places(rng):
    W, h, g = parameter(rng, "W", 3, 3), start(1, 3), start(1, 3, name="g0")
    for _, x in mg.steps(rng.normal(size=(4, 1, 3))):
        h = mg.tanh(h @ W + x @ W).named("h")
        g = mg.tanh(g @ W + h @ W.T).named("g")
    return (g * h).sum()


@program
def two_loops_of_one_length(rng):
    W, V, h, hs = parameter(rng, "W", 3, 3), parameter(rng, "V", 3, 3), start(1, 3), []
    for _, x in mg.steps(rng.normal(size=(4, 1, 3))):
        h = mg.tanh(h @ W + x).named("h")
        hs.append(h)
    g, losses = h, []
    for _, y in mg.steps(hs):
        g = mg.tanh(g @ V + y).named("g")
        losses.append((g * g).sum())
    return mg.stack(losses).mean()


@program
def two_loops_of_two_lengths(rng):
    W, V, h = parameter(rng, "W", 3, 3), parameter(rng, "V", 3, 3), start(1, 3)
    for _, x in mg.steps(rng.normal(size=(4, 1, 3))):
        h = mg.tanh(h @ W + x).named("h")
    c = (h * 1.5).named("c")
    s, losses = c, []
    for _ in mg.steps(6):
        s = mg.tanh(s @ V + c).named("s")
        losses.append((s * s).mean())
    return mg.add_n(losses)


@program
def delays_of_two_and_three(rng):
    W, W2, W3 = (parameter(rng, name, 2, 2) for name in ("W", "W2", "W3"))
    hs = [start(1, 2)] * 3
    for _, x in mg.steps(rng.normal(size=(9, 1, 2))):
        hs.append(mg.tanh(hs[-1] @ W + hs[-2] @ W2 + hs[-3] @ W3 + x).named("h"))
    return (hs[-1] ** 2).sum()


@program
def masks(rng):
    W, h, losses = parameter(rng, "W", 2, 2), start(3, 2), []
    m = np.arange(5)[:, None, None] < np.array([2, 5, 3])[:, None]
    for _, x, k in mg.steps(x=rng.normal(size=(5, 3, 2)), m=m):
        h = mg.where(k, mg.tanh(h @ W + x), h).named("h")
        losses.append((h * h).mean(-1))
    weights = mg.tensor(m[..., 0].astype(float), name="w")
    return (mg.stack(losses) * weights).sum() / weights.sum()


@program
def clip_relu_maximum(rng):
    W, h = parameter(rng, "W", 2, 2), mg.tensor(np.ones((3, 2)), name="h0")
    for _, x in mg.steps(rng.normal(size=(5, 3, 2))):
        h = mg.clip(h @ W + 2 * x, -1, 1).named("h")
    return mg.relu(h).sum() + mg.maximum(h, 0.1).sum()


@program
def attention_at_the_end(rng):
    W, Q = parameter(rng, "W", 2, 2), parameter(rng, "Q", 2, 2)
    h, hs = start(3, 2), []
    for _, x in mg.steps(rng.normal(size=(5, 3, 2))):
        h = mg.tanh(h @ W + x).named("h")
        hs.append(h)
    every = mg.stack(hs)
    a = mg.softmax((every @ Q * h).sum(-1), axis=0).named("a")
    c = (a[:, :, None] * every).sum(0).named("c")
    return (c * c).mean()


@program
def attention_at_every_step(rng):
    W, Q, R = (parameter(rng, name, 2, 2) for name in "WQR")
    h, hs, losses = start(3, 2), [], []
    for _, x in mg.steps(rng.normal(size=(5, 3, 2))):
        h = mg.tanh(h @ W + x).named("h")
        hs.append(h)
    every, s = mg.stack(hs).named("H"), h
    for _ in mg.steps(3):
        a = mg.softmax((every @ Q * s).sum(-1), axis=0).named("a")
        s = mg.tanh((a[:, :, None] * every).sum(0) @ R).named("s")
        losses.append((s**2).mean())
    return mg.stack(losses).sum()


@program
def einsum(rng):
    W, A, h = parameter(rng, "W", 2, 2), parameter(rng, "A", 2, 2, 2), start(3, 2)
    for _, x in mg.steps(rng.normal(size=(4, 3, 2))):
        a = mg.einsum("bi,ij->bj", h, W) + mg.einsum("bi,ijk,bj->bk", x, A, h)
        h = mg.tanh(a).named("h")
    return (h**2).sum()


@program
def bidirectional(rng):
    W, V = parameter(rng, "W", 2, 2), parameter(rng, "V", 2, 2)
    xs, h, g = mg.tensor(rng.normal(size=(5, 3, 2)), name="xs"), start(3, 2), None
    g, hs, gs, losses = start(3, 2, name="g0"), {}, {}, []
    for t, x in mg.steps(xs):
        h = hs[t] = mg.tanh(h @ W + x).named("h")
    for t, x in mg.steps(xs, reverse=True):
        g = gs[t] = mg.tanh(g @ V + x).named("g")
    both = {"a": [hs[t] for t in range(1, 6)], "b": [gs[t] for t in range(1, 6)]}
    for _, a, b in mg.steps(**both):
        losses.append((mg.concatenate([a, b], axis=-1) ** 2).sum().named("L"))
    return mg.stack(losses).mean()


@program
def a_learnt_start(rng):
    W, h = parameter(rng, "W", 2, 2), parameter(rng, "h0", 1, 2)
    for _, x in mg.steps(rng.normal(size=(5, 3, 2))):
        h = mg.tanh(h @ W + x).named("h")
    return (h**2).mean()


@program
def a_computed_start_and_no_names(rng):
    W, v = parameter(rng, "W", 2, 2), parameter(rng, "v", 1, 2)
    h = mg.tanh(v) * 2
    for _, x in mg.steps(rng.normal(size=(5, 1, 2))):
        h = mg.tanh(h @ W + x)
    return (h**2).mean()


@program
def truncation(rng):
    model = ManyToMany(2, 3, 2, rng=rng, dtype=np.float64)
    xs, ys = rng.normal(size=(6, 2, 2)), rng.integers(2, size=(6, 2))
    return model.loss(xs, ys, truncate=2)


@program
def lengths(rng):
    model = ManyToMany(2, 3, 2, rng=rng, dtype=np.float64, cell="gru")
    xs, ys = rng.normal(size=(6, 2, 2)), rng.integers(2, size=(6, 2))
    return model.loss(xs, ys, lengths=[3, 6])


@program
def nested_loops(rng):
    W, V, h = parameter(rng, "W", 2, 2), parameter(rng, "V", 2, 2), start(3, 2)
    for _, x in mg.steps(rng.normal(size=(4, 3, 2))):
        g = h
        for _, y in mg.steps(rng.normal(size=(3, 3, 2))):
            g = mg.tanh(g @ V + y).named("g")
        h = mg.tanh(h @ W + x + g).named("h")
    return (h**2).sum()


@program
def second_order(rng):
    W, h = parameter(rng, "W", 2, 2), mg.tensor(np.ones((1, 2)), name="h0")
    for _, x in mg.steps(rng.normal(size=(4, 1, 2))):
        h = mg.tanh(h @ W + x).named("h")
    loss = (h**2).sum()
    (slope,) = mg.grad(loss, [W], create_graph=True)
    return loss + (slope**2).sum()


@program
def columns(rng):
    W, U, b = parameter(rng, "W", 3, 3), parameter(rng, "U", 3, 2), None
    b, h, losses = parameter(rng, "b", 3), start(3), []
    for _, x in mg.steps(rng.normal(size=(4, 2))):
        h = mg.tanh(W @ h + U @ x + b).named("h")
        losses.append(h @ h)
    return mg.stack(losses).sum()


@program
def matrices_of_columns(rng):
    W, U, h = parameter(rng, "W", 3, 3), parameter(rng, "U", 3, 2), start(3, 4)
    for _, x in mg.steps(rng.normal(size=(4, 2, 4))):
        h = mg.tanh(W @ h + mg.concatenate([U[:2] @ x, U[2:] @ x])).named("h")
    return mg.softmax(h, axis=0)[0].sum()


@program
def vectors(rng):
    W, U, h = parameter(rng, "W", 3, 3), parameter(rng, "U", 2, 3), start(3)
    losses = []
    for _, x in mg.steps(rng.normal(size=(4, 2))):
        h = mg.tanh(h @ W + x @ U).named("h")
        losses.append(h @ h)
    return mg.stack(losses).mean()


def classes(rng, y, *more, **options):
    V, losses = parameter(rng, "V", 2, 3), []
    for _, x, k in mg.steps(x=rng.normal(size=(3, 2, 2)), y=np.array(y)):
        o = (x @ V).named("o")
        losses.append(mg.cross_entropy(o, k, *more, **options).named("L"))
    return mg.stack(losses).mean()


@program
def classes_of_which_some_are_ignored(rng):
    return classes(rng, [[0, 1], [-100, 2], [1, -100]])


@program
def classes_and_their_mean(rng):
    return classes(rng, [[0, 1], [2, 2], [1, 0]])


@program
def smoothed_and_weighted_classes(rng):
    w = parameter(rng, "w", 3)
    return classes(rng, [[0, 1], [2, 2], [1, 0]], w * w + 1, label_smoothing=0.1)


@program
def an_embedding_at_once(rng):
    E, W, h, losses = (
        parameter(rng, "E", 5, 3),
        parameter(rng, "W", 3, 3),
        start(2, 3),
        [],
    )
    for _, x in mg.steps(mg.embedding(E, rng.integers(5, size=(4, 2)))):
        h = mg.tanh(x + h @ W).named("h")
        losses.append((h * h).sum())
    return mg.add_n(losses)


@program
def rows_by_index(rng):
    xs, W = mg.tensor(rng.normal(size=(6, 2, 3)), name="X"), parameter(rng, "W", 3, 3)
    h = start(2, 3)
    for t in mg.steps(6):
        h = mg.tanh(xs[t - 1] + h @ W + xs[6 - t]).named("h")
    return h.sum()


@program
def rows_that_wrap_around(rng):
    xs, W = mg.tensor(rng.normal(size=(6, 2, 3)), name="X"), parameter(rng, "W", 3, 3)
    ys, h = xs @ W, start(2, 3)
    for t in mg.steps(6):
        h = mg.tanh(ys[t - 2] + h @ W).named("h")
    return h.sum()


@program
def a_product_before_the_loop(rng):
    xs, W = mg.tensor(rng.normal(size=(6, 2, 3)), name="X"), parameter(rng, "W", 3, 3)
    U, h = parameter(rng, "U", 3, 3), start(2, 3)
    for _, y in mg.steps(y=(xs @ U * 2 + 1).named("Y")):
        h = mg.tanh(y + h @ W).named("h")
    return h.mean()


@program
def norms(rng):
    W, g, b, h = parameter(rng, "W", 3, 3), parameter(rng, "g", 3), None, start(2, 3)
    b = parameter(rng, "b", 3)
    for _, x in mg.steps(rng.normal(size=(4, 2, 3))):
        n = mg.layer_norm(x + h @ W, g, b)
        h = n / (mg.sqrt((n * n).sum(-1, keepdims=True)) + 1) * n.sum(-1, keepdims=True)
        h = h.named("h")
    return (h**2).mean()


@program
def leaky_units(rng):
    W, a, h = parameter(rng, "W", 3, 3), parameter(rng, "α", 3), start(2, 3)
    for _, x in mg.steps(rng.normal(size=(4, 2, 3))):
        k = mg.sigmoid(a)
        h = (k * h + (1 - k) * mg.tanh(x + h @ W)).named("h")
    return (h**2).mean()


@program
def names_that_are_no_letters(rng):
    W, V = parameter(rng, "T", 3, 3), parameter(rng, "a b", 3, 3)
    h = start(2, 3, name="ĥ_0")
    for _, x in mg.steps(日=rng.normal(size=(4, 2, 3))):
        h = mg.tanh(x @ V + h @ W).named("$x^2_{%")
    return (h**2).sum().named("L_total")


@program
def a_long_chain_without_a_loop(rng):
    W, h = parameter(rng, "W", 3, 3), mg.tensor(rng.normal(size=(5, 3)), name="x")
    for _ in range(60):
        h = mg.tanh(h @ W)
    return h.mean()


@program
def what_would_double_at_every_line(rng):
    x = parameter(rng, "a", 3)
    for _ in range(60):
        x = x * 1.01 + x * x * 0.001
    return x.sum()


@program
def the_gradient_by_values(rng):
    W, h, hs = parameter(rng, "W", 3, 3), start(2, 3), []
    for _, x in mg.steps(rng.normal(size=(4, 2, 3))):
        h = mg.tanh(x + h @ W).named("h")
        hs.append(h)
    return (h**2).mean(), [hs[1], W]


@program
def the_gradient_by_inputs(rng):
    W = parameter(rng, "W", 3, 3)
    xs = mg.tensor(rng.normal(size=(4, 2, 3)), name="X", requires_grad=True)
    h = first = mg.tensor(np.zeros((2, 3)), name="h0", requires_grad=True)
    for _, x in mg.steps(xs):
        h = mg.tanh(x + h @ W).named("h")
    return (h**2).mean(), [xs, first, W]


@program
def a_choice_that_is_fed_back(rng):
    E, V = parameter(rng, "E", 4, 3), parameter(rng, "V", 3, 4)
    W, h, k = parameter(rng, "W", 3, 3), start(2, 3), mg.tensor([1, 2], name="k0")
    losses = []
    for _, y in mg.steps(y=rng.integers(4, size=(5, 2))):
        h = mg.tanh(E[k] + h @ W).named("h")
        o = h @ V
        k = mg.argmax(o, axis=-1)
        losses.append(mg.cross_entropy(o, y))
    return mg.stack(losses).mean()


@program
def the_number_before_this_one(rng):
    E, W, h = parameter(rng, "E", 4, 3), parameter(rng, "W", 3, 3), start(2, 3)
    before = mg.tensor([3, 0], name="i0")
    for _, i in mg.steps(i=rng.integers(4, size=(5, 2))):
        h = mg.tanh(E[before] + E[i] * 2.0 + h @ W).named("h")
        before = i
    return (h**2).mean()


@program
def elements_at_two_indices(rng):
    E, W, h = parameter(rng, "E", 4, 5), parameter(rng, "W", 3, 3), start(2, 3)
    several = {name: rng.integers(4, size=(5, 2)) for name in "ij"}
    for _, i, j in mg.steps(**several):
        h = mg.tanh(E[i, j][:, None] + h @ W).named("h")
    return (h**2).mean()


@program
def a_stack_of_matrices_that_all_steps_read(rng):
    W, V, h = parameter(rng, "W", 3, 3), parameter(rng, "V", 3, 3), start(2, 3)
    both = mg.stack([W, V, W * V])
    for _, x in mg.steps(rng.normal(size=(4, 2, 3))):
        h = mg.tanh(x + mg.einsum("bi,ijk,bk->bj", h, both, h)).named("h")
    return (h**2).mean()


def build(name):
    """The loss of a program, and what it is derived by: None for its parameters."""
    made = PROGRAMS[name]()
    return made if isinstance(made, tuple) else (made, None)
