"""Overlays: colours in order, numbers that are the gradients (checks 23, 24)."""

from itertools import pairwise

import numpy as np
import pytest

import minigrad as mg
from minigrad.draw import draw
from minigrad.draw.page.letters import short
from minigrad.draw.textbook.overlay import (
    CIVIDIS,
    RED,
    SWATCHES,
    Scale,
    luminance,
    mixed,
)
from tests.draw import networks
from tests.draw.corpus.students import detached_at_two_steps


def states(loss, name="h"):
    return [n for n in mg.Graph(loss).nodes if n.name == name]


def test_larger_is_lighter_over_sixty_decades():
    numbers = 10.0 ** np.arange(-30, 31)
    scale = Scale(numbers)
    light = [luminance(scale.fill(v)) for v in numbers]
    assert np.all(np.diff(light) > 0)


def test_what_has_no_logarithm_has_its_own_look():
    scale = Scale([0.0, 1e-3, np.nan, np.inf, 2.0])
    assert scale.decades == (-3, 1)
    assert scale.fill(0.0) == "#FFFFFF"
    for value in (np.nan, np.inf, -np.inf):
        look = scale.look(value)
        assert (look["border"], look["dashed"]) == (RED, True)
    assert [short(v) for v in (0.0, np.nan, np.inf)] == ["0", "nan", "inf"]
    assert Scale([]).decades == (0, 1)


def test_letters_can_be_read_on_every_colour():
    scale = Scale([1e-6, 1.0])
    for value in np.logspace(-6, 0, 200):
        look = scale.look(value)
        pair = sorted(luminance(look[k]) for k in ("fill", "ink"))
        assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5


@pytest.mark.parametrize("network", ["many_to_many", "many_to_one"])
def test_numbers_are_the_norms_of_the_gradients(network):
    loss = networks.NETWORKS[network](6)
    figure = draw(loss, overlay="grad")
    for node in states(loss):
        (gradient,) = mg.grad(loss, [mg.Tensor(node)])
        norm = np.linalg.norm(gradient.data)
        assert figure.data["h"][node.t] == pytest.approx(norm, rel=1e-12)
        assert short(norm) in [t.words for t in figure.scene.texts]


def test_numbers_agree_with_finite_differences():
    """dL/dh(3), by moving h(3) through an input added to it."""
    rng = np.random.default_rng(0)
    W = mg.parameter(rng.normal(size=(3, 3)), name="W")
    xs = rng.normal(size=(5, 1, 3))

    def loss(moved):
        h = mg.tensor(np.zeros((1, 3)), name="h0")
        for t, x in mg.steps(xs):
            h = mg.tanh(h @ W) + x + moved * (t == 3)
            h = h.named("h")
        return mg.sum(h * h)

    step = 1e-6
    numeric = [
        (loss(step * e).item() - loss(-step * e).item()) / (2 * step) for e in np.eye(3)
    ]
    assert draw(loss(np.zeros(3)), overlay="grad").data["h"][3] == pytest.approx(
        np.linalg.norm(numeric), rel=1e-6
    )


def test_vanishing_and_exploding_are_seen():
    vanishing = draw(networks.linear(0.5), overlay="grad").data["h"]
    assert np.log10(vanishing[20] / vanishing[1]) >= 5
    exploding = draw(networks.linear(1.5), overlay="grad").data["h"]
    assert np.log10(exploding[1] / exploding[20]) >= 3


def test_one_loss_of_many():
    loss = networks.many_to_many(8)
    data = draw(loss, overlay=("grad", "L", 5), steps=4).data["h"]
    assert sorted(data) == list(range(1, 9))
    assert data[6] == data[8] == 0.0
    (last,) = [n for n in states(loss, "L") if n.t == 5]
    (node,) = [n for n in states(loss) if n.t == 2]
    (gradient,) = mg.grad(mg.Tensor(last), [mg.Tensor(node)])
    assert data[2] == pytest.approx(np.linalg.norm(gradient.data))
    words = [t.words for t in draw(loss, overlay=("grad", "L", 5)).scene.texts]
    assert "‖∂L(5)/∂h(t)‖" in words


def test_values_and_functions():
    loss = networks.many_to_many(4)
    nodes = states(loss)
    data = draw(loss, overlay="value").data["h"]
    assert data[2] == pytest.approx(np.linalg.norm(nodes[1].value))
    outputs = draw(loss, overlay=("value", "o", None)).data
    assert list(outputs) == ["o"]

    def saturation(h):
        return (np.abs(h) > 0.9).mean()

    figure = draw(loss, overlay=saturation)
    assert figure.data["h"][1] == saturation(nodes[0].value)
    assert "saturation(h(t))" in [t.words for t in figure.scene.texts]


def test_an_overlay_that_makes_no_sense_is_refused():
    loss = networks.many_to_many(4)
    with pytest.raises(ValueError, match="no overlay 'colour'"):
        draw(loss, overlay="colour")
    with pytest.raises(ValueError, match=r"no value named 'M'.*L"):
        draw(loss, overlay=("grad", "M", 1))
    with pytest.raises(ValueError, match="unrolled columns"):
        draw(loss, view="ops", overlay="grad")


def test_infinite_values_are_marked():
    W = mg.parameter([[1e200]], name="W")
    h = mg.tensor([[1.0]], name="h0")
    with np.errstate(over="ignore"):
        for _ in mg.steps(3):
            h = (h @ W).named("h")
        figure = draw(h, overlay="value")
    circles = [n for n in figure.scene.nodes if n.name == "h"]
    assert [n.border == RED for n in circles] == [False, True, True]


def test_what_has_no_number_has_no_colour():
    """The yellow of an output would be taken for a large number."""
    nodes = draw(networks.many_to_many(4), overlay="grad").scene.nodes
    fills = {n.name: n.fill for n in nodes if n.t and n.name != "h"}
    assert fills == dict.fromkeys("xoLy", "none")
    assert all(n.fill not in (None, "none") for n in nodes if n.t and n.name == "h")


def test_a_state_that_is_detached_at_some_steps_is_one_row_of_numbers():
    loss = mg.Graph(detached_at_two_steps())
    figure = draw(loss, view="unfolded", overlay="jacobian", steps=6)
    words = [t.words for t in figure.scene.texts]
    assert words.count("‖∂h(t)/∂h(t−1)‖2") == 1
    found = {t: v for series in figure.data.values() for t, v in series.items()}
    assert sorted(found) == [1, 2, 3, 4, 5, 6]
    assert [t for t, v in found.items() if v == 0.0] == [3, 5]
    rows = {t.y for t in figure.scene.texts if t.words in map(short, found.values())}
    assert len(rows) == 1


def test_two_values_of_one_name_and_step_are_two_rows():
    W, h = mg.parameter(np.eye(2), name="W"), mg.tensor(np.ones((1, 2)), name="h0")
    for _ in mg.steps(3):
        h = mg.relu(mg.tanh(h @ W).named("h")).named("h")
    texts = draw(h.sum(), overlay="value").scene.texts
    assert len({t.y for t in texts if t.words == "‖h(t)‖"}) == 2


def test_where_no_state_has_one_before_it_there_is_no_jacobian():
    W, h = mg.parameter(np.ones((2, 3)), name="W"), mg.ones((1, 2)).named("h0")
    names = ["a", "b", "c"]
    for t in mg.steps(3):
        h = mg.tanh(h @ W[:, :2]).named(names[t - 1])
    with pytest.raises(ValueError, match="no state has a value of the same shape"):
        draw(h.sum(), view="unfolded", overlay="jacobian")


def test_luminance_is_that_of_the_standard():
    known = {"#FFFFFF": 1.0, "#000000": 0.0, "#FF0000": 0.2126, "#00FF00": 0.7152}
    known |= {"#0000FF": 0.0722, "#808080": 0.21586, "#0A0A0A": 10 / 255 / 12.92}
    for colour, light in known.items():
        assert luminance(colour) == pytest.approx(light, abs=1e-5)


def test_colours_are_those_of_the_map_and_between_two_of_them_their_mean():
    colours = CIVIDIS.split()
    found = [mixed(k / (len(colours) - 1)) for k in range(len(colours))]
    assert found == [f"#{colour}" for colour in colours]
    assert mixed(0.5 / (len(colours) - 1)) == "#00285C"  # of 00224E and 002D6B


def test_the_colour_bar_runs_over_whole_decades():
    figure = draw(networks.linear(0.5), overlay="grad", steps=20)
    numbers = figure.data["h"].values()
    low, high = np.floor(np.log10(min(numbers))), np.ceil(np.log10(max(numbers)))
    bar = [f for f in figure.scene.frames if f.fill]
    assert len(bar) == SWATCHES
    assert [f.fill for f in (bar[0], bar[-1])] == [mixed(0.5 / 24), mixed(23.5 / 24)]
    left, right = bar[0].box[0], bar[-1].box[2]
    assert all(a.box[2] == pytest.approx(b.box[0]) for a, b in pairwise(bar))
    told = {t.words: t for t in figure.scene.texts if t.words.startswith("10")}
    decades = range(int(low), int(high) + 1)
    assert {*told} == {f"10{d}".replace("-", "−") for d in decades}
    for d in decades:
        at = told[f"10{d}".replace("-", "−")]
        assert at.x == pytest.approx(
            left + (right - left) * (d - low) / (high - low), abs=0.02
        )
        assert at.box[3] < bar[0].box[1] + 1
    nodes = [n for n in figure.scene.nodes if n.t is not None]
    assert max(f.box[3] for f in bar) < min(n.y - n.height / 2 for n in nodes)


def test_of_many_decades_some_are_written():
    figure = draw(networks.linear(1e-3), overlay="grad", steps=20)
    told = [t.words for t in figure.scene.texts if t.words.startswith("10")]
    exponents = [int(words[2:].replace("−", "-")) for words in told]
    assert len(told) in range(6, 11)
    assert len({*np.diff(exponents)}) == 1


def test_numbers_stand_below_their_columns_and_their_title_before_them():
    figure = draw(networks.many_to_many(4), overlay="grad")
    at = {n.t: n for n in figure.scene.nodes if n.name == "h"}
    row = {t.words: t for t in figure.scene.texts}
    for t, value in figure.data["h"].items():
        assert row[short(value)].x == pytest.approx(at[t].x, abs=0.02)
        assert row[short(value)].y < min(n.y for n in figure.scene.nodes) - 23
    title = row["‖∂L/∂h(t)‖"]
    assert title.x < at[1].x
    assert title.y == row[short(figure.data["h"][1])].y


def test_the_title_of_a_jacobian_says_which_norm_and_which_step_before():
    words = [t.words for t in draw(networks.skip(), overlay="jacobian").scene.texts]
    assert "‖∂h(t)/∂h(t−1)‖2" in words
