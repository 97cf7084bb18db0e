"""Cuts: what arrows across a gap keep, and where the dots stand."""

from math import hypot, sqrt

import pytest

from minigrad.draw.page.curves import HEAD, polyline, straight
from minigrad.draw.page.scene import Run, extent
from minigrad.draw.textbook.cut import GAP, Cut, halves, has_room, heights_of_dots

CUT = Cut(30.0, before=24.0, after=16.0)


def test_what_is_right_of_a_cut_moves():
    assert [CUT.moved(x) for x in (-5.0, 30.0, 30.5)] == [-5.0, 30.0, 30.5 + GAP]
    # The dots stand halfway between the ends of what is cut there.
    left, right, _ = halves(straight((0, 0), (60, 0)), CUT)
    assert CUT.middle == (left[-1][0] + right[0][0]) / 2


@pytest.mark.parametrize("back", [False, True])
def test_both_ends_go_on_in_their_direction(back):
    ends = ((0, 100), (60, 160))
    left, right, level = halves(straight(*(ends[::-1] if back else ends)), CUT)
    if back:
        left, right = left[::-1], right[::-1]
    assert (left[0], right[-1]) == ((0, 100), (60 + GAP, 160))
    assert left[-1] == pytest.approx((30 + 24 / sqrt(2), 130 + 24 / sqrt(2)))
    assert right[0] == pytest.approx((30 + GAP - 16 / sqrt(2), 130 - 16 / sqrt(2)))
    assert level == pytest.approx((left[-1][1] + right[0][1]) / 2)


def test_what_is_on_one_side_is_not_cut():
    low, high = straight((0, 5), (30, 5)), straight((31, 5), (40, 9))
    assert halves(low, CUT) == (low, (), None)
    left, right, level = halves(high, CUT)
    assert (left, level) == ((), None)
    assert right == tuple((x + GAP, y) for x, y in high)


def test_a_curve_of_pieces_is_cut_once():
    left, right, level = halves(polyline((0, 0), (20, 0), (20, 50), (60, 50)), CUT)
    assert left[:7] == polyline((0, 0), (20, 0), (20, 50))
    assert (left[-1], right[0], right[-1]) == ((54, 50), (14 + GAP, 50), (60 + GAP, 50))
    assert level == 50


def test_one_that_crosses_upright_is_cut_where_it_is():
    upright = ((0, 100), (60, 120), (0, 140), (60, 160))
    assert halves(upright, CUT)[2] == pytest.approx(130)


@pytest.mark.parametrize(
    ("levels", "heights"),
    [
        ([], []),
        ([100.0, 106.0, 140.0], [103.0, 140.0]),
        ([112.0, 100.0, 106.0, 106.0], [106.0]),  # each is close to the next
        ([0.0, 8.5], [0.0, 8.5]),
        ([-6.0, 0.0], [-3.0]),
    ],
)
def test_dots_of_arrows_that_are_close_stand_once(levels, heights):
    assert heights_of_dots(levels) == heights


def test_letters_stand_on_half_an_arrow_if_it_is_as_long_as_they_are():
    letters = ((Run("WW", "bold", 18.0),),)
    wide = extent(letters)[0] + HEAD
    bent = polyline((0, 0), (10, 0), (10, wide - 10))
    assert has_room(bent, letters)
    assert not has_room(straight((0, 0), (0, wide - 0.1)), letters)
    assert not has_room((), letters)
    assert hypot(10, wide - 10) < wide  # along the way, and not as the crow flies
