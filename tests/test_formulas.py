"""Formulas of the site: functions stand apart, the font has every sign."""

from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def formulas():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        import formulas

        yield formulas


def test_a_function_is_applied_to_what_follows(formulas):
    tanh = formulas.mathml(r"h = \tanh a")
    assert '<mi>tanh</mi><mo>&#x2061;</mo><mspace width="0.17em"/><mi>a</mi>' in tanh
    softmax = formulas.mathml(r"\mathrm{softmax}(o)")
    assert "<mi>softmax</mi></mrow><mo>&#x2061;</mo><mo" in softmax
    assert "2061" not in formulas.mathml(r"1 - \tanh^2")


def test_lines_are_a_table_and_no_sign_of_latex_is_left(formulas):
    two = formulas.mathml(r"\begin{aligned}h &= \tanh(a)\\ L &= -\log p\end{aligned}")
    assert two.count("<mtr>") == 2
    assert "<mi>&</mi>" not in two
    assert '<mo form="prefix">&#x02212;</mo><mi>log</mi>' in two


def test_a_bold_number_and_a_transpose_are_signs(formulas):
    assert "<mi>&#x022A4;</mi>" in formulas.mathml(r"W^\top")
    assert "<mn>&#120783;</mn>" in formulas.mathml(r"\mathbf{1}")


def test_the_font_has_what_it_says_and_is_small(formulas):
    file = formulas.FILE
    assert file.stat().st_size < 120_000
    there = set(map(chr, TTFont(file).getBestCmap()))
    assert there >= formulas.WRITTEN | formulas.slanted()
    assert "GUST Font License" in file.with_suffix(".txt").read_text("utf-8")


def test_a_sign_that_the_font_has_not_is_named(formulas):
    assert formulas.missing(formulas.mathml("W + ß")) == "ß"
    assert not formulas.missing(formulas.mathml(r"\hat{y}^{(t)} \in \mathbb{R}^n"))
