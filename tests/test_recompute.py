"""Values that are forgotten and computed again: the same graph, the same numbers."""

import gc
import sys
import threading
import tracemalloc
from contextlib import nullcontext
from weakref import ref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.models import Bidirectional, EncoderDecoder, ManyToMany
from minigrad.nn.cells import GRU, LSTM
from minigrad.recompute import Forgotten
from tests.programs.listing import build
from tests.programs.strategies import dags, recurrences, unrolls

RUNS = []


def counted_tanh(x):
    RUNS.append(x.shape)
    return np.tanh(x)


tanh = mg.Op(counted_tanh, lambda g, y, x: g * (1 - y * y), name="counted_tanh")
W = mg.parameter(np.random.default_rng(0).normal(size=(3, 3)) / 2, name="W")


def chain(steps, every=None, forget=True, size=3, W=W):
    """The sum of squares of the states: one tanh and one product for each step."""
    h, total = mg.tensor(np.ones((1, size)), name="h0"), 0.0
    with mg.recompute(every) if forget else nullcontext():
        for _ in mg.steps(steps):
            h = tanh(h @ W).named("h")
            total = total + (h * h).sum()
    return total


def forgotten(*outputs):
    return [n for n in mg.Graph(list(outputs)).nodes if isinstance(n, Forgotten)]


def gradients(loss):
    leaves = [mg.Tensor(n) for n in mg.Graph(loss).parameters]
    return [g.data for g in mg.grad(loss, leaves, unreached="zeros")]


def assert_equal(found, wanted):
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(a, b)


def folded(graph):
    try:
        return mg.fold(graph)
    except mg.FoldError as error:
        return type(error)


def assert_same(run, every=None):
    """With and without: loss, gradients, values, graph, fold."""
    with np.errstate(all="ignore"):
        plain = run()
        with mg.recompute(every):
            again = run()
        assert_equal([again.data], [plain.data])
        assert_equal(gradients(again), gradients(plain))
        one, two = mg.Graph(again), mg.Graph(plain)
        assert one.difference(two) is None
        assert [n.shape for n in one.nodes] == [n.shape for n in two.nodes]
        assert_equal([n.value for n in one.nodes], [n.value for n in two.nodes])
        assert folded(one) == folded(two)
    return again


@given(recurrences() | dags(), st.none() | st.integers(1, 5))
@settings(max_examples=60)
def test_random_programs_are_the_same(listing, every):
    names = build(listing.source())
    call = listing.calls[-1]

    def run():
        outputs = names["forward"](*names["arguments"](*call))
        return mg.add_n([x.sum() for x in outputs if x.dtype.kind == "f"])

    assert_same(run, every)


def test_what_an_op_kept_for_its_rule_is_made_again_to_the_last_bit():
    rng = np.random.default_rng(0)
    V = mg.parameter(rng.normal(size=(3, 2)), name="V")
    x, y = rng.normal(size=(500, 3)), rng.integers(2, size=500)
    assert_same(lambda: mg.cross_entropy(mg.tensor(x) @ V, y, reduction="sum") * 1.0)


@given(unrolls(), st.integers(1, 9), st.integers(1, 9))
def test_skips_over_the_borders_of_ranges(run, steps, every):
    assert_same(lambda: run(steps), every)


def networks():
    def many(cell):
        model = ManyToMany(3, 4, 3, cell=cell, rng=np.random.default_rng(0))
        return lambda xs, ys: model.loss(xs, ys)

    rng = np.random.default_rng(0)
    both, pair = Bidirectional(3, 4, 3, rng=rng), EncoderDecoder(3, 4, 3, rng=rng)
    return {
        "lstm": many(LSTM),
        "gru": many(GRU),
        "both directions": both.loss,
        "two loops": pair.loss,
    }


@pytest.mark.parametrize("every", [None, 1, 4, 100])
@pytest.mark.parametrize("name", networks())
def test_networks_are_the_same(name, every):
    rng = np.random.default_rng(1)
    xs, ys = rng.normal(size=(9, 2, 3)), rng.integers(3, size=(9, 2))
    loss = assert_same(lambda: networks()[name](xs, ys), every)
    assert forgotten(loss)


@pytest.mark.parametrize("name", networks())
def test_a_gradient_computes_each_value_of_a_network_once(name, monkeypatch):
    rng = np.random.default_rng(1)
    with mg.recompute():
        loss = networks()[name](
            rng.normal(size=(9, 2, 3)), rng.integers(3, size=(9, 2))
        )
    ran = []
    room = sys.modules["minigrad.recompute"]
    run = room._run
    monkeypatch.setattr(room, "_run", lambda n, xs: (ran.append(n), run(n, xs))[1])
    gradients(loss)
    assert sorted(n.id for n in ran) == [n.id for n in forgotten(loss)]


def test_what_is_drawn_is_the_same():
    for view in ("textbook", "unfolded", "ops", "backward"):
        found, wanted = (mg.draw(chain(6, forget=f), view=view) for f in (True, False))
        assert found.scene == wanted.scene


def test_a_value_that_is_held_is_kept_and_one_that_is_not_is_forgotten():
    states = [mg.tensor(np.ones((1, 3)), name="h0")]
    with mg.recompute(every=2):
        for _ in mg.steps(6):
            states.append(tanh(states[-1] @ W))
        last = states[-1] * 2
    assert not any(isinstance(h.node, Forgotten) for h in (*states, last))
    assert [n.op.name for n in forgotten(last)] == ["matmul"] * 6


def test_each_forgotten_value_is_computed_once_for_a_gradient():
    for every, count in ((None, 90), (1, 0), (7, 85), (1000, 99)):
        loss = chain(100, every)
        assert [n.op for n in forgotten(loss)].count(tanh) == count
        RUNS.clear()
        loss.backward()
        assert len(RUNS) == count


def test_a_second_order_gradient_computes_each_value_a_few_times():
    with mg.recompute(5):
        loss = chain(100, forget=False)
        (g,) = mg.grad(loss, [W], create_graph=True)
        y = (g * g).sum()
    assert len(forgotten(y)) > 1000
    RUNS.clear()
    (found,) = mg.grad(y, [W])
    assert len(RUNS) <= 2 * 100
    loss = chain(100, forget=False)
    (g,) = mg.grad(loss, [W], create_graph=True)
    assert_equal([found.data], [mg.grad((g * g).sum(), [W])[0].data])


def test_the_family_of_gradients():
    for f in (
        lambda y: [mg.jvp(y, W, np.ones((3, 3)))],
        lambda y: mg.hvp(y, W, np.ones((3, 3))),
        lambda y: mg.jacobian(y, W),
        lambda y: mg.hessian(y, W)[0],
        lambda y: [share.gradient for share in mg.grad_by_use(y, W)],
    ):
        found, wanted = f(chain(9, 2)), f(chain(9, forget=False))
        assert_equal([a.data for a in found], [b.data for b in wanted])


def test_every_lies_from_one_on():
    for wrong in (0, -1, 2.5, "3"):
        with pytest.raises(ValueError, match="every is a whole number from 1 on"):
            mg.recompute(wrong)
    with pytest.raises(TypeError, match=r"write mg.recompute\(\)\(f\)"):
        mg.recompute(np.tanh)


def test_the_inside_of_a_function_is_forgotten():
    @mg.recompute()
    def layer(x):
        return tanh(tanh(x @ W) @ W)

    x = mg.tensor(np.ones((2, 3)), name="x")
    y = layer(layer(x))
    assert [n.op.name for n in forgotten(y)] == ["matmul", "counted_tanh", "matmul"] * 2
    assert_equal(gradients(y.sum()), gradients(tanh(tanh(layer(x) @ W) @ W).sum()))


def test_a_block_inside_of_a_block_has_ranges_of_its_own():
    @mg.recompute()
    def cell(h):
        return tanh(tanh(h @ W) @ W)

    def run():
        h = mg.tensor(np.ones((1, 3)), name="h0")
        for _ in mg.steps(10):
            h = cell(h) * 0.5
        return h.sum()

    loss = assert_same(run, 3)
    nodes = mg.Graph(loss).nodes
    kept = [n.op.name for n in nodes if n.inputs and not isinstance(n, Forgotten)]
    # What the inner one kept, and of the outer one ranges 1..3, 4..6, 7..9 and 10.
    assert kept.count("counted_tanh") == 10
    assert kept.count("multiply") == 4


def test_a_parameter_that_was_assigned_since_is_an_error():
    p = mg.parameter(W.data, name="p")
    loss = chain(10, 3, W=p)
    early = forgotten(loss)[0]
    before = early.value
    p.assign(p.data * 2)
    with pytest.raises(RuntimeError, match=r"parameter p was changed by assign") as e:
        loss.backward()
    assert "record the forward pass again" in str(e.value)
    # The gradient let go of that range: its value is gone for good.
    with pytest.raises(RuntimeError, match="cannot be computed again"):
        early.value  # noqa: B018
    np.testing.assert_array_equal(before, np.ones((1, 3)) @ W.data)
    assert p.grad is None
    assert loss.data == chain(10, forget=False).data


def test_a_block_around_a_whole_training_keeps_no_graph():
    p = mg.parameter(W.data, name="p")
    last = None
    gc.collect()
    gc.disable()
    try:
        with mg.recompute():
            for _ in range(3):
                loss = (mg.tanh(tanh(np.ones((1, 3)) @ p) @ p) ** 2).sum()
                loss.backward()
                p.assign(p.data - 0.1 * p.grad)
                assert last is None or last() is None
                last = ref(loss.node.inputs[0])
        # What the new value of p would not give again is kept.
        names = [n.op.name for n in mg.Graph(loss).nodes if isinstance(n, Forgotten)]
        assert names == ["counted_tanh", "tanh", "power"]
        x = np.tanh(
            np.tanh(np.ones((1, 3)) @ (p.data + 0.1 * p.grad)) @ (p.data + 0.1 * p.grad)
        )
        np.testing.assert_allclose(loss.node.inputs[0].value, x**2)
    finally:
        gc.enable()


def test_an_op_that_draws_numbers_is_refused():
    rng = np.random.default_rng(0)

    def noisy(x):
        return x * rng.normal(size=x.shape)

    noise = mg.Op(noisy, lambda g, y, x: g, name="noisy_in_recompute")
    x = mg.tensor(np.ones(5), requires_grad=True)
    with pytest.raises(ValueError, match=r"op noisy_.* Draw random numbers"):
        mg.recompute()(lambda: noise(x) * 2)()
    with mg.recompute():  # what is held is never run again
        y = noise(x)
    np.testing.assert_array_equal(y.node.value, y.data)


def test_nothing_is_forgotten_where_nothing_is_recorded_or_all_is_watched():
    x = mg.tensor(np.ones((1, 3)), name="x")
    for mode in (mg.no_grad, mg.detect_anomaly):
        with mg.recompute(), mode():
            assert not forgotten(tanh(tanh(x @ W)))
        with mode(), mg.recompute():
            assert not forgotten(tanh(tanh(x @ W)))
    with mg.recompute():
        with mg.no_grad():
            pass
        y = tanh(tanh(x @ W))
    assert len(forgotten(y)) == 2


def test_an_anomaly_is_found_through_forgotten_values():
    loss = chain(20, 3)
    with mg.detect_anomaly():
        assert_equal(gradients(loss), gradients(chain(20, forget=False)))


@pytest.mark.parametrize("outside", [True, False])
def test_a_compiled_function_is_the_same_program(outside):
    def step(xs):
        h = mg.tensor(np.zeros((1, 3)), name="h0")
        with nullcontext() if outside else mg.recompute():
            for _, x in mg.steps(x=xs):
                h = mg.tanh(x + h @ W)
            loss = (h * h).sum()
        return [loss, *mg.grad(loss, [W])]

    xs = np.random.default_rng(0).normal(size=(6, 1, 3))
    program = mg.compile(step, strict=True)
    with mg.recompute() if outside else nullcontext():
        found = program(xs)
    assert all(not t.node.inputs for t in found)
    assert_equal([t.data for t in found], [t.data for t in mg.compile(step)(xs)])
    np.testing.assert_allclose(found[1].data, step(xs)[1].data, rtol=1e-12)


class Interrupt:
    """Raises KeyboardInterrupt at the n-th run of the op ``breaks``."""

    left = None


def breaks(x):
    if Interrupt.left is not None:
        Interrupt.left -= 1
        if Interrupt.left < 0:
            raise KeyboardInterrupt
    return np.tanh(x)


breaking = mg.Op(breaks, lambda g, y, x: g * (1 - y * y), name="breaks")


def twice(loss):
    return gradients(loss), gradients(loss)


def test_after_ctrl_c_in_a_computation_all_is_as_it_was():
    h = mg.tensor(np.ones((1, 3)), name="h0")
    with mg.recompute(4):
        for _ in mg.steps(12):
            h = breaking(h @ W)
    loss = h.sum()
    wanted = gradients(loss)
    for left in range(12):
        Interrupt.left = left
        try:
            with pytest.raises(KeyboardInterrupt):
                twice(loss)
        finally:
            Interrupt.left = None
        assert_equal(gradients(loss), wanted)
        assert len(forgotten(loss)) == 2 * 12 - 3


def test_an_error_in_the_block_leaves_what_follows_alone():
    states = [mg.tensor(np.ones((1, 3)), name="h0")]

    @mg.recompute(2)
    def run():
        for t in mg.steps(5):
            states[:] = [tanh(states[0] @ W)]
            1 / (5 - t)

    with pytest.raises(ZeroDivisionError):
        run()
    y = tanh(tanh(states[0] @ W)).sum()
    assert [n.t for n in forgotten(y)] == [1, 1, 2, 3, 3, 4]
    nodes = [ref(y.node), ref(states[0].node)]
    gc.collect()
    gc.disable()
    try:
        wanted = np.ones((1, 3))
        for _ in range(5):
            wanted = np.tanh(wanted @ W.data)
        np.testing.assert_array_equal(states[0].data, wanted)
        assert gradients(y)[0].shape == (3, 3)
        del y
        states.clear()
        assert [r() for r in nodes] == [None, None]
    finally:
        gc.enable()


def test_an_error_while_computing_again_names_the_node():
    x = mg.tensor(-np.ones(3), requires_grad=True)
    with np.errstate(all="ignore"), mg.recompute():
        y = mg.exp(mg.log(x)).sum()
    with np.errstate(invalid="raise"), pytest.raises(FloatingPointError) as e:
        mg.grad(y, [x])
    assert any("computed again, in op log" in note for note in e.value.__notes__)


def test_reference_counts_free_all():
    gc.collect()
    gc.disable()
    try:
        loss = chain(30, 5)
        loss.backward()
        first, last = forgotten(loss)[0], forgotten(loss)[-1]
        array = ref(first.value)
        assert array() is not None
        nodes = [ref(first), ref(last), ref(loss.node)]
        del loss, first, last
        assert [r() for r in (*nodes, array)] == [None] * 4
    finally:
        gc.enable()
        W.grad = None


def test_at_most_one_range_is_remembered():
    loss = chain(100, 10)
    nodes = forgotten(loss)
    for node in (*nodes, *reversed(nodes)):
        node.value  # noqa: B018
        own = {id(n.value) for n in nodes if n.id in _values(n)}
        assert len(own) <= 10 * 5
    loss.backward()
    assert {n.t for n in nodes if n.id in _values(n)} <= set(range(1, 11))


@pytest.mark.parametrize("loop", [lambda: mg.steps(10), lambda: range(10)])
def test_at_most_one_call_is_remembered(loop):
    @mg.recompute(100)
    def cell(h):
        return tanh(tanh(tanh(h @ W) @ W) @ W)

    h = mg.tensor(np.ones((1, 3)), name="h0")
    for _ in loop():
        h = cell(h)
    nodes = forgotten(h)
    assert len(nodes) == 10 * 5
    gradients(h.sum())
    assert [n.id for n in nodes if n.id in _values(n)] == [n.id for n in nodes[:5]]
    assert not any(n.value.flags.writeable for n in nodes)
    assert [n.id for n in nodes if n.id in _values(n)] == [n.id for n in nodes[-5:]]


def test_an_op_is_run_again_for_a_check_once():
    chain(10)
    RUNS.clear()
    chain(10)
    assert len(RUNS) == 10


def _values(node):
    return mg.Node.value.__get__(node).range.values


def test_threads_take_gradients_of_one_graph():
    loss = chain(200, 9)
    wanted = gradients(loss)
    found, errors = [], []

    def work():
        try:
            found.append(gradients(loss))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(found) == 4
    for each in found:
        assert_equal(each, wanted)


def peak(forget, steps=1000, size=64):
    """The most bytes at once in a forward and a backward pass."""
    p = mg.parameter(np.eye(size) / 2, name="p")
    h0 = np.ones((16, size))
    tracemalloc.start()
    try:
        h, total = mg.tensor(h0, name="h0"), 0.0
        with mg.recompute() if forget else nullcontext():
            for _ in mg.steps(steps):
                h = mg.tanh(h @ p + 0.1)
                total = total + (h * h).mean()
        mg.grad(total, [p])
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_peak_of_a_long_sequence_is_less_than_a_quarter():
    assert 4 * peak(True) < peak(False)


def test_a_block_may_be_entered_again_and_inside_of_itself():
    block = mg.recompute(2)
    plain = chain(6, forget=False)
    for _ in range(2):
        with block:
            first = chain(6, forget=False)
            with block:
                second = chain(6, forget=False)
        for loss in (first, second):
            assert forgotten(loss)
            assert_equal(gradients(loss), gradients(plain))
    assert not forgotten(chain(6, forget=False))
