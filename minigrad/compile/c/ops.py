"""How each op is written: as lines of a nest, as a product, as loops of its own."""

from collections.abc import Sequence
from dataclasses import replace

from minigrad.compile import kernels
from minigrad.compile.c.arrays import Arrays
from minigrad.compile.c.elements import FLOATS
from minigrad.compile.c.gathers import added, picked, picks_rows, pieces, zeros
from minigrad.compile.c.lines import (
    COPY,
    REDUCES,
    ROW_OPS,
    SHARE,
    SOFT,
    Line,
    Number,
    Operand,
    is_flat,
)
from minigrad.compile.c.nests import Nest
from minigrad.compile.c.products import matrices, pack, product
from minigrad.compile.c.reductions import counted, reduced
from minigrad.compile.c.sizes import Size, size
from minigrad.compile.c.sizes import product as number_of
from minigrad.compile.c.threads import ELEMENTS, Unit, worth
from minigrad.compile.c.views import UnsayableError, View
from minigrad.compile.kinds import ALONG, PRODUCTS, O
from minigrad.compile.memory import Plan
from minigrad.compile.schedule import Loop
from minigrad.compile.values import Time, Value
from minigrad.ops.reduction import axes_of

# Elements that a packed factor may have more than the factor: a vector a row.
VECTOR = {"float32": 16, "float64": 8}
DEEP = 128  # of products.h


class Ops(Arrays):
    """The lines of values; ``code`` has those that are written so far."""

    def __init__(self, plan: Plan, threads: int) -> None:
        super().__init__(plan)
        self.threads = threads
        self.code: list[Unit] = []
        self.before: list[Unit] | None = None  # what runs before the loop
        self.nest = Nest()
        self.panels: dict[View, str] = {}
        self.products: dict[str, str] = {}  # name -> function, one for each shape
        self.pads: dict[str, int] = {}
        self.readers = _readers(plan)

    def _add(self, line: Line) -> None:
        if not self.nest.accepts(line):
            self._end_nest()
            taken = self.nest.accepts(line)
            assert taken, "a nest of one line"

    def _copy(self, out: View, x: Operand) -> None:
        self._add(Line(None, COPY, {}, out, [x], [None]))

    def _end_nest(self) -> None:
        if self.nest.lines:
            values = self.nest.values
            split = self.threads > 1 and self.nest.divides
            split = split and worth(self.nest.work, ELEMENTS)
            lines = self.nest.text(
                self.names, lambda line: line.value is not None
                and self.readers.get(line.value, {None}) <= values, split,
            )  # fmt: skip
            self.code.append(Unit(lines, split))
        self.nest = Nest()

    def _lines(self, lines: list[str]) -> None:
        self._end_nest()
        self.code.append(Unit(lines))

    def _line(
        self, v: Value, operands: Sequence[Value], inputs: list[Operand], out: View,
        front: list[Size],
    ) -> None:  # fmt: skip
        """One value at a step, or with an axis of steps in ``front``."""
        op, attrs = v.op, v.attrs
        timed = [i.op is not Time.each and bool(front) for i in operands]
        if op in PRODUCTS:
            self._product(v, operands, inputs, out, front)
        elif op is kernels.share:
            many, few = (number_of(self._sizes(i.shape)) for i in v.inputs[::-1])
            given = [aligned(inputs[0], out.shape, timed[0], len(front))]
            share = {"many": many, "few": few}
            self._add(Line(v, SHARE, share, out, given, operands[:1]))
        elif picks_rows(v):
            self._lines(self._picks(v, inputs, out, front, timed))
        elif op in SOFT and self._axes(v) != [len(v.inputs[0].shape) - 1]:
            self._turned(v, inputs[0], out, front)
        elif is_flat(op):
            given = [
                aligned(i, out.shape, own, len(front))
                for i, own in zip(inputs, timed, strict=True)
            ]
            self._add(Line(v, op, attrs, out, given, operands))
        elif op in ROW_OPS and (op not in REDUCES or self._of_rows(v, inputs[0])):
            self._rows(v, operands, inputs, out, timed)
        elif op is kernels.number_kept:
            self._lines(counted(inputs[0], out, attrs, len(front)))
        elif (
            op is kernels.column_sums
            or op in REDUCES
            or op is O.min
            or (op is Time.total)
        ):
            self._lines(self._reduction(v, inputs[0], out, front))
        elif op in (O.concatenate, O.stack):
            self._join(v, inputs, out, front, timed)
        elif op is O.flip:
            self._flip(v, inputs[0], out, front)
        else:  # a view that needs a copy
            assert isinstance(inputs[0], View), repr(v)
            x = inputs[0]
            into = out
            if op is O.reshape or op in (O.squeeze, O.expand_dims):
                into = out.reshaped(x.shape)
            else:
                x = self._viewed(x, v, front)
            self._add(Line(v, COPY, {}, into, [x], [None]))

    def _of_rows(self, v: Value, x: Operand) -> bool:
        """Whether a reduction is along the last axis alone."""
        return self._axes(v) == [len(v.inputs[0].shape) - 1]

    def _axes(self, v: Value) -> list[int]:
        axis = v.attrs.get("axis", ALONG.get(v.op))
        return axes_of(axis, len(v.inputs[0].shape))

    def _turned(self, v: Value, x: Operand, out: View, front: list[Size]) -> None:
        """softmax and its like along an axis that is not the last one."""
        assert isinstance(x, View)
        (axis,) = self._axes(v)
        n = len(front)
        order = [*range(n + axis), *range(n + axis + 1, len(x.shape)), n + axis]
        if len(out.shape) == len(x.shape):
            out = out.transposed(order)
        line = Line(None, v.op, v.attrs, out, [x.transposed(order)], [None])
        self._add(line)

    def _picks(
        self, v: Value, inputs: list[Operand], out: View, front: list[Size],
        timed: list[bool],
    ) -> list[str]:  # fmt: skip
        views = [i for i in inputs if isinstance(i, View)]
        assert len(views) == len(inputs)
        if v.op is not O.scatter_n:
            x, index = views
            if front and not timed[1]:
                index = index.broadcast((*front, *index.shape))
            return picked(x, index, out, len(front), timed[0])
        lines = zeros(out)
        for piece, index in pieces(v, views):
            lines += added(out, index, piece)
        return lines

    def _rows(
        self, v: Value, operands: Sequence[Value], inputs: list[Operand], out: View,
        timed: list[bool],
    ) -> None:  # fmt: skip
        """A line about rows: each operand has a row, or an element a row."""
        front = len(out.shape) - len(v.shape)
        rank = len(v.inputs[0].shape)
        shape = [*out.shape[:front], *self._sizes(v.inputs[0].shape)]
        outer, width = tuple(shape[:-1]), shape[-1]
        given: list[Operand] = []
        for k, (i, source) in enumerate(zip(inputs, v.inputs, strict=True)):
            if isinstance(i, View):
                wanted = (*outer, size(1)) if len(source.shape) == rank else outer
                wanted = wanted if k else (*outer, width)
                i = aligned(i, wanted, timed[k], front)
            given.append(i)
        self._add(Line(v, v.op, v.attrs, out, given, operands))

    def _reduction(
        self, v: Value, x: Operand, out: View, front: list[Size]
    ) -> list[str]:
        assert isinstance(x, View)
        if v.op is kernels.column_sums:
            return reduced(x, out, [len(front)], "sum")
        if v.op is Time.total:
            return reduced(x, out, [0], "sum")
        axes = [a + len(front) for a in self._axes(v)]
        return reduced(x, out, axes, v.op.name)

    def _join(
        self, v: Value, inputs: list[Operand], out: View, front: list[Size],
        timed: list[bool],
    ) -> None:  # fmt: skip
        """Operands that are not in their place of it already are copied there."""
        axis = v.attrs.get("axis", 0) % len(v.shape) + len(front)
        joins, start = v.op is O.concatenate, size(0)
        # What lies in its place has a whole number as width, as all beside it.
        left = [k for k, _ in self.plan.copied(v)] if joins and v.steps else None
        for k, (i, source) in enumerate(zip(inputs, v.inputs, strict=True)):
            into = replace(out, offset=out.offset + out.strides[axis] * start)
            width = size(1)
            if joins:
                width = self._sizes(source.shape)[axis - len(front)]
                shape = (*out.shape[:axis], width, *out.shape[axis + 1 :])
                into = replace(into, shape=shape)
            else:
                into = into.key((*[slice(None)] * axis, 0))
            if left is None or k in left:
                self._copy(into, aligned(i, into.shape, timed[k], len(front)))
            start = start + width

    def _flip(self, v: Value, x: Operand, out: View, front: list[Size]) -> None:
        assert isinstance(x, View)
        axes = self._axes(v)
        back, whole = slice(None, None, -1), slice(None)
        key = [back if a in axes else whole for a in range(len(v.shape))]
        turned = x.key((*[whole] * len(front), *key))
        self._copy(out, turned)

    def _product(
        self, v: Value, operands: Sequence[Value], inputs: list[Operand], out: View,
        front: list[Size],
    ) -> None:  # fmt: skip
        a, b = inputs
        if not isinstance(a, View) or not isinstance(b, View):
            raise UnsayableError("a product with a number")
        ranks = [len(i.shape) for i in v.inputs]
        if front:
            n, most = len(front), max(ranks)
            a, b = (
                x.widened(n, most - r if r > 1 else 0) if i.op is not Time.each else x
                for x, i, r in zip((a, b), operands, ranks, strict=True)
            )
        self._end_nest()
        a, b, out = matrices(a, b, out, ranks)
        self.code += product(
            a, b, out, self._packed, self._pad, self.products, self.threads
        )

    def _packed(self, b: View) -> tuple[str, list[str]]:
        """Panels of a right factor, and the lines that make them here and now."""
        k, n = (x.number for x in b.shape)
        assert k is not None
        assert n is not None
        if b.array not in self.lasting:
            panels = self._pad(b.dtype, k, n)
            return panels, [pack(b, b.pointer, panels)]
        if b not in self.panels:
            wide = VECTOR[b.dtype]
            form = f"{k * (-(-n // wide) * wide)}, '{b.dtype}'"
            code = self.source.allocate(f"{b.array}_packed", form)
            self.panels[b] = self._array(code, b.dtype, (size(1),)).array
            before = self.code if self.before is None else self.before
            before.append(Unit([pack(b, b.pointer, self.panels[b])]))
        return self.panels[b], []

    def _pad(self, dtype: str, k: int, n: int, long: bool = False) -> str:
        """Memory for a factor on its way."""
        wide = -(-n // VECTOR[dtype]) * VECTOR[dtype]
        needed = (DEEP if long else k) * wide
        self.pads[dtype] = max(self.pads.get(dtype, 0), needed)
        pad = self._array(f"w.pad_{FLOATS[dtype]}", dtype, (size(1),)).array
        # Each thread has its own.
        return (
            f"{pad} + me * PAD_SIZE_{FLOATS[dtype]}"
            if long and self.threads > 1
            else pad
        )


def aligned(i: Operand, shape: Sequence[Size], timed: bool, front: int) -> Operand:
    """An operand broadcast to a shape, whose axes in front are steps."""
    if isinstance(i, Number):
        return i
    if timed:
        i = i.widened(front, len(shape) - len(i.shape))
    return i.broadcast(shape)


def _readers(plan: Plan) -> dict[Value, set[Value | None]]:
    """Who reads each value; None where that is not a line: an output, a later step."""
    reads: dict[Value, set[Value]] = {}
    for v in plan.program.values:
        for i in v.inputs:
            reads.setdefault(i, set()).add(v)
    readers: dict[Value, set[Value | None]] = {v: {*r} for v, r in reads.items()}
    for part in plan.parts:
        if isinstance(part, Loop):
            for line in part.body:
                for i in part.operands(line):
                    readers.setdefault(i, set()).add(line)
    for part in plan.parts:
        if isinstance(part, Loop):
            # On these steps it is another line, which was counted above.
            for v in part.same:
                if reads.get(v, set()) <= part.whole:
                    for i in v.inputs:
                        readers[i].discard(v)
    for v in (*plan.program.outputs, *plan.program.states.values()):
        readers.setdefault(v, set()).add(None)
    return readers
