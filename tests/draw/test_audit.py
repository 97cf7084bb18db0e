"""What the audit finds in planted faults, and that it finds nothing else."""

import dataclasses
import shutil

import numpy as np
import pytest

import minigrad as mg
from minigrad.draw import Figure, draw
from minigrad.draw.page.curves import polyline, straight
from minigrad.draw.page.nearness import sampled
from minigrad.draw.page.scene import Edge, Node, Run, Text, arranged
from minigrad.draw.render.audit import (
    Arrows,
    Shape,
    cells,
    faults,
    inside,
    letters,
    near,
    overlap,
    sticking_out,
)
from tests.draw import networks
from tests.draw.networks import NETWORKS, UNTIMED

ENGINES = ["pure"] + ["dot"] * bool(shutil.which("dot"))
WAYS = [
    {},
    {"steps": 3},
    {"view": "folded", "shapes": True},
    {"view": "unfolded", "params": "node", "biases": True},
    {"view": "backward", "biases": True},
    {"view": "ops", "shapes": True},
    {"index": "symbolic", "caption": "A caption\nof two lines"},
    {"overlay": "grad"},
]
W = ((Run("W", "bold", 18),),)


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_touches_what_it_should_not(name, way):
    assert draw(NETWORKS[name](9), **way).audit() == []


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", UNTIMED)
def test_graphs_without_time_are_clean_too(name, engine):
    assert draw(UNTIMED[name](), engine=engine, shapes=True).audit() == []


@pytest.mark.parametrize("depth", [0, 1, None])
def test_a_stacked_lstm_at_every_depth(depth):
    assert draw(networks.lstm(3, 2), view="ops", depth=depth).audit() == []


def told(nodes=(), edges=(), texts=(), **facts):
    """What is wrong with a scene of these things."""
    scene = arranged(nodes, edges, texts, **facts)
    return [(fault.what, fault.first, fault.second) for fault in faults(scene)]


def row(*xs, width=46.0, shape="circle"):
    return [Node("abcdef"[i], x, 0, width, 46, shape=shape) for i, x in enumerate(xs)]


def arrow(name, *ends, **facts):
    return Edge("", "", straight(*ends), id=name, **facts)


def test_a_scene_without_anything_is_clean():
    assert told() == told(row(0, 100)) == []


def test_two_circles_that_overlap():
    assert told(row(0, 44)) == [("node on node", "a", "b")]
    assert told(row(0, 46)) == []
    assert told(row(0, 0)) == [("node on node", "a", "b")]  # one alone is seen
    ovals = row(0, 75, width=80.0, shape="oval")
    assert told(ovals) == [("node on node", "a", "b")]
    assert told(row(0, 81, width=80.0, shape="oval")) == []


def test_letters_that_stick_out_of_their_outline():
    (a,) = row(0)
    wide = dataclasses.replace(a, lines=((Run("much too wide", "bold", 18),),))
    assert told([wide]) == [("text outside", "a: much too wide", "a")]
    assert told([dataclasses.replace(a, lines=W)]) == []


def test_letters_on_what_is_not_theirs():
    assert told(row(0), texts=[Text(0, 20, W)]) == [("label on node", "text 0: W", "a")]
    assert told(texts=[Text(0, 0, W), Text(9, 0, W)]) == [
        ("label on label", "text 0: W", "text 1: W")
    ]
    assert told(texts=[Text(0, 0, W), Text(30, 0, W)]) == []


def test_an_arrow_that_runs_through_what_is_not_its_own():
    through = Edge("a", "c", straight((23, 0), (177, 0)), id="a>c")
    assert told(row(0, 100, 200), [through]) == [("arrow through node", "a>c", "b")]
    nodes = row(0, 200)
    assert told(nodes, [through], [Text(100, 0, W)]) == [
        ("arrow on label", "a>c", "text 0: W")
    ]
    assert told(nodes, [through], [Text(100, 20, W)]) == []


def test_the_head_of_an_arrow_is_wider_than_its_shaft():
    edge = arrow("e", (0, 0), (100, 0))
    beside = Text(95.5, -0.45 * 18 - 1.3, W)  # struck by the corner of the head alone
    assert told(edges=[edge], texts=[beside]) == [("arrow on label", "e", "text 0: W")]
    bare = dataclasses.replace(edge, head=False)
    assert told(edges=[bare], texts=[beside]) == []


def test_letters_that_are_nearer_to_another_arrow():
    own, other = arrow("own", (0, 0), (100, 0)), arrow("other", (0, 40), (100, 40))
    for y, clean in ((12, True), (17, True), (19, False), (26, False)):
        found = told(edges=[own, other], texts=[Text(50, y, W, edge="own")])
        near = ("letters at another arrow", "W of own", "other")
        assert found == ([] if clean else [near])


@pytest.mark.parametrize(
    ("mine", "others"),
    [
        ({"net": "n"}, {"net": "n"}),
        ({"tip": "square"}, {"tail": "square"}),
        ({"tail": "a", "tip": "b"}, {"tail": "b", "tip": "a"}),
    ],
)
def test_letters_may_be_near_to_the_kin_of_their_arrow(mine, others):
    own, other = arrow("own", (0, 0), (100, 0)), arrow("other", (0, 40), (100, 40))
    nodes = [
        Node("a", -300, 0, 46, 46),
        Node("b", -400, 0, 46, 46),
        Node("square", -500, 0, 9, 9, shape="square", kind="delay"),
    ]
    pair = [dataclasses.replace(own, **mine), dataclasses.replace(other, **others)]
    text = [Text(50, 27, W, edge="own")]
    assert told(nodes, pair, text) == []
    assert told(nodes, [own, other], text) != []
    odd = [dataclasses.replace(own, net="n"), dataclasses.replace(other, net="m")]
    assert told(nodes, odd, text) != []


def test_an_index_of_letters_is_no_way_to_come_nearer():
    """What is raised or lowered may belong to the letter, or not be seen."""
    small = ((Run("W", "bold", 18), Run("long", "serif", 11, -6)),)
    own = arrow("own", (40, -50), (40, 50))
    other = arrow("other", (-12, -50), (-12, 50))
    assert told(edges=[own, other], texts=[Text(13, 0, small, edge="own")]) == [
        ("letters at another arrow", "Wlong of own", "other")
    ]


def test_letters_on_a_patch_may_stand_on_their_own_line_alone():
    edges = [arrow("own", (0, 0), (100, 0)), arrow("other", (0, 40), (100, 40))]
    for y, struck in ((0, None), (40, "other")):
        found = told(edges=edges, texts=[Text(50, y, W, edge="own", backed=True)])
        assert [s for _, _, s in found] == (
            [] if struck is None else ["text 0: W", struck]
        )


def test_letters_of_an_arrow_that_is_not_there():
    assert told(texts=[Text(0, 0, W, edge="gone")]) == [
        ("letters of no arrow", "W", "gone")
    ]


def test_operands_that_enter_in_the_wrong_order():
    nodes = row(0, 100, 50)
    ends = {"a": (40, 23), "b": (60, 23)}

    def into(first, second, **facts):
        return [
            Edge(tail, "c", straight((ends[tail][0], 90), ends[tail]), id=tail, place=k)
            for k, tail in enumerate((first, second))
        ]

    assert told(nodes, into("a", "b")) == []
    found = told(nodes, into("b", "a"))
    assert found == [("operands swapped", "b, a", "c")]
    numbers = [Text(x, 200, W, edge=e) for x, e in ((0, "a"), (50, "b"))]
    assert "operands swapped" not in [
        w for w, *_ in told(nodes, into("b", "a"), numbers)
    ]


def test_a_parameter_that_is_on_no_arrow():
    edge = arrow("e", (0, 0), (100, 0), parameters=("W", "Eᵀ"))
    assert told(edges=[edge], multiplied=("W", "E")) == []
    assert told(edges=[edge], multiplied=("U",)) == [("parameter on no arrow", "U", "")]


def test_a_label_moved_onto_its_arrow_is_found():
    figure = draw(networks.many_to_many(3))
    (first, *_) = [t for t in figure.scene.texts if t.words == "U"]
    texts = tuple(
        dataclasses.replace(t, x=t.x - 12) if t is first else t
        for t in figure.scene.texts
    )
    moved = dataclasses.replace(figure.scene, texts=texts)
    assert [fault.what for fault in Figure(moved).audit()] == ["arrow on label"]


def test_the_gradient_graph_is_clean():
    loss = networks.many_to_one(3)
    wrt = mg.Graph(loss).parameters
    gradients = mg.grad(loss, [mg.Tensor(n) for n in wrt], create_graph=True)
    assert draw([loss, *gradients], view="ops").audit() == []


BOX = Shape("box", (10.0, 20.0, 50.0, 40.0))
DISC = Shape("disc", (0.0, 0.0, 40.0, 40.0), round=True)
OVAL = Shape("oval", (0.0, 0.0, 80.0, 40.0), round=True)


def box(left, low, right, high):
    return Shape("other", (left, low, right, high))


def moved(shape, x, y):
    a, b, c, d = shape.box
    return dataclasses.replace(shape, box=(a + x, b + y, c + x, d + y))


@pytest.mark.parametrize(
    ("a", "b", "depth"),
    [
        (BOX, box(48, 0, 90, 60), 2.0),
        (BOX, box(-9, 0, 13, 60), 3.0),
        (BOX, box(0, 36, 90, 60), 4.0),
        (BOX, box(0, 0, 90, 25), 5.0),
        (BOX, box(51, 0, 90, 60), 0.0),
        (BOX, box(0, 41, 90, 60), 0.0),
        (DISC, box(37, 10, 60, 30), 3.0),
        (DISC, box(10, 36, 30, 60), 4.0),
        (DISC, box(35, 35, 60, 60), 0.0),  # in a corner of its box alone
        (DISC, Shape("other", (38.0, 0.0, 78.0, 40.0), round=True), 2.0),
        (DISC, Shape("other", (30.0, 30.0, 70.0, 70.0), round=True), 0.0),
        (OVAL, Shape("other", (77.0, 0.0, 117.0, 40.0), round=True), 3.0),
        (OVAL, Shape("other", (30.0, 36.0, 70.0, 76.0), round=True), 4.0),
        (OVAL, box(75, 10, 90, 30), 5.0),
        (OVAL, box(30, 34, 50, 60), 6.0),
    ],
)
def test_how_deep_two_outlines_reach_into_each_other(a, b, depth):
    for there in ((0, 0), (300, -200)):
        first, second = moved(a, *there), moved(b, *there)
        assert overlap(first, second) == pytest.approx(depth)
        assert overlap(second, first) == pytest.approx(depth)


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        ((12, 22, 48, 38), -2.0),
        ((7, 22, 48, 38), 3.0),
        ((12, 22, 54, 38), 4.0),
        ((12, 15, 48, 38), 5.0),
        ((12, 22, 48, 46), 6.0),
    ],
)
def test_how_far_letters_reach_over_a_box(text, depth):
    assert sticking_out(box(*text), BOX) == depth


def test_how_far_letters_reach_over_a_circle():
    assert sticking_out(box(20, 20, 20 + 15, 20 + 20), DISC) == pytest.approx(5.0)
    assert sticking_out(box(8, 4, 20, 36), DISC) == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("point", "box_depth", "disc_depth"),
    [
        ((12, 30), 2.0, 20 - (8**2 + 10**2) ** 0.5),
        ((47, 30), 3.0, 20 - (27**2 + 10**2) ** 0.5),
        ((30, 24), 4.0, 20 - (10**2 + 4**2) ** 0.5),
        ((30, 35), 5.0, 20 - (10**2 + 15**2) ** 0.5),
        ((30, 50), -10.0, 20 - (10**2 + 30**2) ** 0.5),
    ],
)
def test_how_deep_a_point_lies(point, box_depth, disc_depth):
    for there in ((0, 0), (300, -200)):
        points = np.array([point], float) + there
        assert inside(points, moved(BOX, *there)) == pytest.approx([box_depth])
        assert inside(points, moved(DISC, *there)) == pytest.approx([disc_depth])


def test_an_outline_is_as_wide_and_as_high_as_its_node():
    assert Node("a", 100, 50, 60, 20, shape="box").box == (70, 40, 130, 60)


def test_letters_of_one_text_may_touch():
    dense = ((Run("W", "bold", 18), Run("V", "bold", 18, -6), Run("W", "bold", 40)),)
    assert told(texts=[Text(0, 0, dense)]) == []
    stacked = (*W, *W, *W)
    assert told(texts=[Text(0, 0, stacked)]) == []


def test_points_along_arrows_are_close_and_begin_and_end_where_they_do():
    line = Edge("", "", straight((0, 0), (0, 90)), head=False)
    bend = Edge("", "", polyline((100, 0), (160, 0), (160, 60)))
    which, points = sampled((line, bend))
    assert sorted({*which}) == [0, 1]
    first, second = points[which == 0], points[which == 1]
    assert first[0] == pytest.approx((0, 0))
    assert first[-1] == pytest.approx((0, 90))
    assert np.hypot(*np.diff(first, axis=0).T).max() < 2.0
    assert np.hypot(*np.diff(first, axis=0).T).min() > 0.1
    assert len(first) < 90
    body, corners = second[:-2], second[-2:]
    assert body[-1] == pytest.approx((160, 60))
    assert {tuple(np.round(c, 3)) for c in corners} == {
        (160 - 0.4 * 8.5, 60 - 8.5),
        (160 + 0.4 * 8.5, 60 - 8.5),
    }


def test_arrows_near_a_box_and_how_far_they_are():
    arrows = Arrows((arrow("a", (0, 0), (0, 90)), arrow("b", (30, 0), (30, 90))))
    which, points = arrows.within((-5.0, 20.0, 5.0, 40.0))
    assert {*which} == {0}
    assert 20 < points[:, 1].min() < points[:, 1].max() < 40
    far = arrows.distances([(10.0, 20.0, 16.0, 40.0)])
    assert far == pytest.approx({0: 10.0, 1: 14.0})
    far = arrows.distances([(10.0, 20.0, 16.0, 40.0), (25.0, 100.0, 35.0, 110.0)])
    assert far[1] == pytest.approx(10.0, abs=0.01)


def test_shapes_meet_across_the_cells_of_the_grid():
    big, small = box(-10, -10, 390, 250), box(380, 240, 381, 241)
    assert {*cells(big.box)} == {(i, j) for i in range(-1, 4) for j in range(-1, 3)}
    assert [*near([small], [big])] == [(small, big)]
    assert [*near([big], [box(900, 0, 910, 10)])] == []


def test_letters_reach_below_the_line_where_they_do():
    heights = {
        text: next(letters("t", Text(0, 0, ((Run(text, "bold", 20),),)))).box
        for text in ("W", "y")
    }
    assert heights["W"][1::2] == pytest.approx((-5.0, 9.0))
    assert heights["y"][1::2] == pytest.approx((-9.0, 9.0))
    assert [*letters("t", Text(0, 0, ((Run("  "),),)))] == []


@pytest.mark.parametrize("ends", [("c", "d"), ("a", "c"), ("c", "b")])
def test_arrows_of_one_circle_are_no_kin(ends):
    nodes = [Node(k, -300, 100 * i, 46, 46) for i, k in enumerate("abcd")]
    own = Edge("a", "b", straight((0, 0), (100, 0)), id="own")
    other = Edge(*ends, straight((0, 40), (100, 40)), id="other")
    assert told(nodes, [own, other], [Text(50, 26, W, edge="own")]) == [
        ("letters at another arrow", "W of own", "other")
    ]


def test_operands_are_swapped_by_where_their_heads_are():
    nodes = row(0, 100, 50)
    bent = [
        Edge("a", "c", straight((90, 90), (45, 23)), id="a", place=0),
        Edge("b", "c", straight((10, 60), (55, 23)), id="b", place=1),
    ]
    assert "operands swapped" not in [what for what, *_ in told(nodes, bent)]
