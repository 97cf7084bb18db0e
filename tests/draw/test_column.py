"""Columns: the form of each arrow, and the room that it needs."""

import pytest

from minigrad.draw.page.curves import HEAD
from minigrad.draw.page.scene import Run
from minigrad.draw.textbook.chart import Arrow, Chart, Symbol, Weight
from minigrad.draw.textbook.columns import RADIUS
from minigrad.draw.textbook.drawing import Drawing
from minigrad.draw.textbook.reading import read
from minigrad.fold import Span
from tests.draw.corpus import recorded

WIDE = Weight("WIDE", (Run("WIDE WIDE", "bold", 18.0),), ())


def drawn(keys, *arrows, part="unfolded", length=5):
    symbols = tuple(Symbol(key, (Run(key),), clock=0) for key in keys)
    return Drawing(Chart(symbols, arrows, (length,), (WIDE,)), parts=[part])


def column(keys, *arrows, part="unfolded"):
    return drawn(keys, *arrows, part=part).columns[part][0]


def test_an_arc_over_turns_is_as_far_as_they_are_apart():
    found = Drawing(read(recorded("skipping"))).columns["unfolded"][0]
    arcs = [a for a in found.now if found.form[a] == "arc" and a.turns]
    assert arcs
    assert {found.far(a) - a.turns for a in arcs} == {0}
    assert found.far(Arrow("h", "h#4")) == found.far(Arrow("h#4", "h")) == 3
    assert found.far(Arrow("h", "h", delay=-3)) == 3


@pytest.mark.parametrize(("delay", "side", "ahead"), [(0, "W", False), (1, "E", True)])
def test_what_reads_all_steps_so_far_leaves_before_or_behind_its_own(
    delay, side, ahead
):
    reads = Arrow("s", "c", "growing", delay, at=Span(1, -1))
    found = drawn("smc", Arrow("s", "m"), Arrow("m", "c"), reads)
    here, (net,) = found.columns["unfolded"][0], found.crossing["unfolded"]
    assert {here.x(key) for key in "smc"} == {0.0}  # m stands in the way
    assert here.riser(net) == side
    at, _, wish = here.landing(net, reads)
    assert (at, wish < 0) == ("S", ahead)
    assert here.ports.vertical[net] * (-1 if side == "W" else 1) > RADIUS


def test_what_nothing_stands_above_leaves_upwards():
    found = drawn("sc", Arrow("s", "c", "growing", at=Span(1, -1)))
    (net,) = found.crossing["unfolded"]
    assert found.columns["unfolded"][0].riser(net) == "N"


FORMS = [
    # Level and within a step it is straight, and through time to the next step alone.
    ("h", [Arrow("h", "h", delay=1)], ["straight"]),
    ("h", [Arrow("h", "h", delay=-1)], ["straight"]),
    ("h", [Arrow("h", "h", delay=2)], ["arc"]),
    ("hg", [Arrow("h", "g"), Arrow("g", "h", delay=1)], ["straight", "straight"]),
    ("hg", [Arrow("h", "g"), Arrow("g", "h", delay=2)], ["straight", "net"]),
    # Of one value and row all are alike.
    (
        "abcd",
        [
            Arrow("a", "b"),
            Arrow("b", "c"),
            Arrow("c", "d"),
            Arrow("d", "a", delay=1),
            Arrow("d", "d", delay=1),
        ],
        ["straight"] * 3 + ["net", "straight"],
    ),
]


@pytest.mark.parametrize(("keys", "arrows", "forms"), FORMS)
def test_forms_of_arrows_in_columns(keys, arrows, forms):
    found = column(keys, *arrows)
    assert [found.form[a] for a in arrows] == forms


def test_in_the_circuit_what_goes_through_time_is_a_loop_or_a_net():
    arrows = Arrow("h", "g"), Arrow("h", "h", delay=1), Arrow("g", "h", delay=1)
    found = column("hg", *arrows, part="folded")
    assert [found.form[a] for a in arrows] == ["straight", "loop", "net"]


def test_columns_stand_as_far_apart_as_the_letters_between_them_need():
    plain = column("h", Arrow("h", "h", delay=1))
    assert plain.pitch == 96.0
    wide = column("h", Arrow("h", "h", delay=1, labels=("WIDE",)))
    (letters,) = {*wide.letters.values()}
    assert letters > 96
    assert wide.pitch - 2 * RADIUS >= letters + HEAD + 10
    assert wide.pitch - 2 * RADIUS <= letters + HEAD + 30


def test_rows_stand_further_apart_for_arcs_and_their_letters():
    way = Arrow("h", "g")
    low, high, letters = (
        drawn(
            "hg", way, Arrow("h", "h", delay=2, labels=by), Arrow("h", "h", delay=d)
        ).ys[1]
        for d, by in ((1, ()), (3, ()), (1, ("WIDE",)))
    )
    assert drawn("hg", way).ys[1] == 72.0 < low < high
    assert 10 <= letters - low <= 14
