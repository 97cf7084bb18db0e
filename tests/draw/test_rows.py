"""Layers of random graphs: everything upwards, apart, and main paths straight."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad.draw.ops.rows import BETWEEN, PASSAGE, arrange


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 14))
    widths = {k: draw(st.sampled_from([20.0, 50.0, 90.0])) for k in range(count)}
    reads = {
        k: draw(st.lists(st.integers(0, k - 1), max_size=3)) for k in range(1, count)
    }
    groups = {k: draw(st.sampled_from([None, "a", "b"])) for k in range(count)}
    return widths, reads, groups


@settings(max_examples=150, deadline=None)
@given(graph=graphs())
def test_boxes_and_passages_stand_apart_in_rows_that_go_up(graph):
    widths, reads, groups = graph
    layers = arrange(widths, reads, groups)
    assert layers.ranks.keys() == layers.xs.keys() == widths.keys()
    rows = {}
    for place, x in layers.xs.items():
        rows.setdefault(layers.ranks[place], []).append((x, widths[place]))
        assert widths[place] / 2 - 0.01 <= x <= layers.width - widths[place] / 2 + 0.01
    for (source, target), way in layers.passages.items():
        assert len(way) == layers.ranks[target] - layers.ranks[source] - 1 >= 0
        for k, x in enumerate(way, layers.ranks[source] + 1):
            rows.setdefault(k, []).append((x, 0.0))
    for row in rows.values():
        for (a, wide), (b, other) in pairwise(sorted(set(row))):
            least = BETWEEN if wide and other else PASSAGE
            assert b - a >= (wide + other) / 2 + least - 0.02


def test_the_longest_path_is_straight():
    reads = {"a": ["x", "p"], "b": ["a", "q"], "c": ["b"], "d": ["c", "x"]}
    widths = dict.fromkeys("xpaqbcd", 40.0)
    layers = arrange(widths, reads)
    assert len({layers.xs[place] for place in "abcd"}) == 1
    assert [layers.mains[place] for place in "dcb"] == ["c", "b", "a"]


def test_operands_stand_in_the_order_in_which_they_are_read():
    for order in (["p", "q"], ["q", "p"]):
        layers = arrange(dict.fromkeys("pqr", 30.0), {"r": order})
        assert layers.xs[order[0]] < layers.xs[order[1]]


def test_what_is_read_in_a_circle_is_refused():
    with pytest.raises(ValueError, match="in a circle"):
        arrange({"a": 9.0, "b": 9.0}, {"a": ["b"], "b": ["a"]})
