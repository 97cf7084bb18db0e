r"""Letters as in the book: vectors bold italic, matrices bold upright, scalars italic.

A longer name is a word, which a circle breaks behind "_".

>>> [(run.text, run.face) for run in letter("W_hh", 2, parameter=True)]
[('W', 'bold'), ('hh', 'italic')]
>>> [(run.text, run.face) for run in indexed(letter(r"\hat{y}", 1), "3")]
[('ŷ', 'bolditalic'), ('(3)', 'serif')]
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, pairwise
from math import floor, isfinite, log10, sqrt

from minigrad.draw.page.fonts import shorten
from minigrad.draw.page.latex import RAISED, SIZE, UP, greek, joined, typeset
from minigrad.draw.page.scene import Line, Lines, Run, extent, line_width, placed_runs

WORD = 13.0
WIDEST = 110.0  # of an oval
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Signs that the fonts of the engines lack, and what is written for them.
LACKING = str.maketrans(
    {"∇": "grad ", "⊙": " mul ", "⊗": "×", "⊕": "+", "⇒": "→", "⋯": "…", "⋮": "…"}
    | {"∘": "·", "⊤": "T", "∈": " in "}
)
PRIMES = re.compile(r"(?<=[\w}])'+(?![^\W_]|')")
INDEXED = re.compile(r"(\w+)\((t(?:[+\-−]\d+)?|\d+)\)")


def clean(text: str) -> str:
    """One line without characters that no format can hold, or that the fonts lack.

    >>> clean("a\\nb\\x00c")
    'a b?c'
    """
    return UNPRINTABLE.sub("?", re.sub(r"\s+", " ", text)).translate(LACKING)


def letter(name: str, ndim: int, parameter: bool = False) -> Line:
    """The typeset name of a value; of a word each part up to a "_" is a run.

    ``ndim`` counts the axes that the value has in the book, where there is no batch.

    >>> [(run.text, run.size) for run in letter("hidden_state", 1)]
    [('hidden_', 13.0), ('state', 13.0)]
    """
    face = "italic" if ndim == 0 else "bolditalic"
    if parameter and ndim >= 2:
        face = "bold"
    name = PRIMES.sub(lambda primes: "′" * len(primes[0]), clean(name))
    if len(name) > 2 and name[0] == name[-1] == "$":
        name = name[1:-1]
    at = INDEXED.fullmatch(name)
    if at:
        return indexed(letter(at[1], ndim, parameter), at[2].replace("-", "−"))
    size = SIZE if len(name) <= 4 else WORD
    parts = re.findall(r"[^_ ]+[_ ]*|[_ ]+", name[:400]) or [name]
    runs = typeset(greek(name), face)
    return runs if 0 < len(runs) < 12 else tuple(Run(p, face, size) for p in parts)


def indexed(line: Line, index: str) -> Line:
    """A letter with a raised time index in brackets; letters in it are italic."""
    for text in re.findall(r"[a-zτ]+|[^a-zτ]+", f"({index})"):
        face = "italic" if text.isalpha() and text.isascii() else "serif"
        line = (*line, Run(text, face, RAISED, UP))
    return line


def plain(line: Line) -> str:
    r"""What a line writes, in one size: what is lowered stands behind a "_".

    >>> plain(letter("W_hh", 2)), plain(indexed(letter(r"\hat{y}", 1), "3"))
    ('W_hh', 'ŷ(3)')
    """
    text, rise = "", 0.0
    for run in line:
        if run.rise < 0.0 <= rise:
            text += "_"
        elif run.rise > 0.0 >= rise and run.text[:1] not in ("(", "′"):
            text += "^"
        text, rise = text + run.text, run.rise
    return text


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
    size = max(run.size for run in line)
    runs = [*joined(sized(line, round(size * max(room / wide, 0.5), 2)))]
    while (excess := line_width(tuple(runs)) - room) > 0.3:
        i = max(range(len(runs)), key=lambda i: runs[i].width)
        text, face, size = runs[i].text, runs[i].face, runs[i].size
        cut = shorten(text, face, size, max(runs[i].width - excess, 1.0))
        if cut == text:
            break
        runs[i] = replace(runs[i], text=cut)
    return tuple(runs)


def enclosed(line: Line, radius: float, below: Lines = ()) -> tuple[Lines, float]:
    """The lines of a label, and the width of the circle or oval that holds them.

    A name that is too long for a circle is broken behind "_" into at most three lines;
    an oval is as high as the circle.

    >>> enclosed(letter("h", 1), 23.0)[1]
    46.0
    >>> lines, wide = enclosed(letter("hidden_state", 1), 23.0)
    >>> [line[0].text for line in lines], round(wide)
    (['hidden_', 'state'], 57)
    """
    least = extent(below)[0]
    if line_width(line) <= 2 * radius - 6 or not _breaks(line):
        room = 2 * radius - 6 if line_width(line) < 2.1 * radius else WIDEST - 12
        line = fitted(line, room)
    fits = line_width(line) <= 2 * radius - 6 and least <= 2 * radius - 12
    if fits and (not below or _reach((line, *below), radius) <= radius):
        return (joined(line), *below), 2 * radius
    labels = [lines for lines in _broken(line) if len(lines) + len(below) <= 3]
    ways = [(_around((*lines, *below), radius), lines) for lines in labels]
    two = [way for way in ways if len(way[1]) <= 2 and way[0] <= WIDEST]
    wide, lines = min(two or ways, key=lambda way: way[0])
    if wide > WIDEST:
        room = WIDEST - (wide - extent(lines)[0])
        lines, wide = tuple(fitted(part, room) for part in lines), WIDEST
    return (*map(joined, lines), *below), max(wide, 2 * radius)


def _breaks(line: Line) -> list[int]:
    """Where a line may be broken: before two letters or more, an index not counted."""
    ends = [i + 1 for i, run in enumerate(line) if run.text[-1:] in ("_", " ")]
    behind = ["".join(run.text for run in line[i:] if run.rise <= 0) for i in ends]
    return [i for i, rest in zip(ends, behind, strict=True) if len(rest) > 1][:12]


def _broken(line: Line) -> Iterator[Lines]:
    """The line in two lines or, a little smaller, in three, in every way."""
    for count in (0, 1, 2):
        small = sized(line, 0.85 * max(run.size for run in line)) if count > 1 else line
        for chosen in combinations(_breaks(line), count):
            ends = [0, *chosen, len(line)]
            yield tuple(small[a:b] for a, b in pairwise(ends))


def _around(lines: Lines, radius: float) -> float:
    """The width of an oval of that height around lines."""
    wide, high = extent(lines)
    high *= 0.8  # letters do not fill their lines
    wide = wide / sqrt(max(1 - (high / 2 / radius) ** 2, 0.1)) + 5.0
    return max(wide, 2 * _reach(lines, radius))


def _reach(lines: Lines, radius: float) -> float:
    """Half the width of the narrowest oval of that height that holds all letters."""
    found = 0.0
    for x, y, run in placed_runs(0.0, 0.0, lines):
        high = max(abs(y + 0.45 * run.size), abs(y - 0.45 * run.size)) / radius
        found = max(found, (abs(x) + run.width / 2) / sqrt(max(1 - high**2, 0.1)))
    return found


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
