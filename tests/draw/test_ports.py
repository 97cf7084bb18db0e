"""Ports: where arrows meet a circle, apart from one another."""

from itertools import combinations
from math import pi

import pytest

from minigrad.draw.textbook.ports import push_apart, spread


@pytest.mark.parametrize(
    ("wishes", "busy", "places"),
    [
        ([], False, []),
        ([3], False, [0]),
        ([-3, 3], False, [-9, 9]),
        ([1, 2, 3], False, [-13, 0, 13]),
        ([1, 2, 3, 4], False, [-15, -5, 5, 15]),
        ([1, 2, 3, 4, 5], False, [-18, -9, 0, 9, 18]),
        ([-1, 0], False, [-11, 0]),
        ([0, 1], False, [0, 11]),
        ([-2, -1, 0, 1, 2], False, [-20, -10, 0, 10, 20]),
        ([-3, -2, -1, 0], False, [-20, -13.5, -7, 0]),
        ([0, 1, 2, 3], False, [0, 7, 13.5, 20]),
        ([1], True, [16]),
        ([-1], True, [-16]),
        ([-2, -1, 1, 2], True, [-20, -12, 12, 20]),
    ],
)
def test_ports_stand_apart_and_leave_the_middle_to_what_is_level(wishes, busy, places):
    assert spread(wishes, busy) == places


def angles(*ends, need=0.3):
    around = [[angle, fixed, None] for angle, fixed in ends]
    push_apart(around, need)
    return [angle for angle, *_ in around]


def test_ends_that_are_too_close_share_the_way_apart():
    assert angles((0.0, False), (0.1, False)) == pytest.approx([-0.1, 0.2])
    assert angles((0.1, False), (0.0, False)) == pytest.approx([0.2, -0.1])


def test_an_end_that_is_fixed_stays():
    assert angles((0.0, True), (0.1, False)) == pytest.approx([0.0, 0.3])
    assert angles((0.0, False), (0.1, True)) == pytest.approx([-0.2, 0.1])
    assert angles((0.0, True), (0.1, True)) == [0.0, 0.1]


def test_ends_that_are_far_enough_stay():
    assert angles((0.0, False), (0.3, False), (-1.0, False)) == [0.0, 0.3, -1.0]


def test_angles_close_behind_a_full_turn():
    a, b = angles((pi - 0.05, False), (-pi + 0.05, False))
    assert (b - a) % (2 * pi) == pytest.approx(0.3)
    assert (a + b) / 2 == pytest.approx(0.0)


def test_many_ends_push_one_another():
    found = sorted(angles(*((0.05 * k, False) for k in range(5))))
    assert all(b - a > 0.29 for a, b in combinations(found, 2))
    assert sum(found) / 5 == pytest.approx(0.1)
