"""Places in rows: few crossings, nothing in the way, trees as trees."""

import pytest

from minigrad.draw.textbook.chart import Arrow
from minigrad.draw.textbook.lanes import places


def placed(rows, *ways, later=()):
    """The places of keys in rows from low to high; a way is two keys."""
    level = {key: i for i, row in enumerate(rows) for key in row}
    return places([*level], level, [Arrow(*way) for way in ways], later)


def test_arrows_do_not_cross_where_they_need_not():
    found = placed(["ab", "cd"], "ad", "bc")
    assert (found["a"] - found["b"]) * (found["d"] - found["c"]) > 0
    assert found["a"] == found["d"]
    assert found["b"] == found["c"]


def test_an_arrow_leads_past_a_circle_and_not_through_it():
    found = placed(["a", "b", "c"], "ab", "bc", "ac")
    assert abs(found["b"] - (found["a"] + found["c"]) / 2) >= 0.5


def test_what_is_alone_in_its_row_stands_in_the_middle():
    assert placed(["a", "b", "c"], "ab", "bc") == {"a": 0, "b": 0, "c": 0}
    found = placed(["x", "fi", "c"], "xf", "xi", "fc", "ic")
    assert (found["x"], found["c"]) == (0, 0)
    assert (found["f"], found["i"]) == (-0.5, 0.5)  # in their order


def test_level_arrows_lead_to_the_right():
    found = placed(["ab"], "ba")
    assert found["b"] < found["a"]


@pytest.mark.parametrize("delay", [1, -1])
def test_a_state_stands_on_the_side_where_its_steps_go_on(delay):
    later = [Arrow("h", "h", delay=delay)]
    found = placed(["x", "gh", "o"], "xg", "xh", "go", "ho", later=later)
    assert (found["h"] - found["g"]) * delay > 0
    other = placed(["x", "hg", "o"], "xg", "xh", "go", "ho", later=later)
    assert (other["h"] - other["g"]) * delay > 0


def test_a_tree_has_its_leaves_side_by_side_and_parents_over_their_children():
    found = placed(["abcd", "pq", "r"], "ap", "bp", "cq", "dq", "pr", "qr")
    assert found == {
        "a": -1.5, "b": -0.5, "c": 0.5, "d": 1.5, "p": -1.0, "q": 1.0, "r": 0.0,
    }  # fmt: skip
    # A subtree is as wide as its leaves, and the root is over the middle.
    found = placed(["abc", "pd", "r"], "ap", "bp", "cp", "pr", "dr")
    assert [found[k] - found["a"] for k in "abcpd"] == [0, 1, 2, 1, 3]
    assert found["r"] == 0
    assert found["r"] - found["p"] == found["d"] - found["r"]


def test_four_values_or_two_roots_or_a_shared_child_are_no_tree():
    two = placed(["abc", "pq"], "ap", "bp", "cq")
    assert len(set(two.values())) <= len(two)
    assert two["c"] == two["q"]
    shared = placed(["ab", "pqr"], "ap", "aq", "bq", "br")
    assert shared["p"] < shared["q"] < shared["r"]
    assert shared["a"] < shared["b"]
