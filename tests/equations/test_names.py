"""Names: letters, words, Greek, accents, and what LaTeX would choke on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from latex2mathml.converter import convert

from minigrad.equations.names import name, readable


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("h", "h"),
        ("h1", "h_{1}"),
        ("W_12", "W_{12}"),
        ("hidden", r"\mathrm{hidden}"),
        ("h_enc", r"h_{\mathrm{enc}}"),
        ("θ", r"\theta"),
        ("Ω2", r"\Omega_{2}"),
        ("ε", r"\varepsilon"),
        ("ŷ", r"\hat{y}"),
        ("a b", r"\mathrm{a\ b}"),
        ("50%", r"\mathrm{50\%}"),
        ("_", r"\_"),
        ("2", "2"),
        ("日", r"\mathrm{U65E5}"),
        ("", r"\mathrm{\ }"),
    ],
)
def test_names_in_latex(text, latex):
    assert name(text) == latex


@given(st.text(max_size=6))
def test_whatever_a_name_is_it_is_mathml(text):
    assert convert(name(text)).startswith("<math")
    assert name(text).isascii()


def test_what_is_no_word_is_in_quotes():
    assert [readable(n) for n in ("h", "ŷ", "a b", "W.T")] == [
        "h",
        "ŷ",
        "'a b'",
        "'W.T'",
    ]
