"""The strategies draw what they say, and the engine stands what they draw."""

import numpy as np
from hypothesis import find, given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.testing import check_against, check_contract, check_grad, strategies
from tests.programs.strategies import programs, unrolls

QUICK = settings(max_examples=30)


@QUICK
@given(programs())
def test_programs_have_right_gradients(drawn):
    program, args = drawn
    check_grad(program, args, order=2, rtol=1e-7, atol=1e-7)
    check_contract(program, args)
    check_against(program, lambda *xs: program(*xs) * 1.0, args)


@QUICK
@given(unrolls(), st.integers(8, 9))
def test_unrolls_fold_and_unfold(run, length):
    graph = mg.Graph(run(length))
    folded = mg.fold(graph)
    assert folded.unfold(length).same_as(graph)
    assert folded == mg.fold(mg.Graph(run(length + 1)))


@QUICK
@given(strategies.einsum_specs(), st.integers(0, 2**16))
def test_einsum(drawn, seed):
    spec, shapes = drawn
    rng = np.random.default_rng(seed)
    arrays = [rng.uniform(0.5, 1.5, shape) for shape in shapes]
    expected = np.einsum(spec, *arrays)
    found = mg.einsum(spec, *map(mg.tensor, arrays))
    np.testing.assert_allclose(found.data, expected, rtol=1e-12)
    check_grad(lambda *xs: mg.einsum(spec, *xs), arrays, order=2, rtol=1e-7, atol=1e-7)


def test_every_kind_of_index_is_drawn():
    drawn = strategies.indices((3, 2))

    def has(kind):
        return lambda key: any(
            isinstance(part, kind)
            for part in (key if isinstance(key, tuple) else (key,))
        )

    for kind in (int, slice, type(None), type(Ellipsis), np.ndarray):
        find(drawn, has(kind))
    find(drawn, lambda key: isinstance(key, np.ndarray) and key.dtype == bool)


def test_axes_shapes_and_layouts():
    find(strategies.axes(2), lambda axis: axis is None)
    find(strategies.axes(2), lambda axis: axis == -1)
    find(strategies.axes(2), lambda axis: isinstance(axis, tuple) and len(axis) == 2)
    assert find(strategies.axes(0), lambda axis: True) is None
    find(strategies.shapes(), lambda shape: shape == ())
    find(strategies.shapes(), lambda shape: 0 in shape)
    find(strategies.broadcastable(), lambda pair: pair[0] != pair[1])
    a = np.arange(6.0).reshape(2, 3)
    find(strategies.layouts(a), lambda x: x.strides[-1] < 0)
    find(strategies.layouts(a), lambda x: x.strides[-1] == 0)
    assert find(strategies.cotangents((2,)), lambda g: (g < 0).any()).shape == (2,)
