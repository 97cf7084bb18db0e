"""What a recorded op costs in calls of Python, and the short ways of the backward loop.

Calls are counted, not timed: a busy machine counts alike.
"""

import gc
import sys
from collections import Counter

import numpy as np
import pytest

import minigrad as mg
from minigrad.collector import paused

RNG = np.random.default_rng(0)


def calls(f):
    """How many Python functions of minigrad are entered by f()."""
    found = Counter()

    def seen(frame, event, _):
        if event == "call" and "minigrad" in frame.f_code.co_filename:
            found[frame.f_code.co_qualname] += 1

    f()  # what the first call of all looks up is kept
    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        f()
    finally:
        sys.setprofile(before)
    return found.total()


def matrix(*shape, name=None):
    return mg.tensor(RNG.normal(size=shape), name=name, requires_grad=True)


A, B = matrix(3, 3), matrix(3, 3)
Y = mg.tensor(np.array([0, 2, 1]))


@pytest.mark.parametrize(
    ("most", "f"),
    [
        (5, lambda: A + B),
        (5, lambda: A * B),
        (6, lambda: A @ B),
        (6, lambda: mg.tanh(A)),
        (7, lambda: A[:, 1:2]),
        (7, lambda: A[0]),
        (10, lambda: A * 2.0),
        (20, lambda: mg.cross_entropy(A, Y)),
    ],
)
def test_a_recorded_op_is_few_calls(most, f):
    assert calls(f) <= most + 1  # f itself


@pytest.mark.parametrize(
    ("most", "f"),
    [
        (4, lambda x: x + A),
        (4, lambda x: x * A),
        (5, lambda x: x @ A),
        (4, mg.tanh),
    ],
)
def test_a_node_of_the_backward_loop_is_few_calls(most, f):
    def chain(n):
        x = B
        for _ in range(n):
            x = f(x)
        return x.sum()

    short, long = chain(10), chain(110)
    more = calls(lambda: mg.grad(long, [B])) - calls(lambda: mg.grad(short, [B]))
    assert more / 100 <= most


def test_a_step_of_a_loop_over_time_is_few_calls():
    def loop(T):
        for _ in mg.steps(x=np.zeros((T, 2)), y=np.zeros((T, 2))):
            pass

    assert (calls(lambda: loop(110)) - calls(lambda: loop(10))) / 100 <= 16


def close(loss, wrt):
    """The gradients of the short ways are those of the rules, which are recorded."""
    plain = mg.grad(loss, wrt)
    again = mg.grad(loss, wrt)
    recorded = mg.grad(loss, wrt, create_graph=True)
    for a, b, c in zip(plain, again, recorded, strict=True):
        assert a.data.tobytes() == b.data.tobytes()
        assert a.dtype == c.dtype
        np.testing.assert_allclose(a.data, c.data, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("steps", [1, 2, 300])
def test_what_waits_for_a_leaf_is_all_summed(steps):
    W, b, s = (mg.parameter(RNG.normal(size=n), name="p") for n in ((2, 2), 2, ()))
    h = mg.tensor(RNG.normal(size=(3, 2)), name="h0")
    for _ in mg.steps(steps):
        h = mg.tanh(h @ W + b)
    close((h * s).sum() + (h[0] * s).sum(), [W, b, s])


def test_rows_of_more_axes_are_summed_over_all_of_them():
    b, x = mg.parameter(RNG.normal(size=2), name="b"), RNG.normal(size=(3, 4, 2))
    close((mg.tanh(x + b) * x).sum() + mg.tanh(x[0] + b).sum(), [b])


def test_products_and_rows_may_wait_for_one_leaf_in_turn():
    W = mg.parameter(RNG.normal(size=(2, 2)), name="W")
    x, total = mg.tensor(RNG.normal(size=(4, 2)), name="x"), 0.0
    rows = RNG.normal(size=(3, 2, 2))
    for _ in range(3):
        total = total + mg.tanh(x @ W).sum() + mg.tanh(W + rows).sum()
    close(total, [W, x])


def test_rows_of_another_dtype_are_summed_in_the_wider_one():
    b = mg.parameter(np.zeros(2, np.float32), name="b")
    loss = (b + RNG.normal(size=(3, 2))).sum() + (b + np.ones((3, 2), np.float32)).sum()
    (d,) = mg.grad(loss, [b])
    assert d.dtype == np.float32
    assert d.data.tolist() == [6.0, 6.0]


def test_a_matrix_that_is_used_again_is_transposed_rightly():
    W, x = matrix(4, 2, name="W"), matrix(3, 4, name="x")
    V = mg.tanh(W)  # computed, and a leaf
    loss = sum(((x * k) @ W).sum() + mg.tanh(x @ V).sum() for k in range(3))
    close(loss, [x, W])


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("ignore", [-100, 1])
@pytest.mark.parametrize("shape", [(5,), (4, 5), (2, 3, 5)])
def test_cross_entropy_uses_what_it_has_kept(shape, ignore, reduction):
    o = matrix(*shape)
    y = np.resize([0, 1, 4, 2, 3], shape[:-1])
    loss = mg.cross_entropy(o, y, ignore_index=ignore, reduction=reduction)
    close((loss * loss).sum(), [o])


@pytest.mark.parametrize("kind", np.typecodes["AllInteger"])
def test_class_numbers_are_integers_of_any_kind(kind):
    o = matrix(2, 3)
    loss = mg.cross_entropy(o, np.array([2, 0], kind))
    close(loss, [o])
    assert loss.item() == mg.cross_entropy(o, np.array([2, 0])).item()
    with pytest.raises(ValueError, match=r"class numbers lie in 0\.\.2"):
        mg.cross_entropy(o, np.array([0, 3], kind))


def test_cross_entropy_of_turned_rows_finds_its_targets():
    x = matrix(5, 4)
    close(mg.cross_entropy(mg.transpose(x), np.array([0, 4, 2, 1])), [x])


def test_a_node_without_what_was_kept_asks_the_rule():
    def program(T):
        W = mg.parameter(np.eye(3) * 0.5, name="W")
        h, losses = mg.tensor(np.ones((1, 3)), name="h0"), []
        for _, y in mg.steps(y=np.zeros((T, 1), int)):
            h = mg.tanh(h @ W).named("h")
            losses.append(mg.cross_entropy(h, y))
        return mg.stack(losses).mean(), W

    loss, W = program(4)
    wanted = mg.grad(loss, [W])[0].data
    for node in mg.Graph(loss).nodes:
        if hasattr(node, "kept"):
            del node.kept
    np.testing.assert_allclose(mg.grad(loss, [W])[0].data, wanted, rtol=1e-12)


@pytest.mark.parametrize(
    "key",
    [
        0, -1, slice(None), slice(1, 3), slice(None, None, -1), (0, 1),
        (slice(None), slice(0, 2)), (slice(1), 2), (),
        None, (None, 0), ..., (..., 1), np.int64(1), True, (slice(np.int64(1)), 0),
    ],
)  # fmt: skip
def test_indexing_is_numpys_over_both_ways(key):
    x = np.arange(12.0).reshape(3, 4)
    y = mg.tensor(x, name="x")[key]
    np.testing.assert_array_equal(y.data, x[key])
    assert y.shape == x[key].shape
    with pytest.raises(IndexError, match="too many") as caught:
        mg.tensor(1.0, name="one")[0, 0]
    assert "in op getitem(one ()" in caught.value.__notes__[0]


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("among", [True, False])
def test_the_ends_of_a_slice_are_no_tensors(place, among):
    ends = [None, None, None]
    ends[place] = mg.tensor(1)
    key = slice(*ends)
    with pytest.raises(TypeError, match="the ends of a slice are part of the program"):
        A[(0, key) if among else key]


def test_a_recorded_gradient_pauses_the_collector_and_starts_it_again():
    def fails():
        with paused():
            assert not gc.isenabled()
            raise ValueError

    assert gc.isenabled()
    with pytest.raises(ValueError, match=r"^$"):
        fails()
    assert gc.isenabled()
    gc.disable()
    try:
        with paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
    seen = []
    looks = mg.Op(
        lambda x: x + 0, lambda g, y, x: seen.append(gc.isenabled()) or g, name="looks"
    )
    mg.grad(looks(A).sum(), [A], create_graph=True)
    assert seen == [False]
    assert gc.isenabled()
