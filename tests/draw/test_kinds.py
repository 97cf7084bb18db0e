"""What values are, told from the graph's structure."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import models
from minigrad.draw import draw
from minigrad.draw.textbook.chart import Arrow
from minigrad.draw.textbook.kinds import Value, kinds_of
from minigrad.draw.textbook.reading import chart_of, read
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


def told(values, *arrows, initial=()):
    """The kinds of values with the arrows between them; those in capitals are data."""
    made = [Value(k.lower(), k.lower(), shape, k.isupper()) for k, shape in values]
    return kinds_of(made, arrows, initial)


VECTOR, SCALAR = (2,), ()
BY_W = {"labels": ("W",)}


def test_a_scalar_that_several_values_lead_to_is_a_loss_by_any_name():
    values = [("X", VECTOR), ("p", VECTOR), ("q", VECTOR), ("k", SCALAR)]
    ways = [Arrow("x", "p", **BY_W), Arrow("x", "q", **BY_W)]
    both = [*ways, Arrow("p", "k"), Arrow("q", "k")]
    assert told(values, *both)["k"] == "loss"
    assert told([*values[:3], ("k", VECTOR)], *both)["k"] == "output"
    # Of one value it is its end, and so it is of several steps of one.
    assert told(values, *ways, Arrow("p", "k"))["k"] == "output"
    assert told(values, *ways, Arrow("p", "k", "gather"))["k"] == "loss"
    # What goes on from step to step is a state, and so is what replaces it.
    assert told(values, *both, Arrow("k", "k", delay=1))["k"] == "hidden"


def test_a_value_of_data_alone_is_no_layer_and_one_with_a_parameter_is():
    values = [("X", VECTOR), ("e", VECTOR), ("h", VECTOR), ("o", VECTOR)]
    rest = [Arrow("e", "h", **BY_W), Arrow("h", "o", **BY_W)]
    found = told(values, Arrow("x", "e"), *rest)
    assert found == {"x": "input", "e": "value", "h": "hidden", "o": "output"}
    assert told(values, Arrow("x", "e", **BY_W), *rest)["e"] == "hidden"
    # Without a reader it is an end.
    assert told(values[:2], Arrow("x", "e"))["e"] == "output"


def test_a_target_is_compared_with_what_was_computed():
    values = [("X", VECTOR), ("Y", VECTOR), ("h", VECTOR), ("l", SCALAR)]
    made, read = Arrow("x", "h", **BY_W), [Arrow("h", "l"), Arrow("y", "l")]
    assert told(values, made, *read)["y"] == "target"
    # The next step may read it, but no other value of this one.
    later = Arrow("y", "h", delay=1)
    assert told(values, made, *read, later)["y"] == "target"
    assert told(values, made, *read, Arrow("y", "h"))["y"] == "input"
    # Data beside data is compared with nothing.
    alone = [Arrow("x", "l"), Arrow("y", "l")]
    assert {told([values[0], values[1], values[3]], *alone)[k] for k in "xy"} == {
        "input"
    }


def test_what_is_called_an_output_is_one_unless_it_is_a_state():
    values = [("X", VECTOR), ("o", VECTOR), ("h", VECTOR)]
    fed = [Arrow("x", "o", **BY_W), Arrow("o", "h", delay=1, **BY_W)]
    assert told(values, *fed)["o"] == "output"
    assert told(values, *fed, Arrow("o", "o", delay=1))["o"] == "hidden"
    assert (
        told(
            [("X", VECTOR), ("p", VECTOR), values[2]],
            *[Arrow("x", "p", **BY_W), Arrow("p", "h", delay=1, **BY_W)],
        )["p"]
        == "hidden"
    )
    assert told(values, *fed, initial={"x"})["x"] == "initial"


def test_parameters_of_one_name_are_told_apart_without_a_record_too():
    weights = [mg.parameter(np.eye(2) * k, name="W") for k in (1.0, 2.0, 3.0)]
    h = mg.tensor(np.zeros((1, 2)), name="h0")
    for _ in mg.steps(3):
        for W in weights:
            h = mg.tanh(h @ W)
        h = h.named("h")
    recurrence = mg.fold(mg.contract(mg.Graph(h)))
    assert [w.name for w in chart_of(recurrence).weights] == ["W", "W2", "W3"]
    assert chart_of(recurrence).arrows[-1].labels == ("W3", "W2", "W")


def test_the_start_of_a_loop_of_one_step_is_told_by_its_name():
    chart = read(mg.Graph(NETWORKS["bidirectional"](1)))
    stands = {s.key: s.stands_for for s in chart.symbols if s.stands_for}
    assert stands == {"h0": ("h", -1), "g0": ("g", 1)}  # at both sides
    assert {a.source for a in chart.arrows if a.initial} == {"h0", "g0"}
    assert all(a.initial for a in chart.arrows if a.source in stands)
    # What reads the first of them stands on its side.
    W, a, b, c = (
        mg.parameter(np.eye(2), name="W"),
        *(mg.tensor(np.ones((1, 2)), name=f"{k}0") for k in "abc"),
    )
    for _ in mg.steps(1):
        a, b = mg.tanh(a @ W).named("a"), mg.tanh(b @ W).named("b")
        c = mg.tanh(c @ W + a).named("c")
    symbols = read(mg.Graph((a + b + c).sum())).symbols
    sides = {s.key: s.stands_for.offset for s in symbols if s.stands_for}
    assert sides == {"a0": -1, "b0": 1, "c0": -1}


def test_starts_stand_as_far_from_their_loop_as_they_are_read():
    def stands(loss):
        chart = read(mg.Graph(loss))
        found = {s.key: s for s in chart.symbols if s.stands_for}
        assert {a.source for a in chart.arrows if a.initial} == found.keys()
        return {
            key: (*s.stands_for, "".join(run.text for run in s.label))
            for key, s in found.items()
        }

    assert stands(NETWORKS["bidirectional"](4)) == {
        "h0": ("h", -1, "h(0)"),
        "g0": ("g", 1, "g(5)"),
    }
    W = mg.parameter(np.eye(2), name="W")
    hs = [mg.tensor(np.ones((1, 2)), name=name) for name in "ab"]
    for _, x in mg.steps(np.ones((5, 1, 2)), reverse=True):
        hs.append(mg.tanh(hs[-2] @ W + x).named("h"))
    assert stands(mg.stack(hs[2:]).sum()) == {"a": ("h", 2, "a"), "b": ("h", 1, "b")}
