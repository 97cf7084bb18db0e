"""Columns with letters for steps: which steps they are, and what they cannot show."""

import pytest

from minigrad.draw.page.scene import Run
from minigrad.draw.textbook.chart import Arrow, Chart, StandIn, Symbol
from minigrad.draw.textbook.layout_time import lay_out
from minigrad.draw.textbook.symbolic import symbolic
from minigrad.fold import Span

X, H, OUT = (Symbol(key, (Run(key),), clock=0) for key in "xho")


def later(delay, source="h", target="h", **more):
    span = Span(1 + max(delay, 0), -1 + min(delay, 0))
    return Arrow(source, target, delay=delay, span=span, **more)


@pytest.mark.parametrize(
    ("arrows", "first"),
    [([later(1)], 4), ([later(-1)], 3), ([later(3)], 6), ([later(1), later(2)], 5)],
)
def test_the_steps_are_far_from_both_ends(arrows, first):
    long, letters, length = symbolic(Chart((H,), tuple(arrows), (30,)))
    assert letters == {first: "t−1", first + 1: "t", first + 2: "t+1"}
    assert long.lengths == (length,)
    # Before the first of them and after the last one all arrows are there.
    reach = max(abs(a.delay) for a in arrows)
    assert first - 1 > reach
    assert length - (first + 2) >= reach


def test_what_is_read_at_the_last_step_alone_stands_apart():
    late = Symbol("o", (), clock=0, span=Span(-1, -1))
    out = Arrow("h", "o", span=Span(-1, -1))
    _, letters, length = symbolic(Chart((H, late), (later(1), out), (9,)))
    assert [*letters.values()] == ["t−1", "t", "τ"]
    assert [*letters][2] == length
    end = Symbol("e", ())
    read = Arrow("h", "e", "pick", at=Span(-1, -1))
    assert "τ" in symbolic(Chart((H, end), (later(1), read), (9,)))[1].values()


def test_a_recurrence_that_ran_for_two_steps_is_known():
    long, *_ = symbolic(Chart((X, H), (Arrow("x", "h"), later(1)), (2,)))
    (_, state) = long.arrows
    assert state.span == Span(2, -1)
    short = Arrow("h", "h", delay=1, span=Span(2, 2))  # of two steps it is the second
    assert symbolic(Chart((H,), (short,), (2,)))[0].arrows[0].span == Span(2, -1)


START = Symbol("h0", (Run("h0"),), "initial", stands_for=StandIn("h", -1))
FROM = Arrow("h0", "h", "broadcast", 0, Span(1, 1), None, (), True)


@pytest.mark.parametrize(
    ("chart", "words"),
    [
        (Chart((H,), (later(1),), (1,)), "a loop of 1 step tells nothing"),
        (
            Chart(
                (H, Symbol("o", (), clock=0, span=Span(1, -1, every=2))),
                (later(1),),
                (9,),
            ),
            "o is there every 2 steps",
        ),
        (
            Chart((H, Symbol("o", (), clock=0, span=Span(2, 2))), (later(1),), (9,)),
            "o is at steps 2 alone",
        ),
        (
            Chart((X, H), (Arrow("x", "h", span=Span(2, 2)), later(1)), (9,)),
            "x → h, only t = 2, which",
        ),
        (
            Chart((H, OUT), (Arrow("h", "o", "growing", at=Span(1, -1)),), (9,)),
            "h → o, of 1..t",
        ),
        (
            Chart((START, H), (FROM,), (3,)),
            "a loop of 3 steps does not tell how many steps later h reads h",
        ),
    ],
)
def test_what_letters_cannot_show_is_refused(chart, words):
    with pytest.raises(ValueError, match=f'{words}.*: index="number"'):
        symbolic(chart)


def test_a_start_is_no_part_of_the_columns():
    chart = Chart((START, H), (FROM, later(1)), (5,))
    scene = lay_out(chart, "unfolded", index="symbolic").scene(None, chart.lengths)
    labels = ["".join(r.text for r in n.lines[0]) for n in scene.nodes if n.lines]
    assert labels == ["h(t−1)", "h(t)", "h(t+1)", "h(…)", "h(…)"]
    rims = [n for n in scene.nodes if n.dashed]
    xs = [n.x for n in scene.nodes if n.lines and not n.dashed]
    assert rims[0].x < min(xs) < max(xs) < rims[1].x
    assert {n.y for n in scene.nodes} == {rims[0].y}
    dashed = [e.dashed for e in sorted(scene.edges, key=lambda e: e.points[0])]
    assert dashed == [True, False, False, True]
    assert scene.length == (5,)
