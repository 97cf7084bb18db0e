"""A training step in two parts and as one program, in milliseconds.

    python tests/benchmarks/whole_step.py [numpy] [c]

In parts: a program of loss and gradient, then clip_by_norm and Adam's step. Whole: one
program of all four, as Training runs it. The two take turns; the least processor time
of a step counts. The first calls, which compile, are in seconds.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.models import ManyToMany
from minigrad.nn.losses import mse
from minigrad.optim import Adam, clip_by_norm
from minigrad.train import Training

# cell: batch, steps, inputs and outputs, hidden
SIZES = {
    "elman, tiny": ("elman", 1, 10, 4, 8),
    "elman, small": ("elman", 16, 50, 32, 64),
    "gru, small": ("gru", 16, 50, 32, 64),
    "lstm, medium": ("lstm", 32, 100, 64, 128),
    "elman, wide": ("elman", 8, 10, 64, 512),
}
ROUNDS, SECONDS = 15, 0.05


def model(cell: str, n: int, hidden: int) -> ManyToMany:
    """The same start each time."""
    rng = np.random.default_rng(0)
    return ManyToMany(n, hidden, n, rng=rng, loss=mse, cell=cell)


def in_parts(net: ManyToMany, backend: str, batch: Any) -> Callable[[], Any]:
    """A step of loss and gradient as a program, clipping and update after it."""
    parameters = net.parameters()
    optimiser = Adam(parameters)

    def gradients(xs: Any, ys: Any) -> Any:
        loss = net.loss(xs, ys)
        return loss, mg.grad(loss, parameters)

    program = mg.compile(gradients, strict=True, backend=backend)

    def step() -> None:
        _, found = program(*batch)
        for p, g in zip(parameters, found, strict=True):
            p.grad = g.data
        clip_by_norm(parameters, 1.0)
        optimiser.step()

    return step


def whole(net: ManyToMany, backend: str, batch: Any) -> Callable[[], Any]:
    """The same step as one program."""
    training = Training(
        net, Adam(net.parameters()), net.loss, clip=1.0, backend=backend
    )
    return lambda: training.step(*batch)


def raced(steps: list[Callable[[], Any]]) -> list[tuple[float, float]]:
    """The first call of each in seconds, and the least time of a later one."""
    firsts = []
    for step in steps:
        start = time.perf_counter()
        step()
        firsts.append(time.perf_counter() - start)
    start = time.perf_counter()
    steps[0]()
    n = max(2, int(SECONDS / (time.perf_counter() - start)))
    best = [np.inf] * len(steps)
    for _ in range(ROUNDS):
        for i, step in enumerate(steps):
            start = time.process_time()
            for _ in range(n):
                step()
            best[i] = min(best[i], (time.process_time() - start) / n)
    return list(zip(firsts, best, strict=True))


def measured(name: str, backend: str) -> dict[str, float]:
    """Milliseconds of a step in parts and whole, and seconds of the first calls."""
    cell, b, steps, n, hidden = SIZES[name]
    rng = np.random.default_rng(1)
    batch = [rng.normal(size=(steps, b, n)).astype(np.float32) for _ in range(2)]
    made = [f(model(cell, n, hidden), backend, batch) for f in (in_parts, whole)]
    (first, parts), (other, one) = raced(made)
    found = {"parts": parts * 1e3, "whole": one * 1e3}
    found |= {"first parts": first, "first whole": other}
    return {key: float(f"{value:.3g}") for key, value in found.items()}


def main() -> None:
    """Print a row for each size and engine."""
    print("network         engine   in parts     whole   ratio   first calls")
    for name in SIZES:
        for backend in sys.argv[1:] or ["numpy", "c"]:
            parts, one, first, other = measured(name, backend).values()
            print(
                f"{name:15} {backend:6} {parts:8.3f} ms {one:6.3f} ms"
                f" {one / parts:7.2f}   {first:.2f} s, {other:.2f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
