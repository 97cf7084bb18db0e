r"""Names in LaTeX and in Unicode: letters, words, numbers below, accents, Greek.

>>> name("ŷ"), name("h1"), name("θ"), name("cell_a")
('\\hat{y}', 'h_{1}', '\\theta', '\\mathrm{cell}_{a}')
>>> readable("a b"), name("a b")
("'a b'", '\\mathrm{a\\ b}')
"""

import re
import unicodedata

SPECIAL = dict(zip("{}$&#%_ ", (rf"\{c}" for c in "{}$&#%_ "), strict=True))
SPECIAL |= {"\\": r"\backslash ", "~": r"\sim ", "^": r"\wedge ", "'": r"\prime "}
GREEK = frozenset("αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ")
ACCENTS = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0307": "dot",
           "\u0308": "ddot", "\u0301": "acute", "\u0300": "grave"}  # fmt: skip


def latex(c: str) -> str:
    """One character, as LaTeX sets it in formulas without further packages."""
    if c in SPECIAL:
        return SPECIAL[c]
    if c.isascii() and c.isprintable():
        return c
    if c in GREEK:
        greek = unicodedata.name(c).split()[-1].lower().replace("lamda", "lambda")
        greek = greek.replace("epsilon", "varepsilon")
        return f"\\{greek.capitalize() if c.isupper() else greek} "
    parts = unicodedata.normalize("NFD", c)
    if len(parts) == 2 and parts[1] in ACCENTS and parts[0].isascii():
        return f"\\{ACCENTS[parts[1]]}{{{parts[0]}}}"
    return f"\\mathrm{{U{ord(c):04X}}}"


def readable(text: str) -> str:
    """A name in Unicode: what is no word is in quotes."""
    return text if text.isidentifier() else f"'{text}'"


def name(text: str) -> str:
    """A name in LaTeX: a letter, words upright, a number or a word below."""
    number = re.fullmatch(r"(.*?[^0-9_])_?([0-9]+)", text, re.DOTALL)
    stem, _, low = (number[1], "", number[2]) if number else text.partition("_")
    if not stem or (low and not low.replace("_", "")):
        stem, low = text, ""
    base = word_in_latex(stem)
    return f"{base}_{{{low if number else word_in_latex(low)}}}" if low else base


def word_in_latex(word: str) -> str:
    """A part of a name: a letter, or upright where there are several."""
    letters = unicodedata.normalize("NFC", word)
    said = "".join(map(latex, letters)).rstrip(" ") if letters.strip() else r"\ "
    plain = letters.isascii() and letters.isalnum()
    if len(letters) == 1:
        return said if plain or said.startswith("\\") else f"{{{said}}}"
    return rf"\mathrm{{{said}}}"
