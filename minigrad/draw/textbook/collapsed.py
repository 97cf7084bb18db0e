"""A chart with fewer circles: values that read the same and are read by the same.

Three states that feed one another by nine matrices leave no place where a letter is
beside its own arrow alone. As one circle with one arrow they do.

>>> from minigrad.draw.page.scene import Run
>>> h, g, o = (Symbol(k, (Run(k, "italic", 18.0),), clock=0) for k in "hgo")
>>> arrows = [Arrow(a, b, delay=1) for a in "hg" for b in "hg"]
>>> arrows += [Arrow("h", "o"), Arrow("g", "o")]
>>> small = collapsed(Chart((h, g, o), tuple(arrows), (3,)))
>>> [s.key for s in small.symbols], len(small.arrows), small.merged
(['h', 'o'], 2, 2)
"""

from dataclasses import replace

from minigrad.draw.textbook.chart import Arrow, Chart, StandIn, Symbol
from minigrad.draw.textbook.marks import listed


def collapsed(chart: Chart) -> Chart:
    """The chart with such values as one; ``merged`` counts them."""
    to = _merged(chart)
    members: dict[str, list[Symbol]] = {}
    for symbol in chart.symbols:
        members.setdefault(to[symbol.key], []).append(symbol)
    arrows: dict[Arrow, list[str]] = {}
    for arrow in chart.arrows:
        a, b = to[arrow.source], to[arrow.target]
        one = replace(arrow, source=a, target=b, labels=())
        arrows.setdefault(one, []).extend(arrow.labels)
    return replace(
        chart,
        symbols=tuple(_one(group, to) for group in members.values()),
        arrows=tuple(
            replace(arrow, labels=tuple(dict.fromkeys(names)))
            for arrow, names in arrows.items()
        ),
        weights=tuple(
            replace(w, targets=tuple(dict.fromkeys(to.get(t, t) for t in w.targets)))
            for w in chart.weights
        ),
        merged=sum(
            len(group)
            for group in members.values()
            if len(group) > 1 and not group[0].stands_for
        ),
    )


def _merged(chart: Chart) -> dict[str, str]:
    """For each key that of the circle that it is drawn as."""
    reads: dict[str, set[Arrow]] = {s.key: set() for s in chart.symbols}
    read_by: dict[str, set[Arrow]] = {s.key: set() for s in chart.symbols}
    for arrow in chart.arrows:
        reads[arrow.target].add(replace(arrow, target="", labels=()))
        read_by[arrow.source].add(replace(arrow, source="", labels=()))
    first: dict[tuple[object, ...], str] = {}
    to = {}
    for symbol in chart.symbols:
        alone = symbol.clock is None or symbol.leaf
        same = frozenset(reads[symbol.key]), frozenset(read_by[symbol.key])
        who = symbol.key if alone else (symbol.clock, symbol.kind, symbol.span, *same)
        to[symbol.key] = first.setdefault((who,), symbol.key)
    # What stands for states before the first step goes with them.
    for symbol in chart.symbols:
        if symbol.stands_for is not None:
            state, offset = symbol.stands_for
            beside = ("before", to[state], offset, symbol.leaf)
            to[symbol.key] = first.setdefault(beside, symbol.key)
    return to


def _one(group: list[Symbol], to: dict[str, str]) -> Symbol:
    """The symbol that stands for all of a group."""
    first = group[0]
    if first.stands_for is not None:
        state, offset = first.stands_for
        first = replace(first, stands_for=StandIn(to[state], offset))
    if len(group) == 1:
        return first
    # Letters side by side, and one index for all of them.
    letters = [tuple(run for run in s.label if run.rise <= 0) for s in group]
    index = tuple(run for run in first.label if run.rise > 0)
    label = (*listed(letters, short=True), *index)
    titles = dict.fromkeys(s.title for s in group)
    return replace(first, label=label, title="; ".join(titles))
