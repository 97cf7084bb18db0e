"""Numbers for figures: seats, uses of parameters on arrows, and what flows back."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.draw import draw
from minigrad.draw.measure import (
    backward,
    by_step,
    chosen,
    multiplied,
    norm,
    seats,
    serves,
    uses,
)
from tests.draw import networks
from tests.draw.corpus import recorded

NETS = ["many_to_many", "with_biases", "residual", "language_model"]


@pytest.mark.parametrize("name", NETS)
def test_the_uses_on_an_arrow_are_those_of_its_letters_at_its_step(name):
    graph = recorded(name)
    told = [e for e in draw(graph, view="unfolded", steps=20).scene.edges if e.uses]
    assert told
    for edge in told:
        assert {use[0] for use in edge.uses} == {*edge.parameters}
        for parameter, place, argument in edge.uses:
            assert graph.names[graph.nodes[place].inputs[argument]] == parameter
    lettered = {p for e in told for p in e.parameters}
    known = {n.name: n for n in graph.parameters}
    for parameter in lettered:  # every use is on some arrow, and each on one at least
        every = {
            (graph.nodes.index(u.node), u.argument)
            for u in graph.uses(known[parameter])
        }
        assert {use[1:] for e in told for use in e.uses if use[0] == parameter} == every


def test_a_use_is_on_the_arrow_that_it_multiplies():
    graph = mg.Graph(networks.many_to_many(3))
    found = uses(graph, ())
    assert {(k, use[0]) for k, on in found.items() for use in on} == {
        *(((("x", t), ("h", t)), "U") for t in (1, 2, 3)),
        *(((("h", t), ("h", t + 1)), "W") for t in (1, 2)),
        ((("h0", None), ("h", 1)), "W"),
        *(((("h", t), ("o", t)), "V") for t in (1, 2, 3)),
    }


def test_seats_are_those_of_named_values_and_what_is_read_out_last():
    graph = mg.Graph(networks.many_to_one(3))
    at = seats(graph)
    assert {at[n] for n in graph.nodes if n.name == "h"} == {
        ("h", t) for t in (1, 2, 3)
    }
    assert chosen(graph, at, "h", 2).t == 2
    assert chosen(graph, at, "h", None).t == 3
    with pytest.raises(
        ValueError, match=r"no value named 'h' at step 9; it is at steps 1\.\.3"
    ):
        chosen(graph, at, "h", 9)
    with pytest.raises(
        ValueError, match="no value named 'q'; there are L, h, h0, o, x, xs, y"
    ):
        chosen(graph, at, "q", None)


def test_a_start_that_is_learnt_is_a_value_and_a_matrix_is_none():
    graph = recorded("learned_start")
    names = {name for name, _ in seats(graph).values()}
    assert "h0" in names
    assert not names & {"U", "W", "V"}


def test_numbers_by_step_are_of_the_wanted_values_in_the_order_of_steps():
    graph = mg.Graph(networks.bidirectional(3))
    found = by_step(graph, ["g", "h"], lambda nodes: [float(n.t) for n in nodes])
    assert found == {name: {1: 1.0, 2: 2.0, 3: 3.0} for name in "gh"}
    assert [*found["g"]] == [1, 2, 3]  # though its loop runs from the last step


def test_what_is_multiplied_has_to_be_on_an_arrow():
    assert multiplied(recorded("with_biases")) == ("U", "W", "V")
    assert "E" in multiplied(recorded("language_model"))
    x, W, V = (
        mg.tensor(np.ones((1, 2)), name="x"),
        *(mg.parameter(np.eye(2), name=name) for name in "WV"),
    )
    assert multiplied(mg.Graph((x @ (W @ V)).named("y"))) == ("W", "V")
    assert multiplied(mg.Graph(x @ W)) == ()  # of what has no name no figure tells


def test_a_node_serves_the_first_values_behind_it():
    graph = mg.Graph(networks.many_to_many(2))
    at = seats(graph)
    (W,) = [n for n in graph.parameters if n.name == "W"]
    found = [serves(graph, use.node, at) for use in graph.uses(W)]
    assert [[at[n] for n in served] for served in found] == [[("h", 1)], [("h", 2)]]
    assert serves(graph, graph.outputs[0], ()) == []


def test_messages_and_sums_of_a_network_are_those_of_its_gradients():
    loss = networks.many_to_many(3)
    graph = mg.Graph(loss)
    every = {*seats(graph).values()}
    flow = backward(graph, every)
    nodes = {seat: n for n, seat in seats(graph).items()}
    for name in "hoL":
        assert [*flow.totals[name]] == [1, 2, 3]
        for t, value in flow.totals[name].items():
            (g,) = mg.grad(loss, [mg.Tensor(nodes[name, t])])
            assert value == pytest.approx(np.linalg.norm(g.data))
    assert {b for a, b in flow.messages if a == ("h", 2)} == {("h", 3), ("o", 2)}
    assert "x" not in flow.totals  # what is given is no value that a gradient changes
    for p in graph.parameters:
        (g,) = mg.grad(loss, [mg.Tensor(p)])
        assert flow.parameters[p.name] == pytest.approx(np.linalg.norm(g.data))
    # Between what is not shown there is no message.
    few = backward(graph, {("h", 2)}).messages
    assert {a for a, _ in few} == {("h", 2)}
    assert few[("h", 2), ("o", 2)] == pytest.approx(flow.messages[("h", 2), ("o", 2)])


def test_the_gradient_of_a_start_that_is_learnt_is_a_message():
    graph = recorded("learned_start")
    flow = backward(graph, {("h0", None), ("h", 1)})
    assert (("h0", None), ("h", 1)) in flow.messages


def test_norms_of_numbers_and_of_large_and_small_arrays():
    assert norm(-3.0) == 3.0
    assert norm(np.array([[3, 4]], dtype=np.int32)) == 5.0
    assert norm(np.full(4, 1e-300)) == pytest.approx(2e-300)
