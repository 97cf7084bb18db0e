"""Columns of a loop: how many there are, what is before them and in their gap."""

from itertools import pairwise

import numpy as np
import pytest

import minigrad as mg
from minigrad.draw import draw
from minigrad.draw.page.scene import Run
from minigrad.draw.textbook.chart import Arrow, Chart, StandIn, Symbol, Weight
from minigrad.draw.textbook.drawing import UNFOLDED, Drawing
from minigrad.draw.textbook.unfolded import draw_unfolded
from minigrad.fold import Span

H = Symbol("h", (Run("h"),), clock=0)


def later(delay, name="", target="h"):
    span = Span(1 + max(delay, 0), -1 + min(delay, 0))
    return Arrow("h", target, delay=delay, span=span, labels=(name,) * bool(name))


def drawn(*arrows, length=12, steps=None, symbols=(H,)):
    names = {name for a in arrows for name in a.labels}
    weights = tuple(Weight(n, (Run(n, "bold", 18.0),)) for n in names)
    chart = Chart(tuple(symbols), arrows, (length,), weights)
    drawing = Drawing(chart, steps=steps, parts=[UNFOLDED])
    draw_unfolded(drawing, 0.0)
    return drawing


def shown(*arrows, **how):
    return [*drawn(*arrows, **how).shown[UNFOLDED][0].steps]


@pytest.mark.parametrize(
    ("letters", "steps"),
    [("W", [1, 2, 3, 4, 11, 12]), ("W" * 5, [1, 2, 11, 12]), ("W" * 12, [1, 11, 12])],
)
def test_of_wide_columns_fewer_are_drawn(letters, steps):
    assert shown(later(1, letters)) == steps
    assert len(shown(later(1, letters), steps=7)) == 7


def test_what_is_hidden_is_longer_than_every_delay():
    assert shown(later(1), length=7) == [1, 2, 3, 4, 6, 7]
    assert shown(later(1), later(2), length=7) == [*range(1, 8)]
    assert shown(later(1), later(-2), length=8) == [1, 2, 3, 4, 7, 8]
    assert shown(later(1), later(3), length=8) == [*range(1, 9)]


def test_columns_are_level_and_as_far_apart_as_their_pitch():
    drawing = drawn(later(1), later(2), steps=20)
    nodes = [drawing.sheet.nodes[drawing.chart.seat("h", t)] for t in range(1, 13)]
    (pitch,) = {round(b.x - a.x, 6) for a, b in pairwise(nodes)}
    assert pitch == drawing.columns[UNFOLDED][0].pitch
    assert len({n.y for n in nodes}) == 1
    assert drawing.shown[UNFOLDED][0].xs == tuple(n.x for n in nodes)
    titles = {(e.tail, e.tip): e.title for e in drawing.sheet.edges}
    assert titles["h@2", "h@3"] == "h(2) → h(3)"
    assert titles["h@-3", "h@-1"] == "h(10) → h(12)"


def test_the_gap_has_its_dots_in_the_middle_and_says_how_much_it_hides():
    drawing = drawn(later(1, "W"), steps=5)
    at = drawing.sheet.nodes
    dots = [n for n in at.values() if n.kind == "dot"]
    left, right = at["h@3"], at["h@-2"]
    assert [d.y for d in dots] == pytest.approx([left.y] * 3)
    xs = [d.x for d in dots]
    assert xs[1] - xs[0] == xs[2] - xs[1] == 10.0
    assert abs(xs[1] - (left.x + right.x) / 2) < 12.0
    (text,) = [t for t in drawing.sheet.texts if t.word == "more steps"]
    assert "".join(r.text for r in text.lines[0]) == "7 more steps"
    assert (text.x, text.y < dots[0].y - 10) == (xs[1], True)


def stands(*offsets):
    """Starts that far from the loop, each read by its delay."""
    symbols = [
        Symbol(f"s{k}", (Run("s"),), "initial", stands_for=StandIn("h", k))
        for k in offsets
    ]
    arrows = [
        Arrow(f"s{k}", "h", "broadcast", 0, Span(t, t), None, (), True)
        for k in offsets
        for t in ([k + d + 1 for d in (1, 2) if k + d >= 0] if k < 0 else [-k])
    ]
    return [*symbols, H], arrows


def test_starts_of_two_delays_stand_in_the_places_of_earlier_steps():
    symbols, arrows = stands(-1, -2)
    drawing = drawn(later(1), later(2), *arrows, symbols=symbols)
    at, pitch = drawing.sheet.nodes, drawing.columns[UNFOLDED][0].pitch
    assert at["s-2"].x < at["s-1"].x < at["h@1"].x
    assert at["s-1"].x - at["s-2"].x == pytest.approx(pitch)
    assert at["h@1"].x - at["s-1"].x == pytest.approx(pitch)
    assert {at[k].y for k in ("s-1", "s-2")} == {at["h@1"].y}
    told = {(e.tail, e.tip): e.dashed for e in drawing.sheet.edges if e.tail[:1] == "s"}
    assert told == {("s-1", "h@1"): True, ("s-1", "h@2"): True, ("s-2", "h@1"): True}


def test_the_start_of_a_loop_that_runs_back_stands_behind_it():
    symbols, arrows = stands(1)
    drawing = drawn(later(-1), *arrows, symbols=symbols)
    at, pitch = drawing.sheet.nodes, drawing.columns[UNFOLDED][0].pitch
    assert at["s1"].x - at["h@-1"].x == pytest.approx(pitch)
    assert [(e.tail, e.tip) for e in drawing.sheet.edges if e.tail == "s1"] == [
        ("s1", "h@-1")
    ]
    assert drawing.right >= at["s1"].x + 23


def test_a_start_that_only_hidden_steps_read_is_not_drawn():
    symbols, _ = stands(-1)
    hidden = Arrow("s-1", "h", "broadcast", 0, Span(6, 6), None, (), True)
    drawing = drawn(later(1), hidden, symbols=symbols, steps=4)
    assert "s-1" not in drawing.sheet.nodes
    assert drawing.sheet.elided == 11 + 1 - 4


def test_one_column_is_the_last_one_behind_its_gap():
    drawing = drawn(later(1), steps=1)
    at = drawing.sheet.nodes
    assert [n.id for n in at.values() if n.kind != "dot"] == ["h@-1"]
    assert max(n.x for n in at.values() if n.kind == "dot") < at["h@-1"].x
    (edge,) = drawing.sheet.edges
    assert (edge.tail, edge.tip, edge.covers) == ("", "h@-1", (("h@-2", "h@-1"),))


@pytest.mark.parametrize("side", [-1, 1])
def test_what_a_start_is_computed_from_stands_beside_it_further_out(side):
    symbols, arrows = stands(side)
    given = [Symbol(key, (Run(key),)) for key in "xw"]
    key = symbols[0].key
    ways = [Arrow(s.key, key, "plain", labels=("V",)) for s in given]
    drawing = drawn(later(-side), *arrows, *ways, symbols=[*given, *symbols])
    at = drawing.sheet.nodes
    assert [(at[k].x - at[key].x) * side for k in "wx"] == pytest.approx([90.0, 180.0])
    assert {at[k].y for k in "xw"} == {at[key].y}
    assert min(n.x for n in at.values()) >= 23  # there is room for them
    found = {e.tail: (e.tip, e.parameters) for e in drawing.sheet.edges}
    assert found["x"] == found["w"] == (key, ("V",))
    assert drawing.sheet.elided == 11 - 6


def test_what_no_column_has_an_end_of_is_not_drawn():
    drawing = drawn(later(1), later(4), steps=2)
    assert all(e.tail or e.tip for e in drawing.sheet.edges)
    covers = [pair for e in drawing.sheet.edges for pair in e.covers]
    assert len(covers) + drawing.sheet.elided == 11 + 8


def test_two_starts_of_one_state_stand_side_by_side():
    two = [
        Symbol(key, (Run(key),), "initial", stands_for=StandIn("h", -1)) for key in "rs"
    ]
    reads = [Arrow(k, "h", "broadcast", 0, Span(1, 1), None, (), True) for k in "rs"]
    drawing = drawn(later(1), *reads, symbols=[*two, H])
    at, pitch = drawing.sheet.nodes, drawing.columns[UNFOLDED][0].pitch
    assert at["r"].x - at["s"].x == pytest.approx(pitch)
    assert at["h@1"].x > at["r"].x
    assert at["r"].y == at["s"].y == at["h@1"].y


@pytest.mark.parametrize("side", [1, -1])
def test_a_start_is_read_by_an_arrow_of_the_form_of_its_delay(side):
    near, far = (
        Symbol(k, (Run(k),), "initial", stands_for=StandIn("h", -side * offset))
        for k, offset in (("r", 1), ("s", 2))
    )
    at = {"r1": side, "r2": 2 * side, "s2": side}
    reads = [
        Arrow(key[0], "h", "broadcast", 0, Span(t, t), None, (), True)
        for key, t in at.items()
    ]
    ways = [later(side), later(2 * side), *reads]
    drawing = drawn(*ways, symbols=[near, far, H], steps=20)
    seats = {t: drawing.chart.seat("h", t % 13) for t in (side, 2 * side)}
    arcs = {
        (e.tail, e.tip)
        for e in drawing.sheet.edges
        if e.tail in ("r", "s") and e.points[1][1] > e.points[0][1] + 5
    }
    assert arcs == {("r", seats[2 * side]), ("s", seats[side])}


def test_a_start_that_is_read_far_inside_of_a_loop_does_not_draw_all_of_it():
    W, h0 = mg.parameter(np.eye(2), name="W"), mg.tensor(np.ones((1, 2)), name="h0")
    h, start, kept = h0, mg.tensor(np.zeros((1, 2)), name="g0"), []
    for t, x in mg.steps(x=np.ones((40, 1, 2))):
        h = mg.tanh((start if t == 20 else h) @ W + x).named("h")
        kept.append(h)
    loss = mg.stack(kept).sum().named("L")
    nodes = draw(loss, view="unfolded").scene.nodes
    assert {n.t for n in nodes if n.t is not None} == {0, 1, 2, 3, 4, 39, 40}
