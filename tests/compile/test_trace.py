"""A function is recorded once, gradients too, and folded."""

from collections import namedtuple

import numpy as np
import pytest

import minigrad as mg
from minigrad.compile.trace import Given, folded, record
from minigrad.graph import Graph
from minigrad.mode import TraceError, current_mode
from minigrad.scope import ROOT, current

Pair = namedtuple("Pair", "xs ys")


def test_arguments_are_tensors_that_know_their_position():
    xs, ys = np.ones((3, 2)), np.zeros((3, 2))
    kept = []

    def function(pair, scale):
        kept.append(pair)
        return {"sum": pair.xs + pair.ys * scale, "scale": scale}

    trace = record(function, Given((Pair(xs, ys),), {"scale": 2.0}, [xs, ys]))
    assert [trace.positions[t.node] for t in kept[0]] == [0, 1]
    assert [t.node.op.name for t in trace.results] == ["add"]
    found = trace.rebuild(iter([mg.tensor(1.0)]))
    assert (found["sum"].item(), found["scale"]) == (1.0, 2.0)


def test_what_it_was_in_before_is_there_again():
    with pytest.raises(ZeroDivisionError):
        record(lambda: 1 / 0, Given((), {}, []))
    assert current.get() is ROOT
    assert current_mode.get().name == "RECORD"


def test_a_changed_argument_is_refused():
    xs = np.ones(2)
    with pytest.raises(TraceError, match="changes a list"):
        record(lambda given: given.append(1), Given(([xs],), {}, [xs]))


def test_a_state_that_changes_its_shape_does_not_fold():
    xs = np.ones((4, 3, 2))

    def function(xs):
        h = mg.tensor(np.zeros((1, 2)), name="h0")
        for _, x in mg.steps(xs):
            h = (h + x).sum(axis=0, keepdims=True) if x.node.t == 2 else h + x
        return h

    trace = record(function, Given((xs,), {}, [xs]))
    assert isinstance(folded(Graph(trace.results)), str)


def test_a_name_that_one_step_has_is_no_difference():
    xs = np.ones((4, 2))

    def function(xs):
        h = mg.tensor(np.zeros(2), name="h0")
        for t, x in mg.steps(xs):
            h = mg.tanh(h + x)
            if t == 3:
                h.named("third")
        return h

    trace = record(function, Given((xs,), {}, [xs]))
    assert folded(Graph(trace.results)).lengths == (4,)
