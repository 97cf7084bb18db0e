"""What values are, told from the graph's structure."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import models
from minigrad.draw import draw
from minigrad.draw.textbook.reading import read
from tests.draw.networks import NETWORKS


def kinds(loss):
    return {s.key: s.kind for s in read(mg.Graph(loss)).symbols}


@pytest.mark.parametrize("name", ["many_to_many", "output_feedback", "many_to_one"])
def test_the_three_networks(name):
    found = kinds(NETWORKS[name](5))
    assert found.pop("o0" if name == "output_feedback" else "h0") == "initial"
    assert found == {
        "x": "input",
        "h": "hidden",
        "o": "output" if name != "output_feedback" else found["o"],
        "L": "loss",
        "y": "target",
    }
    assert found["o"] == "output"


def teacher_forcing(length=4):
    rng = np.random.default_rng(0)
    W, V = (mg.parameter(rng.normal(size=(3, 3)), name=name) for name in "WV")
    e = mg.tensor(np.zeros((1, 3)), name="e0")
    total = 0
    for _, y in mg.steps(y=rng.normal(size=(length, 1, 3))):
        h = mg.tanh(e @ W).named("h")
        o = (h @ V).named("o")
        total = total + mg.mse_loss(o, y).named("L")
        e = (2 * y).named("e")
    return total


def test_teacher_forcing_keeps_the_target_on_top():
    loss = teacher_forcing()
    found = kinds(loss)
    assert (found["y"], found["e"], found["h"]) == ("target", "value", "hidden")
    at = {n.name: n.y for n in draw(loss).scene.nodes if n.part == "unfolded"}
    assert at["h"] < at["o"] < at["L"] < at["y"] < at["e"]


def test_two_parameters_of_one_name_are_two():
    one, two = (mg.parameter(np.eye(2) * k, name="W") for k in (1.0, 2.0))
    h, g = (mg.tensor(np.zeros((1, 2)), name=name) for name in ("h0", "g0"))
    for _, x in mg.steps(np.ones((3, 1, 2))):
        h = mg.tanh(h @ one + x).named("h")
        g = mg.tanh(g @ two + h).named("g")
    chart = read(mg.Graph(mg.sum(g)))
    assert [w.name for w in chart.weights] == ["W", "W2"]
    data = draw(mg.sum(g), view="backward").data
    assert set(data["W"]) == set(data["W2"]) == {1, 2, 3}
    assert data["W"] != data["W2"]


def test_a_loss_with_a_batch_axis_is_still_a_scalar_of_the_book():
    W = mg.parameter(np.eye(2), name="W")
    total = 0
    for _, x in mg.steps(np.ones((3, 4, 2))):
        total = total + mg.sum(mg.sum(x @ W, axis=1).named("L"))
    symbol = read(mg.Graph(total)).symbol("L")
    assert (symbol.kind, symbol.label[0].face) == ("loss", "italic")


def test_a_running_sum_is_a_loss_and_no_state():
    found = kinds(NETWORKS["many_to_many"](5))
    assert list(found.values()).count("hidden") == 1


RNG = np.random.default_rng(0)
XS, YS = np.zeros((7, 1, 2), np.float32), np.zeros((7, 1), int)


@pytest.mark.parametrize(
    ("record", "outputs"),
    [
        (
            lambda: models.Clockwork(2, 3, 2, rng=RNG, periods=(1, 2)).loss(XS, YS),
            {"o"},
        ),
        (lambda: models.OutputFeedback(2, 3, 2, rng=RNG).loss(XS, YS), {"o"}),
        (lambda: models.FullyConnected(2, 5, rng=RNG).ancestral(1, RNG), {"o", "y"}),
        (lambda: models.SequenceModel(2, 3, rng=RNG).ancestral(5, 1, RNG), {"o", "y"}),
        (lambda: models.DynamicalSystem(2, 3, rng=RNG)(XS), set()),
        (lambda: models.DeepTransition(2, 3, 2, rng=RNG).loss(XS, YS), {"o"}),
    ],
)
def test_what_is_said_is_an_output_also_where_it_reads_or_feeds_other_steps(
    record, outputs
):
    found = kinds(record())
    assert {name for name, kind in found.items() if kind == "output"} == outputs


def test_a_state_that_a_loss_reads_is_a_state():
    W, o = mg.parameter(np.eye(2), name="W"), mg.tensor(np.zeros((1, 2)), name="o0")
    total = 0
    for _, y in mg.steps(y=np.ones((4, 1, 2))):
        o = mg.tanh(o @ W).named("o")
        total = total + mg.mse_loss(o, y).named("L")
    assert kinds(total)["o"] == "hidden"


def test_a_layer_is_hidden_whatever_feeds_the_next_step():
    for forced in (False, True):
        W, V = mg.parameter(np.eye(2), name="W"), mg.parameter(np.eye(2), name="V")
        e, total = mg.tensor(np.zeros((1, 2)), name="o0"), 0
        for _, y in mg.steps(y=np.ones((4, 1, 2))):
            h = mg.tanh(e @ W).named("h")
            o = (h @ V).named("o")
            total = total + mg.mse_loss(o, y).named("L")
            e = y if forced else o
        found = kinds(total)
        assert (found["h"], found["o0"]) == ("hidden", "initial"), forced
    assert kinds(NETWORKS["many_to_many"](1))["h0"] == "initial"


def test_the_mean_of_losses_is_a_loss_by_any_name():
    W, h, losses = (
        mg.parameter(np.eye(2), name="W"),
        mg.tensor(np.ones(2), name="x"),
        [],
    )
    for _ in mg.steps(4):
        h = mg.tanh(h @ W).named("h")
        losses.append((h * h).sum().named("L"))
    assert kinds(mg.stack(losses).mean().named("K"))["K"] == "loss"


def test_what_stands_for_y_0_bears_that_index_whatever_takes_its_place():
    network = models.Conditional(2, 3, 2, rng=RNG)
    line = read(mg.Graph(network.loss(XS, YS))).symbol("y0").label
    assert "".join(run.text for run in line) == "y(0)"
