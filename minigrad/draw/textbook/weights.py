"""Parameters as nodes: one box each, and a bus with a drop at every step.

Vocabulary
    bus     the line from a parameter's box along its track
    drop    where the bus turns up into a circle, once per step

>>> spread([90.0, 5.0, 0.0])
[90.0, 13.5, -8.5]
"""

from collections.abc import Iterator, Sequence
from math import sqrt

from minigrad.draw.page.curves import Curve, polyline, rounded
from minigrad.draw.page.letters import fitted, sized
from minigrad.draw.page.scene import Node, Point
from minigrad.draw.textbook.chart import Step, Weight
from minigrad.draw.textbook.columns import RADIUS
from minigrad.draw.textbook.drawing import FOLDED, Drawing
from minigrad.draw.textbook.marks import home

WIDE, HIGH, BETWEEN = 32.0, 18.0, 22.0
# Where the drops of several parameters meet one circle, left of its middle.
ASIDE = (14.0, 8.0, 19.0, 11.0, 17.0)


def box(
    weight: Weight, key: str, x: float, y: float, part: str, bus: int | None = None
) -> Node:
    """The box of a parameter."""
    return Node(
        key,
        x,
        y,
        WIDE,
        HIGH,
        (fitted(sized(weight.label, 14.0), WIDE - 4),),
        "box",
        "parameter",
        weight.title,
        weight.name,
        part=part,
        role=weight.name,
        home=f"[{weight.name}]@t",
        bus=bus,
    )


def spread(wanted: list[float]) -> list[float]:
    """Heights near the wanted ones, from high to low, that leave room for the boxes.

    Boxes that would touch become a group that is centred on what its members want.
    """
    groups: list[list[float]] = []
    for y in wanted:
        groups.append([y])
        while len(groups) > 1 and _low(groups[-2]) - _high(groups[-1]) < BETWEEN:
            groups[-2:] = [groups[-2] + groups[-1]]
    return [_high(group) - k * BETWEEN for group in groups for k in range(len(group))]


def _high(group: list[float]) -> float:
    return sum(group) / len(group) + (len(group) - 1) / 2 * BETWEEN


def _low(group: list[float]) -> float:
    return _high(group) - (len(group) - 1) * BETWEEN


def stacked(
    drawing: Drawing, part: str, weights: Sequence[Weight]
) -> Iterator[tuple[int, Weight, float]]:
    """Parameters from high to low, each near to its highest track: number and y."""
    top = {}
    for weight in weights:
        shown = [t for t in weight.targets if any(circles(drawing, part, t))]
        if shown:
            top[weight] = max(drawing.bus(weight.name, t) for t in shown)
    order = sorted(top, key=lambda weight: -top[weight])
    ys = spread([top[weight] for weight in order])
    for rank, (weight, y) in enumerate(zip(order, ys, strict=True)):
        yield rank, weight, y


def draw_buses(
    drawing: Drawing, part: str, weights: Sequence[Weight], x: float
) -> None:
    """The boxes of parameters at x, left of all columns, and their buses."""
    sheet = drawing.sheet
    for rank, weight, y in stacked(drawing, part, weights):
        i = [w.name for w in drawing.chart.weights].index(weight.name)
        name = f"[{weight.name}]" + "@t" * (part == FOLDED)
        sheet.add(box(weight, name, x, y, part, i))
        turn = x + WIDE / 2 + 6 + 4 * rank
        for target in weight.targets:
            track = drawing.bus(weight.name, target)
            start: tuple[Point, ...] = ((x + WIDE / 2, y), (turn, y), (turn, track))
            aside = port_of(drawing, part, weight.name, target)
            for t, tip in circles(drawing, part, target):
                curve, junction = drop(start, tip, track, aside)
                sheet.connect(
                    name,
                    tip.id,
                    curve,
                    kind=f"bus{i}",
                    part=part,
                    title=f"{weight.name} → {target}" + (f"({t})" if t else ""),
                    parameters=(weight.name,),
                    home=f"[{weight.name}]@t>{home(target)}",
                )
                # The next drop goes on from here: one line, not one per step.
                start = (junction,)


def circles(drawing: Drawing, part: str, key: str) -> Iterator[tuple[Step, Node]]:
    """The circles of a symbol, with their steps; None is that of one without time."""
    shown = drawing.shown[part].get(drawing.of(part).of.get(key, -1))
    for t in shown.steps if shown else (None,):
        node = drawing.sheet.nodes.get(drawing.seat(part, key, t))
        if node is not None:
            yield t, node


def port_of(drawing: Drawing, part: str, name: str, target: str) -> float:
    """How far left of a circle's middle a parameter enters."""
    g = drawing.of(part).of.get(target)
    if g is None:
        return ASIDE[0]
    return -drawing.columns[part][g].ports.at(name, target)


def drop(
    start: tuple[Point, ...], tip: Node, track: float, aside: float
) -> tuple[Curve, Point]:
    """The piece of a bus up to a circle and into it, and where it turned."""
    junction = (tip.x - aside, track)
    depth = sqrt(RADIUS**2 - aside**2) if tip.shape == "circle" else tip.height / 2
    end = (tip.x - aside, tip.y - depth)
    if len(start) == 1:
        return polyline(*start, junction, end), junction
    return (
        *rounded(*start, junction, radius=4.0),
        *polyline(junction, end)[1:],
    ), junction
