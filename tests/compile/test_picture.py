"""The drawing of a program: each loop a scope, with what it reads of other steps."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.compile.picture import circuit
from minigrad.compile.rules import for_numpy
from minigrad.compile.schedule import Loop, own_states, schedule
from minigrad.compile.values import Time
from minigrad.graph import Past

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


def carried(program):
    """The lines of a program that its loops hand on, and how many steps."""
    loops = [p for p in schedule(own_states(program)) if isinstance(p, Loop)]
    found, looks = (
        set(),
        [(line, v.attrs["delay"]) for v, line in program.states.items()],
    )
    while looks:
        v, delay = looks.pop()
        if isinstance(v.op, Time) and v.op is not Time.total:
            past = [program.states[v]] if v.op is Time.state else v.inputs
            looks += [(i, delay + v.attrs.get("delay", 0)) for i in past]
        elif any(v in loop.whole for loop in loops):
            found.add(((v.name or v.op.name).partition("@")[0], v.shape, delay))
    return found


@pytest.mark.parametrize("name", NETWORKS)
def test_what_a_loop_carries_leads_back_through_a_delay_square(name):
    step, arrays = network(name)
    program = own_states(for_numpy(Trace(step, *arrays(6)).program()))
    graph = circuit(program)
    past = [n for n in graph.nodes if isinstance(n.value, Past)]
    said = {(n.value.line.name, n.value.shape, n.value.delay) for n in past}
    assert said == {(f"{line}(t)", *rest) for line, *rest in carried(program)}
    assert all(n.value.line in graph.nodes for n in past)
    scene = mg.draw(graph).scene
    squares = {n.id: n for n in scene.nodes if n.shape == "square"}
    assert len(squares) == len(past)
    for key, square in squares.items():
        (into,) = [e for e in scene.edges if e.tip == key]
        line = square.name.rpartition("(")[0]
        assert f"{line}(t)" in "".join(r.text for r in scene.node(into.tail).lines[0])
        out = [e for e in scene.edges if e.tail == key]
        assert out
        assert all(e.head for e in out)
        assert {e.kind for e in [into, *out]} == {"recurrence"}


def test_a_loop_as_one_box_leads_back_to_itself():
    graph = circuit(for_numpy(Trace(many_to_many(), *data(8)).program()))
    scene = mg.draw(graph, depth=0).scene
    squares = [n for n in scene.nodes if n.shape == "square"]
    assert [n.kind for n in squares] == ["delay", "value"]  # back, and ahead
    for square in squares:
        (into,) = [e for e in scene.edges if e.tip == square.id]
        assert {e.tip for e in scene.edges if e.tail == square.id} == {into.tail}
