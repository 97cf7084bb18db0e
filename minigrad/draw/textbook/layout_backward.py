"""The backward view: the unrolled figure in grey, and the gradient that flows back.

Each arrow gets its message beside it, dashed and as thick as its norm is large; the
shares of each parameter are collected along a bus: the sum over t of eq. 10.22-10.28.

>>> thickness(1.0, 1.0), thickness(1e-9, 1.0), thickness(0.0, 1.0)
(3.0, 0.8, 0.8)
"""

from collections.abc import Iterable
from math import hypot, inf, isfinite, log10, sqrt

from minigrad.draw.measure import Flow, Seat
from minigrad.draw.page.curves import Curve, clipped, parallel, polyline, trimmed
from minigrad.draw.page.letters import fitted, short, sized
from minigrad.draw.page.scene import Edge, Line, Node, Point, Run, line_width
from minigrad.draw.textbook.chart import Step, Weight, states
from minigrad.draw.textbook.columns import COLUMN, RADIUS, Unfolded
from minigrad.draw.textbook.drawing import UNFOLDED, Drawing
from minigrad.draw.textbook.overlay import gradient_of, named, write_numbers
from minigrad.draw.textbook.weights import port_of, spread, steps_shown

ASIDE = 8.0
WIDE, HIGH = 52.0, 20.0


def thickness(value: float, largest: float) -> float:
    """The line width for a norm: 3 for the largest, thinner over three decades."""
    if value <= 0 or not isfinite(value) or not isfinite(largest):
        return 0.8
    return round(0.8 + 2.2 * max(0.0, 1 + log10(value / largest) / 3), 2)


def add_gradients(drawing: Drawing, done: Unfolded, flow: Flow, of: Line) -> None:
    """Draw what flows back from the objective ``of`` onto finished columns."""
    _Messages(drawing, flow).draw()
    for wish in drawing.sheet.wishes:
        wish.kind = "mutedtext"
    _Shares(drawing, done, flow, of).draw()
    chart = drawing.chart
    titles = {
        s: gradient_of(of, named(chart, s)) for s in states(chart) if s in flow.totals
    }
    write_numbers(drawing, done, flow.totals, titles, "gradienttext")


class _Messages:
    """The arrows back, beside those that the values took."""

    def __init__(self, drawing: Drawing, flow: Flow) -> None:
        self.sheet, self.messages = drawing.sheet, flow.messages
        finite = [v for v in flow.messages.values() if isfinite(v)]
        self.largest = max(finite, default=1.0)

    def draw(self) -> None:
        """One for each arrow over which a gradient comes back."""
        nodes = self.sheet.nodes
        drops = [e for e in self.sheet.edges if not e.tail and e.tip and e.covers]
        into = {(a, b) for e in drops for a, b in e.covers}
        for edge in tuple(self.sheet.edges):
            pairs: Iterable[tuple[str, str]] = ((edge.tail, edge.tip),)
            if not edge.tail or not edge.tip:  # of a rail, a riser or a drop
                rail = edge.net is not None and edge.net.endswith(" rail")
                tip = edge.net.split(">")[1].split(" ")[0] if edge.net and rail else ""
                pairs = edge.covers if rail and edge.tip else ()
                if rail and edge.tail:
                    pairs = [
                        (a, b)
                        for a, b in into
                        if a == edge.tail and b in nodes and nodes[b].role == tip
                    ]
            found = [
                self.messages[way]
                for a, b in pairs
                if a in nodes and b in nodes
                for way in [(_seat(nodes[a]), _seat(nodes[b]))]
                if way in self.messages
            ]
            if found:
                self._message(edge, max(found))

    def _message(self, edge: Edge, value: float) -> None:
        """The arrow back along a forward arrow, on its right-hand side."""
        nodes = self.sheet.nodes
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
        names = (
            f"{tip.name if tip else 'all'}",
            f"{tail.name if tail else 'all'}",
        )
        self.sheet.connect(
            edge.tip,
            edge.tail,
            back,
            head=ends,
            kind="gradient",
            dashed=True,
            thickness=thickness(value, self.largest),
            part=UNFOLDED,
            net=edge.net,
            title=f"gradient over {names[0]} → {names[1]}: norm {short(value)}",
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


class _Shares:
    """The sum over t of each parameter's shares, along its tracks into a box."""

    def __init__(self, drawing: Drawing, done: Unfolded, flow: Flow, of: Line) -> None:
        self.drawing, self.done, self.flow, self.of = drawing, done, flow, of
        self.sheet = drawing.sheet
        self.x = done.right + COLUMN * 0.75 + WIDE / 2

    def draw(self) -> None:
        """The boxes from high to low, and what leads into each."""

        def track(weight: Weight) -> float:
            return self.drawing.bus(weight.name, weight.targets[0])

        order = sorted(self.drawing.how.reserve, key=lambda w: -track(w))
        ys = spread([track(w) for w in order])
        for rank, (weight, y) in enumerate(zip(order, ys, strict=True)):
            self._box(weight, y)
            turn = self.x - WIDE / 2 - 6 - 4 * rank
            first: dict[float, float] = {}  # of each track, its leftmost drop
            for target in weight.targets:
                xs = self._collect(weight, target)
                at = self.drawing.bus(weight.name, target)
                first[at] = min([first.get(at, inf), *xs])
            for at, x in first.items():
                if x < inf:
                    self._sum(weight, ((x, at), (turn, at), (turn, y)))

    def _box(self, weight: Weight, y: float) -> None:
        total = self.flow.parameters.get(weight.name, 0.0)
        symbol = self.drawing.chart.symbol
        timed = any(symbol(t).clock is not None for t in weight.targets)
        summed = "sum over t, " if timed else ""
        self.sheet.add(
            Node(
                f"∂{weight.name}",
                self.x,
                y,
                WIDE,
                HIGH,
                (fitted(gradient_label(weight.label, self.of), WIDE - 6),),
                "box",
                "gradient",
                f"gradient by {weight.name}: {summed}norm {short(total)}",
                weight.name,
                part=UNFOLDED,
                role=weight.name,
                home=f"[{weight.name}]@t",
            )
        )
        said = f"{'= Σ over t, ' if timed else ''}norm {short(total)}"
        words = ((Run(said, "serif", 10.0),),)
        at = self.x + WIDE / 2 + 56
        self.sheet.write(at, y, words, "gradienttext", UNFOLDED, word="sum")

    def _collect(self, weight: Weight, target: str) -> list[float]:
        """The shares at one value's steps; returns the x of each."""
        drawing, box = self.drawing, f"∂{weight.name}"
        shares = self.flow.shares.get(weight.name, {})
        largest = max((v for v in shares.values() if isfinite(v)), default=1.0)
        track = drawing.bus(weight.name, target)
        aside = port_of(drawing, UNFOLDED, weight.name, target)
        steps: list[Step] = steps_shown(drawing, target, self.done.loops)
        turned = drawing.chart.symbol(target).turn
        xs = []
        for t in steps:
            node = self.sheet.nodes.get(drawing.chart.seat(target, t))
            if node is None:
                continue
            at = node.x - aside
            xs.append(at)
            start = (at, node.y - sqrt(RADIUS**2 - aside**2))
            value = shares.get(t or 0, shares.get(0, 0.0))
            when = "" if t is None else f" at step {t}" + ", all turns" * bool(turned)
            self.sheet.connect(
                node.id,
                box,
                polyline(start, (at, track)),
                head=False,
                kind="gradient",
                dashed=True,
                thickness=thickness(value, largest),
                part=UNFOLDED,
                title=f"share of {weight.name}{when}: norm {short(value)}",
            )
        return xs

    def _sum(self, weight: Weight, points: tuple[Point, ...]) -> None:
        """The line that sums up the shares along a track."""
        self.sheet.connect(
            "",
            f"∂{weight.name}",
            polyline(*points, (self.x - WIDE / 2, points[-1][1])),
            kind="gradient",
            dashed=True,
            part=UNFOLDED,
            title=f"sum over t into {weight.name}",
        )


def gradient_label(letters: Line, of: Line) -> Line:
    """∂L/∂W, what stands above as short as the box needs it."""
    sign, below = Run("∂", "serif", 14.0), fitted(sized(letters, 14.0), 56.0)
    room = min(30.0, 2 * (WIDE - 6) - 20.0 - line_width(below))
    above = fitted(sized(of, 14.0), max(room, 12.0))
    return (sign, *above, Run("/", "italic", 14.0), sign, *below)
