"""Where the values of lines with time are kept: buffers, shared and used again.

Vocabulary
    store    an array with one entry per step, or a view that is bound when the program
             runs; a line's value at step t is its entry t - first
    pad      entries before the first or behind the last step that hold an initial
             state, so that h(t-1) at every t is one window of one array
    window   the part of a store that an operand reads
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigrad.compile.line import Count, Line, LoopProgram, Steps
from minigrad.compile.schedule import Phase
from minigrad.fold.moving_index import Ahead
from minigrad.fold.roles import Operand

# Ops whose result never lies in the memory of what they read, besides ufuncs.
FRESH = frozenset(
    [
        "sum", "mean", "max", "min", "softmax", "log_softmax", "logsumexp", "prod",
        "var", "std", "cumsum", "cumprod", "where", "clip", "sigmoid", "relu",
        "softplus", "astype", "add_n", "concatenate", "join", "scatter_n", "matmul",
        "dot", "embedding", "mse_loss", "cross_entropy", "picked_losses",
        "class_gradient", "target_weights", "per_kept",
    ]
)  # fmt: skip


def fresh(line: Line) -> bool:
    """Whether a line's value has memory of its own; any other may be a view."""
    if line.op == "add_n" and not line.reduces:
        return len(line.reads) > 1  # of one term it may be the term
    return isinstance(line.forward, np.ufunc) or line.op in FRESH or line.reduces


def writes(line: Line) -> bool:
    """Whether a step of this line is written into a buffer that is given to it."""
    return (
        isinstance(line.forward, np.ufunc)
        or line.op in ("sigmoid", "join")
        or (line.op == "add_n" and len(line.reads) > 1)
        or (line.op in ("matmul", "dot") and len(line.shape) == 2)
    )


def is_basic(key: Any) -> bool:
    """Whether an index is the same at each step and gives a view."""
    parts = key if isinstance(key, tuple) else (key,)
    return all(
        part is None or part is Ellipsis or type(part) is int
        or (isinstance(part, slice) and not isinstance(part.start, Ahead)
            and not isinstance(part.stop, Ahead))
        for part in parts
    )  # fmt: skip


@dataclass(eq=False)
class Store:
    """One array over steps.

    ``owned`` ones are made with the workspace; ``view``s of them are never written
    over by another line. ``tenants`` are the lines that keep or kept values there.
    """

    name: str
    steps: Steps
    clock: int
    shape: tuple[int, ...]
    dtype: str
    owned: bool
    view: bool = False
    pads: list[tuple[Steps, Line]] = field(default_factory=list)
    listed: bool = False
    tenants: set[int] = field(default_factory=set)

    def position(self, step: Count) -> Count:
        """The index of a step."""
        return step - self.steps.first


@dataclass(eq=False)
class Piece:
    """Part of an operand: a window of a store, or one value for all of its steps."""

    steps: Steps
    store: Store | None
    line: Line
    window: Steps | None = None
    one: bool = False

    def cells(self) -> tuple[Store, Steps]:
        """The store that is read, and which steps of it."""
        assert self.store is not None, f"{self.line.name} has no store"
        assert self.window is not None, f"{self.line.name} is read outside of time"
        return self.store, self.window


class Storage:
    """Which store each line with time has, decided before any code is written."""

    def __init__(self, program: LoopProgram, phases: list[Phase]) -> None:
        self.program = program
        self.lines = program.lines
        self.phase_of = {
            line.index: p for p, phase in enumerate(phases) for line in phase.lines
        }
        self.phases = phases
        self.stores: dict[int, Store] = {}
        self.temporary: set[int] = set()
        self.seen_in: dict[int, tuple[int, Any]] = {}
        self.part_of: dict[int, tuple[int, Any]] = {}
        self.last_read = self._last_reads()
        self.views = self._views()
        for phase in phases:
            if phase.direction:
                self._find_temporary(phase)
        for phase in phases:
            if phase.direction:
                self._find_seen(phase)
        self._find_parts()
        self._settle()
        self._find_pads()

    def length(self, clock: int | None) -> int:
        """The traced length of a clock."""
        return self.program.lengths[clock or 0]

    def readers(self, line: Line) -> list[tuple[Line, Operand]]:
        """The operands, of which lines, that read a line."""
        return [
            (other, operand)
            for other in self.lines.values()
            for operand in other.reads
            if any(s.role == line.index for s in operand)
        ]

    def _views(self) -> dict[int, set[int]]:
        """The lines whose values may lie in the memory of a line, itself among them."""
        views = {i: {i} for i in self.lines}
        lookers = [line for line in self.lines.values() if not fresh(line)]
        again = True
        while again:
            again = False
            for line in reversed(lookers):
                for source in line.sources():
                    if not views[line.index] <= views[source.role]:
                        views[source.role] |= views[line.index]
                        again = True
        return views

    def _last_reads(self) -> dict[int, int]:
        """The last phase that reads a line; one behind all for what is an output."""
        last = dict.fromkeys(self.lines, -1)
        for p, phase in enumerate(self.phases):
            for line in phase.lines:
                for source in line.sources():
                    last[source.role] = p
        for operand in self.program.outputs:
            for source in operand:
                last[source.role] = len(self.phases)
        return last

    def done(self, index: int, now: int) -> bool:
        """Whether nothing reads a line, or what may be a view of it, from now on."""
        return all(self.last_read[i] < now for i in self.views[index])

    def is_free(self, store: Store, now: int, by: Line | None = None) -> bool:
        """Whether a line may write over all that a store holds.

        The one place that decides it: every line that keeps its values there is done,
        or it is an operand of ``by``, which reads it step by step as it writes.
        """
        if not store.owned or store.view or store.pads:
            return False
        return all(
            self.done(i, now) or (by is not None and self._read_last_by(i, by, now))
            for i in store.tenants
        )

    def _read_last_by(self, index: int, by: Line, now: int) -> bool:
        reads = [
            operand
            for other in self.phases[now].lines
            for operand in other.reads
            if any(s.role == index for s in operand)
        ]
        return (
            self.phases[now].lines == [by]
            and self.last_read[index] == now
            and all(self.done(i, now) for i in self.views[index] - {index})
            and all(len(o) == 1 and o[0].delay == 0 for o in reads)
        )

    def _find_temporary(self, phase: Phase) -> None:
        """Lines of a loop whose value is read only in this step or by the next one."""
        order = {line.index: i for i, line in enumerate(phase.lines)}
        outputs = {s.role for operand in self.program.outputs for s in operand}
        for line in phase.lines:
            fits = line.index not in outputs
            for reader, operand in self.readers(line):
                for source in operand:
                    if source.role != line.index:
                        continue
                    before = order.get(reader.index, -1) < order[line.index]
                    same_step = source.delay == 0
                    # The buffer of the step before is written over behind the reader,
                    # so neither may be a view.
                    carried = (
                        source.delay == phase.direction and before
                        and writes(line) and fresh(reader)
                    )  # fmt: skip
                    if reader.index not in order or not (same_step or carried):
                        fits = False
            if fits:
                self.temporary.add(line.index)

    def _find_pads(self) -> None:
        """Initial states that fit before the first or behind the last step."""
        self.pads: dict[int, list[tuple[Steps, Line]]] = {}
        for reader in self.lines.values():
            for operand in reader.reads:
                timed = [s for s in operand if self.lines[s.role].timed and s.delay]
                rest = [s for s in operand if not self.lines[s.role].timed]
                if len(timed) != 1 or len(rest) != 1 or rest[0].kind != "broadcast":
                    continue
                line, start = self.lines[timed[0].role], self.lines[rest[0].role]
                if timed[0].span is None or rest[0].span is None or line.steps is None:
                    continue
                if (
                    start.kind == "op"
                    or line.index in self.temporary
                    or line.index in self.part_of
                    or line.index in self.seen_in
                    or (start.shape, start.dtype) != (line.shape, line.dtype)
                ):
                    continue
                delay = timed[0].delay or 0
                cells = Steps.of(rest[0].span).shifted(-delay)
                front = cells.last + 1 == line.steps.first
                back = cells.first == line.steps.last + 1
                if not (front or back):
                    continue
                pads = self.pads.setdefault(line.index, [])
                same_side = [
                    (s, o) for s, o in pads if (s.last + 1 == line.steps.first) == front
                ]
                if not same_side:
                    pads.append((cells, start))

    def _find_seen(self, phase: Phase) -> None:
        """Indexings in a loop that can be views of what it writes."""
        body = {line.index for line in phase.lines}
        for line in phase.lines:
            key = line.attrs.get("key")
            if line.op != "getitem" or not line.shape or not is_basic(key):
                continue
            source = line.reads[0][0]
            base = self.lines[source.role]
            if (
                len(line.reads[0]) != 1 or source.role not in body
                or source.delay != 0 or base.steps != line.steps
                or source.role in self.seen_in or not writes(base)
            ):  # fmt: skip
                continue
            read_now = all(
                s.delay == 0
                for _, operand in self.readers(line)
                for s in operand
                if s.role == line.index
            )
            if not (read_now and {base.index, line.index} <= self.temporary):
                self.temporary -= {base.index, line.index}
            self.seen_in[line.index] = (base.index, key)

    def _find_parts(self) -> None:
        """Operands of a join that can be written in their place of it."""
        for join in self.lines.values():
            if join.op != "join" or not join.timed:
                continue
            if any(
                s.delay != 0
                for _, operand in self.readers(join)
                for s in operand
                if s.role == join.index
            ):
                self.temporary.discard(join.index)
            for operand, key in zip(join.reads, join.attrs["keys"], strict=True):
                line = self.lines[operand[0].role]
                fits = (
                    len(operand) == 1 and operand[0].delay == 0 and line.timed
                    and (line.steps, line.dtype) == (join.steps, join.dtype)
                    and writes(line) and line.op not in ("dot", "matmul", "join")
                    and line.index not in self.part_of
                )  # fmt: skip
                if join.index in self.temporary:
                    fits = fits and line.index in self.temporary
                elif fits:
                    self.temporary.discard(line.index)
                if fits:
                    self.part_of[line.index] = (join.index, key)

    def _settle(self) -> None:
        """A view or a part lives as long as what it lies in: one step, or all."""
        pairs = [(a, b) for a, (b, _) in (self.seen_in | self.part_of).items()]
        again = True
        while again:
            apart = [pair for pair in pairs if len(self.temporary & {*pair}) == 1]
            self.temporary.difference_update(*apart)
            again = bool(apart)

    def place(self, line: Line, store: Store) -> Store:
        """Say where a line's values are."""
        self.stores[line.index] = store
        store.tenants.add(line.index)
        return store

    def pieces(self, operand: Operand, steps: Steps, clock: int | None) -> list[Piece]:
        """What an operand reads on ``steps``, in order, as few pieces as possible."""
        length = self.length(clock)
        found: list[Piece] = []
        for source in operand:
            part = steps
            if source.span is not None:
                met = Steps.of(source.span).meet(steps, length)
                if met is None:
                    continue
                part = met
            line = self.lines[source.role]
            if not line.timed:
                found.append(Piece(part, None, line, one=True))
            elif source.delay is None:
                assert source.at is not None
                at = Steps.of(source.at)
                found.append(Piece(part, self.stores[line.index], line, at, one=True))
            else:
                window = part.shifted(-source.delay)
                found.append(Piece(part, self.stores.get(line.index), line, window))
        found.sort(key=lambda piece: piece.steps.first.at(length))
        return self._joined(found, length)

    def whole(self, operand: Operand, line: Line) -> bool:
        """Whether an operand is read at every step; a sum may lack terms."""
        length = self.length(line.clock)
        spans = [Steps.of(s.span) for s in operand if s.span is not None]
        if len(spans) < len(operand):
            return True
        first = min(span.first.at(length) for span in spans)
        last = max(span.last.at(length) for span in spans)
        return (first, last) == tuple(count.at(length) for count in line.span)

    def _joined(self, pieces: list[Piece], length: int) -> list[Piece]:
        """Pieces that follow one another in one store, made one."""
        if len(pieces) == 1:
            return pieces
        stores = {p.store for p in pieces if p.store is not None and not p.one}
        if len(stores) != 1:
            return pieces
        store = stores.pop()
        anchor = next(p for p in pieces if p.store is store)
        assert anchor.window is not None
        shift = anchor.window.first - anchor.steps.first
        for piece in pieces:
            window = Steps(piece.steps.first + shift, piece.steps.last + shift)
            if piece.store is store and piece.window == window:
                continue
            if not any(
                window.meet(cells, length) == window and start is piece.line
                for cells, start in store.pads
            ):
                return pieces
        first, last = pieces[0].steps.first, pieces[-1].steps.last
        whole = Piece(Steps(first, last), store, anchor.line)
        whole.window = Steps(first + shift, last + shift)
        return [whole]
