"""What the ops view draws: one item per recorded node, or per collapsed scope.

Vocabulary
    item     a box: label, kind, column (clock and step, or none) and inputs
    place    what tells the same line of the program at every step; items of one place
             stand in one row
    past     a box that is the past of another one: a square for the delay, black, or
             hollow where it comes from later steps, as in the folded circuit

>>> import minigrad as mg
>>> W = mg.parameter([[0.5]], name="W")
>>> x = mg.tensor([[1.0]], name="x")
>>> [(item.words, item.kind) for item in items_of(mg.Graph(mg.tanh(x @ W).named("h")))]
[('W', 'parameter'), ('x', 'input'), ('matmul', 'value'), ('tanh → h', 'value')]
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from minigrad.draw.measure import norm
from minigrad.draw.page.fonts import shorten
from minigrad.draw.page.letters import clean, fitted, indexed, letter, short, sized
from minigrad.draw.page.scene import Line, Lines, Run, extent
from minigrad.draw.textbook.columns import visible
from minigrad.graph import Graph, Node, Past, PerOperand
from minigrad.scope import LOOP, Slot

START = re.compile(r"(.+?)_?(?:0|init)")
SIGNS = {
    "add": "+",
    "subtract": "−",
    "multiply": "×",
    "divide": "/",
    "negative": "neg",
    "power": "^",
    "add_n": "Σ",
}
COMMUTATIVE = frozenset(["add", "multiply", "maximum", "minimum", "add_n"])
ROOM, SIZE, FINE = 150.0, 11.0, 8.5
SQUARE = 11.0


@dataclass(frozen=True, slots=True)
class Item:
    """A box of the ops view."""

    key: str
    lines: Lines
    kind: str
    place: Any
    column: tuple[int, int] | None
    inputs: tuple[str, ...]
    title: str
    name: str
    leaf: bool
    shape: str = "rounded"
    past: str | None = None
    commutative: bool = False
    scope: Any = None
    operation: str = ""

    @property
    def words(self) -> str:
        """The first line of the label."""
        return "".join(run.text for line in self.lines[:1] for run in line)

    @property
    def width(self) -> float:
        """The width of its box."""
        if self.past is not None:
            return max(SQUARE, extent(self.lines)[0] + 6.0)
        wide = max(extent(self.lines)[0] + 20.0, 34.0 if self.leaf else 52.0)
        return max(wide, min(8.0 * len(self.inputs) + 12.0, 240.0))

    @property
    def height(self) -> float:
        """The height of its box."""
        if self.past is not None:
            return self.width
        return max(22.0, extent(self.lines)[1] + 9.0)


def items_of(
    graph: Graph,
    kinds: Mapping[str, str] | None = None,
    depth: int | None = None,
    shapes: bool = False,
    values: bool = False,
    steps: int | None = None,
) -> list[Item]:
    """The items of a graph in the order in which they ran.

    ``kinds`` says what named values are (hidden, loss, ...); with ``depth``, what lies
    in more than that many scopes becomes one item per scope entry and step. Of loops
    that are longer than ``steps`` those between have no label.
    """
    return _Reader(graph, kinds or {}, depth, shapes, values, steps).items()


class _Reader:
    def __init__(
        self,
        graph: Graph,
        kinds: Mapping[str, str],
        depth: int | None,
        shapes: bool,
        values: bool,
        steps: int | None,
    ) -> None:
        self.graph = graph
        self.kinds = kinds
        self.depth = depth
        self.shapes = shapes
        self.values = values
        self.names = graph.names
        self.lengths = graph.clocks
        self.clocks = {clock: i for i, clock in enumerate(self.lengths)}
        self.shown = {
            clock: {*visible(length, steps or length)}
            for clock, length in self.lengths.items()
        }

    def items(self) -> list[Item]:
        keys: dict[Node, str] = {}
        groups: dict[Any, list[Node]] = {}
        numbers: dict[Any, int] = {}
        for i, node in enumerate(self.graph.nodes):
            box = self._box(node)
            group = (box, self._column(node)) if box is not None else i
            groups.setdefault(group, []).append(node)
            line = box or self.graph.places[node]
            keys[node] = f"i{numbers.setdefault(line, len(numbers))}{self._at(node)}"
        return [
            self._scope(group, members, keys)
            if isinstance(group, tuple)
            else self._past(members[0], keys)
            if isinstance(members[0].value, Past)
            else self._item(members[0], keys)
            for group, members in groups.items()
        ]

    def _at(self, node: Node) -> str:
        """The step in an id: counted from the nearer end, as in the textbook."""
        if node.time is None:
            return ""
        clock, t = node.time
        length = self.lengths[clock]
        return f"@{t if 2 * t <= length + 1 else t - length - 1}"

    def _column(self, node: Node) -> tuple[int, int] | None:
        return None if node.time is None else (self.clocks[node.time[0]], node.time[1])

    def _box(self, node: Node) -> Any:
        """The scope that a node is hidden in, or None."""
        if self.depth is None or not node.inputs:
            return None
        path = self.graph.places[node][0]
        at = [i for i, part in enumerate(path) if part[0] != LOOP]
        if len(at) <= self.depth:
            return None
        # Gradients run after the scope is left: they are a box of their own.
        return path[: at[self.depth] + 1], isinstance(node.slot, Slot)

    def _scope(self, group: Any, members: list[Node], keys: dict[Node, str]) -> Item:
        (path, gradient), column = group
        inside = set(members)
        reads = [i for n in members for i in n.inputs if i not in inside]
        used = {i for n in self.graph.nodes if n not in inside for i in n.inputs}
        out = [n for n in members if n.name and (n in used or n in self.graph.outputs)]
        name = clean(str(path[-1][0])) + (" gradient" if gradient else "")
        label = _joined((Run(name),), [self._indexed(n.name or "", n) for n in out[:2]])
        return Item(
            keys[members[0]],
            (label,),
            self.kinds.get(out[-1].name or "", "scope") if out else "scope",
            ("scope", path, gradient),
            column,
            tuple(dict.fromkeys(keys[i] for i in reads)),
            f"{name}: {len(members)} operations",
            name,
            False,
        )

    def _past(self, node: Node, keys: dict[Node, str]) -> Item:
        name, (_, _, line, delay) = node.name or "", node.value
        far = abs(delay)
        return Item(
            keys[node],
            ((Run(f"{far}", "sans", 8.0),),) if far > 1 else (),
            "delay" if delay > 0 else "value",
            self.graph.places[node],
            self._column(node),
            (),
            f"{name}: {far} step{'s' * (far > 1)} {'back' if delay > 0 else 'ahead'}",
            name,
            True,
            "square",
            keys[line],
        )

    def _line(self, node: Node, name: str) -> Line:
        """What stands in the box of a node."""
        read = node.op is not None and node.op.name == "step"
        if node.kind == "parameter":
            shape = getattr(node.value, "shape", ())
            return sized(letter(name, len(shape), parameter=True), 0.8 * 18.0)
        if node.kind == "constant":
            return (Run(_constant(node.value, name)),)
        if not node.inputs or (read and name):
            return self._indexed(name, node)
        named = [self._indexed(node.name, node)] if node.name else []
        if "via" in node.attrs:  # many operations, and the name says all
            return named[0]
        called = re.fullmatch(
            rf"{re.escape(node.op.name)}[\d_]*(\(.*\))?", node.name or ""
        )
        if called:  # the line of a program is called after its op, in a loop with (t)
            return named[0] if called[1] else _operation(node)
        return _joined(_operation(node), named)

    def _item(self, node: Node, keys: dict[Node, str]) -> Item:
        name = self.names.get(node, "")
        leaf = not node.inputs
        read = node.op is not None and node.op.name == "step"
        place, column = self.graph.places[node], self._column(node)
        inputs = tuple(keys[i] for i in node.inputs)
        commutes = node.op is not None and node.op.name in COMMUTATIVE
        hidden = node.time is not None and node.t not in self.shown[node.time[0]]
        if hidden:
            what = (keys[node], (), "", place, column, inputs, "", name, leaf)
            return Item(*what, commutative=commutes, scope=self._region(node))
        line = self._line(node, name)
        lines: list[Line] = [line]
        if self.shapes and node.kind != "constant":
            lines.append((Run(f"{_shape(node)}", "sans", 8.0),))
        if self.values and node.kind != "constant" and hasattr(node.value, "shape"):
            lines.append((Run(_number(node.value), "sans", 8.0),))
        kind = self.kinds.get(node.name or "", "")
        if not kind or node.kind in ("parameter", "constant"):
            kind = node.kind if leaf else "input" if read else "value"
        return Item(
            keys[node],
            tuple(lines),
            kind,
            place,
            column,
            inputs,
            self._title(node, name),
            name,
            leaf,
            "box" if leaf or read else "rounded",
            commutative=commutes,
            scope=self._region(node),
            operation=f"{_what(node)} {_shape(node)}",
        )

    def _region(self, node: Node) -> Any:
        """The scopes with names around a node, or None; a gradient is in none."""
        if not node.inputs or isinstance(node.slot, Slot):
            return None
        path = self.graph.places[node][0]
        return tuple(part for part in path if part[0] != LOOP) or None

    def _indexed(self, name: str, node: Node) -> Line:
        """A name with its raised step."""
        shape = getattr(node.value, "shape", ())
        line = fitted(letter(name, len(shape)), 110.0)
        start = (
            START.fullmatch(name) if not node.inputs and self._starts(node) else None
        )
        if start:
            line = indexed(letter(start[1], len(shape)), "0")
        elif node.t is not None:
            line = indexed(line, str(node.t))
        return sized(line, 13.0)

    def _starts(self, node: Node) -> bool:
        """Whether a leaf is what a loop begins with."""
        if node.inputs or node.time is not None:
            return False
        return self.kinds.get(node.name or "") == "initial"

    def _title(self, node: Node, name: str) -> str:
        what = node.kind if node.op is None else node.op.name
        words = f"{name}: {what}" if name else what
        words += "" if node.t is None else f", step {node.t}"
        words += f", shape {_shape(node)} {getattr(node.value, 'dtype', '')}".rstrip()
        if not node.inputs:
            uses = len(self.graph.uses(node))
            words += f", {uses} use{'s' if uses != 1 else ''}"
        scope = "/".join(str(p[0]) for p in node.scope.path if p[0] != LOOP)
        return words + (f", in {scope}" if scope else "")


def _joined(op: Line, names: list[Line]) -> Line:
    """``tanh → h``."""
    if not names:
        return fitted(op, ROOM)
    comma = (Run(", "),)
    line: Line = (*op, Run(" → "), *names[0])
    for name in names[1:]:
        line += (*comma, *name)
    return fitted(line, ROOM)


def _operation(node: Node) -> Line:
    """An op and what was said to it: ``sum axis=0``, or what an index takes."""
    op = node.op.name
    if op == "getitem" and "key" in node.attrs:  # a program's line keeps none
        return (Run(_key(node.attrs["key"])),)
    said = [
        value if isinstance(value, str) and len(node.attrs) == 1 else f"{name}={value}"
        for name, value in node.attrs.items()
        if not (isinstance(value, PerOperand) or value is None or value is False)
    ]
    words = shorten(clean(" " + ", ".join(said)), "sans", FINE, 90.0)
    fine = (Run(words, "sans", FINE),) if said else ()
    return (Run(SIGNS.get(op, clean(op))), *fine)


def _key(key: Any) -> str:
    """An index as it is written, with a dot in the place of each array.

    >>> _key((slice(None), slice(0, 4), "operand"))
    '[:, 0:4, ·]'
    """

    def part(value: Any) -> str:
        if isinstance(value, slice):
            ends = [value.start, value.stop]
            ends += [] if value.step is None else [value.step]
            return ":".join("" if end is None else str(end) for end in ends)
        if value is Ellipsis:
            return "…"
        return "·" if isinstance(value, str) else str(value)

    parts = key if isinstance(key, tuple) else (key,)
    return f"[{', '.join(map(part, parts))}]"


def _what(node: Node) -> str:
    """What two nodes that are the same operation have in common."""
    if node.op is None:
        return _constant(node.value, "") if node.kind == "constant" else node.kind
    return f"{node.op.name} {node.attrs}"


def _shape(node: Node) -> tuple[int, ...]:
    return tuple(getattr(node.value, "shape", ()))


def _constant(value: Any, name: str) -> str:
    """A number as it is; an array by its name and shape."""
    if not hasattr(value, "shape"):
        return shorten(clean(repr(value)), "sans", 11.0, 70.0)
    if value.shape:
        return f"{name} {value.shape}"
    return short(float(value.tolist()))  # a graph that was read has no array


def _number(value: Any) -> str:
    """What ``values=True`` writes: a number, or the norm of an array."""
    if value.shape == ():
        return short(float(value))
    return f"‖·‖ {short(norm(value))}"
