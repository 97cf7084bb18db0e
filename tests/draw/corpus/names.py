"""One network under many names: none, repeated, long, Greek, LaTeX, hostile."""

import numpy as np

import minigrad as mg
from tests.draw.corpus.making import P, X, Y, loss, mean, zeros


def called(U, W, V, x, y, h, o, L, start="h0", T=5):
    """The plain many-to-many network with these names."""
    ps = [
        mg.parameter(p.data, name=name)
        for p, name in zip(P("U 3 4, W 4 4, V 4 2"), (U, W, V), strict=True)
    ]
    state, ls = mg.tensor(np.zeros((1, 4)), name=start), []
    for _, a, b in mg.steps(**{x: X(T), y: Y(T)}):
        state = mg.tanh(a @ ps[0] + state @ ps[1]).named(h)
        ls.append(mg.cross_entropy((state @ ps[2]).named(o), b).named(L))
    return mean(ls)


def greek(T=5):
    return called("α", "β", "Γ_out", "φ", "ψ", "ξ", "ŷ", "ℒ", "ξ0", T)


def subscripts(T=5):
    names = ("W_xh", "W_hh", "W_hy", "x_in", "y_true", "h_enc", "y_pred", "L_t")
    return called(*names, "h_t0", T)


def latex(T=5):
    names = (r"W^{(1)}", r"\mathbf{W}_{hh}", "$V$", "x", "y", r"\vec{h}", r"\hat{y}")
    return called(*names, r"\mathcal{L}", "h_0", T)


def long_names(T=5):
    return called(
        "input_to_hidden_weights",
        "recurrent_weights",
        "hidden_to_output_weights",
        "temperature_sensor",
        "ground_truth_label",
        "hidden_state",
        "predicted_logits",
        "cross_entropy_loss",
        "initial_hidden_state",
        T,
    )


def hostile(T=4):
    names = ('<b>"', "a|b{c}", "W & \\N", "x'\n", "]]>", "</svg>", "h -> o", "<script>")
    return called(*names, 'h"0', T)


def like_keys(T=4):
    """Names that look like what a drawing may use inside."""
    names = ("h@1", "h folded", "gradient of h", "n0", "e1", "h", "h#2", "h@2")
    return called(*names, "h0", T)


def one_name(T=4):
    return called("h", "h", "h", "h", "y", "h", "h", "h", "h", T)


def without_names(T=4):
    U, W, V = (mg.parameter(p.data) for p in P("U 3 4, W 4 4, V 4 2"))
    h, ls = mg.tensor(np.zeros((1, 4))), []
    for _, x, y in mg.steps(x=X(T), y=Y(T)):
        h = mg.tanh(x @ U + h @ W)
        ls.append(mg.cross_entropy(h @ V, y))
    return mean(ls)


def repeated(T=4):
    """Two values of a step are called h."""
    U, W, A = P("U 3 4, W 4 4, A 4 4")
    h = zeros("h0")
    for _, x in mg.steps(x=X(T)):
        h = mg.tanh(x @ U + h @ W).named("h")
        h = mg.relu(h @ A).named("h")
    return h.sum().named("L")


def objective(T=4):
    U, W = P("U 3 4, W 4 4")
    h = zeros("h0")
    for _, x in mg.steps(x=X(T)):
        h = mg.tanh(x @ U + h @ W).named("h")
    return (h * h).sum().named("J")


def unnamed_inside(T=5):
    """A state without a name, read by values that have one."""
    U, W, V = P("U 3 4, W 4 4, V 4 2")
    h = mg.tensor(np.zeros((1, 4)))
    for _, x in mg.steps(x=X(T)):
        h = mg.tanh(x @ U + h @ W)
        o = (h @ V).named("o")
    return o


def minus(T=4):
    """Subtraction, and negation beside it."""
    h = zeros("h0", 3)
    for _, x in mg.steps(x=X(T)):
        h = (x - h / 2.0 + (-x) * h).named("h")
    return h


def named_after_its_loop(T=5):
    """A sum of losses that has its name when all are in it."""
    U, W, V = P("U 3 4, W 4 4, V 4 2")
    h, total = zeros("h0"), 0.0
    for _, x, y in mg.steps(x=X(T), y=Y(T)):
        h = mg.tanh(x @ U + h @ W).named("h")
        total = total + loss((h @ V).named("o"), y)
    return total.named("J")


def primes(T=4):
    """Primes, digits behind words, and words of Python."""
    U, W, V = P("W1 3 4, for 4 4, if 4 2")
    h, ls = zeros("h1_0"), []
    for _, x, y in mg.steps(x1=X(T), y=Y(T)):
        h = mg.tanh(x @ U + h @ W).named("h1")
        g = mg.relu(mg.relu(h).named("h'")).named("h''")
        ls.append(loss((g @ V).named("None_"), y, "loss_1"))
    return mean(ls)
