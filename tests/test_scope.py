"""Scopes and steps: they mark nodes and never leak."""

import threading

import numpy as np
import pytest

import minigrad as mg
from minigrad.nn.cells import Elman
from minigrad.nn.recurrent import unroll
from minigrad.scope import ROOT, current, line_of


def path(t):
    return [name for name, *_ in t.node.scope.path]


def test_a_scope_marks_what_its_block_records():
    x = mg.tensor(1.0, name="x")
    with mg.scope("encoder"), mg.scope("cell"):
        y = x + 1
    z = x + 1
    assert path(y) == ["encoder", "cell"]
    assert path(z) == []


def test_namesakes_are_numbered():
    x = mg.tensor(1.0, name="x")
    with mg.scope("outer"):
        paths = []
        for _ in range(2):
            with mg.scope("cell"):
                paths.append((x + 1).node.scope.path)
    assert [p[-1] for p in paths] == [("cell", 0), ("cell", 1)]


def test_slots_number_the_nodes_of_one_entry():
    xs = np.ones((3, 2))
    slots = []
    for _, x in mg.steps(xs):
        slots.append([(x * 2).node.slot, (x * 3).node.slot])
    assert slots[0] == slots[1] == slots[2]


def test_an_exception_restores_the_scope():
    with pytest.raises(ZeroDivisionError), mg.scope("a"):
        raise ZeroDivisionError
    assert current.get() is ROOT


def test_an_exception_in_a_step_restores_the_scope():
    def run():
        for _ in mg.steps(3):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run()
    assert current.get() is ROOT


def test_an_exception_that_is_kept_does_not_bring_its_scope_back():
    def run():
        with mg.scope("cell"):
            for _ in mg.steps(3):
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as kept:
        run()
    assert current.get() is ROOT
    # With the traceback goes the loop, and with the loop its reset.
    del kept
    assert current.get() is ROOT


def test_break_out_of_steps_restores_the_scope():
    for t in mg.steps(10):
        if t == 3:
            break
    x = mg.tensor(1.0, name="x") + 1
    assert x.node.time is None
    assert current.get() is ROOT


def test_return_out_of_steps_restores_the_scope():
    def first():
        for _, x in mg.steps(np.ones((3, 1))):
            return x

    assert first().node.t == 1
    assert (mg.tensor(1.0, name="x") + 1).node.time is None


def test_loops_in_loops_keep_the_outer_time():
    seen = []
    x = mg.tensor(1.0, name="x")
    for _ in mg.steps(2):
        for _ in mg.steps(3):
            seen.append((x + 1).node.t)
        seen.append((x * 1).node.t)
    assert seen == [1, 1, 1, 1, 2, 2, 2, 2]
    assert (x + 1).node.t is None


def test_another_thread_has_its_own_scope():
    seen = []

    def work():
        seen.append(current.get().path)

    with mg.scope("main only"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert seen == [()]


def test_steps_hand_out_named_sequences():
    rows = list(mg.steps(x=np.arange(6.0).reshape(3, 2), y=np.arange(3.0)))
    assert [t for t, *_ in rows] == [1, 2, 3]
    assert [x.node.label for _, x, _ in rows] == ["x(1)", "x(2)", "x(3)"]
    assert [y.item() for *_, y in rows] == [0.0, 1.0, 2.0]


def test_reverse_runs_from_the_last_step():
    assert [(t, x.item()) for t, x in mg.steps(np.arange(3.0), reverse=True)] == [
        (3, 2.0),
        (2, 1.0),
        (1, 0.0),
    ]


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: mg.steps(), TypeError, "takes a number of steps or sequences"),
        (lambda: mg.steps([1.0], [2.0]), TypeError, r"mg\.steps\(x=xs, y=ys\)"),
        (lambda: mg.steps(x=[1.0], y=[1.0, 2.0]), ValueError, "{'x': 1, 'y': 2}"),
        (lambda: mg.steps(np.ones(())), ValueError, "time must be its first axis"),
        (lambda: mg.steps(np.ones((0, 2))), ValueError, "has no steps"),
        (lambda: mg.steps(3, y=np.ones(3)), ValueError, "its first axis"),
        (lambda: mg.steps([mg.tensor(1.0), 2.0]), TypeError, "mixes Tensors"),
    ],
)
def test_misuse_of_steps_is_taught(call, error, said):
    with pytest.raises(error, match=said):
        list(call())


def test_a_list_has_the_clock_of_the_loop_that_made_it_in_order():
    def clock_of(sequence):
        return {(h + 1).node.time[0] for _, h in mg.steps(sequence)}

    xs = np.arange(3.0)
    first = [x + 1 for _, x in mg.steps(xs)]
    other = [x + 1 for _, x in mg.steps(xs + 1)]
    (clock,) = {h.node.time[0] for h in first}
    assert clock_of(first) == {clock}
    for mixed in (
        first[::-1],
        [*first[:1], *other[1:]],
        [x * 2 for x in map(mg.tensor, xs)],
    ):
        assert clock not in clock_of(mixed)


def test_layers_over_one_sequence_share_a_clock():
    xs = mg.tensor(np.ones((3, 2)), name="xs")
    first = [x * 2 for _, x in mg.steps(xs)]
    second = [h * 3 for _, h in mg.steps(first)]
    backwards = [x * 2 for _, x in mg.steps(xs, reverse=True)]
    clocks = {h.node.time[0] for h in (*first, *second, *backwards)}
    assert len(clocks) == 1
    other = [x for _, x in mg.steps(np.ones((3, 2)))]
    assert other[0].node.time[0] not in clocks


def test_a_loop_has_at_least_one_step():
    with pytest.raises(ValueError, match="at least one step, got 0"):
        list(mg.steps(0))
    with pytest.raises(ValueError, match="a number of steps is an int"):
        list(mg.steps(3.0))


def nothing_is_open():
    return current.get() is ROOT and (mg.tensor(1.0, name="x") + 1).node.time is None


def cells():
    rng = np.random.default_rng(0)
    return [Elman(2, 3, rng=rng) for _ in "ab"]


def test_next_on_a_loop_teaches_and_opens_no_step():
    xs = np.ones((3, 1, 2))
    for loop in (mg.steps(x=xs), unroll(cells()[0], xs)):
        with pytest.raises(TypeError, match=r"for t, x in .*xs\[0\]"):
            next(loop)
        assert nothing_is_open()


def test_a_loop_that_is_kept_after_a_break_leaves_no_step_open():
    xs = np.ones((3, 1, 2))
    for loop in (mg.steps(x=xs), unroll(cells()[0], xs)):
        for _ in loop:
            break
        assert nothing_is_open()
        assert [t for t, *_ in loop] == [1, 2, 3]
        assert nothing_is_open()


def test_a_first_value_peeked_at_leaves_no_step_open():
    t, x = next(iter(mg.steps(np.ones((3, 2)))))
    assert (t, x.node.t) == (1, 1)
    assert nothing_is_open()


def test_an_exception_in_a_kept_loop_leaves_no_step_open():
    loop, kept = mg.steps(3), []
    try:
        for _ in loop:
            raise KeyError
    except KeyError as error:
        kept.append(error)
    assert nothing_is_open()


@pytest.mark.parametrize("length", [1, 3])
def test_two_loops_that_take_turns_are_an_error_with_both_lines(length):
    a, b = cells()
    xs = np.ones((length, 1, 2))
    pairs = [
        lambda: zip(unroll(a, xs), unroll(b, xs), strict=True),
        lambda: zip(mg.steps(x=xs), mg.steps(y=xs), strict=True),
        lambda: zip(unroll(a, xs), mg.steps(y=xs), strict=False),
    ]
    for pair in pairs:
        with pytest.raises(RuntimeError, match=r"mg\.steps\(x=xs, y=ys\)") as error:
            for _ in pair():
                pass
        assert str(error.value).count("test_scope.py:") == 2
        assert nothing_is_open()


def test_a_loop_beside_a_list_is_no_turn_taking():
    for (t, x), k in zip(mg.steps(np.ones((3, 2))), "abc", strict=True):
        assert (x * 1).node.t == t == "abc".index(k) + 1
    assert nothing_is_open()


def test_a_scope_left_open_in_a_step_is_named():
    steps = iter(mg.steps(2))
    next(steps)
    block = mg.scope("cell")
    block.__enter__()
    with pytest.raises(RuntimeError, match="scope 'cell'"):
        next(steps)
    assert nothing_is_open()


def test_a_loop_that_goes_on_in_another_thread_is_an_error():
    steps, errors = iter(mg.steps(3)), []
    next(steps)

    def work():
        try:
            next(steps)
        except RuntimeError as error:
            errors.append(str(error))
        errors.append(current.get() is ROOT)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert "another thread" in errors[0]
    assert errors[1]
    current.set(ROOT)


def test_a_scope_may_be_entered_again_and_inside_of_itself():
    cell = mg.scope("cell")
    paths = []
    for _ in range(2):
        with cell, cell:
            paths.append(current.get().path[-2:])
    assert [[name for name, _ in p] for p in paths] == [["cell", "cell"]] * 2
    assert paths[0] != paths[1]
    assert current.get() is ROOT
    with pytest.raises(TypeError, match="a scope's name is a str, got int"):
        mg.scope(3)


@pytest.mark.parametrize("given", [2.5, np.float64(2)])
def test_a_number_of_steps_is_whole(given):
    with pytest.raises(
        ValueError, match=r"a number of steps is an int, .* number, .*2"
    ):
        mg.steps(given)


def test_lines_are_kept_again_and_inside_of_the_same_block():
    block = mg.keep_lines()

    def kept():
        for _ in mg.steps(1):
            x = mg.tensor(1.0)
        return line_of(x.node.scope, x.node.slot)

    for _ in range(2):
        with block:
            with block:
                assert kept()
            assert kept()
        assert kept() is None
