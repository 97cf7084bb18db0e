"""In which order a program runs: straight parts, and loops over time.

A value that does not depend on itself is a part of its own: without steps it is
computed once, with steps for all of them at once. Values that depend on one another run
in a ``Loop``.

Vocabulary
    same     of a splice or a shift in the body: which value it is on these steps
    picks    the same of a splice that has a past: it is a line that is copied
    carried  a splice of an initial state and the past, a state: it makes no cut
    cells    what such a splice reads of a line before its first step

Where the lines of a loop do not all exist at the same steps it is cut in ranges on
which they do, one ``Loop`` each.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import pairwise
from typing import Any

from minigrad.compile.connected import strongly_connected
from minigrad.compile.counts import Count, Steps
from minigrad.compile.kinds import is_view
from minigrad.compile.spec import at_most
from minigrad.compile.values import Program, Time, Value, shift


@dataclass(frozen=True, eq=False)
class Loop:
    """One loop over time; see the module's vocabulary. ``direction`` is 1 or -1.

    ``whole`` are all values of the loop of which this is a range.
    """

    body: tuple[Value, ...]
    steps: Steps
    direction: int
    same: dict[Value, Value]
    picks: dict[Value, Value]
    whole: frozenset[Value]
    carried: dict[Value, Value]
    cells: dict[tuple[Value, Count], Value]

    def final(self, v: Value) -> Value:
        """What a value of the body is on the loop's steps."""
        while v in self.same:
            v = self.same[v]
        return v

    def operands(self, v: Value) -> list[Value]:
        """What a line of the body reads on the loop's steps."""
        found = (self.picks[v],) if v in self.picks else v.inputs
        return [self.final(i) for i in found]


Part = Value | Loop


class ScheduleError(ValueError):
    """The values of a program cannot be put in an order."""


def schedule(program: Program) -> list[Part]:
    """The parts of a program, each after those that it reads.

    Nobody outside of a loop may read a state of it: see ``own_states``.
    """
    values, reads, part_of = program.connected()
    members: list[list[int]] = [[] for _ in range(max(part_of, default=-1) + 1)]
    for i, p in enumerate(part_of):
        members[p].append(i)
    consumers: dict[Value, set[Value]] = {}
    for v in values:
        for r in program.reads(v):
            consumers.setdefault(r, set()).add(v)
    found: list[Part] = []
    needs = [
        {part_of[r] for i in found for r in reads[i]} - {p}
        for p, found in enumerate(members)
    ]
    # Of those that are ready the one recorded first.
    for p in in_order(needs, [found[0] for found in members]):
        first = members[p][0]
        if len(members[p]) == 1 and first not in reads[first]:
            found.append(values[first])
        else:
            group = [values[i] for i in members[p]]
            found += _Cut(program, group, consumers).loops()
    return found


def in_order(
    needs: Sequence[set[int]],
    rank: Sequence[Any],
    fits: Callable[[int], bool] | None = None,
) -> Iterator[int]:
    """Numbers after those that they need: of the ready ones the first by rank.

    One that fits goes before all that do not.

    >>> list(in_order([set(), {0}, set()], [2, 1, 0]))
    [2, 0, 1]
    """
    readers: list[list[int]] = [[] for _ in needs]
    for p, found in enumerate(needs):
        for r in found:
            readers[r].append(p)
    waiting = [len(found) for found in needs]
    ready: list[tuple[Any, int]] = []
    for p, number in enumerate(waiting):
        if not number:
            heappush(ready, (rank[p], p))
    while ready:
        first = next((e for e in sorted(ready) if fits(e[1])), None) if fits else None
        if first is None:
            first = heappop(ready)
        else:
            ready.remove(first)
        yield first[1]
        for r in readers[first[1]]:
            waiting[r] -= 1
            if not waiting[r]:
                heappush(ready, (rank[r], r))


def own_states(program: Program) -> Program:
    """Whoever does not run in a loop reads its lines, not its states and splices."""
    values, _, part = program.connected()
    loop_of, size = dict(zip(values, part, strict=True)), Counter(part)
    made: dict[Value, Value] = {}
    outer: dict[Value, Value] = {}

    def inner(v: Value) -> bool:
        if v.op is Time.state:
            return True
        return v.op in (Time.splice, Time.shift) and size[loop_of[v]] > 1

    def from_outside(v: Value) -> Value:
        if not inner(v):
            return made[v]
        if v not in outer:
            if v.op is Time.state:
                line = from_outside(program.states[v])
                outer[v] = shift(line, v.attrs["delay"], v.span)
            else:
                outer[v] = replace(v, inputs=tuple(map(from_outside, v.inputs)))
        return outer[v]

    # Parts are numbered after what they read, so whole loops are made before readers.
    for v in sorted(values, key=loop_of.__getitem__):
        inputs = tuple(
            [made[i] if loop_of[i] == loop_of[v] else from_outside(i) for i in v.inputs]
        )
        made[v] = v if inputs == v.inputs else replace(v, inputs=inputs)
    states = {made[s]: made[v] for s, v in program.states.items() if s in made}
    outputs = tuple([made[o] for o in program.outputs])
    return replace(program, outputs=outputs, states=states)


class _Cut:
    """The loops of some values that depend on one another."""

    def __init__(
        self, program: Program, group: list[Value], consumers: dict[Value, set[Value]]
    ) -> None:
        self.program, self.inside = program, frozenset(group)
        self.consumers = consumers
        signs = {v.attrs["delay"] > 0 for v in group if v.op is Time.state}
        if len(signs) != 1 or len({v.span.clock for v in group}) != 1:
            raise ScheduleError("a loop that runs in both directions, or in none")
        self.direction = 1 if signs.pop() else -1
        self.cells: dict[tuple[Value, Count], Value] = {}
        self.carried: dict[Value, Value] = {}
        for v in group:
            past = self._past(v)
            if past is not None:
                self.carried[v] = past
        hidden = set(self.carried.values())
        self.lines = [v for v in group if v not in hidden]
        self.ranges = self._ranges()

    def _past(self, v: Value) -> Value | None:
        """The state of a splice that is an initial state and then the past.

        Two splices may not have different initial states for one step of one line.
        """
        if v.op is not Time.splice:
            return None
        parts = v.inputs[:: self.direction]
        past = parts[-1]
        if past.op is not Time.state or self.consumers[past] != {v}:
            return None
        line, delay = self.program.states[past], past.attrs["delay"]
        if is_view(line) or isinstance(line.op, Time):
            return None  # it has no entries of its own
        start = self._start(line.span)
        if self._start(past.span) != start.plus(delay) or self._start(v.span) != start:
            return None
        cells = {}
        for k in range(abs(delay)):
            t = start.plus(k * self.direction)
            for p in parts[:-1]:
                if p.op is Time.each and self._covers(
                    p.steps, Steps(v.span.clock, t, t)
                ):
                    cells[line, t.plus(-delay)] = p.inputs[0]
        if len(cells) != abs(delay):
            return None
        if any(self.cells.get(cell, c) is not c for cell, c in cells.items()):
            return None
        if any((c.shape, c.dtype) != (line.shape, line.dtype) for c in cells.values()):
            return None
        self.cells |= cells
        return past

    def _start(self, steps: Steps) -> Count:
        return steps.first if self.direction > 0 else steps.last

    def _covers(self, outer: Steps | None, inner: Steps) -> bool:
        assert outer is not None
        return at_most(outer.first, inner.first, self.program) and at_most(
            inner.last, outer.last, self.program
        )

    def loops(self) -> Iterator[Loop]:
        """One loop for each range of steps on which the same lines exist."""
        for steps in self.ranges[:: self.direction]:
            here = [v for v in self.lines if self._covers(v.steps, steps)]
            if here:
                yield self._loop(steps, here)

    def _ranges(self) -> list[Steps]:
        cuts: dict[Count, None] = {}
        for v in self.lines:
            whole = v.op is not Time.splice or v in self.carried
            for piece in (v,) if whole else v.inputs:
                cuts[piece.span.first] = cuts[piece.span.last.plus(1)] = None
        least = [c.least for c in self.program.clocks]
        ordered = sorted(cuts, key=lambda c: (c.at(least), c.a))
        pairs = list(pairwise(ordered))
        for a, b in pairs:
            if not at_most(a.plus(1), b, self.program):
                raise ScheduleError(f"{a} and {b} are no range at every length")
        return [Steps(self.lines[0].span.clock, a, b.plus(-1)) for a, b in pairs]

    def _loop(self, steps: Steps, here: list[Value]) -> Loop:
        same: dict[Value, Value] = {}
        picks: dict[Value, Value] = {}
        body = []
        lines = set(self.program.states.values())
        for v in here:
            if v.op is Time.splice and v not in self.carried:
                parts = [p for p in v.inputs if self._covers(p.steps, steps)]
                (picks if v in lines else same)[v] = parts[0]
                body += [v] if v in lines else []
            elif v.op is Time.shift and not v.attrs["delay"]:
                same[v] = v.inputs[0]
            elif v.op is Time.shift:
                raise ScheduleError(f"{v!r} is past and no state")
            elif not self._is_past(v):
                body.append(v)
        loop = Loop(
            tuple(body), steps, self.direction, same, picks, self.inside,
            self.carried, self.cells,
        )  # fmt: skip
        # Each line after those of this step that it reads.
        number = {v: i for i, v in enumerate(body)}
        reads = [[number[i] for i in loop.operands(v) if i in number] for v in body]
        part = strongly_connected(reads)
        return replace(loop, body=tuple(sorted(body, key=lambda v: part[number[v]])))

    def _is_past(self, v: Value) -> bool:
        return v in self.carried or v.op is Time.state
