"""Where the elements of operands must lie."""

import numpy as np

from minigrad.compile import kernels
from minigrad.compile.kinds import O
from minigrad.compile.ranges import Range, ranges
from minigrad.graph import PerOperand
from minigrad.op import OPERAND


def of(op, attrs, *operands):
    arrays = [np.asarray(a) for a in operands]
    kinds = [str(a.dtype) for a in arrays]
    return [*ranges(op, attrs, [a.shape for a in arrays], kinds)]


X, I = np.zeros((5, 3, 2)), np.array([0, 1])  # noqa: E741


def test_an_index_is_along_the_axis_that_its_place_says():
    key = (slice(None), OPERAND)
    assert of(O.getitem, {"key": key}, X, I) == [Range(1, -3, 2)]
    key = (None, Ellipsis, OPERAND, 0)
    assert of(O.getitem, {"key": key}, X, I) == [Range(1, -3, 2)]
    key = (OPERAND, OPERAND)
    assert of(O.getitem, {"key": key}, X, I, I) == [Range(1, -5, 4), Range(2, -3, 2)]
    assert of(O.getitem, {"key": OPERAND}, X, np.ones(5, bool)) == []
    keys = PerOperand([None, (slice(None), OPERAND), OPERAND, None, None])
    found = of(O.scatter_n, {"keys": keys}, X, X[:, I], X[I], I, I)
    assert found == [Range(3, -3, 2), Range(4, -5, 4)]


def test_what_is_brought_inside_has_no_range():
    assert of(O.take, {"axis": 1}, X, I) == [Range(1, -3, 2)]
    assert of(O.take, {}, X, I) == [Range(1, -30, 29)]
    assert of(O.take, {"mode": "wrap"}, X, I) == []
    assert of(O.untake, {"axis": 0}, X[I], I, X) == [Range(1, -5, 4)]
    assert of(O.take_along_axis, {}, X, X.astype(int)) == [Range(1, -2, 1)]


def test_class_numbers_do_not_count_from_the_end():
    assert of(O.cross_entropy, {}, X, I) == [Range(1, 0, 1, -100)]
    found = of(kernels.losses, {"ignore_index": 1}, X, X[..., :1], I)
    assert found == [Range(2, 0, 1, 1)]
    assert of(O.binary_cross_entropy, {}, X, X) == [Range(1, 0, 1)]
    assert of(O.tanh, {}, X) == []
