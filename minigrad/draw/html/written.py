"""The equations of the page as data: of each line its equations, and at which steps.

A token is a sign, or ``[text, key, delay, term]``: which symbol it stands for, how many
steps back, and in which term it is.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from minigrad.draw.page.letters import plain
from minigrad.draw.textbook.chart import Chart, Symbol
from minigrad.equations import Equation, Token, equations
from minigrad.fold import FoldError, contract, fold
from minigrad.graph import Graph

INDEXED = re.compile(r"(∇?).*\((.*)\)(ᵀ?)")


def written(graph: Graph | None, chart: Chart | None) -> dict[str, list[Any]]:
    """``{line: [[steps, tokens], ..]}``; of the gradient by a line under ∇ and its key.

    Of several lines of one name none is told, for the figure writes them all the same;
    turns of a loop within a step have an index of their own there, and here.
    """
    if graph is None or chart is None:
        return {}
    try:
        said = equations(graph)
        lines = fold(contract(graph)).roles
    except (FoldError, TypeError, ValueError):
        return {}  # a graph that was read, or of which no gradient is written
    at = {(r.path, r.slot): key for r, key in zip(lines, chart.keys, strict=True)}
    by_key = {s.key: s for s in chart.symbols}
    single = [s for s in chart.symbols if s.begins or not s.turn]
    names = Counter(s.name or s.key for s in single)
    symbols = {s.name or s.key: s for s in single}
    for equation in said:
        role = said.recurrence.roles[max(equation.roles, default=0)]
        symbol = by_key.get(at.get((role.path, role.slot), ""))
        if equation.roles and symbol is not None and symbol.turn:
            symbols[equation.symbol.key] = symbol
            names[equation.symbol.key] = 1
    found: dict[str, list[Any]] = {}
    for equation in said:
        name = equation.symbol.key.removeprefix("∇")
        if names[name] < 2:  # of parameters there are none
            sign = "∇" if equation.symbol.gradient else ""
            key = symbols[name].key if name in symbols else name
            found.setdefault(sign + key, []).append(_line(equation, symbols))
    return found


def _line(equation: Equation, symbols: Mapping[str, Symbol]) -> list[Any]:
    """The first and the last step, and the tokens."""
    steps = equation.steps
    ends = [min(steps), max(steps)] if steps else None
    tokens = [_token(token, symbols) for token in equation.tokens() if token.text]
    return [ends, tokens]


def _token(token: Token, symbols: Mapping[str, Symbol]) -> Any:
    if token.of is None:
        return token.text
    key, text = token.of.key.removeprefix("∇"), token.text
    symbol = symbols.get(key)
    index = INDEXED.fullmatch(text)
    if symbol is not None and symbol.turn and index:
        sign, t, behind = index.groups()
        text = f"{sign}{plain(symbol.label)}({symbol.index(t)}){behind}"
    return [text, symbol.key if symbol else key, token.of.delay, token.of.term]
