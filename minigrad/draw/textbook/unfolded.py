"""The unrolled columns: one circle per symbol and step, the middle left out.

Vocabulary
    slot     a place for a column; those that are shown are laid out side by side, and
             the drawing is cut where steps are left out
    rim      with letters for steps: a dashed circle for what lies before the first
             column or after the last

>>> from minigrad.draw.textbook.chart import Arrow, Chart, Symbol
>>> chart = Chart((Symbol("s", (), clock=0),), (Arrow("s", "s", delay=1),), (9,))
>>> drawing = Drawing(chart, steps=4, parts=["unfolded"])
>>> draw_unfolded(drawing, 0.0).loops[0].steps, drawing.sheet.elided
([1, 2, 8, 9], 5)
>>> [key for key in drawing.sheet.nodes if key.startswith("s")]
['s@1', 's@2', 's@-2', 's@-1']
"""

from collections import defaultdict

from minigrad.draw.textbook.between import draw_between
from minigrad.draw.textbook.chart import Arrow, Pair, StandIn, reads
from minigrad.draw.textbook.column import Column
from minigrad.draw.textbook.columns import RADIUS, Unfolded
from minigrad.draw.textbook.drawing import UNFOLDED, Drawing, Instance
from minigrad.draw.textbook.marks import circle, in_words
from minigrad.draw.textbook.steps import BESIDE, LoopColumns
from minigrad.draw.textbook.ways import way_of
from minigrad.draw.textbook.weights import draw_buses

BOXES = 84.0


def draw_unfolded(drawing: Drawing, left: float) -> Unfolded:
    """Draw the columns of every group from left to right."""
    done = Unfolded(left=left)
    x = left + (BOXES if drawing.how.weights else 0.0)
    for g, group in enumerate(drawing.grid.groups):
        column = drawing.columns[UNFOLDED][g]
        if group.clock is None:
            x -= min(column.left, column.ports.outer[-1])
            done.middles[g] = x
            _untimed(drawing, column, x)
            x += max(column.right, column.ports.outer[1]) + BESIDE
            x += max(0.0, column.ports.inner[1] - BESIDE / 2)
        else:
            x = LoopColumns(drawing, group.clock, column, x).draw(done)
    done.right = max(x - BESIDE, left)
    draw_between(drawing, UNFOLDED, done.loops, done.middles)
    _given(drawing)
    draw_buses(drawing, UNFOLDED, drawing.how.weights, left, done.loops)
    shown = [e for e in drawing.sheet.edges if e.part == UNFOLDED]
    covered = {pair for edge in shown for pair in edge.covers}
    recorded = {
        (drawing.chart.seat(arrow.source, a), drawing.chart.seat(arrow.target, b))
        for arrow in drawing.chart.arrows
        for b, found in reads(drawing.chart, arrow)
        for a in found
    }
    drawing.sheet.elided = 0 if drawing.how.index else len(recorded - covered)
    return done


def _untimed(drawing: Drawing, column: Column, x: float) -> None:
    """The circles of values without time, and the arrows among them."""
    chart = drawing.chart
    for key in column.group.keys:
        symbol = chart.symbol(key)
        look = drawing.how.look(key, 0)
        y = drawing.y(key)
        below = drawing.how.below(key, 0)
        drawing.sheet.add(
            circle(
                chart, symbol, key, x + column.x(key), y, UNFOLDED, None, below, **look
            )
        )
    instances = []
    for a in column.now:
        way = way_of(column, a, x + column.x(a.source), x + column.x(a.target), x)
        net = next((n for n in column.nets if a in n.arrows), None)
        instances.append(
            Instance(
                a,
                a.source,
                a.target,
                way,
                drawing.names(a),
                ((a.source, a.target),),
                net=f"{a.source}/{column.level[a.target]}" if net else None,
                title=in_words(a, None, None, drawing.names(a)),
            )
        )
    drawing.emit(instances, UNFOLDED)


def _given(drawing: Drawing) -> None:
    """What a start is computed from: beside it, on its level."""
    sheet, grid, chart = drawing.sheet, drawing.grid, drawing.chart
    waiting = [
        s
        for s in reversed(chart.symbols)
        if s.key in grid.outside and s.key not in grid.stand
    ]
    for symbol in waiting:
        arrow = next(a for a in grid.given if a.source == symbol.key)
        if arrow.target not in sheet.nodes:
            continue
        beside = sheet.nodes[arrow.target]
        side = 1 if grid.stand.get(arrow.target, StandIn("", -1)).offset > 0 else -1
        x = beside.x
        while any(
            abs(node.x - x) < 2 * RADIUS + 8 and abs(node.y - beside.y) < 2 * RADIUS
            for node in sheet.nodes.values()
        ):
            x += side * (2 * RADIUS + BESIDE) / 2
        x += side * max(0.0, 2 * RADIUS + BESIDE - abs(x - beside.x))
        sheet.add(circle(chart, symbol, symbol.key, x, beside.y, UNFOLDED))
    merged: dict[Pair, list[str]] = defaultdict(list)
    first: dict[Pair, Arrow] = {}
    for a in grid.given:
        if a.source in sheet.nodes and a.target in sheet.nodes:
            merged[a.source, a.target] += a.labels
            first.setdefault((a.source, a.target), a)
    for (source, target), names in merged.items():
        labels = tuple(dict.fromkeys(names))
        sheet.connect(
            source,
            target,
            None,
            drawing.letters(labels),
            text_kind=drawing.how.text_kind,
            kind=drawing.how.edge_kind,
            part=UNFOLDED,
            title=in_words(first[source, target], None, None, labels),
            parameters=labels,
            covers=((source, target),),
        )
