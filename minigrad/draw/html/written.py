"""The equations of the page as data: of each line its equations, and at which steps.

A token is a sign, or ``[text, key, delay, term]``: which symbol it stands for, how many
steps back, and in which term it is.
"""

from collections import Counter
from typing import Any

from minigrad.draw.textbook.chart import Chart
from minigrad.equations import Equation, Token, equations
from minigrad.fold import FoldError
from minigrad.graph import Graph


def written(graph: Graph | None, chart: Chart | None) -> dict[str, list[Any]]:
    """``{line: [[steps, tokens], ..]}``; of the gradient by a line under ∇ and its key.

    Of several lines of one name none is told: it is not certain which is which.
    """
    if graph is None or chart is None:
        return {}
    try:
        said = equations(graph)
    except (FoldError, TypeError, ValueError):
        return {}  # a graph that was read, or of which no gradient is written
    names = Counter(symbol.name or symbol.key for symbol in chart.symbols)
    keys = {s.name or s.key: s.key for s in chart.symbols}
    found: dict[str, list[Any]] = {}
    for equation in said:
        name = equation.symbol.key.removeprefix("∇")
        if names[name] < 2:  # of several lines of one name none is certain
            sign = "∇" if equation.symbol.gradient else ""
            lines = found.setdefault(sign + keys.get(name, name), [])
            lines.append(_line(equation, keys))
    return found


def _line(equation: Equation, keys: dict[str, str]) -> list[Any]:
    """The first and the last step, and the tokens."""
    steps = equation.steps
    ends = [min(steps), max(steps)] if steps else None
    tokens = [_token(token, keys) for token in equation.tokens() if token.text]
    return [ends, tokens]


def _token(token: Token, keys: dict[str, str]) -> Any:
    if token.of is None:
        return token.text
    key = token.of.key.removeprefix("∇")
    return [token.text, keys.get(key, key), token.of.delay, token.of.term]
