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
>>> h = mg.tanh(x @ W).named("h")
>>> [(item.words, item.kind) for item in Reader(mg.Graph(h)).items()]
[('W', 'parameter'), ('x', 'input'), ('matmul', 'value'), ('tanh → h', 'value')]
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from minigrad.draw.measure import norm
from minigrad.draw.page.fonts import shorten, width
from minigrad.draw.page.letters import clean, fitted, indexed, letter, short, sized
from minigrad.draw.page.scene import Line, Lines, Run, extent
from minigrad.draw.textbook.columns import visible
from minigrad.graph import Graph, Node, Past, PerOperand
from minigrad.scope import LOOP, Clock, Slot

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
ROOM, FINE, SAID = 150.0, 8.5, 90.0
# What says that no class is left out: nobody wrote it.
NO_CLASS = -(2**31)
SQUARE = 11.0


@dataclass(frozen=True, slots=True)
class Item:
    """A box of the ops view."""

    key: str
    place: Any
    column: tuple[int, int] | None
    inputs: tuple[str, ...] = ()
    name: str = ""
    leaf: bool = False
    lines: Lines = ()
    kind: str = ""
    title: str = ""
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


@dataclass(frozen=True)
class Reader:
    """What items are made of a graph, and what is written into them.

    ``kinds`` says what named values are (hidden, loss, ...); with ``depth``, what lies
    in more than that many scopes becomes one item per scope entry and step. Of loops
    that are longer than ``steps`` those between have no label.
    """

    graph: Graph
    kinds: Mapping[str, str] = field(default_factory=dict)
    depth: int | None = None
    shapes: bool = False
    values: bool = False
    steps: int | None = None

    @cached_property
    def names(self) -> dict[Node, str]:
        """The name of each leaf and each named node."""
        return self.graph.names

    @cached_property
    def lengths(self) -> dict[Clock, int]:
        """The number of steps of each loop."""
        return self.graph.clocks

    @cached_property
    def numbers(self) -> dict[Clock, int]:
        """The number of each loop."""
        return {clock: i for i, clock in enumerate(self.lengths)}

    def items(self) -> list[Item]:
        """The items in the order in which they ran."""
        keys: dict[Node, str] = {}
        groups: dict[Any, list[Node]] = {}
        numbers: dict[Any, int] = {}
        for i, node in enumerate(self.graph.nodes):
            box, column = self._box(node), self._column(node)
            group = (box, column) if box is not None else i
            groups.setdefault(group, []).append(node)
            # A scope may be entered in several loops.
            line = (box, column and column[0]) if box else self.graph.places[node]
            keys[node] = f"i{numbers.setdefault(line, len(numbers))}{self._at(node)}"
        return [
            self._scope(group, members, keys)
            if isinstance(group, tuple)
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
        if node.time is None:
            return None
        return self.numbers[node.time[0]], node.time[1]

    def _hidden(self, node: Node) -> bool:
        """Whether a step is left out."""
        if node.time is None or self.steps is None:
            return False
        return node.t not in visible(self.lengths[node.time[0]], self.steps)

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
        reads = [keys[i] for n in members for i in n.inputs if i not in inside]
        used = {i for n in self.graph.nodes if n not in inside for i in n.inputs}
        used.update(self.graph.outputs)
        out = [n for n in members if n.name and n in used]
        name = clean(str(path[-1][0])) + (" gradient" if gradient else "")
        label = _joined((Run(name),), [self._indexed(n.name or "", n) for n in out[:2]])
        return Item(
            keys[members[0]],
            ("scope", path, gradient),
            column,
            tuple(dict.fromkeys(reads)),
            name,
            lines=(label,),
            kind=self.kinds.get(out[-1].name or "", "scope") if out else "scope",
            title=f"{name}: {len(members)} operations",
        )

    def _item(self, node: Node, keys: dict[Node, str]) -> Item:
        inputs = tuple(keys[i] for i in node.inputs)
        name = self.names.get(node, "")
        leaf = not inputs
        item = Item(
            keys[node], self.graph.places[node], self._column(node), inputs, name, leaf
        )
        if isinstance(node.value, Past):
            return self._past(item, node.value, keys)
        op = node.op.name if node.op is not None else ""
        item = replace(item, commutative=op in COMMUTATIVE, scope=self._region(node))
        if self._hidden(node):
            return item
        read = op == "step"
        lines: list[Line] = [self._line(node, name)]
        if node.kind != "constant":
            lines += [_fine(f"{_shape(node) or '( )'}")] * self.shapes
            if self.values and hasattr(node.value, "shape"):
                lines.append(_fine(_number(node.value)))
        kind = self.kinds.get(node.name or "", "")
        if not kind or node.kind in ("parameter", "constant"):
            kind = node.kind if leaf else "input" if read else "value"
        return replace(
            item,
            lines=tuple(lines),
            kind=kind,
            title=self._title(node, name),
            shape="box" if leaf or read else "rounded",
            operation=f"{_what(node)} {_shape(node)}",
        )

    def _past(self, item: Item, past: Any, keys: dict[Node, str]) -> Item:
        _, _, line, delay = past
        far, ahead = abs(delay), delay < 0
        return replace(
            item,
            lines=(_fine(f"{far}"),) if far > 1 else (),
            kind="value" if ahead else "delay",
            title=f"{item.name}: {far} step{'s' * (far > 1)} "
            f"{'ahead' if ahead else 'back'}",
            shape="square",
            past=keys[line],
        )

    def _line(self, node: Node, name: str) -> Line:
        """What stands in the box of a node."""
        read = node.op is not None and node.op.name == "step"
        if node.kind == "parameter":
            return sized(letter(name, len(_shape(node)), parameter=True), 0.8 * 18.0)
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

    def _region(self, node: Node) -> Any:
        """The scopes with names around a node, or None; a gradient is in none."""
        if not node.inputs or isinstance(node.slot, Slot):
            return None
        path = self.graph.places[node][0]
        return tuple(part for part in path if part[0] != LOOP) or None

    def _indexed(self, name: str, node: Node) -> Line:
        """A name with its raised step, and those of loops within it: h(1,2)."""
        axes = len(_shape(node))
        line = fitted(letter(name, axes), 110.0)
        begins = self.kinds.get(node.name or "") == "initial"
        if node.t is not None:
            line = indexed(line, self._index(node))
        elif begins and (start := START.fullmatch(name)):
            line = indexed(letter(start[1], axes), "0")
        return sized(line, 13.0)

    def _index(self, node: Node) -> str:
        path = self.graph.places[node][0]
        return ",".join(map(str, (node.t, *(part[2] for part in path if part[2:]))))

    def _title(self, node: Node, name: str) -> str:
        what = node.kind if node.op is None else node.op.name
        words = f"{name}: {what}" if name else what
        words += "" if node.t is None else f", step {self._index(node)}"
        words += f", shape {_shape(node)} {getattr(node.value, 'dtype', '')}".rstrip()
        if not node.inputs:
            uses = len(self.graph.uses(node))
            words += f", {uses} use{'s' if uses != 1 else ''}"
        scope = "/".join(str(p[0]) for p in node.scope.path if p[0] != LOOP)
        return words + (f", in {scope}" if scope else "")


def _fine(words: str) -> Line:
    return (Run(words, "sans", 8.0),)


def _joined(op: Line, names: list[Line]) -> Line:
    """``tanh → h``."""
    line, sign = op, " → "
    for name in names:
        line, sign = (*line, Run(sign), *name), ", "
    return fitted(line, ROOM)


def _operation(node: Node) -> Line:
    """An op and what was said to it: ``sum axis=0``, or what an index takes."""
    op = node.op.name
    if op == "getitem" and "key" in node.attrs:  # a program's line keeps none
        return (Run(_key(node.attrs["key"])),)
    said = [
        value if isinstance(value, str) and len(node.attrs) == 1 else f"{name}={value}"
        for name, value in node.attrs.items()
        if not isinstance(value, PerOperand)
        and value is not None
        and value is not False
        and value != NO_CLASS
    ]
    kept = [clean(words) for words in said]
    while width(", ".join(kept), "sans", FINE) > SAID:
        kept.remove(max(kept, key=len))  # a number that is cut would be another one
    words = ", ".join([*kept, *["…"] * (len(kept) < len(said))])
    fine = (Run(f" {words}", "sans", FINE),) if said else ()
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
    if value.size == 1:
        return short(float(value.item()))
    return f"‖·‖ {short(norm(value))}"
