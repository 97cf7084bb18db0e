"""Compiled source with its workspaces: what one trace, or every length of it, runs.

Vocabulary
    sequence   a clock, and the argument whose first axis is its number of steps
"""

import builtins
import linecache
from typing import Any, NamedTuple

from minigrad.compile import kernels
from minigrad.compile.disk import functions
from minigrad.compile.emit import emit
from minigrad.compile.line import (
    Line,
    LoopProgram,
    NotFoldableError,
    loop_program,
    straight_program,
)
from minigrad.compile.passes import run_passes
from minigrad.compile.schedule import Phase, schedule
from minigrad.compile.writer import Writer
from minigrad.fold import Recurrence
from minigrad.graph import Graph, Node

# Workspaces are kept for as many lengths.
KEPT = 8


class Argument(NamedTuple):
    """Where an input or parameter of compiled code gets its array."""

    line: Line
    position: int | None  # among the call's arrays; None: the leaf's own current value


class Code:
    """Compiled source with the workspaces of the lengths it has run for."""

    def __init__(
        self,
        graph: Graph,
        recurrence: Recurrence | str,
        positions: dict[Node, int],
        backend: str,
    ) -> None:
        """``recurrence`` may be the reason why there is none."""
        self.backend = backend
        self.recurrence = None if isinstance(recurrence, str) else recurrence
        self.phases: list[Phase] = []
        self.program = self._planned(graph, recurrence)
        self.arguments = self._find_arguments(positions)
        if backend == "numba":
            self.phases = kernels.sink(self.program, self.phases)
            self.phases = kernels.gathered(self.program, self.phases)
        writer = Writer(self.program, self.phases, backend)
        source = emit(writer, [a.line for a in self.arguments])
        namespace = dict(writer.namespace)
        compiled = kernels.module(writer)
        if compiled:
            namespace |= functions(compiled)
        self.source = "\n\n".join(filter(None, [compiled, source]))
        exec(_compiled(source), namespace)
        self.workspace = namespace["workspace"]
        self.run = namespace["run"]
        self.free: dict[tuple[int, ...], list[Any]] = {}
        # A graph that does not reach the last steps of a loop has a length of its own.
        whole = [clock.length == n for clock, n in graph.clocks.items()]
        self.sequences = [(c, a) for c, a in self._find_sequences() if whole[c]]
        self.clock_of = dict(self.sequences)
        # What a call reads, in the order of ``run``: lengths, parameters, inputs.
        self.lengths = [
            (n, self.clock_of.get(c)) for c, n in enumerate(self.program.lengths)
        ]
        self.parameters = tuple(
            [a.line.leaf for a in self.arguments if a.position is None]
        )
        self.inputs = [a.position for a in self.arguments if a.position is not None]

    def _planned(self, graph: Graph, recurrence: Recurrence | str) -> LoopProgram:
        if isinstance(recurrence, Recurrence):
            try:
                program = loop_program(recurrence)
                run_passes(program)
                self.phases = schedule(program)
                return program
            except NotFoldableError as reason:
                self.recurrence = None
                note = str(reason)
        else:
            note = recurrence
        program = straight_program(graph)
        run_passes(program)
        program.report.insert(
            0, ("straight", len(graph.nodes), len(program.lines), note)
        )
        self.phases = schedule(program)
        return program

    def _find_arguments(self, positions: dict[Node, int]) -> list[Argument]:
        found = []
        for line in self.program.lines.values():
            if line.kind == "parameter" or line.leaf in positions:
                found.append(Argument(line, positions.get(line.leaf)))
        return sorted(found, key=lambda a: a.position is not None)  # parameters first

    def _find_sequences(self) -> list[tuple[int, int]]:
        """The clocks, and the arguments whose first axis is their number of steps."""
        found = []
        for line in self.program.lines.values():
            if line.op == "step" and line.clock is not None:
                for a in self.arguments:
                    if a.line.index == line.reads[0][0].role and a.position is not None:
                        found.append((line.clock, a.position))
        return found

    def __call__(self, arrays: list[Any]) -> tuple[Any, ...]:
        """Run with the arrays of a call; the results are fresh arrays."""
        lengths = tuple([n if p is None else len(arrays[p]) for n, p in self.lengths])
        values = [leaf.value for leaf in self.parameters]
        values += [arrays[p] for p in self.inputs]
        spaces = self.free.pop(lengths, None) or []
        self.free[lengths] = spaces  # the last one is the one used last
        if len(self.free) > KEPT:
            self.free.pop(next(iter(self.free)), None)
        # Taken out while in use, so that threads and nested calls never share one.
        space = spaces.pop() if spaces else self.workspace(*lengths)
        try:
            return self.run(space, *lengths, *values)  # type: ignore[no-any-return]
        finally:
            spaces.append(space)

    def explain(self) -> str:
        """A table of the passes: lines before, lines after, what moved."""
        rows = [
            f"{name:<14}{before:>7} ->{after:>6}   {said}"
            for name, before, after, said in self.program.report
        ]
        loops = [p for p in self.phases if p.direction]
        batched = [
            x for p in self.phases for x in p.lines if not p.direction and x.timed
        ]
        rows.append(
            f"{'schedule':<14}{len(batched)} lines over all steps at once, "
            f"{sum(len(p.lines) for p in loops)} in {len(loops)} loops"
        )
        if self.backend == "numba":
            rows.append(f"{'kernels':<14}{kernels.explain(self.program, self.phases)}")
        return "\n".join(rows)


def _compiled(source: str) -> Any:
    """Code whose lines a traceback can show."""
    name = f"<minigrad program {len(linecache.cache)}>"
    lines = source.splitlines(keepends=True)
    linecache.cache[name] = (len(source), None, lines, name)
    return builtins.compile(source, name, "exec")
