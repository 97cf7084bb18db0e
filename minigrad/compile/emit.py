"""From phases to NumPy source that a person can read.

``Source`` is two functions: ``workspace(T)`` makes the buffers of a length, once, and
``run(w, ...)`` computes: batched lines over the stacked time axis, loops for what is
truly recurrent, single lines for what has no time.
"""

from typing import Any

import numpy as np

from minigrad.compile import batch
from minigrad.compile.line import Count, Line, LoopProgram, Steps
from minigrad.compile.schedule import Phase
from minigrad.compile.storage import Piece, Storage, Store
from minigrad.ops.indexing import OPERAND
from minigrad.recurrence import Ahead, Operand, at_step

FRESH = frozenset(["product_over_steps", "rows_over_steps", "sum_over_steps"])


class Emitter:
    """Writes the source of one program; ``namespace`` is what the source refers to."""

    def __init__(self, program: LoopProgram, phases: list[Phase]) -> None:
        self.program = program
        self.phases = phases
        self.lines = program.lines
        self.storage = Storage(program, phases)
        self.namespace: dict[str, Any] = {"np": np, "views": views}
        self.buffers: list[str] = []
        self.allocation: list[str] = []
        self.body: list[str] = []
        self.free: list[tuple[Any, Store, set[int]]] = []
        self.ufuncs: set[str] = set()
        self.now = 0

    # ------------------------------------------------------------------ the whole

    def source(self, arguments: list[Line]) -> str:
        """The program as source; ``arguments`` are the leaves that each call passes."""
        given = {line.index for line in arguments}
        for line in self.lines.values():
            if line.kind == "constant" or (
                line.kind != "op" and line.index not in given
            ):
                self._constant(line)
        for p, phase in enumerate(self.phases):
            self.now = p
            if phase.direction:
                self._loop(phase)
            elif phase.lines[0].kind == "op":
                self._line(phase.lines[0])
        results = ", ".join(self._result(o) for o in self.program.outputs)
        lengths = ", ".join(
            self.length_name(c) for c in range(len(self.program.lengths))
        )
        names = ", ".join(line.name for line in arguments)
        unpack = f"    {', '.join(self.buffers)}, = w\n" if self.buffers else ""
        ufuncs = sorted(self.ufuncs)
        bound = (
            f"    {', '.join(ufuncs)} = {', '.join('np.' + u for u in ufuncs)}\n"
            if ufuncs
            else ""
        )
        made = "".join(f"    {line}\n" for line in self.allocation)
        kept = (
            f"    return {', '.join(self.buffers)},\n"
            if self.buffers
            else ("    return ()\n")
        )
        steps = "".join(f"    {line}\n" for line in self.body)
        tail = f", {lengths}" if lengths else ""
        return (
            f"def workspace({lengths}):\n{made}{kept}\n\n"
            f"def run(w{tail}{', ' + names if names else ''}):\n{unpack}{bound}{steps}"
            f"    return ({results}{',' if results else ''})\n"
        )

    def length_name(self, clock: int | None) -> str:
        """The variable that holds the number of steps of a clock."""
        return f"T{clock}" if clock else "T"

    def _constant(self, line: Line) -> None:
        value = line.value if line.kind == "constant" else line.leaf.value
        self.namespace[line.name] = value

    def _result(self, operand: Operand) -> str:
        """Outputs as fresh arrays, in the order in which the function returned them."""
        if len(operand) == 1 and operand[0].kind != "gather":
            line = self.lines[operand[0].role]
            code = self.untimed_operand(operand)[0]
            fresh = line.op in FRESH and not line.timed
            return code if fresh else f"np.array({code})"
        if operand[0].kind == "gather":
            return f"*[np.array(x) for x in {self.untimed_operand(operand)[0]}]"
        return ", ".join(self._result((source,)) for source in operand)

    # ------------------------------------------------------------- values by name

    def call(self, line: Line) -> str:
        """How the source calls a line's forward function."""
        forward = line.forward
        if isinstance(forward, np.ufunc):
            return f"np.{forward.__name__}"
        if line.op in batch.NUMPY:
            return f"np.{line.op}"
        name = line.op if line.op.isidentifier() else f"op_{line.index}"
        known = self.namespace.setdefault(name, forward)
        if known is not forward:
            name = f"{name}_{line.index}"
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

    def keywords(self, attrs: dict[str, Any], line: Line) -> str:
        """Attributes as keywords of a call."""
        return "".join(f", {k}={self.literal(v, line)}" for k, v in attrs.items())

    def untimed(self, line: Line) -> str:
        """A line without time as an expression."""
        if line.kind == "constant" and isinstance(line.value, (bool, int, float)):
            return self.literal(line.value, line)
        return line.name

    def window(self, store: Store, steps: Steps) -> str:
        """A slice of a store along its time axis."""
        if steps == store.steps:
            return store.name
        name = self.length_name(store.clock)
        start = store.position(steps.first)
        stop = store.position(steps.last) + 1
        a, b = start.code(name), stop.code(name)
        if stop == store.steps.count:
            b = ""
        return f"{store.name}[{'' if a == '0' else a}:{b}]"

    def element(self, store: Store, step: Count) -> str:
        """One step's entry of a store."""
        index = store.position(step).code(self.length_name(store.clock))
        return (
            f"{store.name}[{index}]" if store.shape else f"{store.name}[{index}, ...]"
        )

    def piece(self, piece: Piece) -> str:
        """A piece that has one value for all of its steps."""
        if piece.store is None:
            return self.untimed(piece.line)
        assert piece.window is not None
        return self.element(piece.store, piece.window.first)

    def batched_operand(self, operand: Operand, line: Line) -> tuple[str, bool, int]:
        """An operand over all steps of a line: (expression, has time, axes of a step)."""
        assert line.steps is not None
        pieces = self.storage.pieces(operand, line.steps, line.clock)
        if len(pieces) == 1:
            (piece,) = pieces
            ndim = len(piece.line.shape)
            if piece.one:
                return self.piece(piece), False, ndim
            assert piece.store is not None and piece.window is not None
            return self.window(piece.store, piece.window), True, ndim
        parts = []
        for piece in pieces:
            if piece.one:
                count = piece.steps.count.code(self.length_name(line.clock))
                shape = ", ".join(map(str, piece.line.shape))
                parts.append(
                    f"np.broadcast_to({self.piece(piece)}, ({count}, {shape}))"
                )
            else:
                assert piece.store is not None and piece.window is not None
                parts.append(self.window(piece.store, piece.window))
        return f"np.concatenate(({', '.join(parts)}))", True, len(pieces[0].line.shape)

    def untimed_operand(self, operand: Operand) -> tuple[str, bool]:
        """An operand of a line without time: (expression, whether it is a sequence)."""
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
            return (
                (picked[0], False)
                if len(picked) == 1
                else (f"[{', '.join(picked)}]", True)
            )
        columns = []
        for source in operand:
            assert source.at is not None
            store = self.storage.stores[source.role]
            code = self.window(store, Steps.of(source.at))
            columns.append(f"{code}[::-1]" if source.at.down else code)
        if len(columns) == 1:
            return columns[0], True
        return f"[a for turn in zip({', '.join(columns)}) for a in turn]", True

    # ------------------------------------------------------------------- buffers

    def buffer(self, line: Line, reuse: tuple[Operand, ...] = ()) -> Store:
        """The store that a batched line writes into; that of a dying operand if it can."""
        assert line.steps is not None
        for operand in reuse:
            store = self._dying(operand, line)
            if store is not None:
                self._occupy(store, line)
                return self.storage.place(line, store)
        pads = self.storage.pads.get(line.index, [])
        key = (line.clock, line.steps, line.shape, line.dtype)
        if not pads:
            for known, store, tenants in self.free:
                if known == key and all(
                    self.storage.last_use.get(i, -1) < self.now for i in tenants
                ):
                    tenants.add(line.index)
                    return self.storage.place(line, store)
        return self.new_store(line, pads, key)

    def new_store(self, line: Line, pads: Any, key: Any = None) -> Store:
        """A buffer of the workspace, with room for the line's pads."""
        assert line.steps is not None
        first, last = line.steps
        for cells, _ in pads:
            if cells.last + 1 == first:
                first = cells.first
            else:
                last = cells.last
        name = line.name
        store = Store(
            name,
            Steps(first, last),
            line.clock or 0,
            line.shape,
            line.dtype,
            True,
            list(pads),
        )
        count = store.steps.count.code(self.length_name(line.clock))
        shape = ", ".join([count, *map(str, line.shape)])
        self.allocation.append(f"{name} = np.empty(({shape},), np.{line.dtype})")
        self.buffers.append(name)
        self.storage.place(line, store)
        for cells, start in pads:
            self.body.append(f"{self.window(store, cells)} = {self.untimed(start)}")
            if self.body[-1].startswith(f"{name} ="):
                self.body[-1] = f"{name}[:] = {self.untimed(start)}"
        if key is not None and not pads:
            self.free.append((key, store, {line.index}))
        return store

    def _occupy(self, store: Store, line: Line) -> None:
        for _, known, tenants in self.free:
            if known is store:
                tenants.add(line.index)

    def _dying(self, operand: Operand, line: Line) -> Store | None:
        """The buffer of an operand that nothing reads after this line."""
        if len(operand) != 1 or line.index in self.storage.pads:
            return None
        source = self.lines[operand[0].role]
        store = self.storage.stores.get(source.index)
        if store is None or not store.owned or store.pads or operand[0].delay != 0:
            return None
        fits = (store.steps, store.shape, store.dtype) == (
            line.steps, line.shape, line.dtype
        )  # fmt: skip
        tenants = next((t for _, s, t in self.free if s is store), {source.index})
        dead = all(self.storage.last_use.get(i, -1) <= self.now for i in tenants)
        return store if fits and dead else None

    def bind(self, line: Line, code: str) -> None:
        """A line whose value is whatever an expression gives when the program runs."""
        assert line.steps is not None
        self.body.append(f"{line.name} = {code}")
        self.storage.place(
            line,
            Store(
                line.name, line.steps, line.clock or 0, line.shape, line.dtype, False
            ),
        )

    # --------------------------------------------------------------- single lines

    def _line(self, line: Line) -> None:
        if line.timed or line.reduces:
            batch.emit(self, line)
        else:
            self._once(line)

    def _once(self, line: Line) -> None:
        """A line without time."""
        operands = [self.untimed_operand(o) for o in line.reads]
        if line.op == "step":
            self.body.append(f"{line.name} = {operands[0][0]}[{line.attrs['t'] - 1}]")
            return
        if line.op == "scatter_n":
            self._scatter(line, operands)
            return
        if (
            line.op == "stack" and line.attrs.get("axis", 0) == 0
            and len(operands) == 1 and operands[0][1] and len(line.reads[0]) == 1
        ):  # fmt: skip
            self.body.append(f"{line.name} = {operands[0][0]}")
            return
        call = self.call(line)
        attrs = self.keywords(line.attrs, line)
        inner = ", ".join(f"*{code}" if many else code for code, many in operands)
        if line.variadic:
            self.body.append(f"{line.name} = {call}([{inner}]{attrs})")
            return
        if line.op in ("matmul", "dot"):
            self.body.append(f"{line.name} = np.{line.op}({inner})")
        elif line.op == "transpose" and not attrs:
            # A transposed view costs twice in every product: copy it once.
            self.body.append(f"{line.name} = np.ascontiguousarray({inner}.T)")
        elif line.op == "mean" and line.attrs.get("axis") is None and not line.shape:
            ((code, _),) = operands
            self.body.append(f"{line.name} = np.add.reduce({code}, None) / {code}.size")
        elif line.op == "getitem":
            key = self.literal(line.attrs["key"], line)
            self.body.append(f"{line.name} = {inner}[{key}]")
        else:
            self.body.append(f"{line.name} = {call}({inner}{attrs})")

    def _scatter(self, line: Line, operands: list[tuple[str, bool]]) -> None:
        """The cotangent of a sequence: whole windows added at once where that is so."""
        keys = line.attrs["keys"]
        # Each operand has its keys by column; a plain program has one key per operand.
        if (
            any(OPERAND in (k if isinstance(k, tuple) else (k,)) for k in keys)
            or any(len(operand) > 1 for operand in line.reads)
            or not self.program.lengths
        ):
            self._scatter_one_by_one(line, operands)
            return
        self.body.append(f"{line.name} = np.zeros_like({operands[0][0]})")
        for operand, (code, many), columns in zip(
            line.reads[1:], operands[1:], keys[1:], strict=False
        ):
            (key,) = columns if columns else (None,)
            first = key[0] if isinstance(key, tuple) else key
            rest = key[1:] if isinstance(key, tuple) else ()
            clock = self.lines[operand[0].role].clock
            at = operand[0].at
            if many and isinstance(first, Ahead) and at is not None:
                name = self.length_name(clock)
                steps = Steps.of(at)
                if first.from_end:
                    low = Count(1, first.k) - steps.last
                    high = Count(1, first.k) - steps.first + 1
                    code = f"{code}[::{'' if at.down else '-'}1]"
                else:
                    low, high = steps.first + first.k, steps.last + first.k + 1
                    code = f"{code}[::{'-' if at.down else ''}1]"
                index = [f"{low.code(name)}:{high.code(name)}"]
                index += [self.literal(k, line) for k in rest]
                self.body.append(f"{line.name}[{', '.join(index)}] += {code}")
            elif many:
                self.body.append(f"for part in {code}:")
                self.body.append(
                    f"    np.add.at({line.name}, {self.literal(key, line)}, part)"
                )
            else:
                t = at.first if at is not None else 0
                fixed = at_step(key, t, self.storage.length(clock)) if t > 0 else key
                if t < 0:
                    self.body.append(
                        f"t = {Count.of_end(t).code(self.length_name(clock))}"
                    )
                self.body.append(
                    f"np.add.at({line.name}, {self.literal(fixed, line)}, {code})"
                )

    def _scatter_one_by_one(self, line: Line, operands: list[tuple[str, bool]]) -> None:
        call = self.call(line)
        inner = ", ".join(f"*{code}" if many else code for code, many in operands)
        parts = []
        nested = bool(self.program.lengths) and line.clock is None
        for operand, columns in zip(line.reads, line.attrs["keys"], strict=False):
            if not nested:
                parts.append(f"{self.literal(columns, line)}")
                continue
            keys = [c for c in columns if c is not None]
            if not keys:
                continue
            inside = ", ".join(self.literal(k, line) for k in keys)
            at = operand[0].at
            if at is None:
                parts.append(inside)
                continue
            name = self.length_name(self.lines[operand[0].role].clock)
            steps = Steps.of(at)
            low, high = steps.first.code(name), (steps.last + 1).code(name)
            order = (
                f"reversed(range({low}, {high}))"
                if at.down
                else (f"range({low}, {high})")
            )
            parts.append(f"*[k for t in {order} for k in ({inside},)]")
        self.body.append(f"{line.name} = {call}([{inner}], keys=({', '.join(parts)},))")

    # --------------------------------------------------------------------- loops

    def _loop(self, phase: Phase) -> None:
        """A loop over time, peeled where its steps are not all alike."""
        length = self.storage.length(phase.lines[0].clock)
        self._place_loop(phase)
        segments = self._segments(phase, length)
        for segment in segments if phase.direction > 0 else reversed(segments):
            lines = [
                x for x in phase.lines if x.steps and x.steps.meet(segment, length)
            ]
            if lines:
                self._segment(phase, lines, segment)

    def _place_loop(self, phase: Phase) -> None:
        for line in phase.lines:
            if line.index in self.storage.temporary:
                if batch.writes(line):
                    shape = ", ".join(map(str, line.shape))
                    comma = "," if len(line.shape) == 1 else ""
                    self.allocation.append(
                        f"{line.name} = np.empty(({shape}{comma}), np.{line.dtype})"
                    )
                    self.buffers.append(line.name)
            elif not self._over_its_term(phase, line):
                self.buffer(line)

    def _over_its_term(self, phase: Phase, line: Line) -> bool:
        """Let a sum be written over the term of its own step that nobody reads else.

        The gradient of h(t) is what arrives from o(t), to which the loop adds what comes
        from t + 1; at the last step it is the former alone.
        """
        if line.op != "add_n" and line.op != "add":
            return False
        inside = {x.index for x in phase.lines}
        for operand in line.reads:
            if len(operand) != 1 or operand[0].delay != 0:
                continue
            if not self.storage.whole(operand, line):
                continue
            term = self.lines[operand[0].role]
            store = self.storage.stores.get(term.index)
            if (
                term.index in inside or store is None or not store.owned
                or (store.shape, store.dtype) != (line.shape, line.dtype)
            ):  # fmt: skip
                continue
            if all(
                reader is line
                or {s.role for s in read} == {term.index, line.index}
                and len({s.delay for s in read}) == 1
                or self.storage.phase_of[reader.index] < self.now
                for reader, read in self.storage.readers(term)
            ) and not any(
                s.role == term.index for o in self.program.outputs for s in o
            ):
                self._occupy(store, line)
                self.storage.place(line, store)
                return True
        return False

    def _segments(self, phase: Phase, length: int) -> list[Steps]:
        """Ranges of steps on which the same lines run and read the same."""
        starts: dict[int, Count] = {}

        def cut(steps: Steps) -> None:
            for count in (steps.first, steps.last + 1):
                starts.setdefault(count.at(length), count)

        for line in phase.lines:
            assert line.steps is not None
            cut(line.steps)
            for operand in line.reads:
                if not self.storage.whole(operand, line) or (
                    len(operand) > 1
                    and any(s.role in self.storage.temporary for s in operand)
                ):
                    for source in operand:
                        if source.span is not None:
                            cut(Steps.of(source.span))
        cuts = [starts[k] for k in sorted(starts)]
        return [Steps(a, b - 1) for a, b in zip(cuts, cuts[1:], strict=False)]

    def _segment(self, phase: Phase, lines: list[Line], segment: Steps) -> None:
        clock = lines[0].clock
        single = segment.first == segment.last
        lists: dict[str, str] = {}  # loop variable -> the list it runs over
        body: list[str] = []
        for line in lines:
            arguments = [
                self._step_operand(o, line, segment, lists, single, phase.direction)
                for o in line.reads
                if self.storage.pieces(o, segment, clock)
            ]
            target = None
            if line.index not in self.storage.temporary:
                store = self.storage.stores[line.index]
                if single:
                    target = self.element(store, segment.first)
                else:
                    target = f"{line.name}_t"
                    code = self._list(store, segment, phase.direction)
                    same = [v for v, known in lists.items() if known == code]
                    target = same[0] if same else target
                    lists[target] = code
            body += batch.step(self, line, arguments, target)
        name = self.length_name(clock)
        if single:
            if any("t" in _words(code) for code in body):
                self.body.append(f"t = {segment.first.code(name)}")
            self.body += body
            return
        if any("t" in _words(code) for code in body):
            low, high = segment.first.code(name), (segment.last + 1).code(name)
            lists["t"] = f"range({low}, {high})"
            if phase.direction < 0:
                lists["t"] += "[::-1]"
        variables, sequences = ", ".join(lists), ", ".join(lists.values())
        if len(lists) == 1:
            self.body.append(f"for {variables} in {sequences}:")
        else:
            self.body.append(f"for {variables} in zip({sequences}):")
        self.body += [f"    {code}" for code in body]

    def _list(self, store: Store, steps: Steps, direction: int) -> str:
        """The entries of a store at some steps, in the order of the loop."""
        if not store.listed:
            store.listed = True
            made = f"{store.name}_ = views({store.name})"
            if store.owned:
                self.allocation.append(made)
                self.buffers.append(f"{store.name}_")
            else:
                self.body.append(made)
        name = self.length_name(store.clock)
        code = f"{store.name}_"
        if steps != store.steps:
            a = store.position(steps.first).code(name)
            b = (store.position(steps.last) + 1).code(name)
            code += f"[{'' if a == '0' else a}:{b}]"
        return code if direction > 0 else f"{code}[::-1]"

    def _step_operand(
        self, operand: Operand, line: Line, segment: Steps, lists: dict[str, str],
        single: bool, direction: int,
    ) -> str:  # fmt: skip
        pieces = self.storage.pieces(operand, segment, line.clock)
        if len(pieces) == 1:
            (piece,) = pieces
            if piece.one:
                return self.piece(piece)
            if piece.line.index in self.storage.temporary:
                return piece.line.name
            assert piece.store is not None and piece.window is not None
            if single:
                return self.element(piece.store, piece.window.first)
            code = self._list(piece.store, piece.window, direction)
        else:
            name = self.length_name(line.clock)
            parts = []
            for piece in pieces:
                if piece.one:
                    parts.append(
                        f"[{self.piece(piece)}] * ({piece.steps.count.code(name)})"
                    )
                else:
                    assert piece.store is not None and piece.window is not None
                    parts.append(self._list(piece.store, piece.window, 1))
            code = f"({' + '.join(parts)})"
            code = code if direction > 0 else f"{code}[::-1]"
        for variable, known in lists.items():
            if known == code:
                return variable
        delay = next((s.delay for s in operand if s.delay is not None), 0)
        when = "t" if not delay else "before" if delay > 0 else "after"
        variable = base = f"{pieces[-1].line.name}_{when}"
        while variable in lists:
            variable = f"{base}{len(lists)}"
        lists[variable] = code
        return variable


def views(array: Any) -> list[Any]:
    """The entries of an array along its first axis, as arrays that can be written to."""
    if array.ndim > 1:
        return list(array)
    return [array[i : i + 1].reshape(()) for i in range(len(array))]


def _words(code: str) -> set[str]:
    return set("".join(c if c.isalnum() or c == "_" else " " for c in code).split())
