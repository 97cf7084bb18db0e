"""Ways of arrows: where they run together, where they are cut, where they meet rims."""

from itertools import pairwise
from math import atan2, hypot, pi

import pytest

from minigrad.draw import draw
from minigrad.draw.page.curves import sample, straight
from minigrad.draw.textbook.chart import Arrow, Chart, Symbol
from minigrad.draw.textbook.columns import RADIUS
from minigrad.draw.textbook.drawing import Drawing
from minigrad.draw.textbook.reading import read
from minigrad.draw.textbook.ways import Way, polyline_way, way_of
from tests.draw.corpus import recorded

BENT = Way(((0, 0), (30, 0), (30, 50)))


@pytest.mark.parametrize(
    ("corners", "length"),
    [
        (BENT.corners, 80.0),
        (((0, 0), (90, 0), (90, 50)), 30.0),  # on, where the other one turns
        (((0, 0), (20, 0), (20, 50)), 20.0),  # off before that
        (((0, 0), (30, 0), (30, 20)), 50.0),  # as far as it leads
        (((0, 0), (30, 0), (30, -20)), 30.0),  # the other way round
        (((0, 0), (-30, 0)), 0.0),
        (((0, 0), (0, 30)), 0.0),
        (((1, 0), (30, 0), (30, 50)), 0.0),  # from elsewhere
    ],
)
def test_sisters_run_together_up_to_where_they_part(corners, length):
    assert BENT.shared(Way(corners)) == Way(corners).shared(BENT) == length


def test_a_bow_has_no_sister():
    bow = Way((), straight((0, 0), (30, 0)))
    assert bow.shared(BENT) == BENT.shared(bow) == bow.shared(bow) == 0.0
    assert bow.curve(9.0) == bow.own(9.0) == bow.bow


def test_a_branch_begins_a_bend_before_its_own_part():
    assert BENT.curve()[0] == BENT.curve(5.0)[0] == (0, 0)
    assert BENT.curve(30.0)[0] == (30 - BENT.radius, 0)
    assert BENT.own(30.0) == straight((30, 0), (30, 50))
    assert BENT.own(35.0)[0] == (30, 5)
    assert BENT.own(500.0) == straight((30, 0), (30, 50))


def bends(curve):
    """Where the pieces of a curve meet."""
    return {(round(x, 9), round(y, 9)) for x, y in curve[::3]}


def test_bends_are_round_and_those_of_an_own_part_smaller():
    wide, small = (Way(BENT.corners, radius=r) for r in (12.0, 5.0))
    assert bends(wide.curve()) == {(0, 0), (18, 0), (30, 12), (30, 50)}
    assert bends(wide.own(0.0)) == {(0, 0), (23, 0), (30, 7), (30, 50)}
    assert bends(small.own(0.0)) == {(0, 0), (25, 0), (30, 5), (30, 50)}


@pytest.mark.parametrize(
    ("at", "into", "after"),
    [
        ((10, 0), ((0, 0), (6, 0)), ((14, 0), (30, 0), (30, 50))),
        ((30, 20), ((0, 0), (30, 0), (30, 16)), ((30, 24), (30, 50))),
    ],
)
def test_a_square_takes_its_size_out_of_the_way(at, into, after):
    halves = Way(BENT.corners, radius=12.0).split(at, 4.0)
    assert [half.corners for half in halves] == [into, after]
    assert [half.radius for half in halves] == [12.0, 12.0]


def test_corners_that_lie_on_each_other_are_one():
    way = polyline_way((0, 0), (0.4, 0), (9, 0), (9, 0.5), (9, 1.2), radius=3.0)
    assert way == Way(((0, 0), (9, 0), (9, 1.2)), radius=3.0)


NETS = ["skips", "two_loops", "residual", "swapped"]


@pytest.mark.parametrize("name", NETS)
def test_an_arrow_leaves_the_rim_of_a_circle_and_ends_on_one(name):
    scene = draw(recorded(name), view="textbook").scene
    at = {n.id: n for n in scene.nodes if n.shape == "circle"}
    assert at
    for edge in scene.edges:
        ends = [(edge.tip, edge.points[-1])] if edge.head else []
        ends += [(edge.tail, edge.points[0])] if edge.net is None else []
        for id, (x, y) in ends:
            if id in at:
                away = hypot(x - at[id].x, y - at[id].y)
                assert away == pytest.approx(RADIUS, abs=0.02), edge.id


def bows(*delays):
    """The column of a state that is read after these delays, and the curve of each."""
    symbols = (Symbol("s", (), clock=0),)
    arrows = tuple(Arrow("s", "s", delay=d) for d in delays)
    column = Drawing(Chart(symbols, arrows, (20,)), parts=["unfolded"]).column(
        "unfolded", "s"
    )
    x = column.x("s")
    return column, [
        way_of(column, a, x, x + a.delay * column.pitch, 0.0).curve()
        for a in column.later
    ]


@pytest.mark.parametrize("side", [1, -1])
def test_arcs_are_the_steeper_and_the_higher_the_further_they_lead(side):
    column, curves = bows(*(side * d for d in (1, 2, 3, 4, 5)))
    level, *arcs = curves
    assert [y for _, y in level] == pytest.approx([column.height("s")] * 4)
    angles, heights = [], []
    for p, a, b, q in arcs:
        dx, dy = side * (p[0] - column.x("s")), p[1] - column.height("s")
        assert (hypot(dx, dy), p[1], a[1]) == pytest.approx((RADIUS, q[1], b[1]))
        wide, far = side * (a[0] - p[0]), side * (q[0] - p[0])
        assert wide == pytest.approx(side * (q[0] - b[0]))
        assert 0.1 < wide / far < 0.3  # round, and no tent
        angles.append(atan2(dy, dx) * 180 / pi)
        heights.append(0.75 * (a[1] - p[1]) + dy)
    assert angles == pytest.approx([50, 65, 80, 80])  # the rest has no more room
    # From one to the next there is room for letters.
    assert all(b - a > 27 for a, b in pairwise(heights))
    assert heights[0] > RADIUS + 18


@pytest.mark.parametrize("delay", [2, 5, 7, 12])
def test_an_arc_passes_over_the_circles_between(delay):
    column, (curve,) = bows(delay)
    points = sample(curve, 400)
    for k in range(1, delay):
        x = column.x("s") + k * column.pitch
        _, y = min(points, key=lambda p: abs(p[0] - x))
        assert y - column.height("s") > RADIUS + 12


@pytest.mark.parametrize("name", ["gru", "lstm_with_peepholes", "hierarchy"])
def test_the_pieces_of_a_trunk_are_level_or_upright_up_to_its_ports(name):
    drawing, met = Drawing(read(recorded(name))), set()
    for c in (c for columns in drawing.columns.values() for c in columns):
        for a in (a for net in c.nets for a in net.arrows):
            way = way_of(c, a, c.x(a.source), c.x(a.target), 0.0)
            met.add(c.trunk_of(a).entry[a])
            for (ax, ay), (bx, by) in pairwise(way.corners):
                assert min(abs(ax - bx), abs(ay - by)) < 1e-6, a
            x, y = way.corners[-1]
            away = hypot(x - c.x(a.target), y - c.height(a.target))
            assert away == pytest.approx(RADIUS)
    assert met <= {"side", "drop", "top"}
    assert "side" in met
