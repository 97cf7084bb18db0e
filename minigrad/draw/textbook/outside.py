"""What stands beside the columns: initial states, outer values, and dashed h(…).

Vocabulary
    stand-in   a value from outside of a loop in the place of a state before step 1

>>> from minigrad.draw.textbook.chart import Symbol
>>> sheet = Sheet()
>>> chart = Chart((Symbol("total", ()),), (), (3,))
>>> after_loops(sheet, chart, Heights(chart), 0.0)
96.0
"""

from collections.abc import Collection

from minigrad.draw.page.letters import indexed
from minigrad.draw.page.sheet import Sheet
from minigrad.draw.textbook.chart import Chart, read_outs
from minigrad.draw.textbook.columns import COLUMN, Loop
from minigrad.draw.textbook.heights import Heights
from minigrad.draw.textbook.marks import circle, label_of, way
from minigrad.draw.textbook.routes import PART


def stand_ins(
    sheet: Sheet, chart: Chart, heights: Heights, clock: int, loop: Loop
) -> None:
    """The stand-ins: what a recurrence reads before its first step."""
    for symbol in chart.symbols:
        if symbol.stands_for is None:
            continue
        state, offset = symbol.stands_for
        if chart.symbol(state).clock != clock:
            continue
        x = loop.at(offset if offset < 0 else len(loop.shown) - 1 + offset)
        sheet.add(
            circle(
                chart,
                symbol,
                symbol.key,
                x,
                heights.of(symbol.key),
                PART,
                kind="initial",
                dashed=True,
                t=0,
            )
        )


def and_so_on(
    sheet: Sheet, chart: Chart, heights: Heights, clock: int, loop: Loop, labels: bool
) -> None:
    """Dashed circles h(…) at both ends of columns that are t-1, t and t+1."""
    first, last = loop.steps[0], loop.steps[-1]
    for arrow in chart.arrows:
        if arrow.kind != "delay" or abs(arrow.delay) != 1:
            continue
        if chart.symbol(arrow.target).clock != clock:
            continue
        begin, end = (first, last) if arrow.delay > 0 else (last, first)
        ends = [(begin, arrow.source, True)]
        ends += [(end, arrow.target, False)] * (loop.gap is None)
        for t, key, incoming in ends:
            inner = chart.seat(arrow.target if incoming else arrow.source, t)
            if inner not in sheet.nodes or (incoming and t == loop.length):
                continue  # there is nothing before the start of a loop
            symbol = chart.symbol(key)
            x = loop.at(-1 if t == first else len(loop.shown))
            node = circle(
                chart,
                symbol,
                f"{key}@… {t}",
                x,
                heights.of(key),
                PART,
                indexed(symbol.label, "…"),
                kind="initial",
                dashed=True,
            )
            sheet.add(node)
            tail, tip = (node.id, inner) if incoming else (inner, node.id)
            sheet.connect(
                tail,
                tip,
                label=label_of(chart, arrow) if labels else (),
                part=PART,
                dashed=True,
                parameters=arrow.labels,
                delay=arrow.delay,
                home=way(arrow),
            )


def before_loop(
    sheet: Sheet,
    chart: Chart,
    heights: Heights,
    clock: int,
    cursor: float,
    left_out: Collection[str],
) -> float:
    """Untimed values that lead to this loop first; returns the x after the last.

    ``left_out`` are those that are drawn elsewhere, or not at all.
    """
    for symbol in chart.symbols:
        if symbol.clock is not None or symbol.key in (*left_out, *sheet.nodes):
            continue
        if first_clock(chart, symbol.key) == clock:
            y = heights.of(symbol.key)
            sheet.add(circle(chart, symbol, symbol.key, cursor, y, PART))
            cursor += COLUMN
    return cursor


def first_clock(chart: Chart, key: str) -> int | None:
    """The first loop that an untimed value leads to, through others without time."""
    met, clocks = [key], []
    for at in met:
        for target in (chart.symbol(a.target) for a in chart.arrows if a.source == at):
            if target.clock is not None:
                clocks.append(target.clock)
            elif target.key not in met:
                met.append(target.key)
    return min(clocks, default=None)


def after_loops(
    sheet: Sheet,
    chart: Chart,
    heights: Heights,
    right: float,
    left_out: Collection[str] = (),
) -> float:
    """Untimed values that only read the loops; returns the x of the last.

    Read-outs share a column, each in its row; others stand one after the other.
    """
    waiting = [s for s in chart.symbols if s.clock is None and s.key not in sheet.nodes]
    waiting = [s for s in waiting if s.key not in left_out]
    column = read_outs(chart)
    x = right + COLUMN if column and chart.lengths else right
    for symbol in waiting:
        x += 0 if symbol.key in column else COLUMN
        sheet.add(circle(chart, symbol, symbol.key, x, heights.of(symbol.key), PART))
    return x
