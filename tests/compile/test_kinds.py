"""What the table says of an op is what the op does."""

import numpy as np
import pytest

from minigrad.compile.counts import Count
from minigrad.compile.kinds import O, batched, in_front, is_basic, is_view
from minigrad.compile.values import Value, argument, compute
from minigrad.fold.moving_index import Ahead

X = np.arange(24.0).reshape(4, 3, 2)

CASES = [
    (O.tanh, {}),
    (O.sum, {"axis": 0}),
    (O.sum, {"axis": -1, "keepdims": True}),
    (O.sum, {}),
    (O.mean, {"axis": (0, 1)}),
    (O.max, {"axis": 1}),
    (O.softmax, {}),
    (O.log_softmax, {"axis": 0}),
    (O.transpose, {}),
    (O.transpose, {"axes": (1, 0)}),
    (O.swapaxes, {"axis1": 0, "axis2": -1}),
    (O.expand_dims, {"axis": -1}),
    (O.expand_dims, {"axis": (0, 2)}),
    (O.getitem, {"key": (slice(None), slice(0, 1))}),
    (O.getitem, {"key": 1}),
    (O.concatenate, {"axis": -1}),
    (O.stack, {"axis": -1}),
]


@pytest.mark.parametrize(("op", "attrs"), CASES, ids=lambda case: str(case)[:30])
def test_batched_ops_do_to_all_what_the_op_does_to_each(op, attrs):
    form = batched(op, attrs, X.shape[1:])
    every = compute(form[0], [X], form[1])
    each = [compute(op, [x], attrs) for x in X]
    np.testing.assert_allclose(every, np.stack(each), rtol=1e-12)


@pytest.mark.parametrize(
    ("op", "attrs"),
    [
        (O.logsumexp, {"axis": None}),
        (O.getitem, {"key": Ahead(0)}),
        (O.squeeze, {}),
        (O.concatenate, {"axis": None}),
        (O.cross_entropy, {"reduction": "mean"}),
        (O.scatter_n, {"keys": (0,)}),
    ],
    ids=lambda case: str(case)[:30],
)
def test_what_no_single_operation_does(op, attrs):
    assert batched(op, attrs, (3, 2)) is None


def test_axes_with_one_more_in_front():
    assert in_front(None, 2) == (1, 2)
    assert in_front(-1, 2) == 2
    assert in_front((0, -1), 3) == (1, 3)


@pytest.mark.parametrize(
    ("key", "basic"),
    [
        (0, True),
        ((slice(0, 2), None, Ellipsis), True),
        (slice(0, Count(1, 0)), True),
        (Ahead(-1), False),
        (slice(Ahead(0), None), False),
        ("operand", False),
        ((0, True), False),
    ],
)
def test_indices_that_give_views(key, basic):
    assert is_basic(key) == basic


def test_a_view_has_one_operand():
    x = argument("x", (3, 2), "float64")
    assert is_view(Value(O.getitem, (x,), {"key": 0}, (2,), "float64"))
    assert not is_view(Value(O.getitem, (x, x), {"key": "operand"}, (2,), "float64"))
    assert not is_view(Value(O.tanh, (x,), {}, (3, 2), "float64"))
