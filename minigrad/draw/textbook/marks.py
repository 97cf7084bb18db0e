"""Arrows in letters and words: what both halves of a figure share.

>>> from minigrad.draw.textbook.chart import Symbol
>>> chart = Chart((Symbol("s", (), clock=0),), (Arrow("s", "s", delay=1),), (3,))
>>> said(chart, chart.arrows[0])
's → s, 1 step later'
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from minigrad.draw.page.latex import RAISED, UP
from minigrad.draw.page.scene import Line, Lines, Run
from minigrad.draw.textbook.chart import ALL, Arrow, Chart, steps_of

NONE: Mapping[int, str] = MappingProxyType({})


def home(key: str) -> str:
    """The id of a symbol's circle in the circuit."""
    return f"{key}@t"


def way_home(arrow: Arrow) -> str:
    """The id of an arrow in the circuit."""
    delay = f"{'/' * (1 + bool(arrow.turns))}{arrow.delay}" if arrow.delay else ""
    growing = "/.." if arrow.kind == "growing" else ""
    return f"{home(arrow.source)}>{home(arrow.target)}{delay}{growing}"


def label_of(chart: Chart, names: tuple[str, ...]) -> Lines:
    """The letters of the parameters that multiply on an arrow."""
    letters = [_letters(chart, name) for name in names]
    return (listed(letters, short=chart.merged > 0),) if letters else ()


def _letters(chart: Chart, name: str) -> Line:
    """The letters of a parameter; "Wᵀ" has a raised T."""
    weight = chart.weight(name)
    turned = (Run("T", "serif", RAISED, UP),) if weight.name != name else ()
    return (*weight.label, *turned)


def listed(lines: Sequence[Line], short: bool = False) -> Line:
    """Letters with commas between; if short of more than three the first and the last.

    >>> "".join(run.text for run in listed([(Run(k),) for k in "figo"], short=True))
    'f … o'
    """
    between = Run(", ", "serif", 18.0)
    if short and len(lines) > 3:
        lines, between = [lines[0], lines[-1]], Run(" … ", "serif", 18.0)
    runs = list(lines[0])
    for line in lines[1:]:
        runs += [between, *line]
    return tuple(runs)


def said(chart: Chart, *arrows: Arrow) -> str:
    """Arrows in words, for the title that a browser shows.

    What differs in the number of steps alone is told once, with all of them.
    """
    delays: dict[tuple[str, str, str], list[int]] = {}
    for a in arrows:
        read, once = steps_read(a), only_at(chart, [a])
        ends = f"{a.source} → {a.target}" + (f", of {read}" if read else "")
        by = f", by {', '.join(a.labels)}" if a.labels else ""
        later = 0 if read else a.delay
        when = "later" if later > 0 else "earlier" if later else ""
        key = ends, when, by + (f", {once}" if once else "")
        delays.setdefault(key, []).append(abs(later))
    return "; ".join(
        f"{ends}{_steps(found, when) if when else ''}{rest}"
        for (ends, when, rest), found in delays.items()
    )


def _steps(delays: Sequence[int], when: str) -> str:
    """How many steps later or earlier: 1, 2, …, 9 if there are many."""
    found = sorted({*delays})
    told = [*map(str, found)]
    if len(found) > 4 and found[-1] - found[0] == len(found) - 1:
        told = [*told[:2], "…", told[-1]]
    return f", {', '.join(told)} step{'s' * (found != [1])} {when}"


def steps_read(arrow: Arrow) -> str:
    """Which steps of another loop, or of its own, an arrow reads: T, 1..t-1."""
    if arrow.kind == "growing" and arrow.at is not None:
        back = f"t-{arrow.delay}" if arrow.delay else "t"
        return f"{arrow.at.first}..{back}"
    return "" if arrow.at is None else str(arrow.at)


def only_at(
    chart: Chart, arrows: Sequence[Arrow], index: Mapping[int, str] = NONE
) -> str:
    """The words for arrows that exist at one step of several, else nothing."""
    words = {_only_at(chart, arrow, index) for arrow in arrows}
    return words.pop() if len(words) == 1 else ""


def _only_at(chart: Chart, arrow: Arrow, index: Mapping[int, str]) -> str:
    clock = chart.symbol(arrow.target).clock
    steps = steps_of(chart, arrow)
    if arrow.span == ALL or clock is None or len(steps) != 1:
        return ""
    length, delay = chart.lengths[clock], abs(arrow.delay)
    # Or wherever there is a step to read.
    if length == 1 or (arrow.kind == "delay" and delay and delay + 1 == length):
        return ""
    return f"only t = {index.get(steps[0], steps[0])}"


def in_words(
    a: Arrow,
    source: int | None,
    target: int | None,
    names: tuple[str, ...],
) -> str:
    """One arrow between two steps in words, for the title that a browser shows."""

    def named(key: str, t: int | None) -> str:
        return key if t is None else f"{key}({t})"

    by = f" by {', '.join(names)}" if names else ""
    return f"{named(a.source, source)} → {named(a.target, target)}{by}"
