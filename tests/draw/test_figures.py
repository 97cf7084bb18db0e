"""Figures of many networks, judged from outside; ``.ci/figures`` judges all of them.

Here every ninth network and some random ones are drawn in all views, and the pixels of
some are looked at.
"""

import shutil

import pytest

from minigrad.draw import draw
from tests.draw.corpus import WRITTEN, recorded
from tests.draw.measure import MORE, VIEWS, judged
from tests.draw.pixels import hidden

ENGINES = ["pure"] + ["dot"] * bool(shutil.which("dot"))
SAMPLE = [*WRITTEN][::9] + [f"random {k}" for k in (6, 15, 24, 33, 42, 51, 60)]
# What no figure can show is refused, in these words.
REFUSED = {
    "overlay": "an overlay needs a state",
    "symbolic": "which columns t-1, t, t+1 do not show",
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", SAMPLE)
def test_a_figure_is_true_and_clear(name, view):
    found, _, _ = judged(name, view)
    if not (view in REFUSED and found and found[0][0] == "refused"):
        assert found == []
    else:
        assert REFUSED[view] in found[0][1]


# What each of these networks showed first, and the view in which it did.
SEEN = [
    ("tied_by_index", "unfolded"),
    ("detached_at_two_steps", "backward"),
    ("running_loss", "backward"),
    ("renamed_at_the_end", "backward"),
    ("renamed_at_the_end", "jacobian"),
    ("words_as_names", "jacobian"),
    ("words_as_names", "values"),
    ("words_as_names", "shapes"),
    ("long_names", "values"),
    ("latex", "values"),
    ("nested", "values"),
    ("both_ways_twice", "grad"),
    ("random 27", "textbook"),
    ("random 28", "overlay"),
    ("three_loops", "folded"),
    ("with_peepholes", "backward"),
    ("every_other_step", "unfolded"),
    ("attends_from_the_last", "folded"),
    ("read_each_other", "textbook"),
    ("primes", "unfolded"),
]


@pytest.mark.parametrize(("name", "view"), SEEN)
def test_a_fault_that_was_seen_stays_away(name, view):
    assert judged(name, view)[0] == []


@pytest.mark.parametrize(
    ("view", "place"), [("unfolded", "column"), ("textbook", "page")]
)
def test_a_figure_with_room_for_so_many_steps_is_true(view, place):
    assert MORE[place] == {"view": view, "steps": place}
    found, _, _ = judged("many_to_many", place)
    assert [kind for kind, _ in found] == ["small"] * (place == "column")


def test_the_gradient_ends_in_the_way_of_its_head():
    assert hidden(draw(recorded("random 21"), view="backward", engine="pure")) == []


@pytest.mark.parametrize("style", ["book", "dark"])
def test_every_arrow_is_seen_in_other_styles(style):
    assert judged("gru", "backward", pixels=True, style=style)[0] == []


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("name", "view"),
    [
        ("many_to_many", "textbook"),
        ("skips", "unfolded"),
        ("gru", "backward"),
        ("attention", "textbook"),
        ("with_biases", "nodes"),
        ("language_model", "ops"),
    ],
)
def test_every_arrow_is_seen(name, view, engine):
    assert hidden(draw(recorded(name), engine=engine, **VIEWS[view])) == []
