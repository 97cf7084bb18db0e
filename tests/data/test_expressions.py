"""Expressions: the tree, the text and the value say the same."""

import numpy as np

from minigrad.data.expressions import SYMBOLS, expression, text, tokens


def depth(tree):
    if not isinstance(tree, tuple):
        return 0
    (_, a), b = tree
    return 1 + max(depth(a), depth(b))


def test_the_value_is_what_python_makes_of_the_text():
    rng = np.random.default_rng(0)
    for k in range(300):
        tree, value = expression(rng, k % 7)
        assert eval(text(tree)) == value
        assert depth(tree) == k % 7


def test_half_of_the_values_are_one():
    rng = np.random.default_rng(1)
    values = [expression(rng, 4)[1] for _ in range(2000)]
    assert 0.46 < np.mean(values) < 0.54


def test_tokens_are_the_numbers_of_the_text():
    tree, _ = expression(np.random.default_rng(2), 3)
    assert "".join(SYMBOLS[k] for k in tokens(tree)) == text(tree)
