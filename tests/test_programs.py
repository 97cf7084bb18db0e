"""Random programs against a naive engine, to second order.

The naive engine has no graph and no backward pass: each value carries its derivatives
along two directions u and v and the mixed second one, so a test compares <grad, u> and
<u, H v>. What hypothesis varies is what an engine can get wrong: sharing, fan-out,
constants, re-use, recording off and on, gradients taken twice and in between.
"""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import minigrad as mg

SHAPES = [(), (2,), (1, 2), (2, 1), (2, 2), (3, 2)]


class Jet:
    """x + a·ε1 + b·ε2 + c·ε1ε2 with ε² = 0: value, two slopes, mixed curvature."""

    def __init__(self, x, a=0.0, b=0.0, c=0.0):
        self.x = np.asarray(x, float)
        self.a, self.b, self.c = (np.broadcast_to(d, self.x.shape) for d in (a, b, c))

    def linear(self, f):
        return Jet(f(self.x), f(self.a), f(self.b), f(self.c))

    def unary(self, f, d1, d2):
        curve = d1 * self.c + d2 * self.a * self.b
        return Jet(f(self.x), d1 * self.a, d1 * self.b, curve)

    def __add__(self, o):
        return Jet(self.x + o.x, self.a + o.a, self.b + o.b, self.c + o.c)

    def joined(self, o):
        pairs = zip(self.parts(), o.parts(), strict=True)
        return Jet(*(np.concatenate([p.ravel(), q.ravel()]) for p, q in pairs))

    def parts(self):
        return self.x, self.a, self.b, self.c

    def bilinear(self, o, f):
        return Jet(
            f(self.x, o.x),
            f(self.a, o.x) + f(self.x, o.a),
            f(self.b, o.x) + f(self.x, o.b),
            f(self.c, o.x) + f(self.a, o.b) + f(self.b, o.a) + f(self.x, o.c),
        )


def naive_tanh(j):
    y = np.tanh(j.x)
    return j.unary(np.tanh, 1 - y * y, -2 * y * (1 - y * y))


def naive_sin(j):
    return j.unary(np.sin, np.cos(j.x), -np.sin(j.x))


def naive_sigmoid(j):
    y = 1 / (1 + np.exp(-j.x))
    return j.unary(
        lambda x: 1 / (1 + np.exp(-x)), y * (1 - y), y * (1 - y) * (1 - 2 * y)
    )


def linear(f):
    return lambda j: j.linear(f)


UNARY = {
    "tanh": (mg.tanh, naive_tanh),
    "sin": (mg.sin, naive_sin),
    "sigmoid": (mg.sigmoid, naive_sigmoid),
    "negative": (lambda t: -t, linear(np.negative)),
    "flat": (lambda t: t.reshape(-1), linear(lambda x: np.reshape(x, -1))),
    "transpose": (lambda t: t.T, linear(np.transpose)),
    "halve": (lambda t: t * 0.5, linear(lambda x: 0.5 * x)),
    "flip": (mg.flip, linear(np.flip)),
    "cumsum": (mg.cumsum, linear(np.cumsum)),
    "row": (lambda t: t[None], linear(lambda x: x[None])),
    "mean": (mg.mean, linear(np.mean)),
    "rows": (
        lambda t: mg.sum(t, axis=0) if t.ndim else t,
        linear(lambda x: x.sum(axis=0) if x.ndim else x),
    ),
    "twice": (
        lambda t: t[[0, 0, -1]] if t.ndim else t,
        linear(lambda x: x[[0, 0, -1]] if x.ndim else x),
    ),
}


class Programs(RuleBasedStateMachine):
    """Grows one program node by node, in both engines."""

    @initialize(seed=st.integers(0, 2**16))
    def begin(self, seed):
        self.rng = np.random.default_rng(seed)
        self.leaves, self.values = [], []
        self.leaf(SHAPES[4])

    def put(self, tensor, jet):
        # Small values only: what is tested is the engine, not overflow.
        if tensor.size <= 64 and tensor.ndim <= 3 and np.abs(jet.x).max() < 20:
            self.values.append((tensor, jet))

    @rule(shape=st.sampled_from(SHAPES))
    def leaf(self, shape):
        value, u, v = self.rng.normal(size=(3, *shape))
        leaf = mg.parameter(value, name=f"p{len(self.leaves)}")
        self.leaves.append((leaf, u, v))
        self.put(leaf, Jet(value, u, v))

    @rule(shape=st.sampled_from(SHAPES))
    def constant(self, shape):
        value = self.rng.normal(size=shape)
        self.put(mg.tensor(value), Jet(value))

    @rule(data=st.data(), name=st.sampled_from(sorted(UNARY)), recorded=st.booleans())
    def unary(self, data, name, recorded):
        t, j = data.draw(st.sampled_from(self.values))
        ours, naive = UNARY[name]
        if recorded:
            self.put(ours(t), naive(j))
        else:
            with mg.no_grad():
                result = ours(t)
            self.put(result, j if result is t else Jet(naive(j).x))

    @rule(data=st.data(), name=st.sampled_from(["add", "multiply", "matmul"]))
    def binary(self, data, name):
        (t, j), (s, k) = (data.draw(st.sampled_from(self.values)) for _ in range(2))
        f = getattr(np, name)
        try:
            f(j.x, k.x)
        except ValueError:
            return  # shapes that do not fit
        self.put(f(t, s), j + k if name == "add" else j.bilinear(k, f))

    @rule(data=st.data())
    def joined(self, data):
        (t, j), (s, k) = (data.draw(st.sampled_from(self.values)) for _ in range(2))
        self.put(mg.concatenate([t.reshape(-1), s.reshape(-1)]), j.joined(k))

    @rule(data=st.data())
    def detached(self, data):
        t, j = data.draw(st.sampled_from(self.values))
        self.put(t.detach(), Jet(j.x))

    @rule(data=st.data())
    def backward_in_between(self, data):
        t, _ = data.draw(st.sampled_from(self.values))
        parameters = mg.Graph(t).parameters
        if parameters:
            (t * t).sum().backward()
        for node in parameters:
            node.grad[...] = np.nan  # the arrays are the caller's

    @rule(data=st.data())
    def gradient_in_between(self, data):
        t, _ = data.draw(st.sampled_from(self.values))
        mg.grad(t.sum(), [p for p, *_ in self.leaves], unreached="zeros")

    @rule(data=st.data())
    def drop(self, data):
        if len(self.values) > 4:
            self.values.pop(data.draw(st.integers(0, len(self.values) - 1)))

    @invariant()
    def both_engines_agree(self):
        if not getattr(self, "values", None):
            return
        t, j = self.values[-1]
        np.testing.assert_allclose(t.data, j.x, rtol=1e-12, atol=1e-12)
        loss, naive = (t * t).sum(), j.bilinear(j, np.multiply).linear(np.sum)
        if loss.node.kind == "constant":
            return
        leaves = [p for p, *_ in self.leaves]
        grads = [mg.grad(loss, leaves, unreached="zeros") for _ in range(2)]
        for d, again in zip(*grads, strict=True):
            assert d.data.tobytes() == again.data.tobytes()
        slope = sum(
            np.sum(d.data * u)
            for d, (_, u, _) in zip(grads[0], self.leaves, strict=True)
        )
        scale = 1 + sum(np.abs(d.data).sum() for d in grads[0])
        np.testing.assert_allclose(slope, naive.a, rtol=1e-9, atol=1e-10 * scale)
        rows = mg.hvp(loss, leaves, [v for *_, v in self.leaves])
        curve = sum(
            np.sum(d.data * u) for d, (_, u, _) in zip(rows, self.leaves, strict=True)
        )
        scale = 1 + sum(np.abs(d.data).sum() for d in rows)
        np.testing.assert_allclose(curve, naive.c, rtol=1e-8, atol=1e-9 * scale)


TestPrograms = Programs.TestCase
TestPrograms.settings = settings(stateful_step_count=25, deadline=None)
