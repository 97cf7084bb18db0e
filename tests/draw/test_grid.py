"""Grids, cuts and charts of columns: where things stand, before any figure."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.draw import draw
from minigrad.draw.page.curves import sample, straight
from minigrad.draw.textbook.chart import ALL, Arrow, Chart, Symbol, reads
from minigrad.draw.textbook.cut import GAP, Cut, halves
from minigrad.draw.textbook.drawing import Drawing
from minigrad.draw.textbook.grid import Grid
from minigrad.draw.textbook.reading import chart_of, read
from minigrad.draw.textbook.recorded import as_recorded
from tests.draw import networks
from tests.draw.corpus import recorded

KEYS = "abcdef"
ends = st.tuples(st.integers(0, 5), st.integers(0, 5)).filter(lambda e: e[0] < e[1])
coordinates = st.floats(-200, 200, allow_nan=False)
points = st.tuples(coordinates, coordinates)


def test_two_targets_above_one_loss_stand_apart():
    loss = mg.fold(recorded("teacher_and_mask")).unfold(1)
    grid = Grid(read(loss))
    assert grid.level["y"] == grid.level["m"]
    assert abs(grid.place["y"] - grid.place["m"]) >= 1
    assert draw(loss).audit() == []


@given(st.sets(ends), st.sets(st.integers(0, 5)))
def test_circles_stand_apart_and_arrows_of_a_step_lead_up(now, states):
    symbols = tuple(Symbol(key, (), clock=0) for key in KEYS)
    arrows = [Arrow(KEYS[a], KEYS[b]) for a, b in sorted(now)]
    arrows += [Arrow(KEYS[k], KEYS[k], delay=1) for k in sorted(states)]
    grid = Grid(Chart(symbols, tuple(arrows), (4,)))
    places = [(grid.level[key], grid.place[key]) for key in KEYS]
    assert len(set(places)) == len(places)
    assert all(grid.level[KEYS[a]] < grid.level[KEYS[b]] for a, b in now)
    for row in range(grid.count):
        xs = sorted(x for level, x in places if level == row)
        assert all(b - a >= 1 for a, b in pairwise(xs))


@given(points, points)
def test_a_cut_keeps_every_point_of_a_curve(p, q):
    curve, cut = straight(p, q), Cut(0.5)
    left, right, level = halves(curve, cut)
    assert (level is None) == ((p[0] <= 0.5) == (q[0] <= 0.5))
    kept = [*sample(left, 40)] if left else []
    kept += [(x - GAP, y) for x, y in sample(right, 40)] if right else []
    for x, y in sample(curve, 8):
        nearest = min(np.hypot(x - u, y - v) for u, v in kept)
        assert nearest < 0.05 * np.hypot(p[0] - q[0], p[1] - q[1]) + 2.0


def test_gates_stand_side_by_side_and_columns_are_alike():
    scene = draw(networks.bidirectional(9), view="unfolded").scene
    at = {n.id: n for n in scene.nodes}
    assert at["h@1"].y != at["g@1"].y
    steps = {n.t for n in scene.nodes if n.role == "h" and n.t}
    apart = {round(at[f"g@{t}"].x - at[f"h@{t}"].x, 1) for t in (1, 2, -2, -1)}
    assert len(steps) == 4
    assert len(apart) == 1


@pytest.mark.parametrize("T", [2, 3, 9])
def test_letters_for_steps_show_the_recurrence_at_any_length(T):
    scene = draw(networks.many_to_many(T), index="symbolic").scene
    loops = [e for e in scene.edges if e.home == "h@t>h@t/1" and e.part == "unfolded"]
    assert [e.dashed for e in loops].count(True) == 2
    assert len(loops) == 4
    assert all(e.parameters == ("W",) for e in loops)


@pytest.mark.parametrize("T", [1, 2, 12])
def test_another_length_is_structure_only(T):
    recurrence = mg.fold(mg.contract(networks.many_to_many(6)))
    scene = draw(recurrence.unfold(T)).scene
    assert scene.length == (T,)
    assert any(text.word == "structure" for text in scene.texts)
    ids = {n.id for n in scene.nodes}
    assert ids >= {"h0", "h@1"}
    assert ("h@t" in ids) == (T > 1)  # of one step both halves would be the same


@pytest.mark.parametrize("view", ["textbook", "folded"])
@pytest.mark.parametrize("name", ["many_to_many", "output_feedback"])
def test_one_step_is_one_column_with_what_the_loop_begins_with(name, view):
    loss = getattr(networks, name)(1)
    for x in (loss, mg.fold(mg.contract(loss))):
        scene = draw(x, view=view).scene
        assert {n.part for n in scene.nodes} == {"unfolded"}
        start = {"many_to_many": "h0", "output_feedback": "o0"}[name]
        (edge,) = (e for e in scene.edges if e.tail == start)
        assert (edge.tip, edge.parameters) == ("h@1", ("W",))


@pytest.mark.parametrize("view", ["textbook", "folded"])
def test_a_loop_of_one_step_beside_a_longer_one_has_what_it_begins_with(view):
    W = mg.parameter(np.eye(2), name="W")
    h = mg.tensor(np.zeros((1, 2)), name="h0")
    for _ in mg.steps(3):
        h = mg.tanh(h @ W).named("h")
    s = mg.tensor(np.zeros((1, 2)), name="s0")
    for _ in mg.steps(1):
        s = mg.tanh(h + s @ W).named("s")
    scene = draw(s, view=view).scene
    roles = {n.id: n.role for n in scene.nodes if n.part == "folded"}
    edges = [e for e in scene.edges if e.part == "folded"]
    led = [(roles.get(e.tail), roles.get(e.tip), e.parameters) for e in edges]
    assert ("s0", "s", ("W",)) in led
    assert "h0" not in roles.values()


def test_a_record_says_what_a_proof_says():
    loss = networks.output_feedback(5)
    proved, recorded = read(mg.Graph(loss)), chart_of(as_recorded(mg.Graph(loss)))
    assert [s.key for s in proved.symbols] == [s.key for s in recorded.symbols]

    def told(chart):
        return {
            (a.source, a.target, t, tuple(found), a.labels)
            for a in chart.arrows
            for t, found in reads(chart, a)
        }

    assert told(proved) == told(recorded)


def test_the_forms_of_a_circuit_leave_its_squares_free():
    chart = read(mg.Graph(networks.lstm(4)))
    (column,) = Drawing(chart, parts=["folded"]).columns["folded"]
    assert set(column.form.values()) <= {"straight", "side", "loop", "net"}
    assert set(column.ports.loops) == {a for a, f in column.form.items() if f == "loop"}


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_letters_of_one_drop_are_not_at_a_trunk_that_is_cut_before_it(name):
    scene = draw(recorded(name)).scene
    lettered = {text.edge for text in scene.texts}
    cut = [e for e in scene.edges if not e.tip and len({b for _, b in e.covers}) > 1]
    assert cut
    assert not [e.id for e in cut if e.id in lettered]


def test_states_of_one_depth_have_levels_of_their_own_close_together():
    symbols = tuple(Symbol(key, (), clock=0) for key in "xhgo")
    ways = [Arrow("x", k) for k in "hg"] + [Arrow(k, "o") for k in "hg"]
    states = [Arrow(k, k, delay=1) for k in "hg"]
    alone = Grid(Chart(symbols, tuple(ways), (4,)))
    assert (alone.level["h"], alone.level["g"], alone.close) == (1, 1, set())
    grid = Grid(Chart(symbols, (*ways, *states), (4,)))
    assert [grid.level[k] for k in "xhgo"] == [0, 1, 2, 3]
    assert (grid.close, grid.count) == ({2}, 4)


def test_values_without_time_have_a_group_before_the_loop_that_reads_them():
    symbols = Symbol("a", ()), Symbol("h", (), clock=0), Symbol("e", ())
    ways = Arrow("a", "h", "broadcast"), Arrow("h", "e", "gather", at=ALL)
    groups = Grid(Chart(symbols, ways, (4,))).groups
    assert [(g.clock, g.keys) for g in groups] == [
        (None, ("a",)),
        (0, ("h",)),
        (None, ("e",)),
    ]


def test_a_target_stands_above_its_loss_and_not_above_all_others():
    kinds = {"x": "input", "h": "hidden", "y": "target", "L": "loss", "K": "hidden"}
    symbols = tuple(
        Symbol(key, (), kind, 0, leaf=kind in ("input", "target"))
        for key, kind in kinds.items()
    )
    ways = [Arrow("x", "h"), Arrow("h", "L"), Arrow("y", "L"), Arrow("L", "K")]
    level = Grid(Chart(symbols, tuple(ways), (4,))).level
    assert [level[k] for k in "xhLKy"] == [0, 1, 2, 3, 3]


def test_loops_that_read_each_other_have_levels_too():
    symbols = Symbol("a", (), clock=0), Symbol("b", (), clock=1)
    ways = Arrow("a", "b", "gather", at=ALL), Arrow("b", "a", "gather", at=ALL)
    assert {*Grid(Chart(symbols, ways, (4, 3))).level} == {"a", "b"}
