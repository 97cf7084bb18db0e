"""Denormal numbers are zeros while a program runs, and numbers again behind it."""

import threading

import numpy as np
import pytest

import minigrad as mg
from minigrad.compile import denormals

SMALL = np.full(3, 1e-40, np.float32)
HALF = np.float32(0.5)

# What a product of denormals is while a program runs.
INSIDE = 0 if denormals.AVAILABLE else SMALL[0] * HALF


def test_they_are_flushed_between_flush_and_restore():
    before = denormals.now()
    denormals.flush()
    inside = (SMALL * HALF)[0]
    denormals.restore(before)
    assert inside == INSIDE
    assert (SMALL * HALF).all()


def test_a_program_flushes_them_and_restores_what_was():
    program = mg.compile(lambda x: x * HALF, strict=True)
    program(SMALL)
    assert (program(SMALL).data == INSIDE).all()
    assert (SMALL * HALF).all()
    said = "denormals     count as zero" in program.explain()
    assert said == denormals.AVAILABLE


def test_what_was_is_restored_after_an_error_too():
    program = mg.compile(lambda o, y: mg.cross_entropy(o, y))
    o, y = np.ones((2, 3)), np.array([0, 1])
    program(o, y)
    with pytest.raises(ValueError, match="class numbers"):
        program(o, y + 5)
    assert (SMALL * HALF).all()


def test_another_thread_keeps_its_own():
    found = []
    before = denormals.now()
    denormals.flush()
    thread = threading.Thread(target=lambda: found.append((SMALL * HALF).all()))
    nested = denormals.now()
    denormals.flush()
    denormals.restore(nested)
    still = (SMALL * HALF)[0]
    denormals.restore(before)
    thread.start()
    thread.join()
    assert still == INSIDE
    assert found == [True]


def test_where_the_platform_is_unknown_nothing_happens(monkeypatch):
    monkeypatch.setattr(denormals, "AVAILABLE", False)
    monkeypatch.setattr(denormals, "restore", bool)
    before = denormals.now()
    denormals.flush()
    assert (SMALL * HALF).all()
    denormals.restore(before)


@pytest.mark.parametrize("steps", [90, 96, 97, 98, 99, 100, 110])
def test_what_has_vanished_and_grows_again_is_no_fault_of_the_program(steps):
    w = mg.parameter(np.full((1, 1), 0.4, np.float32), name="w")

    def gradient(xs):
        h = start = mg.tensor(np.ones((1, 1), np.float32), requires_grad=True)
        for _, x in mg.steps(xs):
            h = h @ w + x
        return mg.grad(h.sum(), [start])[0] * np.float32(1000)

    xs = np.zeros((steps, 1, 1), np.float32)
    found = mg.compile(gradient, strict=True)(xs).data
    np.testing.assert_allclose(found, gradient(xs).data, atol=1e-35)
