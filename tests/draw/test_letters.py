"""Names as in the book and as in LaTeX, and the outlines that hold them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.draw.page.latex import typeset
from minigrad.draw.page.letters import WIDEST, enclosed, indexed, letter, note
from minigrad.draw.page.scene import Node, arranged, extent, placed_runs
from minigrad.draw.render.audit import faults

NAMES = {
    r"\hat{y}": [("ŷ", 0.0)],
    r"W_{hh}": [("W", 0.0), ("hh", -4.0)],
    r"h^{(2)}": [("h", 0.0), ("(2)", 4.5)],
    r"\mathbf{W}_{xh}": [("W", 0.0), ("xh", -4.0)],
    r"$\theta_1$": [("θ", 0.0), ("1", -4.0)],
    r"\mathcal{L}": [("ℒ", 0.0)],
    "alpha": [("α", 0.0)],
    "Omega2": [("Ω", 0.0), ("2", -4.0)],
    "W_alpha": [("W", 0.0), ("α", -4.0)],
    "c1_0": [("c", 0.0), ("1,0", -4.0)],
    "h(t-1)": [("h", 0.0), ("(", 4.5), ("t", 4.5), ("−1)", 4.5)],
    "loss": [("loss", 0.0)],
    "hidden_state": [("hidden_", 0.0), ("state", 0.0)],
    "{a|b}": [("{a|b}", 0.0)],
    "a\\": [("a\\", 0.0)],
    r"\foo": [(r"\foo", 0.0)],
    "f⊙c": [("f ", 0.0), ("mul ", 0.0), ("c", 0.0)],
}


def test_names_as_they_are_written():
    for name, runs in NAMES.items():
        assert [(r.text, r.rise) for r in letter(name, 1)] == runs, name


def test_an_accent_that_the_fonts_have_in_no_letter_stands_above_it():
    (run,) = typeset(r"\vec{h}", "bolditalic")
    (over, high, accent), (x, y, base) = placed_runs(0, 0, ((run,),))
    assert (base.text, accent.text, x == over, high > y) == ("h", "→", True, True)
    (low,) = typeset(r"\bar{x}", "bolditalic")
    assert next(placed_runs(0, 0, ((low,),)))[1] < high


@given(name=st.text(max_size=60), t=st.integers(0, 10**6))
def test_any_name_fits_into_its_outline(name, t):
    lines, wide = enclosed(indexed(letter(name, 1), str(t)), 23.0)
    assert 46.0 <= wide <= WIDEST
    assert extent(lines)[0] <= wide
    assert len(lines) <= 3


@given(name=st.text(alphabet="\\{}_^ab ", max_size=200))
def test_what_looks_like_latex_never_fails(name):
    letter(name, 2, parameter=True)


def test_nothing_is_cut_where_there_is_room():
    lines, wide = enclosed(indexed(letter("cross_entropy_loss", 0), "3"), 23.0)
    words = ["".join(run.text for run in line) for line in lines]
    assert "".join(words) == "cross_entropy_loss(3)"
    assert 46.0 < wide <= WIDEST


@pytest.mark.parametrize(
    "name", ["h", "pérdida", r"\vec{h}", "cross_entropy_loss", "a_b_c"]
)
def test_what_stands_below_a_name_leaves_it_inside(name):
    label = indexed(letter(name, 1), "12")
    lines, wide = enclosed(label, 23.0, note("0.038", 8.0, "sans"))
    node = Node("n", 0, 0, wide, 46, lines, shape="oval" if wide > 46 else "circle")
    assert faults(arranged([node], [], [])) == []
