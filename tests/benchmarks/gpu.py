"""The JAX engine on a GPU: are all networks right, and how long does a step take?

    python tests/benchmarks/gpu.py
    python tests/benchmarks/gpu.py tiny small

First every network against NumPy, with all digits of products. Then steps (loss and
gradients, float32) against a ``lax.scan`` written by hand with ``jax.grad``, and, where
it is installed, PyTorch's nn.RNN and nn.LSTM on the same card. It prints the names of
the devices and runs without a GPU too, to see that it is right.
"""

import os
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("JAX_ENABLE_X64", "1")
sys.path.insert(0, str(Path(__file__).parents[2]))

import jax
import jax.numpy as jnp
import numpy as np

import minigrad as mg
from tests.benchmarks.cases import SIZES, error, problem
from tests.compile.traces import NETWORKS, network

CASES = ("many-to-one", "LSTM")
ROUNDS, ALLOWED = 30, 5e-3


def networks_agree():
    """Every network's loss and gradients, in float64 with all digits."""
    for name in NETWORKS:
        step, data = network(name)
        program = mg.compile(step, strict=True, backend="jax")
        for T in (6, 7, 12):
            given = data(T)
            (a, found), (b, wanted) = program(*given), step(*given)
            off = error([x.data for x in (a, *found)], [x.data for x in (b, *wanted)])
            assert off < 1e-8, (name, T, off)
        print(f"    {name}: equal", flush=True)


def ours(case, parameters):
    """A step as a program; parameters are on the device."""
    ps = [mg.parameter(p, name=n) for n, p in zip("UWVbc", parameters, strict=True)]
    U, W, V, b, c = ps
    n = W.shape[0]

    def step(xs, ys):
        h = s = mg.zeros((xs.shape[1], n), dtype=np.float32)
        for _, x in mg.steps(x=xs):
            a = b + h @ W + x @ U
            if case == "LSTM":
                f, g, q = (mg.sigmoid(a[:, k * n : (k + 1) * n]) for k in range(3))
                s = f * s + g * mg.tanh(a[:, 3 * n :])
                h = q * mg.tanh(s)
            else:
                h = mg.tanh(a)
        loss = mg.cross_entropy(c + h @ V, ys)
        return loss, *mg.grad(loss, ps)

    program = mg.compile(step, strict=True, backend="jax")
    return lambda xs, ys: program.arrays(xs, ys)


def by_hand(case, parameters):
    """The same by ``lax.scan`` and ``jax.grad``."""

    def loss(ps, xs, ys):
        U, W, V, b, c = ps
        n = W.shape[0]

        def body(state, xU):
            h, s = state
            a = xU + h @ W
            if case == "LSTM":
                f, g, q = (jax.nn.sigmoid(a[:, k * n : (k + 1) * n]) for k in range(3))
                s = f * s + g * jnp.tanh(a[:, 3 * n :])
                return (q * jnp.tanh(s), s), None
            return (jnp.tanh(a), s), None

        start = jnp.zeros((xs.shape[1], n), xs.dtype)
        (h, _), _ = jax.lax.scan(body, (start, start), b + xs @ U)
        logp = jax.nn.log_softmax(c + h @ V)
        return -jnp.take_along_axis(logp, ys[:, None], -1).mean()

    run = jax.jit(jax.value_and_grad(loss))
    ps = [jnp.asarray(p) for p in parameters]

    def step(xs, ys):
        value, gradients = run(ps, xs, ys)
        return value, *gradients

    return step


def by_torch(case, parameters, device):
    """PyTorch's own layer, which chooses its kernel; no values are compared."""
    import torch

    U, _, V, _, _ = parameters
    n_in, n, n_out = U.shape[0], V.shape[0], V.shape[1]
    kind = torch.nn.LSTM if case == "LSTM" else torch.nn.RNN
    net = kind(n_in, n).to(device)
    out = torch.nn.Linear(n, n_out).to(device)

    def step(xs, ys):
        for p in (*net.parameters(), *out.parameters()):
            p.grad = None
        loss = torch.nn.functional.cross_entropy(out(net(xs)[0][-1]), ys)
        loss.backward()
        return loss

    return step


def seconds(step, wait, *given):
    """The median of some rounds, each waited for."""
    wait(step(*given))
    wait(step(*given))
    took = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        wait(step(*given))
        took.append(time.perf_counter() - begin)
    return statistics.median(took)


def raced(case, size):
    """Milliseconds of a step by each, and how far ours is off."""
    xs, ys, parameters = problem(case, SIZES[size])
    given = jax.device_put(xs), jax.device_put(ys)
    mine, hand = ours(case, parameters), by_hand(case, parameters)
    off = error([*map(np.asarray, mine(*given))], [*map(np.asarray, hand(*given))])
    assert off < ALLOWED, (case, size, off)
    row = [1e3 * seconds(s, jax.block_until_ready, *given) for s in (mine, hand)]
    try:
        import torch
    except ImportError:
        return row
    on = "cuda" if torch.cuda.is_available() else "cpu"
    wait = torch.cuda.synchronize if on == "cuda" else lambda: None
    data = torch.tensor(xs, device=on), torch.tensor(ys, device=on)
    step = by_torch(case, parameters, on)
    return [*row, 1e3 * seconds(step, lambda _: wait(), *data)]


def main():
    names = [f"{d.device_kind} ({d.platform})" for d in jax.devices()]
    print("devices:", ", ".join(names))
    with jax.default_matmul_precision("highest"):
        print("all networks, all digits:")
        networks_agree()
    print("milliseconds a step, float32, JAX's default precision:")
    print(f"    {'':<12}{'':<8}{'minigrad':>10}{'lax.scan':>10}{'torch':>10}")
    for case in CASES:
        for size in sys.argv[1:] or SIZES:
            row = "".join(f"{ms:>10.3f}" for ms in raced(case, size))
            print(f"    {case:<12}{size:<8}{row}", flush=True)


if __name__ == "__main__":
    main()
