"""What moves with t, and dtypes, in the text of a program."""

import numpy as np
import pytest

import minigrad as mg
import tests.engines  # noqa: F401

X = np.arange(24.0).reshape(12, 2)


def net(key):
    def step(xs, X):
        h = mg.tensor(np.ones(2), name="h0")
        for t, x in mg.steps(x=xs):
            h = (0.5 * h * x + key(X, t)).named("h")
        return h

    return step


KEYS = {
    "an entry": lambda X, t: X[t + 1],
    "an entry of a constant": lambda _, t: mg.tensor(X)[t],
    "some entries": lambda X, t: X[t - 1 : t + 2].sum(axis=0),
    "some of a column": lambda X, t: X[t - 1 : t + 1, 0],
    "a moving roll": lambda X, t: mg.roll(X, t, axis=0)[0],
}


@pytest.mark.parametrize("name", KEYS)
def test_an_index_that_moves(name):
    step = net(KEYS[name])
    program = mg.compile(step, strict=True, backend="jax")
    for T in (6, 7, 9):
        xs = np.linspace(0, 1, 2 * T).reshape(T, 2)
        np.testing.assert_allclose(program(xs, X).data, step(xs, X).data, rtol=1e-12)


def test_a_slice_that_leaves_the_array_is_cut_as_numpy_cuts_it():
    """Its shape is another one there, so that the call runs eagerly."""
    step = net(lambda X, t: X[t : t + 3].sum(axis=0))
    program = mg.compile(step, backend="jax")
    for T in (6, 8, 10):
        xs = np.linspace(0, 1, 2 * T).reshape(T, 2)
        if T < 10:
            found = program(xs, X)
        else:
            with pytest.warns(RuntimeWarning, match="runs eagerly: its program raises"):
                found = program(xs, X)
        np.testing.assert_allclose(found.data, step(xs, X).data, rtol=1e-12)


def test_names_of_users_are_no_words_of_the_source():
    def step(xs):
        h = mg.tensor(np.ones((1, 2)), name="lax")
        for _, x in mg.steps(x=xs):
            h = mg.tanh(h + x).named("carry")
        return (h * 2.0).named("jnp"), h.sum().named("lambda")

    program = mg.compile(step, strict=True, backend="jax")
    xs = np.ones((6, 1, 2))
    for a, b in zip(program(xs), step(xs), strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-12)
