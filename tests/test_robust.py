"""What must not break the engine: threads, interrupts, width, emptiness, odd dtypes."""

import ast
import copy
import gc
import linecache
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial

import numpy as np
import pytest

import minigrad as mg
from minigrad.mode import Mode, current_mode
from minigrad.nn import Module, cells
from minigrad.optim import (
    SGD,
    Adam,
    AdamW,
    RMSProp,
    clip_by_element,
    clip_by_norm,
)
from minigrad.scope import ROOT, current
from minigrad.train import load_checkpoint, save_checkpoint


def recurrence(seed, steps=12):
    """Loss, gradient and second order of a small network, as bytes."""
    rng = np.random.default_rng(seed)
    W = mg.parameter(rng.normal(size=(4, 4)), name="W")
    h = mg.tensor(np.zeros((3, 4)), name="h0")
    for _, x in mg.steps(rng.normal(size=(steps, 3, 4))):
        h = mg.tanh(x + h @ W)
    loss = (h * h).mean()
    loss.backward()
    (d,) = mg.hvp(loss, [W], [np.ones((4, 4))])
    return loss.data.tobytes() + W.grad.tobytes() + d.data.tobytes()


def test_eight_threads_give_the_bits_of_one():
    serial = [recurrence(seed) for seed in range(16)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(recurrence, range(16))) == serial


def test_one_parameter_used_10_000_times():
    w = mg.parameter(2.0, name="w")
    loss = mg.add_n([w * float(k) for k in range(10_000)])
    loss.backward()
    assert w.grad == sum(range(10_000))
    (d,) = mg.grad(loss * loss, [w], create_graph=True)
    assert mg.grad(d, [w])[0].item() == 2.0 * sum(range(10_000)) ** 2


class Interrupted(KeyboardInterrupt):
    pass


@cache
def clean_up(path):
    """The lines of a file's `finally` blocks.

    A tracer can cut them, Ctrl-C cannot: Python looks for signals where a function
    begins, after calls and at jumps back, and a clean-up here is one call.
    """
    tree = ast.parse("".join(linecache.getlines(path)))
    tries = [node for node in ast.walk(tree) if hasattr(node, "finalbody")]
    blocks = [n.finalbody for n in tries if n.finalbody]
    return {k for b in blocks for k in range(b[0].lineno, b[-1].end_lineno + 1)}


def interrupt_after(lines, run):
    """Run a function and raise KeyboardInterrupt at its n-th line within minigrad."""
    seen = 0

    def trace(frame, event, arg):
        nonlocal seen
        path = frame.f_code.co_filename
        if "minigrad" not in path:
            return None
        if event == "line" and frame.f_lineno not in clean_up(path):
            seen += 1
            if seen == lines:
                raise Interrupted
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    except Interrupted:
        return True
    finally:
        sys.settrace(before)
    return False


def interrupted_everywhere(run, again, every=1):
    """Interrupt a function at each of its lines in turn; yields after each time."""
    line, interrupted = 1, True
    while interrupted:
        again()
        interrupted = interrupt_after(line, run)
        yield line
        line += every


def bits(*states):
    return [a.tobytes() for state in states for a in state.values()]


class Net(Module):
    def __init__(self):
        rng = np.random.default_rng(0)
        self.W = mg.parameter(rng.normal(size=(2, 2)))
        self.b = mg.parameter(rng.normal(size=2))

    def forward(self, x):
        h = mg.tensor(np.ones((1, 2)), name="h0")
        for _ in mg.steps(2):
            h = mg.tanh(x + h @ self.W + self.b)
        return (h * h).sum()


OPTIMISERS = [lambda ps: SGD(ps, 0.1, 0.9), RMSProp, Adam, AdamW]


TINY = np.full(1, 1e-40, np.float32)


def switches():
    """Scope, mode, collector, and that denormal numbers are numbers."""
    numbers = bool((TINY * np.float32(0.5)).all())
    return current.get() is ROOT, current_mode.get(), gc.isenabled() and numbers


@pytest.mark.parametrize("compiled", [False, True])
def test_an_interrupt_at_any_line_of_a_step_leaves_old_or_new(compiled):
    net, x = Net(), np.ones((1, 2))
    optimiser = Adam(net.parameters())
    program = mg.compile(lambda x: (net(x), mg.grad(net(x), net.parameters())))

    def step():
        with mg.scope("step"), mg.no_grad():
            mg.tanh(net.W)
        if compiled:
            _, gradients = program(x)
            for p, g in zip(net.parameters(), gradients, strict=True):
                p.grad = g.data
        else:
            with mg.detect_anomaly():
                net(x).backward()
        clip_by_norm(net.parameters(), 0.1)
        optimiser.step()

    step()
    start = net.state_dict(), optimiser.state_dict()

    def restart():
        net.load_state_dict(start[0])
        optimiser.load_state_dict(start[1])

    step()
    both = bits(*start), bits(net.state_dict(), optimiser.state_dict())
    assert both[0] != both[1]
    for lines in interrupted_everywhere(step, restart):
        after = bits(net.state_dict(), optimiser.state_dict())
        assert after in both
        assert switches() == (True, Mode.RECORD, True)
        if after == both[0] and lines % 20 == 1:
            step()  # an interrupt leaves nothing behind that the next step meets
            assert bits(net.state_dict(), optimiser.state_dict()) == both[1]
    assert lines > 200, "the step has that many lines"
    assert after == both[1]


def test_an_interrupt_while_a_program_is_compiled_leaves_the_switches():
    net, x = Net(), np.ones((1, 2))
    loss = net(x).item()
    made = []

    def compile_and_run():
        program = made[-1]
        assert abs(program(x).item() - loss) < 1e-12

    def restart():
        made.append(mg.compile(net, strict=True))

    for _ in interrupted_everywhere(compile_and_run, restart, every=211):
        assert switches() == (True, Mode.RECORD, True)
        compile_and_run()
    assert len(made) > 10, "compiling has many lines"


@pytest.mark.parametrize("make", OPTIMISERS)
def test_all_parameters_and_what_an_optimiser_keeps_change_at_once(make):
    net = Net()
    optimiser = make(net.parameters())
    net(np.ones((1, 2))).backward()

    def state():
        return bits(net.state_dict(), optimiser.state_dict())

    start = net.state_dict(), optimiser.state_dict()
    optimiser.step()
    after = net.state_dict(), optimiser.state_dict()

    def load(states):
        net.load_state_dict(states[0])
        optimiser.load_state_dict(states[1])

    for _ in interrupted_everywhere(optimiser.step, lambda: load(start)):
        assert state() in (bits(*start), bits(*after))
    assert state() == bits(*after)
    for part, i in ((net, 0), (optimiser, 1)):
        run = partial(part.load_state_dict, start[i])
        for _ in interrupted_everywhere(run, lambda: load(after)):
            assert bits(part.state_dict()) in (bits(start[i]), bits(after[i]))
        assert bits(part.state_dict()) == bits(start[i])


def test_a_checkpoint_is_loaded_whole_or_not_at_all(tmp_path):
    net, rng = Net(), np.random.default_rng(0)
    optimiser = Adam(net.parameters())
    parts = {"net": net, "optimiser": optimiser, "rng": rng}
    paths = tmp_path / "a", tmp_path / "b"

    def state():
        arrays = bits(net.state_dict(), optimiser.state_dict())
        return arrays, rng.bit_generator.state

    save_checkpoint(paths[0], parts, 0)
    old = state()
    net(np.ones((1, 2))).backward()
    optimiser.step()
    rng.random()
    save_checkpoint(paths[1], parts, 0)
    new = state()
    for _ in interrupted_everywhere(
        partial(load_checkpoint, paths[1], parts),
        partial(load_checkpoint, paths[0], parts),
    ):
        assert state() in (old, new)
    assert state() == new


def test_all_gradients_change_at_once():
    net, x = Net(), np.ones((1, 2))

    def gradients():
        return [p.grad is not None and p.grad.tobytes() for p in net.parameters()]

    def forget():
        for p in net.parameters():
            p.grad = None

    loss = net(x)
    loss.backward()
    found = gradients()
    for _ in interrupted_everywhere(loss.backward, forget):
        assert gradients() in ([False, False], found)
    for clip in (clip_by_norm, clip_by_element):
        run = partial(clip, net.parameters(), 0.1)
        loss.backward()
        run()
        clipped = gradients()
        assert clipped != found
        for _ in interrupted_everywhere(run, loss.backward):
            assert gradients() in (found, clipped)


def test_a_parameter_that_was_cut_off_from_its_change_is_not_stale():
    w = mg.parameter(2.0, name="w")
    y = w * w

    def again():
        nonlocal y
        w.assign(2.0)
        y = w * w

    for _ in interrupted_everywhere(lambda: w.assign(3.0), again):
        if w.item() == 2.0:
            assert mg.grad(y, [w])[0].item() == 4.0
        else:
            with pytest.raises(RuntimeError, match="changed by assign"):
                mg.grad(y, [w])
    assert w.item() == 3.0


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0)])
def test_empty_arrays(shape):
    x = mg.parameter(np.zeros(shape), name="x")
    y = (mg.tanh(x) * 2).sum() + x.reshape(-1).sum()
    y.backward()
    assert x.grad.shape == shape
    assert mg.hessian(y, x)[0][0].shape == shape * 2


def test_0d_stays_0d():
    x = mg.parameter(0.5, name="x")
    for y in (mg.tanh(x), x * 2, x.sum(), mg.maximum(x, 0.0), x[()], x.reshape(())):
        assert type(y.data) is np.ndarray
        assert mg.grad(y, [x])[0].shape == ()


@pytest.mark.parametrize("dtype", [int, bool, np.uint8])
def test_integers_and_booleans_have_no_gradient_and_do_not_crash(dtype):
    i = mg.tensor(np.array([0, 1], dtype))
    x = mg.parameter([1.0, 2.0], name="x")
    assert mg.grad((x * i).sum(), [x])[0].data.tolist() == [0.0, 1.0]
    assert (i + i).dtype == (i.data + i.data).dtype
    assert mg.grad(x[i.data.astype(int)].sum(), [x])[0].data.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_inf_stay_in_their_lane(bad):
    data = np.arange(6.0).reshape(3, 2)
    data[1] = bad
    x = mg.parameter(data, name="x")
    W = mg.tensor(np.eye(2))
    with np.errstate(invalid="ignore", over="ignore"):
        y = mg.logsumexp(mg.tanh(x @ W * 0.1) * x, axis=1)
        rows = mg.grad(y[0] + y[2], [x])[0].data
    assert np.isfinite(y.data[[0, 2]]).all()
    assert np.isfinite(rows[[0, 2]]).all()


def test_detect_anomaly_names_op_scope_and_step_of_a_value():
    def run():
        h = mg.tensor(2.0, name="h0")
        for t in mg.steps(5):
            with mg.scope("cell"):
                h = mg.log(h) if t < 4 else h
        return h

    with np.errstate(invalid="ignore", divide="ignore"):
        run()
        with (
            pytest.raises(
                FloatingPointError, match=r"nan in 1 of 1 .*log.*cell.*t = 3"
            ),
            mg.detect_anomaly(),
        ):
            run()
    assert current_mode.get() is Mode.RECORD


@pytest.mark.parametrize("record", [False, True])
def test_detect_anomaly_names_the_rule_of_a_gradient(record):
    x = mg.parameter([0.0, 4.0], name="x")
    with mg.detect_anomaly(), np.errstate(divide="ignore"):
        for _ in mg.steps(1):
            with mg.scope("cell"):
                y = mg.sqrt(x)
        with pytest.raises(FloatingPointError, match=r"inf in 1 of 2 .*(sqrt|divide)"):
            mg.grad(y.sum(), [x], create_graph=record)


@pytest.mark.parametrize("record", [False, True])
def test_detect_anomaly_looks_at_the_gradient_of_an_index(record):
    x = mg.parameter([1.0, 4.0], name="x")
    with mg.detect_anomaly():
        assert mg.grad(x[0] * 3, [x], create_graph=record)[0].data.tolist() == [3, 0]
        with pytest.raises(FloatingPointError, match=r"gradient rule 0, .*getitem"):
            mg.vjp(x[:1], [x], [np.inf], create_graph=record)


class Tied(Module):
    def __init__(self):
        self.E = mg.parameter(np.ones((3, 2)))
        self.V = self.E
        self.cells = [cells.Elman(2, 2, rng=np.random.default_rng(0))] * 2

    def forward(self, x):
        return (x @ self.E) @ self.V.T


def test_a_deep_copy_of_a_model_keeps_its_ties_and_is_apart():
    model = Tied()
    model(np.ones((1, 3))).sum().backward()
    twin = copy.deepcopy(model)
    assert twin.E.node is twin.V.node
    assert twin.E.node is not model.E.node
    assert twin.cells[0] is twin.cells[1]
    assert len(twin.parameters()) == len(model.parameters())
    np.testing.assert_array_equal(twin.E.grad, model.E.grad)
    assert not np.shares_memory(twin.E.grad, model.E.grad)
    twin.E.assign(np.zeros((3, 2)))
    assert model.E.data.all()
    assert len(mg.Graph(twin(np.ones((1, 3)))).parameters) == 1


def test_dlpack_hands_out_a_copy():
    t = mg.parameter([1.0, 2.0], name="t") * 2
    array = np.from_dlpack(t)
    assert array.tolist() == [2.0, 4.0]
    assert not np.shares_memory(array, t.data)
    assert t.__dlpack_device__() == t.data.__dlpack_device__()
