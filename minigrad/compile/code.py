"""One program of a compiled function: what a trace became, and how a call runs it.

Vocabulary
    told   the argument, and the axis of it, that say how long a loop is
    freed  of a second trace: the program with every length free

A trace that has no program with time, because it does not fold or because its steps
cannot be put in an order, becomes straight code: one line per node.
"""

from collections.abc import Mapping
from typing import Any

from minigrad.compile.backend import Engine, Runner
from minigrad.compile.lift import lift, parameter_name, straight
from minigrad.compile.reading import LiftError
from minigrad.compile.schedule import ScheduleError
from minigrad.compile.spec import SpecError, are_lines, verify
from minigrad.compile.values import Program
from minigrad.fold import Recurrence
from minigrad.graph import Graph, Node
from minigrad.held import held
from minigrad.mode import TraceError


class Code:
    """A program with its runner.

    ``recurrence`` is what it was folded to, None for straight code; ``note`` says why.
    """

    def __init__(
        self,
        graph: Graph,
        recurrence: Recurrence | str,
        positions: Mapping[Node, int],
        engine: Engine,
    ) -> None:
        """``recurrence`` may be the reason why there is none."""
        self.engine, self.positions = engine, positions
        self.names = {node: f"{node.name or 'x'}@{i}" for node, i in positions.items()}
        self.leaves = {parameter_name(p): p for p in graph.parameters}
        self.recurrence: Recurrence | None = None
        self.note = recurrence if isinstance(recurrence, str) else ""
        if isinstance(recurrence, Recurrence):
            try:
                self._build(verify(lift(recurrence, self.names), False))
                self.recurrence = recurrence
                return
            except (LiftError, ScheduleError) as reason:
                self.note = str(reason)
            except SpecError as error:
                raise TraceError(f"its program is not well formed: {error}") from error
        self._build(straight(graph, self.names))

    def _build(self, program: Program) -> None:
        self.program = program
        self.runner: Runner = self.engine.build(program)
        self.clocks = [c.least if c.most is not None else None for c in program.clocks]
        position = {self.names[node]: i for node, i in self.positions.items()}
        self.told = [
            (position[name], axis, dim)
            for name, value in program.arguments.items()
            for axis, dim in enumerate(value.shape)
            if not isinstance(dim, int)
        ]
        by_clock = {dim.clock: (i, axis, dim.a, dim.b) for i, axis, dim in self.told}
        self.rulers = [by_clock[clock] for clock in sorted(by_clock)]
        self.shapes = [
            (position[name], value.shape, value.dtype)
            for name, value in program.arguments.items()
        ]
        self.parameters = tuple([self.leaves[n] for n in self.runner.parameters])
        self.inputs = [position[name] for name in self.runner.arguments]
        self.lengths = tuple([c or 0 for c in self.clocks])

    @property
    def is_free(self) -> bool:
        """Whether the lengths of its loops are free."""
        return bool(self.told)

    def freed(self, second: Recurrence) -> "Code | None":
        """The program for every length, by the equal fold of a second trace."""
        assert self.recurrence is not None
        free = object.__new__(Code)
        free.__dict__ |= self.__dict__
        try:
            program = lift(self.recurrence, self.names, second)
            if any(c.most is not None for c in program.clocks):
                return None
            if not are_lines(program):
                return None
            free._build(verify(program, False))
        except (LiftError, ScheduleError, SpecError):
            return None
        return free

    def lengths_of(self, shapes: Any) -> tuple[int, ...] | None:
        """How long the loops are for arguments of these shapes; None if they differ."""
        found: dict[int, int] = {}
        for i, axis, dim in self.told:
            shape = shapes[i][0]
            if len(shape) <= axis or (shape[axis] - dim.b) % dim.a:
                return None
            number = (shape[axis] - dim.b) // dim.a
            if found.setdefault(dim.clock, number) != number:
                return None  # sequences of one loop: an eager run refuses them
        lengths = tuple([found[c] for c in range(len(self.clocks))])
        for i, shape, dtype in self.shapes:
            sizes = tuple([n if isinstance(n, int) else n.at(lengths) for n in shape])
            if shapes[i] != (sizes, dtype):
                return None
        return lengths

    def __call__(self, arrays: list[Any]) -> Any:
        """Run with the arrays of a call; the results are fresh arrays."""
        lengths = self.lengths
        if self.told:  # then all of them are
            numbers = [(arrays[i].shape[k] - b) // a for i, k, a, b in self.rulers]
            lengths = tuple(numbers)
        if self.engine.on_device:
            values = [*map(held, self.parameters)]
        else:
            values = [leaf.value for leaf in self.parameters]
        values += [arrays[p] for p in self.inputs]
        return self.runner(lengths, values)

    @property
    def source(self) -> str:
        """The source that runs."""
        return self.runner.source

    def explain(self) -> str:
        """What the rules did, and what runs in loops; why there is none."""
        rows = [f"{'straight':<14}{self.note}"] if self.recurrence is None else []
        return "\n".join([*rows, self.runner.explain()])
