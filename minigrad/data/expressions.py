"""Nested expressions of truth values, as trees, as texts, and what they come to.

Symbols are numbers: 0 and 1 are the values, then &, | and ^ (exclusive or), and in a
text the two brackets. ``(a & b)`` is the tree ``((&, a), b)``: an operation that knows
its first value waits for the second.

>>> tree, value = expression(np.random.default_rng(4), depth=2)
>>> text(tree), value
('((1&1)^(0|0))', 1)
"""

from typing import Any

import numpy as np

Tree = Any  # int | tuple[Tree, Tree]
SYMBOLS = "01&|^()"
OPERATIONS = (np.bitwise_and, np.bitwise_or, np.bitwise_xor)


def expression(rng: np.random.Generator, depth: int) -> tuple[Tree, int]:
    """A tree of operations, exactly ``depth`` of them deep, and its value.

    One side goes on to the full depth, the other one to a depth of its own. All three
    operations are as likely, so that half of all values are 1.
    """
    if depth == 0:
        value = int(rng.integers(2))
        return value, value
    depths = [depth - 1, int(rng.integers(depth))]
    if rng.random() < 0.5:
        depths.reverse()
    (a, first), (b, second) = (expression(rng, d) for d in depths)
    k = int(rng.integers(3))
    return ((2 + k, a), b), int(OPERATIONS[k](first, second))


def text(tree: Tree) -> str:
    """An expression with its brackets."""
    return "".join(SYMBOLS[k] for k in tokens(tree))


def tokens(tree: Tree) -> list[int]:
    """The symbol numbers of the text of an expression.

    >>> tokens(((SYMBOLS.index("&"), 1), 0)), SYMBOLS[2]
    ([5, 1, 2, 0, 6], '&')
    """
    if not isinstance(tree, tuple):
        return [tree]
    (operation, a), b = tree
    inner = [*tokens(a), operation, *tokens(b)]
    return [SYMBOLS.index("("), *inner, SYMBOLS.index(")")]
