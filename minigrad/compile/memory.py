"""Where the values of a program are kept: buffers, places, and who follows whom.

Vocabulary
    root     a timed value that is computed; a shift, a state or a view of it has none
             of its own memory
    buffer   an array with an entry a step, or of one step alone
    place    where a value is: h(t) is what some views make of an entry of a buffer
    fill     the entries before the first or behind the last step of a buffer that hold
             an initial state, so that h(t-1) at every t is one window of one array
    scratch  a buffer of one step, for what is read at once or by the next step

What an engine can do is asked of its ``Abilities``. A test proves of plans,
independently, that every read sees the value that was written for it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from minigrad.compile.counts import Count, Shape, Steps
from minigrad.compile.kinds import O
from minigrad.compile.looks import Abilities, Looks, Trace
from minigrad.compile.schedule import Loop, Part
from minigrad.compile.spec import end_of
from minigrad.compile.values import Program, Time, Value


@dataclass(eq=False)
class Buffer:
    """An array; ``steps`` are those of its entries, None where it has one step alone.

    ``source`` is the untimed value whose array it is, if it is no memory of its own;
    ``bound`` says that the run makes it.
    """

    root: Value
    steps: Steps | None
    shape: Shape
    dtype: str
    source: Value | None = None
    bound: bool = False


class Place(NamedTuple):
    """A value at step t: what ``views`` make, in turn, of the entry of t - delay."""

    buffer: Buffer
    delay: int = 0
    views: tuple[Value, ...] = ()


class Fill(NamedTuple):
    """Before the part with this position: an untimed value into an entry."""

    buffer: Buffer
    step: Count | None
    value: Value


@dataclass
class Plan:
    """The parts of a program, and where their values are.

    ``placed`` are the parts of a join that are written where they belong.
    """

    program: Program
    parts: list[Part]
    places: dict[Value, Place] = field(default_factory=dict)
    fills: dict[int, list[Fill]] = field(default_factory=dict)
    placed: dict[Value, Value] = field(default_factory=dict)
    roots: set[Value] = field(default_factory=set)

    def end(self, clock: int) -> Count:
        """The last step of a clock."""
        return end_of(clock, self.program)

    def copied(self, join: Value) -> list[tuple[int, Any]]:
        """The operands of a join, by number, that are not in their place, and that."""
        views = [self.placed.get(i) for i in join.inputs]
        return [
            (i, key)
            for i, (view, key) in enumerate(zip(views, pieces(join), strict=True))
            if not (view and view.inputs[0] is join and view.attrs["key"] == key)
        ]


def pieces(join: Value) -> list[Any]:
    """Of the operands of a concatenation the keys at which they are in the result."""
    axis, start, keys = join.attrs.get("axis", 0) % len(join.shape), 0, list[Any]()
    for i in join.inputs:
        width = i.shape[axis]
        assert isinstance(width, int)
        keys.append((*[slice(None)] * axis, slice(start, start + width)))
        start += width
    return keys


def plan(program: Program, parts: list[Part], abilities: Abilities) -> Plan:
    """Places for all timed values of a program in this order."""
    return _Planner(program, parts, abilities).plan()


class _Planner(Looks):
    """Decides in turn: scratch, joins, and which buffer serves whom."""

    def __init__(self, program: Program, parts: list[Part], able: Abilities) -> None:
        super().__init__(program, parts, able)
        self.given: dict[Value, Buffer] = {}
        self.plan_ = Plan(program, parts)
        self.scratch = set(filter(self._is_scratch, self.lines))
        self._find_joins()

    def _is_scratch(self, u: Value) -> bool:
        """Whether a line of a loop is read only in its step or by the next one."""
        for reader, delay, loop in self.uses.get(u, ()):
            if loop is None or u not in loop.whole:
                return False
            if delay == loop.direction and self.able.fresh(u):
                order = loop.body
                if u in order and order.index(reader) >= order.index(u):
                    return False
            elif delay:
                return False
        mine = [c for c in self.cells if c[0] is u]
        return len(mine) < 2

    def _find_joins(self) -> None:
        """Operands of a concatenation that can be written in their place of it."""
        for _, v, loop, _ in self._reads():
            if v.op is O.concatenate and v.steps is not None:
                whole = v.attrs.get("axis", 0) is not None
                if whole and (loop is not None or self.able.writes_all(v)):
                    self._join(v)

    def _join(self, join: Value) -> None:
        for p, key in zip(join.inputs, pieces(join), strict=True):
            fits = (
                self.trace(p) == Trace(p)
                and (p.steps, p.dtype) == (join.steps, join.dtype)
                and p not in self.plan_.placed
                and not any(c[0] is p for c in self.cells)
                and (p in self.lines) == (join in self.lines)
                and self.able.in_place(p)
                and (join not in self.scratch or p in self.scratch)
            )
            if fits:
                if join not in self.scratch:
                    self.scratch.discard(p)
                made = O.getitem, (join,), {"key": key}, p.shape, p.dtype, p.steps
                self.plan_.placed[p] = Value(*made)

    # Which buffer.

    def plan(self) -> Plan:
        """The plan: a buffer for each root, and a place for each look at one."""
        free: list[tuple[Buffer, list[Value]]] = []
        roots = [v for v in self.first if self._is_root(v)]
        self.plan_.roots = set(roots)
        whole = {v: self._held(v) for v in roots}
        start = dict(self.first)
        for p, view in self.plan_.placed.items():
            join = view.inputs[0]
            start[join] = min(start[join], start[p])
            self.last[join] = max(self.last.get(join, 0), self.last.get(p, 0))
        for v in sorted(roots, key=lambda v: (start[v], v in self.plan_.placed)):
            if v not in self.plan_.placed:
                buffer = self._buffer(v, whole[v], free, start[v])
                delay = -v.attrs["offset"] if buffer.source is not None else 0
                self.plan_.places[v] = Place(buffer, delay)
        for v, view in self.plan_.placed.items():
            buffer = self.plan_.places[view.inputs[0]].buffer
            self.plan_.places[v] = Place(buffer, 0, (view,))
        for (line, step), value in self.cells.items():
            self._fill(line, step, value)
        for v in self.position:
            if v.steps is not None and v not in self.plan_.places:
                self._look(v)
        return self.plan_

    def _is_root(self, v: Value) -> bool:
        if v.steps is None or v.op in (Time.each, Time.shift, Time.state):
            return False
        if self._is_cut(v):
            return False
        return self.trace(v).root is v

    def _held(self, v: Value) -> Steps | None:
        """The steps of a root's buffer: its own, and those of its fills."""
        if v in self.scratch:
            return None
        steps = v.span
        for line, step in self.cells:
            if line is v:
                if step.a == steps.first.a and step.b < steps.first.b:
                    steps = steps._replace(first=step)
                elif step.a == steps.last.a and step.b > steps.last.b:
                    steps = steps._replace(last=step)
        return steps

    def _buffer(
        self, v: Value, steps: Steps | None, free: list[tuple[Buffer, list[Value]]],
        start: int,
    ) -> Buffer:  # fmt: skip
        if v.op is Time.read and not v.attrs["down"]:
            return self._given(v)
        stored = v in self.lines or self.able.writes_all(v)
        if steps is None or not stored:
            return Buffer(v, steps, v.shape, v.dtype, None, not stored)
        joined = any(view.inputs[0] is v for view in self.plan_.placed.values())
        for buffer, tenants in free if not joined else ():
            mine = buffer.steps, buffer.shape, buffer.dtype
            if mine == (steps, v.shape, v.dtype) and all(
                self._gone(u, v, start) for u in tenants
            ):
                tenants.append(v)
                return buffer
        buffer = Buffer(v, steps, v.shape, v.dtype)
        free.append((buffer, [v]))
        return buffer

    def _given(self, v: Value) -> Buffer:
        """The array that a read is a window of, with entries from step 1 on."""
        xs = v.inputs[0]
        if xs not in self.given:
            rows = xs.shape[0]
            last = rows if isinstance(rows, Count) else Count(0, rows)
            steps = Steps(v.span.clock, Count(0, 1), last)
            self.given[xs] = Buffer(v, steps, v.shape, v.dtype, xs)
        return self.given[xs]

    def _gone(self, u: Value, v: Value, start: int) -> bool:
        """Whether v may be written where u was: u is not read after that."""
        last = self.last.get(u, self.position[u])
        if last < start:
            return True
        if self.position[v] != last or self.position[u] >= start:
            return False
        if any(c[0] in (u, v) for c in self.cells):
            return False
        if any(view.inputs[0] is u for view in self.plan_.placed.values()):
            return False
        for reader, delay, loop in self.uses.get(u, ()):
            if self.position[reader] < start:
                continue
            if delay or not self.able.fresh(reader):
                return False
            if loop is None:
                if reader is not v or not self._reads_alike(v, v.inputs, u):
                    return False
            elif v not in loop.body or not self._before(reader, v, loop, u):
                return False
        return True

    def _before(self, reader: Value, v: Value, loop: Loop, u: Value) -> bool:
        """Whether a line of a step has read u when v is written over it."""
        if reader is v:
            return self._reads_alike(v, loop.operands(v), u)
        return loop.body.index(reader) < loop.body.index(v)

    def _reads_alike(self, v: Value, inputs: Iterable[Value], u: Value) -> bool:
        """Whether v reads of u, element by element, just what lies at its own place."""
        traces = [self.trace(i) for i in inputs if i.steps is not None]
        return self.able.in_place(v) and all(
            not s.views and not s.delay for s in traces if s.root is u
        )

    def _fill(self, line: Value, step: Count, value: Value) -> None:
        buffer = self.plan_.places[line].buffer
        where = None if buffer.steps is None else step
        fills = self.plan_.fills.setdefault(self.first[line], [])
        fills.append(Fill(buffer, where, value))

    def _look(self, v: Value) -> None:
        seen = self.trace(v)
        if seen.root is None or seen.root not in self.plan_.places:
            return
        at = self.plan_.places[seen.root]
        delay = at.delay + seen.delay
        self.plan_.places[v] = Place(at.buffer, delay, (*at.views, *seen.views))
