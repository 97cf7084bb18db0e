"""Arrays as Python and C know them: slots of a table, and views of what lies there.

Vocabulary
    slot     an address in the table that a C function gets
    foreign  an array that is not the workspace's: it is put into its slot at each call
    held     an untimed value that C computes has an array of its own
    lasting  an array that is written once in a run
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from minigrad.compile.c.elements import TYPES
from minigrad.compile.c.lines import Names, Number, Operand
from minigrad.compile.c.sizes import Size, count
from minigrad.compile.c.views import UnsayableError, View, view
from minigrad.compile.counts import Steps
from minigrad.compile.kinds import O, is_view
from minigrad.compile.memory import Buffer, Place, Plan
from minigrad.compile.numpy.write import Writing as NumpyWriting
from minigrad.compile.values import Leaf, Time, Value

# A result of so many bytes gets an array of its own; smaller ones are copied.
LARGE = 4096


class Arrays(NumpyWriting):
    """The arrays of a plan, for NumPy and for C."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.source.empty = "empty"
        self.slots: dict[str, int] = {}  # what Python calls an array -> its slot
        self.c_names: dict[str, str] = {}  # the same -> what C calls it
        self.types: dict[str, str] = {}
        self.names = Names()
        self.names.taken |= set(self.lengths)
        self.foreign: dict[str, str] = {}  # C name -> what Python puts there
        self.constants: set[str] = set()
        self.held: set[Value] = set()
        self.lasting: set[str] = set()
        self.seen: dict[Value, Operand] = {}

    def _array(
        self, code: str, dtype: str, shape: Sequence[Any], foreign: str = ""
    ) -> View:
        """An array that Python knows by ``code``, as C sees it."""
        if code not in self.slots:
            self.slots[code] = len(self.slots)
            name = self.names.new(code.removeprefix("w."))
            self.c_names[code], self.types[name] = name, TYPES[dtype]
            if foreign:
                self.foreign[name] = foreign
        return view(self.c_names[code], dtype, shape)

    def _sizes(self, shape: Sequence[Any]) -> list[Size]:
        return [count(n, self.lengths) for n in shape]

    def _hold(self, v: Value) -> None:
        """Give a value that C computes an array."""
        s, name = self.source, self.source.name(v)
        dtype = np.dtype(v.dtype).name
        shape = s.literal(v.shape)
        numbers = [n for n in v.shape if isinstance(n, int)]
        whole = len(numbers) == len(v.shape)
        large = whole and int(np.prod(numbers)) * np.dtype(dtype).itemsize >= LARGE
        self.held.add(v)
        self.seen.pop(v, None)
        if v in self.program.outputs and large:
            self._array(name, dtype, self._sizes(v.shape))
            self.run.append(f"{name} = w.fresh({self.slots[name]}, {shape}, '{dtype}')")
        else:
            s.names[v] = s.allocate(name, f"{shape}, '{dtype}'")

    def _buffer(self, buffer: Buffer) -> View:
        """The array of a buffer, steps first."""
        if buffer.source is not None:
            found = self._untimed(buffer.source)
            assert isinstance(found, View)
            return found
        shape = self._sizes(buffer.shape)
        if buffer.steps is not None:
            shape.insert(0, count(buffer.steps.number, self.lengths))
        code = self.source.buffer(buffer)
        if buffer.bound:
            return self._array(code, buffer.dtype, shape, code)
        return self._array(code, np.dtype(buffer.dtype).name, shape)

    def _untimed(self, v: Value) -> Operand:
        """A value without time."""
        if v not in self.seen:
            self.seen[v] = self._look(v)
        return self.seen[v]

    def _look(self, v: Value) -> Operand:
        shape = self._sizes(v.shape)
        if v.op is Leaf.constant:
            value = v.attrs["value"]
            if type(value) in (bool, int, float):
                return Number(repr(value), f"weak {type(value).__name__}")
            code = self.source.refer(value, v.name or "c")
            self.constants.add(code)
            return self._lasting(self._array(code, v.dtype, shape))
        if isinstance(v.op, Leaf):
            code = self.source.names[v]
            return self._lasting(self._array(code, v.dtype, shape, code))
        if v.op in (Time.over, Time.at):
            (h,) = v.inputs
            if h.op is Time.each:
                found = self._untimed(h.inputs[0])
                if isinstance(found, Number):
                    raise UnsayableError("a number at every step")
                return found.broadcast(shape) if v.op is Time.over else found
            if v.op is Time.over:
                return self._over(h, h.span)
            return self._step(h, count(v.attrs["step"], self.lengths))
        if is_view(v) and v not in self.held:
            seen = self._as_view(v)
            if seen is not None:
                return seen
        code = self.source.name(v)
        foreign = "" if v in self.held else code
        return self._lasting(self._array(code, np.dtype(v.dtype).name, shape, foreign))

    def _as_view(self, v: Value) -> View | None:
        """What a view makes of an array; None where it needs a copy, NumPy's."""
        found = self._untimed(v.inputs[0])
        try:
            return self._viewed(found, v, []) if isinstance(found, View) else None
        except UnsayableError:
            return None

    def _lasting(self, x: View) -> View:
        self.lasting.add(x.array)
        return x

    def _viewed(self, x: View, v: Value, front: list[Size]) -> View:
        """What a view makes of an array, whose axes in ``front`` stay."""
        attrs, shape, n = v.attrs, [*front, *self._sizes(v.shape)], len(front)
        if v.op is O.getitem:
            key = attrs["key"] if isinstance(attrs["key"], tuple) else (attrs["key"],)
            return x.key((*[slice(None)] * n, *key))
        if v.op is O.broadcast_to:
            return x.widened(n, len(shape) - len(x.shape)).broadcast(shape)
        if v.op in (O.transpose, O.swapaxes):
            axes = list(range(len(v.shape)))
            if v.op is O.swapaxes:
                a, b = attrs["axis1"], attrs["axis2"]
                axes[a], axes[b] = axes[b], axes[a]
            else:
                axes = [a % len(axes) for a in attrs.get("axes") or axes[::-1]]
            return x.transposed([*range(n), *[a + n for a in axes]])
        return x.reshaped(shape)

    def _placed(self, place: Place, t: Size | Steps | None) -> View:
        """A place at a step, or on some steps; None where it has one step alone."""
        x, front = self._buffer(place.buffer), list[Size]()
        steps = place.buffer.steps
        if steps is not None:
            assert t is not None
            first = count(steps.first, self.lengths) + place.delay
            start = count(t.first, self.lengths) if isinstance(t, Steps) else t
            offset = x.offset + x.strides[0] * (start - first)
            x = replace(x, offset=offset)
            if isinstance(t, Steps):
                front = [count(t.number, self.lengths)]
            x = replace(x, shape=(*front, *x.shape[1:]), strides=x.strides[not front :])
        for v in place.views:
            x = self._viewed(x, v, front)
        return x

    def _over(self, h: Value, steps: Steps) -> View:
        return self._placed(self.plan.places[h], steps)

    def _step(self, h: Value, t: Size) -> View:
        return self._placed(self.plan.places[h], t)

    def _at(self, i: Value, when: Steps | Size) -> Operand:
        """An operand at a step or on some; an untimed one as it is."""
        if i.op is Time.each:
            return self._untimed(i.inputs[0])
        return self._placed(self.plan.places[i], when)
