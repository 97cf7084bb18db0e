"""Rows picked by number, and added to: against NumPy, and refused as NumPy does."""

import numpy as np
import pytest

import minigrad as mg

from .agreement import agrees, calls_of, needs_compiler, numbers, parameter, same

pytestmark = needs_compiler


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_of_all_ranks(dtype):
    E, F = parameter("E", 7, 3, dtype=dtype), parameter("F", 7, 2, 2, dtype=dtype)
    g = parameter("g", 7, dtype=dtype)

    def pick(small, *ys):
        found = [(E.T @ E)[small]]
        for y in ys:
            found += [mg.embedding(E, y), F[y], g[y], mg.tanh(E)[y, ...]]
        total = mg.add_n([(f * f).sum() for f in found])
        return [*found, *mg.grad(total, [E, F, g])]

    one, small = np.array([0, 6, -1, -7, 3, 3]), np.array([[2, -3], [0, 0]])
    more = one.reshape(2, 3), one.astype("int32"), np.array(5)
    scale = 1e-4 if dtype == "float32" else None
    agrees(pick, small, one, *more, calls=1, tolerance=scale)


def test_rows_in_loops():
    E, W = parameter("E", 9, 4), parameter("W", 4, 4)

    def step(ys, zs, xs):
        h, hs, total = mg.tensor(np.zeros((3, 4)), name="h0"), [], 0.0
        for _, y, z, x in mg.steps(y=ys, z=zs, x=xs):
            h = mg.tanh(E[y] + h @ W)
            total = total + (mg.tanh(x)[z] * h).sum()
            hs.append(h)
        every = mg.stack(hs)
        loss = (mg.embedding(E, ys) * every).sum() + total
        return loss, every, mg.grad(loss, [E, W])

    compiled = mg.compile(step, strict=True, backend="c")
    for T in (8, 9, 13):
        rng = np.random.default_rng(T)
        rows = rng.integers(-9, 9, (T, 3)), rng.integers(-5, 5, (T, 3))
        arrays = *rows, numbers(T, 5, 4)
        same(compiled(*arrays), step(*arrays))
    assert len(compiled.traced) == 1


@pytest.mark.parametrize("dtype", ["int64", "int32"])
@pytest.mark.parametrize("wrong", [7, -8, 2**31 - 1, -(2**31)])
def test_a_row_that_is_not_there_is_refused_as_eagerly(wrong, dtype):
    E = parameter("E", 7, 3)

    def step(y):
        return mg.embedding(E, y), mg.grad(mg.tanh(E[y]).sum(), [E])

    compiled = mg.compile(step, strict=True, backend="c")
    good = np.array([0, 6, -7], dtype)
    same(compiled(good), step(good))
    for k in range(3):
        bad = good.copy()
        bad[k] = wrong
        with pytest.raises(IndexError) as eager:
            step(bad)
        with pytest.raises(IndexError) as found:
            compiled(bad)
        assert str(found.value) == str(eager.value)
    same(compiled(good), step(good))  # and the program still runs


def test_one_row_that_all_steps_add_to():
    E = parameter("E", 5, 3)

    def step(ys):
        return mg.grad((E[ys] * E[ys]).sum(), [E])

    agrees(step, np.zeros((40, 6), int))


def test_other_indices_are_numpys():
    E, mask = parameter("E", 5, 5), np.array([True, False, True, True, False])

    def step(y, bytes_):
        found = E[:, y], E[y, y], E[mask], E[y, 1:], E[y, None], E[bytes_]
        return found, mg.grad(mg.add_n([f.sum() for f in found]), [E])

    y = np.array([1, 1, -1, 4])
    compiled = agrees(step, y, y.astype("uint8") % 5)
    assert calls_of(compiled).count("getitem([E,") == 6
