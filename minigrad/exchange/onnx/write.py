"""The file of a recording: lines without time as nodes, each loop as one ``Scan``."""

from typing import Any

import numpy as np

from minigrad.compile.kinds import O
from minigrad.exchange.onnx.loop import Scan
from minigrad.exchange.onnx.nodes import LEAST, MOST, Nodes
from minigrad.exchange.onnx.places import Places
from minigrad.exchange.onnx.traces import ExportError, Line, Recording, Size, sizes_of
from minigrad.exchange.onnx.twins import Call, written
from minigrad.fold.moving_index import Ahead
from minigrad.fold.roles import Operand, Role, Source, Span
from minigrad.graph import same_value


class Writing(Places):
    """Writes a recording to ``n``; ``said`` is what the user has to know of it."""

    def __init__(self, recording: Recording, n: Nodes) -> None:
        super().__init__(recording)
        self.n = n
        self.names: dict[int, str] = {}  # outside of loops; of a loop over all steps
        self.picked: dict[tuple[int, Span], str] = {}
        self.said: list[str] = []
        self.scan: Scan | None = None  # in whose body nodes are written

    def write(self) -> list[str]:
        """Everything; the names of the outputs."""
        scans = self.scans()
        for level in range(max(self.levels.values(), default=0) + 1):
            for i in self.order:
                if self.places[i] is None and self.levels[i] == level:
                    self.names[i] = self._outside(i)
            for key in [k for k in scans if k[0] == level]:
                Scan(self, key, scans[key]).write()
        return [self.value(s) for operand in self.rec.outputs for s in operand]

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
        value, twin = line.number, role.value if other is None else other.value
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
        dims = self.n.vector(sizes_of(a.shape, b.shape))
        if np.all(a == one) and np.all(b == one):
            sizes = {Size(a.shape[k], b.shape[k]) for k in axes}
            if sizes - {s.both for s in self.rec.symbols if s.name == "batch"}:
                self.said.append(
                    f"{line.role.label} is made by f ({self._read_at(line)}): it is "
                    f"one value in all of {max(s.b for s in sizes)} rows, and is so in "
                    "the file at any number; pass it as an argument if it changes later"
                )
            value = self.n.constant(one, f"{stem}_value")
            return self.n.add("Expand", value, dims, out=self.n.fresh(stem))
        if axes != [0] or not np.array_equal(b[: len(a)], a):
            raise self._baked(line)
        self.said.append(
            f"{line.role.label} is made by f ({self._read_at(line)}): the file has its "
            f"first {len(b)} rows and takes no more; pass it as an argument for any "
            "number"
        )
        rows = self.n.vector([Size(len(a), len(b))])
        table = self.n.constant(b, f"{stem}_table")
        return self.n.add("Slice", table, self.n.integers(0), rows, self.n.integers(0))

    def _read_at(self, leaf: Line) -> str:
        """The user's line that reads a leaf first."""
        reads = [k for k, _ in enumerate(self.lines)
                 if any(s.role == leaf.role.index for s in self.reads(k))]  # fmt: skip
        return f"read at {self.lines[reads[0]].source}" if reads else "read nowhere"

    def _baked(self, line: Line) -> ExportError:
        return ExportError(
            f"{line.role.label} ({self._read_at(line)}) is an array or a number that f "
            "makes itself, and other at another size: pass it as an argument (random "
            "masks, too), or compute it with ops (x.mean(), not x.sum() / len(x))"
        )

    def value(self, s: Source) -> str:
        """What has no time, or one step of what has; in a loop that of this step."""
        if self.scan is not None and s.kind not in ("pick", "plain"):
            return self.scan.source(s)
        role = self.lines[s.role].role
        if s.kind != "pick" or s.at is None or not self.is_timed(s.role):
            return self.names[s.role]
        if (s.role, s.at) not in self.picked:
            self.picked[s.role, s.at] = self._picked(role, s.at)
        return self.picked[s.role, s.at]

    def _picked(self, role: Role, at: Span) -> str:
        """One step of what has an entry a step."""
        step, name = at.first, role.name
        index = self.n.number(step - 1 if step > 0 else step)
        if at.every > 1:  # the last one of these
            index = self._latest(at, self.rec.lengths[role.clock or 0])
        made = self.n.add("Gather", self.names[role.index], index, axis=0)
        when = {1: "first", -1: "last"}.get(step, "step")
        return self.n.renamed(made, f"{name}_{when}") if name else made

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
        xs, at = self.names[s.role], s.at or Span(1, -1)
        if not self.is_timed(s.role):
            role = self.lines[s.role].role
            number = self.n.vector([self.rec.lengths[role.clock or 0]])
            shape = self.n.add("Concat", number, self.n.add("Shape", xs), axis=0)
            xs = self.n.add("Expand", xs, shape)
        if at == Span(1, -1):
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
        at, zero = s.at or Span(1, -1), self.n.integers(0)
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
                pieces.append(self._every(operand, axis, stack))
                continue
            ones, first = map(self.value, operand), self.n.integers(0)
            pieces += [self.n.add("Unsqueeze", x, first) if stack else x for x in ones]
        x = pieces[0]
        if len(pieces) > 1:
            x = self.n.add("Concat", *pieces, axis=0 if stack else axis)
        if stack and axis:
            perm = [*range(1, rank)]
            perm.insert(axis, 0)
            x = self.n.add("Transpose", x, perm=perm)
        return self.named(i, x)

    def _every(self, operand: Operand, axis: int, stack: bool) -> str:
        """The steps that are gathered, stacked or end to end."""
        line = self.lines[operand[0].role]
        if len(operand) > 1:
            raise ExportError(
                f"{line.role.label} and others are joined in turn, one of each a step: "
                "join those of a step first, and then the steps"
            )
        x, dims = self.steps(operand[0]), line.sizes
        if stack:
            return x
        perm = [*range(1, len(dims) + 1)]
        perm.insert(axis, 0)
        x = self.n.add("Transpose", x, perm=perm) if axis else x
        whole = self.n.vector([*dims[:axis], -1, *dims[axis + 1 :]])
        return self.n.add("Reshape", x, whole)

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

    def called(self, i: int, xs: list[str], stem: str = "") -> str:
        """A line as nodes; the name of its result."""
        reads = self.lines[i].role.operands
        given = [
            x or self.lines[operand[0].role].number
            for x, operand in zip(xs, reads, strict=True)
        ]
        return self.named(i, written(self, self.call(i), given), stem)

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
