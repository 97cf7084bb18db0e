"""Which arrow a letter belongs to: what is measured, and planted faults."""

import numpy as np
import pytest

from minigrad.draw.page.curves import point_at, polyline, sample, straight
from minigrad.draw.page.nearness import (
    Ground,
    along,
    covered,
    dense,
    gaps,
    ink,
    nearest,
    overlaps,
)
from minigrad.draw.page.scene import Edge, Frame, Node, Run

CURVE = ((0, 0), (40, 90), (80, -90), (120, 0), (160, 90), (200, 0), (210, 0))


def word(text, *more):
    return ((Run(text, "bold", 18.0), *more),)


def test_points_along_a_curve_are_on_it_and_close():
    points = dense([CURVE])[1]
    assert np.hypot(*np.diff(points, axis=0).T).max() <= 2.0
    on = np.array(sample(CURVE, 2000))
    assert max(np.hypot(*(on - p).T).min() for p in points) < 0.1
    assert tuple(points[0]) == CURVE[0]
    assert tuple(points[-1]) == CURVE[-1]
    middle = np.array(point_at(CURVE, 0.25))
    assert np.hypot(*(points - middle).T).min() < 1.1
    assert np.array_equal(along(CURVE), points)
    with pytest.raises(ValueError, match="read-only"):
        along(CURVE)[0] = 0


def test_a_box_is_as_far_from_a_point_as_its_nearest_corner_or_side():
    box = np.array([[0.0, 0.0, 10.0, 4.0]])
    points = np.array([[5.0, 2.0], [13.0, 8.0], [5.0, -2.0], [-7.0, 1.0]])
    assert gaps(box, points).tolist() == [[0.0, 5.0, 2.0, 7.0]]
    boxes = np.array([[0.0, 0.0, 10.0, 4.0], [12.0, 0.0, 14.0, 9.0]])
    assert nearest(boxes, points[1:]).tolist() == [2.0, 0.0]


def test_a_box_has_the_points_within_it_and_on_its_sides():
    boxes = np.array([[0.0, 0.0, 10.0, 4.0], [12.0, 0.0, 14.0, 9.0]])
    sides = [(0, 2), (10, 2), (5, 0), (5, 4)]
    beside = [(-0.1, 2), (10.1, 2), (5, -0.1), (5, 4.1), (13, 9.1)]
    points = np.array([(5, 2), *sides, *beside, (13, 3)], dtype=float)
    assert covered(boxes, points).tolist() == [5, 1]


def test_boxes_overlap_when_they_are_nearer_than_asked():
    a, b = np.array([[0.0, 0.0, 1.0, 1.0]]), np.array([[3.0, 0.0, 4.0, 1.0]])
    assert not overlaps(a, b, 1.9)[0, 0]
    assert overlaps(a, b, 2.1)[0, 0]
    nowhere = np.full((1, 4), np.nan)
    assert not overlaps(a, nowhere, 2.1)[0, 0]


def test_ink_knows_subscripts_and_letters_without_ascenders():
    plain, low = ink(word("W")), ink(word("W", Run("f", "italic", 11.0, -4.0)))
    assert low.whole[1] < plain.whole[1]
    assert low.size[0] > plain.size[0]
    wide = plain.bare[2] - plain.bare[0]
    assert low.bare[2] - low.bare[0] == pytest.approx(wide, abs=0.01)
    assert (low.bare[0], low.bare[1]) == (low.whole[0], plain.bare[1])
    assert ink(word("x")).whole[3] < plain.whole[3]
    assert ink(word("y")).whole[1] < plain.whole[1]
    two = ink((word("W")[0], word("U")[0]))
    assert two.size[1] > 1.5 * plain.size[1]


def line(y, id, **facts):
    curve = straight((0, y), (60, y))
    return Edge("a", "b", curve, id=id, head=False, part="unfolded", **facts)


AROUND = np.array([-99.0, -99.0, 99.0, 99.0])


def heights(*edges, of=0):
    """The heights at which lines are foreign to one of some level arrows."""
    ground = Ground([], edges)
    points, _ = ground.foreign(edges[of], ground.own(edges[of]), AROUND)
    return set(points[:, 1].round(6))


def test_every_other_line_is_foreign_though_it_has_the_same_letters():
    assert heights(line(0, "a"), line(9, "b"), line(20, "c")) == {9.0, 20.0}
    same = {"parameters": ("W",), "home": "h>h"}
    assert heights(line(0, "a", **same), line(9, "b", **same)) == {9.0}


def test_arrows_of_one_net_with_the_same_letters_are_kin():
    net = {"net": "n", "parameters": ("W",)}
    assert heights(line(0, "a", **net), line(9, "b", **net)) == set()
    other = net | {"parameters": ("U",)}
    assert heights(line(0, "a", **net), line(9, "b", **other)) == {9.0}


def test_what_sisters_with_other_letters_share_is_foreign_to_both():
    trunk = polyline((0, 0), (60, 0), (60, 40))
    drop = straight((60, 10), (60, 40))
    net = {"net": "n", "part": "unfolded"}
    first = Edge("a", "b", trunk, id="1", parameters=("W",), own=drop, **net)
    second = line(20, "2", net="n", parameters=("U",))
    ground = Ground([], [first, second])
    points, of = ground.foreign(first, ground.own(first), AROUND)
    assert {tuple(p) for p in points[of == 0]} >= {(0.0, 0.0), (60.0, 0.0)}
    assert not any(y > 10 for _, y in points[of == 0])


def test_the_halves_of_a_loop_are_one_arrow():
    half = {"part": "folded", "home": "h>h"}
    a, b = (
        Edge("a", "b", straight((0, y), (60, y)), id=f"{y}", **half) for y in (0, 9)
    )
    assert len(Ground([], [a, b]).kin(a)) == 2


@pytest.mark.parametrize("head", [True, False])
def test_the_corners_of_a_head_are_part_of_a_line(head):
    arrow = Edge("a", "b", straight((0, 0), (60, 0)), id="1", head=head)
    ground = Ground([], [arrow, line(50, "2")])
    points, _ = ground.foreign(ground.edges[1], ground.own(ground.edges[1]), AROUND)
    assert (abs(points[:, 1]).max() > 3) == head


def test_a_thick_line_is_nearer_than_its_middle():
    box = np.array([[20.0, -20.0, 40.0, -10.0]])
    for thickness, near in ((1.0, 10.0), (5.0, 7.6)):
        ground = Ground([], [line(0, "1", thickness=thickness), line(50, "2")])
        other = ground.edges[1]
        found = ground.foreign(other, ground.own(other), AROUND)
        assert ground.from_lines(box, *found).min() == pytest.approx(near, abs=0.05)


def test_outlines_are_as_far_as_their_rim():
    nodes = [
        Node("c", 0, 0, 40, 40),
        Node("s", 100, 0, 9, 9, shape="square"),
        Node("o", 200, 0, 80, 40, shape="oval"),
        Node("t", 30, 0, 9, 9, shape="text"),
    ]
    box = np.array([[30.0, -5.0, 50.0, 5.0]])
    assert Ground(nodes, []).from_outlines(box)[0] == pytest.approx(
        [10, 45.5, 55], abs=1
    )


def test_frames_have_borders_and_swatches_have_none():
    frames = [Frame((0, 0, 20, 10)), Frame((0, 0, 99, 99), fill="#fff")]
    assert Ground([], [], frames).borders.max(axis=0) == pytest.approx([20, 10])
