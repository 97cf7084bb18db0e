"""How wide a text will be: our own table, so that layout needs no engine.

Vocabulary
    face    one of five typefaces: serif, bold, italic, bolditalic (Times), sans (Arial)
    em      the font size; the tables count thousandths of it

Widths are those of the Adobe font metrics of Times and Helvetica, which Liberation,
Nimbus and the fonts bundled with graphviz-pure share, so both engines agree with it.

>>> width("W", "bold", 18)
18.0
>>> shorten("a name that is much too long", "sans", 11, 60)
'a name th…'
"""

from functools import lru_cache
from unicodedata import combining, normalize

ASCII = {
    "serif": """
        250 333 408 500 500 833 778 333 333 333 500 564 250 333 250 278 500 500 500 500
        500 500 500 500 500 500 278 278 564 564 564 444 921 722 667 667 722 611 556 722
        722 333 389 722 611 889 722 722 556 722 667 556 611 722 722 944 722 722 611 333
        278 333 469 500 333 444 500 444 500 444 333 500 500 278 278 500 278 778 500 500
        500 500 333 389 278 500 500 722 500 500 444 480 200 480 541
    """,
    "bold": """
        250 333 555 500 500 1000 833 333 333 333 500 570 250 333 250 278 500 500 500 500
        500 500 500 500 500 500 333 333 570 570 570 500 930 722 667 722 722 667 611 778
        778 389 500 778 667 944 722 778 611 778 722 556 667 722 722 1000 722 722 667 333
        278 333 581 500 333 500 556 444 556 444 333 500 556 278 333 556 278 833 556 500
        556 556 444 389 333 556 500 722 500 500 444 394 220 394 520
    """,
    "italic": """
        250 333 420 500 500 833 778 333 333 333 500 675 250 333 250 278 500 500 500 500
        500 500 500 500 500 500 333 333 675 675 675 500 920 611 611 667 722 611 611 722
        722 333 444 667 556 833 667 722 611 722 611 500 556 722 611 833 611 556 556 389
        278 389 422 500 333 500 500 444 500 444 278 500 500 278 278 444 278 722 500 500
        500 500 389 389 278 500 444 667 444 444 389 400 275 400 541
    """,
    "bolditalic": """
        250 389 555 500 500 833 778 333 333 333 500 570 250 333 250 278 500 500 500 500
        500 500 500 500 500 500 333 333 570 570 570 500 832 667 667 667 722 667 667 722
        778 389 500 667 611 889 722 722 611 722 667 556 611 722 667 889 667 611 611 333
        278 333 570 500 333 500 500 444 500 444 333 500 556 278 278 500 278 778 556 500
        500 500 389 389 278 556 444 667 500 444 389 348 220 348 570
    """,
    "sans": """
        278 278 355 556 556 889 667 222 333 333 389 584 278 333 278 278 556 556 556 556
        556 556 556 556 556 556 278 278 584 584 584 556 1015 667 667 722 722 667 611 778
        722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 667 667 611 278
        278 278 469 556 222 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556
        556 556 333 500 278 556 500 722 500 500 500 334 260 334 584
    """,
}
WIDTHS = {
    face: dict(zip(map(chr, range(32, 127)), map(int, table.split()), strict=True))
    for face, table in ASCII.items()
}
# Beyond ASCII the signs that the figures themselves use, and Greek letters, which are
# much alike in all faces; any other counts as 0.6 em.
OTHERS = {
    "−": 564, "…": 1000, "→": 990, "·": 250, "×": 564, "∂": 494, "‖": 400, "ℒ": 700,
    "∞": 713, "≤": 549, "√": 549, "ˆ": 333, "˜": 333, "¯": 500, "˙": 333, "¨": 333,
}  # fmt: skip
GREEK = """
    667 667 604 627 667 611 778 763 389 667 667 889 722 659 722 778 611 611 619 611 611
    789 667 800 746 0 0 0 0 0 0 0 553 512 416 512 410 441 549 519 278 530 444 556 444
    449 500 546 515 446 539 444 490 585 465 668 723
"""
OTHERS |= {chr(0x391 + i): int(w) for i, w in enumerate(GREEK.split()) if w != "0"}
# Superscript digits, brackets and letters are drawn smaller.
OTHERS.update(dict.fromkeys("⁽⁾", 200) | dict.fromkeys("⁰¹²³⁴⁵⁶⁷⁸⁹ᵗⁿⁱ⁺⁻", 340))
UNKNOWN = 600
# How far the line that letters stand on lies below their middle, in em.
BASELINE = 0.28


def width(text: str, face: str = "sans", size: float = 11.0) -> float:
    """The width of ``text`` in points.

    >>> round(width("tanh", "sans", 10), 2)
    19.46
    """
    return _units(text, face) * size / 1000


@lru_cache(maxsize=4096)
def _units(text: str, face: str) -> int:
    """The width in thousandths of the font size."""
    table = WIDTHS[face]

    def units(letter: str) -> int:
        # An accented letter is as wide as the letter.
        if combining(letter):
            return 0
        found = table.get(letter) or OTHERS.get(letter)
        return found or table.get(normalize("NFD", letter)[0], UNKNOWN)

    return sum(map(units, text))


def shorten(text: str, face: str, size: float, room: float) -> str:
    """``text``, or what fits of its start into ``room`` points, and an ellipsis."""
    if width(text[:400], face, size) <= room and len(text) <= 400:
        return text
    kept = 0
    while kept < len(text) and width(text[: kept + 1] + "…", face, size) <= room:
        kept += 1
    return text[:kept] + "…"
