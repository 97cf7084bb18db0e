"""Charts: at which steps an arrow is there, what it reads, and how that is said."""

from dataclasses import replace

import pytest

from minigrad.draw.page.scene import Run
from minigrad.draw.textbook.chart import (
    ALL,
    Arrow,
    Chart,
    StandIn,
    Symbol,
    Weight,
    outside,
    reads,
    states,
    steps_of,
)
from minigrad.draw.textbook.marks import (
    in_words,
    label_of,
    listed,
    only_at,
    said,
    steps_read,
    way_home,
)
from minigrad.fold import Span

H, C, Z = Symbol("h", (), clock=0), Symbol("c", (), clock=0), Symbol("z", (), clock=1)
OUT = Symbol("out", ())


def chart(*arrows, lengths=(5, 3)):
    return Chart((H, C, Z, OUT), arrows, lengths)


def told(arrow, **options):
    return [(t, [*found]) for t, found in reads(chart(arrow, **options), arrow)]


@pytest.mark.parametrize(
    ("arrow", "read"),
    [
        (Arrow("h", "c"), [(t, [t]) for t in (1, 2, 3, 4, 5)]),
        (Arrow("h", "c", delay=2, span=Span(3, -1)), [(3, [1]), (4, [2]), (5, [3])]),
        (
            Arrow("h", "c", delay=-1, span=Span(1, -2)),
            [(t, [t + 1]) for t in range(1, 5)],
        ),
        (Arrow("h", "z", "pick", at=Span(-1, -1)), [(t, [5]) for t in (1, 2, 3)]),
        (
            Arrow("h", "c", "growing", span=Span(4, -1), at=Span(2, -1)),
            [(4, [2, 3, 4]), (5, [2, 3, 4, 5])],
        ),
        (Arrow("h", "out", "gather", at=Span(4, -1)), [(None, [4, 5])]),
        (Arrow("out", "z", "broadcast", span=Span(2, -1)), [(2, [None]), (3, [None])]),
        (Arrow("h", "out", "plain"), [(None, [None])]),
    ],
)
def test_what_an_arrow_reads_at_each_step(arrow, read):
    assert told(arrow) == read


def test_an_arrow_is_there_where_its_target_is_too():
    late = replace(C, span=Span(3, -1))
    arrow = Arrow("h", "c", span=Span(1, -2))
    assert steps_of(Chart((H, late), (arrow,), (5,)), arrow) == [3, 4]
    assert steps_of(chart(arrow), Arrow("h", "out")) == []


def test_a_circle_is_counted_from_the_nearer_end():
    found = [chart(lengths=(6, 3)).seat("h", t) for t in (1, 3, 4, 6)]
    assert found == ["h@1", "h@3", "h@-3", "h@-1"]
    found = [chart(lengths=(5, 3)).seat("h", t) for t in (3, 4)]
    assert found == ["h@3", "h@-2"]
    assert (chart().seat("out", 3), chart().seat("h", None)) == ("out", "h")
    assert chart(Arrow("h", "z", "pick", at=Span(-1, -1))).pairs(
        Arrow("h", "z", "pick", at=Span(-1, -1))
    ) == (("h@-1", "z@1"), ("h@-1", "z@2"), ("h@-1", "z@-1"))


def test_states_are_hidden_and_cross_a_step():
    y = Symbol("y", (), "output", clock=0)
    arrows = [Arrow("h", "h", delay=1), Arrow("h", "c"), Arrow("y", "y", delay=1)]
    assert states(Chart((H, C, y), tuple(arrows), (5,))) == ["h"]
    across = Arrow("h", "c", "growing", 1, at=Span(1, -1))
    assert states(Chart((H, C), (across,), (5,))) == []
    assert states(Chart((H, C), (Arrow("h", "c", delay=-1),), (5,))) == ["h", "c"]


def test_what_a_loop_computed_is_not_outside_of_it():
    start = Symbol("h0", (), stands_for=StandIn("h", -1))
    x, w = Symbol("x", ()), Symbol("w", ())
    given = [Arrow("x", "h0", "plain"), Arrow("h0", "h", "broadcast", initial=True)]
    symbols = (x, w, H, start)
    assert outside(Chart(symbols, tuple(given), (5,))) == {"x", "h0"}
    # What a step reads too is not for the start alone, nor what a loop computed.
    read = [*given, Arrow("x", "h", "broadcast")]
    assert outside(Chart(symbols, tuple(read), (5,))) == {"h0"}
    made = (Z, w, x, start, H)
    late = [
        Arrow("z", "w", "pick", at=Span(-1, -1)),
        Arrow("w", "h0", "plain"),
        given[1],
    ]
    assert outside(Chart(made, tuple(late), (5, 3))) == set()


def test_arrows_are_said_in_words():
    one, two = Arrow("h", "h", delay=1, labels=("W", "b")), Arrow("h", "c", delay=-2)
    assert said(chart(), one) == "h → h, 1 step later, by W, b"
    assert said(chart(), two) == "h → c, 2 steps earlier"
    once = Arrow("h", "c", span=Span(2, 2))
    assert said(chart(), once) == "h → c, only t = 2"
    last = Arrow("h", "z", "pick", at=Span(-1, -1), labels=("V",))
    assert said(chart(), last) == "h → z, of T, by V"
    many = [Arrow("h", "h", delay=d, labels=("W",)) for d in range(1, 10)]
    assert said(chart(), *many) == "h → h, 1, 2, …, 9 steps later, by W"
    assert said(chart(), *many[:4]) == "h → h, 1, 2, 3, 4 steps later, by W"
    assert said(chart(), *many[::2]) == "h → h, 1, 3, 5, 7, 9 steps later, by W"
    apart = *many[:2], Arrow("h", "h", delay=3, labels=("b",))
    assert said(chart(), *apart) == (
        "h → h, 1, 2 steps later, by W; h → h, 3 steps later, by b"
    )
    assert in_words("h(1)", "h(2)", ("W_{hh}", "b")) == "h(1) → h(2) by W_hh, b"
    assert in_words("h", "z(2)") == "h → z(2)"


def test_steps_that_an_arrow_reads_are_said():
    growing = Arrow("h", "c", "growing", 1, at=Span(1, -1))
    assert steps_read(growing) == "1..t-1"
    assert steps_read(replace(growing, delay=0, at=Span(2, -1))) == "2..t"
    assert steps_read(Arrow("h", "c", delay=1)) == ""
    assert steps_read(Arrow("h", "z", "gather", at=Span(2, 3))) == "2..3"


@pytest.mark.parametrize(
    ("arrow", "length", "words"),
    [
        (Arrow("h", "c", span=Span(-1, -1)), 5, "only t = 5"),
        (Arrow("h", "c", span=Span(4, -1)), 5, ""),
        (Arrow("h", "c", span=ALL), 1, ""),
        (Arrow("h", "c", span=Span(1, 1)), 1, ""),  # of one step alone
        (Arrow("h", "c", delay=4, span=Span(5, -1)), 5, ""),  # as soon as it can
        (Arrow("h", "c", delay=-4, span=Span(1, 1)), 5, ""),
        (Arrow("h", "c", delay=3, span=Span(5, -1)), 5, "only t = 5"),
        (Arrow("h", "out", span=Span(1, 1)), 5, ""),
        (Arrow("out", "c", "broadcast", 4, span=Span(5, 5)), 5, "only t = 5"),
    ],
)
def test_an_arrow_of_one_step_says_so_where_others_could_have_it(arrow, length, words):
    assert only_at(chart(lengths=(length, 3)), [arrow]) == words


def test_arrows_at_several_steps_say_no_one_step():
    arrows = [Arrow("h", "c", span=Span(t, t)) for t in (2, 3)]
    assert only_at(chart(), arrows[:1], {2: "τ"}) == "only t = τ"
    assert only_at(chart(), arrows) == ""


def letters(line):
    return "".join(run.text for run in line)


def test_letters_of_parameters_stand_side_by_side():
    weights = tuple(Weight(k, (Run(k, "bold"),)) for k in "UVWZ")
    of = Chart((), (), (), weights)
    (line,) = label_of(of, ("W", "Uᵀ"))
    assert letters(line) == "W, UT"
    assert [run.rise > 0 for run in line] == [False, False, False, True]
    assert label_of(of, ()) == ()
    (line,) = label_of(replace(of, merged=2), tuple("UVWZ"))
    assert letters(line) == "U … Z"
    lines = [(Run(k),) for k in "abc"]
    assert letters(listed(lines, short=True)) == letters(listed(lines)) == "a, b, c"


def test_ids_of_arrows_in_the_circuit_tell_them_apart():
    found = [
        Arrow("h", "c"),
        Arrow("h", "c", delay=2),
        Arrow("h", "c", delay=2, turns=1),
        Arrow("h", "c", "growing", 1),
        Arrow("h", "c", "growing"),
    ]
    assert [way_home(a) for a in found] == [
        "h@t>c@t",
        "h@t>c@t/2",
        "h@t>c@t//2",
        "h@t>c@t/1/..",
        "h@t>c@t/..",
    ]
