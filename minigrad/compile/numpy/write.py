"""The text of a plan: two functions, ``workspace`` and ``run``, that read well.

Values without time are written here, a line each; ``batch`` writes timed ones for all
of their steps at once, ``loop`` those that run a step at a time.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.compile.kinds import PRODUCTS, O, is_ufunc
from minigrad.compile.memory import Fill, Place, Plan
from minigrad.compile.numpy import table
from minigrad.compile.numpy.abilities import ABLE
from minigrad.compile.numpy.batch import Batch
from minigrad.compile.numpy.loop import Range
from minigrad.compile.numpy.source import Source
from minigrad.compile.schedule import Loop, Part
from minigrad.compile.values import Leaf, Time, Value


class Workspace:
    """Buffers and views of them, made once for a length."""


class Writing:
    """The text of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.program = plan, plan.program
        self.lengths = [f"T{i or ''}" for i in range(len(self.program.clocks))]
        self.source = Source(plan, self.lengths)
        self.run = self.source.run
        self.batch = Batch(self.source)
        # How many read a value, and the values that are arrays made by a line, of
        # which there is no view before they are read.
        self.reads = Counter(i for v in self.program.values for i in {*v.inputs})
        self.reads.update([*self.program.outputs, *self.program.states.values()])
        self.alone: set[Value] = set()
        self.by_steps = {
            i.inputs[0] for v in self.program.values for i in v.inputs
            if i.op is Time.each
        }  # fmt: skip

    def text(self) -> tuple[str, dict[str, Any]]:
        """The source, and the names that it refers to."""
        s = self.source
        leaves = [*self.program.parameters.values(), *self.program.arguments.values()]
        for leaf in leaves:
            s.names[leaf] = s.fresh((leaf.name or "p").partition("@")[0])
        for i, part in enumerate(self.plan.parts):
            self.part(part, self.plan.fills.get(i, ()))
        self.ended()
        results = "".join(
            f"{self._result(o, i)}, " for i, o in enumerate(self.program.outputs)
        )
        names = ", ".join(["w", *self.lengths, *(s.names[leaf] for leaf in leaves)])
        allocation = ["w = Workspace()", *s.workspace]
        s.namespace["Workspace"] = Workspace
        text = _function("workspace", ", ".join(self.lengths), allocation, "w")
        text += "\n\n" + _function("run", names, self.run, f"({results.rstrip()})")
        used = sorted(n for n in UFUNCS if f"{n}(" in text)
        s.namespace |= {n: getattr(np, n) for n in used}
        head = f"from numpy import {', '.join(used)}\n\n\n" if used else ""
        return head + text, s.namespace

    def part(self, part: Part, fills: Iterable[Fill]) -> None:
        """The lines of a part, after initial states that it reads."""
        for fill in fills:
            self._fill(fill)
        if isinstance(part, Loop):
            Range(self.batch, part).write()
        elif part.steps is not None:
            self.batch.write(part)
        else:
            self._straight(part)

    def ended(self) -> None:
        """All parts are written."""

    def _fill(self, fill: Fill) -> None:
        s, value = self.source, self.source.untimed(fill.value)
        if fill.step is None:
            self.run.append(f"{s.buffer(fill.buffer)}[...] = {value}")
        else:
            entry = s.element(Place(fill.buffer), fill.step)
            self.run.append(f"{entry}[...] = {value}")

    # Values without time.

    def _straight(self, v: Value) -> None:
        s = self.source
        if isinstance(v.op, Leaf):
            return
        if v.op is Time.over or v.op is Time.at:
            if v.inputs[0] not in self.plan.places:
                self._of_each(v)
            return
        if v.op is Time.total:
            self._total(v)
            return
        codes = [s.untimed(i) for i in v.inputs]
        dtype = v.inputs[0].dtype if v.inputs else ""
        code = table.expression(v.call, v.attrs, codes, s.literal, dtype)
        over = self._last_read(v)
        if over is not None:
            (code,) = table.written(v.call, v.attrs, codes, s.name(over), s.literal)
        of_rows = v.op is O.reshape and codes[0] in s.solid
        if of_rows or (v.op is O.transpose and codes[0].startswith("w.")):
            # A view of what the workspace has is made with it.
            s.names[v] = s.keep(v.op.name, code)
            s.solid |= {s.names[v]} if of_rows else set()
            return
        if v.op in PRODUCTS and [len(i.shape) for i in v.inputs] == [2, 2]:
            code = f"np.dot({', '.join(codes)})"  # costs half of what matmul does
            self.alone.add(v)
        elif v.shape and (is_ufunc(v.op) or v.op is O.astype):
            self.alone.add(v)
        if v.op is O.transpose and v in self.by_steps and len(v.shape) == 2:
            # A transposed view costs twice in every product: it is copied once.
            code = f"np.ascontiguousarray({code})"
        self.run.append(f"{s.name(v)} = {code}")

    def _last_read(self, v: Value) -> Value | None:
        """An operand that v may be written over, since it is read for the last time."""
        if not is_ufunc(v.op):
            return None
        alike = [i for i in v.inputs if (i.shape, i.dtype) == (v.shape, v.dtype)]
        dying = [i for i in alike if i in self.alone and self.reads[i] == 1]
        return dying[0] if dying else None

    def _of_each(self, v: Value) -> None:
        """All steps, or one, of what is the same at every step."""
        s = self.source
        code = s.untimed(v.inputs[0].inputs[0])
        if v.op is Time.over:
            shape = ", ".join(s.literal(n) for n in v.shape)
            code = f"np.broadcast_to({code}, ({shape},))"
        self.run.append(f"{s.name(v)} = {code}")

    def _total(self, v: Value) -> None:
        s, (h,) = self.source, v.inputs
        if h.op is Time.each:
            code = f"np.multiply({s.untimed(h.inputs[0])}, {s.count(h.span)})"
            if np.dtype(v.dtype).kind not in "f":
                code = f"{code}.astype('{v.dtype}')"
        else:
            array = s.window(self.plan.places[h], h.span)
            dtype = "" if np.dtype(v.dtype).kind == "f" else f", dtype='{v.dtype}'"
            code = f"np.add.reduce({array}, axis=0{dtype})"
        self.run.append(f"{s.name(v)} = {code}")

    def _result(self, v: Value, i: int) -> str:
        """An output as a fresh array."""
        code = self.source.untimed(v)
        first = v not in self.program.outputs[:i]
        known = isinstance(v.op, (Leaf, Time)) and v.op is not Time.total
        fresh = not known and ABLE.fresh(v) and first and v.shape
        return code if fresh else f"np.array({code})"


def _function(name: str, arguments: str, body: list[str], result: str) -> str:
    lines = "".join(f"    {line}\n" for line in body)
    return f"def {name}({arguments}):\n{lines}    return {result}\n"


UFUNCS = frozenset(n for n in dir(np) if isinstance(getattr(np, n), np.ufunc))
