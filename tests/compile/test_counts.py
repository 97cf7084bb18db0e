"""Counts and steps: integers that depend on the lengths of loops."""

from minigrad.compile.counts import Count, Steps, shape_at

WHOLE = Steps(0, Count(0, 1), Count(1, 0))


def test_counts_and_steps():
    assert Count(1, -2).at([10]) == 8
    assert str(Count(2, -1, 1)) == "2*T1-1"
    assert Count(1, 3).minus(Count(1, 1)) == Count(0, 2)
    assert Count(0, 3).minus(Count(1, 0, 1)) == Count(-1, 3, 1)
    assert Steps(0, Count(0, 2), Count(1, 0)).number == Count(1, -1)
    assert Steps(0, Count(1, -1), Count(1, 0)).number == 2
    assert [*WHOLE.moved(1).at([3])] == [2, 3, 4]


def test_a_shape_for_some_lengths():
    assert shape_at((Count(1, 1), 3, Count(2, 0, 1)), [4, 5]) == (5, 3, 10)


def test_a_count_as_source():
    assert Count(0, 3).code() == "3"
    assert Count(1, -1).code(["T"]) == "T - 1"
    assert Count(2, 1, 1).code(["T", "T1"]) == "2 * T1 + 1"
