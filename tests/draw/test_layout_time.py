"""The textbook views: what is drawn is what was recorded (checks 1-3, 5-9, 15, 16)."""

import os
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import minigrad as mg
from minigrad.draw import draw
from minigrad.fold import FoldError, contract, fold
from tests.draw import networks
from tests.draw.networks import NETWORKS


def outlines(scene, part=None):
    shapes = [n for n in scene.nodes if n.shape not in ("text", "dot")]
    return shapes if part is None else [n for n in shapes if n.part == part]


def arrows(scene, source, target, part="unfolded"):
    name = {n.id: n.name for n in scene.nodes}
    found = [(name.get(e.tail), name.get(e.tip)) for e in scene.edges if e.part == part]
    return found.count((source, target))


def labels(scene, word):
    return [t.words for t in scene.texts].count(word)


def test_three_steps_of_many_to_many():
    scene = draw(networks.many_to_many(3)).scene
    folded = outlines(scene, "folded")
    assert sorted(n.name for n in folded if n.shape == "circle") == sorted("xhoLy")
    assert [n.kind for n in folded if n.shape == "square"] == ["delay"]
    columns = outlines(scene, "unfolded")
    assert len(columns) == 16
    assert [n.id for n in columns if n.dashed] == ["h0"]
    for source, target, count in (
        ("x", "h", 3),
        ("h", "h", 2),
        ("h0", "h", 1),
        ("h", "o", 3),
        ("o", "L", 3),
        ("y", "L", 3),
    ):
        assert arrows(scene, source, target) == count
    assert sum(e.part == "unfolded" for e in scene.edges) == 15
    assert [labels(scene, letter) for letter in "UWV"] == [4, 4, 4]


def test_output_feedback_has_no_arrow_between_hidden_values():
    scene = draw(networks.output_feedback(5)).scene
    assert arrows(scene, "h", "h") == 0
    assert arrows(scene, "o", "h") == 4
    assert arrows(scene, "o0", "h") == 1
    (square,) = [n for n in scene.nodes if n.kind == "delay"]
    (into,) = [e for e in scene.edges if e.tip == square.id]
    (out,) = [e for e in scene.edges if e.tail == square.id]
    assert (scene.node(into.tail).name, scene.node(out.tip).name) == ("o", "h")


def test_many_to_one_reads_out_at_the_last_step_only():
    scene = draw(networks.many_to_one(20)).scene
    for name in "oLy":
        assert [n.t for n in outlines(scene, "unfolded") if n.name == name] == [20]
    (v,) = [e for e in scene.edges if e.part == "folded" and e.parameters == ("V",)]
    assert v.dashed
    assert "only t = 20" in [t.words for t in scene.texts]


@pytest.mark.parametrize("kind", ["many_to_many", "output_feedback", "many_to_one"])
@pytest.mark.parametrize("length", [1, 2, 5, 50])
def test_what_is_drawn_unfolds_to_what_was_recorded(kind, length):
    named = contract(mg.Graph(NETWORKS[kind](length)))
    assert fold(named).unfold(length).same_as(named)


def test_another_parameter_at_one_step_is_named():
    W, W2 = (mg.parameter(np.eye(2), name=name) for name in ("W", "W2"))
    h = mg.tensor(np.zeros((1, 2)), name="h0")
    for t in mg.steps(6):
        h = mg.tanh(h @ (W2 if t == 4 else W)).named("h")
    for view in ("textbook", "folded"):
        with pytest.raises(FoldError, match=r"4.*W2") as caught:
            draw(h, view=view)
        assert any('view="unfolded"' in note for note in caught.value.__notes__)
    by = {e.covers[0]: e.parameters for e in draw(h).scene.edges}
    assert by.pop(("h@3", "h@-3")) == ("W2",)
    assert set(by.values()) == {("W",)}
    assert len(draw(h, view="ops").scene.nodes) == len(mg.Graph(h).nodes)


def test_a_delay_of_two_steps_has_two_squares():
    scene = draw(networks.skip()).scene
    assert sum(n.kind == "delay" for n in scene.nodes) == 3
    assert arrows(scene, "h", "h") == 5 + 4


def test_columns_and_what_is_left_out():
    scene = draw(networks.many_to_many(30), steps=6).scene
    steps = sorted({n.t for n in scene.nodes if n.name == "h" and n.part == "unfolded"})
    assert steps == [1, 2, 3, 4, 29, 30]
    assert "24 more steps" in [t.words for t in scene.texts]
    whole = draw(networks.many_to_many(30), steps=30).scene
    assert not any(n.shape == "dot" for n in whole.nodes)
    assert whole.elided == 0
    seven = draw(networks.many_to_many(7), steps=6).scene
    assert "1 more step" in [t.words for t in seven.texts]


@pytest.mark.parametrize(("steps", "shown"), [(1, [9]), (2, [1, 9]), (3, [1, 8, 9])])
def test_few_columns(steps, shown):
    scene = draw(networks.many_to_many(9), steps=steps).scene
    drawn = {n.t for n in scene.nodes if n.name == "h" and n.part == "unfolded"}
    assert sorted(drawn) == shown
    assert f"{9 - steps} more steps" in [t.words for t in scene.texts]
    alone = draw(networks.many_to_many(1), steps=steps).scene
    assert not any(n.shape == "dot" for n in alone.nodes)


def test_no_columns():
    with pytest.raises(ValueError, match="columns to draw: 1 or more; got 0"):
        draw(networks.many_to_many(9), steps=0)


@pytest.mark.parametrize("length", [1, 2, 4, 9])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_recorded_arrow_is_drawn_or_counted(name, length):
    loss = NETWORKS[name](length)
    recorded = sum(
        len({i for i in node.inputs if i.kind != "parameter"})
        for node in contract(mg.Graph(loss)).nodes
    )
    scene = draw(loss, steps=6).scene
    shown = [e for e in scene.edges if e.part == "unfolded"]
    covered = [way for e in shown for way in e.covers]
    assert len(set(covered)) == len(covered)
    assert len(covered) + scene.elided == recorded


def test_names_are_the_users():
    scene = draw(networks.dynamical_system()).scene
    assert {n.name for n in outlines(scene)} == {"s", "x", "s0", ""}
    h = mg.tensor(np.zeros((1, 2)), name="h0")
    W = mg.parameter(np.eye(2))
    for _ in mg.steps(3):
        h = mg.tanh(h @ W).named("h")
    assert re.fullmatch(
        r"p\d", next(e.parameters[0] for e in draw(h).scene.edges if e.parameters)
    )


def test_two_runs_give_the_same_text():
    def text():
        return draw(networks.many_to_many(9), params="node", biases=True).dot

    assert text() == text()
    assert "0x" not in text()


def test_the_text_does_not_depend_on_the_hash_seed():
    program = (
        "from tests.draw.networks import lstm\n"
        "from minigrad.draw import draw\n"
        "loss = lstm(4, 2)\n"
        "print(draw(loss).dot, draw(loss, view='ops', depth=1).dot)"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.getcwd()},
            capture_output=True,
            check=True,
        ).stdout
        for seed in "01"
    ]
    assert runs[0] == runs[1]
    assert len(runs[0]) > 1000


def test_drawing_changes_nothing():
    loss = networks.many_to_many(5)
    loss.backward()
    parameters = [n.value.copy() for n in mg.Graph(loss).parameters]
    first = draw(loss, view="backward")
    second = draw(loss, view="backward")
    assert first.dot == second.dot
    assert first.data == second.data
    for node, before in zip(mg.Graph(loss).parameters, parameters, strict=True):
        assert np.array_equal(node.value, before)


def test_ten_thousand_steps_are_drawn_elided():
    loss = networks.many_to_many(10_000)
    scene = draw(loss).scene
    assert len(outlines(scene)) < 50
    assert "9994 more steps" in [t.words for t in scene.texts]
    shown = sum(len(e.covers) for e in scene.edges if e.part == "unfolded")
    assert scene.elided + shown == 5 * 10_000
    folded = {e.home: len(e.covers) for e in scene.edges if e.part == "folded"}
    assert sum(folded.values()) == 5 * 10_000 - 1  # h0 is outside of the circuit


@pytest.mark.parametrize("name", ["many_to_many", "output_feedback", "encoder_decoder"])
def test_columns_are_straight_and_rows_level(name):
    columns, rows = {}, {}
    for node in outlines(draw(NETWORKS[name](9)).scene, "unfolded"):
        if isinstance(node.t, int) and node.t > 0:
            loop = node.name in "sy" if name == "encoder_decoder" else 0
            columns.setdefault((loop, node.t), set()).add(node.x)
            rows.setdefault(node.name, set()).add(node.y)
    if name != "encoder_decoder":
        assert all(len(xs) == 1 for xs in columns.values())
    assert all(len(ys) == 1 for ys in rows.values())


def test_the_delay_square_sits_on_its_arrow():
    scene = draw(networks.many_to_many(5)).scene
    (square,) = [n for n in scene.nodes if n.kind == "delay"]
    assert (square.width, square.height) == (9, 9)
    (into,) = [e for e in scene.edges if e.tip == square.id]
    (out,) = [e for e in scene.edges if e.tail == square.id]
    assert (into.head, out.head) == (False, True)
    h = scene.node("h@t")
    for point, node in (
        (into.points[0], h),
        (into.points[-1], square),
        (out.points[0], square),
        (out.points[-1], h),
    ):
        away = np.hypot(point[0] - node.x, point[1] - node.y)
        assert abs(away - node.width / 2) < 1


def test_symbolic_index():
    scene = draw(networks.many_to_many(20), index="symbolic", style="book").scene
    indices = [n.t for n in outlines(scene, "unfolded") if n.name == "h"]
    words = ["".join(r.text for r in n.lines[0]) for n in scene.nodes if n.lines]
    assert indices.count(None) == 2
    assert {"h(t−1)", "h(t)", "h(t+1)", "h(…)"} <= set(words)
    last = draw(networks.many_to_one(20), index="symbolic").scene
    words = ["".join(r.text for r in n.lines[0]) for n in last.nodes if n.lines]
    assert {"o(τ)", "h(τ)"} <= set(words)
    assert "only t = τ" in [t.words for t in last.texts]


def test_parameters_as_nodes():
    scene = draw(networks.many_to_many(4), params="node", biases=True).scene
    for name in "UWVbc":
        assert sum(e.tail == f"[{name}]" for e in scene.edges) == 4
    assert not any(t.edge for t in scene.texts)
    only = draw(networks.many_to_many(4), biases=True).scene
    assert {n.name for n in only.nodes if n.kind == "parameter"} == {"b", "c"}
    hidden = draw(networks.many_to_many(4), params="hide", biases=True).scene
    assert not any(t.edge for t in hidden.texts)
    assert not any(n.kind == "parameter" for n in hidden.nodes)


def test_shapes_values_and_caption():
    loss = networks.many_to_many(3)
    scene = draw(loss, shapes=True, values=True, caption="One figure").scene
    assert {"W4×4", "U3×4", "One figure"} <= {t.words for t in scene.texts}
    second = [n.lines[1][0].text for n in scene.nodes if len(n.lines) > 1]
    losses = [n.value for n in mg.Graph(loss).nodes if n.name == "L"]
    # Small brackets without room between them would be read as a 0.
    assert {"(2, 4)", "( )", f"{losses[0]:.2f}"} <= set(second)


@pytest.mark.parametrize("view", ["unfolded", "ops"])
@pytest.mark.parametrize("start", [-1.0, [[-1.0]]])
def test_the_value_of_one_number_has_its_sign(view, start):
    m = mg.tensor(start, name="m0")
    for _ in mg.steps(2):
        m = (m * 0.5).named("m")
    scene = draw(m, values=True, view=view).scene
    second = [line[0].text for n in scene.nodes for line in n.lines[1:]]
    assert {"-0.50", "-0.25"} <= set(second)


def test_letters_are_those_of_the_book():
    scene = draw(networks.many_to_many(3)).scene
    faces = {n.name: n.lines[0][0].face for n in scene.nodes if n.lines}
    assert (faces["h"], faces["L"], faces["y"]) == (
        "bolditalic",
        "italic",
        "bolditalic",
    )
    (w,) = {t.lines[0][0].face for t in scene.texts if t.words == "W"}
    assert w == "bold"


def test_data_that_two_loops_read_is_drawn_once():
    scene = draw(networks.bidirectional(), steps=6).scene
    assert sum(n.name == "x" for n in outlines(scene, "unfolded")) == 6
    (initial,) = [n for n in scene.nodes if n.name == "g0"]
    assert initial.x > max(n.x for n in scene.nodes if n.name == "g")


def test_a_folded_graph_can_be_drawn_alone():
    loss = networks.many_to_many(5)
    recurrence = fold(contract(mg.Graph(loss)))
    told = [replace(e, uses=()) for e in draw(loss).scene.edges]
    assert draw(recurrence).scene.edges == tuple(told)
    with pytest.raises(ValueError, match="folded graph"):
        draw(recurrence, view="ops")
