"""One step of a fold: equal to what ran, given arrays and Tensors, and refusals."""

from functools import partial

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import LinearRecurrence
from minigrad.nn.cells import GRU, LSTM, Elman, MinGRU, make_cell
from tests.programs.one_step import why_not_stepped

N, H, T, B = 2, 3, 9, 4
RNG = np.random.default_rng(0)
XS = RNG.normal(size=(T, B, N))
YS = RNG.normal(size=(T, B, N))
V = mg.parameter(RNG.normal(size=(H, N)), name="V")

CELLS = {
    "elman": Elman,
    "lstm": LSTM,
    "gru": GRU,
    "mingru": MinGRU,
    "leaky": partial(Elman, leak="learnt"),
    "skips": partial(Elman, skips=(3,)),
    "two layers": partial(make_cell, "lstm", layers=2),
}


def recorded(make, reverse=False):
    """The fold of a net with a loss at each step, and its last values by name."""
    cell = make(N, H, rng=np.random.default_rng(1), dtype=np.float64)
    state, losses = cell.start(B), []
    for _, x, y in mg.steps(x=XS, y=YS, reverse=reverse):
        state = cell(x, state)
        for name, s in zip(cell.names, state, strict=True):
            if s.node.name is None:
                s.named(name)
        o = (state[0] @ V).named("o")
        losses.append(mg.mse_loss(o, y).named("L"))
    last = {s.node.name: s for s in reversed(state)} | {"o": o, "L": losses[-1]}
    return mg.fold(mg.stack(losses).mean()), last


def zeros(recurrence):
    return {e: np.zeros((B, H)) for e in recurrence_entries(recurrence)}


def recurrence_entries(recurrence):
    return list(recurrence.states)


@pytest.mark.parametrize("make", CELLS.values(), ids=CELLS)
@pytest.mark.parametrize("reverse", [False, True])
def test_steps_one_after_another_are_what_ran(make, reverse):
    recurrence, last = recorded(make, reverse)
    state = zeros(recurrence)
    for t in range(T)[:: -1 if reverse else 1]:
        state = recurrence.step(state, {"x": XS[t], "y": YS[t]})
    for name, value in last.items():
        np.testing.assert_array_equal(state[name], value.data)


def test_a_value_whose_inputs_are_not_given_is_left_out():
    recurrence, _ = recorded(Elman)
    found = recurrence.step({"h": np.zeros((B, H))}, {"x": XS[0]})
    assert list(found) == ["h", "o"]


def test_older_states_have_entries_of_their_own():
    recurrence, _ = recorded(CELLS["skips"])
    assert recurrence_entries(recurrence) == ["h", "h(t-2)", "h(t-3)"]
    state = {e: np.full((B, H), k) for k, e in enumerate(zeros(recurrence))}
    new = recurrence.step(state, {"x": XS[0], "y": YS[0]})
    np.testing.assert_array_equal(new["h(t-2)"], state["h"])
    np.testing.assert_array_equal(new["h(t-3)"], state["h(t-2)"])
    backward, _ = recorded(CELLS["skips"], reverse=True)
    assert recurrence_entries(backward) == ["h", "h(t+2)", "h(t+3)"]


def test_a_result_shares_no_memory_with_what_was_given():
    recurrence, _ = recorded(CELLS["skips"])
    state = zeros(recurrence)
    new = recurrence.step(state, {"x": XS[0]})
    new["h(t-2)"][...] = 7
    assert not state["h"].any()


def test_given_tensors_it_records():
    recurrence, _ = recorded(Elman)
    W = next(r.leaf for r in recurrence.roles if r.label == "W")
    h = mg.tensor(RNG.normal(size=(1, H)), requires_grad=True)
    new = recurrence.step({"h": h}, {"x": XS[0][:1]})["h"]
    (found,) = mg.jacobian(new, [h])
    expected = np.diag(1 - new.data[0] ** 2) @ W.value.T
    np.testing.assert_allclose(found.data.reshape(H, H), expected)
    free = mg.tensor(W.value, requires_grad=True)
    new = recurrence.step({"h": h.data}, {"x": XS[0][:1]}, {"W": free})["h"]
    assert mg.grad(new.sum(), [free])[0].shape == (H, H)


def test_parameters_are_as_they_are_now_or_as_they_are_given():
    cell = Elman(N, H, rng=np.random.default_rng(1), dtype=np.float64)
    h = cell.start(1)[0]
    for _, x in mg.steps(x=XS[:, :1]):
        (h,) = cell(x, (h,))
        h.named("h")
    recurrence = mg.fold(h)
    given = {"h": np.ones((1, H))}, {"x": XS[0, :1]}
    silent = recurrence.step(*given, {"W": np.zeros((H, H)), "b": np.zeros(H)})
    np.testing.assert_allclose(silent["h"], np.tanh(XS[0, :1] @ cell.U.data))
    cell.W.assign(np.zeros((H, H)))
    np.testing.assert_array_equal(recurrence.step(*given)["h"], silent["h"])


def test_what_stands_outside_of_the_loop_is_computed_or_replaced():
    model = LinearRecurrence(N, H, 2, rng=RNG, dtype=np.float64)
    h, gain = model.start(1), mg.tensor(np.full(N, 2.0), name="gain")
    for _, x in mg.steps(x=XS[:, :1]):
        h = model.step(h, x * gain)
    recurrence = mg.fold(h)
    state, x = {"h": np.ones((1, H))}, XS[0, :1]
    decay = np.exp(-np.exp(model.a.data))
    found = recurrence.step(state, {"x": x})["h"]
    np.testing.assert_allclose(found, decay + 2 * x @ model.U.data)
    found = recurrence.step(state, {"x": x, "gain": np.full(N, 3.0)})["h"]
    np.testing.assert_allclose(found, decay + 3 * x @ model.U.data)


def test_what_is_computed_outside_of_the_loop_follows_its_parameters():
    a, h = mg.parameter(np.zeros(N), name="a"), mg.tensor(np.zeros((B, N)), name="h0")
    decay = mg.exp(-mg.exp(a))
    for _, x in mg.steps(x=XS):
        h = (h * decay + x).named("h")
    recurrence = mg.fold(h)
    given = {"h": XS[0]}, {"x": XS[1]}
    a.assign(np.ones(N))
    found = recurrence.step(*given)["h"]
    np.testing.assert_allclose(found, XS[0] * np.exp(-np.e) + XS[1])
    found = recurrence.step(*given, {"a": np.full(N, 2.0)})["h"]
    np.testing.assert_allclose(found, XS[0] * np.exp(-np.exp(2)) + XS[1])


def test_a_sum_that_begins_at_the_second_step_is_a_state():
    total = None
    for _, x in mg.steps(x=XS):
        v = mg.tanh(x).named("v")
        total = v if total is None else (total + v).named("total")
    found = mg.fold(total).step({"total": XS[0], "v": XS[1]}, {"x": XS[2]})
    np.testing.assert_allclose(found["total"], XS[0] + np.tanh(XS[2]))


def test_a_loop_that_goes_back_as_a_gradient_does_steps_too():
    a, g = mg.parameter(np.full(N, 0.5), name="a"), mg.tensor(np.zeros((B, N)))
    for _, d in mg.steps(d=XS, reverse=True):
        g = (g * a + d).named("g")
    recurrence = mg.fold(g)
    assert recurrence.linear == {"g": "diagonal"}
    found = recurrence.step({"g": XS[0]}, {"d": XS[1]})
    np.testing.assert_allclose(found["g"], 0.5 * XS[0] + XS[1])


def test_an_index_that_moves_is_an_input():
    X, h = mg.tensor(XS, name="X"), mg.tensor(np.zeros((B, N)), name="h0")
    for t in mg.steps(T):
        h = mg.tanh(h + X[t - 1].named("x")).named("h")
    found = mg.fold(h).step({"h": np.zeros((B, N))}, {"x": XS[3]})
    np.testing.assert_allclose(found["h"], np.tanh(XS[3]))


def test_a_leaf_that_is_made_in_the_body_is_an_input():
    h = mg.tensor(np.zeros((B, N)), name="h0")
    for t in mg.steps(T):
        h = mg.tanh(h + mg.tensor(XS[t - 1], name="x")).named("h")
    recurrence = mg.fold(h)
    found = recurrence.step({"h": XS[0]}, {"x": XS[1]})
    np.testing.assert_array_equal(found["h"], np.tanh(XS[0] + XS[1]))
    with pytest.raises(ValueError, match=r"h\(t\) needs x, and inputs has nothing"):
        recurrence.step({"h": XS[0]}, {})


def test_what_only_some_steps_have_is_no_result():
    h, seen = mg.tensor(np.zeros((B, N)), name="h0"), []
    for t in mg.steps(8):
        h = mg.tanh(h).named("h")
        if t % 2 == 0:
            with mg.scope("slow"):
                seen.append((h * 0.5).named("s"))
    recurrence = mg.fold([h, *seen])
    assert list(recurrence.step({"h": XS[0]}, {})) == ["h"]


def test_what_one_step_does_not_have_keeps_no_state_from_being_computed():
    h, hs = mg.tensor(np.zeros((B, N)), name="h0"), []
    for _, x in mg.steps(x=XS):
        h = mg.tanh(h + x).named("h")
        hs.append(h)
        seen = mg.stack(hs).mean(axis=0).named("seen")
    found = mg.fold(mg.Graph([h, seen])).step({"h": XS[0]}, {"x": XS[1]})
    assert list(found) == ["h"]


def test_a_wrong_step_is_seen(monkeypatch):
    graph = mg.Graph(recorded_loss())
    assert why_not_stepped(graph) is None
    monkeypatch.setattr(mg.tanh, "forward", lambda x: 1.01 * np.tanh(x))
    assert "instead of" in why_not_stepped(graph)


def recorded_loss():
    h = mg.tensor(np.zeros((B, N)), name="h0")
    for _, x in mg.steps(x=XS):
        h = mg.tanh(h + x).named("h")
    return h.sum()


# -- refusals


def elman(**changed):
    recurrence, _ = recorded(Elman)
    given = {"state": {"h": np.zeros((B, H))}, "inputs": {"x": XS[0]}} | changed
    return recurrence.step(**given)


def contracted():
    return mg.fold(mg.contract(recorded_loss())).step({}, {})


def both_ways():
    f = g = mg.tensor(np.zeros((B, N)), name="h0")
    for _, x in mg.steps(x=(xs := mg.tensor(XS, name="xs"))):
        f = mg.tanh(f + x).named("f")
    for _, x in mg.steps(x=xs, reverse=True):
        g = mg.tanh(g + x).named("g")
    return mg.fold(mg.Graph([f, g])).step({}, {})


def two_loops():
    h = mg.tensor(np.zeros((B, N)), name="h0")
    for _ in range(2):
        for _ in mg.steps(4):
            h = mg.tanh(h)
    return mg.fold(h).step({}, {})


def every_second():
    h = mg.tensor(np.zeros((B, N)), name="h0")
    for t in mg.steps(8):
        h = mg.tanh(h).named("h")
        if t % 2 == 0:
            with mg.scope("slow"):
                h = (h * 0.5).named("s")
    return mg.fold(h).step({}, {})


def branching(after, steps=12):
    """A line that only the steps after some have."""
    h = mg.tensor(np.zeros((B, N)), name="h0")
    for t in mg.steps(steps):
        h = mg.tanh(h)
        if t > after:
            with mg.scope("late"):
                h = h * 0.5
        h = (h + 1.0).named("h")
    return mg.fold(h).step({"h": np.zeros((B, N))}, {})


def of_steps(number, parameters=None):
    h = mg.tensor(np.zeros((B, N)), name="h0")
    for _ in mg.steps(number):
        h = mg.tanh(h).named("h")
    return mg.fold(h).step({"h": np.zeros((B, N))}, {}, parameters)


def read():
    graph = mg.Graph.from_json(mg.Graph(recorded_loss()).to_json())
    return mg.fold(graph).step({"h": np.zeros((B, N))}, {"x": XS[0]})


REFUSED = {
    "a contracted graph": (contracted, ValueError, r"write mg\.fold\(loss\)"),
    "no state": (partial(elman, state={}), ValueError, "state lacks h"),
    "a strange state": (
        partial(elman, state={"h": np.zeros((B, H)), "s": 1}),
        ValueError,
        "state names s: this step has h, o, L$",
    ),
    "another state": (
        partial(elman, state={"s": 1}),
        ValueError,
        "state lacks h and names s: this step has h, o, L$",
    ),
    "parameters where there are none": (
        lambda: of_steps(4, {"Q": 1}),
        ValueError,
        "parameters names Q: this step has nothing",
    ),
    "a late branch": (lambda: branching(4), ValueError, "without branches on t"),
    "no input": (partial(elman, inputs={}), ValueError, r"h\(t\) needs x"),
    "a strange input": (
        partial(elman, inputs={"x": XS[0], "z": 1}),
        ValueError,
        "inputs names z: this step has x, y",
    ),
    "a strange parameter": (
        partial(elman, parameters={"Q": 1}),
        ValueError,
        "parameters names Q: this step has .*W",
    ),
    "other axes": (partial(elman, state={"h": np.zeros(H)}), ValueError, "2 axes"),
    "both ways": (both_ways, ValueError, "f is read by later steps and g by earlier"),
    "two loops": (two_loops, ValueError, "2 loops over time"),
    "periods": (every_second, ValueError, "one of 6 steps or more, without branches"),
    "one step": (partial(of_steps, 1), ValueError, "two steps or more"),
    "a graph that was read": (read, TypeError, "no value"),
}


@pytest.mark.parametrize(("make", "kind", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_step_is_refused(make, kind, words):
    with pytest.raises(kind, match=words):
        make()


def test_two_steps_are_enough():
    assert of_steps(2).keys() == {"h"}
