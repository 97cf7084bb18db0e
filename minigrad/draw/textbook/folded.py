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

from itertools import pairwise
from math import cos, pi, sin
from typing import Any

from minigrad.draw.page.curves import Curve, straight
from minigrad.draw.page.labels import Wish
from minigrad.draw.page.letters import indexed, note
from minigrad.draw.page.scene import Lines, Node
from minigrad.draw.textbook.between import draw_between
from minigrad.draw.textbook.chart import Arrow, names_on
from minigrad.draw.textbook.column import Column
from minigrad.draw.textbook.columns import RADIUS, Shown
from minigrad.draw.textbook.drawing import FOLDED, Drawing, Instance
from minigrad.draw.textbook.loops import CLEAR
from minigrad.draw.textbook.marks import home, only_at, said, steps_read, way_home
from minigrad.draw.textbook.nested import draw_frames, start_of
from minigrad.draw.textbook.nets import Net
from minigrad.draw.textbook.ways import way_of
from minigrad.draw.textbook.weights import draw_buses

SQUARE, STACK, MOST = 9.0, 14.0, 3


def draw_folded(drawing: Drawing) -> None:
    """Draw every symbol once with its arrows, from x = 0 on."""
    x = 0.0
    columns, shown = drawing.columns[FOLDED], drawing.shown[FOLDED]
    for g, column in enumerate(columns):
        x -= min(column.left - column.ports.inner[-1], column.ports.outer[-1])
        x += 40.0 * bool(g)
        shown[g] = Shown((None,), (x,))
        for key in column.group.keys:
            symbol = drawing.chart.symbol(key)
            at = x + column.x(key), drawing.y(key)
            begun = start_of(drawing.chart, symbol) if symbol.begins else ""
            label = indexed(symbol.label, begun) if begun else None
            below = note(symbol.note, 8.0, "sans") if symbol.note else ()
            if symbol.span.every > 1:
                first, second, *_ = drawing.chart.steps(key)
                below = (*note(f"t = {first}, {second}, …", 7.5), *below)
            drawing.circle(symbol, home(key), *at, FOLDED, label, below)
        x += column.right + column.ports.inner[1] + 8
    for g, column in enumerate(columns):
        _Circuit(drawing, column, shown[g].xs[0]).draw()
    draw_between(drawing, FOLDED)
    keys = [key for column in columns for key in column.group.keys]
    draw_frames(drawing, FOLDED, {key: drawing.sheet.nodes[home(key)] for key in keys})
    room = -min(c.left - c.ports.inner[-1] for c in columns) + 34.0
    draw_buses(drawing, FOLDED, drawing.how.weights, -room)


class _Circuit:
    """The arrows of one group."""

    def __init__(self, drawing: Drawing, column: Column, middle: float) -> None:
        self.drawing, self.column, self.middle = drawing, column, middle
        self.chart, self.sheet = drawing.chart, drawing.sheet

    def draw(self) -> None:
        """Draw all arrows of the group, with their squares and their words."""
        column, arrows = self.column, []
        for a in (*column.later, *column.now):
            if column.form[a] == "loop":
                self._loop(a)
            else:
                arrows.append(a)
        squares = {n: self._squares_on(n) for n in column.nets if n.kind == "time"}
        instances = [self._instance(a, squares) for a in arrows]
        self.drawing.emit(instances, FOLDED)
        for a in arrows:
            self._words(a)

    def _instance(self, a: Arrow, squares: dict[Net, list[Node]]) -> Instance:
        """An arrow from the squares of its trunk on; the first leads there too."""
        column = self.column
        xs, xt = (self.middle + column.x(k) for k in (a.source, a.target))
        way = way_of(column, a, xs, xt, self.middle)
        tail, net = home(a.source), column.trunk_of(a)
        trunk = column.trunk(a, tail)
        if net is not None and (stack := squares.get(net)):
            middle = (stack[0].x + stack[-1].x) / 2, (stack[0].y + stack[-1].y) / 2
            reach = SQUARE / 2 + STACK * (len(stack) - 1) / 2
            lead, way = way.split(middle, reach)
            if a is net.arrows[0]:
                self._chain(tail, stack, lead.curve(), self._facts(*net.arrows))
            tail = stack[-1].id
        names, facts = self.drawing.names(a, FOLDED), self._facts(a)
        begins = self.drawing.circuit.chart.symbol(a.source).begins
        facts["dashed"] = bool(begins or self._once(a))
        return Instance(a, tail, home(a.target), way, names, net=trunk, details=facts)

    def _chain(
        self, tail: str, stack: list[Node], lead: Curve, facts: dict[str, Any]
    ) -> None:
        """The line into a stack of squares, and from square to square."""
        ends, curves, by = [tail, *(n.id for n in stack)], [lead], SQUARE / 2
        for u, v in pairwise(stack):
            dx, dy = (u.x < v.x) - (u.x > v.x), (u.y < v.y) - (u.y > v.y)
            out, into = (u.x + dx * by, u.y + dy * by), (v.x - dx * by, v.y - dy * by)
            curves.append(straight(out, into))
        for k, curve in enumerate(curves):
            piece = {**facts, "id": f"{facts['id']}'{k}", "net": facts["id"]}
            self.sheet.connect(
                ends[k], ends[k + 1], curve, head=False, part=FOLDED, **piece
            )

    def _once(self, a: Arrow) -> str:
        """The words for an arrow at one step of several."""
        parts = self.drawing.circuit.parts[a]
        return only_at(self.chart, parts, self.drawing.how.index or {})

    def _read(self, a: Arrow) -> Lines:
        """The words for an arrow of several steps, or of steps of its own."""
        read = filter(None, map(steps_read, self.drawing.circuit.parts[a]))
        return tuple(line for words in [*read][:1] for line in note(f"t = {words}"))

    def _facts(self, *arrows: Arrow) -> dict[str, Any]:
        """What the edges of arrows say of them."""
        parts = [part for a in arrows for part in self.drawing.circuit.parts[a]]
        return {
            "id": way_home(arrows[0]),
            "home": way_home(arrows[0]),
            "title": said(self.chart, *parts),
            "parameters": names_on(parts),
            "delay": arrows[0].delay,
            "covers": self.chart.pairs(*parts),
        }

    def _words(self, a: Arrow) -> None:
        """The faint words beside an arrow: at which step, or of which steps."""
        once = self._once(a) if a.span != self.chart.symbol(a.source).span else ""
        if words := note(once) if once else self._read(a):
            word = "only" if once else ""
            wish = Wish(words, way_home(a), "faint", word, below=True)
            self.sheet.wishes.append(wish)

    # ------------------------------------------------------------------------ squares

    def _loop(self, a: Arrow) -> None:
        """Out of a circle, through its squares, and back."""
        loops, key = self.column.ports.loops, home(a.source)
        x, shift, number, side = loops[a]
        many = sum(b.source == a.source for b in loops) > 1
        circle, read = self.sheet.nodes[key], self._read(a)
        x, y = x + self.middle, circle.y + shift
        count, words = (1, read) if read else self._delay(a)
        tall = (count - 1) * STACK / 2 + SQUARE / 2
        half = max(20.0 if shift else 27.0 + 13 * number, tall + 12) + 8
        up, down = (62, -4) if shift > 0 else (4, -62) if shift < 0 else (40, -40)
        if abs(shift) >= CLEAR:  # what leaves at the middle is not crossed
            up, down = (78, 16) if shift > 0 else (-16, -78)
        if many:
            up, down = 30 + 19 * number, -(30 + 19 * number)
        far = RADIUS + 15.0 + 5 * number
        (p, out), (q, into) = (
            [(circle.x + r * dx, circle.y + r * dy) for r in (RADIUS, far)]
            for d in (up, down)
            for dx, dy in [(side * cos(d * pi / 180), sin(d * pi / 180))]
        )
        first, last = (x, y + tall), (x, y - tall)
        away, back = (p, out, (x, y + half), first), (last, (x, y - half), into, q)
        squares, facts = self._squares(a, x, y, count), self._facts(a)
        self._chain(key, squares, away, facts)
        self.sheet.connect(
            squares[-1].id, key, back, part=FOLDED, net=facts["id"], **facts
        )
        lines = self.drawing.letters(self.drawing.names(a, FOLDED))
        if lines := (*lines, *words):
            through = (*away, *straight(first, last)[1:], *back[1:])
            wish = Wish(lines, way_home(a), curve=through, below=side < 0)
            self.sheet.wishes.append(wish)

    def _delay(self, a: Arrow) -> tuple[int, Lines]:
        """The number of squares for a delay, and words if they do not tell it."""
        parts = self.drawing.circuit.parts[a]
        delays = sorted({abs(part.turns or part.delay) for part in parts})
        if len(delays) == 1 and delays[0] <= MOST:
            return delays[0], ()
        told = [
            *map(str, delays[:1]),
            *["…"] * (len(delays) > 2),
            *map(str, delays[1:][-1:]),
        ]
        return 1, note(f"{', '.join(told)} steps")

    def _squares_on(self, net: Net) -> list[Node]:
        """The squares of a trunk, before its first branch: the delay is the value's."""
        column = self.column
        x, out = self.middle + column.ports.vertical[net], column.exit(net)
        levels = [column.enter(net, b) for b in net.arrows]
        near = min(levels, key=lambda y: abs(y - out))
        many, words = self._delay(net.arrows[0])
        both = any((v - out) * (near - out) < 0 for v in levels)
        level = both or abs(near - out) < 12.0 + STACK * (many - 1) + SQUARE
        if level:
            x -= column.out(net) * (9.0 + 7.0 * (many - 1))
        y = out if level else self._between(net, x, out, near)
        squares = self._squares(net.arrows[0], x, y, many, level)
        if words:
            id = f"{way_home(net.arrows[0])}'0"
            self.sheet.wishes.append(Wish(words, id, "faint", "steps"))
        # In the order in which the trunk meets them.
        turned = near > out if squares[0].x == squares[-1].x else column.out(net) > 0
        return squares[::-1] if turned else squares

    def _between(self, net: Net, x: float, out: float, near: float) -> float:
        """The middle of the longest piece of a vertical that no other net crosses."""
        column, side = self.column, self.column.out(net)
        beyond = [
            other
            for other in column.nets
            if other.kind == "time" and column.out(other) == side
            if (self.middle + column.ports.vertical[other] - x) * side > 1.0
        ]
        crossing = [column.exit(other) for other in beyond]
        crossing += [column.enter(other, a) for other in beyond for a in other.arrows]
        ends = sorted((out, near))
        crossing = [y for y in crossing if ends[0] < y < ends[1]]
        pieces = pairwise(sorted([*ends, *crossing]))
        low, high = max(pieces, key=lambda piece: piece[1] - piece[0])
        return (low + high) / 2

    def _squares(
        self, a: Arrow, x: float, y: float, count: int, level: bool = False
    ) -> list[Node]:
        said, fill = "delay of one step", None
        if a.delay < 0:
            said, fill = "one step ahead", "none"
        found = []
        for k in range(count):
            id, by = f"{way_home(a)}/{k}", ((count - 1) / 2 - k) * STACK
            at = x + by * level, y + by * (not level), SQUARE, SQUARE
            node = Node(id, *at, (), "square", "delay", said, part=FOLDED, fill=fill)
            self.sheet.add(node)
            found.append(node)
        return found
