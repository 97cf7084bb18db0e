"""One loop over time: inputs, states, skips, read-outs, starts, losses."""

import numpy as np

import minigrad as mg
from tests.draw.corpus.making import P, X, Y, loss, mean, target, zeros


def many_to_many(T=6, end=lambda o, y: loss(o, y)):
    U, W, V = P("U 3 4, W 4 4, V 4 2")
    h, ls = zeros("h0"), []
    for _, x, y in mg.steps(x=X(T), y=Y(T)):
        h = mg.tanh(x @ U + h @ W).named("h")
        ls.append(end((h @ V).named("o"), y))
    return mean(ls)


def many_to_one(T=6):
    U, W, V = P("U 3 4, W 4 4, V 4 2")
    h = zeros("h0")
    for _, x in mg.steps(x=X(T)):
        h = mg.tanh(x @ U + h @ W).named("h")
    return loss((h @ V).named("o"), target())


def with_biases(T=5):
    U, W, V, b, c = P("U 3 4, W 4 4, V 4 2, b 4, c 2")
    h, ls = zeros("h0"), []
    for _, x, y in mg.steps(x=X(T), y=Y(T)):
        h = mg.tanh(x @ U + h @ W + b).named("h")
        ls.append(loss((h @ V + c).named("o"), y))
    return mean(ls)


def swapped(T=5):
    """Two states that read each other: A and B change places at every step."""
    A, B, U = P("A 4 4, B 4 4, U 3 4")
    h, g = zeros("h0 g0")
    for _, x in mg.steps(x=X(T)):
        h, g = mg.tanh(g @ A + x @ U).named("h"), mg.tanh(h @ B).named("g")
    return (h + g).sum().named("L")


def mutual(T=6):
    """Two states, each with a loop of its own and one to the other."""
    A, B, C, D, U = P("A 4 4, B 4 4, C 4 4, D 4 4, U 3 4")
    h, g = zeros("h0 g0")
    for _, x in mg.steps(x=X(T)):
        h, g = mg.tanh(h @ A + g @ B + x @ U), mg.tanh(g @ C + h @ D)
        h, g = h.named("h"), g.named("g")
    return h + g


def narx(T=7):
    """The output comes back after 1, 2 and 3 steps, the input after none and one."""
    A1, A2, A3, B0, B1 = P("A1 2 2, A2 2 2, A3 2 2, B0 2 2, B1 2 2")
    past, before = [zeros("y0", 2)] * 3, zeros("x0", 2)
    for _, x in mg.steps(x=X(T, 2)):
        sums = past[0] @ A1 + past[1] @ A2 + past[2] @ A3
        y = mg.tanh(sums + x @ B0 + before @ B1).named("y")
        past, before = [y, *past[:2]], x
    return y


def skips(T=8):
    """Delays of 1, 2 and 4."""
    U, W, W2, W4 = P("U 3 4, W 4 4, W2 4 4, W4 4 4")
    past = [zeros("h0")] * 4
    for _, x in mg.steps(x=X(T)):
        h = mg.tanh(x @ U + past[0] @ W + past[1] @ W2 + past[3] @ W4).named("h")
        past = [h, *past[:3]]
    return h


def delay_two(T=7):
    U, W = P("U 3 4, W 4 4")
    past = [zeros("h0")] * 2
    for _, x in mg.steps(x=X(T)):
        past = [mg.tanh(x @ U + past[1] @ W).named("h"), past[0]]
    return past[0].sum().named("L")


def deep(T=8, layers=4):
    sizes = ", ".join(f"U{k} {4 if k else 3} 4, W{k} 4 4" for k in range(layers))
    ws, V = P(sizes), P("V 4 2")
    hs, ls = [zeros(f"h{k}0") for k in range(1, layers + 1)], []
    for _, x, y in mg.steps(x=X(T), y=Y(T)):
        for k in range(layers):
            x = mg.tanh(x @ ws[2 * k] + hs[k] @ ws[2 * k + 1]).named(f"h{k + 1}")
            hs[k] = x
        ls.append(loss((x @ V).named("o"), y))
    return mean(ls)


def residual(T=5):
    """The second layer and the output read what is below it, too."""
    U, W, A, B, V, K, R = P("U 3 4, W 4 4, A 4 4, B 4 4, V 4 2, K 3 2, R 4 2")
    h, g = zeros("h0 g0")
    ls = []
    for _, x, y in mg.steps(x=X(T), y=Y(T)):
        h = mg.tanh(x @ U + h @ W).named("h")
        g = (h + mg.tanh(h @ A + g @ B)).named("g")
        ls.append(loss((g @ V + h @ R + x @ K).named("o"), y))
    return mean(ls)


def jordan_elman(T=6):
    """The hidden state and the output both come back."""
    U, W, V, Q = P("U 3 4, W 4 4, V 4 2, Q 2 4")
    h, o, ls = zeros("h0"), zeros("o0", 2), []
    for _, x, y in mg.steps(x=X(T), y=Y(T)):
        h = mg.tanh(x @ U + h @ W + o @ Q).named("h")
        o = (h @ V).named("o")
        ls.append(loss(o, y))
    return mean(ls)


def teacher_forcing(T=6):
    U, W, V = P("U 3 4, W 2 4, V 4 2")
    before, ls = zeros("y0", 2), []
    for _, x, y in mg.steps(x=X(T), y=X(T, 2, 3)):
        h = mg.tanh(x @ U + before @ W).named("h")
        ls.append((((h @ V).named("o") - y) ** 2).mean().named("L"))
        before = y
    return mean(ls)


def teacher_and_mask(T=6):
    U, W, V = P("U 3 4, W 2 4, V 4 2")
    before, ls, last = zeros("y0", 2), [], np.ones((T, 1))
    last[-1] = 0
    for _, x, y, m in mg.steps(x=X(T), y=X(T, 2, 3), m=last):
        o = (mg.tanh(x @ U + before @ W).named("h") @ V).named("o")
        ls.append((((o - y) ** 2).sum(axis=-1) * m).named("L"))
        before = y
    return mg.stack(ls).sum()


def two_losses(T=5):
    U, W, V, Q = P("U 3 4, W 4 4, V 4 2, Q 4 3")
    h, a, b = zeros("h0"), [], []
    for _, x, y in mg.steps(x=X(T), y=Y(T)):
        h = mg.tanh(x @ U + h @ W).named("h")
        a.append(loss((h @ V).named("o"), y, "L_cls"))
        b.append((((h @ Q).named("r") - x) ** 2).mean().named("L_rec"))
    return (mean(a) + 0.1 * mean(b)).named("J")


def three_inputs(T=5):
    U, A, B, W, V = P("U 3 4, A 2 4, B 1 4, W 4 4, V 4 2")
    h, ls = zeros("h0"), []
    for _, x, u, w, y in mg.steps(x=X(T), u=X(T, 2, 5), w=X(T, 1, 6), y=Y(T)):
        h = mg.tanh(x @ U + u @ A + w @ B + h @ W).named("h")
        ls.append(loss((h @ V).named("o"), y))
    return mean(ls)


def two_from_outside(T=5):
    """Two inputs that are made outside of the loop."""
    U, W, C, D = P("U 3 4, W 4 4, C 2 4, D 2 4")
    h, a, d = zeros("h0"), zeros("a", 2), zeros("d", 2)
    for _, x in mg.steps(x=X(T)):
        h = mg.tanh(x @ U + h @ W + a @ C + d @ D).named("h")
    return h.sum().named("L")


def one_to_many(T=6):
    R, W, V = P("R 3 4, W 4 4, V 4 2")
    x, h, ls = mg.tensor(X(1)[0], name="x"), zeros("h0"), []
    for _, y in mg.steps(y=Y(T)):
        h = mg.tanh(x @ R + h @ W).named("h")
        ls.append(loss((h @ V).named("o"), y))
    return mean(ls)


def computed_start(T=6):
    Q, W, V = P("Q 3 4, W 4 4, V 4 2")
    h, ls = mg.tanh(mg.tensor(X(1)[0], name="x") @ Q).named("h0"), []
    for _, y in mg.steps(y=Y(T)):
        h = mg.tanh(h @ W).named("h")
        ls.append(loss((h @ V).named("o"), y))
    return mean(ls)


def learned_start(T=6):
    U, W, V, h = P("U 3 4, W 4 4, V 4 2, h0 1 4")
    ls = []
    for _, x, y in mg.steps(x=X(T), y=Y(T)):
        h = mg.tanh(x @ U + h @ W).named("h")
        ls.append(loss((h @ V).named("o"), y))
    return mean(ls)


def mean_read_out(T=6):
    U, W, V = P("U 3 4, W 4 4, V 4 2")
    h, hs = zeros("h0"), []
    for _, x in mg.steps(x=X(T)):
        h = mg.tanh(x @ U + h @ W).named("h")
        hs.append(h)
    m = mg.stack(hs).mean(axis=0).named("m")
    return loss((m @ V).named("o"), target())


def backwards(T=5):
    U, W, V = P("U 3 4, W 4 4, V 4 2")
    g, ls = zeros("g0"), []
    for _, x, y in mg.steps(x=X(T), y=Y(T), reverse=True):
        g = mg.tanh(x @ U + g @ W).named("g")
        ls.append(loss((g @ V).named("o"), y))
    return mean(ls)


def tied(T=6):
    """The output is read by Uᵀ."""
    U, W = P("U 3 4, W 4 4")
    h, ls = zeros("h0"), []
    for _, x, y in mg.steps(x=X(T), y=X(T, 3, 4)):
        h = mg.tanh(x @ U + h @ W).named("h")
        ls.append((((h @ U.T).named("o") - y) ** 2).mean().named("L"))
    return mean(ls)


def twice(T=5):
    """W three times in each step."""
    W, h = P("W 4 4"), zeros("h0")
    for _, x in mg.steps(x=X(T, 4)):
        h = mg.tanh(mg.tanh(h @ W) @ W + x @ W).named("h")
    return h


def dropout(T=5):
    U, W, V = P("U 3 4, W 4 4, V 4 2")
    h, ls = zeros("h0"), []
    kept = (np.random.default_rng(7).random((T, 1, 4)) > 0.3) / 0.7
    for _, x, y, m in mg.steps(x=X(T), y=Y(T), m=kept):
        h = (m * mg.tanh(x @ U + h @ W)).named("h")
        ls.append(loss((h @ V).named("o"), y))
    return mean(ls)


def one_mask(T=5):
    """One mask for all steps."""
    U, W, V = P("U 3 4, W 4 4, V 4 2")
    h, ls, m = zeros("h0"), [], mg.tensor(np.ones((1, 4)), name="m")
    for _, x, y in mg.steps(x=X(T), y=Y(T)):
        h = mg.tanh(x @ U + (h * m) @ W).named("h")
        ls.append(loss((h @ V).named("o"), y))
    return mean(ls)


def layer_norm(T=6):
    U, W, V, g, b = P("U 3 4, W 4 4, V 4 2, γ 4, β 4")
    h, ls = zeros("h0"), []
    for _, x, y in mg.steps(x=X(T), y=Y(T)):
        a = (x @ U + h @ W).named("a")
        h = mg.tanh(mg.layer_norm(a) * g + b).named("h")
        ls.append(loss((h @ V).named("o"), y))
    return mean(ls)


def echo(T=10):
    """W and U are fixed: inputs, not parameters."""
    rng = np.random.default_rng(0)
    W = mg.tensor(rng.normal(size=(4, 4)) * 0.2, name="W")
    U = mg.tensor(rng.normal(size=(3, 4)), name="U")
    V, h, ls = P("V 4 1"), zeros("h0"), []
    for _, x, y in mg.steps(x=X(T), y=X(T, 1, 2)):
        h = (0.3 * h + 0.7 * mg.tanh(x @ U + h @ W)).named("h")
        ls.append((((h @ V).named("o") - y) ** 2).mean().named("L"))
    return mean(ls)


def hopfield(T=6):
    W, x = P("W 6 6"), mg.tensor(np.ones((1, 6)), name="s0")
    for _ in mg.steps(T):
        x = mg.tanh(x @ W * 4.0).named("s")
    return (-0.5 * (x @ W * x).sum()).named("E")


def lookahead(T=6):
    """x(t+1) is seen, too."""
    U, N, W = P("U 3 4, N 3 4, W 4 4")
    xs, h = mg.tensor(X(T + 1), name="xs"), zeros("h0")
    for _, x, z in mg.steps(x=xs[:-1], z=xs[1:]):
        h = mg.tanh(x @ U + z @ N + h @ W).named("h")
    return h


def lattice(T=5):
    """Scalar states in a row, as in CTC."""
    a = [mg.tensor(0.0, name=f"a{k}0") for k in (1, 2, 3)]
    for _, e in mg.steps(e=np.random.default_rng(0).normal(size=(T, 3))):
        new = [a[0] + e[0]]
        for k in (1, 2):
            new.append(mg.logsumexp(mg.stack([a[k - 1], a[k]])) + e[k])
        a = [v.named(f"a{k + 1}") for k, v in enumerate(new)]
    return a[2]


def memory(T=5):
    """A memory matrix that is written and read, as in a Turing machine."""
    U, W, K, E, R, V = P("U 3 4, W 4 4, K 4 3, E 4 3, R 3 4, V 3 2")
    h, r, M = zeros("h0"), zeros("r0", 3), mg.tensor(np.ones((5, 3)) * 0.1, name="M0")
    ls = []
    for _, x, y in mg.steps(x=X(T), y=Y(T)):
        h = mg.tanh(x @ U + h @ W + r @ R).named("h")
        a = mg.softmax(M @ (h @ K).T, axis=0).named("a")
        M = (M + a @ (h @ E)).named("M")
        r = (a.T @ M).named("r")
        ls.append(loss((r @ V).named("o"), y))
    return mean(ls)


def linear_attention(T=5):
    Q, K, V = P("Q 3 4, K 3 4, V 3 4")
    S = mg.tensor(np.zeros((4, 4)), name="S0")
    for _, x in mg.steps(x=X(T)):
        q, k, v = (x @ Q).named("q"), (x @ K).named("k"), (x @ V).named("v")
        S = (S + k.T @ v).named("S")
        z = (q @ S).named("z")
    return z


def language_model(T=6):
    """The largest parameter is an embedding."""
    E, W, V = P("E 7 4, W 4 4, V 4 7")
    h, ls = zeros("h0"), []
    for _, x, y in mg.steps(x=Y(T, 7), y=Y(T, 7)):
        h = mg.tanh(mg.embedding(E, x) + h @ W).named("h")
        ls.append(loss((h @ V).named("o"), y))
    return mean(ls)


def taken(T=5):
    """A matrix whose rows are taken at each step."""
    (E, W), h = P("E 7 4, W 4 4"), zeros("h0")
    for _, x in mg.steps(x=Y(T, 7)):
        h = mg.tanh(mg.take(E, x, axis=0).named("e") + h @ W).named("h")
    return h.sum().named("L")
