"""A run of steps with their Jacobians: against differences, and refusals."""

from functools import partial

import numpy as np
import pytest

import minigrad as mg
from minigrad.analysis import fixed_points, jacobians, lyapunov, rtrl
from minigrad.analysis.steps import flat, step, unflat, walk
from minigrad.nn.cells import GRU, LSTM, Elman, MinGRU, make_cell
from minigrad.testing import numerical_jacobian
from tests.analysis.nets import cell_of, folded

MAKES = {
    "elman": Elman,
    "lstm": LSTM,
    "gru": GRU,
    "mingru": MinGRU,
    "skips": partial(Elman, skips=(3,)),
    "two layers": partial(make_cell, "gru", layers=2),
}
RNG = np.random.default_rng(1)


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES)
def test_the_jacobian_of_a_step_is_that_of_differences(make):
    _, recurrence = cell_of(make)
    state = {name: RNG.normal(size=(1, 3)) for name in recurrence.states}
    x = RNG.normal(size=(1, 2))

    def after(vector):
        new = recurrence.step(unflat(vector[None], state), {"x": x})
        return flat({name: new[name] for name in state})[0]

    _, J = step(recurrence, state, {"x": x}, None)
    expected = numerical_jacobian(after, [flat(state)[0]])[0]
    np.testing.assert_allclose(J[0], expected, atol=1e-8)


def test_each_sequence_has_a_jacobian_of_its_own():
    cell, recurrence = cell_of(Elman)
    h, x = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 2))
    after, J = step(recurrence, {"h": h}, {"x": x}, None)
    for k in range(4):
        expected = np.diag(1 - after["h"][k] ** 2) @ cell.W.data.T
        np.testing.assert_allclose(J[k], expected, atol=1e-12)


def test_a_state_without_a_batch_is_one_vector():
    recurrence = folded(lambda h: h * np.array([2.0, 3.0]), [1.0, 1.0])
    ((t, after, J),) = walk(recurrence, {"h": [1.0, 1.0]}, {}, steps=1)
    assert (t, after["h"].tolist()) == (1, [2.0, 3.0])
    assert J.tolist() == [[[2.0, 0.0], [0.0, 3.0]]]


def test_it_computes_in_float64():
    *_, recurrence = cell_of(lambda *a, **k: Elman(*a, **k | {"dtype": np.float32}))
    after, _ = step(recurrence, {"h": np.ones((1, 3))}, {"x": np.ones((1, 2))}, None)
    assert after["h"].dtype == np.float64


def test_parameters_may_be_others():
    _, recurrence = cell_of(Elman)
    given = {"h": np.ones((1, 3))}, {"x": np.ones((5, 1, 2))}
    found = jacobians(recurrence, *given, parameters={"W": np.zeros((3, 3))})
    assert found.matrices.shape == (5, 1, 3, 3)
    assert not found.matrices.any()


def test_what_mixes_sequences_is_refused():
    recurrence = folded(lambda h: h - h.mean(axis=0, keepdims=True), np.ones((2, 3)))
    state = {"h": RNG.normal(size=(2, 3))}
    with pytest.raises(ValueError, match="one sequence at a time"):
        step(recurrence, state, {}, None)
    step(recurrence, {"h": state["h"][:1]}, {}, None)


@pytest.mark.parametrize(
    ("state", "inputs", "steps", "words"),
    [
        ({}, {"x": np.ones((5, 1, 2))}, None, r"each state \(h\), h is missing"),
        ({"h": np.ones((1, 3))}, {}, None, r"h\(t\) needs x, and inputs has nothing"),
        (
            {"h": np.ones((3, 3))},
            {"x": np.ones((5, 2, 2))},
            None,
            r"h has shape \(3, 3\), recorded with \(1, 3\); x has shape \(2, 2\), "
            r"recorded with \(1, 2\)",
        ),
        (
            {"h": np.ones((1, 3))},
            {"x": np.ones((5, 1, 4))},
            None,
            r"computed: x has shape \(1, 4\), recorded with \(1, 2\)",
        ),
        ({"h": np.ones((1, 3))}, {"x": np.ones((5, 1, 2))}, 4, "of one length"),
        (
            {"h": np.ones((1, 3))},
            {"x": np.ones((5, 2, 2))},
            None,
            "batch of the inputs",
        ),
        ({"h": np.ones(3)}, {"x": np.ones((5, 1, 2))}, None, "2 axes"),
    ],
)
def test_what_is_missing_is_named(state, inputs, steps, words):
    _, recurrence = cell_of(Elman)
    with pytest.raises(ValueError, match=words):
        jacobians(recurrence, state, inputs, steps=steps)


def test_without_inputs_the_number_of_steps_is_asked_for():
    recurrence = folded(lambda h: 0.5 * h, [[1.0]])
    with pytest.raises(ValueError, match="pass steps="):
        jacobians(recurrence, {"h": [[1.0]]}, {})


@pytest.mark.parametrize("analysis", [jacobians, lyapunov, fixed_points, rtrl])
def test_what_is_not_folded_is_refused(analysis):
    with pytest.raises(TypeError, match=r"got Tensor: write mg.fold\(loss\)"):
        analysis(mg.tensor([1.0]), {"h": [[1.0]]}, {"x": np.ones((5, 1, 2))})


def test_states_of_different_batches_are_refused():
    _, recurrence = cell_of(LSTM)
    state = {"h": np.ones((1, 3)), "s": np.ones((2, 3))}
    with pytest.raises(ValueError, match="batch as first axis"):
        jacobians(recurrence, state, {"x": np.ones((5, 1, 2))})


def test_a_state_without_a_batch_beside_one_with_it_is_refused():
    h, k = mg.tensor(np.ones((1, 2)), name="h0"), mg.tensor(np.ones(2), name="k0")
    for _ in mg.steps(4):
        h, k = mg.tanh(h).named("h"), (0.5 * k).named("k")
    recurrence = mg.fold(mg.Graph([h, k]))
    with pytest.raises(ValueError, match="batch as first axis"):
        jacobians(recurrence, {"h": np.ones((1, 2)), "k": np.ones(2)}, {}, steps=2)


def test_a_loop_without_a_state_is_refused():
    values = [mg.tanh(x).named("h") for _, x in mg.steps(x=np.ones((3, 2)))]
    with pytest.raises(ValueError, match="each state"):
        jacobians(mg.fold(values), {}, {"x": np.ones((3, 2))})
