"""A proof, for some lengths, that every read of a plan sees what was written for it.

The plan is run with numbers in place of values: each element of each computed value
has a number of its own, and a view, a shift or a splice has those of what it looks at.
A buffer holds numbers too, so a read of a place either finds the numbers of the value
that it is for, or somebody has written over them. How the plan was made is not asked.

>>> import minigrad as mg
>>> from minigrad.compile.lift import lift
>>> from minigrad.compile.numpy.abilities import ABLE
>>> from minigrad.compile.numpy.engine import planned
>>> h = mg.tensor([[1.0]], name="h0")
>>> for t, x in mg.steps(mg.tensor(np.ones((3, 1, 1)), name="xs")):
...     h = mg.tanh(h + x)
>>> complaints(planned(lift(mg.fold(h))), (3,), ABLE)
[]
"""

from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np

from minigrad.compile.counts import shape_at
from minigrad.compile.kinds import O, is_view
from minigrad.compile.looks import Abilities
from minigrad.compile.memory import Buffer, Place, Plan
from minigrad.compile.schedule import Loop
from minigrad.compile.values import Leaf, Time, Value, compute
from tests.compile.interpret import Run


def complaints(plan: Plan, lengths: Sequence[int], abilities: Abilities) -> list[str]:
    """What is wrong with a plan at these lengths: reads of what is not there."""
    return _Proof(plan, tuple(lengths), abilities).run()


class _Numbers(Run):
    """What values are: fresh numbers, but for what looks at those of others."""

    fresh = count(1)

    def computed(self, v: Value, t: int | None, values: list[Any]) -> Any:
        looks = isinstance(v.op, Time) and v.op is not Time.total
        if looks or is_view(v) or (v.op is O.concatenate and t is not None):
            return super().computed(v, t, values)
        shape = shape_at(v.shape, self.lengths)
        return np.reshape([next(self.fresh) for _ in range(int(np.prod(shape)))], shape)


class _Proof:
    """One run of a plan: ``memory`` is what its buffers hold."""

    def __init__(self, plan: Plan, lengths: tuple[int, ...], able: Abilities) -> None:
        self.plan, self.lengths, self.able = plan, lengths, able
        self.numbers = _Numbers(plan.program, lengths, {})
        self.memory: dict[Buffer, Any] = {}
        self.found: list[str] = []

    def run(self) -> list[str]:
        for p, part in enumerate(self.plan.parts):
            for fill in self.plan.fills.get(p, ()):
                self.read(fill.value, None, "a fill")
                step = fill.step.at(self.lengths) if fill.step is not None else None
                filled = self.numbers.value((fill.value, None))
                self.cell(Place(fill.buffer), step)[...] = filled
            if isinstance(part, Loop):
                for t in part.steps.at(self.lengths)[:: part.direction]:
                    for v in part.body:
                        if v in self.plan.roots:
                            self.step(v, part.operands(v), t)
            elif part.op is Time.total:
                for t in part.inputs[0].span.at(self.lengths):
                    self.read(part.inputs[0], t, repr(part))
            elif part.steps is None and part.op not in (Time.over, Time.at):
                for i in part.inputs:
                    self.read(i, None, repr(part))
            elif part in self.plan.roots and not self.is_given(part):
                self.batch(part)
        for o in self.plan.program.outputs:
            self.read(o, None, "an output")
        return list(dict.fromkeys(self.found))

    def is_given(self, v: Value) -> bool:
        """Whether a value is read where an argument lies, and never written."""
        buffer = self.plan.places[v].buffer
        return v.op is Time.read and (buffer.source is not None or buffer.bound)

    # What is in memory.

    def cell(self, place: Place, t: int | None) -> Any:
        """The part of a buffer that a value has at a step."""
        buffer = place.buffer
        steps = buffer.steps
        if buffer not in self.memory:
            rows = () if steps is None else (len(steps.at(self.lengths)),)
            shape = rows + shape_at(buffer.shape, self.lengths)
            self.memory[buffer] = np.zeros(shape, int)
        array = self.memory[buffer]
        if steps is not None:
            row = (t or 0) - place.delay - steps.first.at(self.lengths)
            assert 0 <= row < len(array), f"{buffer.root!r} has no entry for step {t}"
            array = array[row, ...]
        for v in place.views:
            array = compute(v.call, [array], v.attrs)
        return array

    def read(self, v: Value, t: int | None, reader: str) -> None:
        """Look whether a value is still where it is read."""
        stack = [(v, t)]
        while stack:
            v, t = stack.pop()
            place = self.plan.places.get(v)
            if v.steps is None or place is None:
                stack += self.kept(v, t)
            elif place.buffer.source is not None:
                stack.append((place.buffer.source, None))
            elif place.buffer.bound:
                root = place.buffer.root
                back = None if t is None else t - place.delay
                if not self.able.fresh(root) and back in root.span.at(self.lengths):
                    stack += [(i, back) for i in root.inputs]
            elif not np.array_equal(self.cell(place, t), self.numbers.value((v, t))):
                self.found.append(f"{reader} reads {v!r} at {t}: it is not there")

    def kept(self, v: Value, t: int | None) -> list[tuple[Value, int | None]]:
        """What must be there for a value that has no buffer to be read."""
        match v.op:
            case Time.each:
                return [(v.inputs[0], None)]
            case Time.over:
                (h,) = v.inputs
                return [(h, s) for s in h.span.at(self.lengths)]
            case Time.at:
                return [(v.inputs[0], v.attrs["step"].at(self.lengths))]
            case Leaf():
                return []
        if v.steps is None and not self.able.fresh(v):
            return [(i, None) for i in v.inputs]
        return []

    # What runs.

    def step(self, v: Value, operands: Sequence[Value], t: int) -> None:
        for i in operands:
            self.read(i, t, repr(v))
        self.apart(v, operands, [t])
        self.write(v, t)

    def batch(self, v: Value) -> None:
        steps = v.span.at(self.lengths)
        place = self.plan.places[v]
        if v.op is Time.splice:
            for part in v.inputs:
                for t in part.span.at(self.lengths):
                    self.read(part, t, repr(v))
                for t in part.span.at(self.lengths):
                    self.cell(place, t)[...] = self.numbers.value((v, t))
            return
        for i in v.inputs:
            for t in steps:
                self.read(i, t if i.steps is not None else None, repr(v))
        if not place.buffer.bound:
            self.apart(v, v.inputs, list(steps))
            for t in steps:
                self.write(v, t)

    def write(self, v: Value, t: int) -> None:
        """Write a value; parts of a join that lie in their place are there already."""
        out = self.cell(self.plan.places[v], t)
        if v.op is not O.concatenate:
            out[...] = self.numbers.value((v, t))
            return
        for i, key in self.plan.copied(v):
            out[key] = self.numbers.value((v.inputs[i], t))
        self.read(v, t, repr(v))

    def apart(self, v: Value, operands: Sequence[Value], steps: list[int]) -> None:
        """What is not computed element by element is not written over what it reads."""
        if self.able.in_place(v) or v.op is Time.splice or v.op is O.concatenate:
            return
        out = self.plan.places[v]
        for i in operands:
            place = self.plan.places.get(i)
            if place is None or place.buffer is not out.buffer:
                continue
            pairs = [
                (self.cell(out, s), self.cell(place, t)) for s in steps for t in steps
            ]
            if any(np.shares_memory(a, b) for a, b in pairs):
                self.found.append(f"{v!r} is written over {i!r}, which it reads")
