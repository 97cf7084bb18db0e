"""Looks at values: their roots, delays and views, and who reads them until when."""

import numpy as np

import minigrad as mg
from minigrad.compile.looks import Looks, Trace
from minigrad.compile.numpy.abilities import ABLE
from minigrad.compile.schedule import own_states, schedule
from minigrad.compile.values import Time

from .traces import Trace as Recorded

W = mg.parameter(np.eye(4) / 2, name="W")


def looks(function, T=5):
    xs = np.random.default_rng(0).normal(size=(T, 3, 2))
    program = own_states(Recorded(function, xs).program())
    return Looks(program, schedule(program), ABLE), program


def gated(xs):
    z = mg.tensor(np.zeros((3, 4)), name="z0")
    for _, x in mg.steps(x=xs):
        z = mg.tanh(z @ W).named("z")
        z = mg.concatenate([z[:, :2] * x, z[:, 2:]], axis=1).named("joined")
    return z


def test_a_view_has_the_root_of_what_it_looks_at():
    found, program = looks(gated)
    z = next(v for v in program.values if v.name == "z")
    views = [v for v in program.values if v.op.name == "getitem"]
    for view in views:
        assert found.trace(view) == Trace(z, 0, (view,))
    assert found.trace(z) == Trace(z)


def test_a_state_is_its_line_some_steps_back():
    found, program = looks(gated)
    (past,) = program.states
    assert found.trace(past) == Trace(program.states[past], 1)
    (splice,) = [v for v in program.values if v.op is Time.splice]
    assert found.trace(splice) == found.trace(past)  # the start is a cell of the line
    assert [step.b for _, step in found.cells] == [0]


def test_what_is_the_same_at_every_step_has_no_root():
    found, program = looks(gated)
    every = next(v for v in program.values if v.op is Time.each)
    assert found.trace(every).root is None
    assert found.trace(every).untimed is every.inputs[0]


def test_an_output_is_read_to_the_end():
    found, program = looks(gated)
    (last,) = program.outputs
    assert found.last[last] == len(found.parts)
