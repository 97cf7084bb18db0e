"""The backward view: messages along arrows, and sums into parameters."""

from itertools import combinations

import numpy as np
import pytest

import minigrad as mg
from minigrad.draw import draw
from minigrad.draw.measure import backward, norm, seats
from minigrad.draw.page.letters import letter
from minigrad.draw.page.scene import line_width
from minigrad.draw.textbook.layout_backward import gradient_label, thickness
from tests.draw import networks
from tests.draw.corpus import recorded
from tests.draw.networks import NETWORKS


def test_every_arrow_that_carries_a_gradient_has_one_back():
    scene = draw(networks.many_to_many(4), view="backward").scene
    forward = {(e.tail, e.tip) for e in scene.edges if e.kind == "muted"}
    back = {(e.tip, e.tail) for e in scene.edges if e.kind == "gradient"}
    carrying = {way for way in forward if way[0][0] in "hoL" and way[0] != "h0"}
    assert carrying == back & forward
    assert all(e.dashed for e in scene.edges if e.kind == "gradient")


@pytest.mark.parametrize("name", ["many_to_many", "output_feedback", "lstm", "skip"])
def test_a_gradient_crosses_the_steps_that_are_left_out(name):
    """At the dots each half of an arrow has its message, with a head at the left."""
    loss = NETWORKS[name](12)
    whole = draw(loss, view="backward", steps=12).scene
    scene = draw(loss, view="backward", steps=4).scene
    titles = {(e.tip, e.tail): e for e in whole.edges if e.kind == "gradient"}
    halves = [e for e in scene.edges if e.kind == "muted" and not (e.tail and e.tip)]
    assert halves
    for half in halves:
        (back,) = [
            e
            for e in scene.edges
            if (e.kind, e.tip, e.tail) == ("gradient", half.tail, half.tip)
            and e.points[0][1] == pytest.approx(half.points[-1][1], abs=9)
            and e.points[-1][1] == pytest.approx(half.points[0][1], abs=9)
        ]
        assert back.head == bool(half.tail)
        assert back.thickness in {titles[way].thickness for way in half.covers}


def test_the_thickest_arrow_has_the_largest_norm():
    loss = networks.linear(0.5, length=8)
    scene = draw(loss, view="backward", steps=8).scene
    along = {
        scene.node(e.tip).t: e.thickness
        for e in scene.edges
        if e.kind == "gradient" and e.tip.startswith("h@")
    }
    assert along[7] > along[4] > along[1]


def test_messages_add_up_to_the_gradient():
    """h(2) gets one message from o(2) and one from h(3); arrays add, norms do not."""
    loss = networks.many_to_many(3, batch=1)
    graph = mg.Graph(loss)
    flow = backward(graph, set(seats(graph).values()))
    assert flow.messages[("h", 3), ("o", 3)] == pytest.approx(flow.totals["h"][3])
    low = abs(flow.messages[("h", 2), ("o", 2)] - flow.messages[("h", 2), ("h", 3)])
    high = flow.messages[("h", 2), ("o", 2)] + flow.messages[("h", 2), ("h", 3)]
    assert low <= flow.totals["h"][2] <= high


@pytest.mark.parametrize("name", ["many_to_many", "output_feedback", "many_to_one"])
def test_shares_are_those_of_grad_by_use(name):
    loss = NETWORKS[name](4)
    figure = draw(loss, view="backward")
    (W,) = [n for n in mg.Graph(loss).parameters if n.name == "W"]
    for share in mg.grad_by_use(loss, mg.Tensor(W)):
        found = figure.data["W"][share.t]
        assert found == pytest.approx(np.linalg.norm(share.gradient.data))


@pytest.mark.parametrize("name", ["many_to_many", "output_feedback", "lstm"])
def test_the_numbers_are_of_all_steps_whatever_columns_are_drawn(name):
    loss = NETWORKS[name](9)
    whole = draw(loss, view="backward", steps=9).data
    assert {*range(1, 10)} in [{*numbers} for numbers in whole.values()]
    for steps in (None, 3, 5):
        figure = draw(loss, view="backward", steps=steps)
        assert figure.data == whole
        drawn = {n.role for n in figure.scene.nodes if n.kind == "hidden"}
        assert drawn <= set(whole)


def test_each_parameter_collects_one_share_per_step():
    scene = draw(networks.many_to_many(4), view="backward", biases=True).scene
    for name in "UWVbc":
        box = scene.node(f"∂{name}")
        assert sum(e.tip == box.id and e.tail != "" for e in scene.edges) == 4
        assert sum(e.tip == box.id and e.head for e in scene.edges) == 1


def test_shares_are_those_of_what_multiplies_and_of_biases_if_asked_for():
    loss = networks.many_to_many(3)
    for biases, names in ((False, "UWV"), (True, "UWVbc")):
        scene = draw(loss, view="backward", biases=biases).scene
        assert {n.id for n in scene.nodes if n.id[0] == "∂"} == {f"∂{k}" for k in names}


def level_or_upright(edge):
    (ax, ay), (bx, by) = edge.points[0], edge.points[-1]
    return len(edge.points) == 4 and (abs(ax - bx) < 0.05 or abs(ay - by) < 0.05)


def test_a_message_runs_beside_its_arrow_left_of_upright_and_below_level_ones():
    scene = draw(networks.many_to_many(4), view="backward").scene
    forward = {(e.tail, e.tip): e for e in scene.edges if e.kind == "muted"}
    met = 0
    for back in (e for e in scene.edges if e.kind == "gradient" and e.head):
        way = forward.get((back.tip, back.tail))
        if way and level_or_upright(way):
            (ax, ay), (bx, by) = way.points[0], way.points[-1]
            xs, ys = zip(*back.points, strict=True)
            if abs(ax - bx) < 0.05:
                assert xs == pytest.approx([ax - 8] * 4, abs=0.03)
                assert (ys[0] > ys[-1]) == (ay < by)
            else:
                assert ys == pytest.approx([ay - 8] * 4, abs=0.03)
                assert (xs[0] > xs[-1]) == (ax < bx)
            met += 1
    assert met == 4 + 4 + 3  # L to o, o to h, h to h


@pytest.mark.parametrize("name", ["skip", "lstm", "output_feedback"])
def test_a_message_begins_and_ends_at_rims(name):
    scene = draw(NETWORKS[name](5), view="backward").scene
    at = {n.id: n for n in scene.nodes if n.shape == "circle"}
    found = [e for e in scene.edges if e.kind == "gradient" and e.head and e.tip in at]
    assert found
    for edge in found:
        for id, (x, y) in (edge.tip, edge.points[-1]), (edge.tail, edge.points[0]):
            if id in at and edge.net is None:
                away = np.hypot(x - at[id].x, y - at[id].y)
                assert away == pytest.approx(23, abs=0.6), edge.title


def test_sums_of_shares_stand_right_of_all_columns_with_their_words():
    scene = draw(networks.many_to_many(4), view="backward", biases=True).scene
    boxes = [n for n in scene.nodes if n.id[0] == "∂"]
    right = max(n.x + n.width / 2 for n in scene.nodes if n.t is not None)
    assert {(n.x, n.width, n.height) for n in boxes} == {(boxes[0].x, 52, 20)}
    assert right + 40 < boxes[0].x - 26 < right + 120
    ys = sorted(n.y for n in boxes)
    assert min(np.diff(ys)) >= 22
    words = [t for t in scene.texts if t.word == "sum"]
    assert [t.x > boxes[0].x + 26 for t in words] == [True] * 5
    assert {t.y for t in words} == {n.y for n in boxes}
    assert all(t.words.startswith("= Σ over t, norm") for t in words)
    sums = {e.tip: e for e in scene.edges if e.title.startswith("sum over t into")}
    for box in boxes:
        assert sums[box.id].points[-1] == pytest.approx((box.x - 26, box.y), abs=0.02)
    turns = [max(x for x, _ in e.points[:-3]) for e in sums.values()]
    assert min(abs(a - b) for a, b in combinations(turns, 2)) >= 4  # side by side
    at = {n.id: n for n in scene.nodes}
    for share in (e for e in scene.edges if e.title.startswith("share of")):
        (x, y), circle = share.points[0], at[share.tail]
        assert np.hypot(x - circle.x, y - circle.y) == pytest.approx(23, abs=0.02)
        assert x > circle.x  # right of where parameters enter
        assert y < circle.y


def test_shares_of_loops_within_a_step_are_those_of_all_turns():
    scene = draw(recorded("nested"), view="backward").scene
    titles = {e.title.split(":")[0] for e in scene.edges if "share of" in e.title}
    assert "share of W at step 2, all turns" in titles
    assert any(title.endswith("at step 2") for title in titles)


def test_thickness_falls_by_a_decade_in_three():
    for largest in (1.0, 50.0):
        found = [thickness(largest * 10.0**-k, largest) for k in range(5)]
        assert found == pytest.approx([3.0, 2.27, 1.53, 0.8, 0.8])
    for value, largest in ((np.nan, 1.0), (np.inf, 1.0), (1.0, np.inf), (-1.0, 1.0)):
        assert thickness(value, largest) == 0.8


def test_a_label_of_a_gradient_is_as_short_as_its_box():
    long = letter("a_long_objective", 0)
    for above in (letter("L", 0), long):
        for below in (letter("W", 2), letter("W_long_name", 2)):
            label = gradient_label(below, above)
            assert "".join(run.text for run in label).count("∂") == 2
            assert line_width(label) < 2 * 52


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_norms_neither_vanish_nor_overflow(scale):
    assert norm(np.array([3.0, 4.0]) * scale) == pytest.approx(5 * scale)


def test_norms_of_odd_arrays():
    assert norm(np.zeros(3)) == 0.0
    assert norm(np.array([])) == 0.0
    assert np.isnan(norm(np.array([1.0, np.nan])))
    assert norm(np.array([1.0, -np.inf])) == np.inf
