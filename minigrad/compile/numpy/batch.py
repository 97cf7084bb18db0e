"""The lines of a timed value for all of its steps at once.

An operation over an array whose first axis is time: what acts along an axis has it
moved by one, what broadcasts gets axes behind the first, and a product of matrices is
one product of all rows.
"""

from typing import Any

from minigrad.compile import kernels
from minigrad.compile.kinds import PRODUCTS, O, is_elementwise
from minigrad.compile.numpy import table
from minigrad.compile.numpy.source import Source
from minigrad.compile.values import Time, Value


class Batch:
    """Writes lines to a source."""

    def __init__(self, source: Source) -> None:
        self.source, self.plan, self.run = source, source.plan, source.run

    def write(self, v: Value) -> None:
        """The line of a value, or the few lines."""
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
            codes = [self._array(i) for i in v.inputs]
            out = s.window(place, v.span)
            self.run += self.joined(v, out, codes, (slice(None),))
        else:
            self._call(v)

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

    def _call(self, v: Value) -> None:
        s, place = self.source, self.plan.places[v]
        form = table.over_steps(v, v.span.number)
        op, attrs = form or (v.call, v.attrs)
        if is_elementwise(v.op) or v.op is O.broadcast_to:
            codes = self._aligned(v)
        elif v.op is O.embedding:
            codes = [self._array(i) for i in v.inputs]
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
        if width == 0:
            return None
        ones = s.keep("ones", f"np.ones({width}, '{v.dtype}')")
        shape = ", ".join([s.count(v.span), *map(str, v.shape)])
        return f"np.dot({s.rows(code, width)}, {ones}).reshape({shape})"

    def _aligned(self, v: Value) -> list[str]:
        """Operands with axes put in behind the time axis, so that they broadcast."""
        return [self._behind_time(i, len(v.shape)) for i in v.inputs]

    def _behind_time(self, i: Value, axes: int) -> str:
        missing = 0 if i.op is Time.each else axes - len(i.shape)
        return table.behind_time(self._array(i), missing)

    def _product(self, v: Value) -> None:
        s = self.source
        (a, b), place = v.inputs, self.plan.places[v]
        codes = [self._array(a), self._array(b)]
        into = "" if place.buffer.bound else s.window(place, v.span)
        matrices = len(a.shape) == len(b.shape) == 2 and 0 not in b.shape
        if matrices and a.op is not Time.each and b.op is Time.each and into in s.solid:
            left = s.rows(codes[0], a.shape[-1])
            self.run.append(f"np.dot({left}, {codes[1]}, {s.rows(into, v.shape[-1])})")
            return
        axes = max(len(a.shape), len(b.shape))
        codes = [self._behind_time(i, axes) for i in (a, b)]
        line = f"np.matmul({codes[0]}, {codes[1]}"
        self.run.append(f"{line}, {into})" if into else f"{s.name(v)} = {line})")

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

    def joined(
        self, v: Value, out: str, codes: list[str], front: tuple[Any, ...]
    ) -> list[str]:
        """The lines that copy parts of a concatenation; ``front`` is a key of steps."""
        index, literal = table.index, self.source.literal
        return [
            f"{out}[{index((*front, *key), literal)}] = {codes[i]}"
            for i, key in self.plan.copied(v)
        ]
