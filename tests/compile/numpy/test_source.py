"""Names and literals of the source, whatever the user's names are."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.compile.numpy.source import Names, identifier, views

HARD = ["i", "j", "t", "T", "w", "np", "zip", "range", "views", "add", "tanh", "lambda"]


def test_entries_can_be_written_to():
    for shape in [(3,), (3, 2), (3, 1, 2)]:
        array = np.zeros(shape)
        for k, entry in enumerate(views(array)):
            entry[...] = k
        assert array.reshape(3, -1)[:, 0].tolist() == [0, 1, 2]


def test_a_name_is_free_and_can_be_used():
    taken: set[str] = set()
    for name in [*HARD, "h", "h", "ŷ", "h(3)", "a b"]:
        found = identifier(name, taken)
        assert found.isidentifier()
        assert found not in taken
        taken.add(found)
    assert not taken & {"np", "w", "t", "zip", "lambda"}


def test_names_go_on_where_they_ended_and_pass_over_what_is_taken():
    names = Names(["h", "h_3"])
    assert [names.new("h") for _ in range(3)] == ["h_2", "h_4", "h_5"]
    assert [names.new("np"), names.new("np")] == ["np_1", "np_2"]
    assert names.new("h_5") == "h_5_2"
    assert names == {"h", "np_1", "np_2", "h_5_2", *(f"h_{k}" for k in range(2, 6))}


@pytest.mark.parametrize("name", HARD)
def test_any_name_may_be_a_parameter_s_an_input_s_or_a_value_s(name):
    W = mg.parameter(np.array([[0.5, 0.1], [0.2, 0.3]]), name=name)

    def step(xs):
        h = mg.tensor(np.zeros((3, 2)), name=f"{name}0")
        for _, x in mg.steps(x=xs):
            h = mg.tanh(x + h @ W).named(name)
        return (h * h).sum(), mg.grad((h * h).sum(), [W])

    compiled = mg.compile(step, strict=True)
    for T in (5, 6, 8):
        xs = np.random.default_rng(T).normal(size=(T, 3, 2))
        loss, (g,) = compiled(xs)
        wanted, (e,) = step(xs)
        np.testing.assert_allclose(loss.data, wanted.data)
        np.testing.assert_allclose(g.data, e.data)


@pytest.mark.parametrize("key", [-1, (..., -1), (0,), (-1, ...)])
def test_a_number_of_a_step_that_is_kept_is_a_look_and_no_copy(key):
    b = mg.parameter(np.array([0.7, 0.2]), name="b")

    def net(xs):
        h = mg.tensor(np.zeros(2))
        for x in xs:
            z = mg.tanh(h + x * h[key])
            h = mg.sin(z * z[key] + b)
            last = h[key]
        return last + 1, h

    compiled = mg.compile(lambda xs: net([x for _, x in mg.steps(xs)]), strict=True)
    for T in (2, 3, 9):
        xs = np.random.default_rng(T).normal(size=T)
        for found, wanted in zip(compiled(xs), net(xs), strict=True):
            np.testing.assert_allclose(found.data, wanted.data)
