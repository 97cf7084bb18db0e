"""A number of steps is free where traces prove it, and nowhere else."""

import numpy as np
import pytest

import minigrad as mg

from .test_program import many_to_many, same

W = mg.parameter(np.array([[0.3, -0.2], [0.1, 0.4]]), name="W")


def counted(function):
    lengths = []

    def run(xs, *rest):
        lengths.append(len(xs))
        return function(xs, *rest)

    return mg.compile(run, strict=True), lengths


def sequence(T):
    return np.random.default_rng(T).normal(size=(T, 3, 2))


def delayed(d, start="tensor"):
    starts = {
        "tensor": lambda: mg.tensor(np.full((3, 2), 0.1), name="h0"),
        "number": lambda: 0.0,
        "parameter": lambda: W[0] * 1.0,
    }

    def run(xs):
        hs, losses = [starts[start]()] * d, []
        for _, x in mg.steps(xs):
            hs.append(mg.tanh((hs[-d] * 0.5 if start == "number" else hs[-d] @ W) + x))
            losses.append((hs[-1] * hs[-1]).sum())
        loss = mg.add_n(losses)
        return loss, mg.grad(loss, [W], unreached="zeros")

    return run


@pytest.mark.parametrize("start", ["tensor", "number", "parameter"])
@pytest.mark.parametrize("d", [2, 3, 10])
def test_a_delay_that_the_first_traces_do_not_reach(d, start):
    run = delayed(d, start)
    program = mg.compile(run, strict=True)
    for T in (2, 3, 4, 5, 6, 8, 9, 11, 12, 7, 22, 23, 40, 21, 10):
        same(program(sequence(T)), run(sequence(T)))


def test_lengths_between_those_that_were_traced_are_served():
    program, lengths = counted(delayed(3))
    for T in (8, 12, 9, 10, 11, 8, 12):
        same(program(sequence(T)), delayed(3)(sequence(T)))
    assert lengths == [8, 12]


def test_two_traces_have_at_least_twice_the_largest_delay():
    program, lengths = counted(delayed(3))
    for T in (6, 7, 6, 7, 8, 9):
        same(program(sequence(T)), delayed(3)(sequence(T)))
    assert lengths == [6, 7, 8, 9]


def test_a_call_far_beyond_the_traces_is_confirmed_once():
    step = many_to_many()
    program, lengths = counted(step)

    def data(T):
        rng = np.random.default_rng(T)
        return rng.normal(size=(T, 2, 3)), rng.integers(5, size=(T, 2))

    for T in (6, 8, 32, 33, 40, 132):
        same(program(*data(T)), step(*data(T)))
    assert lengths == [6, 8, 33]


def test_each_loop_has_to_have_had_two_lengths():
    def run(xs, ys):
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        for _, x in mg.steps(xs):
            h = mg.tanh(h @ W + x)
        g = h
        for _, y in mg.steps(y=ys):
            g = mg.tanh(g @ W + y)
        return g.sum() / len(ys)

    program = mg.compile(run, strict=True)
    for T, S in ((6, 5), (8, 5), (9, 7), (7, 6), (4, 9), (9, 4)):
        same(program(sequence(T), sequence(S)), run(sequence(T), sequence(S)))


def middle_state(hs):
    return hs[len(hs) // 2].sum()


def later_half(hs):
    return mg.stack(hs[len(hs) // 2 :]).sum()


@pytest.mark.parametrize("read", [middle_state, later_half])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("recurrent", [False, True])
def test_steps_in_the_middle_are_not_counted_from_an_end(read, reverse, recurrent):
    def run(xs):
        h, hs = mg.tensor(np.full((3, 2), 0.1), name="h0"), []
        for _, x in mg.steps(xs, reverse=reverse):
            h = mg.tanh(h @ W + x) if recurrent else x * W[0]
            hs.append(h)
        return read(hs)

    compiled = mg.compile(run, strict=True)
    for T in (6, 7, 8, 9, 13, 14, 15, 30, 31):
        same([compiled(sequence(T))], [run(sequence(T))])


def test_after_a_length_was_another_program_longer_ones_are_traced():
    def run(xs):
        h = mg.tensor(np.full((3, 2), 0.1), name="h0")
        for _, x in mg.steps(xs):
            h = mg.tanh(h @ W + x)
        return h * (2.0 if len(xs) > 20 else 1.0)

    compiled = mg.compile(run, strict=True)
    for T in (5, 6, 25, 22, 12):
        same([compiled(sequence(T))], [run(sequence(T))])
