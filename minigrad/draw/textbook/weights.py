"""Parameters as nodes: one box each, and a bus with a drop at every step.

Vocabulary
    bus     the line from a parameter's box along its track
    drop    where the bus turns up into a circle, once per step
"""

from collections.abc import Iterator, Sequence
from math import sqrt

from minigrad.draw.page.curves import rounded, straight
from minigrad.draw.page.letters import fitted, plain, sized
from minigrad.draw.page.scene import Node, Point
from minigrad.draw.page.spread import spread
from minigrad.draw.textbook.chart import Weight
from minigrad.draw.textbook.columns import RADIUS
from minigrad.draw.textbook.drawing import FOLDED, Drawing
from minigrad.draw.textbook.marks import home, in_words

WIDE, HIGH, BETWEEN = 32.0, 18.0, 22.0
# Where a drop meets a circle that has no ports, left of its middle.
ASIDE = 14.0


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


def stacked(
    drawing: Drawing, part: str, weights: Sequence[Weight]
) -> Iterator[tuple[int, Weight, float]]:
    """Parameters from high to low, each near to its highest track: number and y."""
    top = {}
    for weight in weights:
        shown = [t for t in weight.targets if any(drawing.circles(part, t))]
        if shown:
            top[weight] = max(drawing.bus(weight.name, t) for t in shown)
    if top:
        order = sorted(top, key=lambda weight: -top[weight])
        wanted = [-top[weight] for weight in order]
        ys = spread(wanted, [1.0] * len(top), [BETWEEN] * (len(top) - 1))
        for rank, (weight, y) in enumerate(zip(order, ys, strict=True)):
            yield rank, weight, -y


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
            for t, tip, _ in drawing.circles(part, target):
                junction, end = (
                    (tip.x - aside, track),
                    (tip.x - aside, _foot(tip, aside)),
                )
                curve = rounded(*start, junction, radius=4.0)
                sheet.connect(
                    name,
                    tip.id,
                    (*curve, *straight(junction, end)[1:]),
                    kind=f"bus{i}",
                    part=part,
                    title=in_words(
                        plain(weight.label), drawing.called(part, target, t)
                    ),
                    parameters=(weight.name,),
                    home=f"[{weight.name}]@t>{home(target)}",
                )
                # The next drop goes on from here: one line, not one per step.
                start = (junction,)


def _foot(tip: Node, aside: float) -> float:
    """The y of a circle's rim, below and that far left of its middle."""
    depth = sqrt(RADIUS**2 - aside**2) if tip.shape == "circle" else tip.height / 2
    return tip.y - depth


def port_of(drawing: Drawing, part: str, name: str, target: str) -> float:
    """How far left of a circle's middle a parameter enters."""
    g = drawing.of(part).of.get(target)
    if g is None:
        return ASIDE
    return -drawing.columns[part][g].ports.at(name, target)
