"""What a timed value is another look at, and who reads its memory until when.

Vocabulary
    root   a timed value that is computed; a shift, a state or a view of it is a look
    trace  of a look: the root, how many steps back, and the views in their order
    cell   an entry beyond the steps of a line, which holds an initial state
    fresh  a result that shares no memory with what it is computed from
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from minigrad.compile.counts import Count
from minigrad.compile.kinds import O, is_view
from minigrad.compile.schedule import Loop, Part
from minigrad.compile.values import Program, Time, Value


class Abilities(Protocol):
    """What an engine can do with an op."""

    def writes(self, v: Value) -> bool:
        """Whether it writes a step of a value into an array that is given."""

    def writes_all(self, v: Value) -> bool:
        """Whether it writes all steps of a value into an array that is given."""

    def fresh(self, v: Value) -> bool:
        """Whether the result never shares memory with an operand."""

    def in_place(self, v: Value) -> bool:
        """Whether the result may be written over an operand that it reads."""


class Trace(NamedTuple):
    """What a timed value is: views of a root some steps back, or an untimed value."""

    root: Value | None
    delay: int = 0
    views: tuple[Value, ...] = ()
    untimed: Value | None = None


class Looks:
    """The roots of a program in this order, and who reads them until when."""

    def __init__(self, program: Program, parts: list[Part], able: Abilities) -> None:
        self.program, self.parts, self.able = program, parts, able
        self.carried: dict[Value, Value] = {}  # splice of a loop -> its state
        self.lines: set[Value] = set()  # of the bodies of loops
        self.first: dict[Value, int] = {}
        self.position: dict[Value, int] = {}
        self.cells: dict[tuple[Value, Count], Value] = {}
        self.known: dict[Value, Trace] = {}
        self.inside: set[Value] = set()
        order = {v: i for i, v in enumerate(program.values)}
        for i, part in enumerate(parts):
            if isinstance(part, Loop):
                self.inside |= part.whole
                self.carried |= part.carried
                self.cells |= part.cells
                for v in sorted(part.whole, key=order.__getitem__):
                    self.first.setdefault(v, i)
                    self.position[v] = i
                self.lines.update(part.body)
            else:
                self.first[part] = self.position[part] = i
        self.uses = self._find_uses()
        self.last = self._last_uses()

    # What a value is.

    def trace(self, v: Value) -> Trace:
        """The root of a value, and how it is seen; found once."""
        if v not in self.known:
            chain = [v]
            while chain:
                nearer = self._nearer(chain[-1])
                if nearer is None or nearer in self.known:
                    top = chain.pop()
                    self.known[top] = self._traced(top, nearer)
                else:
                    chain.append(nearer)
        return self.known[v]

    def _nearer(self, v: Value) -> Value | None:
        """The timed value that this one is only another look at."""
        match v.op:
            case Time.shift:
                return v.inputs[0]
            case Time.state:
                return self.program.states[v]
            case Time.splice:
                return self._whole_of(v)
        if v.steps is not None and is_view(v) and not isinstance(v.op, Time):
            return v.inputs[0]
        return None

    def _traced(self, v: Value, nearer: Value | None) -> Trace:
        if v.op is Time.each:
            return Trace(None, 0, (), v.inputs[0])
        if nearer is None:
            return Trace(v)
        seen = self.known[nearer]
        if v.op in (Time.shift, Time.state):
            return seen._replace(delay=seen.delay + v.attrs["delay"])
        if v.op is Time.splice:
            return seen
        # A reshape is a view of what lies in one piece alone.
        flat = all(u.op in FLAT for u in (v, *seen.views))
        if (
            seen.root is None
            or (v.op is O.reshape and not flat)
            or self._is_cut(seen.root)
        ):
            return Trace(v)
        return seen._replace(views=(*seen.views, v))

    def _is_cut(self, v: Value) -> bool:
        """Whether a value of a loop is this or that one, by range."""
        cut = v.op is Time.splice and v in self.inside and v not in self.carried
        return cut and v not in self.lines

    def _whole_of(self, v: Value) -> Value | None:
        """The part of a splice whose buffer holds the other parts as well."""
        if v in self.carried:
            return self.carried[v]
        if v in self.inside or not self.cells:
            return None  # a line, or this or that one by range
        for part in v.inputs:
            if part.op is not Time.shift:
                continue
            line, delay = part.inputs[0], part.attrs["delay"]
            others = [p for p in v.inputs if p is not part]
            if all(self._is_filled(p, line, delay) for p in others):
                return part
        return None

    def _is_filled(self, p: Value, line: Value, delay: int) -> bool:
        if p.op is not Time.each or p.span.first.a != p.span.last.a:
            return False
        number = p.span.last.b - p.span.first.b + 1
        return number <= 8 and all(
            self.cells.get((line, p.span.first.plus(k - delay))) is p.inputs[0]
            for k in range(number)
        )

    # Who reads it.

    def _reads(self) -> Iterator[tuple[int, Value, Loop | None, Sequence[Value]]]:
        """Positions, what runs there, in which loop, and what it reads."""
        for p, part in enumerate(self.parts):
            if isinstance(part, Loop):
                yield from ((p, v, part, part.operands(v)) for v in part.body)
            else:
                yield p, part, None, part.inputs

    def _find_uses(self) -> dict[Value, list[tuple[Value, int, Loop | None]]]:
        """Of each root: who reads it, how many steps back, in which range."""
        uses: dict[Value, list[tuple[Value, int, Loop | None]]] = {}
        for _, v, loop, operands in self._reads():
            for i in operands if not self._is_alias(v) else ():
                seen = self.trace(i)
                if i.steps is not None and seen.root is not None:
                    uses.setdefault(seen.root, []).append((v, seen.delay, loop))
        return uses

    def _is_alias(self, v: Value) -> bool:
        return v.steps is not None and self.trace(v).root is not v

    def _last_uses(self) -> dict[Value, int]:
        """The position after which nobody reads a root, or an untimed value."""
        last = dict.fromkeys(self.program.outputs, len(self.parts))
        for (line, _), value in self.cells.items():  # filled in before its line runs
            last[value] = max(last.get(value, 0), self.first[line])
        for p, v, loop, operands in reversed(list(self._reads())):
            looks = loop is None and not self.able.fresh(v)
            until = max(p, last.get(v, p)) if looks else p
            for i in operands:
                for source in self._sources(i):
                    last[source] = max(last.get(source, 0), until)
        return last

    def _sources(self, i: Value) -> list[Value]:
        """What must be kept for a value to be read."""
        if i.steps is None:
            return [i]
        seen = self.trace(i)
        found = seen.untimed if seen.root is None else seen.root
        return [] if found is None else [found]


FLAT = frozenset([O.reshape, O.expand_dims, O.squeeze])
