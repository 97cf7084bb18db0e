"""Products of all shapes in compiled programs, many in each, against NumPy's."""

import numpy as np
import pytest

import minigrad as mg

from .agreement import agrees, calls_of, needs_compiler, numbers, parameter, same

pytestmark = needs_compiler

SHAPES = [
    ((3,), (3,)), ((3,), (3, 4)), ((5, 3), (3,)), ((1, 3), (3, 1)), ((5, 1), (1, 4)),
    ((5, 3), (3, 4)), ((2, 5, 3), (3, 4)), ((2, 5, 3), (2, 3, 4)), ((5, 3), (2, 3, 4)),
    ((2, 1, 5, 3), (4, 3, 2)), ((2, 4, 5, 3), (2, 1, 3, 2)), ((2, 5, 3), (3,)),
    ((3,), (2, 3, 4)), ((1, 5, 3), (2, 3, 4)), ((2, 4, 1, 3), (2, 4, 3, 7)),
    ((300, 7), (7, 5)), ((4, 300), (300, 33)), ((17, 33), (33, 130)),
    ((1, 260), (260, 1)),
]  # fmt: skip


def views(x):
    """An array as it is, and the same numbers lying in memory in other ways."""
    yield x
    if x.ndim >= 2:
        yield mg.swapaxes(mg.exp(mg.swapaxes(x, -1, -2)), -1, -2)
        yield mg.tanh(x)[..., ::-1, :]
    yield mg.tanh(mg.concatenate([x, x], axis=-1))[..., ::2][..., : x.shape[-1]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_shapes_and_layouts(dtype):
    given = [numbers(*s, seed=k, dtype=dtype) for k, p in enumerate(SHAPES) for s in p]

    def products(*xs):
        found = []
        for a, b in zip(xs[::2], xs[1::2], strict=True):
            a, b = (mg.tensor(x) if isinstance(x, np.ndarray) else x for x in (a, b))
            found += [u @ b for u in views(a)] + [a @ v for v in views(b)]
        return found

    agrees(products, *given, calls=1, tolerance=2e-4 if dtype == "float32" else None)


def test_gradients_of_products_of_all_ranks():
    shapes = [p for p in SHAPES if max(max(s) for s in p) < 100]
    given = [numbers(*s, seed=k) for k, p in enumerate(shapes) for s in p]

    def slopes(*xs):
        xs = [
            mg.tensor(x, requires_grad=True) if isinstance(x, np.ndarray) else x
            for x in xs
        ]
        pairs = zip(xs[::2], xs[1::2], strict=True)
        total = mg.add_n([mg.tanh(a @ b).sum() for a, b in pairs])
        return [total, *mg.grad(total, xs)]

    agrees(slopes, *given, calls=1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_and_depths_that_depend_on_the_length(dtype):
    """x (T, 3) U, over T: U' x, x x' of it; a gradient over T k rows of each weight."""
    U, V = parameter("U", 3, 5, dtype=dtype), parameter("V", 5, 5, dtype=dtype)

    def step(xs, ys):
        hs, h = [], mg.tensor(np.zeros((2, 5), dtype), name="h0")
        for _, x in mg.steps(xs):
            h = mg.tanh(x @ U + h @ V)
            hs.append(h)
        every = mg.stack(hs)
        flat = every.reshape(-1, 5)
        grown = ys @ V
        loss = (flat @ V * flat).sum() + (grown * grown).mean()
        return loss, every[-1], mg.grad(loss, [U, V])

    compiled = mg.compile(step, strict=True, backend="c")
    for T in (8, 9, 13, 8, 150):
        arrays = numbers(T, 2, 3, seed=T, dtype=dtype), numbers(T, 5, dtype=dtype)
        same(compiled(*arrays), step(*arrays), 1e-3 if dtype == "float32" else None)
    assert len(compiled.traced) == 1


def test_products_in_loops_of_every_layout():
    """A right factor that lasts, one that is made at each step, and both transposed."""
    W, U = parameter("W", 4, 4), parameter("U", 4, 6)

    def step(xs):
        h, s = mg.tensor(np.eye(4), name="h0"), mg.tensor(np.ones(4), name="s0")
        for _, x in mg.steps(xs):
            made = mg.tanh(h @ W)
            h = mg.tanh(
                made @ mg.swapaxes(h, 0, 1) + x @ mg.swapaxes(U, 0, 1) + W.T @ x[:, :4]
            )
            s = mg.tanh(s @ h + h @ s + W @ s) * 0.5
        loss = (h * h).sum() + (s * s).sum()
        return loss, mg.grad(loss, [W, U])

    compiled = agrees(step, numbers(6, 4, 6))
    assert "_product_" in compiled.source


def test_a_packed_factor_is_packed_again_when_a_parameter_changes():
    W = parameter("W", 4, 4)

    def step(xs):
        h = mg.tensor(np.zeros((2, 4)), name="h0")
        for _, x in mg.steps(xs):
            h = mg.tanh(h @ W + x)
        return h, mg.grad((h * h).sum(), [W])

    compiled = mg.compile(step, strict=True, backend="c")
    for k in range(3):
        xs = numbers(5, 2, 4, seed=k)
        same(compiled(xs), step(xs))
        W.assign(W.data * -0.7)


def test_batches_are_products_of_c():
    def step(x, y):
        return mg.tanh(x) @ mg.tanh(y), mg.tanh(x)[0] @ mg.tanh(y)

    compiled = agrees(step, numbers(2, 3, 4), numbers(2, 4, 5))
    assert "matmul(" not in calls_of(compiled)
    assert compiled.source.count("d_pack(") == 2
