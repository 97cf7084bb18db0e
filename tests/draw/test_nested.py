"""Loops in loops: columns in columns, a circuit in the circuit, all of it true."""

import re
import warnings
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import minigrad as mg
from minigrad.draw import draw
from minigrad.draw.page.scene import Run, line_width
from minigrad.draw.textbook.chart import Arrow, Chart, Symbol, Weight
from minigrad.draw.textbook.grid import Grid
from minigrad.draw.textbook.layout_time import lay_out
from minigrad.draw.textbook.marks import said
from minigrad.draw.textbook.nested import drawn, rolled
from tests.draw.corpus import recorded, turns
from tests.draw.judge import circuit, columns
from tests.draw.measure import VIEWS, judged
from tests.draw.own import reads
from tests.draw.test_figures import REFUSED

NETS = [
    "nested",
    *(
        k
        for k, f in vars(turns).items()
        if callable(f) and f.__module__ == turns.__name__ and k[0] != "_"
    ),
]
INDEX = re.compile(r"\(([^()]*)\)$")


def shown(name, **way):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return draw(recorded(name), **way).scene


def words(node):
    return "".join(run.text for line in node.lines for run in line)


def circles(scene, part="unfolded"):
    return [n for n in scene.nodes if n.part == part and n.shape in ("circle", "oval")]


def at(scene, name):
    """The circles of a name in the columns, by their index."""
    here = [n for n in circles(scene) if n.name == name]
    return {INDEX.search(words(n))[1]: n for n in here}


def within(node, box):
    return box[0] < node.x < box[2] and box[1] < node.y < box[3]


def test_there_are_nets_to_judge():
    assert len(NETS) == 21


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", NETS)
def test_a_figure_of_loops_in_loops_is_true_and_clear(name, view):
    found, _, _ = judged(name, view)
    if found and found[0][0] == "refused":
        assert REFUSED[view] in found[0][1]
        assert name in (
            "read_and_write",
            "both_ways",
            "all_letters",
            "truncated_words",
            "words_of_different_lengths",
        )
    else:
        assert found == []


def test_turns_stand_side_by_side_in_a_row_and_columns_are_alike():
    scene = shown("nested")
    h, x = at(scene, "h"), at(scene, "x")
    assert len({n.y for n in h.values()}) == len({n.y for n in x.values()}) == 1
    for t in (1, 2, 3):
        xs = [h[f"{t},{k}"].x for k in (1, 2, 3)]
        assert xs == sorted(xs)
        assert [x[f"{t},{k}"].x for k in (1, 2, 3)] == xs
        assert np.diff(xs) == pytest.approx(np.diff([h[f"1,{k}"].x for k in (1, 2, 3)]))


def test_what_reads_the_last_turn_stands_over_it():
    scene = shown("nested")
    for t in "123":
        assert at(scene, "s")[t].x == at(scene, "h")[f"{t},3"].x


@pytest.mark.parametrize("name", NETS)
def test_a_frame_holds_what_its_loop_made_and_nothing_else(name):
    graph = recorded(name)
    inner = {n.name for n in graph.nodes if any(len(p) > 2 for p in n.scope.path)}
    for view in ("folded", "unfolded"):
        scene = shown(name, view=view, steps=40)
        assert scene.frames
        for node in circles(scene, view):
            starts = bool(re.search(r",0\)|,4\)", words(node))) and node.dashed
            framed = any(within(node, f.box) for f in scene.frames)
            assert framed == (node.name in inner or starts), node.id


@pytest.mark.parametrize("name", NETS)
def test_frames_lie_apart_or_one_in_the_other(name):
    for view in ("folded", "unfolded"):
        boxes = [f.box for f in shown(name, view=view).frames]
        for i, a in enumerate(boxes):
            for b in boxes[:i]:
                low = np.maximum(a[:2], b[:2])
                high = np.minimum(a[2:], b[2:])
                meet = (*low, *high)
                assert (low >= high).any() or meet in (a, b)


def test_the_circuit_has_one_circle_and_a_delay_within_the_frame():
    scene = shown("nested", view="folded")
    names = [n.name for n in circles(scene, "folded")]
    assert sorted(names) == sorted(["w", "x", "h", "h0", "s", "o", "L", "y"])
    (frame,) = scene.frames
    squares = [n for n in scene.nodes if n.kind == "delay"]
    assert [within(n, frame.box) for n in squares].count(True) == 1 == len(squares) - 1
    (loop,) = [e for e in scene.edges if e.delay and e.tip == "h@t" and e.head]
    assert (loop.parameters, len(loop.covers)) == (("W",), 6)
    assert "k = 1, …, 3" in [t.words for t in scene.texts]


def test_what_goes_on_from_step_to_step_has_a_delay_outside_of_the_frame():
    scene = shown("carried", view="folded")
    (frame,) = scene.frames
    inside = [within(n, frame.box) for n in scene.nodes if n.kind == "delay"]
    assert sorted(inside) == [False, True]
    columns = shown("carried", view="unfolded", steps=40)
    ends = {(e.tail, e.tip) for e in columns.edges}
    h = {k: n.id for k, n in at(columns, "h").items()}
    assert (h["1,3"], h["2,1"]) in ends
    start = at(columns, "h0")["0"]
    assert (start.dashed, (start.id, h["1,1"]) in ends) == (True, True)


def test_a_loop_begins_with_a_dashed_circle_before_its_first_turn():
    scene = shown("nested")
    h, start = at(scene, "h"), at(scene, "h0")
    assert {*start} == {"1,0", "2,0", "3,0"}
    for t in "123":
        node = start[f"{t},0"]
        assert (node.kind, node.dashed) == ("initial", True)
        assert (node.x < h[f"{t},1"].x, node.y) == (True, h[f"{t},1"].y)
    (inside,) = [n for n in circles(scene, "folded") if n.name == "h0"]
    assert (words(inside), inside.dashed) == ("h(t,0)", True)
    # Read from its end a loop begins behind it.
    back = shown("from_the_last_letter")
    assert at(back, "h0")["1,4"].x > at(back, "h")["1,3"].x


def test_one_start_of_all_loops_stands_once():
    scene = shown("one_start", view="unfolded")
    (start,) = [n for n in circles(scene) if n.name == "h0"]
    assert (start.kind, start.dashed) == ("initial", True)
    covered = {p for e in scene.edges for p in e.covers if p[0] == start.id}
    assert len(covered) == 3


def test_turns_are_left_out_and_counted():
    graph = recorded("many_letters")
    scene = draw(graph).scene
    assert {*at(scene, "h")} == {f"{t},{k}" for t in "123" for k in "178"}
    assert [t.words for t in scene.texts].count("5 more steps") == 3
    told = {p for e in scene.edges if e.part == "unfolded" for p in e.covers}
    assert len(told) + scene.elided == len(reads(graph))
    assert scene.elided == 3 * (5 + 5 + 4)  # w to x, x to h, h to h
    spanish = draw(graph, style=mg.Style(language="es")).scene
    assert "5 pasos más" in [t.words for t in spanish.texts]
    assert len(at(draw(graph, steps=8).scene, "h")) == 24


def test_what_reads_far_back_is_not_cut_short():
    # Of 4 turns one would be hidden, fewer than a letter reads back.
    assert len(at(shown("skipping", steps=3), "h")) == 12


def test_loops_three_deep_have_frames_in_frames():
    scene = shown("three_deep")
    assert {"k = 1, 2", "l = 1, 2"} <= {t.words for t in scene.texts}
    boxes = [f.box for f in scene.frames]
    assert len(boxes) == 2 + 3 * (1 + 2)

    def holds(a, b):
        return a[0] < b[0] and a[1] < b[1] and a[2] > b[2] and a[3] > b[3]

    held = [sum(holds(a, b) for a in boxes) for b in boxes]
    assert sorted(held) == [0] * 4 + [1] * 7
    for box, deep in zip(boxes, held, strict=True):  # an outer one has more room
        low = min(
            n.y - 23
            for n in circles(scene) + circles(scene, "folded")
            if within(n, box)
        )
        assert low - box[1] == pytest.approx(9.0 if deep else 17.0, abs=0.02)
    middle = {n.x for n in circles(scene, "folded") if n.name in "xhswzr"}
    assert len(middle) == 1
    assert {*at(scene, "h")} >= {"1,1,1", "3,2,2"}


def test_a_frame_has_the_name_of_its_scope():
    told = [t.words for t in shown("two_states").texts]
    assert told.count("letters") == 3
    assert "letters, k = 1, …, 3" in told


def test_a_gradient_comes_back_through_all_turns():
    scene = shown("nested", view="backward")
    h = {k: n.id for k, n in at(scene, "h").items()}
    back = {(e.tail, e.tip) for e in scene.edges if e.kind == "gradient"}
    for t in "123":
        assert (h[f"{t},3"], h[f"{t},2"]) in back
        assert (h[f"{t},2"], h[f"{t},1"]) in back
    (sums,) = [[e for e in scene.edges if e.title == "sum over t into U"]]
    assert len(sums) == 1


def test_a_turn_that_is_drawn_falsely_is_told():
    graph = recorded("nested")
    for view, judge in (("unfolded", columns), ("folded", circuit)):
        figure = draw(graph, view=view)
        assert [*judge(graph, figure)] == []
        edges = [e for e in figure.scene.edges if "h#2" not in e.id]
        edges = [e for e in edges if e.home != "h@t>h@t//1" or view == "unfolded"]
        object.__setattr__(figure.scene, "edges", tuple(edges))
        assert any("missing h(1,1) -> h(1,2)" in said for said in judge(graph, figure))


def turning(count, *more):
    """A loop within a step: states in turns, and what else there is."""
    h = [
        Symbol(f"h{k}", (), clock=0, turn=(k,), loops=("L",), line="h1")
        for k in range(1, count + 1)
    ]
    ways = [Arrow(a.key, b.key, turns=1) for a, b in pairwise(h)]
    return Chart((*h, *more), tuple(ways), (3,))


def test_turns_are_one_circle_and_dots_stand_for_those_that_are_left_out():
    alone = Symbol("z", (), clock=0)
    chart, parts = drawn(turning(6, alone), None)
    assert [s.key for s in chart.symbols if s.kind != "dot"] == ["h1", "h5", "h6", "z"]
    (dots,) = [s for s in chart.symbols if s.kind == "dot"]
    assert (dots.turn, dots.title, dots.loops) == ((1.5,), "3 more steps", ("L",))
    ends = [(a.source, a.target) for a in chart.arrows]
    assert ends == [("h1", dots.key), (dots.key, "h5"), ("h5", "h6")]
    assert [len(parts[a]) for a in chart.arrows] == [
        1,
        1,
        1,
    ]  # h2 to h4 are in the dots
    assert drawn(turning(4), None)[0].symbols == turning(4).symbols
    assert len(drawn(turning(6), 6)[0].symbols) == 6
    one, whole = rolled(turning(6, alone))
    assert [s.key for s in one.symbols] == ["h1", "z"]
    assert [(a.delay, len(parts)) for a, parts in whole.items()] == [(1, 5)]


def test_turns_stand_around_the_place_of_their_circle():
    grid = Grid(*drawn(turning(4), None), Grid(*rolled(turning(4))))
    assert [grid.place[f"h{k}"] for k in (1, 2, 3, 4)] == [-1.5, -0.5, 0.5, 1.5]


def test_what_stands_beside_a_frame_stays_outside_of_it():
    g = Symbol("g", (), clock=0)
    chart = turning(3, g)
    grid = Grid(*drawn(chart, None), Grid(*rolled(chart)))
    assert grid.level["g"] == grid.level["h1"]
    assert min(abs(grid.place["g"] - grid.place[f"h{k}"]) for k in (1, 2, 3)) >= 1
    turns = sorted(grid.place[f"h{k}"] for k in (1, 2, 3))
    assert not turns[0] < grid.place["g"] < turns[-1]


def test_a_frame_counts_its_turns():
    told = {}
    for count in (1, 2, 3, 5):
        scene = lay_out(turning(count), "folded").scene(None, (3,))
        told[count] = [t.words for t in scene.texts if "=" in t.words]
    assert told == {
        1: ["k = 1"], 2: ["k = 1, 2"], 3: ["k = 1, …, 3"], 5: ["k = 1, …, 5"]
    }  # fmt: skip


def test_turns_stand_as_far_apart_as_the_letters_between_them_need():
    plain, told = turning(3), Weight("W", (Run("W W W W W", "bold", 18.0),))
    ways = tuple(replace(a, labels=("W",)) for a in plain.arrows)
    wide = replace(plain, arrows=ways, weights=(told,))
    apart = []
    for chart in (plain, wide):
        scene = lay_out(chart, "unfolded").scene(None, (3,))
        apart.append(scene.node("h2@1").x - scene.node("h1@1").x)
    letters = line_width(told.label)
    assert apart[0] == pytest.approx(46 + 8.5 + 18)  # an arrow and its head
    assert letters + 46 + 8.5 < apart[1] < letters + 46 + 8.5 + 40


def plainly(text):
    """Words without the signs that tell what is raised or lowered."""
    return re.sub(r"[_^ \n]", "", text)


@pytest.mark.parametrize(
    "way", [{"view": "unfolded", "steps": 40}, {"view": "backward"}]
)
@pytest.mark.parametrize("name", [*NETS, "repeated", "latex", "skips"])
def test_a_title_has_the_names_and_the_indices_that_the_figure_writes(name, way):
    scene = shown(name, **way)
    seen = {n.id: plainly(words(n)) for n in circles(scene)}
    told = 0
    for edge in scene.edges:
        ends = [seen.get(end) for end in (edge.tail, edge.tip)]
        if None in ends or "…" in "".join(ends):
            continue
        told += 1
        found = edge.title.split(" by ")[0]
        if edge.kind == "gradient":
            ends = ends[::-1]
            found = edge.title.removeprefix("gradient over ").split(": ")[0]
        assert plainly(found) == "→".join(ends), edge.id
    assert told > 3


@pytest.mark.parametrize("name", NETS)
def test_no_figure_tells_how_lines_of_one_name_are_told_apart(name):
    graph = recorded(name)
    for view in ("textbook", "backward"):
        figure = draw(graph, view=view)
        scene = figure.scene
        told = [*scene.nodes, *scene.edges]
        assert not [thing.title for thing in told if "#" in thing.title]
        assert not [t.words for t in scene.texts if "#" in t.words]


def test_the_circuit_tells_turns_by_their_letter_and_which_of_them():
    scene = shown("words_of_different_lengths", view="folded")
    titles = {(e.tail, e.tip): e.title for e in scene.edges}
    assert titles["w@t", "x@t"] == "w → x(t,k), k = 1..3; w → x(t,4), only t = 3"
    assert titles["h0@t", "h@t"] == "h(t,0) → h(t,1), by W"
    assert titles["h@t", "s@t"] == (
        "h(t,2) → s, by A, only t = 1; h(t,3) → s, by A, only t = 2; "
        "h(t,4) → s, by A, only t = 3"
    )
    assert titles["h@t>h@t//1/0", "h@t"] == (
        "h(t,k-1) → h(t,k), k = 2..3, by W; h(t,3) → h(t,4), by W, only t = 3"
    )
    titles = {e.title for e in shown("mean_of_letters", view="folded").edges}
    assert {
        "h(t,k) → m",
        "x(t,k) → h(t,k), by U",
        "s → s, 1 step later, by B",
    } <= titles
    titles = {e.title for e in shown("from_the_last_letter", view="folded").edges}
    assert "h(t,k+1) → h(t,k), by W" in titles
    titles = {e.title for e in shown("three_deep", view="folded").edges}
    assert {"h(t,k,1) → h(t,k,2), by W", "h(t,k,2) → s(t,k), by A"} <= titles
    titles = {e.title for e in shown("carried", view="folded").edges}
    assert "h(t,3) → h(t,1), 1 step later, by W" in titles


def test_turns_with_gaps_are_told_one_by_one():
    loops = ("",)
    hs = [
        Symbol(f"h{k}", (Run("h"),), clock=0, turn=(k,), loops=loops, line="h1")
        for k in (1, 2, 3)
    ]
    chart = Chart((*hs, Symbol("s", (Run("s"),), clock=0)), (), (4,))
    read = [Arrow(f"h{k}", "s") for k in (1, 3)]
    assert said(chart, *read) == "h(t,1) → s; h(t,3) → s"
    assert said(chart, *read, Arrow("h2", "s")) == "h(t,k) → s"
    assert said(chart, Arrow("h1", "s"), Arrow("h2", "s")) == "h(t,k) → s, k = 1..2"


def test_an_overlay_and_a_refusal_say_which_turn():
    texts = {t.words for t in shown("carried", overlay="value").texts}
    assert "‖h(t,3)‖" in texts
    texts = {t.words for t in shown("carried", overlay="jacobian").texts}
    assert "‖∂h(t,3)/∂h(t−1,3)‖2" in texts
    with pytest.raises(
        ValueError, match=re.escape("h(t,3) → s, by A, only t = 2, which")
    ):
        draw(recorded("words_of_different_lengths"), index="symbolic")
