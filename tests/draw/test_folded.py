"""The circuit: squares for delays, words for steps, loops beside their circles."""

from itertools import combinations, pairwise
from math import dist, hypot

import pytest

from minigrad.draw.page.scene import Run
from minigrad.draw.render.audit import faults
from minigrad.draw.textbook.chart import Arrow, Chart, Symbol, Weight
from minigrad.draw.textbook.columns import RADIUS
from minigrad.draw.textbook.layout_time import lay_out
from minigrad.fold import Span

WEIGHTS = tuple(Weight(k, (Run(k, "bold", 18.0),)) for k in "UVW")


def circuit(keys, *arrows, length=9, **symbol):
    symbols = tuple(Symbol(key, (Run(key),), clock=0, **symbol) for key in keys)
    chart = Chart(symbols, arrows, (length,), WEIGHTS)
    return lay_out(chart, "folded").scene(None, chart.lengths)


def later(delay, source="h", target="h", every=1, by="W"):
    first, last = 1 + max(delay, 0), -1 + min(delay, 0)
    return Arrow(
        source, target, "delay", delay, Span(first, last, every=every), None, (by,)
    )


def told(scene):
    """How many squares there are, and the words beside the letters."""
    squares = [n for n in scene.nodes if n.kind == "delay"]
    words = [w for t in scene.texts for w in t.words.split("\n") if w not in {*"UVW"}]
    return len(squares), words


@pytest.mark.parametrize(
    ("arrows", "squares", "words"),
    [
        ([later(1)], 1, []),
        ([later(3)], 3, []),
        ([later(-2)], 2, []),
        ([later(4)], 1, ["4 steps"]),
        # What takes turns is one arrow.
        ([later(1, every=2), later(2, every=2)], 1, ["1, 2 steps"]),
        ([later(d, every=3) for d in (1, 2, 3)], 1, ["1, …, 3 steps"]),
        ([Arrow("h", "h", "growing", 1, Span(2, -1), Span(1, -1))], 1, ["t = 1..t-1"]),
    ],
)
def test_a_loop_has_a_square_for_each_step_or_says_how_many(arrows, squares, words):
    assert told(circuit("h", *arrows)) == (squares, words)


@pytest.mark.parametrize(
    ("delay", "squares", "words"), [(1, 1, []), (3, 3, []), (4, 1, ["4 steps"])]
)
def test_a_trunk_has_its_squares_before_its_first_branch(delay, squares, words):
    ways = [later(delay, "h", key) for key in "cd"]
    scene = circuit("hcd", Arrow("h", "c"), Arrow("c", "d"), later(1), *ways)
    count, found = told(scene)
    assert (count, found) == (squares + 1, words)
    stack = [n for n in scene.nodes if n.kind == "delay" and f"/{delay}/" in n.id]
    stack = [n for n in stack if n.id.startswith("h@t>c@t")]
    assert len(stack) == squares
    # From circle to square to square, and from the last one on to each target.
    chain = [e for e in scene.edges if e.tip in {n.id for n in stack}]
    assert [e.tail for e in chain] == ["h@t", *(e.tip for e in chain[:-1])]
    assert not any(e.head for e in chain)
    heads = {e.tip for e in scene.edges if e.head and e.tail == chain[-1].tip}
    assert heads == {"c@t", "d@t"}


def test_squares_of_later_steps_are_hollow():
    for delay, fill in ((1, None), (-1, "none")):
        squares = [n for n in circuit("h", later(delay)).nodes if n.kind == "delay"]
        assert [n.fill for n in squares] == [fill]


@pytest.mark.parametrize("delay", [1, -1])
def test_a_loop_runs_beside_its_circle_on_the_side_of_time(delay):
    scene = circuit("h", later(delay))
    h, square = scene.node("h@t"), scene.node(f"h@t>h@t/{delay}/0")
    assert (square.x - h.x) * delay > RADIUS + 15
    assert square.y == pytest.approx(h.y)
    away, back = scene.edges
    (ax, ay), (bx, by) = away.points[0], back.points[-1]
    assert by < h.y < ay
    assert hypot(ax - h.x, ay - h.y) == pytest.approx(RADIUS, abs=0.02)
    assert hypot(bx - h.x, by - h.y) == pytest.approx(RADIUS, abs=0.02)
    assert away.points[-1] == pytest.approx((square.x, square.y + 4.5), abs=0.02)
    assert back.points[0] == pytest.approx((square.x, square.y - 4.5), abs=0.02)


def test_loops_of_one_circle_lie_one_in_the_other_apart_for_their_letters():
    scene = circuit("h", later(1), later(2, by="V"), later(3, by="U"))
    h = scene.node("h@t")
    xs = [scene.node(f"h@t>h@t/{d}/0").x - h.x for d in (1, 2, 3)]
    assert xs[0] > RADIUS + 20
    wide = {t.words: t.box[2] - t.box[0] for t in scene.texts}
    assert all(b - a > wide[k] for (a, b), k in zip(pairwise(xs), "WV", strict=True))
    ends = [e.points[0] for e in scene.edges if e.tail == "h@t"]
    ends += [e.points[-1] for e in scene.edges if e.tip == "h@t"]
    assert len(ends) == 6
    assert all(dist(a, b) > 7 for a, b in combinations(ends, 2))
    assert faults(scene) == []


def test_a_value_of_every_second_step_says_at_which():
    scene = circuit("h", span=Span(2, -1, every=2))
    lines = ["".join(r.text for r in line) for line in scene.node("h@t").lines]
    assert lines == ["h", "t = 2, 4, …"]
    assert len(circuit("h", span=Span(2, -1)).node("h@t").lines) == 1


def test_an_arrow_of_one_step_is_dashed_and_says_which():
    scene = circuit("ho", Arrow("h", "o", span=Span(-1, -1), labels=("V",)))
    (edge,) = scene.edges
    assert (edge.dashed, edge.covers) == (True, (("h@-1", "o@-1"),))
    assert told(scene) == (0, ["only t = 9"])
    (edge,) = circuit("ho", Arrow("h", "o", labels=("V",))).edges
    assert (edge.dashed, len(edge.covers), edge.delay) == (False, 9, 0)
    assert (edge.home, edge.title) == ("h@t>o@t", "h → o, by V")


def test_squares_lie_level_where_a_trunk_has_branches_up_and_down():
    ways = [later(2, "h", key) for key in "ac"]
    scene = circuit("ahc", Arrow("a", "h"), Arrow("h", "c"), *ways)
    one, two = (n for n in scene.nodes if n.kind == "delay")
    assert one.y == two.y
    assert abs(one.x - two.x) == 14.0
    squares = {one.id: one, two.id: two}
    (between,) = [e for e in scene.edges if e.tail in squares and e.tip in squares]
    u, v = squares[between.tail], squares[between.tip]
    side = 1 if u.x < v.x else -1
    assert between.points[0] == pytest.approx((u.x + side * 4.5, u.y), abs=0.02)
    assert between.points[-1] == pytest.approx((v.x - side * 4.5, v.y), abs=0.02)
