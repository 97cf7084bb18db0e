"""Networks as they are written in a first course: by hand, in many ways."""

import numpy as np

import minigrad as mg
from tests.draw.corpus.making import P, X, Y, loss, mean, zeros

CELL = "U 3 4, W 4 4, V 4 2"


def words_as_names(T=5):
    U, W, V = P("input_weights 3 4, Wdrückung 4 4, out-put 4 2")
    h, ls = mg.tensor(np.zeros((1, 4)), name="estado inicial"), []
    for _, x, y in mg.steps(x=X(T), y=Y(T)):
        h = mg.tanh(x @ U + h @ W).named("estado oculto")
        ls.append(loss((h @ V).named("ŷ_logits"), y, "pérdida"))
    return mg.stack(ls).sum().named("J total")


def tied_by_index(T=5):
    """An embedding that an index picks from, and that gives the output too."""
    E, W = P("E 7 4, W 4 4")
    words = np.arange(T + 1)[:, None] % 7
    h, ls = zeros("h0"), []
    for _, x, y in mg.steps(x=words[:-1], y=words[1:]):
        h = mg.tanh(E[x].named("e") + h @ W).named("h")
        ls.append(loss((h @ E.T).named("o"), y))
    return mean(ls)


def detached_at_two_steps(T=6):
    U, W, V = P(CELL)
    h, ls = zeros("h0"), []
    for t, x, y in mg.steps(x=X(T), y=Y(T)):
        h = h.detach() if t in (3, 5) else h
        h = mg.tanh(x @ U + h @ W).named("h")
        ls.append(loss((h @ V).named("o"), y))
    return mean(ls)


def running_loss(T=4):
    """A sum that grows within the loop, and gets its name behind it."""
    U, W, V = P(CELL)
    h, total = zeros("h0"), 0.0
    for _, x, y in mg.steps(x=X(T), y=Y(T)):
        h = mg.tanh(x @ U + h @ W).named("h")
        total = total + mg.cross_entropy((h @ V).named("o"), y)
    return total.named("loss")


def renamed_at_the_end(T=4):
    """The last state is the code that a second loop begins with."""
    U, W, D, S = P("U 3 4, W 4 4, D 4 4, S 4 3")
    h, ls = zeros("h0"), []
    for _, x in mg.steps(x=X(T)):
        h = mg.tanh(x @ U + h @ W).named("h")
    s = h.named("z")
    for _, x in mg.steps(x=X(T)[::-1].copy()):
        s = mg.tanh(s @ D).named("s")
        ls.append((((s @ S).named("x̂") - x) ** 2).sum().named("L"))
    return mg.stack(ls).sum()


def own_or_given(T=5):
    """What is fed back is the target at some steps and the output at others."""
    W, U, V = P("W 2 4, U 3 4, V 4 2")
    fed, ls = zeros("y0", 2), []
    for t, x, y in mg.steps(x=X(T), y=X(T, 2)):
        h = mg.tanh(x @ U + fed @ W).named("h")
        o = (h @ V).named("o")
        ls.append(((o - y) ** 2).mean().named("L"))
        fed = o if t == 2 or t == 5 else y
    return mean(ls)


def attention_by_hand(T=4):
    U, W, D, Q, K, V = P("U 3 4, W 4 4, D 4 4, Q 4 4, K 4 4, V 8 2")
    h, hs, ls = zeros("h0"), [], []
    for _, x in mg.steps(x=X(T)):
        h = mg.tanh(x @ U + h @ W).named("h")
        hs.append(h)
    H = mg.concatenate(hs, axis=0).named("H")
    keys, s = (H @ K).named("k"), h
    for _, y in mg.steps(y=Y(3)):
        s = mg.tanh(s @ D).named("s")
        a = mg.softmax((s @ Q).named("q") @ keys.T, axis=-1).named("α")
        c = (a @ H).named("c")
        ls.append(loss((mg.concatenate([s, c], axis=1) @ V).named("o"), y))
    return mean(ls)


def both_ways_twice(T=4):
    """Two bidirectional layers, joined by lists, and so by steps of another loop."""
    xs, states = X(T), []
    for layer, n in (("1", 3), ("2", 8)):
        U, W, R, Z = P(f"U{layer} {n} 4, W{layer} 4 4, R{layer} {n} 4, Z{layer} 4 4")
        h, g = zeros(f"h{layer}_0 g{layer}_0")
        hs, gs = [], []
        for t in mg.steps(T):
            h = mg.tanh(xs[t - 1] @ U + h @ W).named(f"h{layer}")
            hs.append(h)
        for t in mg.steps(T, reverse=True):
            g = mg.tanh(xs[t - 1] @ R + g @ Z).named(f"g{layer}")
            gs.append(g)
        xs = [mg.concatenate(two, axis=1) for two in zip(hs, gs[::-1], strict=True)]
        states = xs
    return (mg.stack(states) ** 2).sum().named("L")


def given_context(T=4):
    R, W, E, V = P("R 3 4, W 4 4, E 2 4, V 4 2")
    x, ls = mg.tensor(X(1)[0], name="x"), []
    h = mg.tanh(x @ R).named("h0")
    for _, y in mg.steps(y=Y(T)):
        h = mg.tanh(x @ R + h @ W + E[y]).named("h")
        ls.append(loss((h @ V).named("o"), y))
    return mean(ls)


def outer_product_memory(T=4):
    U, W, K, R, V = P("U 3 4, W 4 4, W_k 4 4, W_v 4 4, V 4 2")
    h, M = zeros("h0"), mg.tensor(np.zeros((4, 4)), name="M0")
    for _, x in mg.steps(x=X(T)):
        h = mg.tanh(x @ U + h @ W).named("h")
        M = (0.9 * M + (h @ K).named("k").T @ (h @ R).named("v")).named("M")
        r = (h @ M).named("r")
    return ((r @ V) ** 2).sum().named("L")


def one_matrix_in_two_loops(T=4):
    U, W, V = P(CELL)
    h, ls = zeros("h0"), []
    for _, x in mg.steps(x=X(T)):
        h = mg.tanh(x @ U + h @ W).named("h")
    for _, y in mg.steps(y=Y(T)):
        h = mg.tanh(h @ W).named("s")
        ls.append(loss((h @ V).named("o"), y))
    return mean(ls)


def masked(T=5):
    U, W, V = P(CELL)
    h, ls, mask = zeros("h0"), [], (np.arange(T) < 3).reshape(T, 1, 1) * 1.0
    for _, x, y, m in mg.steps(x=X(T), y=Y(T), m=mask):
        n = mg.tanh(x @ U + h @ W).named("n")
        h = (m * n + (1 - m) * h).named("h")
        ls.append((mg.cross_entropy((h @ V).named("o"), y) * m.sum()).named("L"))
    return mg.stack(ls).sum() / mask.sum()


def normalised(T=4):
    """Layer normalisation by hand, and one mask of dropout for all steps."""
    U, W, V, gain = P("U 3 4, W 4 4, V 4 2, γ 4")
    h, ls, kept = zeros("h0"), [], np.array([[1.0, 0.0, 1.0, 1.0]]) / 0.75
    for _, x, y in mg.steps(x=X(T), y=Y(T)):
        a = (x @ U + h @ W).named("a")
        n = (a - a.mean(axis=1, keepdims=True)) / (a.std(axis=1, keepdims=True) + 1e-5)
        h = mg.tanh((n * gain).named("n") * kept).named("h")
        ls.append(loss((h @ V).named("o"), y))
    return mean(ls)


def residual_layers(T=4):
    Us, Ws = P("U1 3 4, U2 4 4, U3 4 4"), P("W1 4 4, W2 4 4, W3 4 4")
    V, hs, ls = P("V 4 2"), [*zeros("h1_0 h2_0 h3_0")], []
    for _, x, y in mg.steps(x=X(T), y=Y(T)):
        a = x
        for k in range(3):
            new = mg.tanh(a @ Us[k] + hs[k] @ Ws[k]).named(f"h{k + 1}")
            hs[k], a = new, new + a if k else new
        ls.append(loss((a @ V).named("o"), y))
    return mean(ls)


def penalised(T=4):
    U, W, V = P(CELL)
    h, ls = zeros("h0"), []
    for _, x, y in mg.steps(x=X(T), y=Y(T)):
        h = mg.tanh(x @ U + h @ W).named("h")
        ls.append(loss((h @ V).named("o"), y))
    return (mean(ls) + 0.01 * (W**2).sum().named("R")).named("J")


def counted_by_hand(T=3):
    """A loop of Python alone: each step has names of its own."""
    U, W, V = P(CELL)
    h, total = zeros("h0"), 0.0
    for t in range(1, T + 1):
        x = mg.tensor(X(1, seed=t)[0], name=f"x{t}")
        y = mg.tensor(Y(1)[0], name=f"y{t}")
        h = mg.tanh(x @ U + h @ W).named(f"h{t}")
        total = total + loss((h @ V).named(f"o{t}"), y, f"L{t}")
    return total.named("L")


def three_loops(T=4):
    """One matrix in three loops, each from where the one before it ended."""
    U, W, R = P("U 3 4, W 4 4, R 2 4")
    h = zeros("h0")
    for _, x in mg.steps(x=X(T)):
        h = mg.tanh(x @ U + h @ W).named("h")
    s = h
    for _, v in mg.steps(v=X(3, 2)):
        s = mg.tanh(v @ R + s @ W).named("s")
    q = s
    for _ in mg.steps(2):
        q = mg.tanh(q @ W).named("q")
    return q


def every_other_step(T=8):
    """A slow state is made at every second step, and read at all of them."""
    U, W, R, Q, C, V = P("U 3 4, W 4 4, R 3 4, Q 4 4, C 4 4, V 4 2")
    h, s, ls = *zeros("h0 s0"), []
    for t, x, y in mg.steps(x=X(T), y=Y(T)):
        if t % 2:
            s = mg.tanh(x @ R + s @ Q).named("s")
        h = mg.tanh(x @ U + h @ W + s @ C).named("h")
        ls.append(loss((h @ V).named("o"), y))
    return mean(ls)


def with_peepholes(T=5):
    """A gate that reads two states and the output before it."""
    U, W, A, R, V = P("U 3 4, W 4 4, A 4 4, R 2 4, V 4 2")
    (h, c), o, ls = zeros("h0 c0"), zeros("o0", 2), []
    for _, x, y in mg.steps(x=X(T), y=Y(T)):
        i = mg.sigmoid(x @ U + h @ W + c @ A + o @ R).named("i")
        c = (c + i * mg.tanh(x @ U)).named("c")
        h = (i * mg.tanh(c)).named("h")
        o = (h @ V).named("o")
        ls.append(loss(o, y))
    return mean(ls)


def attends_from_the_last(T=4):
    """A decoder that starts from the last state, and attends to all of them."""
    U, W, A, R, Q, V, E = P("U 3 4, W 4 4, A 4 4, R 4 4, Q 4 4, V 4 2, E 2 4")
    h, hs = zeros("h0"), []
    for _, x in mg.steps(x=X(T)):
        h = mg.tanh(x @ U + h @ W).named("h")
        hs.append(h)
    past, s, before, ls = mg.stack(hs), h, zeros("y0", 2), []
    for _, y in mg.steps(y=X(3, 2)):
        a = mg.softmax((past * (s @ A)).sum(axis=2), axis=0).named("α")
        c = (a[:, :, None] * past).sum(axis=0).named("c")
        s = mg.tanh(s @ R + c @ Q + before @ E).named("s")
        ls.append((((s @ V).named("o") - y) ** 2).sum().named("L"))
        before = y
    return mean(ls)


def read_each_other(T=3):
    """Two states that read each other's past by one matrix, and an output of both."""
    U, W, V = P(CELL)
    (h, g), ls = zeros("h0 g0"), []
    for _, x, y in mg.steps(x=X(T), y=Y(T)):
        h, g = mg.tanh(x @ U + g @ W).named("h"), mg.tanh(h @ W).named("g")
        ls.append(loss(((h + g) @ V).named("o"), y))
    return mean(ls)
