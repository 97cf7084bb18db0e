"""Modes: what a call leaves behind, and what may follow which."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.mode import Mode, TraceError, current_mode, traced
from tests.engines import ENGINES

W = mg.parameter([[0.5, -0.2], [0.3, 0.8]], name="W")


def baseline(x):
    with mg.no_grad():
        y = x @ W
    return ((x @ W - 0.9 * y) ** 2).sum()


def flag(x):
    with mg.no_grad():
        large = (x @ W).sum() > 1.0
    return (x * 2).sum() if large else x.sum()


@pytest.mark.parametrize("backend", ENGINES)
def test_what_no_grad_computes_in_a_compiled_function_is_computed_anew(backend):
    def step(x):
        loss = baseline(x)
        return loss, *mg.grad(loss, [W])

    program = mg.compile(step, strict=True, backend=backend)
    before = W.data
    try:
        for scale in (1.0, 2.0, -3.0):
            x = scale * np.ones((1, 2))
            W.assign(before * scale)
            for got, want in zip(program(x), step(x), strict=True):
                np.testing.assert_allclose(got.data, want.data, rtol=1e-12)
    finally:
        W.assign(before)


def test_a_branch_on_a_value_without_gradient_runs_eagerly():
    program = mg.compile(flag)
    with pytest.warns(RuntimeWarning, match="branch on values"):
        assert program(np.ones((1, 2))).item() == 4.0
    assert program(-np.ones((1, 2))).item() == -2.0
    with pytest.raises(TraceError, match="branch on values"):
        mg.compile(flag, strict=True)(np.ones((1, 2)))


def test_a_first_gradient_is_a_constant_for_the_next_in_a_compiled_function_too():
    w = mg.parameter([1.0, 2.0], name="w")

    def step(x):
        (g,) = mg.grad((w * w * w * x).sum(), [w])
        return mg.grad((g * w).sum(), [w])

    x = np.array([1.0, 3.0])
    compiled = mg.compile(step, strict=True)(x)
    np.testing.assert_array_equal(compiled[0].data, step(x)[0].data)
    np.testing.assert_array_equal(step(x)[0].data, 3 * np.array([1.0, 2.0]) ** 2 * x)


def test_masks_pass_through_no_grad_in_a_traced_function():
    def positive(x):
        with mg.no_grad():
            mask = x > 0
        return mg.where(mask, x, 0.0).sum()

    program = mg.compile(positive, strict=True)
    assert program(np.array([1.0, -1.0])).item() == 1.0
    assert program(np.array([-1.0, 3.0])).item() == 3.0


def test_a_compiled_function_within_another_and_under_watch_is_the_function():
    inner = mg.compile(lambda x: mg.log(x).sum(), strict=True)
    outer = mg.compile(lambda x: inner(x * 2), strict=True)
    assert outer(np.array([0.5, 1.0])).item() == np.log(2.0)
    zero = mg.tensor([0.0, 1.0], name="zero")
    with (
        np.errstate(divide="ignore"),
        mg.detect_anomaly(),
        pytest.raises(FloatingPointError, match="log"),
    ):
        inner(zero)


def test_a_block_leaves_the_mode_that_it_found():
    for block in (mg.no_grad, mg.detect_anomaly, traced):
        with pytest.raises(KeyError), block():
            raise KeyError
        assert current_mode.get() is Mode.RECORD
    with traced(), mg.no_grad():
        assert current_mode.get() is Mode.TRACE_DETACHED
    with mg.no_grad(), mg.detect_anomaly():
        assert (W * 2).node.inputs == ()
    with traced(), pytest.raises(TraceError, match="detect_anomaly"):
        mg.detect_anomaly().__enter__()


@pytest.mark.parametrize("make", [mg.no_grad, mg.detect_anomaly])
def test_a_block_may_be_entered_again_and_inside_of_itself(make):
    block, before = make(), current_mode.get()
    for _ in range(2):
        with block:
            inside = current_mode.get()
            with block:
                assert current_mode.get() is inside
            assert current_mode.get() is inside
        assert current_mode.get() is before
    with pytest.raises(KeyError), block, block:
        raise KeyError
    assert current_mode.get() is before

    @make()
    def depth(n):
        assert current_mode.get() is inside
        return n and 1 + depth(n - 1)

    assert depth(3) == 3
    assert current_mode.get() is before


def test_what_no_grad_computes_is_not_watched():
    with mg.detect_anomaly(), mg.no_grad(), np.errstate(invalid="ignore"):
        assert np.isnan(mg.log(mg.tensor(-1.0, name="x")).data)
    assert "no_grad" in mg.detect_anomaly.__doc__


def test_a_mask_is_detached_in_a_compiled_function():
    program = mg.compile(lambda x: mg.tensor(x > 0).detach(), strict=True)
    assert program(np.array([1.0, -1.0])).tolist() == [True, False]
