"""Places in rows: few crossings, nothing in the way, trees as trees."""

import pytest

from minigrad.draw.textbook.chart import Arrow
from minigrad.draw.textbook.lanes import _Search, places


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


def search(at, *ways, later=()):
    """A search whose keys stand at (lane, row)."""
    level = {key: row for key, (_, row) in at.items()}
    found = _Search([*at], level, [Arrow(*way) for way in ways], later)
    found.lane = {key: lane for key, (lane, _) in at.items()}
    return found


def test_arrows_cross_where_both_pass_each_other():
    ends = {"p": (0, 0), "q": (1, 1), "u": (1, 0), "v": (0, 1)}
    a, b = Arrow("p", "q"), Arrow("u", "v")
    assert search(ends, "pq", "uv")._cross(a, b)
    # One that would meet the other's way beyond its end does not cross it.
    beyond = ends | {"u": (2, 0), "v": (1, 2)}
    assert not search(beyond, "pq", "uv")._cross(a, b)
    assert not search(beyond, "pq", "uv")._cross(b, a)


@pytest.mark.parametrize(
    ("lane", "row", "blocked"),
    [(0, 1, True), (0.4, 1, True), (-0.4, 2, True), (0.5, 1, False), (0, 4, False)],
)
def test_a_circle_blocks_an_arrow_that_it_is_near(lane, row, blocked):
    at = {"a": (0, 0), "c": (0, 3), "k": (lane, row)}
    assert search(at, "ac")._blocked(Arrow("a", "c")) == blocked


def test_left_and_right_are_alike_and_so_are_all_places_of_a_whole():
    # In a row of its own nothing has an order to keep.
    right, left = (search({"a": (0, 0), "b": (x, 1)}, "ab") for x in (1, -1))
    assert right.cost() == left.cost()
    later = [Arrow("h", "h", delay=1), Arrow("g", "h", delay=-1)]
    at = {"x": (0, 0), "y": (1, 0), "g": (-1, 1), "h": (0.5, 1), "k": (2, 1)}
    here, there = (
        search(
            {k: (x + by, row) for k, (x, row) in at.items()}, "xg", "yh", later=later
        )
        for by in (0, 7)
    )
    assert here.cost() == pytest.approx(there.cost())


def test_many_values_stand_over_what_they_read_without_a_search():
    low, high = ([f"{k}{i}" for i in range(20)] for k in "xh")
    level = {key: int(key[0] == "h") for key in (*low, *high)}
    ways = [Arrow(f"x{i}", f"h{19 - i}") for i in range(20)]
    found = places([*low, *high], level, ways, [])
    assert all(found[f"x{i}"] == found[f"h{19 - i}"] for i in range(20))
    assert sorted(found[k] for k in low) == [i - 9.5 for i in range(20)]
