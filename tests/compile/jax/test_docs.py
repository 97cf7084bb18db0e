"""What the pages show of the JAX engine is what it does."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np

import minigrad as mg
import tests.engines  # noqa: F401

DOCS = Path(__file__).parents[3] / "docs"


def test_the_page_on_devices_runs():
    text = (DOCS / "devices.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```py\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 7
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)],
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    assert "(16, 4, 3) [ 5 13  9 16]" in done.stdout
    assert done.stdout.endswith("True\n")


def test_the_source_on_the_page_on_the_compiler():
    text = (DOCS / "compiler.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```py\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    rng = np.random.default_rng(0)
    U, W, V = (
        mg.parameter(rng.normal(size=size), name=name)
        for name, size in (("U", (3, 4)), ("W", (4, 4)), ("V", (4, 2)))
    )

    def step(xs, ys):
        h = mg.tensor(np.zeros((1, 4)), name="h0")
        losses = []
        for _t, x, y in mg.steps(x=xs, y=ys):
            h = mg.tanh(h @ W + x @ U).named("h")
            o = (h @ V).named("o")
            losses.append(mg.cross_entropy(o, y).named("L"))
        loss = mg.stack(losses).mean()
        return loss, *mg.grad(loss, [U, W, V])

    program = mg.compile(step, strict=True, backend="jax")
    for T in (20, 30):
        program(rng.normal(size=(T, 1, 3)), rng.integers(2, size=(T, 1)))
    assert program.source.startswith(shown)
