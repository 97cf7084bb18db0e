"""Loops that read each other step by step share their columns.

A program may run one loop after the other, each step of the second reading the same
step of the first. That is one column of the book, as in fig. 10.11.

>>> from minigrad.draw.textbook.chart import Span, Symbol
>>> a, b = Symbol("a", (), clock=0), Symbol("b", (), clock=1)
>>> pick = [Arrow("a", "b", "pick", 0, Span(t, t), Span(t, t)) for t in (1, 2)]
>>> chart = aligned(Chart((a, b), tuple(pick), (2, 2)))
>>> chart.lengths, [(x.kind, x.delay) for x in chart.arrows], chart.symbol("b").clock
((2,), [('delay', 0)], 0)
"""

from collections import defaultdict
from dataclasses import replace

from minigrad.draw.textbook.chart import Arrow, Chart, reads


def aligned(chart: Chart) -> Chart:
    """The chart with one clock for loops that run in step."""
    clock = {s.key: s.clock for s in chart.symbols}
    between: dict[tuple[int, int], list[Arrow]] = defaultdict(list)
    for arrow in chart.arrows:
        a, b = clock[arrow.source], clock[arrow.target]
        if a is not None and b is not None and a != b:
            between[a, b].append(arrow)
    joined = {pair for pair, arrows in between.items() if _in_step(chart, arrows)}
    home = list(chart.clocks)
    for a, b in sorted(joined):
        home = [min(home[a], home[b]) if h in (home[a], home[b]) else h for h in home]
    for a, b in between:  # what reads any other step keeps its loop
        if home[a] == home[b] and (a, b) not in joined:
            return chart
    if home == list(chart.clocks):
        return chart
    kept = sorted(set(home))
    symbols = tuple(
        replace(s, clock=None if s.clock is None else kept.index(home[s.clock]))
        for s in chart.symbols
    )
    arrows: dict[Arrow, None] = {}
    for arrow in chart.arrows:
        ends = clock[arrow.source], clock[arrow.target]
        if ends in joined:
            span = chart.symbol(arrow.target).span
            arrow = Arrow(
                arrow.source, arrow.target, "delay", 0, span, None, arrow.labels
            )
        arrows[arrow] = None
    lengths = tuple(chart.lengths[c] for c in kept)
    return replace(chart, symbols=symbols, arrows=tuple(arrows), lengths=lengths)


def _in_step(chart: Chart, arrows: list[Arrow]) -> bool:
    """Whether each step reads the same step of the other loop, and all steps do."""
    steps: dict[tuple[str, str, tuple[str, ...]], set[int | None]] = defaultdict(set)
    for arrow in arrows:
        for t, found in reads(chart, arrow):
            if list(found) != [t]:
                return False
            steps[arrow.source, arrow.target, arrow.labels].add(t)
    for (source, target, _), met in steps.items():
        a, b = (chart.lengths[chart.symbol(k).clock or 0] for k in (source, target))
        if a != b or met != set(chart.steps(target)):
            return False
    return True
