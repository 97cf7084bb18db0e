"""Ports: where arrows meet a circle, apart from one another."""

from collections import Counter, defaultdict
from itertools import combinations
from math import dist, hypot, pi

import pytest

from minigrad.draw import draw
from minigrad.draw.textbook.chart import Arrow, Chart, Symbol
from minigrad.draw.textbook.columns import RADIUS
from minigrad.draw.textbook.drawing import Drawing
from minigrad.draw.textbook.ports import push_apart, spread
from minigrad.draw.textbook.reading import read
from minigrad.fold import Span
from tests.draw.corpus import recorded
from tests.draw.measure import judged


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
        ([-2, -1, 0, 1, 2], False, [-20, -10.25, 0, 10.25, 20]),
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


BESIDE = ["autoencoder", "attention_block", "two_losses", "lstm_with_peepholes"]


@pytest.mark.parametrize("name", BESIDE)
def test_a_way_around_circles_is_clear_of_them_and_no_longer_than_that(name):
    drawing = Drawing(read(recorded(name)))
    for c in (c for columns in drawing.columns.values() for c in columns):
        for a in (a for a in c.now if c.form[a] == "side"):
            between = range(c.level[a.source] + 1, c.level[a.target])
            rows = [c.x(k) for k in c.group.keys if c.level[k] in between]
            x, side = c.ports.lanes[a]

            def clear(x, rows=rows):
                return all(abs(x - at) >= RADIUS + 7 for at in rows)

            assert clear(x)
            near = [k for k in range(300) if clear(c.x(a.source) + side * k)]
            ends = c.x(a.source), c.x(a.target)
            first = next(k for k in near if k >= RADIUS + 12)
            assert ends[0] == ends[1]
            assert first <= abs(x - ends[0]) <= first + 6.5
            for who, key in ((a, "out"), a.source), ((a, "in"), a.target):
                assert abs(c.ports.at(who, key)) <= 16


@pytest.mark.parametrize(
    ("name", "view"),
    [
        ("gru", "textbook"),
        ("two_losses", "textbook"),
        ("attention_block", "textbook"),
        ("lstm_with_peepholes", "folded"),
    ],
)
def test_trunks_fans_and_ways_around_are_true_and_clear(name, view):
    assert judged(name, view)[0] == []


NETS = ["gru", "residual", "lattice", "mutual", "swapped", "two_losses"]


@pytest.mark.parametrize("name", NETS)
def test_ends_of_arrows_on_one_circle_are_seven_points_apart(name):
    scene = draw(recorded(name)).scene
    at = {n.id: n for n in scene.nodes if n.shape == "circle"}
    ends = defaultdict(set)
    for edge in scene.edges:
        for id, p in (edge.tail, edge.points[0]), (edge.tip, edge.points[-1]):
            if id in at and abs(hypot(p[0] - at[id].x, p[1] - at[id].y) - RADIUS) < 0.1:
                ends[id].add(p)
    apart = [dist(a, b) for found in ends.values() for a, b in combinations(found, 2)]
    assert min(apart) > 6.9  # along the rim 7


def test_arrows_through_time_leave_on_one_side_and_arrive_on_the_other():
    symbols = tuple(Symbol(key, (), clock=0) for key in "hg")
    ways = [Arrow(a, b, delay=1, span=Span(2, -1)) for a in "hg" for b in "hg"]
    drawing = Drawing(Chart(symbols, (Arrow("h", "g"), *ways), (5,)))
    ports = drawing.column("unfolded", "h").ports
    ahead = {key for key, side in ports.docks if side == "E"}
    back = {key for key, side in ports.docks if side == "W"}
    assert ahead == back == {"h", "g"}


def test_what_leads_higher_leaves_higher():
    symbols = tuple(Symbol(key, (), clock=0) for key in "ahc")
    now = Arrow("a", "h"), Arrow("h", "c")
    later = (
        Arrow("h", "c", delay=2, span=Span(3, -1)),
        Arrow("h", "a", delay=3, span=Span(4, -1)),
    )
    drawing = Drawing(Chart(symbols, (*now, *later), (9,)))
    for part in ("folded", "unfolded"):
        c = drawing.column(part, "h")
        ports = {n.arrows[0].target: c.ports.at(n, "h") for n in c.nets}
        assert ports["c"] > 0 > ports["a"]
        assert len({c.ports.vertical[n] for n in c.nets}) == 2
        docks = c.ports.docks.items()
        out = {side for (_, side), met in docks for _, who in met if who in c.nets}
        assert out == {"E"}


def test_a_way_around_leads_left_where_nothing_asks_for_more():
    drawing = Drawing(read(recorded("autoencoder")))
    for c in (columns[0] for columns in drawing.columns.values()):
        assert [*c.ports.lanes.values()] == [(-35.0, -1)]


def lane_costs(part):
    """The cost of a lane beside a column: a way from low to high at an x."""
    c = Drawing(read(recorded("lstm_with_peepholes"))).columns[part][0]
    a = next(a for a in c.now if c.form[a] == "side")

    def cost(x, side=-1, rows=(c.level[a.source], c.level[a.target])):
        return c.ports._lane_cost(a, x, side, *(c.y[row] for row in rows))

    return c, cost


@pytest.mark.parametrize("part", ["folded", "unfolded"])
def test_a_lane_outside_of_its_column_costs_more(part):
    c, cost = lane_costs(part)
    # Each point costs twice, on the way there and on the way back.
    assert cost(c.left - 3) - cost(c.left - 1) == pytest.approx(40 + 4)
    assert cost(c.right + 3) - cost(c.right + 1) == pytest.approx(40 + 4)


@pytest.mark.parametrize("part", ["folded", "unfolded"])
def test_a_lane_through_what_drops_into_a_row_costs_most(part):
    c, cost = lane_costs(part)
    drops = [
        (net, a)
        for net in c.nets
        for a in net.arrows
        if net.entry[a] == "drop" and c.level[a.target] == 1
    ]
    assert drops
    price = sum(180 / len(net.arrows) for net, _ in drops)
    found = cost(c.left + 1, rows=(0, 1)) - cost(c.left - 1, rows=(0, 1))
    assert found == pytest.approx(price - 4)
    found = cost(c.left + 1, rows=(1, 2)) - cost(c.left - 1, rows=(1, 2))
    assert found == pytest.approx(-4)  # into the next row nothing drops


def test_a_lane_on_the_side_where_arrows_arrive_costs_more():
    c, cost = lane_costs("unfolded")
    assert not [a for a in c.form if c.form[a] == "loop"]
    row = next(
        c.level[a.target] for n in c.nets for a in n.arrows if n.entry[a] == "side"
    )
    arrive = Counter(
        c.near(n)
        for n in c.nets
        for a in n.arrows
        if n.entry[a] == "side" and c.level[a.target] == row
    )
    more = cost(0.0, 1, (row - 1, row)) - cost(0.0, -1, (row - 1, row))
    assert more == pytest.approx(12 + 14 * (arrive[1] - arrive[-1]))
    below = cost(0.0, 1, (row - 2, row - 1)) - cost(0.0, -1, (row - 2, row - 1))
    assert below == pytest.approx(12)


@pytest.mark.parametrize("delay", [1, -1])
def test_trunks_run_beside_the_outermost_circle_of_their_side(delay):
    symbols = tuple(Symbol(key, (), clock=0) for key in "xqkvAz")
    now = [Arrow("x", key) for key in "qkvz"]
    now += [Arrow("q", "A"), Arrow("k", "A"), Arrow("A", "z"), Arrow("v", "z")]
    back = Arrow(
        "z", "x", delay=delay, span=Span(1 + max(delay, 0), -1 + min(delay, 0))
    )
    drawing = Drawing(Chart(symbols, (*now, back), (5,)))
    for c in (columns[0] for columns in drawing.columns.values()):
        assert c.right != -c.left
        (net,) = (n for n in c.nets if n.kind == "time")
        rim = c.right if delay > 0 else -c.left
        assert rim + 12 < c.ports.vertical[net] * delay < rim + 60
