"""Figures of many networks, judged from outside; ``.ci/figures`` judges all of them.

Here every ninth network and some random ones are drawn in all views, and the pixels of
some are looked at.
"""

import shutil

import pytest

from minigrad.draw import draw
from tests.draw.corpus import WRITTEN, recorded
from tests.draw.measure import VIEWS, judged
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
