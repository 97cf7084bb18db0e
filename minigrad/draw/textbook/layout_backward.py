"""The backward view: the unrolled figure in grey, and the gradient that flows back.

Each arrow gets its message beside it, dashed and as thick as its norm is large; the
shares of each parameter are collected along a bus: the sum over t of eq. 10.22-10.28.

>>> thickness(1.0, 1.0), thickness(1e-9, 1.0), thickness(0.0, 1.0)
(3.0, 0.8, 0.8)
"""

from dataclasses import replace
from math import hypot, isfinite, log10, sqrt
from typing import Any

from minigrad.draw.measure import Flow, Seat
from minigrad.draw.page.curves import Curve, clipped, parallel, polyline, trimmed
from minigrad.draw.page.letters import fitted, note, short, sized
from minigrad.draw.page.scene import Edge, Line, Node, Run, line_width
from minigrad.draw.textbook.chart import Weight, states
from minigrad.draw.textbook.columns import COLUMN, RADIUS
from minigrad.draw.textbook.drawing import UNFOLDED, Drawing
from minigrad.draw.textbook.overlay import gradient_of, named, write_numbers
from minigrad.draw.textbook.weights import box, port_of, stacked

ASIDE = 8.0
WIDE, HIGH = 52.0, 20.0
LOOK: dict[str, Any] = {"kind": "gradient", "dashed": True, "part": UNFOLDED}


def thickness(value: float, largest: float) -> float:
    """The line width for a norm: 3 for the largest, thinner over three decades."""
    if value <= 0 or not isfinite(value) or not isfinite(largest):
        return 0.8
    return round(0.8 + 2.2 * max(0.0, 1 + log10(value / largest) / 3), 2)


def ends(drawing: Drawing) -> dict[str, Seat]:
    """The seats of circles, and of those left out that a half of an arrow leads to."""
    found = {id: _seat(node) for id, node in drawing.sheet.nodes.items()}
    chart = drawing.chart
    left_out = {id for edge in drawing.sheet.edges for p in edge.covers for id in p}
    left_out -= found.keys()
    for symbol in chart.symbols if left_out else ():
        for t in chart.steps(symbol.key):
            if (id := chart.seat(symbol.key, t)) in left_out:
                found[id] = symbol.key, t
    return found


def add_gradients(drawing: Drawing, flow: Flow, of: Line) -> None:
    """Draw what flows back from the objective ``of`` onto finished columns."""
    _draw_messages(drawing, flow)
    for wish in drawing.sheet.wishes:
        wish.kind = "mutedtext"
    _draw_shares(drawing, flow, of)
    chart = drawing.chart
    titles = {
        s: gradient_of(of, named(chart, s)) for s in states(chart) if s in flow.totals
    }
    write_numbers(drawing, flow.totals, titles, "gradienttext")


def _draw_messages(drawing: Drawing, flow: Flow) -> None:
    """The arrows back, beside those that the values took, where a gradient returns."""
    seats, edges = ends(drawing), tuple(drawing.sheet.edges)
    largest = max(filter(isfinite, flow.messages.values()), default=1.0)
    for edge in (e for e in edges if not e.kind.startswith("bus")):
        pairs = edge.covers
        if edge.tail and edge.tip:
            pairs = ((edge.tail, edge.tip),)
        elif edge.tail and not pairs:  # a riser leads to all drops of its rail
            rail = (pair for e in edges if e.net == edge.net for pair in e.covers)
            pairs = tuple(pair for pair in rail if pair[0] == edge.tail)
        ways = [(seats[a], seats[b]) for a, b in pairs if seats.keys() >= {a, b}]
        found = [flow.messages[way] for way in ways if way in flow.messages]
        if found:
            _message(drawing, edge, max(found), largest)


def _message(drawing: Drawing, edge: Edge, value: float, largest: float) -> None:
    """The arrow back along a forward arrow, on its right-hand side."""
    nodes = drawing.sheet.nodes
    tail, tip = nodes.get(edge.tip), nodes.get(edge.tail)
    curve = edge.points[::-1]
    # A branch leads back to its trunk, the trunk to the value.
    ends = tip is not None and abs(_away(tip, curve[-1]) - tip.width / 2) < 1.5
    begins = tail is not None and abs(_away(tail, curve[0]) - tail.width / 2) < 1.5
    side = _side(curve)
    if tail and tip and begins and ends and _is_straight(curve):
        back = clipped(tail, tip, aside=ASIDE * side)
    else:
        rims = tail if begins else None, tip if ends else None
        back = trimmed(parallel(curve, ASIDE * side), *rims)
    over, of = (
        drawing.called(UNFOLDED, n.role, n.t) if n else "all" for n in (tip, tail)
    )
    drawing.sheet.connect(
        edge.tip,
        edge.tail,
        back,
        head=ends,
        thickness=thickness(value, largest),
        net=edge.net,
        title=f"gradient over {over} → {of}: norm {short(value)}",
        **LOOK,
    )


def _seat(node: Node) -> Seat:
    return node.role, node.t if node.t is not None and node.t > 0 else None


def _away(node: Node, point: tuple[float, float]) -> float:
    return hypot(point[0] - node.x, point[1] - node.y)


def _side(curve: Curve) -> int:
    """Left of vertical arrows and below level ones, where no letters stand.

    Above an arc: below it are other arrows and theirs.
    """
    (ax, ay), (bx, by) = curve[0], curve[-1]
    dx, dy = bx - ax, by - ay
    if len(curve) == 4 and not _is_straight(curve):
        return 1 if dx < 0 else -1
    return 1 if dx > 1 or (abs(dx) <= 1 and dy < 0) else -1


def _is_straight(curve: Curve) -> bool:
    (ax, ay), (bx, by), *_, (dx, dy) = curve
    level = abs((bx - ax) * (dy - ay) - (by - ay) * (dx - ax)) < 1.0
    return len(curve) == 4 and level


def _draw_shares(drawing: Drawing, flow: Flow, of: Line) -> None:
    """The sum over t of each parameter's shares, along its tracks into a box."""
    sheet, symbol = drawing.sheet, drawing.chart.symbol
    x = drawing.right + COLUMN * 0.75 + WIDE / 2
    for rank, weight, y in stacked(drawing, UNFOLDED, drawing.how.reserve):
        key, norm = f"∂{weight.name}", short(flow.parameters.get(weight.name, 0.0))
        timed = any(symbol(t).clock is not None for t in weight.targets)
        said = f"gradient by {weight.name}: {'sum over t, ' * timed}norm {norm}"
        label = fitted(gradient_label(weight.label, of), WIDE - 6)
        node = box(weight, key, x, y, UNFOLDED)
        node = replace(node, width=WIDE, height=HIGH, lines=(label,), kind="gradient")
        sheet.add(replace(node, title=said))
        words = note(f"{'= Σ over t, ' * timed}norm {norm}")
        at = x + WIDE / 2 + 56
        sheet.write(at, y, words, "gradienttext", UNFOLDED, word="sum")
        turn = x - WIDE / 2 - 6 - 4 * rank
        met: dict[float, list[float]] = {}  # of each track, its drops
        for target in weight.targets:
            track = drawing.bus(weight.name, target)
            xs = _collect(drawing, flow, weight, target, track)
            met.setdefault(track, []).extend(xs)
        for track, xs in met.items():
            if xs:
                corners = (min(xs), track), (turn, track), (turn, y), (x - WIDE / 2, y)
                title = f"sum over t into {weight.name}"
                sheet.connect("", key, polyline(*corners), title=title, **LOOK)


def _collect(
    drawing: Drawing, flow: Flow, weight: Weight, target: str, track: float
) -> list[float]:
    """The shares at one value's steps, down to a track; the x of each."""
    shares = flow.shares.get(weight.name, {})
    largest = max(filter(isfinite, shares.values()), default=1.0)
    aside = port_of(drawing, UNFOLDED, weight.name, target)
    turned = drawing.chart.symbol(target).turn
    xs = []
    for t, node, _ in drawing.circles(UNFOLDED, target):
        at = node.x - aside
        xs.append(at)
        value = shares.get(t or 0, shares.get(0, 0.0))
        when = "" if t is None else f" at step {t}" + ", all turns" * bool(turned)
        drawing.sheet.connect(
            node.id,
            f"∂{weight.name}",
            polyline((at, node.y - sqrt(RADIUS**2 - aside**2)), (at, track)),
            head=False,
            thickness=thickness(value, largest),
            title=f"share of {weight.name}{when}: norm {short(value)}",
            **LOOK,
        )
    return xs


def gradient_label(letters: Line, of: Line) -> Line:
    """∂L/∂W, what stands above as short as the box needs it."""
    sign, below = Run("∂", "serif", 14.0), fitted(sized(letters, 14.0), 56.0)
    room = min(30.0, 2 * (WIDE - 6) - 20.0 - line_width(below))
    above = fitted(sized(of, 14.0), max(room, 12.0))
    return (sign, *above, Run("/", "italic", 14.0), sign, *below)
