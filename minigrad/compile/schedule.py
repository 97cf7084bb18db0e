"""In which order the lines run, and which of them need a loop.

A line that does not depend on itself through a delay runs once for all of its steps, as
one operation over the stacked time axis: it is moved out of the loop. Lines that do
depend on one another run in a loop of their own, forward or backward in time.

A ``Phase`` is one such line, or the lines of one loop in the order of its body.
"""

from dataclasses import dataclass
from heapq import heappop, heappush

from minigrad.compile.line import Line, LoopProgram, NotFoldableError


@dataclass
class Phase:
    """One batched line, or the body of a loop and its direction (+1, -1)."""

    lines: list[Line]
    direction: int = 0


def schedule(program: LoopProgram) -> list[Phase]:
    """The phases of a program, each after those that it reads."""
    groups = strongly_connected(program)
    of = {i: g for g, group in enumerate(groups) for i in group}
    waiting = dict.fromkeys(range(len(groups)), 0)
    readers: dict[int, set[int]] = {g: set() for g in range(len(groups))}
    for i, line in program.lines.items():
        for source in line.sources():
            a, b = of[source.role], of[i]
            if a != b and b not in readers[a]:
                readers[a].add(b)
                waiting[b] += 1
    ready = [(min(group), g) for g, group in enumerate(groups) if not waiting[g]]
    ready.sort()
    phases = []
    while ready:
        _, g = heappop(ready)
        phases.append(_phase(program, groups[g]))
        for reader in readers[g]:
            waiting[reader] -= 1
            if not waiting[reader]:
                heappush(ready, (min(groups[reader]), reader))
    return phases


def _phase(program: LoopProgram, group: list[int]) -> Phase:
    lines = [program.lines[i] for i in group]
    inside = set(group)
    signs = set()
    for line in lines:
        for source in line.sources():
            if source.role in inside:
                if source.delay is None:
                    raise NotFoldableError(
                        f"{line.name} depends on itself outside of time"
                    )
                if source.delay:
                    signs.add(1 if source.delay > 0 else -1)
    if not signs:
        if len(lines) > 1:
            raise NotFoldableError("a step depends on itself")
        return Phase(lines)
    if len(signs) > 1 or len({line.clock for line in lines}) > 1:
        raise NotFoldableError("a loop that runs in both directions")
    return Phase(_body(lines, inside), signs.pop())


def _body(lines: list[Line], inside: set[int]) -> list[Line]:
    """The lines of one step, each after those of the same step that it reads."""
    waiting = {
        line.index: {s.role for s in line.sources() if s.role in inside and not s.delay}
        for line in lines
    }
    ordered: list[Line] = []
    done: set[int] = set()
    left = sorted(lines, key=lambda line: line.index)
    while left:
        ready = next((x for x in left if waiting[x.index] <= done), None)
        if ready is None:
            raise NotFoldableError("a step depends on itself")
        ordered.append(ready)
        done.add(ready.index)
        left.remove(ready)
    return ordered


def strongly_connected(program: LoopProgram) -> list[list[int]]:
    """The strongly connected lines (Tarjan 1972, without recursion)."""
    reads = {i: [s.role for s in line.sources()] for i, line in program.lines.items()}
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    groups: list[list[int]] = []
    for root in program.lines:
        if root in order:
            continue
        work = [(root, iter(reads[root]))]
        order[root] = low[root] = len(order)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, rest = work[-1]
            for child in rest:
                if child not in order:
                    order[child] = low[child] = len(order)
                    stack.append(child)
                    on_stack.add(child)
                    work.append((child, iter(reads[child])))
                    break
                if child in on_stack:
                    low[node] = min(low[node], order[child])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == order[node]:
                    group = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        group.append(member)
                        if member == node:
                            break
                    groups.append(sorted(group))
    return groups
