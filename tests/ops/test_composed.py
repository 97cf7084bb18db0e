"""Functions that are made of ops: NumPy's values, and gradients by differences."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.op import Op
from minigrad.testing import check_grad

X = np.random.default_rng(0).normal(size=(2, 3, 4))
V, M = X[0, 0], X[0]
CASES = {
    "moveaxis": [
        ((X, 0, -1), {}),
        ((X, (0, 2), (1, 0)), {}),
        ((X,), {"source": [-1], "destination": [0]}),
        ((V, 0, 0), {}),
        ((np.array(1.5), (), ()), {}),
    ],
    "ravel": [((X,), {}), ((np.array(1.5),), {}), ((X[:0],), {})],
    "repeat": [
        ((X, 2), {}),
        ((X, [1, 0, 3]), {"axis": 1}),
        ((X, 3), {"axis": -1}),
        ((X, 0, 0), {}),
        ((np.array(1.5), 3), {}),
        ((V, np.array([2])), {}),
    ],
    "tile": [
        ((X, 2), {}),
        ((M, (2, 3)), {}),
        ((V, (2, 1, 3)), {}),
        ((X, (2,)), {}),
        ((V, 0), {}),
        ((np.array(1.5), (2, 2)), {}),
        ((V, np.array([3])), {}),
        ((V, ()), {}),
    ],
    "diff": [
        ((X,), {}),
        ((X, 2), {"axis": 1}),
        ((X, 0), {}),
        ((X, 5), {}),
        ((M,), {"axis": 0, "prepend": 0.0}),
        ((M,), {"axis": -1, "prepend": M[:, :2], "append": 1}),
    ],
    "inner": [((M, M), {}), ((V, V), {}), ((X, V), {}), ((2.0, M), {}), ((M, X), {})],
    "vstack": [(([V, M],), {}), (([X, X],), {}), ((tuple(map(np.array, V)),), {})],
    "hstack": [
        (([V, V[:2]],), {}),
        (([M, M[:, :1]],), {}),
        ((tuple(map(np.array, V)),), {}),
    ],
    "array_split": [
        ((X, 2), {"axis": -1}),
        ((V, 3), {}),
        ((V, 7), {}),
        ((M, [1, 2]), {"axis": 1}),
    ],
}
CALLS = [(name, *call) for name, calls in CASES.items() for call in calls]


@pytest.mark.parametrize(("name", "args", "attrs"), CALLS)
def test_composed(name, args, attrs):
    ours, numpys = getattr(mg, name), getattr(np, name)
    first, *rest = args
    several = isinstance(first, (list, tuple))
    operands = list(first) if several else [first]
    # An array behind the first operand is one too, but where it says a shape.
    if name == "inner":
        operands += rest
        rest = []

    def call(f, xs):
        if several:
            return f(list(xs), *rest, **attrs)
        return f(*xs, *rest, **attrs)

    expected = call(numpys, operands)
    tensors = [mg.tensor(x, requires_grad=True) for x in operands]
    for got in (call(ours, tensors), call(numpys, tensors), call(ours, operands)):
        pairs = (
            zip(got, expected, strict=True) if type(got) is list else [(got, expected)]
        )
        for a, b in pairs:
            np.testing.assert_allclose(np.array(a), b, rtol=1e-15)
            assert a.dtype == b.dtype
    if not isinstance(got, list):
        assert type(got) in (np.ndarray, np.float64)
    check_grad(lambda *xs: call(ours, xs), operands, order=2)


def test_what_they_do_for_float32_and_bits():
    x = mg.tensor(M.astype(np.float32), name="x")
    assert mg.diff(x, prepend=0.0, append=1).dtype == np.float32
    bits = np.array([True, False, False])
    assert mg.diff(mg.tensor(bits)).data.tolist() == np.diff(bits).tolist()


def test_the_ends_of_a_diff_have_gradients():
    check_grad(lambda x, a: mg.diff(x, axis=0, prepend=a, append=a), [M, V[0]], 2)
    check_grad(lambda x, a: mg.diff(x, axis=0, prepend=a), [M, M[:2]], 2)


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (
            lambda x: mg.repeat(x, mg.tensor(2)),
            TypeError,
            "repeat: repeats says the sh",
        ),
        (lambda x: np.tile(x, x), TypeError, "tile: reps says the shape"),
        (lambda x: mg.array_split(x, x), TypeError, "array_split: indices_or_sections"),
        (lambda x: mg.array_split(x, 0), ValueError, "one part or more, got 0"),
        (lambda x: mg.diff(x, n=-1), ValueError, "n is 0 or more, got -1"),
        (lambda x: mg.diff(x[0]), ValueError, "a single number has no neighbour"),
        (lambda x: mg.moveaxis(x, 3, 0), ValueError, "source: axis 3 is out of bounds"),
    ],
)
def test_what_they_refuse(call, error, said):
    with pytest.raises(error, match=said):
        call(mg.tensor([1.0, 2.0], name="x"))


def test_only_ops_are_recorded_and_none_of_these_names_is_one():
    for name in CASES:
        assert not isinstance(getattr(mg, name), Op)
