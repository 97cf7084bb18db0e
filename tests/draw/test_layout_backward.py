"""The backward view: messages along arrows, and sums into parameters."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.draw import draw
from minigrad.draw.measure import backward, norm, seats
from tests.draw import networks
from tests.draw.networks import NETWORKS


def test_every_arrow_that_carries_a_gradient_has_one_back():
    scene = draw(networks.many_to_many(4), view="backward").scene
    forward = {(e.tail, e.tip) for e in scene.edges if e.kind == "muted"}
    back = {(e.tip, e.tail) for e in scene.edges if e.kind == "gradient"}
    carrying = {way for way in forward if way[0][0] in "hoL" and way[0] != "h0"}
    assert carrying == back & forward
    assert all(e.dashed for e in scene.edges if e.kind == "gradient")


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


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_norms_neither_vanish_nor_overflow(scale):
    assert norm(np.array([3.0, 4.0]) * scale) == pytest.approx(5 * scale)


def test_norms_of_odd_arrays():
    assert norm(np.zeros(3)) == 0.0
    assert norm(np.array([])) == 0.0
    assert np.isnan(norm(np.array([1.0, np.nan])))
    assert norm(np.array([1.0, -np.inf])) == np.inf
