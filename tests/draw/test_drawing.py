"""From arrows to edges: trunks and branches, their letters, and what they stand for."""

from dataclasses import replace

import pytest

from minigrad.draw.page.scene import Run
from minigrad.draw.textbook.chart import Arrow, Chart, StandIn, Symbol, Weight
from minigrad.draw.textbook.drawing import Unrolling
from minigrad.draw.textbook.layout_time import lay_out, shown_weights
from minigrad.fold import Span

WEIGHTS = tuple(Weight(k, (Run(k, "bold", 18.0),)) for k in "UVW")


def scene(keys, *arrows, view="unfolded", steps=None, length=4):
    symbols = tuple(Symbol(key, (Run(key),), clock=0) for key in keys)
    ways = tuple(replace(a, span=Span(1 + a.delay, -1)) for a in arrows)
    chart = Chart(symbols, ways, (length,), WEIGHTS)
    return lay_out(chart, view, steps).scene(None, chart.lengths)


def branches(*labels):
    """A state that two values over it read two steps later, by these parameters."""
    ways = [
        Arrow("h", k, delay=2, labels=(by,)) for k, by in zip("cd", labels, strict=True)
    ]
    return [Arrow("h", "c"), Arrow("h", "d"), Arrow("h", "h", delay=1), *ways]


@pytest.mark.parametrize("view", ["folded", "unfolded"])
def test_branches_of_one_parameter_have_its_letter_once(view):
    found = scene("hcd", *branches("W", "W"), view=view)
    trunks = {e.net for e in found.edges if e.net and e.parameters and e.head}
    assert trunks
    assert len([t for t in found.texts if t.words == "W"]) == len(trunks)
    for net in trunks:  # the first has the trunk, the others what they have alone
        first, *others = (e for e in found.edges if e.net == net and e.head)
        assert others
        assert all(e.own[0] != first.own[0] for e in others)


@pytest.mark.parametrize("view", ["folded", "unfolded"])
def test_branches_of_several_parameters_have_each_its_letter(view):
    found = scene("hcd", *branches("W", "V"), view=view)
    lettered = {t.edge: t.words for t in found.texts if t.edge}
    told = {e.id: e.parameters for e in found.edges if e.head and e.parameters}
    assert told
    assert {id: "".join(by) for id, by in told.items()} == lettered


def test_an_arrow_across_the_gap_is_two_halves_of_which_one_has_a_head():
    found = scene("h", Arrow("h", "h", delay=1, labels=("W",)), steps=4, length=9)
    halves = [e for e in found.edges if not (e.tail and e.tip)]
    assert [(e.tail, e.tip, e.head) for e in halves] == [
        ("h@2", "", False),
        ("", "h@-2", True),
    ]
    assert [e.covers for e in halves] == [(("h@2", "h@3"),), (("h@-3", "h@-2"),)]
    assert [e.points[0][0] < e.points[-1][0] for e in halves] == [True, True]
    dots = [n.x for n in found.nodes if n.kind == "dot"]
    assert halves[0].points[-1][0] < min(dots) < max(dots) < halves[1].points[0][0]
    assert found.elided == 8 - 4
    assert all(e.delay == 1 and e.home == "h@t>h@t/1" for e in found.edges)


def test_what_reads_back_over_the_gap_is_counted_once():
    ways = Arrow("h", "h", delay=1), Arrow("h", "h", delay=2, labels=("W",))
    found = scene("h", *ways, steps=5, length=12)
    covers = [pair for e in found.edges for pair in e.covers]
    assert len(covers) == len(set(covers))
    assert len(covers) + found.elided == 11 + 10


def test_a_start_is_dashed_and_stands_before_the_first_column():
    symbols = (
        Symbol("h0", (Run("h0"),), "initial", stands_for=StandIn("h", -1)),
        Symbol("h", (Run("h"),), clock=0),
    )
    start = Arrow("h0", "h", "broadcast", 0, Span(1, 1), None, ("W",), True)
    later = Arrow("h", "h", delay=1, span=Span(2, -1), labels=("W",))
    chart = Chart(symbols, (start, later), (3,), WEIGHTS)
    found = lay_out(chart, "unfolded").scene(None, chart.lengths)
    at = {n.id: n for n in found.nodes}
    assert (at["h0"].dashed, at["h0"].t, at["h@1"].dashed) == (True, 0, False)
    assert at["h0"].x < at["h@1"].x
    assert at["h0"].y == at["h@1"].y
    assert at["h@1"].last == -2
    assert at["h@-1"].last == 0
    first = found.edge("h0>h@1")
    assert (first.dashed, first.parameters, first.covers) == (
        True,
        ("W",),
        (("h0", "h@1"),),
    )
    assert found.elided == 0


def test_parameters_of_what_nothing_enters_are_nodes_anyway():
    weights = (Weight("W", (), ("h", "g")), Weight("b", (), ("h",), bias=True))
    symbols = (Symbol("h", (), clock=0), Symbol("g", (), clock=0))
    chart = Chart(symbols, (Arrow("h", "h", delay=1),), (3,), weights)

    def shown(params, biases):
        return {w.name: w.targets for w in shown_weights(chart, params, biases)}

    assert shown("label", False) == {"W": ("g",)}
    assert shown("label", True) == {"W": ("g",), "b": ("h",)}
    assert shown("node", False) == {"W": ("h", "g")}
    assert shown("node", True) == {"W": ("h", "g"), "b": ("h",)}
    assert shown("hide", True) == {}


def test_what_is_read_now_and_of_all_steps_so_far_is_one_arrow_of_the_circuit():
    symbols = tuple(Symbol(key, (Run(key),), clock=0) for key in "hc")
    arrows = Arrow("h", "c"), Arrow("h", "c", "growing", at=Span(1, -1))
    drawing = lay_out(Chart(symbols, arrows, (3,)), "folded")
    (edge,) = drawing.scene(None, (3,)).edges
    assert edge.title == "h → c; h → c, of 1..t"
    assert {*edge.covers} == {
        ("h@1", "c@1"), ("h@1", "c@2"), ("h@1", "c@-1"), ("h@2", "c@2"),
        ("h@2", "c@-1"), ("h@-1", "c@-1"),
    }  # fmt: skip


def test_what_a_figure_says_stands_in_the_middle_below_it():
    chart = Chart((Symbol("h", (Run("h"),), clock=0),), (), (6,), WEIGHTS)
    drawing = lay_out(chart, "unfolded")
    drawing.sheet.write(-90.0, 0.0, ((Run("far left"),),))
    left, low, right, _ = drawing.sheet.bounds
    assert left < -90
    drawing.say("twelve words", "structure")
    _, text = drawing.sheet.texts
    assert (text.words, text.word) == ("twelve words", "structure")
    assert text.x == (left + right) / 2
    assert text.box[3] <= low


def test_buses_leave_room_for_the_letters_of_what_leads_up():
    def height(**way):
        symbols = tuple(Symbol(key, (Run(key),), clock=0) for key in "hc")
        bias = Weight("b", (Run("b"),), ("c",), True)
        chart = Chart(symbols, (Arrow("h", "c", **way),), (3,), (*WEIGHTS, bias))
        how = Unrolling(weights=(bias,))
        return lay_out(chart, "unfolded", how=how).ys[1]

    assert 16.0 <= height(labels=("W",)) - height() < 27.0  # a line of letters


def test_the_outline_of_a_circle_says_what_it_is():
    span = Span(1, -1)
    symbol = Symbol("h#2", (Run("h"),), "output", 0, span, title="what", name="h")
    chart = Chart((symbol, Symbol("e", (Run("e" * 9),))), (), (3,))
    at = {n.id: n for n in lay_out(chart, "unfolded").scene(None, (3,)).nodes}
    node = at["h#2@2"]
    assert (node.kind, node.name, node.role, node.home) == (
        "output",
        "h",
        "h#2",
        "h#2@t",
    )
    assert (node.t, node.last, node.title) == (2, -1, "what · step 2")
    assert (node.shape, node.width, node.part) == ("circle", 46, "unfolded")
    assert (at["e"].t, at["e"].last, at["e"].shape) == (None, None, "oval")
    assert at["e"].width > 46 == at["e"].height


def test_a_parameter_as_a_node_has_a_bus_with_a_drop_at_every_step():
    symbols = tuple(Symbol(key, (Run(key),), clock=0) for key in "hc")
    weights = tuple(
        Weight(k, (Run(k),), to, title=f"{k}!") for k, to in (("U", "hc"), ("W", "c"))
    )
    chart = Chart(symbols, (Arrow("h", "c"),), (3,), weights)
    drawing = lay_out(chart, "unfolded", how=Unrolling(weights=weights))
    scene = drawing.scene(None, (3,))
    boxes = {n.name: n for n in scene.nodes if n.kind == "parameter"}
    assert {n.id for n in boxes.values()} == {"[U]", "[W]"}
    assert boxes["U"].title == "U!"
    assert (
        boxes["U"].x == boxes["W"].x < min(scene.node(k).x for k in ("h@1", "c@1")) - 23
    )
    assert abs(boxes["U"].y - boxes["W"].y) >= 22.0
    drops = [(e.tail, e.tip, e.title, e.home) for e in scene.edges if e.kind == "bus1"]
    assert drops == [
        ("[W]", f"c@{k}", f"W → c({t})", "[W]@t>c@t")
        for t, k in ((1, 1), (2, 2), (3, -1))
    ]
    for edge in (e for e in scene.edges if e.kind.startswith("bus")):
        (x, y), circle = edge.points[-1], scene.node(edge.tip)
        assert (x - circle.x) ** 2 + (y - circle.y) ** 2 == pytest.approx(23**2, abs=1)
        assert y < circle.y
    ends = {
        round(e.points[-1][0] - scene.node(e.tip).x, 1)
        for e in scene.edges
        if e.tip == "c@2"
    }
    assert len(ends) == 3  # each has a port of its own
    whole = lay_out(chart, "folded", how=Unrolling(weights=weights)).scene(None, (3,))
    titles = [e.title for e in whole.edges if e.kind == "bus1"]
    assert titles == ["W → c"]
    assert "[W]@t" in {n.id for n in whole.nodes}
