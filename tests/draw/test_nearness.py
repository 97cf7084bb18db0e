"""Which arrow a letter belongs to: what is measured, and planted faults."""

import numpy as np
import pytest

from minigrad.draw.page.curves import point_at, sample, straight
from minigrad.draw.page.nearness import dense, doubts, gaps, ink, overlaps
from minigrad.draw.page.scene import Edge, Node, Run, Scene, Text

CURVE = ((0, 0), (40, 90), (80, -90), (120, 0), (160, 90), (200, 0), (210, 0))


def word(text, *more):
    return ((Run(text, "bold", 18.0), *more),)


def scene_of(*texts, thickness=1.0, height=25.0):
    edges = (
        Edge("a", "b", straight((0, 0), (60, 0)), id="own", head=False),
        Edge(
            "c",
            "d",
            straight((0, height), (60, height)),
            id="other",
            head=False,
            thickness=thickness,
        ),
    )
    return Scene((Node("n", 90.0, 0.0, 46.0, 46.0),), edges, texts)


def wrong(scene):
    return [(doubt.what, doubt.other) for doubt in doubts(scene)]


def test_points_along_a_curve_are_on_it_and_close():
    points = dense(CURVE)
    assert np.hypot(*np.diff(points, axis=0).T).max() <= 2.0
    on = np.array(sample(CURVE, 2000))
    assert max(np.hypot(*(on - p).T).min() for p in points) < 0.1
    assert tuple(points[0]) == CURVE[0]
    assert tuple(points[-1]) == CURVE[-1]
    middle = np.array(point_at(CURVE, 0.25))
    assert np.hypot(*(points - middle).T).min() < 1.1


def test_a_box_is_as_far_from_a_point_as_its_nearest_corner_or_side():
    box = np.array([[0.0, 0.0, 10.0, 4.0]])
    points = np.array([[5.0, 2.0], [13.0, 8.0], [5.0, -2.0], [-7.0, 1.0]])
    assert gaps(box, points).tolist() == [[0.0, 5.0, 2.0, 7.0]]


def test_boxes_overlap_when_they_are_nearer_than_asked():
    a, b = np.array([[0.0, 0.0, 1.0, 1.0]]), np.array([[3.0, 0.0, 4.0, 1.0]])
    assert not overlaps(a, b, 1.9)[0, 0]
    assert overlaps(a, b, 2.1)[0, 0]
    nowhere = np.full((1, 4), np.nan)
    assert not overlaps(a, nowhere, 2.1)[0, 0]


def test_ink_knows_subscripts_and_letters_without_ascenders():
    plain, low = ink(word("W")), ink(word("W", Run("f", "italic", 11.0, -4.0)))
    assert low.down > plain.down
    assert low.bare == plain.bare
    assert low.aside > plain.aside
    assert ink(word("x")).up < plain.up
    assert ink(word("y")).down > plain.down
    two = ink((word("W")[0], word("U")[0]))
    assert two.up > 1.5 * plain.up
    assert two.down > 1.5 * plain.down


def test_a_letter_beside_its_own_arrow_is_in_no_doubt():
    assert wrong(scene_of(Text(30.0, -10.0, word("W"), edge="own"))) == []


@pytest.mark.parametrize(
    ("y", "what", "other"),
    [
        (12.0, "near", "other"),
        (0.0, "struck", "own"),
        (24.0, "struck", "other"),
    ],
)
def test_a_letter_at_another_arrow_or_struck_is_in_doubt(y, what, other):
    assert wrong(scene_of(Text(30.0, y, word("W"), edge="own"))) == [(what, other)]


def test_a_letter_on_its_own_line_is_right_on_a_patch_of_paper():
    assert wrong(scene_of(Text(30.0, 0.0, word("W"), edge="own", backed=True))) == []


def test_a_letter_on_an_outline_or_on_a_text_is_in_doubt():
    on_circle = Text(75.0, -15.0, word("W"), edge="own")
    assert ("on outline", "n") in wrong(scene_of(on_circle))
    both = (Text(x, -10.0, word(k), edge="own") for x, k in ((30.0, "W"), (38.0, "U")))
    assert wrong(scene_of(*both)) == [("on text", "U"), ("on text", "W")]


def test_a_thick_line_is_nearer_than_its_middle():
    text = Text(30.0, 10.0, word("W"), edge="own")
    assert wrong(scene_of(text, height=27.0)) == []
    assert wrong(scene_of(text, height=27.0, thickness=8.0)) == [("near", "other")]


def test_texts_that_belong_to_no_arrow_are_not_judged():
    assert wrong(scene_of(Text(30.0, 24.0, word("W")))) == []
