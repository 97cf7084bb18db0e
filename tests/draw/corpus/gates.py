"""Cells with named gates, and loops that are hierarchies, pairs or sequences."""

import numpy as np

import minigrad as mg
from tests.draw.corpus.making import P, X, Y, loss, mean, zeros


def lstm(T=6):
    """All four gates are named."""
    told = ", ".join(f"U_{g} 3 4, W_{g} 4 4, b_{g} 4" for g in "figo")
    ps, V = P(told), P("V 4 2")
    h, c = zeros("h0 c0")
    ls = []
    for _, x, y in mg.steps(x=X(T), y=Y(T)):
        f, i, g, q = (
            x @ U + h @ W + b
            for U, W, b in zip(ps[::3], ps[1::3], ps[2::3], strict=True)
        )
        f, i = mg.sigmoid(f).named("f"), mg.sigmoid(i).named("i")
        g, q = mg.tanh(g).named("g"), mg.sigmoid(q).named("q")
        c = (f * c + i * g).named("c")
        h = (q * mg.tanh(c)).named("h")
        ls.append(loss((h @ V).named("o"), y))
    return mean(ls)


def lstm_with_peepholes(T=5):
    told = ", ".join(f"U_{g} 3 4, W_{g} 4 4" for g in "figo")
    ps, (pf, pi, po) = P(told), P("p_f 4, p_i 4, p_o 4")
    h, s = zeros("h0 s0")
    for _, x in mg.steps(x=X(T)):
        f, i, g, o = (x @ U + h @ W for U, W in zip(ps[::2], ps[1::2], strict=True))
        f = mg.sigmoid(f + pf * s).named("f")
        i = mg.sigmoid(i + pi * s).named("i")
        s = (f * s + i * mg.tanh(g)).named("s")
        o = mg.sigmoid(o + po * s).named("o")
        h = (o * mg.tanh(s)).named("h")
    return h.sum().named("L")


def lstm_in_slices(T=5):
    """Gates cut from one product, and nothing but the states named."""
    U, W = P("U 3 16, W 4 16")
    h, s = zeros("h0 s0")
    for _, x in mg.steps(x=X(T)):
        a = x @ U + h @ W
        f, i, o = (mg.sigmoid(a[:, k : k + 4]) for k in (0, 4, 12))
        s = (f * s + i * mg.tanh(a[:, 8:12])).named("s")
        h = (o * mg.tanh(s)).named("h")
    return h


def gru(T=6):
    Uz, Wz, Ur, Wr, U, W = P("U_z 3 4, W_z 4 4, U_r 3 4, W_r 4 4, U 3 4, W 4 4")
    h = zeros("h0")
    for _, x in mg.steps(x=X(T)):
        z = mg.sigmoid(x @ Uz + h @ Wz).named("z")
        r = mg.sigmoid(x @ Ur + h @ Wr).named("r")
        n = mg.tanh(x @ U + (r * h) @ W).named("n")
        h = ((1 - z) * h + z * n).named("h")
    return h


def gru_with_one_name(T=6):
    """Only h is named: every parameter is on an arrow of h."""
    Uz, Wz, Ur, Wr, U, W = P("U_z 3 4, W_z 4 4, U_r 3 4, W_r 4 4, U 3 4, W 4 4")
    h = zeros("h0")
    for _, x in mg.steps(x=X(T)):
        z, r = mg.sigmoid(x @ Uz + h @ Wz), mg.sigmoid(x @ Ur + h @ Wr)
        h = ((1 - z) * h + z * mg.tanh((r * (x @ U + h)) @ W)).named("h")
    return h.sum().named("L")


def hierarchy(T=6):
    """Three states, each reading the one below, the slowest coming back to all."""
    U, A, B, C = P("U 3 4, A 4 4, B 4 4, C 4 4")
    D, E, F = P("D 4 4, E 4 4, F 4 4")
    p, q, r = zeros("p0 q0 r0")
    for _, x in mg.steps(x=X(T)):
        before = r
        p = mg.tanh(x @ U + p @ A + before @ F).named("p")
        q = mg.tanh(p @ D + q @ B).named("q")
        r = mg.tanh(q @ E + r @ C).named("r")
    return r.sum().named("L")


def clockwork_by_mask(T=6):
    W1, W2, U1, U2, R = P("W1 4 4, W2 4 4, U1 3 4, U2 3 4, R 4 4")
    f, s = zeros("f0 s0")
    even = np.arange(1.0, T + 1).reshape(T, 1, 1) % 2
    for _, x, m in mg.steps(x=X(T), m=even):
        s = (m * mg.tanh(s @ W2 + x @ U2) + (1 - m) * s).named("s")
        f = mg.tanh(f @ W1 + x @ U1 + s @ R).named("f")
    return f


def clockwork(T=8):
    """The slow state ticks at every second step."""
    W1, W2, U1, U2, R = P("W1 4 4, W2 4 4, U1 3 4, U2 3 4, R 4 4")
    f, s = zeros("f0 s0")
    for t, x in mg.steps(x=X(T)):
        if t % 2 == 0:
            s = mg.tanh(s @ W2 + x @ U2).named("s")
        f = mg.tanh(f @ W1 + x @ U1 + s @ R).named("f")
    return f


def bidirectional(T=5):
    U, W, R, Q, V, Z = P("U 3 4, W 4 4, R 3 4, Q 4 4, V 4 2, Z 4 2")
    xs, hs, gs, ls = mg.tensor(X(T), name="xs"), [], [], []
    h, g = zeros("h0 g0")
    for _, x in mg.steps(x=xs):
        h = mg.tanh(x @ U + h @ W).named("h")
        hs.append(h)
    for _, x in mg.steps(x=xs, reverse=True):
        g = mg.tanh(x @ R + g @ Q).named("g")
        gs.append(g)
    for _, h, g, y in mg.steps(h=hs, g=gs[::-1], y=Y(T)):
        ls.append(loss((h @ V + g @ Z).named("o"), y))
    return mean(ls)


def bidirectional_of_two_layers(T=5):
    told = ", ".join(
        f"U{k} {n} 4, W{k} 4 4, R{k} {n} 4, Q{k} 4 4" for k, n in ((1, 3), (2, 8))
    )
    ps, V, ls = P(told), P("V 8 2"), []
    seq = mg.tensor(X(T), name="xs")
    for k in (1, 2):
        U, W, R, Q = ps[4 * k - 4 : 4 * k]
        (h, g), hs, gs = zeros(f"h{k}0 g{k}0"), [], []
        for _, x in mg.steps(x=seq):
            h = mg.tanh(x @ U + h @ W).named(f"h{k}")
            hs.append(h)
        for _, x in mg.steps(x=seq, reverse=True):
            g = mg.tanh(x @ R + g @ Q).named(f"g{k}")
            gs.append(g)
        seq = [
            mg.concatenate([a, b], axis=-1) for a, b in zip(hs, gs[::-1], strict=True)
        ]
    for _, r, y in mg.steps(r=seq, y=Y(T)):
        ls.append(loss((r @ V).named("o"), y))
    return mean(ls)


def attention(T=4, S=4):
    """A decoder that looks at all states of the encoder before each step."""
    U, W, A, B, V = P("U 3 4, W 4 4, A 4 4, B 4 4, V 4 2")
    Wa, Ua, va = P("W_a 4 4, U_a 4 4, v_a 4 1")
    h, hs, ls = zeros("h0"), [], []
    for _, x in mg.steps(x=X(T)):
        h = mg.tanh(x @ U + h @ W).named("h")
        hs.append(h)
    H, s = mg.stack(hs), zeros("s0")
    for _, y in mg.steps(y=Y(S)):
        e = (mg.tanh(s @ Wa + H @ Ua) @ va).named("e")
        a = mg.softmax(e, axis=0).named("α")
        c = (a * H).sum(axis=0).named("c")
        s = mg.tanh(s @ B + c @ A).named("s")
        ls.append(loss((s @ V).named("o"), y))
    return mean(ls)


def two_loops(T=4):
    """The second loop begins where the first ended, with the same W."""
    U, W, V = P("U 3 4, W 4 4, V 4 2")
    h, ls = zeros("h0"), []
    for _, x in mg.steps(x=X(T)):
        h = mg.tanh(x @ U + h @ W).named("h")
    for _, y in mg.steps(y=Y(T)):
        h = mg.tanh(h @ W).named("h")
        ls.append(loss((h @ V).named("o"), y))
    return mean(ls)


def encoder_decoder(T=6, S=4):
    U, W, R, V, C = P("U 3 4, W 4 4, R 4 4, V 4 2, C 4 4")
    h, ls = zeros("h0"), []
    for _, x in mg.steps(x=X(T)):
        h = mg.tanh(x @ U + h @ W).named("h")
    c, s = h, zeros("s0")
    for _, y in mg.steps(y=Y(S)):
        s = mg.tanh(s @ R + c @ C).named("s")
        ls.append(loss((s @ V).named("o"), y))
    return mean(ls)


def one_embedding(T=4, S=4):
    """One embedding for the encoder, the decoder and, transposed, the output."""
    E, W, R = P("E 7 4, W 4 4, R 4 4")
    h, ls = zeros("h0"), []
    for _, x in mg.steps(x=Y(T, 7)):
        h = mg.tanh(mg.embedding(E, x).named("e") + h @ W).named("h")
    s, before = h, mg.tensor(np.zeros(1, int), name="y0")
    for _, y in mg.steps(y=Y(S, 7)):
        s = mg.tanh(mg.embedding(E, before).named("d") + s @ R).named("s")
        ls.append(loss((s @ E.T).named("o"), y))
        before = y
    return mean(ls)


def nested(words=3, letters=3):
    """Letters within words: a loop in a loop."""
    U, W, A, B, V = P("U 3 4, W 4 4, A 4 4, B 4 4, V 4 2")
    data = np.random.default_rng(0).normal(size=(words, letters, 1, 3))
    s, ls = zeros("s0"), []
    for _, w, y in mg.steps(w=data, y=Y(words)):
        h = zeros("h0")
        for _, x in mg.steps(x=w):
            h = mg.tanh(x @ U + h @ W).named("h")
        s = mg.tanh(h @ A + s @ B).named("s")
        ls.append(loss((s @ V).named("o"), y))
    return mean(ls)


def truncated(T=6):
    """Back-propagation is cut before step 4."""
    U, W, V = P("U 3 4, W 4 4, V 4 2")
    h, ls = zeros("h0"), []
    for t, x, y in mg.steps(x=X(T), y=Y(T)):
        h = h.detach() if t == 4 else h
        h = mg.tanh(x @ U + h @ W).named("h")
        ls.append(loss((h @ V).named("o"), y))
    return mean(ls)


def losses_at_even_steps(T=6):
    U, W, V = P("U 3 4, W 4 4, V 4 2")
    h, ls = zeros("h0"), []
    for t, x, y in mg.steps(x=X(T), y=Y(T)):
        h = mg.tanh(x @ U + h @ W).named("h")
        if t % 2 == 0:
            ls.append(loss((h @ V).named("o"), y))
    return mean(ls)


def one_step_differs(T=5):
    U, W = P("U 3 4, W 4 4")
    h = zeros("h0")
    for t, x in mg.steps(x=X(T)):
        act = mg.sigmoid if t == 3 else mg.tanh
        h = act(x @ U + h @ W).named("h")
    return h.sum().named("L")
