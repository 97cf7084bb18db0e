"""One loop over time as a ``Scan``: its body has all its lines, at every step.

Where an operand is one thing at some steps and another at others the body chooses by
the number of the step; an initial state is where the ``Scan`` starts from. So a file is
right from one step on.

Vocabulary
    cell  h(t-1), h(t-2), ..: what a Scan hands from step to step
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.compile.kinds import O
from minigrad.exchange.onnx.nodes import Body, info
from minigrad.exchange.onnx.places import Key
from minigrad.exchange.onnx.traces import Size
from minigrad.fold.moving_index import Ahead
from minigrad.fold.roles import Operand, Source, Span
from minigrad.scope import LOOP

if TYPE_CHECKING:
    from minigrad.exchange.onnx.write import Writing


class Scan:
    """One loop: its body and what it reads and gives."""

    def __init__(self, outer: "Writing", key: Key, group: list[int]) -> None:
        self.w, self.n, self.key, self.group = outer, outer.n, key, group
        self.direction = key[2]
        self.length = outer.rec.lengths[outer.lines[group[0]].role.clock or 0]
        self.body = Body(self.n.fresh("loop" if self.direction > 0 else "loop_back"))
        self.now: dict[int, str] = {}
        self.depth: dict[int, int] = defaultdict(int)
        for i in group:
            for s in outer.reads(i):
                if s.delay and outer.places[s.role] == key and s.kind == "delay":
                    self.depth[s.role] = max(self.depth[s.role], abs(s.delay))
        self.cells = {
            (i, k): self.n.fresh(f"{self._stem(i)}_before{k if k > 1 else ''}")
            for i, depth in self.depth.items()
            for k in range(1, depth + 1)
        }
        self.starts: dict[tuple[int, int], Source] = {}
        self.known: dict[Any, str] = {}

    def _stem(self, i: int) -> str:
        role = self.w.lines[i].role
        return role.name or role.op.name

    def write(self) -> None:
        """Add the loop, and the names of what it gives."""
        w, body = self.w, self.body
        before, w.scan = w.scan, self
        with self.n.at(body.nodes):
            for i in self.group:
                self.now[i] = self._line(i)
        w.scan = before
        kept = [i for i in self.group if self._is_read(i)]
        for (i, k), cell in self.cells.items():
            body.inputs.insert(len(body.outputs), self._info(cell, i))
            code = self.now[i] if k == 1 else self.cells[i, k - 1]
            body.outputs.append(self._info(self._result(code), i))
        body.outputs += [self._info(self._result(self.now[i]), i) for i in kept]
        if not body.sequences:
            self._step()
        starts = [self._start(*cell) for cell in self.cells]
        ends = [self.n.fresh(f"{self._stem(i)}_end") for i, _ in self.cells]
        for i in kept:
            w.names[i] = self.n.fresh(self._stem(i))
            self.n.kept |= {w.names[i]} if w.lines[i].role.name else set()
        self.n.scan(body, starts, [*ends, *(w.names[i] for i in kept)],
                    self.direction < 0)  # fmt: skip

    def _info(self, name: str, i: int) -> Any:
        a, b = self.w.lines[i].role.spec, self.w.lines[i].other.spec
        return info(name, a.dtype, self.w.rec.shape(a.shape, b.shape))

    def _result(self, code: str) -> str:
        """What a body gives is computed in it, and given once."""
        made = {name for node in self.body.nodes for name in node.output}
        if code in made - {given.name for given in self.body.outputs}:
            return code
        with self.n.at(self.body.nodes):
            return self.n.add("Identity", code, out=self.n.fresh(f"{code}_now"))

    def _is_read(self, i: int) -> bool:
        """Whether a line is read outside of its loop, or all steps of it are."""
        for k in range(len(self.w.lines)):
            if self.w.places[k] == self.key:
                if any(s.role == i and s.kind != "delay" for s in self.w.reads(k)):
                    return True
            elif any(s.role == i for s in self.w.reads(k)):
                return True
        return any(s.role == i for o in self.w.rec.outputs for s in o)

    def _start(self, i: int, k: int) -> str:
        """What a cell is before the first step; zeros where no step reads it."""
        if (i, k) in self.starts:
            return self.w.value(self.starts[i, k])
        line = self.w.lines[i]
        zero = self.n.constant(np.zeros((), line.role.spec.dtype))
        return self.n.add("Expand", zero, self.n.vector(line.sizes))

    # The number of the step.

    def _step(self) -> str:
        """t, a whole number from 1 on."""
        if "t" not in self.known:
            with self.n.at(self.n.outer):
                ends = (1, _plus(self.length, 1), 1)
                every = self.n.add("Range", *map(self.n.number, ends))
            self.known["t"] = self._given(every, "t", "int64", ())
        return self.known["t"]

    def _given(self, xs: str, stem: str, dtype: str, shape: Iterable[Any]) -> str:
        """The entry at this step of what has one a step."""
        if xs not in self.body.sequences:
            name = self.n.fresh(stem)
            self.body.sequences[xs] = name
            self.body.inputs.append(info(name, dtype, [*shape]))
        return self.body.sequences[xs]

    def ahead(self, n: Ahead) -> str:
        """t + k, or T - t + k."""
        if n not in self.known:
            end = self.n.number(self.length)
            t = self._step()
            t = self.n.add("Sub", end, t) if n.from_end else t
            self.known[n] = self.n.add("Add", t, self.n.number(n.k)) if n.k else t
        return self.known[n]

    def _is_at(self, span: Span) -> str:
        """Whether this step is one of a span."""
        if span not in self.known:
            tests = []
            if span.first != 1:
                tests.append(("GreaterOrEqual", span.first))
            if span.last != -1:
                tests.append(("LessOrEqual", span.last))
            found = [
                self.n.add(test, self._step(), self.n.number(self._at(end)))
                for test, end in tests
            ]
            if span.every > 1:
                first = self.n.number(self._at(span.last if span.down else span.first))
                past = self.n.add("Sub", self._step(), first)
                rest = self.n.add("Mod", past, self.n.number(span.every))
                found.append(self.n.add("Equal", rest, self.n.number(0)))
            made = found[0]
            for more in found[1:]:
                made = self.n.add("And", made, more)
            self.known[span] = made
        return self.known[span]

    def _at(self, end: int) -> int | Size:
        return end if end > 0 else _plus(self.length, end + 1)

    # What a line reads.

    def _line(self, i: int) -> str:
        role = self.w.lines[i].role
        if any(s.kind == "gather" for s in self.w.reads(i)):
            return self.w.joined(i)
        begins = self._begins(i)
        xs = [self._operand(tuple(s for s in o if s != begins)) for o in role.operands]
        if role.op is O.step:
            inner = [part for part in role.path if part[0] == LOOP]
            return self.n.add("Gather", xs[0], self.n.number(inner[-1][2] - 1), axis=0)
        made = self.w.called(i, xs, stem=f"{self._stem(i)}_t")
        if begins is None or begins.span is None:
            return made
        before = begins.span.first - self.direction
        here = self._is_at(Span(before, before))
        first = self.source(begins._replace(delay=0))
        return self.n.add("Where", here, first, made)

    def _begins(self, i: int) -> Source | None:
        """Of a running sum, that begins at step 2, what it is at step 1."""
        for operand in self.w.lines[i].role.operands:
            past = [s for s in operand if s.role == i and s.delay == self.direction]
            rest = [s for s in operand if s not in past]
            if len(past) != 1 or len(rest) != 1 or rest[0].delay != self.direction:
                continue
            (s,), span = rest, self.w.lines[i].role.span
            known = s.role in self.now or self.w.places[s.role] != self.key
            end = (span.first if self.direction > 0 else span.last) if span else 0
            if known and s.span and s.span.first == s.span.last == end:
                return s
        return None

    def _operand(self, operand: Operand) -> str:
        """What a line reads at this step: one source, or the one that holds."""
        if len(operand) > 1 and self._starts_with(operand):
            operand = tuple(s for s in operand if s.delay)
        if len(operand) == 1:
            return self.source(operand[0])
        dtype = self.w.dtype(operand)
        code = self._as(operand[-1], dtype)
        for s in operand[:-1][::-1]:
            here = self._is_at(s.span or Span(1, -1))
            code = self.n.add("Where", here, self._as(s, dtype), code)
        return code

    def _as(self, s: Source, dtype: str) -> str:
        """A source in the dtype of all sources of an operand."""
        code, line = self.source(s), self.w.lines[s.role]
        if not code:
            return self.n.constant(np.asarray(line.number, dtype))
        return code if line.role.spec.dtype == dtype else self.n.cast(code, dtype)

    def _starts_with(self, operand: Operand) -> bool:
        """Whether all but one source are the cells of that before the first step."""
        past = [s for s in operand if s.kind == "delay" and s.delay]
        if len(past) != 1 or self.w.places[past[0].role] != self.key:
            return False
        (p,), line, found = past, self.w.lines[past[0].role], {}
        for s in [s for s in operand if s is not p]:
            start = self.w.lines[s.role]
            same = (start.sizes, start.role.spec.dtype) == (
                line.sizes, line.role.spec.dtype
            )  # fmt: skip
            if s.span is None or s.kind not in ("pick", "broadcast") or not same:
                return False
            ends = (s.span.first, s.span.last)[:: self.direction]
            first, last = (e * self.direction for e in ends)
            if not 1 <= first <= last <= abs(p.delay or 0):
                return False
            for t in range(first, last + 1):
                found[p.role, abs(p.delay or 0) - t + 1] = s._replace(span=None)
        if len(found) != abs(p.delay or 0) or any(
            self.starts.get(cell, start) != start for cell, start in found.items()
        ):
            return False
        self.starts |= found
        return True

    def source(self, s: Source) -> str:
        """What a source is at this step."""
        w, i = self.w, s.role
        line = w.lines[i]
        dtype, shape = line.role.spec.dtype, [None] * len(line.role.spec.shape)
        if s.kind == "pick":
            with self.n.at(self.n.outer):
                return w.value(s)
        if w.places[i] == self.key:
            return self.cells[i, abs(s.delay)] if s.delay else self.now[i]
        if not w.is_timed(i):
            return w.names[i]
        if not s.delay:
            stem = f"{line.role.name or w.names[i]}_t"
            return self._given(w.names[i], stem, dtype, shape)
        step = self.ahead(Ahead(-1 - s.delay))  # where it is none, nobody reads it
        last = self.n.number(_plus(self.length, -1))
        near = self.n.add("Max", self.n.add("Min", step, last), self.n.number(0))
        return self.n.add("Gather", w.names[i], near, axis=0)


def _plus(n: int | Size, b: int) -> int | Size:
    return Size(n.a + b, n.b + b) if isinstance(n, Size) else n + b
