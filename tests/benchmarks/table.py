"""One training step of the many-to-many network: who computes it how fast.

    python tests/benchmarks/table.py [SIZE ...] [--growth] [--memory | --first]
                                     [--rounds N]

Every contender that is installed computes the loss and all gradients of the same
network, float32, one thread, in a process of its own; the processes take turns, so that
a change of the machine's speed meets all of them. Results are compared with the written
out back-propagation first. Printed are the medians in milliseconds and the ratio to
NumPy written by hand. ``--memory`` prints by how many MB the first step raises the peak
of its process, ``--first`` how much of the processor's time it takes beside a forward
pass that records. Both count what is compiled. ``--only`` takes part of the contenders.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from importlib.util import find_spec

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

# The project itself is found without being installed.
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))

SIZES = {  # batch, T, n_in, n_hidden, n_out
    "tiny": (1, 25, 65, 100, 65),
    "small": (16, 50, 32, 64, 32),
    "medium": (32, 100, 64, 128, 64),
    "large": (64, 100, 128, 512, 128),
    "long": (8, 1000, 16, 64, 16),
}
GROWTH = {f"T={T}": (8, T, 16, 64, 16) for T in (10, 100, 1000, 10_000)} | {
    f"h={h}": (16, 50, 32, h, 32) for h in (64, 256, 1024)
}
WIDE = {f"wide T={T}": (64, T, 16, 128, 16) for T in (1000, 10_000)}
MEMORY, FIRST = "--memory" in sys.argv, "--first" in sys.argv
NAMES = ("U", "W", "V", "b", "c")


def problem(size):
    B, T, n_in, n_hidden, n_out = size
    rng = np.random.default_rng(0)

    def matrix(*shape):
        # Not larger: a chaotic network would amplify the rounding that we compare.
        return (rng.normal(size=shape) * 0.5 / shape[0] ** 0.5).astype(np.float32)

    # Drawn in float32: another peak before the step would hide a part of its own.
    xs = rng.standard_normal((T, B, n_in), np.float32)
    ys = rng.integers(n_out, size=(T, B))
    shapes = (n_in, n_hidden), (n_hidden, n_hidden), (n_hidden, n_out)
    parameters = [*(matrix(*s) for s in shapes), matrix(n_hidden), matrix(n_out)]
    return xs, ys, parameters


def by_hand(size):
    from handwritten import HandWritten

    B, T, *widths = size
    xs, ys, parameters = problem(size)
    step = HandWritten(T, B, *widths)
    return lambda: step(xs, ys, *parameters)


def minigrad_step(size, gradient=True):
    import minigrad as mg

    xs, ys, arrays = problem(size)
    U, W, V, b, c = parameters = [
        mg.parameter(a, name=n) for a, n in zip(arrays, NAMES, strict=True)
    ]
    h0 = np.zeros((size[0], size[3]), np.float32)

    def step(xs, ys):
        h = mg.tensor(h0, name="h0")
        losses = []
        for _, x, y in mg.steps(x=xs, y=ys):
            h = mg.tanh(b + x @ U + h @ W)
            losses.append(mg.cross_entropy(c + h @ V, y))
        loss = mg.stack(losses).mean()
        return [loss, *mg.grad(loss, parameters)] if gradient else [loss]

    return step, xs, ys


def compiled(size, backend="numpy"):
    import minigrad as mg

    step, xs, ys = minigrad_step(size)
    program = mg.compile(step, strict=True, backend=backend)
    return lambda: [t.data for t in program(xs, ys)]


def eager(size, gradient=True):
    step, xs, ys = minigrad_step(size, gradient)
    return lambda: [t.data for t in step(xs, ys)]


def forgetful(size):
    import minigrad as mg

    step, xs, ys = minigrad_step(size)
    step = mg.recompute()(step)
    return lambda: [t.data for t in step(xs, ys)]


def torch_step(size, fused):
    import torch

    torch.set_num_threads(1)
    xs, ys, arrays = problem(size)
    xs, ys = torch.tensor(xs), torch.tensor(ys)
    U, W, V, b, c = parameters = [torch.tensor(a, requires_grad=True) for a in arrays]
    T, B = ys.shape
    h0 = torch.zeros(B, size[3])
    if fused:
        rnn = torch.nn.RNN(size[2], size[3])
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0")
        with torch.no_grad():
            for name, p in zip(names, (U.T, W.T, b), strict=True):
                getattr(rnn, name).copy_(p)
            rnn.bias_hh_l0.zero_()
        mine = [*(getattr(rnn, n) for n in names), V, c]

    def step():
        if fused:
            hs = rnn(xs, h0[None])[0]
            loss = torch.nn.functional.cross_entropy(
                (hs @ V + c).reshape(T * B, -1), ys.reshape(-1)
            )
            dU, dW, db, dV, dc = torch.autograd.grad(loss, mine)
            return [r.detach().numpy() for r in (loss, dU.T, dW.T, dV, db, dc)]
        h, losses = h0, []
        for t in range(T):
            h = torch.tanh(b + xs[t] @ U + h @ W)
            losses.append(torch.nn.functional.cross_entropy(c + h @ V, ys[t]))
        loss = torch.stack(losses).mean()
        grads = torch.autograd.grad(loss, parameters)
        return [r.detach().numpy() for r in (loss, *grads)]

    return step


def torch_rnn(size):
    return torch_step(size, True)


def torch_loop(size):
    return torch_step(size, False)


def jax_scan(size):
    import jax
    import jax.numpy as jnp

    xs, ys, parameters = problem(size)
    xs, ys, parameters = jnp.array(xs), jnp.array(ys), list(map(jnp.array, parameters))
    h0 = jnp.zeros((size[0], size[3]), jnp.float32)

    def loss(parameters, xs, ys):
        U, W, V, b, c = parameters

        def body(h, x):
            h = jnp.tanh(b + x @ U + h @ W)
            return h, h

        _, hs = jax.lax.scan(body, h0, xs)
        logp = jax.nn.log_softmax(hs @ V + c)
        return -jnp.take_along_axis(logp, ys[..., None], -1).mean()

    step = jax.jit(jax.value_and_grad(loss))

    def run():
        value, grads = step(parameters, xs, ys)
        return [np.asarray(value), *map(np.asarray, grads)]

    return run


def autograd_loop(size):
    import autograd.numpy as anp
    from autograd import value_and_grad

    xs, ys, parameters = problem(size)
    T, B = ys.shape
    rows = np.arange(B)

    def loss(parameters):
        U, W, V, b, c = parameters
        h, total = np.zeros((B, size[3]), np.float32), 0.0
        for t in range(T):
            h = anp.tanh(b + anp.dot(xs[t], U) + anp.dot(h, W))
            o = c + anp.dot(h, V)
            top = anp.max(o, axis=1, keepdims=True)
            lse = anp.log(anp.sum(anp.exp(o - top), axis=1)) + top[:, 0]
            total = total + anp.mean(lse - o[rows, ys[t]])
        return total / T

    step = value_and_grad(loss)

    def run():
        value, grads = step(parameters)
        return [value, *grads]

    return run


def mygrad_loop(size):
    import mygrad
    from mygrad.nnet.losses import softmax_crossentropy

    xs, ys, arrays = problem(size)
    T, B = ys.shape
    U, W, V, b, c = parameters = [mygrad.tensor(a) for a in arrays]

    def run():
        h, total = np.zeros((B, size[3]), np.float32), 0
        for t in range(T):
            h = mygrad.tanh(b + mygrad.matmul(xs[t], U) + mygrad.matmul(h, W))
            total = total + softmax_crossentropy(c + mygrad.matmul(h, V), ys[t])
        loss = total / T
        loss.backward()
        return [loss.data.copy(), *(p.grad.copy() for p in parameters)]

    return run


def forward(size):
    return eager(size, gradient=False)


CONTENDERS = {"minigrad forward": (forward, None)} if FIRST else {}
CONTENDERS |= {
    "NumPy by hand": (by_hand, None),
    "minigrad compiled": (compiled, None),
    "minigrad eager": (eager, None),
    "minigrad recompute": (forgetful, None),
    "jax.jit, lax.scan": (jax_scan, "jax"),
    "torch nn.RNN": (torch_rnn, "torch"),
    "torch, Python loop": (torch_loop, "torch"),
    "mygrad": (mygrad_loop, "mygrad"),
    "autograd": (autograd_loop, "autograd"),
}


def work(name, size):
    """A contender's process: each line read is one turn, each line written its time.

    A turn is at least 3 steps and 20 ms: as a training loop meets them, not the first
    step after another process had the caches.
    """
    step = CONTENDERS[name][0](size)
    if FIRST:  # with everything imported
        CONTENDERS[name][0]((size[0], 5, *size[2:]))()
    start = time.process_time()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = [np.asarray(r, np.float64) for r in step()]
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    first = time.process_time() - start
    if MEMORY or FIRST:
        print(grown / 1024 if MEMORY else 1000 * first, flush=True)
        return
    wanted = [np.asarray(r, np.float64) for r in by_hand(size)()]
    error = max(
        np.abs(a - b).max() / (np.abs(b).max() + 1e-8)
        for a, b in zip(result, wanted, strict=True)
    )
    print(first, error, flush=True)
    for _ in sys.stdin:
        times = []
        while len(times) < 3 or sum(times) < 0.02:
            start = time.perf_counter()
            step()
            times.append(time.perf_counter() - start)
        print(statistics.median(times), flush=True)


def first_step(size, rounds, only):
    """What the first step of a process takes, in MB or ms, by contender: medians."""
    option = "--memory" if MEMORY else "--first"
    found = {name: [] for name in entered(only)}
    for _ in range(rounds):
        for name, taken in found.items():
            command = [sys.executable, __file__, option, "--work", name]
            output = subprocess.check_output([*command, *map(str, size)], text=True)
            taken.append(float(output))
    return {name: statistics.median(taken) for name, taken in found.items()}


def entered(only):
    """The contenders that are installed, or those with a word of ``only`` in them."""
    return [
        name
        for name, (_, module) in CONTENDERS.items()
        if (module is None or find_spec(module) is not None)
        and (not only or any(word in name for word in only))
    ]


def race(size, rounds, only):
    """Medians in milliseconds by contender."""
    running = {}
    for name in entered(only):
        running[name] = subprocess.Popen(
            [sys.executable, __file__, "--work", name, *map(str, size)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        _, error = map(float, running[name].stdout.readline().split())
        assert error < 1e-3, f"{name} computes something else: {error}"
    times = {name: [] for name in running}
    for _ in range(rounds):
        for name, process in running.items():
            process.stdin.write("\n")
            process.stdin.flush()
            times[name].append(float(process.stdout.readline()))
    for process in running.values():
        process.communicate()
    return {name: 1000 * statistics.median(t) for name, t in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sizes", nargs="*")
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--first", action="store_true")
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--rounds", type=int, default=1 if MEMORY or FIRST else 15)
    parser.add_argument("--work", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        name, *size = given.work
        work(name, tuple(map(int, size)))
        return
    sizes = GROWTH if given.growth else SIZES | GROWTH | WIDE
    chosen = given.sizes or list(GROWTH if given.growth else SIZES)
    measure = first_step if MEMORY or FIRST else race
    results = {key: measure(sizes[key], given.rounds, given.only) for key in chosen}
    names = [n for n in CONTENDERS if n in results[chosen[0]]]
    unit = "MB" if given.memory else "ms"
    print(f"| {unit} (ratio to {names[0]}) |", " | ".join(chosen), "|")
    print("|---" * (len(chosen) + 1) + "|")
    for name in names:
        cells = [
            f"{results[k][name]:.3g} ({results[k][name] / results[k][names[0]]:.2f})"
            for k in chosen
        ]
        print(f"| {name} |", " | ".join(cells), "|")


if __name__ == "__main__":
    main()
