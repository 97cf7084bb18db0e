"""The unrolled columns: one circle per symbol and step, the middle left out.

>>> from minigrad.draw.textbook.chart import Arrow, Chart, Symbol
>>> chart = Chart((Symbol("s", (), clock=0),), (Arrow("s", "s", delay=1),), (9,))
>>> drawing = Drawing(chart, steps=4, parts=["unfolded"])
>>> draw_unfolded(drawing, 0.0)
>>> drawing.shown["unfolded"][0].steps, drawing.sheet.elided
((1, 2, 8, 9), 5)
>>> [key for key in drawing.sheet.nodes if key.startswith("s")]
['s@1', 's@2', 's@-2', 's@-1']
"""

from collections import defaultdict

from minigrad.draw.textbook.between import draw_between
from minigrad.draw.textbook.chart import Arrow, Pair, names_on
from minigrad.draw.textbook.columns import RADIUS
from minigrad.draw.textbook.drawing import UNFOLDED, Drawing
from minigrad.draw.textbook.marks import in_words
from minigrad.draw.textbook.steps import BESIDE, GroupColumns
from minigrad.draw.textbook.weights import draw_buses

BOXES = 84.0


def draw_unfolded(drawing: Drawing, left: float) -> None:
    """Draw the columns of every group from left to right."""
    x = left + (BOXES if drawing.how.weights else 0.0)
    for g in range(len(drawing.grid.groups)):
        x = GroupColumns(drawing, g, x).draw()
    drawing.right = max(x - BESIDE, left)
    draw_between(drawing, UNFOLDED)
    _given(drawing)
    draw_buses(drawing, UNFOLDED, drawing.how.weights, left)
    shown = [e for e in drawing.sheet.edges if e.part == UNFOLDED]
    covered = {pair for edge in shown for pair in edge.covers}
    recorded = {*drawing.chart.pairs(*drawing.chart.arrows)}
    drawing.sheet.elided = 0 if drawing.how.index else len(recorded - covered)


def _given(drawing: Drawing) -> None:
    """What a start is computed from: beside it, on its level."""
    sheet, grid = drawing.sheet, drawing.grid
    for symbol in reversed(drawing.chart.symbols):
        leads = [a.target for a in grid.given if a.source == symbol.key]
        if symbol.key not in grid.given_keys or leads[0] not in sheet.nodes:
            continue
        beside, stand = sheet.nodes[leads[0]], grid.stand.get(leads[0])
        side, x = 1 if stand and stand.offset > 0 else -1, beside.x
        while any(
            abs(node.x - x) < 2 * RADIUS + 8 and abs(node.y - beside.y) < 2 * RADIUS
            for node in sheet.nodes.values()
        ):
            x += side * (2 * RADIUS + BESIDE) / 2
        drawing.circle(symbol, symbol.key, x, beside.y, UNFOLDED)
    merged: dict[Pair, list[Arrow]] = defaultdict(list)
    for a in grid.given:
        if a.source in sheet.nodes and a.target in sheet.nodes:
            merged[a.source, a.target].append(a)
    for pair, arrows in merged.items():
        names = names_on(arrows)
        ends = drawing.called(UNFOLDED, pair[0]), drawing.called(UNFOLDED, pair[1])
        sheet.connect(
            *pair,
            None,
            drawing.letters(names),
            kind=drawing.how.edge_kind,
            part=UNFOLDED,
            title=in_words(*ends, names),
            parameters=names,
            covers=(pair,),
        )
