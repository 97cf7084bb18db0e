"""Parameters as nodes: one box each, and a bus with a drop at every step.

Vocabulary
    bus     the line from a parameter's box along its track
    drop    where the bus turns up into a circle, once per step

>>> spread([90.0, 5.0, 0.0])
[90.0, 13.5, -8.5]
"""

from math import sqrt

from minigrad.draw.page.curves import Curve, polyline, rounded
from minigrad.draw.page.letters import fitted, sized
from minigrad.draw.page.scene import Node, Point
from minigrad.draw.page.sheet import Sheet
from minigrad.draw.textbook.chart import Chart, Weight
from minigrad.draw.textbook.columns import RADIUS, Loop
from minigrad.draw.textbook.heights import Bus, Heights
from minigrad.draw.textbook.marks import home
from minigrad.draw.textbook.routes import PART

WIDE, HIGH, BETWEEN = 32.0, 18.0, 22.0
# Where the drops of several parameters meet one circle, left of its middle.
ASIDE = (14.0, 8.0, 19.0, 11.0, 17.0)


def buses(weights: tuple[Weight, ...]) -> list[Bus]:
    """The buses that some parameters need."""
    return [Bus(w.name, target) for w in weights for target in w.targets]


def box(weight: Weight, key: str, x: float, y: float, part: str, bus: int) -> Node:
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


def draw_buses(
    sheet: Sheet,
    chart: Chart,
    heights: Heights,
    weights: tuple[Weight, ...],
    x: float,
    loops: list[Loop],
) -> None:
    """The boxes of parameters at x, left of all loops, and their buses."""
    order = sorted(weights, key=lambda w: -max(_tracks(heights, w)))
    ys = spread([max(_tracks(heights, w)) for w in order])
    met: dict[str, int] = {}
    for rank, (weight, y) in enumerate(zip(order, ys, strict=True)):
        i = chart.weights.index(weight)
        node = box(weight, f"[{weight.name}]", x, y, PART, i)
        sheet.add(node)
        turn = x + WIDE / 2 + 6 + 4 * rank
        for target in weight.targets:
            aside = ASIDE[met.get(target, 0) % len(ASIDE)]
            met[target] = met.get(target, 0) + 1
            track = heights.track(Bus(weight.name, target))
            start: tuple[Point, ...] = ((x + WIDE / 2, y), (turn, y), (turn, track))
            clock = chart.symbol(target).clock
            for t in [None] if clock is None else loops[clock].steps:
                tip = sheet.nodes.get(chart.seat(target, t))
                if tip is None:
                    continue
                curve, junction = drop(start, tip, track, aside)
                sheet.connect(
                    node.id,
                    tip.id,
                    curve,
                    kind=f"bus{i}",
                    part=PART,
                    title=f"{weight.name} → {target}" + (f"({t})" if t else ""),
                    parameters=(weight.name,),
                    home=f"[{weight.name}]@t>{home(target)}",
                )
                # The next drop goes on from here: one line, not one per step.
                start = (junction,)


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


def _tracks(heights: Heights, weight: Weight) -> list[float]:
    return [heights.track(Bus(weight.name, target)) for target in weight.targets]


def draw_boxes(
    sheet: Sheet,
    chart: Chart,
    weights: tuple[Weight, ...],
    reach: float,
    part: str,
) -> None:
    """The boxes beside the folded circuit, each with arrows to what it enters."""
    by_target: dict[str, list[Weight]] = {}
    for weight in weights:
        # What a start alone is computed with belongs to no circuit.
        targets = [t for t in weight.targets if home(t) in sheet.nodes]
        if targets:
            by_target.setdefault(targets[0], []).append(weight)
    for target, here in by_target.items():
        first = sheet.nodes[home(target)]
        middle = first.y
        beside = [n for n in sheet.nodes.values() if abs(n.y - middle) < RADIUS]
        if any(abs(n.x - first.x + reach) < RADIUS + WIDE / 2 for n in beside):
            middle -= RADIUS + len(here) * (HIGH + 4) / 2 + 8
        for k, weight in enumerate(here):
            number = chart.weights.index(weight)
            y = middle + ((len(here) - 1) / 2 - k) * (HIGH + 4)
            node = box(weight, f"[{weight.name}]@t", first.x - reach, y, part, number)
            sheet.add(node)
            for other in weight.targets:
                if home(other) in sheet.nodes:
                    sheet.connect(
                        node.id,
                        home(other),
                        part=part,
                        kind=f"bus{number}",
                        parameters=(weight.name,),
                    )
