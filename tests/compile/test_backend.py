"""Engines by name."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.compile.backend import backend, chosen
from tests.engines import ENGINES, needs_compiler


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_builds_a_program(name):
    assert callable(backend(name).build)
    double = mg.compile(lambda x: x * 2.0, strict=True, backend=name)
    assert double(np.ones(2)).data.tolist() == [2.0, 2.0]


def test_an_engine_that_is_not_there_is_named():
    with pytest.raises(
        ValueError, match="backend is one of numpy, c, jax, got 'torch'"
    ):
        mg.compile(lambda x: x, backend="torch")
    with pytest.raises(ValueError, match='no longer handed to Numba, use "c" or'):
        mg.compile(lambda x: x, backend="numba")


def test_the_environment_names_an_engine_where_no_argument_does(monkeypatch):
    assert mg.compile(lambda x: x).backend == "numpy"
    monkeypatch.setenv("MINIGRAD_BACKEND", "c")
    assert mg.compile(lambda x: x).backend == "c"
    assert mg.compile(lambda x: x, backend="numpy").backend == "numpy"
    monkeypatch.setenv("MINIGRAD_BACKEND", "")
    assert chosen(None) == "numpy"
    monkeypatch.setenv("MINIGRAD_BACKEND", "fast")
    with pytest.raises(ValueError, match="'fast' from the environment's MINIGRAD_BAC"):
        mg.compile(lambda x: x)


def test_an_engine_that_cannot_build_is_an_error_and_nothing_runs_eagerly(monkeypatch):
    monkeypatch.setenv("CC", "no-such-compiler")
    double = mg.compile(lambda x: x * 3.25, backend="c")
    with pytest.raises(RuntimeError, match="no program 'no-such-compiler'"):
        double(np.ones(2))
    monkeypatch.delenv("CC")


@needs_compiler
def test_results_do_not_depend_on_the_number_of_threads():
    W = mg.parameter(np.random.default_rng(0).normal(size=(128, 128)) / 8, name="W")

    def step(xs):
        h = mg.tensor(np.zeros((64, 128)), name="h0")
        for _, x in mg.steps(xs):
            h = mg.tanh(h @ W + x)
        loss = mg.softmax(h).max(axis=-1).sum()
        return loss, *mg.grad(loss, [W])

    xs = np.random.default_rng(1).normal(size=(6, 64, 128))
    one = mg.compile(step, strict=True, backend="c")
    many = mg.compile(step, strict=True, backend="c", threads=3)
    for T in (4, 6):
        for a, b, c in zip(one(xs[:T]), many(xs[:T]), many(xs[:T]), strict=True):
            assert np.array_equal(a.data, b.data)
            assert np.array_equal(a.data, c.data)
    assert "run_in_threads(part_0, 3" in many.source
    assert "run_in_threads" not in one.source


def test_threads_are_those_of_the_c_engine():
    with pytest.raises(ValueError, match="set OPENBLAS_NUM_THREADS"):
        mg.compile(lambda x: x, threads=2)
    with pytest.raises(ValueError, match="threads is a whole number from 1 on"):
        mg.compile(lambda x: x, backend="c", threads=0)
