"""Names, buffers and views as text: what the lines of a program are written with.

Vocabulary
    run        the lines that every call runs
    workspace  the lines that make, once for a length, buffers and windows of them
    kept       an expression of buffers and lengths alone: made with the workspace
    entries    an array over steps as a list with one array a step, for a loop

>>> identifier("ŷ", set()), identifier("h", {"h"})
('v', 'h_2')
"""

from collections.abc import Iterable, Iterator
from itertools import count
from keyword import kwlist
from typing import Any

import numpy as np

from minigrad.compile.counts import Count, Dim, Steps
from minigrad.compile.kinds import O
from minigrad.compile.memory import Buffer, Place, Plan
from minigrad.compile.numpy import table
from minigrad.compile.values import Kernel, Leaf, Time, Value
from minigrad.fold.moving_index import Ahead
from minigrad.op import Op

# Names that the source needs for itself.
RESERVED = frozenset(
    [*kwlist, "__debug__", "np", "w", "t", "views", "run", "workspace", "Workspace",
     "range", "zip", "slice", "float", "list", *dir(np)]
)  # fmt: skip


def views(array: Any) -> list[Any]:
    """The entries of an array along its first axis, as arrays one can write to."""
    if array.ndim > 1:
        return list(array)
    return [array[i : i + 1].reshape(()) for i in range(len(array))]


class Names(set[str]):
    """Names that are taken, and for each where the search for another one goes on."""

    def __init__(self, taken: Iterable[str]) -> None:
        super().__init__(taken)
        self.numbers: dict[str, Iterator[int]] = {}

    def new(self, stem: str) -> str:
        """A name that source code can use, taken from now on."""
        found = identifier(stem, self, self.numbers)
        self.add(found)
        return found


def identifier(
    name: str, taken: set[str], numbers: dict[str, Iterator[int]] | None = None
) -> str:
    """A name that source code can use, and that is not taken."""
    base = name if name.isidentifier() and name.isascii() else "v"
    numbers = {} if numbers is None else numbers
    left = numbers.setdefault(base, count(1 if base in RESERVED else 2))
    found = base
    while found in taken or found in RESERVED:
        found = f"{base}_{next(left)}"
    return found


class Source:
    """The source of one program as it grows; ``namespace`` is what it refers to."""

    empty = "np.empty"  # what makes an array of the workspace

    def __init__(self, plan: Plan, lengths: list[str]) -> None:
        self.plan, self.lengths = plan, lengths
        self.namespace: dict[str, Any] = {"np": np, "views": views}
        self.functions: dict[Any, str] = {}
        self.taken = Names(lengths)
        self.names: dict[Any, str] = {}
        self.workspace: list[str] = []
        self.kept: dict[str, str] = {}
        self.run: list[str] = []
        self.listed: dict[str, str] = {}
        self.solid: set[str] = set()

    # Names and literals.

    def fresh(self, stem: str) -> str:
        """A name that nothing has yet."""
        return self.taken.new(stem)

    def name(self, v: Value) -> str:
        """The name of a value, the same each time."""
        if v not in self.names:
            self.names[v] = self.fresh(v.name or v.op.name)
        return self.names[v]

    def literal(self, value: Any) -> str:
        """An attribute, a number or a function as source."""
        if isinstance(value, Count):
            return value.code(self.lengths)
        if isinstance(value, Ahead):
            base = f"{self.lengths[self.clock]} - t" if value.from_end else "t"
            return f"{base} {'+-'[value.k < 0]} {abs(value.k)}" if value.k else base
        if isinstance(value, (Op, Kernel)):
            return self.function(value)
        if type(value) is tuple:
            inner = ", ".join(map(self.literal, value))
            return f"({inner}{',' * (len(value) == 1)})"
        if isinstance(value, slice):
            ends = (value.start, value.stop, value.step)
            return f"slice({', '.join(map(self.literal, ends))})"
        if isinstance(value, float) and not np.isfinite(value):
            return f'float("{value}")'
        if value is None or type(value) in (bool, int, float, str):
            return repr(value)
        return "..." if value is Ellipsis else self.refer(value, "k")

    clock = 0  # of the loop whose body is written

    def refer(self, value: Any, name: str) -> str:
        """A name by which the source refers to an object."""
        if id(value) not in self.functions:
            found = self.functions[id(value)] = self.fresh(name)
            self.namespace[found] = value
        return self.functions[id(value)]

    def function(self, op: Op | Kernel) -> str:
        """The name of an op's function."""
        if isinstance(op.forward, np.ufunc):
            return table.ufunc(op)
        return self.refer(op.forward, op.name)

    # What is made with the workspace.

    def keep(self, stem: str, code: str) -> str:
        """An attribute of the workspace that holds an expression of buffers."""
        if code not in self.kept:
            self.kept[code] = f"w.{self.fresh(stem)}"
            self.workspace.append(f"{self.kept[code]} = {code}")
        return self.kept[code]

    def allocate(self, stem: str, form: str) -> str:
        """An array of its own in the workspace, of a shape and dtype."""
        name = f"w.{self.fresh(stem)}"
        self.workspace.append(f"{name} = {self.empty}({form})")
        return name

    def buffer(self, buffer: Buffer) -> str:
        """The array of a buffer."""
        if buffer.source is not None:
            return self.untimed(buffer.source)
        if buffer.bound:
            return self.name(buffer.root)
        if buffer not in self.names:
            front = () if buffer.steps is None else (buffer.steps.number,)
            name = buffer.root.name or buffer.root.op.name
            sizes = self.literal((*front, *buffer.shape))
            dtype = np.dtype(buffer.dtype).name
            self.names[buffer] = self.allocate(name, f"{sizes}, '{dtype}'")
            self.solid.add(self.names[buffer])
        return self.names[buffer]

    def is_kept(self, buffer: Buffer) -> bool:
        """Whether views of a buffer can be made with the workspace."""
        return buffer.source is None and not buffer.bound

    def _made(self, buffer: Buffer, stem: str, code: str) -> str:
        return self.keep(stem, code) if self.is_kept(buffer) else code

    # Timed values as arrays over their steps.

    def window(self, place: Place, steps: Steps) -> str:
        """The array of a value on some steps, as seen through its place."""
        buffer = place.buffer
        code = self.buffer(buffer)
        assert buffer.steps is not None
        low, high = self._ends(steps, buffer.steps.moved(place.delay))
        if low or high:
            stem = code.removeprefix("w.") + _suffix(low, high)
            solid = code in self.solid
            code = self._made(buffer, stem, f"{code}[{low}:{high}]")
            if solid:
                self.solid.add(code)
        for v in place.views:
            code = self._seen(buffer, v, code, steps.number)
        return code

    def _ends(self, steps: Steps, whole: Steps) -> tuple[str, str]:
        """Some steps as the ends of a slice of all, "" for those of all."""
        first, last = steps.first, steps.last.plus(1)
        low, high = (self.literal(end.minus(whole.first)) for end in (first, last))
        return low * (first != whole.first), high * (steps.last != whole.last)

    def _seen(self, buffer: Buffer, v: Value, code: str, number: Dim) -> str:
        """What a view makes of an array over steps."""
        solid = code in self.solid
        form = table.over_steps(v, number)
        assert form is not None, f"{v!r} is no view"
        op, attrs = form
        if solid and op in (O.squeeze, O.expand_dims):
            op, attrs = O.reshape, {"shape": (number, *v.shape)}
        if op is O.broadcast_to:
            code = table.behind_time(code, len(v.shape) - len(v.inputs[0].shape))
        made = table.expression(op, attrs, [code], self.literal)
        made = self._made(buffer, self.name(v), made)
        if solid and op is O.reshape:
            self.solid.add(made)
        return made

    def count(self, steps: Steps) -> str:
        """How many steps these are."""
        return self.literal(steps.number)

    def rows(self, code: str, width: Any) -> str:
        """All steps of a value as the rows of one matrix."""
        shaped = f"{code}.reshape(-1, {width})"
        return self.keep(f"{code[2:]}_rows", shaped) if code in self.solid else shaped

    # Timed values a step at a time.

    def scratch(self, place: Place) -> str:
        """The array of a value of one step alone."""
        code = self.buffer(place.buffer)
        for v in place.views:
            if v.op is O.reshape:
                made = f"{code}.reshape({self.literal(v.shape)})"
            else:
                made = table.expression(v.call, v.attrs, [code], self.literal)
                if v.op is O.getitem and not v.shape:
                    made = _array(made)
            code = self._made(place.buffer, self.name(v), made)
        return code

    def element(self, place: Place, step: Count) -> str:
        """A value at one step."""
        if place.buffer.steps is None:
            return self.scratch(place)
        code = self.window(place, Steps(0, step, step))
        made = f"{code}[0]" if place.views else self._index(place, step)
        if not (place.views[-1].shape if place.views else place.buffer.shape):
            made = _array(made)
        return self._made(place.buffer, f"{code.removeprefix('w.')}_at", made)

    def _index(self, place: Place, step: Count) -> str:
        assert place.buffer.steps is not None
        at = step.plus(-place.delay).minus(place.buffer.steps.first)
        return f"{self.buffer(place.buffer)}[{self.literal(at)}]"

    def entries(self, place: Place, steps: Steps, direction: int) -> str:
        """The arrays of a value at some steps, as a list in the order of the loop."""
        buffer = place.buffer
        assert buffer.steps is not None
        whole = buffer.steps.moved(place.delay)
        code = self.window(place, whole)
        stem = f"{code.removeprefix('w.')}_steps"
        if self.is_kept(buffer):
            listed = self.keep(stem, f"views({code})")
        else:
            if code not in self.listed:
                self.listed[code] = self.fresh("steps")
                self.run.append(f"{self.listed[code]} = views({code})")
            listed = self.listed[code]
        low, high = self._ends(steps, whole)
        cut = f"{listed}[{low}:{high}]" if low or high else listed
        cut = cut if direction > 0 else f"{cut}[::-1]"
        if cut == listed:
            return cut
        back = "_back" if direction < 0 else ""
        return self._made(buffer, f"{stem}{_suffix(low, high)}{back}", cut)

    # Values without time.

    def untimed(self, v: Value) -> str:
        """A value without time as an expression."""
        if v.op is Leaf.constant:
            value = v.attrs["value"]
            if type(value) in (bool, int, float):
                return self.literal(value)
            return self.refer(value, v.name or "c")
        if v.op is Time.over:
            (h,) = v.inputs
            if h in self.plan.places:
                return self.window(self.plan.places[h], h.span)
        elif v.op is Time.at:
            (h,) = v.inputs
            if h in self.plan.places:
                return self.element(self.plan.places[h], v.attrs["step"])
        return self.name(v)


def _array(element: str) -> str:
    """An element as an array that looks at it: x[1, ...] for x[1], a copied number."""
    return element if "..." in element else f"{element[:-1]}, ...]"


SIGNS = {" - ": "_less_", " + ": "_plus_", " * ": "_times_", "-": "m"}


def _suffix(low: str, high: str) -> str:
    """A window as the end of a name."""
    said = (f"_from_{low}" if low else "") + (f"_to_{high}" if high else "")
    for sign, word in SIGNS.items():
        said = said.replace(sign, word)
    return said
