"""The backward view: the unrolled figure in grey, and the gradient that flows back.

Each arrow gets its message beside it, dashed and as thick as its norm is large; the
shares of each parameter are collected along a bus: the sum over t of eq. 10.22-10.28.

>>> thickness(1.0, 1.0), thickness(1e-9, 1.0), thickness(0.0, 1.0)
(3.0, 0.8, 0.8)
"""

from math import isfinite, log10, sqrt

from minigrad.draw.measure import Flow, Seat
from minigrad.draw.page.curves import clipped, polyline, shifted
from minigrad.draw.page.letters import fitted, short, sized
from minigrad.draw.page.scene import Edge, Line, Node, Run, line_width
from minigrad.draw.page.sheet import Sheet
from minigrad.draw.textbook.chart import Chart, Weight, states
from minigrad.draw.textbook.columns import COLUMN, RADIUS
from minigrad.draw.textbook.heights import Bus, Heights
from minigrad.draw.textbook.overlay import gradient_of, named, write_numbers
from minigrad.draw.textbook.routes import PART
from minigrad.draw.textbook.unfolded import Unfolded
from minigrad.draw.textbook.weights import ASIDE, spread

ASIDE_ARROW = 8.0
WIDE, HIGH = 52.0, 20.0


def thickness(value: float, largest: float) -> float:
    """The line width for a norm: 3 for the largest, thinner over three decades."""
    if value <= 0 or not isfinite(value) or not isfinite(largest):
        return 0.8
    return round(0.8 + 2.2 * max(0.0, 1 + log10(value / largest) / 3), 2)


def add_gradients(
    sheet: Sheet,
    heights: Heights,
    done: Unfolded,
    chart: Chart,
    flow: Flow,
    weights: tuple[Weight, ...],
    of: Line,
) -> None:
    """Draw what flows back from the objective ``of`` onto finished columns."""
    largest = max((v for v in flow.messages.values() if isfinite(v)), default=1.0)
    for edge in tuple(sheet.edges):
        if edge.tail in sheet.nodes and edge.tip in sheet.nodes:
            way = (_seat(sheet.nodes[edge.tail]), _seat(sheet.nodes[edge.tip]))
            if way in flow.messages:
                _message(sheet, edge, flow.messages[way], largest)
    for wish in sheet.wishes:
        wish.kind = "mutedtext"
    _collect(sheet, chart, heights, done, flow, weights, of)
    titles = {
        s: gradient_of(of, named(chart, s)) for s in states(chart) if s in flow.totals
    }
    write_numbers(sheet, chart, done, flow.totals, titles, "gradienttext")


def _seat(node: Node) -> Seat:
    return node.role, node.t if isinstance(node.t, int) and node.t > 0 else None


def _message(sheet: Sheet, edge: Edge, value: float, largest: float) -> None:
    """The arrow back along a forward arrow, on its right-hand side."""
    tail, tip = sheet.nodes[edge.tip], sheet.nodes[edge.tail]
    if len(edge.points) == 4 and _is_straight(edge):
        curve = clipped(tail, tip, aside=ASIDE_ARROW * _side(tail, tip))
    else:
        curve = shifted(edge.points[::-1], ASIDE_ARROW * _side(tail, tip))
    sheet.connect(
        tail.id,
        tip.id,
        curve,
        kind="gradient",
        dashed=True,
        thickness=thickness(value, largest),
        part=PART,
        title=f"gradient over {tip.name} → {tail.name}: norm {short(value)}",
    )


def _side(tail: Node, tip: Node) -> int:
    """Left of vertical arrows and below level ones, where no letters stand."""
    dx, dy = tip.x - tail.x, tip.y - tail.y
    return 1 if dx > 1 or (abs(dx) <= 1 and dy < 0) else -1


def _is_straight(edge: Edge) -> bool:
    (ax, ay), (bx, by), _, (dx, dy) = edge.points
    return abs((bx - ax) * (dy - ay) - (by - ay) * (dx - ax)) < 1.0


def _collect(
    sheet: Sheet,
    chart: Chart,
    heights: Heights,
    done: Unfolded,
    flow: Flow,
    weights: tuple[Weight, ...],
    of: Line,
) -> None:
    """The sum over t of each parameter's shares, along its track into a box."""
    x = done.right + COLUMN * 0.75 + WIDE / 2
    order = sorted(weights, key=lambda w: -_track(heights, w, w.targets[0]))
    ys = spread([_track(heights, w, w.targets[0]) for w in order])
    met: dict[str, int] = {}
    for rank, (weight, y) in enumerate(zip(order, ys, strict=True)):
        total = flow.parameters.get(weight.name, 0.0)
        label = gradient_label(weight.label, of)
        timed = any(chart.symbol(t).clock is not None for t in weight.targets)
        summed = "sum over t, " if timed else ""
        sheet.add(
            Node(
                f"∂{weight.name}",
                x,
                y,
                WIDE,
                HIGH,
                (fitted(label, WIDE - 6),),
                "box",
                "gradient",
                f"gradient by {weight.name}: {summed}norm {short(total)}",
                weight.name,
                part=PART,
                role=weight.name,
                home=f"[{weight.name}]@t",
            )
        )
        said = f"{'= Σ over t, ' if timed else ''}norm {short(total)}"
        words = ((Run(said, "serif", 10.0),),)
        sheet.write(x + WIDE / 2 + 56, y, words, "gradienttext", PART)
        shares = flow.shares.get(weight.name, {})
        largest = max((v for v in shares.values() if isfinite(v)), default=1.0)
        turn = x - WIDE / 2 - 6 - 4 * rank
        for target in weight.targets:
            aside = ASIDE[met.get(target, 0) % len(ASIDE)]
            met[target] = met.get(target, 0) + 1
            track = _track(heights, weight, target)
            clock = chart.symbol(target).clock
            first = None
            for t in [None] if clock is None else done.loops[clock].steps:
                node = sheet.nodes.get(chart.seat(target, t))
                if node is None:
                    continue
                at = node.x + aside
                first = at if first is None else first
                start = (at, node.y - sqrt(RADIUS**2 - aside**2))
                value = shares.get(t or 0, shares.get(0, 0.0))
                when = "" if t is None else f" at step {t}"
                sheet.connect(
                    node.id,
                    f"∂{weight.name}",
                    polyline(start, (at, track)),
                    head=False,
                    kind="gradient",
                    dashed=True,
                    thickness=thickness(value, largest),
                    part=PART,
                    title=f"share of {weight.name}{when}: norm {short(value)}",
                )
            if first is not None:
                corners = ((first, track), (turn, track), (turn, y), (x - WIDE / 2, y))
                sheet.connect(
                    "",
                    f"∂{weight.name}",
                    polyline(*corners),
                    kind="gradient",
                    dashed=True,
                    part=PART,
                    title=f"sum over t into {weight.name}",
                )


def gradient_label(letters: Line, of: Line) -> Line:
    """∂L/∂W, what stands above as short as the box needs it."""
    sign, below = Run("∂", "serif", 14.0), fitted(sized(letters, 14.0), 56.0)
    room = min(30.0, 2 * (WIDE - 6) - 20.0 - line_width(below))
    above = fitted(sized(of, 14.0), max(room, 12.0))
    return (sign, *above, Run("/", "italic", 14.0), sign, *below)


def _track(heights: Heights, weight: Weight, target: str) -> float:
    return heights.track(Bus(weight.name, target))
