"""Tokens: the pieces of written equations, each in Unicode and in LaTeX.

>>> [t.latex for t in joined([[sign("a")], [sign("b")]], ODOT)]
['a', ' \\\\odot ', 'b']
"""

from collections.abc import Sequence
from typing import NamedTuple

from minigrad.equations.names import latex


class Reference(NamedTuple):
    """What a token stands for: the symbol ``key``, at a step in words.

    ``delay`` says how many steps back that is, and ``term`` in which term of its
    equation the token is: b, W h(t-1) and U x(t) are three.
    """

    key: str
    kind: str  # value, parameter, input or constant
    gradient: bool
    time: str
    delay: int | None
    term: int


class Token(NamedTuple):
    """A piece of an equation, and what it refers to; None for a sign."""

    text: str
    latex: str
    of: Reference | None = None


Tokens = list[Token]


def sign(text: str, latex: str | None = None) -> Token:
    """A token that stands for itself."""
    return Token(text, text if latex is None else latex)


OPEN, CLOSE = sign("(", r"\left("), sign(")", r"\right)")
LEFT, RIGHT = sign("[", r"\left["), sign("]", r"\right]")
BESIDE, ODOT = sign(" ", r"\, "), sign(" ⊙ ", r" \odot ")
INFIX = {
    "greater": sign(" > "),
    "greater_equal": sign(" ≥ ", r" \ge "),
    "less": sign(" < "),
    "less_equal": sign(" ≤ ", r" \le "),
    "equal": sign(" = "),
    "not_equal": sign(" ≠ ", r" \ne "),
    "logical_and": sign(" ∧ ", r" \wedge "),
    "logical_or": sign(" ∨ ", r" \vee "),
}
FUNCTIONS = "tanh exp log sin cos tan sinh cosh max min"
KNOWN = frozenset(FUNCTIONS.split())  # by LaTeX
LATER = {"t": "k", "k": "j", "j": "i", "i": "i'"}


def joined(parts: Sequence[Tokens], between: Token) -> Tokens:
    """Parts with a sign between."""
    return [t for i, part in enumerate(parts) for t in ([between] * bool(i) + part)]


def words(text: str) -> Token:
    """Text that is no letter."""
    return sign(text, "".join(map(latex, text)))
