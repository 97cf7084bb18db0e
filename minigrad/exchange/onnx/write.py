"""The file of a recording: lines without time as nodes, each loop as one ``Scan``.

A loop's body has all its lines at every step. Where an operand is one thing at some
steps and another at others the body chooses by the number of the step; an initial state
is where the ``Scan`` starts from. So a file is right from one step on.

Vocabulary
    sequence  what has an entry a step and is not computed in the loop: x(t)
    still     a line of a loop that reads nothing with time: it stands outside
    level     how many loops have to be done before; a ``Scan`` is the lines of one
              level, clock and direction
    cell      h(t-1), h(t-2), ..: what a ``Scan`` hands from step to step
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import numpy as np

from minigrad.compile.connected import strongly_connected
from minigrad.compile.kinds import O
from minigrad.exchange.onnx.nodes import LEAST, MOST, Body, Nodes, info
from minigrad.exchange.onnx.traces import (
    ExportError,
    Line,
    Recording,
    Size,
    loops,
    sizes,
)
from minigrad.exchange.onnx.twins import Call, written
from minigrad.fold.moving_index import Ahead, contains
from minigrad.fold.roles import Operand, Source, Span
from minigrad.graph import same_value
from minigrad.scope import LOOP

WHOLE = Span(1, -1)
Key = tuple[int, Any, int]  # level, loop, direction


def loop_of(line: Line) -> Any:
    """The user's loop that a line stands in: its path so far."""
    for k, part in enumerate(line.role.path):
        if part[0] == LOOP:
            return line.role.clock, line.role.path[: k + 1]
    return None


class Writing:
    """Writes a recording to ``n``."""

    def __init__(self, recording: Recording, n: Nodes) -> None:
        self.rec, self.n, self.lines = recording, n, recording.lines
        self.names: dict[int, str] = {}  # outside of loops; of a loop over all steps
        self.places: dict[int, Key | None] = {}
        self.levels: dict[int, int] = {}
        self.order = self._placed()
        self.said: list[str] = []
        self.scan: Scan | None = None

    def write(self) -> list[str]:
        """Everything; the names of the outputs."""
        scans: dict[Key, list[int]] = defaultdict(list)
        for i in self.order:
            key = self.places[i]
            if key is not None:
                scans[key].append(i)
        for level in range(max(self.levels.values(), default=0) + 1):
            for i in self.order:
                if self.places[i] is None and self.levels[i] == level:
                    self.names[i] = self._outside(i)
            for key in [k for k in scans if k[0] == level]:
                Scan(self, key, scans[key]).write()
        return [self.value(s) for operand in self.rec.outputs for s in operand]

    # Where each line stands.

    def reads(self, i: int) -> Iterator[Source]:
        """All that a line reads."""
        for operand in self.lines[i].role.operands:
            yield from operand

    def _placed(self) -> list[int]:
        """Lines in their order; sets levels and places."""
        number = range(len(self.lines))
        part = strongly_connected([[s.role for s in self.reads(i)] for i in number])
        order = sorted(number, key=part.__getitem__)
        ways: dict[Any, set[int]] = defaultdict(set)  # of each loop of the user's
        for i in number:
            ways[loop_of(self.lines[i])] |= {
                1 if s.delay > 0 else -1
                for s in self.reads(i)
                if s.delay and part[s.role] == part[i]
            }
        groups = [[*members] for _, members in groupby(order, part.__getitem__)]
        for group in groups:
            loop = loop_of(self.lines[group[0]])
            key = None
            if len(group) > 1 or not self._is_outside(group[0]):
                key = (loop, min(ways[loop], default=1))
            if len(ways[loop]) > 1 or (len(group) > 1 and not ways[loop]):
                label = self.lines[group[0]].role.label
                raise ExportError(f"{label} depends on earlier and on later steps")
            level = max([self._after(s, key) for s in self._outer(group)], default=0)
            for i in group:
                self.levels[i], self.places[i] = level, key and (level, *key)
        self._wait(groups)
        return order

    def _wait(self, groups: list[list[int]]) -> None:
        """Let lines wait for those of their loop, where nobody needs them before."""
        last: dict[Any, int] = defaultdict(int)
        limits: dict[int, int] = {}
        for key in [k for k in self.places.values() if k]:
            last[key[1:]] = max(last[key[1:]], key[0])
        for group in groups[::-1]:
            key = self.places[group[0]]
            if key is not None:
                here = key[1:]
                level = min([last[here], *(limits[i] for i in group if i in limits)])
                for i in group:
                    self.levels[i], self.places[i] = level, (level, *here)
            for s in self._outer(group):
                read, level = self.places[s.role], self.levels[group[0]]
                if read is not None:
                    same = key is not None and self._after(s, key[1:]) == read[0]
                    most = level - (not same)
                    limits[s.role] = min(limits.get(s.role, most), most)

    def _outer(self, group: list[int]) -> Iterator[Source]:
        """What lines that depend on one another read of others."""
        return (s for i in group for s in self.reads(i) if s.role not in group)

    def _after(self, s: Source, here: tuple[Any, int] | None) -> int:
        """How many loops are done before a source can be read in a loop, or outside."""
        key = self.places[s.role]
        if key is None:
            return self.levels[s.role]
        same = key[1:] == here and s.kind == "delay" and (s.delay or 0) * key[2] >= 0
        return key[0] + (not same)

    def _is_outside(self, i: int) -> bool:
        """Whether a line has no time, or is a sequence, or is still."""
        role = self.lines[i].role
        if role.clock is None or role.op is None:
            return True
        if role.op is O.step and loops(role.path) == 1:
            return self.lines[role.operands[0][0].role].role.clock is None
        still = not contains(self.lines[i].attrs, Ahead) and role.op is not O.step
        alone = all(len(o) == 1 and o[0].kind != "gather" for o in role.operands)
        return still and alone and all(
            self.places[s.role] is None and not self.is_sequence(s.role)
            and s.kind != "pick" for s in self.reads(i)
        )  # fmt: skip

    def is_sequence(self, i: int) -> bool:
        """Whether a line outside has an entry a step."""
        role = self.lines[i].role
        if role.clock is None or self.places[i] is not None:
            return False
        return role.op is O.step

    # Lines outside of loops.

    def _outside(self, i: int) -> str:
        line = self.lines[i]
        try:
            return self._made(i, line)
        except ExportError as error:
            error.add_note(f"in {line.role.label}, at {line.source}")
            raise

    def _made(self, i: int, line: Line) -> str:
        role = line.role
        if role.op is None:
            return self._leaf(line)
        if role.op is O.step and role.clock is not None:
            return self._rows(self.names[role.operands[0][0].role], line)
        if any(s.kind == "gather" for s in self.reads(i)):
            return self.joined(i)
        return self.called(i, [self.value(o[0]) for o in role.operands])

    def _rows(self, xs: str, line: Line) -> str:
        """The rows of a sequence that a loop reads: as many as it has steps."""
        at = self.lines[line.role.operands[0][0].role]
        rows = at.sizes[0]
        length = self.rec.lengths[line.role.clock or 0]
        if rows == length:
            return xs
        ends = [self.n.vector([k]) for k in (0, length, 0)]
        return self.n.add("Slice", xs, *ends)

    def _leaf(self, line: Line) -> str:
        role, leaf, other = line.role, line.role.leaf, line.other.leaf
        if leaf in self.rec.names:
            return self.rec.names[leaf]
        known = leaf is not None and other is not None
        value = leaf.value if known else role.value
        twin = other.value if known else line.other.value
        stem = role.name or "constant"
        if line.is_number and same_value(value, twin):
            return ""  # a Python number is written in the dtype of who reads it
        a, b = np.asarray(value), np.asarray(twin)
        if same_value(a, b):
            return self.n.constant(a, stem, role.kind == "parameter")
        if a.ndim != b.ndim or a.dtype != b.dtype or a.shape == b.shape:
            raise self._baked(line)
        return self._grown(line, a, b, stem)

    def _grown(self, line: Line, a: Any, b: Any, stem: str) -> str:
        """An array that f makes as large as an argument."""
        axes = [k for k in range(a.ndim) if a.shape[k] != b.shape[k]]
        one = a[tuple([slice(0, 1 if k in axes else None) for k in range(a.ndim)])]
        dims = self.n.vector(sizes(a.shape, b.shape))
        if np.all(a == one) and np.all(b == one):
            value = self.n.constant(one, f"{stem}_value")
            return self.n.add("Expand", value, dims, out=self.n.fresh(stem))
        if axes != [0] or not np.array_equal(b[: len(a)], a):
            raise self._baked(line)
        self.said.append(
            f"{line.role.label} is made by f (at {line.source}): the file has its first "
            f"{len(b)} rows and takes no more; pass it as an argument for any number"
        )
        rows = self.n.vector([Size(len(a), len(b))])
        table = self.n.constant(b, f"{stem}_table")
        return self.n.add("Slice", table, self.n.integers(0), rows, self.n.integers(0))

    def _baked(self, line: Line) -> ExportError:
        return ExportError(
            f"{line.role.label} (at {line.source}) is an array or a number that f makes "
            "itself, and other at another size: pass it as an argument (random masks, "
            "too), or compute it with ops (x.mean() in place of x.sum() / len(x))"
        )

    # What lines outside read.

    def value(self, s: Source) -> str:
        """What has no time, or one step of what has; in a loop that of this step."""
        if self.scan is not None and s.kind not in ("pick", "plain"):
            return self.scan.source(s)
        role = self.lines[s.role].role
        if s.kind != "pick" or s.at is None:
            return self.names[s.role]
        if self.places[s.role] is None and not self.is_sequence(s.role):
            return self.names[s.role]
        step = s.at.first
        index = self.n.number(step - 1 if step > 0 else step)
        if s.at.every > 1:  # the last one of these
            index = self._latest(s.at, self.rec.lengths[role.clock or 0])
        return self.n.add("Gather", self.names[s.role], index, axis=0)

    def _latest(self, span: Span, length: int | Size) -> str:
        """The row of the last step of a line that is at every k-th."""
        every, first = self.n.number(span.every), self.n.number(span.first)
        further = self.n.add("Sub", self.n.number(length), first)
        whole = self.n.add("Mul", self.n.add("Div", further, every), every)
        return self.n.add("Add", whole, self.n.number(span.first - 1))

    def steps(self, s: Source) -> str:
        """The steps of a line that are gathered, along the first axis."""
        if s.delay is not None:
            return self._so_far(s)
        xs, at = self.names[s.role], s.at or WHOLE
        if self.places[s.role] is None and not self.is_sequence(s.role):
            role = self.lines[s.role].role
            number = self.n.vector([self.rec.lengths[role.clock or 0]])
            shape = self.n.add("Concat", number, self.n.add("Shape", xs), axis=0)
            xs = self.n.add("Expand", xs, shape)
        if at == WHOLE:
            return xs
        if at.every > 1 and (at.first < 0 or at.down):
            raise ExportError(f"{self.lines[s.role].role.label} is read at steps {at}")
        start = at.first - 1 if at.first > 0 else at.first
        stop = MOST if at.last == -1 else at.last + (at.last < 0)
        if (start, stop, at.every) != (0, MOST, 1):
            ends = [self.n.integers(k) for k in (start, stop, 0, at.every)]
            xs = self.n.add("Slice", xs, *ends)
        return self.reversed(xs) if at.down else xs

    def _so_far(self, s: Source) -> str:
        """The steps up to this one, less a delay."""
        assert self.scan is not None
        at, zero = s.at or WHOLE, self.n.integers(0)
        if self.places[s.role] == self.scan.key:
            raise ExportError(
                f"{self.lines[s.role].role.label} depends on all that it was before, "
                "and a Scan of ONNX has states of one shape"
            )
        stop = self.n.add("Unsqueeze", self.number(Ahead(-(s.delay or 0))), zero)
        start = self.n.integers(at.first - 1)
        xs = self.n.add("Slice", self.names[s.role], start, stop, zero)
        return self.reversed(xs) if at.down else xs

    def reversed(self, xs: str) -> str:
        """Rows from the last one on."""
        ends = [self.n.integers(k) for k in (MOST, LEAST, 0, -1)]
        return self.n.add("Slice", xs, *ends)

    def total(self, operand: Operand) -> str:
        """The sum of what is read in turn."""
        terms = [
            self.n.add("ReduceSum", self.steps(s), self.n.integers(0), keepdims=0)
            if s.kind == "gather" else self.value(s)
            for s in operand
        ]  # fmt: skip
        return self.n.add("Sum", *terms) if len(terms) > 1 else terms[0]

    def joined(self, i: int) -> str:
        """stack, concatenate and add_n of many steps at once."""
        role, pieces = self.lines[i].role, list[str]()
        if role.op is O.add_n:
            return self.named(i, self.n.add("Sum", *map(self.total, role.operands)))
        axis, stack = role.attrs.get("axis", 0), role.op is O.stack
        if axis is None or role.op not in (O.stack, O.concatenate):
            raise self.call(i).refusal(
                "how many operands it has depends on T: write mg.stack(list) first"
            )
        rank = len(role.spec.shape)
        axis %= rank
        for operand in role.operands:
            if operand[0].kind == "gather":
                pieces.append(self._in_turn(operand, axis, stack))
            elif stack:
                lead = self.n.integers(0)
                pieces += [
                    self.n.add("Unsqueeze", self.value(s), lead) for s in operand
                ]
            else:
                pieces += map(self.value, operand)
        x = pieces[0]
        if len(pieces) > 1:
            x = self.n.add("Concat", *pieces, axis=0 if stack else axis)
        if stack and axis:
            perm = [*range(1, rank)]
            perm.insert(axis, 0)
            x = self.n.add("Transpose", x, perm=perm)
        return self.named(i, x)

    def _in_turn(self, operand: Operand, axis: int, stack: bool) -> str:
        """The steps that are gathered, stacked or end to end."""
        one, seqs = self.lines[operand[0].role], [*map(self.steps, operand)]
        if len(seqs) > 1:
            raise ExportError(
                f"{one.role.label} and others are joined in turn, one of each a step: "
                "join those of a step first, and then the steps"
            )
        (x,), dims = seqs, one.sizes
        if stack:
            return x
        perm = [*range(1, len(dims) + 1)]
        perm.insert(axis, 0)
        x = self.n.add("Transpose", x, perm=perm) if axis else x
        return self.n.add(
            "Reshape", x, self.n.vector([*dims[:axis], -1, *dims[axis + 1 :]])
        )

    # Calls.

    def call(self, i: int) -> Call:
        """A line as the call of an op."""
        line = self.lines[i]
        role = line.role
        first = [self.lines[o[-1].role].role for o in role.operands]
        scope = "/".join(str(p[0]) for p in role.path) or "none"
        return Call(
            role.op, line.attrs, role.spec.shape, role.spec.dtype,
            [r.spec.shape for r in first], [*map(self.dtype, role.operands)],
            f"in scope {scope}, at {line.source}",
        )  # fmt: skip

    def dtype(self, operand: Operand) -> str:
        """The dtype of an operand, that which holds the values of all its sources."""
        lines = [self.lines[s.role] for s in operand]
        arrays = [line for line in lines if not line.is_number]
        found = [line.role.spec.dtype for line in arrays]
        return str(np.result_type(*found)) if found else type(lines[0].number).__name__

    def called(self, i: int, xs: list[str], op: str = "", stem: str = "") -> str:
        """A line as nodes; the name of its result."""
        v, given = self.call(i), list[Any](xs)
        for k, operand in enumerate(self.lines[i].role.operands):
            if not xs[k]:
                given[k] = self.lines[operand[0].role].number
        made = self.n.add(op, *given) if op else written(self, v, given)
        return self.named(i, made, stem)

    def named(self, i: int, made: str, stem: str = "") -> str:
        """A result under the name that the user gave it."""
        name = self.lines[i].role.name
        return self.n.renamed(made, stem or name) if name else made

    def number(self, n: Any) -> str:
        """A whole number: of the program, of the sizes, or of the step."""
        if not isinstance(n, Ahead):
            return self.n.number(n)
        assert self.scan is not None, "a number that moves outside of a loop"
        return self.scan.ahead(n)


class Scan:
    """One loop: its body and what it reads and gives."""

    def __init__(self, outer: Writing, key: Key, group: list[int]) -> None:
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
        ends = [self.n.fresh(f"{self._stem(i)}_last") for i, _ in self.cells]
        for i in kept:
            w.names[i] = self.n.fresh(self._stem(i))
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
            here = self._is_at(s.span or WHOLE)
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
            same = (start.role.spec, start.other.spec) == (
                line.role.spec,
                line.other.spec,
            )
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
        w, i = self.w, s.role
        line = w.lines[i]
        dtype, shape = line.role.spec.dtype, [None] * len(line.role.spec.shape)
        if s.kind == "pick":
            with self.n.at(self.n.outer):
                return w.value(s)
        if w.places[i] == self.key:
            return self.cells[i, abs(s.delay)] if s.delay else self.now[i]
        if w.places[i] is None and not w.is_sequence(i):
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
