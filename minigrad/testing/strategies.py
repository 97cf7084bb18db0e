"""Hypothesis strategies: the shapes, axes, indices and layouts that find bugs.

Values are drawn by NumPy from a seed that hypothesis draws: what shrinks is shape and
structure, and numbers stay where differences are accurate. It needs ``hypothesis``
(``pip install 'minigrad-rnn[test]'``), and so is imported by its own name.

>>> from hypothesis import find
>>> find(shapes(), lambda shape: len(shape) == 2)
(0, 0)
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

try:
    import hypothesis.extra.numpy as hnp
    from hypothesis import strategies as st
except ModuleNotFoundError:
    from minigrad.advice import imported

    imported("hypothesis", "test")  # which says what to install
    raise

from minigrad.testing import contract
from minigrad.testing.gradient import cotangent

Array = NDArray[Any]
Shape = tuple[int, ...]

LONGEST = 3  # an axis; with 0 and 1 it is every case that rules tell apart


def shapes(
    min_dims: int = 0, max_dims: int = 3, min_side: int = 0
) -> st.SearchStrategy[Shape]:
    """Shapes with 0-d, empty and size-1 ones among them."""
    return hnp.array_shapes(
        min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=LONGEST
    )


def broadcastable(count: int = 2, max_dims: int = 3) -> st.SearchStrategy[list[Shape]]:
    """Lists of shapes that broadcast against each other."""
    found = hnp.mutually_broadcastable_shapes(
        num_shapes=count, max_dims=max_dims, max_side=LONGEST
    )
    return found.map(lambda drawn: list(drawn.input_shapes))


@st.composite
def arrays(
    draw: st.DrawFn,
    shape: Shape | st.SearchStrategy[Shape] | None = None,
    low: float = -2.0,
    high: float = 2.0,
) -> Array:
    """float64 arrays of values with two decimals in [low, high]."""
    wanted = shapes() if shape is None else shape
    size = wanted if isinstance(wanted, tuple) else draw(wanted)
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    return np.asarray(rng.uniform(low, high, size).round(2))


def cotangents(shape: Shape) -> st.SearchStrategy[Array]:
    """Signed cotangents of a shape, away from zero."""
    seeds = st.integers(0, 2**16)
    return seeds.map(lambda seed: cotangent(np.random.default_rng(seed), shape))


@st.composite
def axes(draw: st.DrawFn, ndim: int) -> int | Shape | None:
    """What ``axis=`` takes for an array of ndim axes: None, an int, a tuple."""
    one = st.integers(-ndim, ndim - 1) if ndim else st.nothing()
    chosen = st.lists(one, unique_by=lambda a: a % ndim, max_size=ndim).map(tuple)
    return draw(st.none() | one | chosen) if ndim else None


keepdims = st.booleans


def layouts(array: Array) -> st.SearchStrategy[Array]:
    """One array in C, Fortran, strided or negative-stride memory, or a 0-stride one."""
    return st.sampled_from([array, *contract.layouts(array).values()])


@st.composite
def indices(draw: st.DrawFn, shape: Shape) -> Any:
    """Keys for x[key]: basic, newaxis, ellipsis, integer arrays (duplicates), masks."""
    kinds: list[st.SearchStrategy[Any]] = [hnp.basic_indices(shape, allow_newaxis=True)]
    if shape and 0 not in shape:
        kinds.append(hnp.integer_array_indices(shape, result_shape=shapes(0, 2)))
        kinds.append(_mixed(shape))
    if shape:
        kinds.append(hnp.arrays(bool, shape))
        kinds.append(hnp.arrays(bool, shape[:1]))
    return draw(st.one_of(kinds))


@st.composite
def _mixed(draw: st.DrawFn, shape: Shape) -> Any:
    """A slice or an integer array for every axis."""
    length = draw(st.integers(0, 3))
    key = []
    for n in shape:
        index = hnp.arrays(np.int64, length, elements=st.integers(-n, n - 1))
        key.append(draw(st.slices(n) | index))
    return tuple(key)


@st.composite
def einsum_specs(draw: st.DrawFn) -> tuple[str, list[Shape]]:
    """A subscript string and the shapes of its operands: repeated indices, ellipsis.

    An operand may have length 1 along an index where others are longer.
    """
    sizes = {letter: draw(st.integers(1, LONGEST)) for letter in "ijk"}
    dots: Shape = draw(st.sampled_from([(), (2,), (1, 2)]))
    terms, operands = [], []
    for _ in range(draw(st.integers(1, 3))):
        letters = draw(st.text("ijk", min_size=0, max_size=3))
        short = draw(st.text("ijk", max_size=1))
        shape = tuple(1 if letter == short else sizes[letter] for letter in letters)
        if draw(st.booleans()):
            place = draw(st.integers(0, len(letters)))
            cut = draw(st.integers(0, len(dots)))
            terms.append(letters[:place] + "..." + letters[place:])
            hidden = tuple(1 for _ in dots[cut:]) if draw(st.booleans()) else dots[cut:]
            operands.append(shape[:place] + hidden + shape[place:])
        else:
            terms.append(letters)
            operands.append(shape)
    given = ",".join(terms)
    if draw(st.booleans()):
        return given, operands
    known = sorted(set("".join(terms)) - {"."})
    kept = draw(st.permutations(known))[: draw(st.integers(0, len(known)))]
    # NumPy demands the ellipsis in the result where an operand has broadcast axes.
    return f"{given}->{'...' if '...' in given else ''}{''.join(kept)}", operands
