"""Gradients and steps on four devices are those on one: run in a process of its own."""

import jax
import numpy as np

import minigrad as mg
from minigrad.models import ManyToMany, ManyToOne
from minigrad.nn.losses import cross_entropy
from minigrad.nn.recurrent import masks
from minigrad.optim import Adam
from minigrad.train import Training

jax.config.update("jax_enable_x64", True)
MESH = jax.sharding.Mesh(jax.devices(), ("batch",))
B = 8


def data(T, seed=0):
    rng = np.random.default_rng(seed)
    xs = rng.normal(size=(T, B, 3))
    lengths = rng.integers(1, T + 1, size=B)
    return xs, rng.integers(4, size=(T, B)), masks(lengths, T)


def model(kind=ManyToMany, seed=0, **options):
    rng = np.random.default_rng(seed)
    return kind(3, 5, 4, rng=rng, dtype=np.float64, loss=cross_entropy, **options)


def gradients(net, loss):
    def step(*given):
        value = loss(*given)
        return value, *mg.grad(value, net.parameters())

    return step


def close(found, wanted):
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-11, atol=1e-13)


def gradients_agree(cell):
    net = model(cell=cell)
    step = gradients(net, lambda x, y, m: net.loss(x, y, lengths=m))
    program = mg.compile(step, strict=True, backend="jax", mesh=MESH)
    for T in (6, 7, 9):
        close(program(*data(T)), step(*data(T)))
    assert "share the batch" in program.explain()


def ignored_targets_agree():
    W = mg.parameter(np.random.default_rng(0).normal(size=(3, 4)), name="W")

    def step(x, y):
        loss = mg.cross_entropy(x @ W, y, ignore_index=2)
        return loss, *mg.grad(loss, [W])

    xs = data(1)[0]
    given = xs[0], np.array([2, 2, 0, 1, 3, 2, 2, 1])
    close(mg.compile(step, backend="jax", mesh=MESH)(*given), step(*given))


def many_to_one_agrees():
    net = model(ManyToOne, cell="lstm")
    step = gradients(net, net.loss)
    program = mg.compile(step, strict=True, backend="jax", mesh=MESH)
    for T in (6, 8):
        xs, ys, _ = data(T)
        close(program(xs, ys[0]), step(xs, ys[0]))


def twenty_steps_agree():
    trained = []
    for options in ({"eager": True}, {"backend": "jax", "mesh": MESH}):
        net = model(cell="gru")
        one = Training(
            net,
            Adam(net.parameters(), 0.01),
            lambda x, y, m, net=net: net.loss(x, y, lengths=m),
            clip=0.5,
            **options,
        )
        said = [one.step(*data(7, k)) for k in range(20)]
        assert one.eager == options.get("eager", False)
        trained.append((said, net.state_dict()))
    (a, p), (b, q) = trained
    np.testing.assert_allclose(a, b, rtol=1e-9)
    for name in p:
        np.testing.assert_allclose(p[name], q[name], rtol=1e-8, atol=1e-11)


if __name__ == "__main__":
    for cell in ("elman", "lstm"):
        gradients_agree(cell)
    ignored_targets_agree()
    many_to_one_agrees()
    twenty_steps_agree()
    print("agree on", len(jax.devices()))
