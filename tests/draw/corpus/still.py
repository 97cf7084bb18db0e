"""Graphs without time: layers, blocks, trees, expressions, gradients."""

import numpy as np

import minigrad as mg
from minigrad.models import Recursive
from tests.draw.corpus.making import P, X, loss, target, zeros


def perceptron():
    W1, W2, W3, b1, b2, b3 = P("W1 3 5, W2 5 5, W3 5 2, b1 5, b2 5, b3 2")
    h1 = mg.relu(mg.tensor(X(1)[0], name="x") @ W1 + b1).named("h1")
    h2 = mg.relu(h1 @ W2 + b2).named("h2")
    return loss((h2 @ W3 + b3).named("o"), target())


def residual_block():
    W1, W2 = P("W1 4 4, W2 4 4")
    x = mg.tensor(X(1, 4)[0], name="x")
    h = mg.relu(x @ W1).named("h")
    return mg.relu(x + h @ W2).named("y")


def residual_tower(blocks=6):
    x = mg.tensor(X(1, 4)[0], name="x")
    for k in range(blocks):
        A, B = P(f"A{k} 4 4, B{k} 4 4")
        with mg.scope("block"):
            x = (x + mg.relu(x @ A) @ B).named(f"x{k + 1}")
    return (x**2).sum().named("L")


def attention_block():
    Q, K, V, R, A, B = P("W_q 8 8, W_k 8 8, W_v 8 8, W_o 8 8, W_1 8 16, W_2 16 8")
    x = mg.tensor(X(5, 8)[:, 0], name="x")
    with mg.scope("attention"):
        n = mg.layer_norm(x)
        q, k, v = (n @ Q).named("q"), (n @ K).named("k"), (n @ V).named("v")
        a = mg.softmax(q @ k.T / np.sqrt(8.0)).named("A")
        z = (x + (a @ v) @ R).named("z")
    with mg.scope("mlp"):
        return (z + mg.relu(mg.layer_norm(z) @ A) @ B).named("y")


def tree(leaves=8):
    U, W, V = P("U 4 4, W 4 4, V 3 4")
    row = [
        mg.tanh(mg.tensor(X(1, 3, k)[0], name=f"x{k + 1}") @ V).named("h")
        for k in range(leaves)
    ]
    while len(row) > 1:
        pairs = zip(row[::2], row[1::2], strict=True)
        row = [mg.tanh(a @ U + b @ W).named("h") for a, b in pairs]
    return (row[0] ** 2).sum().named("L")


def recursive():
    """A tree of any shape."""
    model = Recursive(4, 3, 2, rng=np.random.default_rng(0))
    return model.of_tree(((0, 3), ((1, 2), 1)))


def autoencoder():
    W = P("W 4 2")
    x = mg.tensor(X(1, 4)[0], name="x")
    z = mg.tanh(x @ W).named("z")
    return (((z @ W.T).named("r") - x) ** 2).mean().named("L")


def two_towers():
    A, B, C = P("A 3 4, B 3 4, C 4 4")
    p, q = zeros("p q", 3)
    u, v = mg.tanh(p @ A).named("u"), mg.tanh(q @ B).named("v")
    return ((u @ C) * v).sum().named("s")


def expression():
    a, b = mg.tensor(5.0, name="a"), mg.tensor(3.0, name="b")
    return (1 - mg.tanh(a) * b) / (b - a)


def web(count=36):
    """An acyclic graph of many crossings."""
    rng = np.random.default_rng(5)
    made = [mg.tensor(rng.normal(size=3), name=f"v{k}") for k in range(4)]
    ops = [mg.add, mg.multiply, mg.maximum, mg.subtract]
    for k in range(count):
        a, b = rng.integers(max(0, len(made) - 9), len(made), size=2)
        made.append(ops[k % 4](made[a], made[b]))
    return mg.stack([n.sum() for n in made[-6:]]).sum()


def hessian_vector_product(T=3):
    W, h = P("W 2 2"), zeros("h0", 2) + 1
    for _ in mg.steps(T):
        h = mg.tanh(h @ W).named("h")
    objective = (h**2).sum().named("L")
    return mg.hvp(objective, [W], [np.ones((2, 2))], create_graph=True)[0]


def gradient(T=4):
    U, W = P("U 3 4, W 4 4")
    h = zeros("h0")
    for _, x in mg.steps(x=X(T)):
        h = mg.tanh(x @ U + h @ W).named("h")
    return mg.grad((h**2).sum().named("L"), [W], create_graph=True)[0]


def heads(count=8, targets=True):
    """Losses with targets of their own, or with one, and their sum."""
    U, *Vs = P(", ".join(["U 3 4", *(f"V{k} 4 2" for k in range(count))]))
    h = mg.tanh(mg.tensor(X(1)[0], name="x") @ U).named("h")
    ys = [mg.tensor(np.zeros(1, int), name=f"y{k}") for k in range(count)]
    ls = [
        mg.cross_entropy((h @ V).named(f"o{k}"), ys[k * targets]).named(f"L{k}")
        for k, V in enumerate(Vs)
    ]
    return sum(ls[1:], ls[0]).named("J")


def heads_of_one_target():
    return heads(targets=False)
