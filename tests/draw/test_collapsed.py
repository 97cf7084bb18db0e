"""Values that read the same and are read by the same, as one circle."""

from dataclasses import replace

import numpy as np
import pytest

import minigrad as mg
from minigrad.draw import draw
from minigrad.draw.textbook.collapsed import collapsed
from minigrad.draw.textbook.reading import read
from minigrad.graph import Graph
from tests.draw import networks


def mutual(count, length=6):
    """States that feed one another by a matrix each."""
    rng = np.random.default_rng(0)

    def parameter(name):
        return mg.parameter(rng.normal(size=(3, 3)) * 0.3, name=name)

    names = "abcdef"[:count]
    W = {(p, q): parameter(f"W_{p}{q}") for p in names for q in names}
    U, V = ({p: parameter(f"{k}_{p}") for p in names} for k in "UV")
    states = {p: mg.tensor(np.zeros((2, 3)), name=f"{p}0") for p in names}
    total = 0
    for _, x in mg.steps(rng.normal(size=(length, 2, 3))):
        states = {
            q: mg.tanh(x @ U[q] + sum(states[p] @ W[p, q] for p in names)).named(q)
            for q in names
        }
        o = sum(states[p] @ V[p] for p in names).named("o")
        total = total + (o * o).sum().named("L")
    return total


def words(line):
    return "".join(run.text for run in line)


def test_states_that_feed_one_another_become_one_with_all_their_parameters():
    chart = read(Graph(mutual(3)))
    small = collapsed(chart)
    assert small.merged == 3
    found = {words(s.label) for s in small.symbols}
    assert found == {"x", "a, b, c(0)", "a, b, c", "o", "L"}
    before = {name for arrow in chart.arrows for name in arrow.labels}
    assert {name for arrow in small.arrows for name in arrow.labels} == before
    assert len(small.arrows) < len(chart.arrows)
    assert [s.stands_for.state for s in small.symbols if s.stands_for] == ["a"]


def test_more_than_three_are_the_first_and_the_last():
    small = collapsed(read(Graph(mutual(4))))
    assert "a … d" in [words(s.label) for s in small.symbols]


@pytest.mark.parametrize("name", ["many_to_many", "output_feedback", "many_to_one"])
def test_networks_without_such_values_stay_as_they_are(name):
    chart = read(Graph(getattr(networks, name)()))
    assert collapsed(chart) == chart


def test_what_has_another_span_or_other_readers_stays_apart():
    chart = read(Graph(mutual(2)))
    assert collapsed(chart).merged == 2
    fewer = [a for a in chart.arrows if (a.source, a.target) != ("x", "a")]
    assert collapsed(replace(chart, arrows=tuple(fewer))).merged == 0


def test_too_many_letters_are_drawn_on_fewer_arrows_and_the_figure_says_so():
    figure = draw(mutual(4), engine="pure")
    said = "4 values that read the same and are read by the same are one circle"
    assert said in [text.words for text in figure.scene.texts]
    names = {n.name for n in figure.scene.nodes if n.part == "folded"} - {""}
    assert names == {"x", "a", "o", "L"}
    found = {name for edge in figure.scene.edges for name in edge.parameters}
    assert len(found) == 4 * 4 + 4 + 4
    assert figure.audit() == []


def test_the_nine_matrices_of_three_states_have_each_its_place():
    figure = draw(mutual(3), engine="pure")
    found = {text.words for text in figure.scene.texts}
    assert found >= {f"W{p}{q}" for p in "abc" for q in "abc"}
    assert figure.audit() == []


def test_numbers_of_single_circles_are_drawn_all_the_same():
    figure = draw(mutual(4), values=True, engine="pure")
    assert {"a", "b", "c", "d"} <= {n.name for n in figure.scene.nodes}
    assert figure.audit() == []
