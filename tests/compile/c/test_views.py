"""A view of C is where NumPy's view of the same array is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.compile.c.sizes import size
from minigrad.compile.c.views import UnsayableError, nested, view


def same(found, array, whole):
    """Whether a view visits the elements of ``array``, a view of ``whole``."""
    assert tuple(n.number for n in found.shape) == array.shape
    flat = whole.reshape(-1)
    for index in np.ndindex(*array.shape):
        place = found.place(index)
        assert flat[place.number] == array[index]


shapes = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)


@st.composite
def looks(draw, array):
    """The name of a view and what it takes, for an array."""
    kind = draw(st.sampled_from(["key", "transpose", "broadcast", "reshape"]))
    if kind == "transpose":
        return kind, tuple(draw(st.permutations(range(array.ndim))))
    if kind == "broadcast":
        front = draw(st.lists(st.integers(1, 3), max_size=2))
        wide = [n if n != 1 else draw(st.integers(1, 3)) for n in array.shape]
        return kind, (*front, *wide)
    if kind == "reshape":
        shape = [n for n in array.shape if n != 1]
        for _ in range(draw(st.integers(0, 2))):
            shape.insert(draw(st.integers(0, len(shape))), 1)
        return kind, tuple(
            draw(st.sampled_from([shape, [array.size], [1, array.size]]))
        )
    key = [draw(part(n)) for n in array.shape[: draw(st.integers(0, array.ndim))]]
    if draw(st.booleans()):
        rest = [draw(part(n)) for n in array.shape[len(key) :][::-1][:1]]
        key = [*key, ..., *rest]
    for _ in range(draw(st.integers(0, 2))):
        key.insert(draw(st.integers(0, len(key))), None)
    return kind, key[0] if len(key) == 1 else tuple(key)


def part(n):
    """A part of a key for an axis of n elements."""
    ends = st.one_of(st.none(), st.integers(-n - 1, n + 1))
    steps = st.sampled_from([None, 1, 2, -1, -2, 3])
    cuts = st.builds(slice, ends, ends, steps)
    cuts = cuts.filter(lambda cut: len(range(*cut.indices(n))) > 0)
    return st.one_of(st.integers(-n, n - 1), cuts)


@given(st.data(), shapes)
def test_views_of_views(data, shape):
    whole = np.arange(int(np.prod(shape))).reshape(shape)
    found, array = view("x", "float32", shape), whole
    for _ in range(data.draw(st.integers(1, 4))):
        if not array.ndim or array.size > 500:
            break
        kind, given_ = data.draw(looks(array))
        if kind == "key":
            found, array = found.key(given_), array[given_]
        elif kind == "transpose":
            found, array = found.transposed(given_), array.transpose(given_)
        elif kind == "broadcast":
            sizes = [size(n) for n in given_]
            found, array = found.broadcast(sizes), np.broadcast_to(array, given_)
        else:
            try:
                made = found.reshaped([size(n) for n in given_])
            except UnsayableError:
                continue
            found, array = made, array.reshape(given_)
        array = np.asarray(array)
    same(found, array, whole)


@given(st.data(), shapes)
def test_axes_that_run_as_one(data, shape):
    """Two arrays in joined loops: the same pairs of elements, in the same order."""
    order = data.draw(st.permutations(range(len(shape))))
    turned = tuple(shape[a] for a in order)
    a = view("a", "float32", turned).transposed(
        [order.index(i) for i in range(len(shape))]
    )
    b = view("b", "float32", shape[1:]).broadcast([size(n) for n in shape])
    sizes, strides = nested(a.shape, [a, b])
    wanted = [[v.place(index).number for v in (a, b)] for index in np.ndindex(*shape)]
    numbers = [n.number for n in sizes]
    found = [
        [sum(s.number * i for s, i in zip(own, index, strict=True)) for own in strides]
        for index in np.ndindex(*numbers)
    ]
    assert found == wanted
    assert 1 not in numbers


@given(st.integers(2, 9))
def test_an_axis_of_a_free_length(T):
    x = view("x", "float64", ("T", 3))
    whole = np.arange(T * 3).reshape(T, 3)
    for key, others in [
        ((slice(None, None, -1),), [2, 3]),
        ((-1,), [3]),
        ((slice(None), -1), [2]),
        ((..., slice(None, None, -2)), [2, 3]),
        ((None, 1), [1, 3]),
    ]:
        found, array = x.key(key), whole[key]
        assert len(found.shape) == len(others)
        for index in np.ndindex(*array.shape):
            place = eval(str(found.place(index)), {"T": T})
            assert whole.reshape(-1)[place] == array[index]


@pytest.mark.parametrize("cut", [slice(1, None), slice(None, 2), slice(None, None, 2)])
def test_a_part_of_a_free_axis_is_not_said(cut):
    with pytest.raises(UnsayableError):
        view("x", "float64", ("T", 3)).key(cut)


def test_a_free_length_is_no_one():
    x = view("x", "float64", ("T", 3))
    assert x.is_whole
    assert x.reshaped([size("T") * 3]).strides == (1,)
    assert not x.transposed((1, 0)).is_whole
    assert nested(x.shape, [x])[0] == [size("T") * 3]
    with pytest.raises(UnsayableError):
        x.transposed((1, 0)).reshaped([size("T") * 3])


def test_the_text_of_a_place():
    x = view("x", "float32", (2, 3)).key((1, slice(None, None, -1)))
    assert x.pointer == "x + 5"
    assert x.element(["j"]) == "x[5 - j]"
