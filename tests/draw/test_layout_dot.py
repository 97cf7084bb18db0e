"""Graphs without time, and graphs too large for dot as they are."""

import time

import pytest

import minigrad as mg
from minigrad.draw import LayoutTimeout, draw
from minigrad.draw.ops.layout_dot import large
from minigrad.graph import Past
from tests.draw import networks
from tests.draw.networks import UNTIMED


@pytest.mark.parametrize("name", UNTIMED)
def test_every_node_and_edge_is_drawn(name):
    graph = mg.Graph(UNTIMED[name]())
    scene = draw(graph).scene
    assert not scene.placed
    assert len(scene.nodes) == len(graph.nodes)
    assert len(scene.edges) == sum(len(n.inputs) for n in graph.nodes)


def test_inputs_stand_below_what_reads_them():
    figure = draw(networks.mlp(), engine="pure")
    at = {n.id: n.y for n in figure._ready.nodes}
    assert all(at[e.tail] < at[e.tip] for e in figure.scene.edges)


@pytest.mark.parametrize(("delay", "kind"), [(1, "delay"), (-1, "value")])
def test_what_is_the_past_of_a_line_is_a_square_between_it_and_its_reader(delay, kind):
    before = mg.tensor(1.0, name="h(t-1)")
    first = before * 2.0
    h = mg.tanh(first + 1.0).named("h(t)")
    before.node.value = Past((), "float64", h.node, delay)
    ready = draw(h, engine="pure")._ready
    (square,) = [n for n in ready.nodes if n.shape == "square"]
    (into,) = [e for e in ready.edges if e.tip == square.id]
    (out,) = [e for e in ready.edges if e.tail == square.id]
    line, reader = ready.node(into.tail), ready.node(out.tip)
    assert (square.kind, into.head, out.head) == (kind, False, True)
    assert reader.y < square.y < line.y
    for edge, tail, tip in ((into, line, square), (out, square, reader)):
        for (x, y), node in zip(
            edge.points[:: len(edge.points) - 1], (tail, tip), strict=True
        ):
            assert abs(x - node.x) <= node.width / 2 + 1
            assert abs(y - node.y) <= node.height / 2 + 1


def test_hubs_of_a_large_graph_are_added_last():
    x, w = (mg.tensor(1.0, name=n, requires_grad=True) for n in "xw")
    y = x
    for _ in range(250):
        y = mg.tanh(y * w)
    figure = draw(y, engine="pure")
    assert large(figure.scene)
    ready = figure._ready
    (hub,) = [n for n in ready.nodes if n.name == "w"]
    others = [n.x for n in ready.nodes if n is not hub]
    assert hub.x < min(others)
    assert sum(e.tail == hub.id for e in ready.edges) == 250


def test_a_random_graph_of_two_thousand_nodes_ends(monkeypatch):
    """In time or not, it ends, and says what to do."""
    figure = draw(networks.random_graph(), engine="pure")
    assert figure.dot.startswith("digraph")
    monkeypatch.setenv("MINIGRAD_DOT_TIMEOUT", "1")
    start = time.monotonic()
    with pytest.raises(LayoutTimeout, match=r"steps=.*depth="):
        figure.svg()
    assert time.monotonic() - start < 10
