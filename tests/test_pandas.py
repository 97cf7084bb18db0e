"""Frames of pandas beside Tensors: right, or an error; no graph is cut."""

import numpy as np
import pytest

import minigrad as mg

# A library of others, which nobody needs for minigrad.
pandas = pytest.importorskip("pandas")

FRAME = pandas.DataFrame([[1.0, 2.0], [3.0, 4.0]])
SERIES = pandas.Series([1.0, 2.0])
W = mg.parameter([[0.5, 1.0], [2.0, -1.0]], name="W")
K = mg.parameter([2.0, 3.0], name="k")

RECORDED = {
    "frame * b": (lambda p, a, s: a * p, K),
    "b * frame": (lambda p, a, s: p * a, K),
    "frame + b": (lambda p, a, s: a + p, K),
    "frame - W": (lambda p, a, s: a - p, W),
    "frame / W": (lambda p, a, s: a / p, W),
    "frame ** W": (lambda p, a, s: a**p, W),
    "series * k": (lambda p, a, s: s * p, K),
    "k * series": (lambda p, a, s: p * s, K),
    "W @ frame": (lambda p, a, s: p @ a, W),
}


@pytest.mark.parametrize("name", RECORDED)
def test_operators_give_tensors(name):
    call, p = RECORDED[name]
    y = call(p, FRAME, SERIES)
    assert isinstance(y, mg.Tensor)
    expected = call(p, FRAME.to_numpy(), SERIES.to_numpy())
    np.testing.assert_array_equal(y.data, expected.data)
    found, right = (mg.grad(z.sum(), [p])[0].data for z in (y, expected))
    np.testing.assert_array_equal(found, right)


@pytest.mark.parametrize(
    "call",
    [
        lambda: FRAME @ W,
        lambda: FRAME.dot(W),
        lambda: SERIES @ K,
        lambda: FRAME.mul(K),
        lambda: pandas.DataFrame(W * 2.0),
        lambda: FRAME @ (mg.tensor([1.0, 2.0], name="x") * 2.0),
    ],
)
def test_what_pandas_takes_for_itself_is_an_error(call):
    with pytest.raises(TypeError, match=r"pandas frame df\.to_numpy\(\)"):
        call()


def test_a_comparison_is_a_mask():
    assert (FRAME > W).dtype == (FRAME == W).dtype == bool
    assert isinstance(FRAME > W, mg.Tensor)
