"""Loops over time, peeled where their steps are not all alike."""

from collections.abc import Callable
from itertools import pairwise

from minigrad.compile import inside
from minigrad.compile.line import Count, Line, Steps
from minigrad.compile.schedule import Phase
from minigrad.compile.storage import writes
from minigrad.compile.writer import Writer
from minigrad.fold.roles import Operand


def emit(e: Writer, phase: Phase) -> None:
    """Write the loop of some lines that depend on one another through delays."""
    length = e.storage.length(phase.lines[0].clock)

    def apart(operand: Operand, line: Line) -> bool:
        return not e.storage.whole(operand, line) or (
            len(operand) > 1 and any(s.role in e.storage.temporary for s in operand)
        )

    for line in phase.lines:
        place(e, phase, line)
        if line.index in e.storage.temporary:
            _place_now(e, line)
    parts = segments(e, phase, length, apart)
    for segment in parts if phase.direction > 0 else reversed(parts):
        lines = [x for x in phase.lines if x.span.meet(segment, length)]
        if lines:
            _Segment(e, segment, phase.direction).emit(lines)


def place(e: Writer, phase: Phase, line: Line) -> None:
    """Say where a line's values of all steps are, before any of them is written."""
    if line.index in e.storage.temporary:
        return
    if line.index in e.storage.seen_in:
        e.see(line)
    elif not _over_its_term(e, phase, line):
        e.buffer(line)


def _place_now(e: Writer, line: Line) -> None:
    """Say where the value of one step alone is."""
    if line.index in e.storage.seen_in:
        e.see(line)
    elif writes(line) and line.name not in e.buffers:
        e.step_buffer(line)


def _over_its_term(e: Writer, phase: Phase, line: Line) -> bool:
    """Let a sum be written over the term of its own step that nobody else reads.

    The gradient of h(t) is what arrives from o(t), to which the loop adds what comes
    from t + 1; at the last step it is the former alone.
    """
    storage = e.storage
    if line.op not in ("add_n", "add") or line.index in (
        storage.part_of | storage.pads
    ):  # fmt: skip
        return False
    body = {x.index for x in phase.lines}
    for operand in line.reads:
        term = e.lines[operand[0].role]
        store = storage.stores.get(term.index)
        if (
            len(operand) != 1 or operand[0].delay != 0 or term.index in body
            or store is None or not store.owned or store.view or store.pads
            or (store.shape, store.dtype) != (line.shape, line.dtype)
            or (store.clock, term.clock) != (line.clock, line.clock)
            or not storage.whole(operand, line)
        ):  # fmt: skip
            continue
        others = (store.tenants - {term.index}) | (
            storage.views[term.index] - {term.index}
        )
        if (
            all(storage.done(i, e.now) for i in others)
            and all(
                reader is line
                or storage.phase_of[reader.index] < e.now
                or _instead(e, line, term, read, reader)
                for reader, read in storage.readers(term)
            )
            and storage.last_read[term.index] < len(e.phases)
        ):
            storage.place(line, store)
            return True
    return False


def _instead(e: Writer, line: Line, term: Line, operand: Operand, reader: Line) -> bool:
    """Whether an operand reads a term only at steps that the sum does not have."""
    length = e.storage.length(line.clock)
    delays = {s.delay for s in operand}
    if {s.role for s in operand} != {term.index, line.index} or len(delays) > 1:
        return False
    if None in delays:
        return False
    for source in operand:
        if source.role == term.index:
            if source.span is None or source.delay is None:
                return False
            if Steps.of(source.span).shifted(-source.delay).meet(line.span, length):
                return False
    return True


def segments(
    e: Writer, phase: Phase, length: int, apart: Callable[[Operand, Line], bool]
) -> list[Steps]:
    """Ranges of steps on which the same lines run and read the same.

    ``apart`` says of which operands the sources are read in ranges of their own.
    """
    starts: dict[int, Count] = {}

    def cut(steps: Steps) -> None:
        for count in (steps.first, steps.last + 1):
            starts.setdefault(count.at(length), count)

    for line in phase.lines:
        cut(line.span)
        for operand in line.reads:
            if apart(operand, line):
                for source in operand:
                    if source.span is not None:
                        cut(Steps.of(source.span))
    cuts = [starts[k] for k in sorted(starts)]
    return [Steps(a, b - 1) for a, b in pairwise(cuts)]


class _Segment:
    """The loop over one range of steps, or its body alone where that is one step."""

    def __init__(self, e: Writer, steps: Steps, direction: int) -> None:
        self.e = e
        self.steps = steps
        self.direction = direction
        self.single = steps.first == steps.last
        self.lists: dict[str, str] = {}  # loop variable -> the list it runs over

    def emit(self, lines: list[Line]) -> None:
        """Write the loop; its variables are the entries of the lists it needs."""
        e = self.e
        body: list[str] = []
        for line in lines:
            if line.index not in e.storage.seen_in:
                body += self._line(line)
        name = e.length_name(lines[0].clock)
        moves = any("t" in _words(code) for code in body)
        if self.single:
            if moves:
                e.body.append(f"t = {self.steps.first.code(name)}")
            e.body += body
            return
        if moves:
            low, high = self.steps.first.code(name), (self.steps.last + 1).code(name)
            back = "[::-1]" if self.direction < 0 else ""
            self.lists["t"] = f"range({low}, {high}){back}"
        variables, sequences = ", ".join(self.lists), ", ".join(self.lists.values())
        if len(self.lists) > 1:
            sequences = f"zip({sequences})"
        e.body.append(f"for {variables} in {sequences}:")
        e.body += [f"    {code}" for code in body]

    def _line(self, line: Line) -> list[str]:
        e = self.e
        if line.op == "join":
            return self._join(line)
        arguments = [
            self._operand(o, line)
            for o in line.reads
            if e.storage.pieces(o, self.steps, line.clock)
        ]
        return inside.step(e, line, arguments, self._target(line))

    def _join(self, line: Line) -> list[str]:
        """Parts that were not written in their place are copied to it."""
        target = self._target(line) or line.name
        return [
            f"{target}[{self.e.index(key, line)}] = {self._operand(operand, line)}"
            for operand, key in zip(line.reads, line.attrs["keys"], strict=True)
            if not self.e.in_place(operand, line, key)
        ]

    def _target(self, line: Line) -> str | None:
        """Where this step of a line is written; None if it has no entry per step."""
        e = self.e
        if line.index in e.storage.temporary:
            return None
        store = e.storage.stores[line.index]
        if self.single:
            return e.element(store, self.steps.first)
        return self._variable(
            f"{line.name}_t", e.entries(store, self.steps, self.direction)
        )

    def _variable(self, base: str, code: str) -> str:
        for variable, known in self.lists.items():
            if known == code:
                return variable
        variable = base
        while variable in self.lists:
            variable = f"{base}{len(self.lists)}"
        self.lists[variable] = code
        return variable

    def _operand(self, operand: Operand, line: Line) -> str:
        e = self.e
        pieces = e.storage.pieces(operand, self.steps, line.clock)
        if len(pieces) == 1:
            (piece,) = pieces
            if piece.one:
                return e.piece(piece)
            if piece.line.index in e.storage.temporary:
                return piece.line.name
            store, window = piece.cells()
            if self.single:
                return e.element(store, window.first)
            code = e.entries(store, window, self.direction)
        else:
            name = e.length_name(line.clock)
            parts = []
            for piece in pieces:
                if piece.one:
                    count = piece.steps.number.code(name)
                    parts.append(f"[{e.piece(piece)}] * ({count})")
                else:
                    parts.append(e.entries(*piece.cells(), 1))
            code = f"({' + '.join(parts)})"
            code = code if self.direction > 0 else f"{code}[::-1]"
        delay = next((s.delay for s in operand if s.delay is not None), 0)
        when = "t" if not delay else "before" if delay > 0 else "after"
        return self._variable(f"{pieces[-1].line.name}_{when}", code)


def once_per_step(e: Writer, line: Line) -> None:
    """The way that always works: one line in a loop of its own, into a buffer."""
    store = e.buffer(line)
    segment = _Segment(e, line.span, 1)
    segment.single = False
    e.storage.place(line, store)
    segment.emit([line])


def _words(code: str) -> set[str]:
    return set("".join(c if c.isalnum() or c == "_" else " " for c in code).split())
