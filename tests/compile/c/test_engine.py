"""Programs in C as a user calls them: what goes in, what comes out, and all else."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.compile.c.engine import build
from tests.engines import ENGINES
from tests.programs.strategies import programs

from ...test_fold import cells
from ..numpy.test_engine import agrees as as_interpreted
from ..numpy.test_engine import run
from ..test_program import curvature, derivatives, flat, sequence
from ..test_program import network as recurrent
from ..traces import NETWORKS, Trace, close, network
from .agreement import agrees, calls_of, needs_compiler, numbers, parameter, same

pytestmark = [needs_compiler, pytest.mark.usefixtures("quick")]

few = settings(max_examples=8)


@few
@given(
    cells(),
    st.integers(1, 8),
    st.sampled_from([1, 2]),
    st.sampled_from([np.float32, np.float64]),
)
def test_a_random_recurrence(cell, T, order, dtype):
    step, parameters = recurrent(cell, dtype)
    if order == 2:
        step = curvature(step, parameters)
    as_interpreted(Trace(step, sequence(T, dtype)), make=build)


@few
@given(programs(), st.sampled_from([np.float32, np.float64]))
def test_a_random_program_without_time(drawn, dtype):
    function, arrays = drawn
    given_ = [a.astype(dtype) for a in arrays]
    with np.errstate(all="ignore"):
        as_interpreted(Trace(derivatives(function), *given_), make=build)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network(name):
    step, data = network(name)
    as_interpreted(Trace(step, *data(5)), make=build)


@pytest.mark.parametrize("name", NETWORKS[:3])
def test_the_source_is_the_same_wherever_values_lie_in_memory(name):
    step, arrays = network(name)
    program, kept, sources = Trace(step, *arrays(6)).program(), [], set()
    for size in range(1, 5):
        kept.append([object() for _ in range(37 * size)])
        sources.add(build(program).source)
    assert len(sources) == 1


# A program that has a bit of all: a loop, products, rows, losses.
W, E = parameter("W", 5, 5), parameter("E", 7, 5)


def a_bit_of_all(xs, ys):
    h, hs = mg.tensor(np.zeros((3, 5)), name="h0"), []
    for _, x, y in mg.steps(x=xs, y=ys):
        h = mg.tanh(h @ W + x + E[y])
        hs.append(h)
    every = mg.stack(hs)
    loss = mg.cross_entropy(every, ys % 5 if isinstance(ys, int) else ys)
    return loss, h, every, every[::-1], mg.grad(loss, [W, E])


def data(T, seed=0):
    return numbers(T, 3, 5, seed=seed), np.random.default_rng(seed).integers(
        5, size=(T, 3)
    )


@pytest.fixture(scope="module")
def bit(quick):
    """That program, for every length from 8 on."""
    compiled = mg.compile(a_bit_of_all, strict=True, backend="c")
    for T in (8, 9):
        compiled(*data(T))
    assert len(compiled.traced) == 1
    return compiled


@pytest.mark.parametrize("T", [1, 2, 3])
def test_short_sequences(T):
    compiled = mg.compile(a_bit_of_all, strict=True, backend="c")
    same(compiled(*data(T)), a_bit_of_all(*data(T)))
    same(compiled(*data(T, 1)), a_bit_of_all(*data(T, 1)))


@pytest.mark.parametrize("T", [8, 9, 13, 40])
def test_one_program_serves_every_length(bit, T):
    for seed in (0, 1):
        same(bit(*data(T, seed)), a_bit_of_all(*data(T, seed)))
    assert len(bit.traced) == 1


def strided(x):
    return np.repeat(np.repeat(x, 2, axis=1), 2, axis=2)[:, ::2, ::2]


def turned(x):
    return np.ascontiguousarray(x[::-1])[::-1]


def unaligned(x):
    raw = np.empty(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    raw[...] = x
    return raw


def locked(x):
    x = x.copy()
    x.flags.writeable = False
    return x


def swapped(x):
    return x.astype(x.dtype.newbyteorder())


@pytest.mark.parametrize(
    "look", [np.asfortranarray, strided, turned, unaligned, locked, swapped, mg.tensor]
)
def test_however_an_argument_lies_in_memory(bit, look):
    xs, ys = data(9)
    for k in range(3):  # the second time it is the same object with other numbers
        xs = xs * 0.5
        before = xs.copy()
        same(bit(look(xs), ys), a_bit_of_all(xs, ys))
        np.testing.assert_array_equal(xs, before)
        assert k < 3


def test_an_argument_that_is_edited_in_place(bit):
    xs, ys = data(9)
    wide = np.zeros((9, 3, 10))
    for array in (xs, wide[..., ::2]):
        for seed in (1, 2):
            array[...] = data(9, seed)[0]
            ys[...] = data(9, seed)[1]
            same(bit(array, ys), a_bit_of_all(array.copy(), ys.copy()))


def test_the_same_array_twice():
    U = parameter("U", 4, 4)

    def step(xs, zs):
        h = mg.tensor(np.zeros(4), name="h0")
        for _, x, z in mg.steps(x=xs, z=zs):
            h = mg.tanh(h @ U + x * z)
        return h, xs * zs, mg.grad(h.sum(), [U])

    compiled = mg.compile(step, strict=True, backend="c")
    a, b = numbers(5, 4), numbers(5, 4, seed=1)
    for pair in ((a, b), (a, a), (b, a), (b, b)):
        same(compiled(*pair), step(*pair))


def test_results_belong_to_the_caller(bit):
    xs, ys = data(9)
    first = [t.data for t in flat(bit(xs, ys))]
    kept = [a.copy() for a in first]
    again = [t.data for t in flat(bit(xs, ys))]
    others = [*again, xs, ys, W.data, E.data]
    for i, a in enumerate(first):
        assert not any(np.shares_memory(a, b) for b in others)
        assert not any(np.shares_memory(a, b) for b in first[:i])
    for a, b in zip(again, kept, strict=True):
        np.testing.assert_array_equal(a, b)
    same(bit(xs, ys), a_bit_of_all(xs, ys))


def test_large_results_that_are_views_of_each_other():
    def step(x):
        y = mg.tanh(x)
        return (
            y,
            y,
            y.T,
            y[::-1],
            y.reshape(-1),
            y[0],
            x,
            x.T,
            mg.broadcast_to(y[0], (70, 70)),
        )

    compiled = agrees(step, numbers(70, 70))
    x = numbers(70, 70)
    found = [t.data for t in compiled(x)]
    for i, a in enumerate(found):
        assert not any(np.shares_memory(a, b) for b in [*found[:i], x])
    same(compiled(x), step(x))


def test_parameters_that_are_assigned(bit):
    before, (xs, ys) = W.data.copy(), data(9)
    for k in range(3):
        W.assign(W.data * -0.9 + 0.01 * k)
        same(bit(xs, ys), a_bit_of_all(xs, ys))
    W.assign(before)


def test_threads_that_share_a_program(bit):
    wanted = {T: [t.data for t in flat(a_bit_of_all(*data(T)))] for T in (8, 9, 13)}
    wrong, start = [], threading.Barrier(6)

    def work(T):
        start.wait()
        for _ in range(15):
            for a, b in zip(flat(bit(*data(T))), wanted[T], strict=True):
                if not np.allclose(a.data, b):
                    wrong.append(T)

    threads = [threading.Thread(target=work, args=(T,)) for T in (8, 8, 9, 9, 13, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_other_dtypes_are_numpys_beside_c():
    A = parameter("A", 4, 4, dtype="float16")
    B, C = parameter("B", 4, 4, dtype="float32"), parameter("C", 4, 4)

    def step(xs):
        h = mg.tensor(np.zeros((2, 4), np.float32), name="h0")
        for _, x in mg.steps(xs):
            h = mg.tanh(h @ B + x)
        low = mg.tanh(h.astype("float16") @ A)
        high = mg.tanh(h @ C)
        loss = (high * high).sum() + (low * low).sum().astype("float64")
        return h, low, high, mg.grad(loss, [A, B, C])

    compiled = agrees(step, numbers(4, 2, 4, dtype="float32"), tolerance=3e-3)
    assert "f_product" in compiled.source
    assert "d_product" in compiled.source


def test_ops_that_c_has_no_words_for_between_those_that_it_has():
    U, K = parameter("U", 4, 4), parameter("K", 3, 4, 2)

    def step(xs):
        h, hs = mg.tensor(np.zeros((2, 4)), name="h0"), []
        for _, x in mg.steps(xs):
            h = mg.tanh(mg.cumsum(h @ U, axis=-1) * 0.1 + x)
            hs.append(h)
        every = mg.stack(hs)
        y = mg.tanh(mg.einsum("tbi,ij->tbj", every, U))
        z = mg.tanh(mg.conv1d(mg.transpose(y, (1, 2, 0)), K))
        s = mg.sort(z, axis=-1) * 2.0
        loss = (s * mg.exp(z)).mean() + mg.prod(y[0])
        return loss, s, mg.grad(loss, [U, K])

    compiled = agrees(step, numbers(6, 2, 4))
    for word in ("cumsum", "einsum", "sort", "prod"):
        assert word in calls_of(compiled)
    assert compiled.source.count("int part_") > 4


def test_an_initial_state_is_part_of_an_argument_of_a_free_length():
    U = parameter("U", 4, 4)

    def step(xs, ws):
        h = ws[1:][0]
        for _, x in mg.steps(xs[::-1]):
            h = mg.tanh(h @ U + x)
        return h, ws[2:].sum(), mg.grad((h * h).sum(), [U])

    compiled = mg.compile(step, strict=True, backend="c")
    for T in (8, 9, 13):
        arrays = numbers(T, 2, 4), numbers(T, 2, 4, seed=1)
        same(compiled(*arrays), step(*arrays))
    assert len(compiled.traced) == 1


@pytest.mark.parametrize("T", [1, 3])
def test_rows_of_one_element(T):
    """A row and what there is one of in each row have one shape there."""
    U = parameter("U", 1, 1)

    def step(xs, ys):
        h, hs = mg.tensor(np.zeros((2, 1)), name="h0"), []
        for _, x in mg.steps(xs):
            s = mg.logsumexp(h @ U + x, axis=-1, keepdims=True)
            s = mg.logsumexp(s + x, axis=-1, keepdims=True) - s.mean(
                axis=-1, keepdims=True
            )
            h = (
                mg.softmax(s)
                + mg.tanh(s.sum(axis=-1, keepdims=True)) * s.max(axis=-1)[:, None]
            )
            hs.append(h)
        loss = mg.cross_entropy(mg.stack(hs) * 2.0, ys)
        total = loss + (h * h).sum()
        return total, h, mg.grad(total, [U])

    agrees(step, numbers(T, 2, 1), np.zeros((T, 2), int))


def test_results_that_are_constants_arguments_and_views():
    def step(x, y):
        return (
            x,
            y,
            x.T,
            mg.tensor(np.ones(3)),
            mg.tanh(x)[:, 0],
            x[0] * 0.0 + 1.0,
            x.sum(),
        )

    agrees(step, numbers(3, 2), np.arange(4))


def test_a_program_without_a_line_in_c():
    def step(x):
        return mg.cumsum(x), x, mg.sort(x)

    compiled = agrees(step, numbers(5))
    assert "int part_" not in compiled.source


def test_empty_arrays_are_numpys():
    def step(x):
        return (
            mg.tanh(x),
            mg.tanh(x).sum(),
            mg.tanh(x) @ numbers(3, 2),
            mg.exp(x).sum(axis=0),
        )

    agrees(step, numbers(0, 3))


@pytest.mark.parametrize(
    "name", ["ManyToMany gru", "EncoderDecoder", "ManyToMany masked"]
)
def test_a_network_at_every_length(name):
    step, make = network(name)
    trace = Trace(step, *make(8))
    runner = build(trace.free(Trace(step, *make(9))))
    for T in (8, 9, 13):
        arguments = {f"x{i}": a for i, a in enumerate(make(T))}
        for _ in range(2):
            found = run(runner, runner.program, trace, arguments)
            close(found, Trace(step, *make(T)).values)


def test_what_a_program_says_of_itself(bit):
    assert "int part_0" in bit.source
    assert "def run(" in bit.source
    assert "schedule" in bit.explain()


@pytest.mark.parametrize("backend", ENGINES)
def test_stacks_are_joined_along_the_steps_at_every_length(backend):
    def net(xs):
        every = mg.stack([2.0 * x for _, x in mg.steps(xs)])
        return mg.concatenate([every, every]), mg.concatenate([every[1:], every[:1]])

    compiled = mg.compile(net, strict=True, backend=backend)
    for T in (16, 9, 5, 30):
        xs = np.random.default_rng(T).normal(size=(T, 2))
        for found, wanted in zip(compiled(xs), net(xs), strict=True):
            assert np.array_equal(found.data, wanted.data)
