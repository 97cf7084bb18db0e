"""The ops view: every operation, buses, scopes as boxes, order, scale (check 4)."""

import time

import numpy as np
import pytest

import minigrad as mg
from minigrad.draw import draw
from minigrad.graph import Past
from tests.draw import networks
from tests.draw.corpus import recorded
from tests.draw.networks import NETWORKS, UNTIMED


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
    assert sum(w.startswith("lstm1 → ") for w in words) == 3
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


@pytest.mark.parametrize("name", UNTIMED)
def test_every_node_and_edge_of_a_graph_without_time_is_drawn_upwards(name):
    graph = mg.Graph(UNTIMED[name]())
    figure = draw(graph, view="ops", engine="pure")
    scene = figure.scene
    assert len(scene.nodes) == len(graph.nodes)
    assert len(scene.edges) == sum(len(n.inputs) for n in graph.nodes)
    assert all(scene.node(e.tail).y < scene.node(e.tip).y for e in scene.edges)
    assert figure.audit() == []


@pytest.mark.parametrize(("delay", "kind"), [(1, "delay"), (-1, "value")])
def test_what_is_the_past_of_a_line_is_a_square_between_it_and_its_reader(delay, kind):
    before = mg.tensor(1.0, name="h(t-1)")
    first = before * 2.0
    h = mg.tanh(first + 1.0).named("h(t)")
    before.node.value = Past((), "float64", h.node, delay)
    scene = draw(h, engine="pure").scene
    (square,) = [n for n in scene.nodes if n.shape == "square"]
    (into,) = [e for e in scene.edges if e.tip == square.id]
    (out,) = [e for e in scene.edges if e.tail == square.id]
    line, reader = scene.node(into.tail), scene.node(out.tip)
    assert (square.kind, into.head, out.head) == (kind, False, True)
    assert reader.y < square.y < line.y
    for edge, tail, tip in ((into, line, square), (out, square, reader)):
        ends = edge.points[:: len(edge.points) - 1]
        for (x, y), node in zip(ends, (tail, tip), strict=True):
            assert abs(x - node.x) <= node.width / 2 + 1
            assert abs(y - node.y) <= node.height / 2 + 1


def test_a_line_that_reads_its_own_past_has_it_below():
    before = mg.tensor(1.0, name="h(t-1)")
    h = mg.tanh(before).named("h(t)")
    before.node.value = Past((), "float64", h.node, 1)
    figure = draw(h, engine="pure")
    (square,) = [n for n in figure.scene.nodes if n.shape == "square"]
    assert {(e.tail == square.id, e.head) for e in figure.scene.edges} == {
        (True, True),
        (False, False),
    }
    assert figure.audit() == []


def test_a_leaf_of_many_uses_has_a_bus_also_without_time():
    x, w = (mg.tensor(1.0, name=n, requires_grad=True) for n in "xw")
    y = x
    for _ in range(250):
        y = mg.tanh(y * w)
    scene = draw(y).scene
    (hub,) = [n for n in scene.nodes if n.name == "w"]
    assert hub.x < min(n.x for n in scene.nodes if n is not hub)
    assert sum(e.tail == hub.id for e in scene.edges) == 250


def test_a_random_graph_of_two_thousand_nodes_is_laid_out_in_time():
    loss = networks.random_graph()
    start = time.process_time()
    scene = draw(loss).scene
    assert time.process_time() - start < 10
    assert len(scene.nodes) == len(mg.Graph(loss).nodes)


def order(x, op):
    """What enters a box of that op, from left to right."""
    scene = draw(x, view="ops").scene
    boxes = [n for n in scene.nodes if f"{op}" in n.title]
    found = []
    for box in boxes:
        into = sorted(
            (e for e in scene.edges if e.tip == box.id), key=lambda e: e.points[-1][0]
        )
        found.append([scene.node(e.tail).name if e.tail else "" for e in into])
    return found


@pytest.mark.parametrize("op", [mg.subtract, mg.divide, mg.matmul, mg.maximum])
def test_operands_enter_in_the_order_in_which_they_are_written(op):
    W = mg.parameter(np.full((2, 2), 0.5), name="W")
    h = mg.tensor(np.full((2, 2), 0.5), name="h0")
    a, b = h, h
    for _, x in mg.steps(np.ones((3, 2, 2))):
        a = op(x, a).named("a")
        b = op(b, op(x, W).named("c")).named("b")
    commutes = op is mg.maximum
    for found in order(a, f"a: {op.name}"):
        assert commutes or found in (["x", "h0"], ["x", "a"])
    for found in order(b, f"b: {op.name}"):
        assert commutes or found in (["h0", "c"], ["b", "c"])
    for found in order(b, f"c: {op.name}"):
        assert commutes or found == ["x", "W"]
    p, q, y = (mg.tensor(np.ones((2, 2)), name=n) for n in "pqy")
    for found in order(op(op(q, p).named("d"), op(p, y)).named("e"), f"d: {op.name}"):
        assert commutes or found == ["q", "p"]


def test_boxes_say_what_was_computed():
    x = mg.tensor(np.ones((2, 8)), name="x")
    rows = x[np.array([0, 1])]
    y = mg.sum(-x[:, 0:4], axis=0) + rows[..., 4:].sum(axis=0)
    words = _words(draw(y, view="ops").scene)
    assert {"[:, 0:4]", "neg", "sum axis=0", "[·]", "[…, 4:]"} <= set(words)
    assert "−" not in words
    assert "getitem" not in words


def test_where_a_loop_begins_has_the_notation_of_the_textbook():
    scene = draw(networks.many_to_many(3), view="ops").scene
    (start,) = [n for n in scene.nodes if n.name == "h0"]
    assert _words_of(start) == "h(0)"


def test_a_scope_that_is_entered_in_two_loops_is_two_boxes():
    h = mg.tensor(np.ones(2), name="h0")
    with mg.scope("both"):
        for _ in mg.steps(2):
            h = mg.tanh(h).named("h")
        for _ in mg.steps(3):
            h = mg.exp(h).named("g")
    scene = draw(h, view="ops", depth=0).scene
    assert [n.t for n in scene.nodes if n.name == "both"] == [1, 2, 1, 2, 3]


def test_dots_stand_where_no_arrow_runs():
    graph = recorded("model dynamical-system")
    figure = draw(graph, view="ops", depth=1, steps=3)
    assert sum(node.shape == "dot" for node in figure.scene.nodes) == 3
    assert figure.audit() == []


def test_a_box_says_in_words_what_it_is():
    W = mg.parameter(np.eye(2), name="W")
    h = mg.tensor(np.ones((1, 2)), name="h0")
    for _, x in mg.steps(np.ones((2, 1, 2))):
        with mg.scope("cell"):
            h = mg.add(h @ W, x).named("h")
    scene = draw(h, view="ops").scene
    found = {node.title: node for node in scene.nodes}
    assert "W: parameter, shape (2, 2) float64, 2 uses" in found
    assert "h0: input, shape (1, 2) float64, 1 use" in found
    assert "h: add, step 2, shape (1, 2) float64, in cell" in found
    (read,) = [n for title, n in found.items() if title.startswith("x: step, step 1")]
    assert (read.shape, read.kind) == ("box", "input")


def test_operands_of_a_sum_enter_in_the_order_of_where_they_stand():
    x, y = (mg.tensor(np.ones(2), name=name) for name in "xy")
    for left, right in ((mg.exp(x), mg.tanh(y)), (mg.tanh(y), mg.exp(x))):
        scene = draw((left + right).named("s"), view="ops").scene
        (total,) = [n for n in scene.nodes if n.name == "s"]
        ends = [e for e in scene.edges if e.tip == total.id]
        tails = [scene.node(e.tail).x for e in ends]
        tips = [e.points[-1][0] for e in ends]
        assert (tails[0] < tails[1]) == (tips[0] < tips[1])


def test_a_computed_start_has_the_notation_of_one_that_is_given():
    x = mg.tensor(np.ones((1, 2)), name="z")
    h = mg.tanh(x).named("h0")
    for _ in mg.steps(3):
        h = mg.tanh(h).named("h")
    words = _words(draw(h, view="ops").scene)
    assert "tanh → h(0)" in words


def test_operands_have_places_where_their_order_means_something():
    x, y = (mg.tensor(np.ones(2), name=name) for name in "xy")
    with mg.scope("box"):
        z = (mg.exp(x) - mg.exp(y)) + x

    def places(**how):
        return sorted(
            e.place for e in draw(z, **how).scene.edges if e.place is not None
        )

    assert places(view="ops") == [0, 1]
    assert places(view="ops", depth=0) == []


def test_rows_are_as_far_apart_whatever_their_heights():
    W = mg.parameter(np.eye(2), name="W")
    nodes = draw(mg.tanh(mg.exp(W)), view="ops").scene.nodes
    low, middle, high = sorted((node.box for node in nodes), key=lambda box: box[1])
    assert low[3] - low[1] > middle[3] - middle[1] + 1
    assert middle[1] - low[3] == pytest.approx(26, abs=0.1)
    assert high[1] - middle[3] == pytest.approx(26, abs=0.1)


def test_no_number_of_an_attribute_is_cut():
    x = mg.tensor(np.zeros((2, 3)), name="o")
    y = mg.cross_entropy(x, [0, 1], ignore_index=-2147483000, reduction="none")
    (words,) = [
        "".join(run.text for run in n.lines[0])
        for n in draw(y.sum(), view="ops").scene.nodes
        if n.lines and n.lines[0][0].text == "cross_entropy"
    ]
    assert words == "cross_entropy reduction=none, …"
