"""Scopes in frames, and blocks that are alike as one."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.draw import draw
from tests.draw import networks


def block(x, k, name="block", deeper=False, named=False):
    with mg.scope(name):
        W = mg.parameter(np.full((2, 2), 0.5), name=f"W{k}")
        x = mg.relu(x @ W)
        x = x.named("r") if named else x
        return mg.tanh(x) if deeper else x


def chain(count, **odd):
    x = mg.tensor(np.ones((1, 2)), name="x")
    for k in range(count):
        x = block(x, k, **(odd if k == 2 else {}))
    return x.sum().named("L")


def words(scene):
    return [text.words for text in scene.texts]


def inside(frame, node):
    left, low, right, high = frame.box
    return left < node.x < right and low < node.y < high


@pytest.mark.parametrize("count", [3, 6])
def test_blocks_that_are_alike_stand_as_one(count):
    figure = draw(chain(count), view="ops", engine="pure")
    assert words(figure.scene) == [f"block × {count}"]
    names = {node.name for node in figure.scene.nodes}
    assert {"x", "L", "W0"} <= names
    assert "W1" not in names
    (frame,) = figure.scene.frames
    held = {n.name for n in figure.scene.nodes if inside(frame, n)}
    assert "x" not in held
    assert "L" not in held
    assert figure.audit() == []


def test_two_blocks_are_two():
    scene = draw(chain(2), view="ops").scene
    assert words(scene) == ["block", "block"]
    assert {"W0", "W1"} <= {node.name for node in scene.nodes}


@pytest.mark.parametrize("odd", [{"deeper": True}, {"name": "other"}, {"named": True}])
def test_a_block_that_differs_is_drawn(odd):
    scene = draw(chain(5, **odd), view="ops").scene
    assert not any("×" in text for text in words(scene))
    assert {f"W{k}" for k in range(5)} <= {node.name for node in scene.nodes}


def test_a_block_that_something_else_reads_is_drawn():
    x = first = block(mg.tensor(np.ones((1, 2)), name="x"), 0)
    for k in range(1, 5):
        x = block(x, k)
    scene = draw((x + first).sum(), view="ops").scene
    assert {f"W{k}" for k in range(5)} <= {node.name for node in scene.nodes}


def test_a_frame_holds_what_its_scope_made_and_nothing_else():
    scene = draw(networks.lstm(2), view="ops").scene
    graph = mg.Graph(networks.lstm(2))
    cells = [f for f in scene.frames if f.box == max(f.box for f in scene.frames)]
    assert words(scene).count("lstm1") == 2
    made = sum(any(p[0] == "lstm1" for p in n.scope.path) for n in graph.nodes)
    outer = sorted(scene.frames, key=lambda f: f.box[0] - f.box[2])[:2]
    boxes = [n for n in scene.nodes if any(inside(f, n) for f in outer)]
    assert len([n for n in boxes if n.shape == "rounded"]) == made
    assert cells


def test_the_ids_of_boxes_do_not_depend_on_the_length():
    def ids(T):
        scene = draw(networks.many_to_many(T), view="ops", steps=20).scene
        return {n.id: (n.name, n.title.split(",")[0]) for n in scene.nodes}

    short, long = ids(4), ids(9)
    assert len(short) == len(mg.Graph(networks.many_to_many(4)).nodes)
    for key, told in short.items():
        if "@" in key:
            assert long[key] == told


LONG = "encoder layer of a decoder"


def in_a_loop():
    W = mg.parameter(np.eye(2), name="W")
    h = mg.tensor(np.ones((1, 2)), name="h0")
    for _, x in mg.steps(np.ones((3, 1, 2))):
        with mg.scope(LONG):
            a = mg.tanh(h @ W) + x
            with mg.scope(LONG):
                a = mg.tanh(a) * a + a
        h = (a + h @ W).named("h")
    return h


def beside():
    x = mg.tensor(np.ones(2), name="x")
    heads = []
    for k in range(3):
        with mg.scope(f"{LONG} {k}"):
            heads.append(mg.exp(mg.tanh(mg.exp(x))))
    return heads[0] * heads[1] - heads[2]


@pytest.mark.parametrize("net", [in_a_loop, beside])
def test_a_long_name_strikes_nothing(net):
    figure = draw(net(), view="ops")
    assert figure.audit() == []
    names = [text for text in figure.scene.texts if text.kind == "faint"]
    assert len(names) == len(figure.scene.frames)
    for name, frame in zip(names, figure.scene.frames, strict=True):
        assert LONG.startswith(name.words[:-3])  # a number or an ellipsis is its end
        x0, y0, x1, y1 = name.box
        left, low, right, high = frame.box
        if y0 == pytest.approx(high, abs=0.1) or y1 == pytest.approx(low, abs=0.1):
            assert (x0 >= left - 0.1 and x1 <= right + 0.1) or x1 - x0 > right - left
        else:
            assert pytest.approx(3.0, abs=0.1) in (left - x1, x0 - right)
            assert low - 0.1 <= y0 < y1 <= high + 0.1
        for node in figure.scene.nodes:
            left, low, right, high = node.box
            assert x1 <= left or right <= x0 or y1 <= low or high <= y0


def test_two_operations_are_framed_and_one_is_not():
    x = mg.tensor(np.ones(2), name="x")
    with mg.scope("two"):
        x = mg.tanh(mg.exp(x))
    with mg.scope("one"):
        x = mg.tanh(x)
    assert words(draw(x, view="ops").scene) == ["two"]
