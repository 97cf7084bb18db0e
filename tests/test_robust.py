"""What must not break the engine: threads, interrupts, width, emptiness, odd dtypes."""

import copy
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import minigrad as mg
from minigrad.nn import Module, cells
from minigrad.op import recording
from minigrad.scope import ROOT, current


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


def interrupt_after(lines, run):
    """Run a function and raise KeyboardInterrupt at its n-th line within minigrad."""
    seen = 0

    def trace(frame, event, arg):
        nonlocal seen
        if "minigrad" not in frame.f_code.co_filename:
            return None
        if event == "line":
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


def test_an_interrupt_at_any_line_of_a_step_leaves_old_or_new_and_the_switches():
    W = mg.parameter(np.eye(2), name="W")
    old, new = W.data, W.data * 0.5

    def step():
        with mg.scope("step"), mg.no_grad():
            mg.tanh(W)
        h = mg.tensor(np.ones((1, 2)), name="h0")
        for _ in mg.steps(2):
            h = mg.tanh(h @ W)
        h.sum().backward()
        W.assign(new)

    line, interrupted = 1, True
    while interrupted:
        W.assign(old)
        interrupted = interrupt_after(line, step)
        assert W.data.tobytes() in (old.tobytes(), new.tobytes())
        assert current.get() is ROOT
        assert recording.get() is True
        line += 7
    assert line > 300, "the step has that many lines"
    assert W.data.tobytes() == new.tobytes()


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
    assert recording.get() is True


@pytest.mark.parametrize("record", [False, True])
def test_detect_anomaly_names_the_rule_of_a_gradient(record):
    x = mg.parameter([0.0, 4.0], name="x")
    with mg.detect_anomaly(), np.errstate(divide="ignore"):
        for _ in mg.steps(1):
            with mg.scope("cell"):
                y = mg.sqrt(x)
        with pytest.raises(FloatingPointError, match=r"inf in 1 of 2 .*(sqrt|divide)"):
            mg.grad(y.sum(), [x], create_graph=record)


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
