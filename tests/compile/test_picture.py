"""The drawing of a program: each loop a scope, with what it reads of other steps."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.compile.picture import circuit
from minigrad.compile.rules import for_numpy

from .test_program import data, many_to_many
from .traces import NETWORKS, Trace, network


def test_lines_of_a_loop_read_what_the_steps_before_have_made():
    trace = Trace(many_to_many(), *data(8))
    graph = circuit(for_numpy(trace.program()))
    inside = {n.name for n in graph.nodes if n.scope.path}
    assert inside >= {"tanh(t)", "tanh(t-1)", "dot(t)", "dot(t+1)"}
    (h,) = [n for n in graph.nodes if n.name == "matmul(t)"]
    assert {i.name for i in h.inputs} == {"h0", "tanh(t-1)", "W"}
    (g,) = [
        n for n in graph.nodes if n.name == "add(t)" and "back" in n.scope.path[0][0]
    ]
    assert any(i.name == "dot(t+1)" for i in g.inputs)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_can_be_drawn(name):
    step, arrays = network(name)
    graph = circuit(for_numpy(Trace(step, *arrays(6)).program()))
    assert {n.kind for n in graph.nodes} >= {"parameter", "op"}
    assert mg.draw(graph, depth=0).dot


def test_values_are_not_in_the_picture():
    trace = Trace(lambda x: x * 2.0, np.ones(3))
    graph = circuit(trace.program())
    assert [n.value.shape for n in graph.nodes if n.inputs] == [(3,)]
