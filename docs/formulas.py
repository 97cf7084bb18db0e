"""The site's formulas: from LaTeX to MathML that reads well, and the font of it.

    python docs/formulas.py latinmodern-math.otf

cuts Latin Modern Math to the signs that formulas use, as docs/_static/formulas.woff2,
with fontTools and brotli. The whole font is in the Debian package fonts-lmodern, and in
lm-math of CTAN. Its licence, beside the file, asks for another name of what was cut:
the family is "minigrad formulas".

>>> missing(mathml("W + 1")), missing(mathml("W + ß"))
('', 'ß')
"""

import html
import re
import string
import sys
from pathlib import Path

from latex2mathml.converter import convert

# ------------------------------------------------------------------- MathML

# A word is one thing, and not the product of its letters.
WORD = re.compile(r'(?:<mi mathvariant="normal">\w</mi>){2,}')
# "tanh a" is no product either: an invisible sign says that tanh is applied, and where
# no parenthesis shows it, a thin space does.
FUNCTION = re.compile(
    r"(?<!<msup>)(?<!<msub>)(?<!<msup><mrow>)(?<!<msub><mrow>)"
    r"(<mi>(?:tanh|softmax|log|exp|diag|cos|sin)</mi>(?:</mrow>)?)"
    r"(?=<(?!/)((?:mrow><)?mo[^>]*>(?:&#x00028;|\())?)"
)
# A browser knows upright letters and slanted ones; a bold 1 is a sign of its own.
BOLD = re.compile(r'<mn mathvariant="bold">(\d)</mn>')
# The minus of "= -log p" is a sign, and no difference.
NEGATIVE = re.compile(r"(<mo>&#x0003D;</mo>)<mo>(&#x02212;</mo>)")
# A transpose is a sign in the exponent, and no operator between two things.
TRANSPOSE = re.compile(r"<mo>(&#x022A4;)</mo>")
# What latex2mathml knows by another name.
ALIGNED = re.compile(r"(\\(?:begin|end)){aligned}")


def applied(found: re.Match[str]) -> str:
    """A function's name, and what stands between it and what it is applied to."""
    space = "" if found[2] else '<mspace width="0.17em"/>'
    return f"{found[1]}<mo>&#x2061;</mo>{space}"


def readable(math: str) -> str:
    """MathML whose words are words, and whose functions stand apart."""
    math = WORD.sub(lambda m: f"<mi>{re.sub('<[^>]+>', '', m[0])}</mi>", math)
    math = BOLD.sub(lambda m: f"<mn>&#{0x1D7CE + int(m[1])};</mn>", math)
    math = TRANSPOSE.sub(r"<mi>\1</mi>", math)
    math = NEGATIVE.sub(r'\1<mo form="prefix">\2', math)
    return FUNCTION.sub(applied, math)


def mathml(latex: str, display: str = "block") -> str:
    """A formula as the site shows it."""
    return readable(convert(ALIGNED.sub(r"\1{align*}", latex), display=display))


# A browser may break a line between a formula and the full stop after it.
STOP = re.compile(
    r'(<math [^>]*display="inline">(?:(?!</math>).)*</math>)([.,;:)?!]+)', re.S
)


def held(page: str) -> str:
    """A page whose formulas keep the sign that follows them on their line.

    >>> held('at <math display="inline"><mi>y</mi></math>. And')
    'at <span class="held"><math display="inline"><mi>y</mi></math>.</span> And'
    """
    return STOP.sub(r'<span class="held">\1\2</span>', page)


# --------------------------------------------------------------------- font

FILE = Path(__file__).parent / "_static/formulas.woff2"
FAMILY = "minigrad formulas"
GREEK = "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηθικλμνξοπρςστυφχψω"
SPANISH = "ÁÉÍÑÓÚÜáéíñóúü¿¡"
BOLDS = "".join(map(chr, range(0x1D7CE, 0x1D7D8)))
SIGNS = "∇∂∑∏∫√∞−×·⋅±⊙⊤∘∗∈∉∼≈≠≤≥≪≫∝→←↔↦⇒⟨⟩‖∣…⋯⋮′¯ˆ˜˙^~ℝℕ\u2061\u2062\u2063\u00a0"
WRITTEN = {*string.ascii_letters, *string.digits, *string.punctuation, " "}
WRITTEN |= {*GREEK, *SPANISH, *BOLDS, *SIGNS}
TAG = re.compile(r"<[^>]+>")


def slanted() -> set[str]:
    """What a browser shows in place of a letter that is an ``mi`` of its own."""
    latin = {chr(0x1D434 + i) for i in range(52)} - {chr(0x1D455)} | {"ℎ"}
    return latin | {chr(0x1D6E2 + i) for i in range(58)}


def missing(math: str) -> str:
    """The signs of a formula in MathML that the font has not."""
    return "".join(sorted(set(html.unescape(TAG.sub("", math))) - WRITTEN - {"\n"}))


def cut(source: Path) -> None:
    """Write the subset."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    font = TTFont(source)
    asked = subset.Options(flavor="woff2", name_IDs=["*"], layout_features=["*"])
    cutter = subset.Subsetter(asked)
    cutter.populate(unicodes=map(ord, WRITTEN | slanted()))
    cutter.subset(font)
    for name in font["name"].names:
        if name.nameID in (1, 3, 4, 16):
            name.string = FAMILY
        elif name.nameID == 6:
            name.string = FAMILY.replace(" ", "-")
    top = font["CFF "].cff
    top.fontNames = [FAMILY.replace(" ", "-")]
    font.recalcTimestamp = False
    font.flavor = "woff2"
    font.save(FILE)
    lost = WRITTEN | slanted()
    lost -= set(map(chr, font.getBestCmap()))
    print(f"{FILE.stat().st_size} bytes, not in it: {sorted(lost)}")


if __name__ == "__main__":
    cut(Path(sys.argv[1]))
