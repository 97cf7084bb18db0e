"""A program built for NumPy: its source, and a runner that keeps workspaces."""

import builtins
import linecache
from collections.abc import Sequence
from typing import Any

from minigrad.compile import denormals
from minigrad.compile.memory import Plan, plan
from minigrad.compile.numpy.abilities import ABLE, can_batch
from minigrad.compile.numpy.write import Writing
from minigrad.compile.rules import for_numpy
from minigrad.compile.schedule import Loop, Part, own_states, schedule
from minigrad.compile.values import Leaf, Program, Time

# Workspaces are kept for as many lengths.
KEPT = 8


Report = Sequence[tuple[str, int, int]]


def build(program: Program, threads: int = 1) -> "Runner":
    """A runner of a program; its ``source`` can be read. Only BLAS has threads here."""
    report: list[tuple[str, int, int]] = []
    return Runner(planned(for_numpy(program, report)), report)


def planned(program: Program) -> Plan:
    """The parts of a program in their order, and where its values are."""
    program = own_states(program)
    return plan(program, [stepwise(part) for part in schedule(program)], ABLE)


class Runner:
    """A built program: called with lengths and the arrays of its leaves.

    ``parameters`` and ``arguments`` are the names of the leaves in their order.
    """

    def __init__(
        self, plan: Plan, report: Report = (), text: tuple[str, Any] | None = None
    ) -> None:
        self.plan, self.report, self.program = plan, report, plan.program
        self.parameters = list(self.program.parameters)
        self.arguments = list(self.program.arguments)
        self.source, namespace = text or Writing(plan).text()
        exec(compiled(self.source), namespace)
        self.workspace, self.run = namespace["workspace"], namespace["run"]
        self.free: dict[tuple[int, ...], list[Any]] = {}

    def __call__(
        self, lengths: tuple[int, ...], values: Sequence[Any]
    ) -> tuple[Any, ...]:
        """Outputs as fresh arrays; ``values`` are parameters, then arguments."""
        spaces = self.free.pop(lengths, None) or []
        self.free[lengths] = spaces  # the last one is the one used last
        if len(self.free) > KEPT:
            self.free.pop(next(iter(self.free)), None)
        # Taken out while in use, so that threads and nested calls never share one.
        space = spaces.pop() if spaces else self.workspace(*lengths)
        before = denormals.now()
        try:
            denormals.flush()
            return self.run(space, *lengths, *values)  # type: ignore[no-any-return]
        finally:
            denormals.restore(before)
            spaces.append(space)

    def explain(self) -> str:
        """What runs over all steps at once, and what in a loop."""
        loops = [p for p in self.plan.parts if isinstance(p, Loop)]
        lines = {v for loop in loops for v in loop.body}
        timed = [v for v in self.plan.roots - lines if v.op is not Time.read]
        rows = [f"{name:<14}{a:>7} ->{b:>6}" for name, a, b in self.report]
        rows.append(
            f"{'schedule':<14}{len(timed)} lines over all steps at once, "
            f"{len(lines)} in {len({loop.whole for loop in loops})} loops"
        )
        if denormals.AVAILABLE:
            rows.append(f"{'denormals':<14}count as zero while it runs")
        return "\n".join(rows)


def stepwise(part: Part) -> Part:
    """A value that cannot be computed for all steps at once, as a loop of its own."""
    if (
        isinstance(part, Loop)
        or part.steps is None
        or isinstance(part.op, (Time, Leaf))
    ):
        return part
    if can_batch(part):
        return part
    return Loop((part,), part.steps, 1, {}, {}, frozenset([part]), {}, {})


def compiled(source: str) -> Any:
    """Code whose lines a traceback can show."""
    name = f"<minigrad program {len(linecache.cache)}>"
    lines = source.splitlines(keepends=True)
    linecache.cache[name] = (len(source), None, lines, name)
    return builtins.compile(source, name, "exec")
