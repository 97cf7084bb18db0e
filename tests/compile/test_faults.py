"""Programs that were compiled to wrong numbers or not at all, each for its kind."""

import numpy as np
import pytest

import minigrad as mg

from .test_models import backend  # noqa: F401 (a fixture)
from .test_program import same

LENGTHS = [1, 2, 3, 5]
T = pytest.mark.parametrize("T", LENGTHS)


def p(seed, *shape, name=None, dtype=float):
    values = np.random.default_rng(seed).normal(size=shape) * 0.5
    return mg.parameter(values.astype(dtype), name=name)


def xs(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def check(backend, function, *arguments):  # noqa: F811
    program = mg.compile(function, strict=True, backend=backend)
    same(program(*arguments), function(*arguments))
    other = [a * 0.7 if a.dtype.kind == "f" else a for a in arguments]
    same(program(*other), function(*other))
    return program


@T
def test_a_buffer_is_kept_while_a_view_of_it_is_read(backend, T):  # noqa: F811
    U = p(0, 4, 4, name="U")

    def f(xs):
        h, total = mg.tensor(np.zeros((2, 4)), name="h0"), None
        for _, x in mg.steps(xs):
            x = x @ U
            v = h + x
            r = (x + x) + v
            h = mg.tanh(v)
            w = (r * r).sum()
            total = w if total is None else total + w
        return total, mg.grad(total, [U])

    check(backend, f, xs(T, 2, 4))


@pytest.mark.parametrize("loops", [1, 2])
@T
def test_a_vector_is_used_twice_and_read_at_one_step(backend, T, loops):  # noqa: F811
    b = p(0, 4, name="b")

    def f(xs):
        for _, x in mg.steps(xs):
            v, h = b * x, x + b
        for _, x in mg.steps(xs + 1.0) if loops == 2 else ():
            h = x + b
        return mg.grad(v.sum() + h.sum(), [b])

    check(backend, f, xs(T, 2, 4))
    check(backend, f, xs(T, 1, 4))


@pytest.mark.parametrize("parts", [1, 2])
@T
def test_a_slice_of_what_does_not_move_is_read_at_one_step(backend, T, parts):  # noqa: F811
    b = p(0, 4, name="b")

    def f(xs):
        for _, x in mg.steps(xs):
            v = (b * 2.0)[:2]
            u = (b * 2.0)[2:] if parts == 2 else x[0, :2]
            h = x[:, :2] * u
        return v, mg.grad(v.sum() + (h * v).sum(), [b])

    check(backend, f, xs(T, 1, 4))


@T
def test_a_cell_is_cut_into_gates(backend, T):  # noqa: F811
    W = p(0, 4, 8, name="W")

    def f(xs):
        h = mg.tensor(np.zeros((2, 4)), name="h0")
        for _, x in mg.steps(xs):
            b = h @ W
            h = mg.tanh(mg.sigmoid(b[:, :4]) * b[:, 4:] + x)
        return h, mg.grad((h * h).sum(), [W])

    check(backend, f, xs(T, 2, 4))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("rows", [1, 3])
@T
def test_a_start_of_another_shape_or_dtype(backend, T, rows, dtype):  # noqa: F811
    W = p(0, 4, 4, name="W")

    def f(xs):
        h = mg.tensor(np.full((rows, 4), 0.1, dtype), name="h0")
        loss = 0.0
        for _, x in mg.steps(xs):
            loss = loss + (h * x).sum()
            h = mg.tanh(h @ W + x)
        return h, mg.grad((h * h).sum() + loss, [W])

    check(backend, f, xs(T, 3, 4))


def test_single_parameters_meet_double_data(backend):  # noqa: F811
    W = p(0, 4, 4, name="W", dtype=np.float32)

    def f(xs):
        h = mg.tensor(np.zeros((3, 4), np.float32), name="h0")
        for _, x in mg.steps(xs):
            h = mg.tanh(h @ W + x)
        return mg.grad((h * h).sum(), [W])

    data = xs(4, 3, 4)
    (found,), (wanted,) = (run(data) for run in (mg.compile(f, True, backend), f))
    assert found.dtype == wanted.dtype == np.float32
    np.testing.assert_allclose(found.data, wanted.data, rtol=1e-5)


@T
def test_leaves_are_made_in_the_body(backend, T):  # noqa: F811
    W = p(0, 4, 4, name="W")

    def f(xs):
        h = mg.tensor(np.zeros((3, 4)), name="h0")
        for t, x in mg.steps(xs):
            s = mg.tensor(np.ones((3, 4)), name="s")
            r = mg.tensor(np.full((3, 4), 2.0), requires_grad=True)
            q = mg.tensor(np.full((3, 4), float(t)), name="q")
            h = mg.tanh(h @ W + x + s * r + q)
        return r, (s * q).sum(), mg.grad((h * h).sum(), [W])

    check(backend, f, xs(T, 3, 4))


KEYS = {
    "array": np.array([0, 2]),
    "twice": np.array([1, 1, 3]),
    "ix": np.ix_([0, 2], [1, 2]),
    "pairs": (np.arange(4), np.array([0, 1, 2, 0])),
    "list": [0, 2],
    "columns": (slice(None), np.array([0, 0])),
    "ellipsis": (..., np.array([1, 1])),
    "mask": np.array([True, False, True, True]),
    "elements": np.ones((4, 3), bool),
}


@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize("key", KEYS)
def test_an_index_array_and_its_gradient(backend, key, loop):  # noqa: F811
    E = p(0, 4, 3, name="E")

    def f(xs):
        total = 0.0
        for _, x in mg.steps(xs) if loop else [(0, xs[0])]:
            y = (E * x)[KEYS[key]]
            total = total + (y * y).sum()
        return mg.grad(total, [E])

    check(backend, f, xs(4, 4, 3))


def test_a_sum_lacks_a_term_that_does_not_move(backend):  # noqa: F811
    W = p(0, 1, 2, name="W")

    def f(xs):
        total = 0.0
        for _, x in mg.steps(xs):
            a = x @ W
            v = a[:, :1] * a[:, 1:]
            total = total + (v - v).sum()
        return mg.grad(total + v.sum(), [W])

    for steps in LENGTHS:
        check(backend, f, xs(steps, 2, 1))


def test_a_loss_is_weighted_class_by_class(backend):  # noqa: F811
    def f(x, y):
        x = x if isinstance(x, mg.Tensor) else mg.tensor(x, name="x")
        loss = mg.tanh(mg.cross_entropy(x, y)) - x.sum()
        (slope,) = mg.grad(loss, [x], create_graph=True)
        return mg.grad((slope * slope).sum(), [x])

    check(backend, f, xs(2, 3), np.array([0, 2]))


@pytest.mark.parametrize("bounds", [{"a_min": 0.0}, {"a_max": 0.2}, {"a_min": -0.1}])
def test_clip_has_one_bound(backend, bounds):  # noqa: F811
    E = p(0, 4, 3, name="E")

    def f(xs):
        ys = [mg.clip(E * x, **bounds) for _, x in mg.steps(xs)]
        return mg.grad((mg.stack(ys) ** 2).sum() + ys[0].sum(), [E])

    check(backend, f, xs(4, 4, 3))


NAMES = """i j k t T w h x np zip views run range list reversed part turn float slice
tanh add add_3 T1 T_1 k_3 op_1 loop_1 OPTIONS njit lambda match max h_t h_steps h_now
x_steps h0_ ones multiply matmul tanh32 __debug__ ŷ h(t)"""


@pytest.mark.parametrize("name", NAMES.split())
def test_a_name_means_nothing_to_the_source(backend, name):  # noqa: F811
    W, b = p(0, 4, 4, name=name), p(1, 1, 4, name="np")

    def f(xs):
        h = mg.tensor(np.zeros((3, 4)), name="h0")
        for _, x in mg.steps(xs):
            h = mg.tanh((h @ W).named("h") + x + b).named(name)
        return h, mg.grad((h * h).sum(), [W, b])

    check(backend, f, xs(3, 3, 4))


def test_a_product_of_two_values_of_one_step_beside_a_loss(backend):  # noqa: F811
    W = p(0, 2, 2, name="W")

    def f(xs, ys):
        h, hs, losses = mg.tensor(np.zeros((3, 2)), name="h0"), [], []
        for _, x, y in mg.steps(x=xs, y=ys):
            h = mg.tanh(x + h @ W)
            hs.append(h)
            losses.append(mg.cross_entropy(h, y))
        loss = losses[-1] + (hs[0] * hs[-1]).sum() + (hs[-2:][0] - hs[-1] * 2.0).sum()
        return loss, mg.grad(loss, [W])

    for steps in LENGTHS:
        check(backend, f, xs(steps, 3, 2), np.ones((steps, 3), int))


def test_a_mask_that_is_made_in_the_loop_and_read_at_some_steps(backend):  # noqa: F811
    E = p(0, 4, 3, name="E")
    mask = [True, False, True, True]

    def f(xs):
        losses = []
        for _, x in mg.steps(xs):
            losses.append((E[np.array(mask)] * x[:3]).sum())
        return mg.grad(losses[0] + losses[-1], [E])

    for steps in LENGTHS:
        check(backend, f, xs(steps, 4, 3))


def test_a_loop_reads_the_last_value_of_a_loop_of_another_length(backend):  # noqa: F811
    b, W = p(0, 3, name="b"), p(1, 3, 3, name="W")

    def f(xs, ys, zs):
        h, g, losses = mg.tensor(np.zeros(3), name="h0"), mg.tensor(np.zeros(3)), []
        for _, x, y in mg.steps(x=xs, y=ys):
            h, last = mg.tanh(h * b + x), y
        for _, z in mg.steps(z=zs):
            g = mg.tanh(0.5 * h + g @ W + z)
            losses.append(mg.cross_entropy(g * h, last))
        loss = mg.stack(losses).mean() + (g * g).sum()
        return loss, mg.grad(loss, [b, W])

    for steps, more in ((3, 2), (2, 5), (4, 4), (7, 1)):
        check(backend, f, xs(steps, 3), np.ones(steps, int), xs(more, 3))


def test_gates_of_a_product_of_two_dtypes(backend):  # noqa: F811
    W = p(0, 2, 4, name="W", dtype=np.float32)

    def f(xs):
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        for _, x in mg.steps(xs):
            b = h @ W
            h = mg.tanh(b[:, 2:] + x) - mg.tanh(b[:, :2])
        return h

    for steps in LENGTHS:
        check(backend, f, xs(steps, 3, 2))
