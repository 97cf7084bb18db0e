"""Loops over time as functions that numba compiles: the second way to write a phase.

Products go to BLAS, one call each; what lies between two of them is one loop over
elements, in which a value that nobody else reads is never stored.

Vocabulary
    kernel  a function for one loop over time; ``run`` calls it with its arrays
    group   elementwise lines of one shape that one loop over elements computes
    slot    which entry of a store a step reads or writes, as source
"""

from typing import NamedTuple

from minigrad.compile import elements, forms
from minigrad.compile.elements import (
    Axes,
    identity,
    is_elementwise,
    is_product,
    is_row,
)
from minigrad.compile.helpers import HELPERS, LETTERS
from minigrad.compile.line import Count, Line, LoopProgram, Steps
from minigrad.compile.loops import place, segments
from minigrad.compile.schedule import Phase
from minigrad.compile.storage import Piece, fresh
from minigrad.compile.writer import Writer
from minigrad.fold.roles import Operand

HEAD = '''"""Loops of a program that minigrad compiled, as functions for numba."""

import numpy as np
from numba import njit

OPTIONS = {"error_model": "numpy", "fastmath": {"contract"}, "nogil": True}
'''


def strange(program: LoopProgram, phase: Phase) -> list[str]:
    """The ops of a loop that cannot be written in a kernel."""
    return [
        line.op
        for line in phase.lines
        if not (
            is_product(program, line)
            or is_elementwise(program, line)
            or is_row(program, line)
        )
    ]


def fits(program: LoopProgram, phase: Phase) -> bool:
    """Whether every line of a loop can be written in a kernel."""
    return bool(phase.direction) and not strange(program, phase)


def explain(program: LoopProgram, phases: list[Phase]) -> str:
    """Which loops are kernels, and why the others are not."""
    loops = [phase for phase in phases if phase.direction]
    left = [names for phase in loops if (names := strange(program, phase))]
    said = f"{len(loops) - len(left)} of {len(loops)} loops"
    why = [f"; one stays in Python: it has {', '.join(names)}" for names in left]
    return "".join([said, *why])


def sink(program: LoopProgram, phases: list[Phase]) -> list[Phase]:
    """Phases in which cheap lines run in the loop that alone reads them.

    Over all steps at once they would go through memory; in the loop an element of
    theirs is never stored.
    """
    outputs = {s.role for operand in program.outputs for s in operand}
    into = {x.index: p for p in phases if fits(program, p) for x in p.lines}
    kept = []
    for phase in reversed(phases):
        line = phase.lines[0]
        moves = (
            not phase.direction and line.timed and line.index not in outputs
            and line.op in elements.CHEAP and is_elementwise(program, line)
        )  # fmt: skip
        readers = [
            (other, source)
            for other in (program.lines.values() if moves else ())
            for source in other.sources()
            if source.role == line.index
        ]
        loops = {id(into.get(other.index)) for other, _ in readers}
        target = into.get(readers[0][0].index) if readers else None
        if target and len(loops) == 1 and all(s.delay == 0 for _, s in readers):
            target.lines.insert(0, line)
            into[line.index] = target
        else:
            kept.append(phase)
    for phase in {id(p): p for p in into.values()}.values():
        phase.lines = _ordered(program, phase)
    return kept[::-1]


def _ordered(program: LoopProgram, phase: Phase) -> list[Line]:
    """Products as early as they can run, and between them few and long groups."""
    left = {line.index: line for line in phase.lines}
    needs: dict[int, set[int]] = {}  # what has to run before a line, in this step
    for line in phase.lines:
        now = {s.role for s in line.sources() if s.delay == 0} & left.keys()
        needs[line.index] = now.union(*(needs[i] for i in now))
    ordered: list[Line] = []
    while left:
        waiting = {i: len(needs[i] & left.keys()) for i in left}
        products = [i for i in left if is_product(program, left[i])]
        following = min(products, key=lambda i: waiting[i], default=None)
        wanted = left if following is None else {*needs[following], following}
        shape = ordered[-1].shape if ordered else None
        ready = [left[i] for i in left if i in wanted and not waiting[i]]
        # One of the last shape goes into the same group.
        chosen = next((x for x in ready if x.shape == shape), ready[0])
        ordered.append(left.pop(chosen.index))
    return ordered


# What numba computes for many elements at once, of each dtype.
FAST = {
    "float64": elements.CHEAP | {"divide"},
    "float32": elements.CHEAP | {"divide", "exp", "tanh", "sigmoid"},
}


def gathered(program: LoopProgram, phases: list[Phase]) -> list[Phase]:
    """Phases in which lines of all steps, one after another, are a loop of their own.

    Each line alone would read and write all of its steps; a softmax and its loss are
    six such lines, and in the loop most of them stay in the cache or are never stored.
    """
    found: list[Phase] = []
    made: dict[int, int] = {}  # line -> the place of its phase
    open_at: dict[object, int] = {}  # clock and steps -> the place of the last one
    for phase in phases:
        line = phase.lines[0]
        fast = (
            line.timed
            and not line.reduces
            and line.op != "join"
            and (
                is_row(program, line)
                or (
                    line.op in FAST.get(line.dtype, ())
                    and is_elementwise(program, line)
                )
            )
        )
        key = (line.clock, line.steps)
        place = open_at.get(key, len(found))
        if phase.direction or not fast or any(len(o) > 1 for o in line.reads):
            place = len(found)
        elif place < len(found) and all(
            made[s.role] < place or (made[s.role] == place and s.delay == 0)
            for s in line.sources()
            if s.role in made
        ):
            found[place].lines.append(line)
        else:
            place = open_at[key] = len(found)
        if place == len(found):
            found.append(Phase(list(phase.lines), phase.direction))
        made |= {x.index: place for x in phase.lines}
    for phase in found:
        alone = len(phase.lines) == 1 and phase.lines[0].op != "class_gradient"
        if not phase.direction and phase.lines[0].timed and not alone:
            phase.direction = 1
    return found


def emit(e: Writer, phase: Phase) -> None:
    """Write a loop as a kernel, and its call."""
    for line in phase.lines:
        if len(phase.lines) == 1 and line.op == "class_gradient":
            e.buffer(line, (line.reads[0],))  # an element over what it alone reads
        place(e, phase, line)
        if line.op in ("picked_losses", "class_gradient"):
            _check_classes(e, line)
    kernel = _Kernel(e, phase)
    name = f"loop_{len(e.kernels) + 1}"
    arguments = ", ".join(kernel.arguments)
    body = "".join(f"    {line}\n" for line in kernel.body)
    e.kernels.append(f"\n@njit(**OPTIONS)\ndef {name}({arguments}):\n{body}")
    e.body.append(f"{name}({', '.join(kernel.arguments.values())})")


def _check_classes(e: Writer, line: Line) -> None:
    """A kernel trusts that class numbers are in range: they are looked at before."""
    classes = e.lines[line.reads[0][0].role].shape[1]
    index, _, _ = e.batched(line.reads[2], line)
    e.namespace["check_classes"] = forms.check_classes
    code = f"check_classes({index}, {classes}, {line.attrs['ignore_index']})"
    e.body += [code] if code not in e.body else []


def module(e: Writer) -> str:
    """The source of all kernels, or nothing."""
    text = "\n".join(e.kernels)
    used = [code for name, code in HELPERS.items() if f"{name}(" in text]
    return "\n".join([HEAD, *used, text]) if e.kernels else ""


class _Access(NamedTuple):
    """An element of an array; ``bound`` is the variable of a step's entry."""

    array: str
    slot: str
    axes: Axes
    bound: str

    def __str__(self) -> str:
        if self.axes:
            return f"{self.bound}[{elements.said(self.axes)}]"
        return self.bound

    def row(self, op: str) -> str:
        """A row as the arguments of its function: array, number, start and stop."""
        i, j = self.axes
        stop = "" if op == "picked_losses" else f", {j.start + j.number}"
        return f"{self.bound}, {i}, {j.start}{stop}"

    def clashes(self, other: "_Access") -> bool:
        """Whether both may be one place at two different elements."""
        if self.array != other.array or self.axes == other.axes:
            return False
        if self.slot != other.slot and {self.slot[:2], other.slot[:2]} == {"t "}:
            return False
        if len(self.axes) != len(other.axes):
            return True
        return not any(a.apart(b) for a, b in zip(self.axes, other.axes, strict=True))


class _Code(NamedTuple):
    """A line of source; one that writes ``buffer`` goes if nothing reads that."""

    text: str
    buffer: str = ""


class _Group:
    """Elementwise lines that one loop over the elements of a shape computes."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.code: list[_Code] = []
        self.values: dict[int, str] = {}  # line -> the variable of its element
        self.read: list[_Access] = []
        self.written: list[_Access] = []

    def takes(self, read: list[_Access], own: _Access) -> bool:
        """Whether a line that reads and writes so may run element by element."""
        return not any(own.clashes(b) for b in [*self.read, *self.written]) and not any(
            a.clashes(b) for a in read for b in self.written
        )

    def loop(self) -> list[_Code]:
        """The loop as source."""
        heads = [
            _Code(f"{'    ' * depth}for {LETTERS[depth]} in range({n}):")
            for depth, n in enumerate(self.shape)
        ]
        inner = "    " * len(self.shape)
        return heads + [_Code(inner + code, buffer) for code, buffer in self.code]


class _Kernel:
    """Writes the body of one kernel; ``arguments`` maps its parameters to a call's."""

    def __init__(self, e: Writer, phase: Phase) -> None:
        self.e = e
        self.phase = phase
        self.arguments: dict[str, str] = {}
        self.buffers: dict[str, str] = {}
        self.used: set[str] = set()  # of the buffers
        code: list[_Code] = []
        e.parts |= e.storage.temporary & set(e.storage.part_of)
        self.clock = phase.lines[0].clock
        self.T = e.length_name(self.clock)
        self.arguments[self.T] = self.T
        length = e.storage.length(self.clock)
        ranges = segments(e, phase, length, self._in_pieces)
        for steps in ranges if phase.direction > 0 else reversed(ranges):
            lines = [x for x in phase.lines if x.span.meet(steps, length)]
            if lines:
                code += self._segment(steps, lines)
        self.body = [f"{name} = {self.buffers[name]}" for name in sorted(self.used)]
        self.body += [c.text for c in code if not c.buffer or c.buffer in self.used]

    def _in_pieces(self, operand: Operand, line: Line) -> bool:
        storage = self.e.storage
        return (
            not storage.whole(operand, line)
            or len(storage.pieces(operand, line.span, line.clock)) > 1
        )

    def _segment(self, steps: Steps, lines: list[Line]) -> list[_Code]:
        """The loop over one range of steps on which the same lines run."""
        self.steps = steps
        self.bound: dict[str, str] = {}  # a step's entry of an array -> its variable
        self.code: list[_Code] = []
        self.group: _Group | None = None
        for line in lines:
            if line.index in self.e.storage.seen_in:
                continue
            if is_product(self.e.program, line):
                self._product(line)
            elif line.op == "join":
                self._join(line)
            else:
                self._element(line)
        self._close()
        low, high = steps.first.code(self.T), (steps.last + 1).code(self.T)
        order = f"range({low}, {high})"
        if self.phase.direction < 0:
            down = (steps.first - 1).code(self.T)
            order = f"range({steps.last.code(self.T)}, {down}, -1)"
        entries = [_Code(f"    {name} = {made}") for made, name in self.bound.items()]
        inner = [_Code(f"    {text}", buffer) for text, buffer in self.code]
        return [_Code(f"for t in {order}:"), *entries, *inner]

    def _close(self) -> None:
        if self.group is not None:
            self.code += self.group.loop()
        self.group = None

    # ---------------------------------------------------------------------- places

    def _root(self, line: Line, axes: Axes) -> tuple[Line, Axes]:
        """Where a line lies that is a part of another one."""
        storage = self.e.storage
        while True:
            if line.index in storage.seen_in:
                index, key = storage.seen_in[line.index]
            elif line.index in self.e.parts:
                index, key = storage.part_of[line.index]
            else:
                return line, axes
            line = self.e.lines[index]
            axes = elements.through(key, line.shape, axes)

    def _at(self, piece: Piece, axes: Axes) -> _Access:
        """An element of a value with time, at the current step of the loop."""
        line, axes = self._root(piece.line, axes)
        store = self.e.storage.stores.get(line.index)
        if store is None:
            name = f"{line.name}_now"
            made = f"np.empty(({', '.join(map(str, line.shape))},), np.{line.dtype})"
            self.buffers[name] = made if line.shape else f"np.{line.dtype}(0)"
            return _Access(name, "", axes, name)
        assert piece.window is not None
        if piece.one:
            # A value of another loop is counted by the length of that one.
            length = self.e.length_name(store.clock)
            self.arguments[length] = length
            slot = store.position(piece.window.first).code(length)
        else:
            slot = _moving(
                piece.window.first - piece.steps.first - store.steps.first, self.T
            )
        self.arguments[store.name] = store.name
        entry = f"{store.name}[{slot}]"
        if not axes:
            return _Access(store.name, slot, axes, entry)
        stem = f"{store.name}_{_when(piece)}"
        if entry not in self.bound:
            taken = set(self.bound.values())
            name, k = stem, 1
            while name in taken:
                k += 1
                name = f"{stem}{k}"
            self.bound[entry] = name
        return _Access(store.name, slot, axes, self.bound[entry])

    def _own(self, line: Line, axes: Axes) -> _Access:
        """Where a line is written."""
        return self._at(Piece(line.span, None, line, line.span), axes)

    def _still(self, line: Line) -> str:
        """A value without time as an argument."""
        name = line.name
        if not line.shape:
            self.arguments[name] = f"np.{line.dtype}({name})"
        elif not fresh(line):
            self.arguments[name] = f"np.ascontiguousarray({name})"
        else:
            self.arguments[name] = name
        return name

    # ------------------------------------------------------------------------ lines

    def _piece(self, operand: Operand, line: Line) -> Piece | None:
        pieces = self.e.storage.pieces(operand, self.steps, line.clock)
        assert len(pieces) < 2, f"{line.name} reads more than one value"
        return pieces[0] if pieces else None

    def _value(self, piece: Piece, axes: Axes, dtype: str) -> "_Access | str":
        """An element that is read: of an array, a variable or a number."""
        line = piece.line
        if not line.timed:
            if line.kind == "constant" and isinstance(line.value, (bool, int, float)):
                return elements.literal(line.value, dtype)
            name = self._still(line)
            return _Access(name, "", axes, name) if axes else name
        group = self.group
        if (
            group is not None and line.index in group.values
            and piece.window == piece.steps
            and axes == identity(group.shape, group.shape)
        ):  # fmt: skip
            return group.values[line.index]
        return self._read(piece, axes)

    def _read(self, piece: Piece, axes: Axes) -> _Access:
        access = self._at(piece, axes)
        if access.array in self.buffers:
            self.used.add(access.array)
        return access

    def _element(self, line: Line) -> None:
        """An elementwise line, in the open group if it may run with it."""
        if self.group is not None and self.group.shape != line.shape:
            self._close()
        for _ in range(2):
            if self.group is None:
                self.group = _Group(line.shape)
            values: list[str] = []
            read: list[_Access] = []
            kinds = [self.e.lines[s.role].dtype for s in line.sources()]
            dtype = next((k for k in kinds if k in elements.FLOATS), line.dtype)
            for operand in line.reads:
                piece = self._piece(operand, line)
                if piece is None:
                    continue
                shape = piece.line.shape
                value = self._value(piece, elements.source_axes(line, shape), dtype)
                row = line.op in elements.ROWS and not values
                if isinstance(value, _Access):
                    read.append(value)
                    value = value.row(line.op) if row else str(value)
                values.append(value)
            own = self._own(line, identity(line.shape, line.shape))
            if self.group.takes(read, own):
                break
            self._close()
        assert self.group is not None
        letters = LETTERS[: len(line.shape)]
        name = f"{line.name}_{letters or 'value'}"
        self.group.values[line.index] = name
        self.group.read += read
        self.group.written.append(own)
        self.group.code += [
            _Code(f"{name} = {elements.expression(line, values)}"),
            self._stored(own, name),
        ]

    def _stored(self, own: _Access, value: str) -> _Code:
        buffer = own.array if own.array in self.buffers else ""
        return _Code(f"{own} = {value}", buffer)

    def _join(self, line: Line) -> None:
        """Parts that were not written in their place are copied to it."""
        self._close()
        for operand, key in zip(line.reads, line.attrs["keys"], strict=True):
            if self.e.in_place(operand, line, key):
                continue
            piece = self._piece(operand, line)
            assert piece is not None
            shape = piece.line.shape
            axes = identity(shape, shape)
            self.group = _Group(shape)
            target = self._own(line, elements.through(key, line.shape, axes))
            value = self._value(piece, axes, line.dtype)
            self.group.code.append(self._stored(target, str(value)))
            self._close()

    def _product(self, line: Line) -> None:
        self._close()
        operands = []
        for operand in line.reads:
            piece = self._piece(operand, line)
            assert piece is not None
            operands.append(self._matrix(piece))
        own = self._own(line, identity(line.shape, line.shape))
        if own.array in self.buffers:
            self.used.add(own.array)
        self.code.append(_Code(f"np.dot({', '.join(operands)}, {own.bound})"))

    def _matrix(self, piece: Piece) -> str:
        """A whole operand of a product."""
        line = piece.line
        if not line.timed:
            return self._still(line)
        access = self._read(piece, identity(line.shape, line.shape))
        if access.axes == identity(line.shape, line.shape):
            store = self.e.storage.stores.get(line.index)
            solid = store is None or (store.owned and not store.view)
            return access.bound if solid else f"np.ascontiguousarray({access.bound})"
        cut = ", ".join(
            f"{a.start}:{a.start + a.step * a.number}:{a.step}"
            if a.variable
            else str(a.start)
            for a in access.axes
        )
        return f"np.ascontiguousarray({access.bound}[{cut}])"


def _moving(ahead: Count, T: str) -> str:
    """The index t + ahead."""
    code = "t"
    if ahead.a:
        code += f" {'-' if ahead.a < 0 else '+'} {abs(ahead.a)} * {T}"
    if ahead.b:
        code += f" {'-' if ahead.b < 0 else '+'} {abs(ahead.b)}"
    return code


def _when(piece: Piece) -> str:
    assert piece.window is not None
    if piece.one:
        return "fixed"
    delay = piece.steps.first - piece.window.first
    if delay.a or not delay.b:
        return "t"
    return "before" if delay.b > 0 else "after"
