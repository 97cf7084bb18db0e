"""A compiled function that draws random numbers runs eagerly, and says so."""

import random
import warnings
from functools import partial

import numpy as np
import pytest

import minigrad as mg
from minigrad.mode import TraceError
from minigrad.nn import Dropout

W = mg.parameter(np.eye(3), name="W")


def noisy(draw, x):
    return (x @ W * draw()).sum()


@pytest.mark.parametrize(
    "make",
    [
        lambda: np.random.default_rng(0).normal,
        lambda: np.random.RandomState(0).normal,
        lambda: random.Random(0).random,
    ],
)
def test_a_generator_that_the_function_holds(make):
    x = np.ones((2, 3))
    program = mg.compile(partial(noisy, make()))
    with pytest.warns(RuntimeWarning, match="it draws random numbers"):
        found = [program(x).item()]
    found += [program(x).item() for _ in range(3)]
    draw = make()
    assert found == [noisy(draw, x).item() for _ in range(4)]
    assert len(set(found)) == 4


@pytest.mark.parametrize(
    ("module", "draw"), [(np.random, "normal"), (random, "random")]
)
def test_a_generator_that_all_share(module, draw):
    before = np.random.get_state(), random.getstate()
    try:
        module.seed(0)
        program = mg.compile(partial(noisy, getattr(module, draw)))
        with pytest.warns(RuntimeWarning, match="it draws random numbers"):
            found = [program(np.ones((2, 3))).item() for _ in range(3)]
        module.seed(0)
        draws = [6 * getattr(module, draw)() for _ in range(3)]
        assert found == pytest.approx(draws)
    finally:
        np.random.set_state(before[0])
        random.setstate(before[1])


def test_an_iterator_gives_each_run_something_else():
    rates = iter([1.0, 2.0, 3.0])
    program = mg.compile(lambda x: x * next(rates))
    with pytest.warns(RuntimeWarning, match="it reads a list_iterator"):
        found = [program(np.ones(1)).item() for _ in range(3)]
    assert found == [1.0, 2.0, 3.0]
    program = mg.compile(lambda x, given: x * next(given))
    given = (rate for rate in (1.0, 2.0))
    with pytest.warns(RuntimeWarning, match="it reads a generator"):
        found = [program(np.ones(1), given).item() for _ in range(2)]
    assert found == [1.0, 2.0]


def test_a_generator_that_is_an_argument():
    drop, x = Dropout(0.5), np.arange(12.0).reshape(4, 3)

    def loss(x, rng):
        return drop(x @ W, rng).sum()

    program, rng = mg.compile(loss), np.random.default_rng(0)
    with pytest.warns(RuntimeWarning, match="it draws random numbers"):
        found = [program(x, rng).item() for _ in range(4)]
    rng = np.random.default_rng(0)
    assert found == [loss(x, rng).item() for _ in range(4)]
    with pytest.raises(TraceError, match="pass them"):
        mg.compile(loss, strict=True)(x, rng)


def test_a_generator_that_nobody_asks_changes_nothing():
    rng = np.random.default_rng(0)
    program = mg.compile(lambda x, rng: (x @ W).sum())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert program(np.ones((2, 3)), rng).item() == 6.0
    assert program.source


def test_an_error_leaves_the_generator_to_the_eager_run():
    rng = np.random.default_rng(0)

    def branch(x):
        total = (x @ W).sum() * rng.normal()
        return total if total > 0 else -total

    program = mg.compile(branch)
    with pytest.warns(RuntimeWarning, match="runs eagerly"):
        found = program(np.ones((2, 3))).item()
    assert found == pytest.approx(6 * abs(np.random.default_rng(0).normal()))
