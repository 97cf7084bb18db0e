"""The folded circuit: one circle per symbol, and a black square for each step of delay.

Vocabulary
    loop     an arrow through time from a circle round to itself
    square   one step of delay; hollow where later steps are read

>>> from minigrad.draw.textbook.chart import Arrow, Chart, Symbol
>>> chart = Chart((Symbol("s", (), clock=0),), (Arrow("s", "s", delay=1),), (3,))
>>> drawing = Drawing(chart)
>>> draw_folded(drawing)
>>> list(drawing.sheet.nodes), [edge.head for edge in drawing.sheet.edges]
(['s@t', 's@t>s@t/1/0'], [False, True])
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from math import cos, pi, sin
from types import MappingProxyType
from typing import Any

from minigrad.draw.page.curves import Curve, straight
from minigrad.draw.page.labels import Wish
from minigrad.draw.page.letters import indexed, note
from minigrad.draw.page.scene import Lines, Node, line_width
from minigrad.draw.textbook.between import draw_between
from minigrad.draw.textbook.chart import Arrow, reads
from minigrad.draw.textbook.column import Column
from minigrad.draw.textbook.columns import RADIUS
from minigrad.draw.textbook.drawing import FOLDED, Drawing, Instance
from minigrad.draw.textbook.marks import (
    circle,
    home,
    only_at,
    said,
    steps_read,
    way_home,
)
from minigrad.draw.textbook.nested import draw_frames, start_of
from minigrad.draw.textbook.nets import Net
from minigrad.draw.textbook.ways import Way, way_of
from minigrad.draw.textbook.weights import draw_boxes, draw_buses

SQUARE, STACK, MOST = 9.0, 14.0, 3
NONE: Mapping[int, str] = MappingProxyType({})


def draw_folded(drawing: Drawing) -> None:
    """Draw every symbol once with its arrows, from x = 0 on."""
    x = 0.0
    middles: dict[int, float] = {}
    columns = drawing.columns[FOLDED]
    for g, column in enumerate(columns):
        x -= min(column.left - column.ports.inner[-1], column.ports.outer[-1])
        x += 40.0 * bool(g)
        middles[g] = x
        for key in column.group.keys:
            symbol = drawing.chart.symbol(key)
            at = x + column.x(key), drawing.y(key)
            label = indexed(symbol.label, start_of(symbol)) if symbol.begins else None
            shape = note(symbol.note, 8.0, "sans") if symbol.note else ()
            node = circle(drawing.chart, symbol, home(key), *at, FOLDED, label, shape)
            drawing.sheet.add(node)
        x += column.right + column.ports.inner[1] + 8
    for g, column in enumerate(columns):
        _Circuit(drawing, column, middles[g]).draw()
    draw_between(drawing, FOLDED, {}, middles)
    _words_between(drawing)
    ids = {key: home(key) for column in columns for key in column.group.keys}
    draw_frames(drawing, FOLDED, {k: drawing.sheet.nodes[id] for k, id in ids.items()})
    room = -min(c.left - c.ports.inner[-1] for c in columns) + 10
    if drawing.how.weights:
        inside = [
            replace(w, targets=tuple(t for t in w.targets if t in drawing.circuit.of))
            for w in drawing.how.weights
        ]
        direct = [w for w in inside if w.targets and drawing.direct(w.name)]
        other = [w for w in inside if w.targets and w not in direct]
        draw_boxes(drawing, direct, room + 24, FOLDED)
        draw_buses(drawing, FOLDED, other, -room - 24.0, {})


class _Circuit:
    """The arrows of one group."""

    def __init__(self, drawing: Drawing, column: Column, middle: float) -> None:
        self.drawing, self.column, self.middle = drawing, column, middle
        self.chart, self.sheet = drawing.chart, drawing.sheet

    def draw(self) -> None:
        """Draw all arrows of the group, with their squares and their words."""
        column = self.column
        for a in (*column.later, *column.now):
            if column.form[a] == "loop":
                self._loop(a)
        squares = {n: self._squares_on(n) for n in column.nets if n.kind == "time"}
        instances = []
        for a in (*column.later, *column.now):
            if column.form[a] != "loop":
                instances += self._instance(a, squares)
        self.drawing.emit(instances, FOLDED)
        for a in (*column.later, *column.now):
            if column.form[a] != "loop":
                self._words(a)

    def _instance(self, a: Arrow, squares: dict[Net, list[Node]]) -> list[Instance]:
        """An arrow from the squares of its trunk on; the first leads there too."""
        column = self.column
        xs, xt = (self.middle + column.x(k) for k in (a.source, a.target))
        way = way_of(column, a, xs, xt, self.middle)
        net = next((n for n in column.nets if a in n.arrows), None)
        facts = self.facts(a)
        names, covers = facts.pop("parameters"), facts.pop("covers")
        title, tail, trunk = facts.pop("title"), home(a.source), None
        if net is not None:
            trunk = f"{tail}/{net.delay or column.level[a.target]}"
        if net in squares:
            assert net is not None, "None has no squares"
            stack = squares[net]
            middle = (stack[0].x + stack[-1].x) / 2, (stack[0].y + stack[-1].y) / 2
            reach = SQUARE / 2 + STACK * (len(stack) - 1) / 2
            lead, way = way.split(middle, reach)
            if a is net.arrows[0]:
                whole = [self.facts(b) for b in net.arrows]
                said = "; ".join(f["title"] for f in whole)
                self._chain(
                    [tail, *(n.id for n in stack)],
                    stack,
                    lead,
                    {
                        **facts,
                        "title": said,
                        "parameters": tuple(
                            dict.fromkeys(p for f in whole for p in f["parameters"])
                        ),
                        "covers": tuple(pair for f in whole for pair in f["covers"]),
                    },
                )
            tail = stack[-1].id
        begins = bool(self.drawing.circuit.chart.symbol(a.source).begins)
        once = begins or bool(self.once(a))
        return [
            Instance(
                a, tail, home(a.target), way, names, covers, (), False, trunk, once,
                title, facts,
            )
        ]  # fmt: skip

    def _chain(
        self, ends: list[str], stack: list[Node], lead: Way, facts: dict[str, Any]
    ) -> None:
        """The line into a stack of squares, and from square to square."""
        curves = [lead.curve()]
        for u, v in pairwise(stack):
            dx, dy = (u.x < v.x) - (u.x > v.x), (u.y < v.y) - (u.y > v.y)
            by = SQUARE / 2
            ends_of = (u.x + dx * by, u.y + dy * by), (v.x - dx * by, v.y - dy * by)
            curves.append(straight(*ends_of))
        for k, curve in enumerate(curves):
            self.sheet.connect(
                ends[k],
                ends[k + 1],
                curve,
                head=False,
                part=FOLDED,
                **{**facts, "id": f"{facts['id']}'{k}", "net": facts["id"]},
            )

    def once(self, a: Arrow) -> str:
        """The words for an arrow at one step of several."""
        index = self.drawing.how.index or NONE
        parts = self.drawing.circuit.parts[a]
        words = {only_at(self.chart, part, index) for part in parts}
        return words.pop() if len(words) == 1 else ""

    def facts(self, a: Arrow) -> dict[str, Any]:
        """What the edges of an arrow say of it."""
        parts, chart = self.drawing.circuit.parts[a], self.chart
        return {
            "id": way_home(a),
            "home": way_home(a),
            "title": "; ".join(said(chart, part) for part in parts),
            "parameters": self.drawing.names(a, FOLDED),
            "delay": a.delay,
            "covers": tuple(
                (chart.seat(part.source, s), chart.seat(part.target, t))
                for part in parts
                for t, found in reads(chart, part)
                for s in found
            ),
        }

    def _words(self, a: Arrow) -> None:
        """The faint words beside an arrow: at which step, or of which steps."""
        once = self.once(a)
        words = "" if a.span == self.chart.symbol(a.source).span else once
        part = next((p for p in self.drawing.circuit.parts[a] if steps_read(p)), None)
        if part is not None and not words:
            words = f"t = {steps_read(part)}"
        if words:
            edge = next(e for e in self.sheet.edges if e.id == way_home(a))
            word = "only" if words == once else ""
            wish = Wish(note(words), edge.id, "faint", word, below=True)
            self.sheet.wishes.append(wish)

    # ------------------------------------------------------------------------ squares

    def _loop(self, a: Arrow) -> None:
        """Out of a circle, through its squares, and back."""
        column, circle_x = self.column, self.middle + self.column.x(a.source)
        x, shift, number, side = column.ports.loops[a]
        x, y = x + self.middle, self.drawing.y(a.source)
        many = 1 + max(
            r[2] for b, r in column.ports.loops.items() if b.source == a.source
        )
        read = any(steps_read(p) for p in self.drawing.circuit.parts[a])
        count = abs(a.delay) if abs(a.delay) <= MOST and not read else 1
        tall = (count - 1) * STACK / 2 + SQUARE / 2
        half = max(20.0 if shift else 27.0 + 13 * number, tall + 12) + 8
        up, down = (62, -4) if shift > 0 else (4, -62) if shift < 0 else (40, -40)
        if many > 1:
            up, down = 30 + 19 * number, -(30 + 19 * number)
        far = 15.0 + 5 * number
        out, into = ((side * cos(d * pi / 180), sin(d * pi / 180)) for d in (up, down))
        p = circle_x + RADIUS * out[0], y + RADIUS * out[1]
        q = circle_x + RADIUS * into[0], y + RADIUS * into[1]
        y += shift
        first, last = (x, y + tall), (x, y - tall)
        away: Curve = (
            p,
            (p[0] + far * out[0], p[1] + far * out[1]),
            (x, y + half),
            first,
        )
        back: Curve = (
            last,
            (x, y - half),
            (q[0] + far * into[0], q[1] + far * into[1]),
            q,
        )
        squares = self._squares(a, x, y, count)
        facts = self.facts(a)
        ends = home(a.source)
        net = facts["id"]
        for one, (start, end, curve) in enumerate(
            [
                (ends, squares[0].id, away),
                *(
                    (
                        u.id,
                        v.id,
                        straight((u.x, u.y - SQUARE / 2), (v.x, v.y + SQUARE / 2)),
                    )
                    for u, v in pairwise(squares)
                ),
            ]
        ):
            piece = {**facts, "id": f"{net}'{one}", "net": net}
            self.sheet.connect(start, end, curve, head=False, part=FOLDED, **piece)
        self.sheet.connect(
            squares[-1].id, ends, back, part=FOLDED, **{**facts, "net": net}
        )
        through = straight(away[-1], back[0])
        self._letters(a, (*away, *through[1:], *back[1:]), side, count, read)

    def _letters(
        self, a: Arrow, loop: Curve, side: int, count: int, read: bool
    ) -> None:
        """The letters of a loop, on its outer side."""
        lines: Lines = self.drawing.letters(self.drawing.names(a, FOLDED))
        if read:
            part = next(p for p in self.drawing.circuit.parts[a] if steps_read(p))
            lines = (*lines, *note(f"t = {steps_read(part)}"))
        elif count < abs(a.delay):
            lines = (*lines, *note(f"{abs(a.delay)} steps"))
        if lines:
            wish = Wish(lines, way_home(a), curve=loop, below=side < 0)
            self.sheet.wishes.append(wish)

    def _squares_on(self, net: Net) -> list[Node]:
        """The squares of a trunk, before its first branch: the delay is the value's."""
        column = self.column
        a = net.arrows[0]
        x = self.middle + column.ports.vertical[net]
        out = column.exit(net)
        levels = [column.enter(net, b) for b in net.arrows]
        near = min(levels, key=lambda y: abs(y - out))
        count = abs(net.delay) if abs(net.delay) <= MOST else 1
        y = (out + near) / 2
        both = any((v - out) * (near - out) < 0 for v in levels)
        if both or abs(near - out) < 12.0 + STACK * (count - 1) + SQUARE:
            x -= column.out(net) * (9.0 + 7.0 * (count - 1))
            squares = self._squares(a, x, out, count, level=True)
        else:
            squares = self._squares(a, x, y, count)
        if count < abs(net.delay):
            words = note(f"{abs(net.delay)} steps")
            at = squares[0].x + 8 + line_width(words[0]) / 2
            y = squares[0].y - 14
            self.sheet.write(at, y, words, "faint", FOLDED, word="steps")
        # In the order in which the trunk meets them.
        turned = near > out if squares[0].x == squares[-1].x else column.out(net) > 0
        return squares[::-1] if turned else squares

    def _squares(
        self, a: Arrow, x: float, y: float, count: int, level: bool = False
    ) -> list[Node]:
        ahead = a.delay >= 0
        found = []
        for k in range(count):
            by = ((count - 1) / 2 - k) * STACK
            found.append(
                Node(
                    f"{way_home(a)}/{k}",
                    x + by * level,
                    y + by * (not level),
                    SQUARE,
                    SQUARE,
                    (),
                    "square",
                    "delay",
                    "delay of one step" if ahead else "one step ahead",
                    part=FOLDED,
                    fill=None if ahead else "none",
                )
            )
            self.sheet.add(found[-1])
        return found


def _words_between(drawing: Drawing) -> None:
    """Which steps of another loop an arrow reads, if it is one of several."""
    for edge in list(drawing.sheet.edges):
        for net in drawing.crossing[FOLDED]:
            if edge.id == way_home(net.arrows[0]) and edge.dashed:
                words = only_at(drawing.chart, net.arrows[0], drawing.how.index or NONE)
                if words:
                    wish = Wish(note(words), edge.id, "faint", "only", below=True)
                    drawing.sheet.wishes.append(wish)
