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

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from minigrad.draw.measure import norm
from minigrad.draw.page.fonts import shorten
from minigrad.draw.page.letters import clean, letter, short, superscript
from minigrad.draw.page.scene import Line, Lines, Run, extent
from minigrad.graph import Graph, Node, Past
from minigrad.scope import LOOP, Slot

SIGNS = {
    "add": "+",
    "subtract": "−",
    "multiply": "×",
    "divide": "/",
    "negative": "−",
    "power": "^",
    "add_n": "Σ",
}
ROOM = 150.0
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

    @property
    def words(self) -> str:
        """The first line of the label."""
        return "".join(run.text for line in self.lines[:1] for run in line)

    @property
    def width(self) -> float:
        """The width of its box."""
        if self.past is not None:
            return max(SQUARE, extent(self.lines)[0] + 6.0)
        return max(extent(self.lines)[0] + 20.0, 34.0 if self.leaf else 52.0)

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
) -> list[Item]:
    """The items of a graph in the order in which they ran.

    ``kinds`` says what named values are (hidden, loss, ...); with ``depth``, what lies
    in more than that many scopes becomes one item per scope entry and step.
    """
    return _Reader(graph, kinds or {}, depth, shapes, values).items()


class _Reader:
    def __init__(
        self,
        graph: Graph,
        kinds: Mapping[str, str],
        depth: int | None,
        shapes: bool,
        values: bool,
    ) -> None:
        self.graph = graph
        self.kinds = kinds
        self.depth = depth
        self.shapes = shapes
        self.values = values
        self.names = graph.names
        self.clocks = {clock: i for i, clock in enumerate(graph.clocks)}

    def items(self) -> list[Item]:
        keys: dict[Node, str] = {}
        groups: dict[Any, list[Node]] = {}
        for i, node in enumerate(self.graph.nodes):
            box = self._box(node)
            group = (box, self._column(node)) if box is not None else i
            members = groups.setdefault(group, [])
            members.append(node)
            keys[node] = (
                f"i{len(groups) - 1}" if len(members) == 1 else keys[members[0]]
            )
        return [
            self._scope(group, members, keys)
            if isinstance(group, tuple)
            else self._past(members[0], keys)
            if isinstance(members[0].value, Past)
            else self._item(members[0], keys)
            for group, members in groups.items()
        ]

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
        label = _joined(name, [self._indexed(n.name or "", n) for n in out[:2]])
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

    def _item(self, node: Node, keys: dict[Node, str]) -> Item:
        name = self.names.get(node, "")
        leaf = not node.inputs
        read = node.op is not None and node.op.name == "step"
        if node.kind == "parameter":
            shape = getattr(node.value, "shape", ())
            line = letter(name, len(shape), parameter=True)
            line = tuple(Run(r.text, r.face, r.size * 0.8, r.rise * 0.8) for r in line)
        elif node.kind == "constant":
            line = (Run(_constant(node.value, name)),)
        elif leaf or (read and name):
            line = (Run(shorten(self._indexed(name, node), "sans", 11.0, ROOM)),)
        else:
            op = SIGNS.get(node.op.name, clean(node.op.name))
            named = [self._indexed(node.name, node)] if node.name else []
            # A contracted node is many operations, and its name says all.
            contracted = "via" in node.attrs
            line = (Run(named[0]),) if contracted else _joined(op, named)
        lines: list[Line] = [line]
        if self.shapes and node.kind != "constant":
            lines.append((Run(f"{_shape(node)}", "sans", 8.0),))
        if self.values and node.kind != "constant" and hasattr(node.value, "shape"):
            lines.append((Run(_number(node.value), "sans", 8.0),))
        kind = self.kinds.get(node.name or "", "")
        if not kind or node.kind in ("parameter", "constant"):
            kind = node.kind if leaf else "input" if read else "value"
        place = self.graph.places[node]
        return Item(
            keys[node],
            tuple(lines),
            kind,
            place,
            self._column(node),
            tuple(keys[i] for i in node.inputs),
            self._title(node, name),
            name,
            leaf,
            "box" if leaf or read else "rounded",
        )

    def _indexed(self, name: str, node: Node) -> str:
        """A name with its raised step: h⁽³⁾."""
        name = shorten(clean(name), "sans", 11.0, 90.0)
        return name if node.t is None else f"{name}⁽{superscript(node.t)}⁾"

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


def _joined(op: str, names: list[str]) -> Line:
    """``tanh → h``."""
    text = op + (f" → {', '.join(names)}" if names else "")
    return (Run(shorten(text, "sans", 11.0, ROOM)),)


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
