"""Letters find places where no other arrow can claim them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minigrad.draw.page.curves import HEAD, clipped, polyline, rounded, straight
from minigrad.draw.page.labels import Wish, place
from minigrad.draw.page.scene import Edge, Frame, Node, Run, Scene, Text
from minigrad.draw.render.audit import faults


def word(text):
    return ((Run(text, "bold", 18.0),),)


def circle(id, x, y):
    return Node(id, x, y, 46.0, 46.0)


def arrow(id, curve, letters=(), **facts):
    facts = {"tail": "a", "tip": "b", "part": "unfolded"} | facts
    return Edge(points=curve, id=id, parameters=tuple(letters), **facts)


def solved(nodes, edges, texts=(), frames=(), **wish):
    wishes = [
        Wish(word(", ".join(e.parameters)), e.id, **wish) for e in edges if e.parameters
    ]
    found = place(wishes, nodes, edges, texts, frames)
    return Scene(tuple(nodes), tuple(edges), (*texts, *found), tuple(frames))


def test_one_arrow_has_its_letter_above_its_middle():
    scene = solved([], [arrow("W", straight((0, 0), (60, 0)), "W")])
    (text,) = scene.texts
    assert abs(text.x - (60 - HEAD) / 2) < 2
    assert 8 < text.y < 12
    assert text.edge == "W"
    assert not text.backed
    assert not faults(scene)


def test_a_vertical_arrow_has_its_letter_to_the_right():
    (text,) = solved([], [arrow("W", straight((0, 0), (0, 60)), "W")]).texts
    assert text.x > 10
    assert abs(text.y - 26) < 4


def test_below_tries_the_lower_side_first():
    (text,) = solved([], [arrow("W", straight((0, 0), (60, 0)), "W")], below=True).texts
    assert text.y < -5


def test_two_arrows_that_cross_keep_their_letters():
    edges = [
        arrow("W", straight((0, 0), (80, 80)), "W"),
        arrow("U", straight((0, 80), (80, 0)), "U"),
    ]
    assert not faults(solved([], edges))


@pytest.mark.parametrize("apart", [9.0, 12.0, 18.0])
def test_parallel_arrows_have_their_letters_on_the_outer_sides(apart):
    """A backward arrow runs 9 pt beside a forward one."""
    edges = [
        arrow("W", straight((0, 0), (70, 0)), "W"),
        arrow("G", straight((70, apart), (0, apart)), "G"),
    ]
    scene = solved([], edges)
    below, above = scene.texts
    assert below.y < 0
    assert above.y > apart
    assert not faults(scene)


def test_three_parallel_arrows_leave_the_inner_one_its_line_alone():
    edges = [
        arrow(name, straight((0, y), (70, y)), name)
        for name, y in (("A", 0), ("B", 9), ("C", 18))
    ]
    scene = solved([], edges)
    assert [t.backed for t in scene.texts] == [False, True, False]
    assert not faults(scene)


def trunk(letters, apart=66.0, net="n"):
    """One value that drops into several circles; the first arrow draws the trunk."""
    nodes, edges = [circle("a", 0.0, -80.0)], []
    start = ((0.0, -57.0), (0.0, -40.0))
    for k, name in enumerate(letters):
        x = apart * (k + 1)
        nodes.append(circle(f"t{k}", x, 23.0))
        corners = (*(start if not k else ((x - apart, -40.0),)), (x, -40.0), (x, 0.0))
        curve = rounded(*corners, radius=5.0)
        edges.append(
            arrow(
                f"{k}",
                curve,
                [name],
                net=net,
                tip=f"t{k}",
                own=straight((x, -40), (x, 0)),
            )
        )
    return nodes, edges


def test_drops_of_one_trunk_have_each_its_own_letter():
    nodes, edges = trunk("WUVR")
    scene = solved(nodes, edges)
    assert not faults(scene)
    for edge, text in zip(edges, scene.texts, strict=True):
        x, low = edge.own[0]
        assert abs(text.x - x) < 20
        assert low < text.y < 0


def test_all_arrows_of_one_home_take_one_seat():
    nodes = [circle(f"h{t}", 96.0 * t, 0.0) for t in range(6)]
    edges = [
        arrow(f"h{t}", clipped(a, b), "W", home="h>h", tail=a.id, tip=b.id)
        for t, (a, b) in enumerate(pairwise(nodes))
    ]
    scene = solved(nodes, edges)
    seats = {(round(t.x - 96 * k, 6), t.y) for k, t in enumerate(scene.texts)}
    assert len(scene.texts) == 5
    assert len(seats) == 1


def test_one_that_has_no_room_with_its_sisters_stands_elsewhere():
    nodes = [circle(f"h{t}", 96.0 * t, 0.0) for t in range(4)]
    edges = [
        arrow(f"h{t}", clipped(a, b), "W", home="h>h", tail=a.id, tip=b.id)
        for t, (a, b) in enumerate(pairwise(nodes))
    ]
    texts = [Text(48.0, 12.0, word("HHH")), Text(144.0, -12.0, word("HHH"))]
    scene = solved(nodes, edges, texts)
    assert not faults(scene)
    first, second, third = scene.texts[2:]
    assert first.y < 0 < second.y == third.y


def test_a_self_loop_has_its_letter_beside_the_square_and_not_on_it():
    circle_ = circle("h", 0.0, 0.0)
    square = Node("s", 54.0, 0.0, 9.0, 9.0, shape="square")
    out = ((19.0, 13.0), (36.0, 34.0), (54.0, 30.0), (54.0, 4.5))
    into = ((54.0, -4.5), (54.0, -30.0), (36.0, -34.0), (19.0, -13.0))
    edges = [
        arrow("out", out, tail="h", tip="s", head=False, part="folded", home="h>h"),
        arrow("in", into, tail="s", tip="h", part="folded", home="h>h"),
    ]
    around = (*out, *straight(out[-1], into[0])[1:], *into[1:])
    wish = Wish(word("W"), "in", curve=around)
    texts = place([wish], [circle_, square], edges, [])
    scene = Scene((circle_, square), tuple(edges), tuple(texts))
    assert not faults(scene)
    assert texts[0].x > 54


def test_a_stub_that_is_too_short_has_no_letters():
    node = circle("h", 0.0, 0.0)
    edges = [
        arrow("h>", straight((23, 0), (33, 0)), "W", tail="h", tip="", head=False),
        arrow("near", polyline((20, 12), (40, 12), (40, -12), (20, -12))),
    ]
    assert not solved([node], edges).texts


def test_letters_keep_off_frames_texts_and_outlines():
    edges = [arrow("W", straight((0, 0), (80, 0)), "W")]
    frame = Frame((-40.0, -30.0, 120.0, 11.0))
    note = Text(36.0, -12.0, word("here"))
    (_, text) = solved([], edges, [note], [frame]).texts
    assert abs(text.x - 36) > 20
    assert text.y < 0


@pytest.mark.parametrize(("thickness", "side"), [(1.0, 1), (12.0, -1)])
def test_thick_arrows_push_letters_away(thickness, side):
    other = arrow("b", straight((0, 30), (60, 30)), thickness=thickness)
    scene = solved([], [arrow("W", straight((0, 0), (60, 0)), "W"), other])
    assert scene.texts[0].y * side > 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(*[st.integers(0, 12)] * 4).filter(lambda q: q[:2] != q[2:]),
        min_size=1,
        max_size=9,
        unique=True,
    )
)
def test_what_is_placed_is_beside_its_arrow_and_not_on_a_letter(ends):
    """Of any arrows: each has its letters once, at most 10 pt away, alone there."""
    edges = [
        arrow(f"{k}", straight((30 * a, 30 * b), (30 * c, 30 * d)), f"{k}")
        for k, (a, b, c, d) in enumerate(ends)
    ]
    scene = solved([], edges)
    assert [t.edge for t in scene.texts] == [e.id for e in edges]
    for edge, text in zip(edges, scene.texts, strict=True):
        points = np.array(straight(edge.points[0], edge.points[-1]))
        a, b = points[0], points[-1]
        u = (b - a) @ (np.array([text.x, text.y]) - a) / ((b - a) @ (b - a))
        off = np.hypot(*(a + np.clip(u, 0, 1) * (b - a) - (text.x, text.y)))
        assert off < 10 + 24
    assert place([Wish(word(e.id), e.id) for e in edges], [], edges, []) == list(
        scene.texts
    )
