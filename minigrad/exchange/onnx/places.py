"""Where each line of a recording stands: outside, or in which Scan.

Vocabulary
    sequence  what has an entry a step and is not computed in the loop: x(t)
    still     a line of a loop that reads nothing with time: it stands outside
    level     how many loops have to be done before; a Scan is the lines of one level,
              of one loop of the user's, and of one direction
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from minigrad.compile.connected import strongly_connected
from minigrad.compile.kinds import O
from minigrad.exchange.onnx.traces import ExportError, Line, Recording, loops
from minigrad.fold.moving_index import Ahead, contains
from minigrad.fold.roles import Source
from minigrad.scope import LOOP

Key = tuple[int, Any, int]  # level, loop, direction


def loop_of(line: Line) -> Any:
    """The user's loop that a line stands in: its path so far."""
    for k, part in enumerate(line.role.path):
        if part[0] == LOOP:
            return line.role.clock, line.role.path[: k + 1]
    return None


class Places:
    """The lines of a recording, in their ``order``."""

    def __init__(self, recording: Recording) -> None:
        self.rec, self.lines = recording, recording.lines
        self.places: dict[int, Key | None] = {}
        self.levels: dict[int, int] = {}
        self.order = self._placed()

    def scans(self) -> dict[Key, list[int]]:
        """The lines of each Scan."""
        found: dict[Key, list[int]] = defaultdict(list)
        for i in self.order:
            key = self.places[i]
            if key is not None:
                found[key].append(i)
        return found

    def is_timed(self, i: int) -> bool:
        """Whether a line has an entry a step, in a loop or as a sequence."""
        return self.places[i] is not None or self.is_sequence(i)

    def reads(self, i: int) -> list[Source]:
        """All that a line reads."""
        return self.lines[i].role.sources

    def _placed(self) -> list[int]:
        """Lines in their order; sets levels and places."""
        number = range(len(self.lines))
        part = strongly_connected([[s.role for s in self.reads(i)] for i in number])
        order = sorted(number, key=part.__getitem__)
        ways: dict[Any, set[int]] = defaultdict(set)  # of each loop of the user's
        for i in number:
            ways[loop_of(self.lines[i])] |= {
                1 if s.delay > 0 else -1
                for s in self.reads(i)
                if s.delay and part[s.role] == part[i]
            }
        groups = [[*members] for _, members in groupby(order, part.__getitem__)]
        for group in groups:
            loop = loop_of(self.lines[group[0]])
            outside = len(group) == 1 and self._is_outside(group[0])
            here = None if outside else (loop, min(ways[loop], default=1))
            if len(ways[loop]) > 1 or (len(group) > 1 and not ways[loop]):
                label = self.lines[group[0]].role.label
                raise ExportError(f"{label} depends on earlier and on later steps")
            level = max([self._after(s, here) for s in self._outer(group)], default=0)
            for i in group:
                self.levels[i], self.places[i] = level, here and (level, *here)
        self._wait(groups)
        return order

    def _wait(self, groups: list[list[int]]) -> None:
        """Let lines wait for those of their loop, where nobody needs them before."""
        last: dict[Any, int] = defaultdict(int)
        limits: dict[int, int] = {}
        for place in [k for k in self.places.values() if k]:
            last[place[1:]] = max(last[place[1:]], place[0])
        for group in groups[::-1]:
            key: Key | None = self.places[group[0]]
            if key is not None:
                here = key[1:]
                level = min([last[here], *(limits[i] for i in group if i in limits)])
                for i in group:
                    self.levels[i], self.places[i] = level, (level, *here)
            for s in self._outer(group):
                read, level = self.places[s.role], self.levels[group[0]]
                if read is not None:
                    same = key is not None and self._after(s, key[1:]) == read[0]
                    most = level - (not same)
                    limits[s.role] = min(limits.get(s.role, most), most)

    def _outer(self, group: list[int]) -> Iterator[Source]:
        """What lines that depend on one another read of others."""
        return (s for i in group for s in self.reads(i) if s.role not in group)

    def _after(self, s: Source, here: tuple[Any, int] | None) -> int:
        """How many loops are done before a source can be read in a loop, or outside."""
        key = self.places[s.role]
        if key is None:
            return self.levels[s.role]
        same = key[1:] == here and s.kind == "delay"
        return key[0] + (not same)

    def _is_outside(self, i: int) -> bool:
        """Whether a line has no time, or is a sequence, or is still."""
        role = self.lines[i].role
        if role.clock is None or role.op is None:
            return True
        if role.op is O.step and loops(role.path) == 1:
            return self.lines[role.operands[0][0].role].role.clock is None
        still = not contains(self.lines[i].attrs, Ahead) and role.op is not O.step
        alone = all(len(o) == 1 and o[0].kind != "gather" for o in role.operands)
        reads = self.reads(i)
        return still and alone and not any(self.is_timed(s.role) for s in reads)

    def is_sequence(self, i: int) -> bool:
        """Whether a line outside has an entry a step."""
        role = self.lines[i].role
        return role.clock is not None and role.op is O.step and not self.places[i]
