"""Letters as in the book: vectors bold italic, matrices bold upright, scalars italic.

>>> [(run.text, run.face) for run in letter("W", 2, parameter=True)]
[('W', 'bold')]
>>> [(run.text, run.face) for run in indexed(letter("h", 1), "3")]
[('h', 'bolditalic'), ('(3)', 'serif')]
"""

import re
from dataclasses import replace
from math import floor, isfinite, log10

from minigrad.draw.page.fonts import shorten
from minigrad.draw.page.scene import Line, Run, line_width

SIZE, RAISED = 18.0, 11.0
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
SUBSCRIPT = re.compile(r"([^\W\d_])(?:_?(\d{1,3})|_([^\W_]{1,5}))")


def clean(text: str) -> str:
    """One line without characters that no format can hold.

    >>> clean("a\\nb\\x00c")
    'a b?c'
    """
    return UNPRINTABLE.sub("?", re.sub(r"\s+", " ", text))


def letter(name: str, ndim: int, parameter: bool = False) -> Line:
    """The typeset name of a value; ``h1`` and ``h_enc`` get a subscript.

    ``ndim`` counts the axes that the value has in the book, where there is no batch.
    """
    face = "italic" if ndim == 0 else "bolditalic"
    if parameter and ndim >= 2:
        face = "bold"
    name = clean(name)
    match = SUBSCRIPT.fullmatch(name)
    if match:
        sub = match[2] or match[3]
        sub_face = "serif" if sub.isdigit() else "italic"
        return (Run(match[1], face, SIZE), Run(sub, sub_face, RAISED, -4.0))
    return (Run(shorten(name, face, SIZE, 90), face, SIZE),)


def indexed(line: Line, index: str) -> Line:
    """A letter with a raised time index in brackets; letters in it are italic."""
    runs = [
        Run(
            text,
            "italic" if text.isalpha() and text.isascii() else "serif",
            RAISED,
            4.5,
        )
        for text in re.findall(r"[a-zτ]+|[^a-zτ]+", f"({index})")
    ]
    return (*line, *runs)


def sized(line: Line, size: float) -> Line:
    """The line with its letters in that size, and the rest in proportion."""
    scale = size / max(run.size for run in line)
    return tuple(
        replace(run, size=run.size * scale, rise=run.rise * scale) for run in line
    )


def fitted(line: Line, room: float) -> Line:
    """The line, smaller if it would be wider than ``room`` points, cut at last."""
    wide = line_width(line)
    if wide <= room:
        return line
    scale = max(room / wide, 0.5)
    smaller = tuple(
        replace(run, size=round(run.size * scale, 2), rise=round(run.rise * scale, 2))
        for run in line
    )
    excess = line_width(smaller) - room
    if excess <= 0.3:
        return smaller
    first = smaller[0]
    cut = shorten(first.text, first.face, first.size, max(first.width - excess, 1.0))
    return (replace(first, text=cut), *smaller[1:])


def note(text: str, size: float = 10.0, face: str = "serif") -> tuple[Line, ...]:
    """A small text of one line."""
    return ((Run(text, face, size),),)


def short(value: float) -> str:
    """A number in two digits.

    >>> short(0.000114), short(0.62), short(float("nan"))
    ('1.1e-4', '0.62', 'nan')
    """
    if value == 0 or not isfinite(value):
        return "0" if value == 0 else str(value)
    if 0.01 <= abs(value) < 1000:
        digits = max(0, 1 - floor(log10(abs(value))))
        return f"{value:.{digits}f}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def superscript(t: int) -> str:
    """A step number as raised digits."""
    return str(t).translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))
