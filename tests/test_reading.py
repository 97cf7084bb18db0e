"""What is read off a Tensor."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.mode import TraceError


@pytest.fixture
def x():
    return mg.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], name="x")


def test_values_as_python_has_them(x):
    assert x.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert mg.tensor(2.5).tolist() == 2.5
    assert (x.item(4), x.item(0, 2), x.item((1, 0))) == (5.0, 3.0, 4.0)
    assert mg.tensor([[7.0]]).item() == 7.0
    with pytest.raises(ValueError, match="size 1"):
        x.item()


def test_a_copy_is_an_array_of_its_own(x):
    for made in (x.copy(), np.copy(x)):
        assert type(made) is np.ndarray
        made[0, 0] = 9.0
    assert x.data[0, 0] == 1.0
    p = mg.parameter([1.0], name="p")
    best = p.copy()
    p.assign([2.0])
    assert best.tolist() == [1.0]


def test_methods_that_numpy_has(x):
    a = x.data
    pairs = [
        (x.ravel(), a.ravel()),
        (x.repeat(2), a.repeat(2)),
        (x.repeat([1, 2], axis=0), a.repeat([1, 2], axis=0)),
        (x.argmax(), a.argmax()),
        (x.argmin(axis=1), a.argmin(axis=1)),
        ((x > 1).all(axis=1), (a > 1).all(axis=1)),
        ((x > 5).any(), (a > 5).any()),
        ((x / 3).round(1), (a / 3).round(1)),
    ]
    for ours, numpys in pairs:
        np.testing.assert_array_equal(ours.data, numpys)
        assert ours.dtype == numpys.dtype


def test_formats():
    loss = mg.tensor(0.123456, name="L")
    assert f"{loss:.3f} {mg.tensor([[2.0]]):6.1e}" == "0.123 2.0e+00"
    assert f"{loss}" == repr(loss)
    assert f"{mg.tensor(3):>4}" == "   3"
    with pytest.raises(
        TypeError, match=r"'\.3f' is the format .* shape \(2,\): write t"
    ):
        f"{mg.tensor([1.0, 2.0]):.3f}"
    with pytest.raises(ValueError, match=r"'\+w' is no format of a float: write \.3f"):
        f"{loss:+w}"


def test_requires_grad():
    p, c = mg.parameter([1.0, 2.0], name="p"), mg.tensor([1.0, 2.0])
    named = mg.tensor([1.0], name="x")
    asked = mg.tensor([1.0], requires_grad=True)
    yes = [p, named, asked, p * c, mg.stack([c, p]), mg.where(c > 1, p, 0.0), p[0]]
    no = [
        c,
        c * 2,
        p.detach(),
        p > 1,
        p.argmax(),
        mg.floor(p),
        mg.where(p > 1, c, 0.0),
        mg.tensor([1], name="n"),
        p.astype(int),
        p.astype(int) * 2.0,
    ]
    assert [t.requires_grad for t in yes] == [True] * len(yes)
    assert [t.requires_grad for t in no] == [False] * len(no)
    with mg.no_grad():
        assert not (p * 2).requires_grad
    with pytest.raises(AttributeError, match="is said where it is made"):
        c.requires_grad = True


def test_a_long_chain_is_asked_without_recursion():
    y = mg.tensor(1.0)
    for _ in range(5000):
        y = y + 1.0
    assert not y.requires_grad


def test_what_needs_a_value_cannot_be_traced():
    for read in (
        lambda x: x.tolist(),
        lambda x: x.copy(),
        lambda x: f"{x.sum():.1f}",
        lambda x: x.item(0),
    ):

        def function(x, read=read):
            read(x)
            return x * 2

        with pytest.raises(TraceError, match="it reads the value"):
            mg.compile(function, strict=True)(np.ones(2))
