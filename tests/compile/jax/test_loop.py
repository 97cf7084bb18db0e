"""Loops as scans: what their text says, and that a wrong one is caught."""

import numpy as np
import pytest

import minigrad as mg
import tests.engines  # noqa: F401
from minigrad.compile.jax import lowerings
from minigrad.compile.jax.loop import Scans
from minigrad.compile.jax.source import Source
from minigrad.compile.jax.write import Writing
from minigrad.compile.kinds import O
from minigrad.mode import TraceError

RNG = np.random.default_rng(0)
W = mg.parameter(RNG.normal(size=(3, 3)) / 2, name="W")
XS = RNG.normal(size=(9, 2, 3))


def loss(xs):
    h = [
        mg.tensor(np.full((2, 3), -0.2), name="g0"),
        mg.tensor(np.full((2, 3), 0.3), name="h0"),
    ]
    for _t, x in mg.steps(x=xs):
        h.append(mg.tanh(h[-1] @ W + 0.5 * h[-2] + x).named("h"))
    return (mg.stack(h[2:]) ** 2).sum()


def step(xs):
    value = loss(xs)
    return value, *mg.grad(value, [W])


def compiled():
    program = mg.compile(step, strict=True, backend="jax")
    program(XS)
    return program


def test_two_steps_back_are_two_values_of_the_past():
    source = compiled().source
    assert "(h_before, h_before_2) = carry" in source
    assert "lax.scan(forward, (h0, g0)," in source
    assert source.count("reverse=True") == 1
    assert source.count("def ") == 3
    assert "return (h_t, h_before), (h_t,)" in source


@pytest.mark.parametrize("T", [1, 2, 3, 4, 6])
def test_few_steps(T):
    program = mg.compile(step, strict=True, backend="jax")
    for a, b in zip(program(XS[:T]), step(XS[:T]), strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-11)


def stale(self, loop, names, pasts):
    return {v: codes for v, codes in pasts.items() if v in loop.whole}


def without_a_start(self, loop, v, k):
    return f"jnp.zeros({self.source.literal(v.shape)})"


read = Writing._read
FAULTS = {
    "a past that stays": (Scans, "_after", stale),
    "no initial state": (Scans, "_cell", without_a_start),
    "a window one step late": (
        Source,
        "element",
        lambda self, v, t: f"{self.name(v)}[{self.literal(t)}]",
    ),
    "the sequence from its end": (Writing, "_read", lambda s, v: f"{read(s, v)}[::-1]"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_wrong_text_is_caught(name, monkeypatch):
    compiled()
    monkeypatch.setattr(*FAULTS[name])
    with pytest.raises(TraceError, match=r"not give what|compiler raises"):
        mg.compile(step, strict=True, backend="jax")(XS)


def test_a_wrong_function_is_caught(monkeypatch):
    monkeypatch.setitem(lowerings.OWN, O.tanh, lambda x: x)
    with pytest.raises(TraceError, match="not give what"):
        mg.compile(step, strict=True, backend="jax")(XS)
