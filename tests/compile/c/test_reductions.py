"""Sums, means and extremes over all axes, softmax along each, and counts of targets."""

import re
import warnings
from itertools import combinations

import numpy as np
import pytest

import minigrad as mg

from .agreement import agrees, calls_of, needs_compiler, numbers, same

pytestmark = needs_compiler
HARD = [np.nan, np.inf, -np.inf, 1e30, -1e30, 0.0]


def axes(ndim):
    yield None
    for n in range(1, ndim + 1):
        yield from combinations(range(ndim), n)
    yield -1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_axes_and_layouts(dtype):
    def all_axes(x, y, z):
        return [reduced(r, x, y, z) for r in (mg.sum, mg.mean, mg.max, mg.min)]

    def reduced(reduce, x, y, z):
        y, found = mg.tanh(y), [reduce(x)]
        for axis in axes(3):
            found += [reduce(y, axis=axis), reduce(y, axis=axis, keepdims=True)]
        for a in (mg.transpose(y, (2, 0, 1)), y[:, ::-1, ::2]):
            found += [reduce(a, axis=axis) for axis in (0, 1, 2, (0, 2))]
        wide = mg.tanh(z)
        found += [reduce(wide, axis=0), reduce(wide, axis=1), reduce(wide)]
        return [*found, reduce(mg.broadcast_to(x[:1], (3, 4)), axis=0)]

    given = numbers(1, dtype=dtype), numbers(2, 3, 5, dtype=dtype)
    wide = numbers(70, 300, dtype=dtype)
    compiled = agrees(all_axes, *given, wide, calls=1)
    assert not re.search(r"(sum|mean|max|min)\(", calls_of(compiled))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_extremes_of_hard_values(dtype):
    rows = np.array([np.roll(HARD, k) for k in range(6)], dtype)
    rows = np.concatenate([np.tile(rows, 5), numbers(1, 30), np.full((1, 30), -np.inf)])
    rows = rows.astype(dtype)
    rows[:3] = np.where(np.isnan(rows[:3]), 7.0, rows[:3])

    def extremes(x):
        x = x * 1.0
        return [
            (mg.max(a, axis=k), mg.min(a, axis=k))
            for a in (x, x.T)
            for k in (0, 1, None)
        ]

    with np.errstate(all="ignore"):
        agrees(extremes, rows, calls=1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_and_its_kin_along_every_axis(dtype):
    def soft(x, y, z, row):
        found = []
        for a in (x, mg.transpose(x * 2.0, (1, 2, 0))):
            for axis in (0, 1, 2, -1):
                found += [f(a, axis=axis) for f in (mg.softmax, mg.log_softmax)]
                found += [mg.logsumexp(a, axis=axis, keepdims=k) for k in (False, True)]
        found += [mg.softmax(y), mg.log_softmax(y), mg.logsumexp(y, axis=-1)]
        found += [mg.softmax(z), mg.log_softmax(z), mg.logsumexp(z, axis=-1)]
        return [*found, mg.softmax(row), mg.logsumexp(row, axis=0), mg.logsumexp(x)]

    x = numbers(2, 3, 5, dtype=dtype) * 10
    y = numbers(2, 5000, dtype=dtype)  # wider than what lies on the stack
    z = np.array([[-np.inf, 0, 1e4], [1e4, -1e4, 1e4], [-80, -90, 90]], dtype)
    agrees(soft, x, y, z, numbers(7, dtype=dtype), calls=1)


def test_over_time():
    """Reductions whose rows or columns are steps, of every length."""

    def step(xs):
        h, hs = mg.tensor(np.zeros((2, 3)), name="h0"), []
        for _, x in mg.steps(xs):
            h = mg.tanh(h + x)
            hs.append(h)
        every = mg.stack(hs)
        found = [
            f(every, axis=k)
            for f in (mg.sum, mg.mean, mg.max, mg.min)
            for k in (0, None)
        ]
        found += [
            mg.mean(every, axis=(0, 2)),
            mg.sum(every, axis=2),
            mg.softmax(every, axis=0),
        ]
        return [*found, mg.logsumexp(every, axis=0), mg.log_softmax(every, axis=0)]

    compiled = mg.compile(step, strict=True, backend="c")
    for T in (8, 9, 13, 200):
        xs = numbers(T, 2, 3, seed=T)
        same(compiled(xs), step(xs))
    assert len(compiled.traced) == 1


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_losses_of_ignored_targets(reduction):
    def step(o, y, z):
        o = mg.tensor(o, requires_grad=True) if isinstance(o, np.ndarray) else o
        loss = mg.cross_entropy(o, y, reduction=reduction)
        other = mg.cross_entropy(o * 2.0, z, reduction=reduction, ignore_index=1)
        total = (loss * loss).sum() + other.sum()
        return loss, other, mg.grad(total, [o])

    o, y = numbers(3, 4, 6), np.array([[0, -100, 5, 1], [1, 1, 2, 3], [-100] * 3 + [4]])
    compiled = mg.compile(step, strict=True, backend="c")
    for targets in (np.abs(y) % 6, y, np.full((3, 4), -100)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the mean over none is NaN
            same(compiled(o, targets, np.abs(y) % 6), step(o, targets, np.abs(y) % 6))


def test_a_loss_of_one_row_in_a_loop():
    def step(xs, ys):
        h, total = mg.tensor(np.zeros(4), name="h0"), 0.0
        for _, x, y in mg.steps(x=xs, y=ys):
            h = mg.tanh(h + x)
            total = total + mg.cross_entropy(h, y)
        return total + mg.cross_entropy(h * 2.0, y)

    for T in (1, 3):
        agrees(step, numbers(T, 4), np.arange(T))


@pytest.mark.parametrize("wrong", [6, -1, -7, 10**12, -(10**12)])
@pytest.mark.parametrize("where", [(0, 0), (2, 3)])
def test_a_class_that_is_not_there_is_refused_as_eagerly(wrong, where):
    def step(o, y):
        return mg.cross_entropy(o, y)

    o, y = numbers(3, 4, 6), np.ones((3, 4), int)
    bad = y.copy()
    bad[where] = wrong
    compiled = mg.compile(step, strict=True, backend="c")
    same(compiled(o, y), step(o, y))
    with pytest.raises(Exception) as eager:  # noqa: PT011 - which one is compared
        step(o, bad)
    with pytest.raises(type(eager.value)) as found:
        compiled(o, bad)
    assert str(found.value) == str(eager.value)
    same(compiled(o, y), step(o, y))
