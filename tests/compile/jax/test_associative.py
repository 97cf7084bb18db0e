"""Linear loops computed all steps at once are those that run a step at a time."""

import numpy as np
import pytest

import minigrad as mg
import tests.engines  # noqa: F401
from minigrad.compile.jax.associative import NotLinearError
from minigrad.models import ManyToMany
from minigrad.nn.cells import MinGRU
from minigrad.nn.recurrent import masks

RNG = np.random.default_rng(0)
W = mg.parameter(RNG.normal(size=(4, 4)), name="W")
V = mg.parameter(RNG.normal(size=(3, 4)), name="V")


CELL = MinGRU(3, 4, rng=RNG, dtype=np.float64)


def min_gru(xs, m, reverse=False):
    h, hs = mg.tensor(np.full((2, 4), 0.5), name="h0"), []
    for _t, x in mg.steps(x=xs, reverse=reverse):
        (h,) = CELL(x, (h,))
        hs.append(h.named("h"))
    return mg.stack(hs)


def masked(xs, m):
    """Every form that a line of a linear loop may have."""
    h, hs = mg.tensor(np.full((2, 4), 0.5), name="h0"), []
    for _t, x, m_t in mg.steps(x=xs, m=m):
        z = x @ CELL.U[:, :4]
        after = (mg.sigmoid(z) * h - z).named("n")
        h = mg.where(m_t, after, -(h / 2.0) + after * 0.5).named("h")
        hs += [h, after]
    return mg.stack(hs)


def data(T):
    rng = np.random.default_rng(T)
    return rng.normal(size=(T, 2, 3)), rng.random(size=(T, 2, 1)) < 0.8


def loss(xs, m, reverse=False):
    value = (min_gru(xs, m, reverse) ** 2).mean()
    return value, *mg.grad(value, CELL.parameters())


@pytest.mark.parametrize(
    "step",
    [min_gru, masked, loss, lambda x, m: loss(x, m, True)],
    ids=["value", "forms", "gradient", "reverse"],
)
def test_a_linear_loop(step):
    program = mg.compile(step, strict=True, backend="jax", scan="associative")
    for T in (6, 7, 12):
        found, wanted = program(*data(T)), step(*data(T))
        if not isinstance(found, (tuple, list)):
            found, wanted = [found], [wanted]
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_allclose(a.data, b.data, rtol=1e-9, atol=1e-11)
    assert "lax.associative_scan" in program.source
    assert "lax.scan" not in program.source


@pytest.mark.parametrize("layers", [1, 2])
def test_a_network_of_linear_cells(layers):
    """Layers are loops of their own, and so are their gradients; masks let h stay."""
    net = ManyToMany(
        3, 4, 2, rng=np.random.default_rng(0), dtype=np.float64, cell="mingru",
        layers=layers,
    )  # fmt: skip

    def step(xs, ys, m):
        value = net.loss(xs, ys, lengths=m)
        return value, *mg.grad(value, net.parameters())

    program = mg.compile(step, strict=True, backend="jax", scan="associative")
    for T in (1, 2, 6, 9):
        xs, _ = data(T)
        given = xs, np.arange(2 * T).reshape(T, 2) % 2, masks([T, (T + 1) // 2], T)
        for a, b in zip(program(*given), step(*given), strict=True):
            np.testing.assert_allclose(a.data, b.data, rtol=1e-9, atol=1e-11)
    assert program.source.count("lax.associative_scan") == 2 * layers
    assert "lax.scan" not in program.source


def unnamed(xs):
    h = mg.tensor(np.ones((2, 4)))
    for x in xs:
        h = 0.5 * h + x
    return h


@pytest.mark.parametrize("step", [unnamed, mg.cumsum], ids=["unnamed", "an op"])
def test_where_there_is_no_loop_it_is_refused(step):
    program = mg.compile(step, backend="jax", scan="associative")
    with pytest.raises(NotLinearError, match=r"none: leave .* \+ b\)\.named"):
        program(np.ones((5, 2, 4)))


def tanh(h, x):
    return mg.tanh(h + x)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (tanh, "tanh is not linear"),
        (lambda h, x: h * h + x, "multiply is not linear"),
        (lambda h, x: x / h, "divide is not linear"),
        (lambda h, x: h @ W + x, "matmul is not linear"),
        (lambda h, x: h.sum(axis=1, keepdims=True) + x, "sum is not linear"),
        (lambda h, x: mg.where(h > 0, h, x), "not linear|another shape"),
    ],
    ids=["tanh", "square", "divisor", "matrix", "sum", "test"],
)
def test_what_is_not_linear_is_refused_by_name(body, named):
    def step(xs):
        h = mg.tensor(np.ones((2, 4)), name="h0")
        for _, x in mg.steps(xs):
            h = body(h, x).named("h")
        return h.sum()

    program = mg.compile(step, backend="jax", scan="associative")
    with pytest.raises(NotLinearError, match=named):
        program(np.ones((5, 2, 4)))


def coupled(xs):
    h, s = mg.tensor(np.ones((2, 4)), name="h0"), mg.tensor(np.ones((2, 4)), name="s0")
    for _, x in mg.steps(xs):
        h, s = (0.5 * s + x * h).named("h"), (0.5 * h - x * s).named("s")
    return (h * s).sum()


def test_several_states_are_a_matrix_for_each_element():
    def step(xs):
        value = coupled(xs @ V)
        return value, *mg.grad(value, [V])

    program = mg.compile(step, strict=True, backend="jax", scan="associative")
    for T in (4, 7, 12):
        xs, _ = data(T)
        for a, b in zip(program(xs), step(xs), strict=True):
            np.testing.assert_allclose(a.data, b.data, rtol=1e-9, atol=1e-11)
    assert "lax.scan" not in program.source


@pytest.mark.parametrize("start", [0, True])
def test_whole_numbers_are_refused(start):
    def step(xs):
        n = mg.tensor(np.full(4, start), name="n0")
        for _, x in mg.steps(xs):
            n = mg.where(x > 0, n, start).named("n")
        return n

    program = mg.compile(step, backend="jax", scan="associative")
    with pytest.raises(NotLinearError, match="where is not of floating point"):
        program(np.ones((5, 4)))


def test_older_states_are_refused():
    def step(xs):
        h = [mg.tensor(np.ones((2, 4)), name=n) for n in ("g0", "h0")]
        for _, x in mg.steps(xs):
            h.append((0.5 * h[-2] + x * h[-1]).named("h"))
        return h[-1].sum()

    with pytest.raises(NotLinearError, match="reads older ones"):
        mg.compile(step, backend="jax", scan="associative")(np.ones((6, 2, 4)))


def test_scan_is_for_jax():
    with pytest.raises(ValueError, match="the c engine has no scan"):
        mg.compile(lambda x: x, backend="c", scan="associative")
    with pytest.raises(ValueError, match="got 'tree'"):
        mg.compile(lambda x: x, backend="jax", scan="tree")
