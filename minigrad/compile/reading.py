"""What the roles of a recurrence read, as time ops, and spans as steps with counts."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.compile.connected import strongly_connected
from minigrad.compile.counts import Count, Dim, Shape, Steps
from minigrad.compile.kinds import O
from minigrad.compile.values import (
    Time,
    Value,
    apply,
    at,
    constant,
    each,
    shift,
    splice,
    state,
    total,
)
from minigrad.fold import Recurrence
from minigrad.fold.roles import Operand, Role, Source, Span
from minigrad.graph import Node


class LiftError(Exception):
    """What was recorded has no program of this form: the text says why."""


class Reading:
    """A recurrence, or two of different lengths: ``made`` has the value of a role."""

    def __init__(
        self,
        recurrence: Recurrence,
        arguments: Mapping[Node, str],
        other: Recurrence | None,
    ) -> None:
        _refuse_gaps(recurrence)
        self.roles, self.outputs = recurrence.roles, recurrence.outputs
        self.lengths, self.other, self.arguments = recurrence.lengths, other, arguments
        theirs = other.lengths if other is not None else self.lengths
        self.both = list(zip(self.lengths, theirs, strict=True))
        self.free = [a != b for a, b in self.both]
        self.read_by = {
            s.role: r.clock for r in self.roles if r.op is O.step for s in r.operands[0]
        }
        reads = [[s.role for s in r.sources] for r in self.roles]
        self.group = strongly_connected(reads)
        self.made: dict[int, Value] = {}
        self.states: dict[Value, int] = {}
        self.known: dict[Any, Value] = {}

    def _recurs(self, index: int, source: Source) -> bool:
        same = self.group[index] == self.group[source.role]
        if same and source.kind != "delay":
            raise LiftError("a line depends on itself outside of time")
        return bool(source.delay) and same

    # Counts.

    def _count(self, end: int, clock: int) -> Count:
        """An end of a span; a number where the length is fixed."""
        if end > 0:
            return Count(0, end)
        if self.free[clock]:
            return Count(1, end + 1, clock)
        return Count(0, self.lengths[clock] + 1 + end)

    def _steps(self, span: Span, clock: int) -> Steps:
        return Steps(clock, *(self._count(e, clock) for e in (span.first, span.last)))

    def _shape(self, role: Role) -> Shape:
        """The shape of a role, with counts where the two lengths differ."""
        shape: list[Dim] = list(role.spec.shape)
        if self.other is not None:
            longer = self.other.roles[role.index].spec.shape
            if len(longer) != len(shape):
                raise LiftError(f"{role.label}: its number of axes depends on T")
            for i, (n, m) in enumerate(zip(role.spec.shape, longer, strict=True)):
                if n != m:
                    shape[i] = self._dim(n, m, None if i else role.index)
        return tuple(shape)

    def _dim(self, n: int, m: int, sequence: int | None) -> Count:
        """The count that is n and m at the two lengths.

        Where several clocks would do it is that of the loop that reads the value as its
        sequence, or else one that it is a multiple of.
        """
        found = []
        for clock, (a, b) in enumerate(self.both):
            if a != b and (m - n) % (b - a) == 0 and (m - n) // (b - a) > 0:
                times = (m - n) // (b - a)
                found.append(Count(times, n - times * a, clock))
        if not found:
            raise LiftError(f"an axis of {n} and of {m} is no count of T")
        reader = self.read_by.get(sequence) if sequence is not None else None
        return min(found, key=lambda c: (c.clock != reader, c.b != 0))

    def _operand(self, role: Role, operand: Operand, steps: Steps) -> Value:
        """What a timed role reads, at all of its steps."""
        lacks = role.op in (O.add_n, O.scatter_n)  # a term at some steps
        key = (operand, steps, self.group[role.index], lacks)
        if key not in self.known:
            parts = []
            for span in dict.fromkeys(s.span for s in operand):
                assert span is not None
                part = self._steps(span, steps.clock)
                here = [s for s in operand if s.span == span]
                parts.append(self._part(role, here, part))
            parts.sort(key=lambda v: v.span.first.at(self.lengths))
            if lacks:
                parts = self._filled(parts, steps)
            self.known[key] = splice(_alike(parts, role))
        return self.known[key]

    def _part(self, role: Role, here: list[Source], steps: Steps) -> Value:
        """What a timed role reads on some of its steps."""
        source = here[0]
        if source.kind == "gather" and role.op is not O.add_n:
            raise LiftError(f"{role.label} gathers all steps at each step")
        if source.kind == "gather":
            sums = [total(self._gathered(s)) for s in here]
            return each(sums[0] if len(sums) == 1 else apply(O.add_n, *sums), steps)
        if source.kind == "pick":
            return each(self._picked(source), steps)
        if source.kind != "delay":
            return each(self.made[source.role], steps)
        delay = source.delay or 0
        if not self._recurs(role.index, source):
            return shift(self.made[source.role], delay, steps)
        shape, dtype = self.roles[source.role].spec
        leaf = state(delay, steps, shape, dtype)
        self.states[leaf] = source.role
        return leaf

    def _filled(self, parts: list[Value], steps: Steps) -> list[Value]:
        """A term of a sum, with zeros at the steps at which it is absent."""
        zeros = constant(np.zeros(parts[0].shape, parts[0].dtype))
        found: list[Value] = []
        first = steps.first
        for part in parts:
            if part.span.first.at(self.lengths) > first.at(self.lengths):
                last = part.span.first.plus(-1)
                found.append(each(zeros, Steps(steps.clock, first, last)))
            found.append(part)
            first = part.span.last.plus(1)
        if first.at(self.lengths) <= steps.last.at(self.lengths):
            found.append(each(zeros, Steps(steps.clock, first, steps.last)))
        return found

    def _at(self, source: Source) -> Steps:
        clock = self.roles[source.role].clock
        assert source.at is not None
        assert clock is not None
        return self._steps(source.at, clock)

    def _picked(self, source: Source) -> Value:
        value = self.made[source.role]
        return value if source.at is None else at(value, self._at(source).first)

    def _gathered(self, source: Source) -> Value:
        """The steps of a source that a gather reads, as a timed value."""
        return shift(self.made[source.role], 0, self._at(source))

    def _one_by_one(self, operand: Operand) -> list[Value]:
        """The values that an operand hands over in turn, each by itself."""
        if all(s.kind != "gather" for s in operand):
            return [self._picked(s) for s in operand]
        runs: list[range | None] = []
        for source in operand:
            clock = self.roles[source.role].clock
            if source.at is None or clock is None:
                runs.append(None)
            elif self.free[clock]:
                raise LiftError("the number of operands depends on T")
            else:
                runs.append(source.at.steps(self.lengths[clock]))
        number = next(len(run) for run in runs if run is not None)
        if any(run is not None and len(run) != number for run in runs):
            raise LiftError("values of several numbers of steps are read in turn")
        return [
            self.made[s.role]
            if run is None
            else at(self.made[s.role], Count(0, run[i]))
            for i in range(number)
            for s, run in zip(operand, runs, strict=True)
        ]


def _alike(parts: list[Value], role: Role) -> list[Value]:
    """Parts of a splice, of one shape and dtype: a Python number becomes an array."""
    strong = [p for p in parts if p.dtype not in WEAK]
    kind = (strong or parts)[0]
    found = []
    for p in parts:
        if p.dtype in WEAK and p.dtype != kind.dtype and p.op is Time.each:
            number = p.inputs[0].attrs.get("value")
            if number is not None and np.result_type(number, kind.dtype) == kind.dtype:
                p = each(constant(np.asarray(number, kind.dtype)), p.span)
        if (p.shape, p.dtype) != (kind.shape, kind.dtype):
            raise LiftError(
                f"{role.label} reads {p.shape} {p.dtype} at some steps and "
                f"{kind.shape} {kind.dtype} at others"
            )
        found.append(p)
    return found


WEAK = frozenset(["bool", "int", "float"])


def _refuse_gaps(recurrence: Recurrence) -> None:
    """Roles at every k-th step, and gathers that grow, run as straight code."""
    for role in recurrence.roles:
        for source in role.sources:
            spans = [s for s in (role.span, source.span, source.at) if s is not None]
            if source.kind == "gather" and source.delay is not None:
                raise LiftError(f"{role.label} gathers all steps so far")
            if any(span.every > 1 for span in spans):
                raise LiftError(f"{role.label} reads every k-th step")
