"""Arrows in letters and words: what both halves of a figure share.

>>> from minigrad.draw.textbook.chart import Symbol
>>> chart = Chart((Symbol("s", (), clock=0),), (Arrow("s", "s", delay=1),), (3,))
>>> said(chart, chart.arrows[0])
's → s, 1 step later'
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Any

from minigrad.draw.page.latex import RAISED, UP
from minigrad.draw.page.letters import letter, plain
from minigrad.draw.page.scene import Line, Lines, Run
from minigrad.draw.textbook.chart import ALL, Arrow, Chart, steps_of
from minigrad.draw.textbook.nested import turn_letters

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


def called(chart: Chart, key: str, t: str = "") -> str:
    """A value as the figure writes it, at step t: h(2), or h(2,1) within a step."""
    symbol = chart.symbol(key)
    if symbol.kind == "dot":
        return "…"
    return (plain(symbol.label) or key) + (f"({symbol.index(t)})" if t else "")


def by_names(names: Sequence[str]) -> str:
    """The words for parameters that multiply, if there are any."""
    return f" by {', '.join(plain(letter(n, 2)) for n in names)}" if names else ""


def said(chart: Chart, *arrows: Arrow) -> str:
    """Arrows in words, for the title that a browser shows.

    What differs in the number of steps alone is told once, with all of them; so are
    the turns of a loop within a step.
    """
    alike: dict[tuple[Any, ...], list[Arrow]] = {}
    for a in arrows:
        read, by, once = steps_read(a), by_names(a.labels), only_at(chart, [a])
        when = "" if read or not a.delay else "later" if a.delay > 0 else "earlier"
        rest = by.replace(" by", ", by", 1) + (f", {once}" if once else "")
        key = *_lines(chart, a), f", of {read}" if read else "", when, rest
        alike.setdefault(key, []).append(a)
    delays: dict[tuple[str, str, str], list[int]] = {}
    for (*_, read, when, rest), found in alike.items():
        for ends in _ends(chart, found):
            told = delays.setdefault((ends + read, when, rest), [])
            told += [abs(a.delay) for a in found]
    return "; ".join(
        f"{ends}{_steps(found, when) if when else ''}{rest}"
        for (ends, when, rest), found in delays.items()
    )


def _lines(chart: Chart, a: Arrow) -> tuple[Any, ...]:
    """What two arrows have in common that differ in their turns alone."""
    source, target = chart.symbol(a.source), chart.symbol(a.target)
    if not source.turn and not target.turn:
        return a.source, a.target
    by = (v - u for u, v in zip(source.turn, target.turn, strict=False))
    return source.line or a.source, target.line or a.target, a.delay, *by


def _ends(chart: Chart, arrows: Sequence[Arrow]) -> list[str]:
    """The ends of such arrows, with letters for turns that follow each other.

    Of some of a loop's turns it says which; those with gaps are told one by one.
    """
    pairs = [*dict.fromkeys((a.source, a.target) for a in arrows)]
    ends = [[chart.symbol(key) for key in keys] for keys in zip(*pairs, strict=True)]
    written: list[list[str]] = [["t"], ["t"]]
    ranges = ""
    for d, sign in enumerate(turn_letters(chart)[: max(len(e[0].turn) for e in ends)]):
        turns = [[s.turn[d] for s in end if len(s.turn) > d] for end in ends]
        varied = [here for here in turns if len({*here}) > 1]
        for index, here in zip(written, turns, strict=True):
            by = int(here[0] - varied[-1][0]) if here in varied else 0
            shift = f"{by:+}" if by else ""
            index += [sign + shift if here in varied else str(k) for k in here[:1]]
        if not varied:
            continue
        first, last = min(varied[-1]), max(varied[-1])
        if last - first + 1 > len({*varied[-1]}):
            return [in_words(*(at_any(chart, key) for key in pair)) for pair in pairs]
        loops = {s.loops[: d + 1] for end in ends for s in end if len(s.turn) > d}
        others = (s for s in chart.symbols if s.loops[: d + 1] in loops)
        if not {s.turn[d] for s in others if not s.begins} <= {*chain(*turns)}:
            ranges += f", {sign} = {first}..{last}"
    names = [
        called(chart, end[0].key) + (f"({','.join(index)})" if end[0].turn else "")
        for end, index in zip(ends, written, strict=True)
    ]
    return [in_words(*names) + ranges]


def at_any(chart: Chart, key: str) -> str:
    """A value at any step: h, or h(t,2) of a loop within a step."""
    return called(chart, key, "t" if chart.symbol(key).turn else "")


def in_words(source: str, target: str, names: Sequence[str] = ()) -> str:
    """One arrow in words, for the title that a browser shows."""
    return f"{source} → {target}{by_names(names)}"


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
