"""What every part of the emitter writes with: names, operands as text, and buffers.

Vocabulary
    body       the lines of ``run``; allocation: those of ``workspace``
    workspace  buffers, and windows of them, that a length needs; made once and kept
    kept       an expression of buffers alone, so that it is made with the workspace
    solid      a kept array whose steps lie one behind the other in memory

>>> Writer.suffix("1", "T - 1")
'_from_1_to_T_less_1'
"""

from typing import Any

import numpy as np

from minigrad.compile import forms
from minigrad.compile.identifiers import WORDS
from minigrad.compile.line import Count, Line, LoopProgram, Steps
from minigrad.compile.schedule import Phase
from minigrad.compile.storage import Piece, Storage, Store
from minigrad.fold.moving_index import Ahead
from minigrad.fold.roles import Operand


def views(array: Any) -> list[Any]:
    """The entries of an array along its first axis, as arrays one can write to."""
    if array.ndim > 1:
        return list(array)
    return [array[i : i + 1].reshape(()) for i in range(len(array))]


class Writer:
    """Collects the source of one program; ``namespace`` is what it refers to."""

    def __init__(
        self, program: LoopProgram, phases: list[Phase], backend: str = "numpy"
    ) -> None:
        self.program = program
        self.backend = backend
        self.kernels: list[str] = []
        self.phases = phases
        self.lines = program.lines
        self.storage = Storage(program, phases)
        self.namespace: dict[str, Any] = {"np": np, "views": views}
        self.buffers: dict[str, None] = {}  # in the order of their making
        self.allocation: list[str] = []
        self.body: list[str] = []
        self.kept: dict[str, str] = {}
        self.solid: set[str] = set()
        self.parts: set[int] = set()  # lines that are written in their place
        self.free: list[tuple[Any, Store]] = []  # what may be used again
        self.ufuncs: set[str] = set()
        self.now = 0
        self.taken = {line.name for line in self.lines.values()}

    # -------------------------------------------------------------- values as text

    def length_name(self, clock: int | None) -> str:
        """The variable that holds the number of steps of a clock."""
        return f"T{clock}" if clock else "T"

    def count(self, line: Line) -> str:
        """How many steps a line has."""
        return line.span.number.code(self.length_name(line.clock))

    @staticmethod
    def out(ufunc: str, code: str) -> str:
        """The last argument of a ufunc; by name where more could follow it."""
        return f"out={code}" if ufunc in ("maximum", "minimum") else code

    def call(self, line: Line) -> str:
        """How the source calls a line's forward function."""
        forward = line.forward
        if isinstance(forward, np.ufunc):
            return f"np.{forward.__name__}"
        if getattr(np, line.op, None) is forward:
            return f"np.{line.op}"
        name = line.op
        known = self.namespace.get(name, forward) is forward
        own = getattr(forms, name, None) is forward
        if not (name.isidentifier() and known and (own or name not in WORDS)):
            name = f"op_{line.index}"
        self.namespace[name] = forward
        return name

    def literal(self, value: Any, line: Line) -> str:
        """An attribute as source."""
        if isinstance(value, Ahead):
            base = f"{self.length_name(line.clock)} - t" if value.from_end else "t"
            return f"{base} + {value.k}" if value.k else base
        if isinstance(value, tuple):
            inner = ", ".join(self.literal(v, line) for v in value)
            return f"({inner}{',' if len(value) == 1 else ''})"
        if isinstance(value, slice):
            parts = (value.start, value.stop, value.step)
            return f"slice({', '.join(self.literal(v, line) for v in parts)})"
        if value is None or isinstance(value, (bool, int, float, str)):
            if isinstance(value, float) and not np.isfinite(value):
                return f'float("{value}")'
            return repr(value)
        if value is Ellipsis:
            return "..."
        name = f"k_{len(self.namespace)}"
        self.namespace[name] = value
        return name

    def index(self, key: Any, line: Line) -> str:
        """An index as it stands between brackets; slices as a:b."""
        parts = key if isinstance(key, tuple) else (key,)
        found = []
        for part in parts:
            if isinstance(part, slice) and part.step is None:
                ends = [
                    "" if p is None else self.literal(p, line)
                    for p in (part.start, part.stop)
                ]
                found.append(":".join(ends))
            else:
                found.append(self.literal(part, line))
        return ", ".join(found) or "()"

    def filled(self, key: Any, indices: list[str], line: Line) -> str:
        """An index as it stands between brackets, with the arrays it has places for."""
        parts = key if isinstance(key, tuple) else (key,)
        left = iter(indices)
        found = [
            next(left) if isinstance(part, str) else self.index(part, line)
            for part in parts
        ]
        return ", ".join(found) or "()"

    def keywords(self, attrs: dict[str, Any], line: Line) -> str:
        """Attributes as keywords of a call."""
        return "".join(f", {k}={self.literal(v, line)}" for k, v in attrs.items())

    def untimed(self, line: Line) -> str:
        """A line without time as an expression."""
        if line.kind == "constant" and isinstance(line.value, (bool, int, float)):
            return self.literal(line.value, line)
        return line.name

    # ------------------------------------------------- what is made with the workspace

    @staticmethod
    def suffix(a: str, b: str) -> str:
        """A window a:b as the end of a name."""
        said = (f"_from_{a}" if a else "") + (f"_to_{b}" if b else "")
        for sign, word in (
            ("-", "_less_"),
            ("+", "_and_"),
            ("*", "_times_"),
            (" ", ""),
        ):
            said = said.replace(sign, word)
        return said

    def keep(self, stem: str, code: str, solid: bool = False) -> str:
        """A name for an expression of buffers and lengths, made with the workspace."""
        if code not in self.kept:
            name = stem
            while name in self.buffers or (name in self.taken and name != stem):
                name += "_"
            self.kept[code] = name
            self.buffers[name] = None
            self.allocation.append(f"{name} = {code}")
            if solid:
                self.solid.add(name)
        return self.kept[code]

    def window(self, store: Store, steps: Steps) -> str:
        """A slice of a store along its time axis."""
        if steps == store.steps:
            return store.name
        name = self.length_name(store.clock)
        start = store.position(steps.first)
        stop = store.position(steps.last) + 1
        a, b = start.code(name), stop.code(name)
        a = "" if a == "0" else a
        b = "" if stop == store.steps.number else b
        code = f"{store.name}[{a}:{b}]"
        if not store.owned:
            return code
        return self.keep(store.name + self.suffix(a, b), code, not store.view)

    def rows(self, code: str, width: int) -> str:
        """All steps of a value as the rows of one matrix."""
        shaped = f"{code}.reshape(-1, {width})"
        return self.keep(f"{code}_rows", shaped) if code in self.solid else shaped

    def element(self, store: Store, step: Count) -> str:
        """One step's entry of a store."""
        index = store.position(step).code(self.length_name(store.clock))
        dots = "" if store.shape else ", ..."
        code = f"{store.name}[{index}{dots}]"
        if not store.owned:
            return code
        stem = self.suffix(index, "").replace("_from_", "_at_")
        return self.keep(store.name + stem, code)

    def entries(self, store: Store, steps: Steps, direction: int) -> str:
        """The entries of a store at some steps, as a list in the order of the loop."""
        listed = f"{store.name}_steps"
        made = f"views({store.name})"
        if store.owned:
            listed = self.keep(listed, made)
        elif not store.listed:
            store.listed = True
            self.body.append(f"{listed} = {made}")
        name = self.length_name(store.clock)
        a = b = ""
        if steps != store.steps:
            stop = store.position(steps.last) + 1
            a = store.position(steps.first).code(name)
            a = "" if a == "0" else a
            b = "" if stop == store.steps.number else stop.code(name)
        cut = f"{listed}[{a}:{b}]" if a or b else listed
        code = cut if direction > 0 else f"{cut}[::-1]"
        if code == listed or not store.owned:
            return code
        back = "_back" if direction < 0 else ""
        return self.keep(f"{listed}{self.suffix(a, b)}{back}", code)

    # -------------------------------------------------------------------- operands

    def piece(self, piece: Piece) -> str:
        """A piece that has one value for all of its steps."""
        if piece.store is None:
            return self.untimed(piece.line)
        store, window = piece.cells()
        return self.element(store, window.first)

    def batched(self, operand: Operand, line: Line) -> tuple[str, bool, int]:
        """An operand over all steps of a line: (text, has time, axes of a step)."""
        pieces = self.storage.pieces(operand, line.span, line.clock)
        if len(pieces) == 1:
            (piece,) = pieces
            ndim = len(piece.line.shape)
            if piece.one:
                return self.piece(piece), False, ndim
            return self.window(*piece.cells()), True, ndim
        parts = []
        for piece in pieces:
            if piece.one:
                count = piece.steps.number.code(self.length_name(line.clock))
                shape = ", ".join(map(str, piece.line.shape))
                parts.append(
                    f"np.broadcast_to({self.piece(piece)}, ({count}, {shape}))"
                )
            else:
                parts.append(self.window(*piece.cells()))
        ndim = len(pieces[0].line.shape)
        return f"np.concatenate(({', '.join(parts)}))", True, ndim

    def outside(self, operand: Operand) -> tuple[str, bool]:
        """An operand of a line without time: (text, whether it is a sequence)."""
        first = operand[0]
        line = self.lines[first.role]
        if first.kind == "plain" or not line.timed:
            return self.untimed(line), False
        if first.kind == "pick":
            assert first.at is not None
            picked = [
                self.element(self.storage.stores[s.role], Count.of_end(first.at.first))
                for s in operand
            ]
            if len(picked) == 1:
                return picked[0], False
            return f"[{', '.join(picked)}]", True
        columns = []
        for source in operand:
            assert source.at is not None
            store = self.storage.stores[source.role]
            code = self.window(store, Steps.of(source.at))
            columns.append(f"{code}[::-1]" if source.at.down else code)
        if len(columns) == 1:
            return columns[0], True
        return f"[a for turn in zip({', '.join(columns)}) for a in turn]", True

    # --------------------------------------------------------------------- buffers

    def buffer(self, line: Line, reuse: tuple[Operand, ...] = ()) -> Store:
        """The store that a line writes into; that of a dying operand if it can."""
        if line.index in self.storage.stores:  # part of a value that was placed whole
            return self.storage.stores[line.index]
        if line.index in self.storage.part_of:
            return self.part(line)
        for operand in reuse:
            store = self._dying(operand, line)
            if store is not None:
                return self.storage.place(line, store)
        pads = self.storage.pads.get(line.index, [])
        key = (line.clock, line.steps, line.shape, line.dtype)
        if not pads:
            for known, store in self.free:
                if known == key and self.storage.is_free(store, self.now):
                    return self.storage.place(line, store)
        return self._new_store(line, pads, key)

    def _new_store(self, line: Line, pads: list[tuple[Steps, Line]], key: Any) -> Store:
        """A buffer of the workspace, with room for the line's pads."""
        first, last = line.span
        for cells, _ in pads:
            if cells.last + 1 == first:
                first = cells.first
            else:
                last = cells.last
        steps = Steps(first, last)
        store = Store(line.name, steps, line.clock or 0, line.shape, line.dtype, True)
        store.pads = list(pads)
        count = steps.number.code(self.length_name(line.clock))
        self.allocate(line, (count, *map(str, line.shape)))
        self.solid.add(line.name)
        self.storage.place(line, store)
        for cells, start in pads:
            self.body.append(
                f"{self.window(store, cells)}[...] = {self.untimed(start)}"
            )
        if not pads:
            self.free.append((key, store))
        return store

    def allocate(self, line: Line, shape: tuple[str, ...]) -> None:
        """A buffer of the line's name."""
        inner = ", ".join(shape) + ("," if len(shape) == 1 else "")
        self.buffers[line.name] = None
        self.allocation.append(f"{line.name} = np.empty(({inner}), np.{line.dtype})")

    def step_buffer(self, line: Line) -> None:
        """A buffer for one step, for a line that no other step's entry is read of."""
        whole, key = self.storage.part_of.get(line.index, (None, None))
        if whole is None:
            self.allocate(line, tuple(map(str, line.shape)))
            return
        base = self.lines[whole]
        if base.name not in self.buffers:
            self.step_buffer(base)
        self.parts.add(line.index)
        self.keep(line.name, f"{base.name}[{self.index(key, line)}]")

    def in_place(self, operand: Operand, join: Line, key: Any) -> bool:
        """Whether an operand of a join was written where it belongs."""
        role = operand[0].role
        return role in self.parts and self.storage.part_of[role] == (join.index, key)

    def see(self, line: Line) -> None:
        """A line of a loop that is a view of what another line of it writes."""
        base, key = self.storage.seen_in[line.index]
        source = self.lines[base]
        if base in self.storage.temporary:
            self.keep(line.name, f"{source.name}[{self.index(key, line)}]")
        else:
            window = self.window(self.storage.stores[base], line.span)
            self._view(line, f"{window}[:, {self.index(key, line)}]")

    def part(self, line: Line) -> Store:
        """The place of a line that is written as a part of a joined one."""
        whole, key = self.storage.part_of[line.index]
        base = self.buffer(self.lines[whole])
        base.tenants.add(line.index)
        self.parts.add(line.index)
        return self._view(line, f"{base.name}[:, {self.index(key, line)}]")

    def _view(self, line: Line, code: str) -> Store:
        name = self.keep(line.name, code)
        store = Store(
            name, line.span, line.clock or 0, line.shape, line.dtype, True, view=True
        )
        return self.storage.place(line, store)

    def _dying(self, operand: Operand, line: Line) -> Store | None:
        """The buffer of an operand that nothing reads after this line."""
        if len(operand) != 1 or line.index in self.storage.pads:
            return None
        source = self.lines[operand[0].role]
        store = self.storage.stores.get(source.index)
        if store is None or operand[0].delay != 0:
            return None
        fits = (store.steps, store.shape, store.dtype) == (
            line.steps, line.shape, line.dtype
        )  # fmt: skip
        free = fits and self.storage.is_free(store, self.now, line)
        return store if free else None

    def bind(self, line: Line, code: str) -> None:
        """A line whose value is whatever an expression gives when the program runs."""
        self.body.append(f"{line.name} = {code}")
        self.storage.place(
            line,
            Store(line.name, line.span, line.clock or 0, line.shape, line.dtype, False),
        )

    def look(self, line: Line, base: str, code: str) -> None:
        """A line that is a view of another: made with the workspace if that was."""
        if base in self.buffers:
            self._view(line, code)
        else:
            self.bind(line, code)
