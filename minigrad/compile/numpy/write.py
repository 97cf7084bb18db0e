"""The text of a plan: two functions, ``workspace`` and ``run``, that read well.

Straight parts are single lines: of a timed value one operation over all of its steps.
Loops zip lists of views, so that nothing is indexed inside of them.
"""

from typing import Any

import numpy as np

from minigrad.compile import kernels
from minigrad.compile.kinds import PRODUCTS, O, batched, is_elementwise
from minigrad.compile.memory import Fill, Place, Plan
from minigrad.compile.numpy import table
from minigrad.compile.numpy.abilities import ABLE
from minigrad.compile.numpy.source import Source, identifier
from minigrad.compile.schedule import Loop
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
        self.by_steps = {
            i.inputs[0] for v in self.program.values for i in v.inputs
            if i.op is Time.each
        }  # fmt: skip

    def text(self) -> tuple[str, dict[str, Any]]:
        """The source, and the names that it refers to."""
        s = self.source
        leaves = [*self.program.parameters.values(), *self.program.arguments.values()]
        for leaf in leaves:
            bare = (leaf.name or "p").partition("@")[0]
            s.names[leaf] = identifier(bare, s.taken)
            s.taken.add(s.names[leaf])
        for i, part in enumerate(self.plan.parts):
            for fill in self.plan.fills.get(i, ()):
                self._fill(fill)
            if isinstance(part, Loop):
                self._loop(part)
            elif part.steps is not None:
                self._batch(part)
            else:
                self._straight(part)
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

    def _fill(self, fill: Fill) -> None:
        s, value = self.source, self.source.untimed(fill.value)
        if fill.buffer.bound:
            self.run.append(f"{s.buffer(fill.buffer)} = {value}")
        elif fill.step is None:
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
        if self._kept_view(v, codes):
            return
        dtype = v.inputs[0].dtype if v.inputs else ""
        code = table.expression(v.call, v.attrs, codes, s.literal, dtype)
        if v.op in PRODUCTS and [len(i.shape) for i in v.inputs] == [2, 2]:
            code = f"np.dot({', '.join(codes)})"  # costs half of what matmul does
        if v.op is kernels.column_sums:
            # A product with ones is several times faster than a sum over rows.
            code = f"np.dot({self._ones(v)}, {codes[0]})"
        if v.op is O.transpose and v in self.by_steps and len(v.shape) == 2:
            # A transposed view costs twice in every product: it is copied once.
            code = f"np.ascontiguousarray({code})"
        self.run.append(f"{s.name(v)} = {code}")

    def _kept_view(self, v: Value, codes: list[str]) -> bool:
        """A view of buffers alone is made with the workspace."""
        s = self.source
        if v.op not in (O.reshape, O.transpose) or codes[0] not in s.views_kept:
            return False
        made = s.keep(s.name(v), table.expression(v.call, v.attrs, codes, s.literal))
        if v.op is O.transpose or codes[0] in s.solid:
            s.names[v] = made
            s.views_kept.add(made)
            if v.op is O.reshape:
                s.solid.add(made)
        return made == s.names[v]

    def _ones(self, v: Value) -> str:
        rows = self._rows_of(v.inputs[0])
        return self.source.keep("ones", f"np.ones({rows}, '{v.dtype}')")

    def _rows_of(self, x: Value) -> str:
        """How many rows a matrix of all steps has."""
        (every,) = x.inputs
        sizes = [self.source.literal(n) for n in every.shape[:-1]]
        return " * ".join(f"({n})" if " " in n else n for n in sizes)

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

    # All steps at once.

    def _batch(self, v: Value) -> None:
        s = self.source
        place = self.plan.places.get(v)
        if place is None or v not in self.plan.roots:
            return
        if v.op is Time.read:
            if v.attrs["down"]:
                self._read_down(v)
        elif v.op is Time.splice:
            self._splice(v)
        elif v.op in PRODUCTS:
            self._product(v)
        elif v.op is O.concatenate and not place.buffer.bound:
            self._join(v, s.window(place, v.span))
        else:
            self._batch_call(v)

    def _array(self, v: Value) -> str:
        """An operand over all steps, or without time if it is the same at each."""
        if v.op is Time.each:
            return self.source.untimed(v.inputs[0])
        return self.source.window(self.plan.places[v], v.span)

    def _wide(self, v: Value) -> str:
        """An operand over all steps, even if it is the same at each."""
        if v.op is not Time.each:
            return self._array(v)
        shape = ", ".join([self.source.count(v.span), *map(str, v.shape)])
        return f"np.broadcast_to({self._array(v)}, ({shape},))"

    def _batch_call(self, v: Value) -> None:
        s, place = self.source, self.plan.places[v]
        if v.op is O.reshape:
            shape = ", ".join([s.count(v.span), *map(str, v.shape)])
            self.run.append(
                f"{s.name(v)} = {self._array(v.inputs[0])}.reshape({shape})"
            )
            return
        if v.op is O.broadcast_to:
            codes = self._aligned(v)
            shape = ", ".join([s.count(v.span), *map(str, v.shape)])
            self.run.append(f"{s.name(v)} = np.broadcast_to({codes[0]}, ({shape},))")
            return
        if v.op is O.embedding:
            self.run.append(
                f"{s.name(v)} = {self._array(v.inputs[0])}[{self._array(v.inputs[1])}]"
            )
            return
        form = batched(v.op, v.attrs, v.inputs[0].shape)
        assert form is not None
        op, attrs = form
        if is_elementwise(v.op):
            codes = self._aligned(v)
        elif v.op is kernels.gradient:
            codes = [self._wide(i) for i in v.inputs[:3]] + self._aligned(v)[3:]
        else:
            codes = [self._wide(i) for i in v.inputs]
        if place.buffer.bound:
            code = self._sum_of_rows(v, codes[0])
            if code is None:
                code = table.expression(op, attrs, codes, s.literal, v.inputs[0].dtype)
            self.run.append(f"{s.name(v)} = {code}")
        else:
            out = s.window(place, v.span)
            part = self.part(v, [s.count(v.span)])
            self.run += table.written(op, attrs, codes, out, s.literal, part)

    def part(self, v: Value, front: list[str]) -> str:
        """An array for what a sigmoid computes on its way; "" where it needs none."""
        if v.op is not O.sigmoid or v.dtype not in ("float32", "float64"):
            return ""
        shape = "".join(f"{n}, " for n in [*front, *v.shape]).rstrip()
        return self.source.keep("part", f"np.empty(({shape}), '{v.dtype}')")

    def _sum_of_rows(self, v: Value, code: str) -> str | None:
        """A sum along the last axis as a product with ones: several times faster."""
        s, (x, *_) = self.source, v.inputs
        along = v.op is O.sum and v.attrs.get("axis") in (-1, len(x.shape) - 1)
        if not along or v.dtype not in ("float32", "float64") or code not in s.solid:
            return None
        width = x.shape[-1]
        ones = s.keep("ones", f"np.ones({width}, '{v.dtype}')")
        shape = ", ".join([s.count(v.span), *map(str, v.shape)])
        return f"np.dot({s.rows(code, width)}, {ones}).reshape({shape})"

    def _aligned(self, v: Value) -> list[str]:
        """Operands with axes put in behind the time axis, so that they broadcast."""
        codes = []
        for i in v.inputs:
            code, missing = self._array(i), len(v.shape) - len(i.shape)
            if i.op is not Time.each and missing > 0:
                code = f"{code}[:{', None' * missing}]"
            codes.append(code)
        return codes

    def _product(self, v: Value) -> None:
        s = self.source
        (a, b), place = v.inputs, self.plan.places[v]
        codes = [self._array(a), self._array(b)]
        into = "" if place.buffer.bound else s.window(place, v.span)
        matrices = len(a.shape) == len(b.shape) == 2
        if matrices and a.op is not Time.each and b.op is Time.each and into in s.solid:
            left = s.rows(codes[0], a.shape[-1])
            self.run.append(f"np.dot({left}, {codes[1]}, {s.rows(into, v.shape[-1])})")
            return
        codes = [self._aligned_product(i, v) for i in (a, b)]
        line = f"np.matmul({codes[0]}, {codes[1]}"
        self.run.append(f"{line}, {into})" if into else f"{s.name(v)} = {line})")

    def _aligned_product(self, i: Value, v: Value) -> str:
        code, axes = self._array(i), max(len(x.shape) for x in v.inputs)
        missing = axes - len(i.shape)
        return (
            f"{code}[:{', None' * missing}]"
            if i.op is not Time.each and missing
            else code
        )

    def _read_down(self, v: Value) -> None:
        s, offset = self.source, v.attrs["offset"]
        end = self.plan.end(v.span.clock)
        low = end.minus(v.span.last).plus(offset)
        high = end.minus(v.span.first).plus(offset + 1)
        cut = f"{s.literal(low)}:{s.literal(high)}"
        self.run.append(f"{s.name(v)} = {s.untimed(v.inputs[0])}[{cut}][::-1]")

    def _splice(self, v: Value) -> None:
        """Parts copied one behind the other."""
        s, place = self.source, self.plan.places[v]
        for part in v.inputs:
            out = s.window(place, part.span)
            self.run.append(f"{out}[...] = {self._array(part)}")

    def _join(self, v: Value, out: str, loop: Loop | None = None) -> None:
        """Parts that were not written in their place are copied to it."""
        self.run += self._joined(
            v, out, [self._array(i) for i in v.inputs], (slice(None),)
        )

    def _joined(
        self, v: Value, out: str, codes: list[str], front: tuple[Any, ...]
    ) -> list[str]:
        axis, start, lines = v.attrs.get("axis", 0) % len(v.shape), 0, []
        for i, code in zip(v.inputs, codes, strict=True):
            width = i.shape[axis]
            assert isinstance(width, int)
            key = (*front, *[slice(None)] * axis, slice(start, start + width))
            start += width
            view = self.plan.placed.get(i)
            if (
                view is None
                or view.inputs[0] is not v
                or view.attrs["key"] != key[len(front) :]
            ):
                lines.append(f"{out}[{table.index(key, self.source.literal)}] = {code}")
        return lines

    # Loops.

    def _loop(self, loop: Loop) -> None:
        _Range(self, loop).write()


class _Range:
    """The loop over one range of steps, or its body alone where that is one step."""

    def __init__(self, writing: Writing, loop: Loop) -> None:
        self.writing, self.loop, self.plan = writing, loop, writing.plan
        self.source = writing.source
        self.single = loop.steps.first == loop.steps.last
        self.lists: dict[str, str] = {}  # a list -> the variable that runs over it

    def write(self) -> None:
        """Write the loop; its variables are the entries of the lists that it needs."""
        s, steps, lines = self.source, self.loop.steps, list[str]()
        s.clock = steps.clock
        for v in self.loop.body:
            lines += self._line(v) if v in self.plan.roots else []
        first, last = s.literal(steps.first), s.literal(steps.last.plus(1))
        if any(_has_t(line) for line in lines):
            if self.single:
                lines.insert(0, f"t = {first}")
            else:
                back = "[::-1]" if self.loop.direction < 0 else ""
                self.lists[f"range({first}, {last}){back}"] = "t"
        if self.single:
            self.writing.run += lines
            return
        if not self.lists:
            self.lists[f"range({first}, {last})"] = "_"
        sequences = ", ".join(self.lists)
        sequences = f"zip({sequences})" if len(self.lists) > 1 else sequences
        self.writing.run.append(f"for {', '.join(self.lists.values())} in {sequences}:")
        self.writing.run += [f"    {line}" for line in lines]

    def _line(self, v: Value) -> list[str]:
        s, place = self.source, self.plan.places[v]
        codes = [self._operand(i) for i in self.loop.operands(v)]
        if place.buffer.steps is None and place.buffer.bound:
            dtype = v.inputs[0].dtype if v.inputs else ""
            code = table.expression(v.call, v.attrs, codes, s.literal, dtype)
            return [f"{s.name(v)} = {code}"]
        out = self._at(place, v)
        if v.op is Time.splice:
            return [f"{out}[...] = {codes[0]}"] if out != codes[0] else []
        if v.op is O.concatenate and v.attrs.get("axis", 0) is not None:
            return self.writing._joined(v, out, codes, ())
        if not ABLE.writes(v):
            return [
                f"{out}[...] = {table.expression(v.call, v.attrs, codes, s.literal)}"
            ]
        part = self.writing.part(v, [])
        return table.written(v.call, v.attrs, codes, out, s.literal, part)

    def _operand(self, i: Value) -> str:
        if i.op is Time.each:
            return self.source.untimed(i.inputs[0])
        return self._at(self.plan.places[i], i)

    def _at(self, place: Any, v: Value) -> str:
        """This step of a value: an entry of a list, an element, or what is at hand."""
        s = self.source
        if place.buffer.steps is None:
            return s.scratch(place)
        if self.single:
            return s.element(place, self.loop.steps.first)
        code = s.entries(place, self.loop.steps, self.loop.direction)
        if code not in self.lists:
            root = place.views[-1] if place.views else place.buffer.root
            when = "t" if not place.delay else "before" if place.delay > 0 else "after"
            stem = f"{root.name or v.name or v.op.name}_{when}"
            self.lists[code] = identifier(stem, s.taken | set(self.lists.values()))
        return self.lists[code]


def _has_t(code: str) -> bool:
    words = "".join(c if c.isalnum() or c == "_" else " " for c in code).split()
    return "t" in words


def _function(name: str, arguments: str, body: list[str], result: str) -> str:
    lines = "".join(f"    {line}\n" for line in body)
    return f"def {name}({arguments}):\n{lines}    return {result}\n"


UFUNCS = frozenset(n for n in dir(np) if isinstance(getattr(np, n), np.ufunc))
