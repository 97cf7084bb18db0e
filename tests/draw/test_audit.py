"""Geometry of every view on the engines' own output (checks 10-14)."""

import shutil
from dataclasses import replace

import pytest

import minigrad as mg
from minigrad.draw import Figure, draw
from minigrad.draw.page.curves import straight
from minigrad.draw.page.scene import Edge, Node, Run, Text, arranged
from tests.draw import networks
from tests.draw.networks import NETWORKS, UNTIMED

ENGINES = ["pure"] + ["dot"] * bool(shutil.which("dot"))
WAYS = [
    {},
    {"steps": 3},
    {"view": "folded", "shapes": True},
    {"view": "unfolded", "params": "node", "biases": True},
    {"view": "backward", "biases": True},
    {"view": "ops", "shapes": True},
    {"index": "symbolic", "caption": "A caption\nof two lines"},
    {"overlay": "grad"},
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_touches_what_it_should_not(name, way, engine):
    assert draw(NETWORKS[name](9), **way, engine=engine).audit() == []


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", UNTIMED)
def test_graphs_without_time_are_clean_too(name, engine):
    assert draw(UNTIMED[name](), engine=engine, shapes=True).audit() == []


@pytest.mark.parametrize("depth", [0, 1, None])
def test_a_stacked_lstm_at_every_depth(depth):
    figure = draw(networks.lstm(3, 2), view="ops", depth=depth, engine="pure")
    assert figure.audit() == []


@pytest.mark.parametrize("engine", ENGINES)
def test_planted_faults_are_all_found(engine):
    label = ((Run("W", "bold", 18),),)
    wide = ((Run("much too wide", "bold", 18),),)
    nodes = [
        Node("a", 0, 0, 46, 46),
        Node("b", 40, 0, 46, 46),
        Node("c", 200, 0, 46, 46, wide),
        Node("d", 300, 0, 46, 46),
        Node("e", 400, 0, 46, 46),
    ]
    through = Edge("c", "e", straight((223, 0), (377, 0)))
    clean = Edge("", "", straight((500, 0), (600, 0)))
    texts = [
        Text(200, 100, label),
        Text(205, 100, label),
        Text(550, 0, label),
        Text(400, 20, label),
    ]
    found = Figure(arranged(nodes, [through, clean], texts), engine=engine).audit()
    assert {fault.what for fault in found} == {
        "node on node",
        "text outside",
        "arrow through node",
        "label on label",
        "arrow on label",
        "label on node",
    }


def test_a_label_moved_onto_its_arrow_is_found():
    figure = draw(networks.many_to_many(3), engine="pure")
    (first, *_) = [t for t in figure.scene.texts if t.words == "U"]
    texts = tuple(
        replace(t, x=t.x - 12) if t is first else t for t in figure.scene.texts
    )
    moved = replace(figure, scene=replace(figure.scene, texts=texts))
    assert [fault.what for fault in moved.audit()] == ["arrow on label"]


def test_the_gradient_graph_is_clean():
    loss = networks.many_to_one(3)
    wrt = mg.Graph(loss).parameters
    gradients = mg.grad(loss, [mg.Tensor(n) for n in wrt], create_graph=True)
    assert draw([loss, *gradients], view="ops", engine="pure").audit() == []
