"""Columns with letters for steps: t-1, t, t+1, and τ for the last.

>>> from minigrad.draw.textbook.chart import Symbol
>>> chart = Chart((Symbol("s", (), clock=0),), (Arrow("s", "s", delay=1),), (9,))
>>> symbolic(chart)[1]
{3: 't−1', 4: 't', 5: 't+1'}
"""

from dataclasses import replace

from minigrad.draw.textbook.chart import Arrow, Chart, reads
from minigrad.draw.textbook.marks import called, said
from minigrad.fold import Span


def symbolic(chart: Chart) -> tuple[Chart, dict[int, str], int]:
    """A chart to be drawn with letters for steps: the chart, its index, and its steps.

    The columns are steps in the middle of a loop that is long enough to have a middle.
    Where something happens at the last step only, that step is τ and stands apart.
    Raises ValueError for what such columns do not show.
    """
    if min(chart.lengths) < 2:
        raise _not_around_t("a loop of 1 step tells nothing of the step before")
    chart = _from_end_to_end(chart)
    far = max([1, *(abs(a.delay) for a in chart.arrows)])
    spans = [s.span for s in chart.symbols] + [a.span for a in chart.arrows]
    ends = [n for span in spans for n in span[:2]]
    edge = max([far, *(n if n > 0 else -n - 1 for n in ends)]) + 1
    steps = [edge + 1, edge + 2, edge + 3]
    length = 2 * edge + 3
    long = replace(chart, lengths=tuple(length for _ in chart.lengths))
    around = [*steps, length]
    here = [a for a in chart.arrows if not a.initial and _meets(long, a, around)]
    for arrow in (a for a in chart.arrows if not a.initial and a not in here):
        # Where a loop begins there is no t: what another one hands on is left out.
        if chart.symbol(arrow.source).clock == chart.symbol(arrow.target).clock:
            raise _not_around_t(said(chart, arrow))
    late = any(s.clock is not None and s.span.first < 0 for s in chart.symbols) or any(
        a.kind == "pick" and a.at is not None and a.at.first < 0 for a in here
    )
    if late:
        steps[2] = length
    for symbol in chart.symbols:
        if (every := symbol.span.every) > 1:
            raise _not_around_t(
                f"{called(chart, symbol.key)} is there every {every} steps"
            )
        found = symbol.span.steps(length)
        if symbol.clock is not None and not any(t in found for t in steps):
            raise _not_around_t(
                f"{called(chart, symbol.key)} is at steps {symbol.span} alone"
            )
    for arrow in here:
        shown = arrow.delay or any(
            a is None or a in steps
            for t, read in reads(long, arrow)
            if t is None or t in steps
            for a in read
        )
        if arrow.kind == "growing" or not shown:
            raise _not_around_t(said(chart, arrow))
    known = {(a.source, a.target, a.labels) for a in chart.arrows if a.delay}
    stands = {s.key: s.stands_for.state for s in chart.symbols if s.stands_for}
    for a in chart.arrows:
        state = stands.get(a.source)
        if state is not None and (state, a.target, a.labels) not in known:
            raise _not_around_t(
                f"a loop of {min(chart.lengths)} steps does not tell how many steps "
                f"later {called(chart, a.target)} reads {called(chart, state)}"
            )
    letters = ("t−1", "t", "τ" if late else "t+1")
    return long, dict(zip(steps, letters, strict=True)), length


def _from_end_to_end(chart: Chart) -> Chart:
    """The chart with spans that hold wherever they can, however short the loop was."""

    def wide(span: Span, clock: int | None, delay: int = 0) -> Span:
        length = chart.lengths[clock] if clock is not None else 0
        first, last = 1 + max(delay, 0), -1 + min(delay, 0)
        whole = Span(first, last).steps(length)
        return Span(first, last) if length and span.steps(length) == whole else span

    symbols = tuple(replace(s, span=wide(s.span, s.clock)) for s in chart.symbols)
    arrows = tuple(
        replace(a, span=wide(a.span, chart.symbol(a.target).clock, a.delay))
        for a in chart.arrows
    )
    return replace(chart, symbols=symbols, arrows=arrows)


def _meets(chart: Chart, arrow: Arrow, steps: list[int]) -> bool:
    """Whether an arrow leads to one of some steps, or to what has no time."""
    return any(t is None or t in steps for t, _ in reads(chart, arrow))


def _not_around_t(why: str) -> ValueError:
    return ValueError(f'{why}, which columns t-1, t, t+1 do not show: index="number"')
