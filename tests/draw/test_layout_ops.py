"""The ops view: every operation, buses, scopes as boxes, scale (check 4)."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.draw import draw
from tests.draw import networks
from tests.draw.networks import NETWORKS


def boxes(scene):
    return [n for n in scene.nodes if n.shape != "dot"]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_node_and_every_edge_is_drawn_once(name):
    loss = NETWORKS[name](4)
    graph = mg.Graph(loss)
    scene = draw(loss, view="ops").scene
    assert len(boxes(scene)) == len(graph.nodes)
    assert len(scene.edges) == sum(len(n.inputs) for n in graph.nodes)
    assert scene.elided == 0


@pytest.mark.parametrize(
    ("name", "uses"), [("many_to_many", "UWVbc"), ("many_to_one", "UW")]
)
def test_a_parameter_has_one_drop_per_step(name, uses):
    scene = draw(NETWORKS[name](5), view="ops").scene
    for parameter in uses:
        (box,) = [n for n in scene.nodes if n.name == parameter]
        assert sum(e.tail == box.id for e in scene.edges) == 5
    if name == "many_to_one":
        for parameter in "Vc":
            (box,) = [n for n in scene.nodes if n.name == parameter]
            assert sum(e.tail == box.id for e in scene.edges) == 1


def test_the_middle_of_long_loops_is_left_out():
    loss = networks.many_to_many(30)
    scene = draw(loss, view="ops", steps=5).scene
    texts = [t.words for t in scene.texts]
    assert {"t = 1", "t = 3", "t = 29", "t = 30", "25 more steps"} <= set(texts)
    recorded = sum(len(n.inputs) for n in mg.Graph(loss).nodes)
    stubs = sum("" in (e.tail, e.tip) for e in scene.edges)
    assert len(scene.edges) - stubs + scene.elided == recorded


def test_scopes_become_boxes():
    loss = networks.lstm(3, layers=2)
    deep = draw(loss, view="ops").scene
    gates = draw(loss, view="ops", depth=1).scene
    cells = draw(loss, view="ops", depth=0).scene
    assert len(boxes(deep)) > len(boxes(gates)) > len(boxes(cells))
    words = ["".join(r.text for r in n.lines[0]) for n in cells.nodes]
    assert sum(w.startswith("lstm1 →") for w in words) == 3
    assert sum(w == "gate" for w in _words(gates)) == 3 * 2 * 4
    assert not any(w == "gate" for w in _words(cells))


def _words(scene):
    return ["".join(r.text for r in n.lines[0]) for n in scene.nodes if n.lines]


def test_rows_are_level_over_the_steps():
    scene = draw(networks.many_to_many(5), view="ops").scene
    for word in ("tanh", "cross_entropy"):
        named = [n for n in boxes(scene) if _words_of(n).startswith(word)]
        assert len(named) == 5
        assert len({n.y for n in named}) == 1


def _words_of(node):
    return "".join(run.text for run in node.lines[0])


def test_two_hundred_steps():
    scene = draw(networks.many_to_many(200), view="ops", steps=200).scene
    assert len(boxes(scene)) == len(mg.Graph(networks.many_to_many(200)).nodes)


def test_the_same_operand_twice_has_two_arrows():
    x = mg.tensor([2.0], name="x")
    for _ in mg.steps(2):
        x = (x * x).named("x")
    scene = draw(x, view="ops").scene
    assert len(scene.edges) == 4
    assert len({e.points for e in scene.edges}) == 4


def test_the_box_of_a_scope_may_read_a_leaf_that_is_younger_than_it():
    x = mg.tensor(np.ones(2), name="x")
    with mg.scope("inner"):
        y = x * 2 + mg.tensor(np.ones(2), name="young")
        for _ in mg.steps(3):
            y = mg.tanh(y).named("h")
    figure = draw(y, view="ops", depth=0, engine="pure")
    assert {"x", "young"} <= {n.name for n in figure.scene.nodes}
    assert figure.audit() == []
