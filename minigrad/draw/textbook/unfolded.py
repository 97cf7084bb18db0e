"""The unrolled columns: one circle per symbol and step, the middle left out.

Vocabulary
    stub      a half of an arrow whose other end lies among the steps left out

>>> from minigrad.draw.textbook.chart import Symbol
>>> chart = Chart((Symbol("s", (), clock=0),), (Arrow("s", "s", delay=1),), (9,))
>>> sheet = Sheet()
>>> columns = draw_unfolded(sheet, chart, Heights(chart), 0.0, steps=4)
>>> [key for key in sheet.nodes if key.startswith("s")], sheet.elided
(['s@1', 's@2', 's@-2', 's@-1'], 5)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from minigrad.draw.page.letters import indexed
from minigrad.draw.page.scene import Lines, line_width
from minigrad.draw.page.sheet import Sheet
from minigrad.draw.textbook.chart import Arrow, Chart, Step, Weight, outside, reads
from minigrad.draw.textbook.columns import COLUMN, RADIUS, Loop, visible
from minigrad.draw.textbook.heights import Heights
from minigrad.draw.textbook.marks import circle, label_of, way
from minigrad.draw.textbook.outside import (
    after_loops,
    and_so_on,
    before_loop,
    stand_ins,
)
from minigrad.draw.textbook.routes import dots, route, stubs
from minigrad.draw.textbook.weights import draw_buses

PART = "unfolded"
LANE, BOXES = 14.0, 84.0


@dataclass(frozen=True)
class Unrolling:
    """How the columns are written: their index, and what overlays add to a circle."""

    index: Mapping[int, str] | None = None
    labels: bool = True
    weights: tuple[Weight, ...] = ()
    edge_kind: str = "forward"
    text_kind: str = "ink"
    below: Callable[[str, int], Lines] = lambda name, t: ()
    look: Callable[[str, int], dict[str, Any]] = lambda name, t: {}


@dataclass
class Unfolded:
    """Where the columns came to stand."""

    loops: list[Loop] = field(default_factory=list)
    left: float = 0.0
    right: float = 0.0


def draw_unfolded(
    sheet: Sheet,
    chart: Chart,
    heights: Heights,
    left: float,
    steps: int = 6,
    how: Unrolling | None = None,
) -> Unfolded:
    """Draw the columns of every loop from left to right; ``left`` is the first x."""
    how = how or Unrolling()
    done = Unfolded(left=left, right=left)
    cursor = done.right = left + (BOXES if how.weights else 0.0)
    # Around a t there is no beginning, and what stands before one is not drawn.
    stand = {s.key for s in chart.symbols if s.stands_for is not None}
    left_out = outside(chart) if how.index else stand
    for clock in chart.clocks:
        cursor = before_loop(sheet, chart, heights, clock, cursor, left_out)
        shown = visible(chart.lengths[clock], steps)
        if how.index:
            first, second, last = how.index
            shown = [first, second, *([None] * (last > second + 1)), last]
        pitch = _pitch(chart, heights, clock, how)
        cursor += pitch * (1 if how.index else _outer(chart, clock, -1))
        loop = Loop(
            chart.lengths[clock],
            tuple(shown),
            cursor,
            pitch,
            dict(how.index) if how.index else None,
        )
        done.loops.append(loop)
        _columns(sheet, chart, heights, clock, loop, how)
        if how.index is None:
            stand_ins(sheet, chart, heights, clock, loop)
        else:
            and_so_on(sheet, chart, heights, clock, loop, how.labels)
        cursor = loop.right
        further = how.index and loop.gap is None
        cursor += pitch * (1 if further else _outer(chart, clock, 1))
        done.right = cursor
        cursor += COLUMN * 1.25
    done.right = after_loops(sheet, chart, heights, done.right, left_out)
    draw_buses(sheet, chart, heights, how.weights, left, done.loops)
    for arrow in chart.arrows:
        _arrow(sheet, chart, heights, arrow, done.loops, how)
    for clock, loop in enumerate(done.loops):
        if loop.gap is not None:
            dots(sheet, chart, heights, clock, loop, how.index is None)
    return done


def _outer(chart: Chart, clock: int, side: int) -> int:
    """How many columns of stand-ins lie before the first (or after the last) step."""
    return max(
        (
            abs(s.stands_for.offset)
            for s in chart.symbols
            if s.stands_for is not None
            and chart.symbol(s.stands_for.state).clock == clock
            and s.stands_for.offset * side > 0
        ),
        default=0,
    )


def _pitch(chart: Chart, heights: Heights, clock: int, how: Unrolling) -> float:
    """The distance of columns: room for arrows around circles, and for long labels."""
    labels = [
        line_width(line)
        for arrow in chart.arrows
        if how.labels and chart.symbol(arrow.target).clock == clock
        for line in label_of(chart, arrow)
    ]
    longest = max(labels, default=0.0)
    # A long label beside a slanting arrow needs half as much again.
    wide = max(COLUMN, 2 * RADIUS + longest + (16.0 if longest < 40 else 70.0))
    return wide + heights.wider + LANE * max(0, len(_skips(chart, heights, clock)) - 1)


def _skips(chart: Chart, heights: Heights, clock: int) -> list[Arrow]:
    """The arrows within a step that go around another circle."""
    return [
        a
        for a in chart.arrows
        if a.kind == "delay" and not a.delay and chart.symbol(a.source).clock == clock
        if heights.apart(a.source, a.target) > 1
    ]


def _columns(
    sheet: Sheet, chart: Chart, heights: Heights, clock: int, loop: Loop, how: Unrolling
) -> None:
    for symbol in chart.symbols:
        if symbol.clock != clock:
            continue
        exists = symbol.steps(loop.length)
        for t in loop.steps:
            if t in exists:
                label = indexed(symbol.label, loop.text(t))
                details = {"t": t} | how.look(symbol.key, t)
                title = details.pop("title", f"{symbol.title} · step {loop.text(t)}")
                sheet.add(
                    circle(
                        chart,
                        symbol,
                        chart.seat(symbol.key, t),
                        loop.x(t),
                        heights.of(symbol.key),
                        PART,
                        label,
                        how.below(symbol.key, t),
                        title=title,
                        **details,
                    )
                )


def _arrow(
    sheet: Sheet,
    chart: Chart,
    heights: Heights,
    arrow: Arrow,
    loops: list[Loop],
    how: Unrolling,
) -> None:
    label = label_of(chart, arrow) if how.labels else ()
    bus = arrow.kind in ("gather", "growing") or (
        arrow.kind == "broadcast" and not arrow.initial
    )
    drawn = joined = recorded = 0
    shown = _shown(chart, arrow.source, loops)
    for b, found in reads(chart, arrow):
        recorded += len(found)
        tip = chart.seat(arrow.target, b)
        if tip not in sheet.nodes:
            continue
        for a in (a for a in shown if a in found):
            tail = chart.seat(arrow.source, a)
            if tail not in sheet.nodes:
                continue
            if sheet.join(tail, tip, label, arrow.labels):
                joined += 1
                continue
            drawn += 1
            if bus and drawn > 1:
                label = ()
            title = f"{_name(arrow.source, a)} → {_name(arrow.target, b)}"
            if arrow.labels:
                title += f" by {', '.join(arrow.labels)}"
            first = sheet.nodes[tail]
            sheet.connect(
                tail,
                tip,
                route(sheet, chart, heights, arrow, tail, tip),
                label,
                text_kind=how.text_kind,
                kind=how.edge_kind,
                part=PART,
                dashed=first.dashed,
                title=title,
                parameters=arrow.labels,
                delay=arrow.delay,
                home=way(arrow),
                covers=((tail, tip),),
            )
    clock = chart.symbol(arrow.target).clock
    if arrow.kind == "delay" and arrow.delay and clock is not None:
        drawn += stubs(sheet, chart, arrow, loops[clock], label, how.edge_kind)
    sheet.elided += 0 if how.index else recorded - drawn - joined


def _shown(chart: Chart, key: str, loops: list[Loop]) -> Sequence[Step]:
    """The steps at which a value is drawn."""
    clock = chart.symbol(key).clock
    return [None] if clock is None else loops[clock].steps


def _name(key: str, t: int | None) -> str:
    return key if t is None else f"{key}({t})"
