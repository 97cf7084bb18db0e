"""Counts, steps, values and the two ways of making one program of another."""

import numpy as np

from minigrad.compile.counts import Count, Lengths, Steps
from minigrad.compile.kinds import O
from minigrad.compile.values import (
    Program,
    Time,
    apply,
    argument,
    at,
    constant,
    each,
    moves,
    over,
    read,
    rebuild,
    resolved,
    shape_of,
    shift,
    splice,
    state,
    total,
)
from minigrad.fold.moving_index import Ahead, contains
from tests.compile.interpret import interpret

WHOLE = Steps(0, Count(0, 1), Count(1, 0))


def running_sum():
    """s(t) = s(t-1) + x(t) from s(0) = 1, its last step and all of them."""
    xs = argument("xs", (Count(1, 0), 2), "float64")
    x = read(xs, WHOLE)
    later = Steps(0, Count(0, 2), Count(1, 0))
    before = state(1, later, (2,), "float64")
    start = each(constant(np.ones(2)), Steps(0, Count(0, 1), Count(0, 1)))
    s = apply(O.add, splice((start, before)), x)
    outputs = (at(s, Count(1, 0)), over(s), total(x))
    return Program(outputs, {before: s}, (Lengths(2),), {}, {"xs": xs})


def test_a_program_says_what_it_is():
    text = str(running_sum())
    assert "state(add" in text
    assert "t = 2..T" in text
    assert text.splitlines()[-1].startswith("return at_")


def test_values_come_after_their_inputs_and_include_the_lines_of_states():
    program = running_sum()
    values = program.values
    place = {v: i for i, v in enumerate(values)}
    assert all(place[i] < place[v] for v in values for i in v.inputs)
    assert {program.states[v] for v in values if v.op is Time.state} <= set(values)


def test_the_sum_of_a_sequence():
    xs = np.arange(6.0).reshape(3, 2)
    last, every, summed = interpret(running_sum(), {"xs": xs}, {})
    np.testing.assert_array_equal(every, 1 + np.cumsum(xs, 0))
    np.testing.assert_array_equal(last, every[-1])
    np.testing.assert_array_equal(summed, xs.sum(0))


def test_rebuilding_without_a_change_keeps_every_value():
    program = running_sum()
    assert rebuild(program, lambda old, new: new).values == program.values


def test_a_shape_is_found_by_example():
    xs = argument("xs", (Count(1, 0), 3, 2), "float32")
    V = constant(np.ones((2, 5), np.float32))
    assert shape_of(O.matmul, (xs, V), {}, None) == ((Count(1, 0), 3, 5), "float32")
    flat = apply(O.reshape, xs, shape=(-1, 2))
    assert flat.shape == (Count(3, 0), 2)
    assert shape_of(O.sum, (xs,), {"axis": 0}, None) == ((3, 2), "float32")


def test_shifts_and_splices_that_are_nothing_else():
    x = read(argument("xs", (Count(1, 0), 2), "float64"), WHOLE)
    assert shift(x, 0, WHOLE) is x
    assert splice((x,)) is x


def test_what_moves_with_t_becomes_a_number():
    key = (Ahead(-1), slice(None, Count(1, 0)))
    assert moves({"key": key})
    assert contains({"key": key}, Count)
    assert not moves({"key": (0, slice(2))})
    assert resolved({"key": key}, 3, (10,), 0) == {"key": (2, slice(None, 10))}
    assert resolved([Ahead(0, from_end=True)], 3, (10,), 0) == [7]
