"""What NumPy refuses is refused: indices and class numbers out of range."""

import numpy as np
import pytest

import minigrad as mg
import tests.engines  # noqa: F401

E = mg.parameter(np.arange(10.0).reshape(5, 2), name="E")
LOGITS = np.zeros((3, 4))
GOOD = np.array([0, 1, 3])


def gradient(loss):
    return lambda *given: mg.grad(loss(*given), [E])[0]


CASES = {
    "embedding": (lambda i: mg.embedding(E, i).sum(), [5, -6]),
    "of a gradient alone": (gradient(lambda i: mg.embedding(E, i).sum()), [5, -6]),
    "index": (lambda i: E[i].sum(), [5, -6]),
    "index behind a slice": (lambda i: E[:, i - 2].sum(), [4, -1]),
    "take": (lambda i: mg.take(E, i, axis=0).sum(), [5, -6]),
    "take of all": (lambda i: mg.take(E, i).sum(), [10, -11]),
    "take computed": (lambda i: mg.take(E, i * 2).sum(), [5, -6]),
    "along an axis": (
        lambda i: mg.take_along_axis(E, mg.expand_dims(i, 1), axis=0).sum(),
        [5, -6],
    ),
    "classes": (lambda i: mg.cross_entropy(LOGITS + E[0, 0], i), [4, -1]),
    "ignored classes": (
        lambda i: mg.cross_entropy(LOGITS + E[0, 0], i, ignore_index=1),
        [4, -100],
    ),
    "classes computed": (lambda i: mg.cross_entropy(LOGITS + E[0, 0], i - 0), [4, -1]),
    "weighted classes": (
        lambda i: mg.cross_entropy(LOGITS + E[0, 0], i, np.ones(4)),
        [4, -1],
    ),
    "power": (lambda i: mg.tensor(GOOD) ** i, [-1]),
    "power computed": (lambda i: mg.tensor(GOOD) ** (i * 1), [-1]),
    "log-probabilities": (lambda i: mg.nll_loss(LOGITS + E[0, 0], i), [4, -1]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_number_out_of_range_is_refused_as_numpy_refuses_it(name):
    function, beyond = CASES[name]
    first = GOOD if "behind" not in name else np.array([2, 3, 3])
    program = mg.compile(function, strict=True, backend="jax")
    np.testing.assert_allclose(program(first).data, function(first).data, rtol=1e-12)
    for number in beyond:
        wrong = np.array([first[0], number, first[1]])
        with pytest.raises((IndexError, ValueError)) as expected:
            function(wrong)
        again = mg.compile(function, backend="jax")
        again(first)
        with pytest.raises(type(expected.value)) as found:
            again(wrong)
        assert str(found.value) == str(expected.value)


@pytest.mark.parametrize("computed", [False, True])
def test_what_is_no_whole_number_is_cast_by_numpy(computed):
    def step(x):
        return (x * 2.0 if computed else x).astype("int32")

    program = mg.compile(step, strict=True, backend="jax")
    for x in (np.array([1.5, -2.0]), np.array([np.nan, 1e10])):
        with np.errstate(invalid="ignore"):
            wanted = step(mg.tensor(x))
            np.testing.assert_array_equal(program(x).data, wanted.data)
