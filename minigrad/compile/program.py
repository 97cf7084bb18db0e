"""``compile``: a function of arrays recorded once, then run as NumPy source.

Vocabulary
    trace    one eager run of the function that records everything, gradients too
    key      what a program depends on: shapes, dtypes and structure of the arguments
    Program  a compiled function; it keeps the code of each key, and one for every
             number of steps once traces of two lengths have folded alike

>>> import numpy as np
>>> import minigrad as mg
>>> W = mg.parameter([[0.5]], name="W")
>>> @compile
... def step(xs):
...     h = mg.tensor([[0.0]], name="h0")
...     for t, x in mg.steps(xs):
...         h = mg.tanh(h @ W + x)
...     return mg.grad(h.sum(), [W])
>>> xs = np.ones((8, 1, 1))
>>> np.allclose(step(xs)[0].data, step.eager(xs)[0].data)
True
"""

import builtins
import gc
import linecache
import warnings
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from minigrad.compile import kernels
from minigrad.compile.arguments import flatten, names, outputs, rebuild, replace
from minigrad.compile.disk import functions, usable
from minigrad.compile.emit import emit
from minigrad.compile.line import (
    Line,
    LoopProgram,
    NotFoldableError,
    loop_program,
    straight_program,
)
from minigrad.compile.passes import run_passes
from minigrad.compile.picture import circuit
from minigrad.compile.schedule import Phase, schedule
from minigrad.compile.writer import Writer
from minigrad.fold import FoldError, Recurrence, fold
from minigrad.graph import Graph, Leaf, Node, same_value
from minigrad.mode import Mode, TraceError, current_mode, traced
from minigrad.pickles import NotPickled
from minigrad.scope import ROOT
from minigrad.tensor import Tensor, tensor

__all__ = ["Program", "compile"]


def compile(
    function: Callable[..., Any], strict: bool = False, backend: str = "numpy"
) -> "Program":
    """A function that records, as one that runs compiled.

    ``function`` takes arrays, Tensors and other values and returns Tensors in tuples,
    lists or dicts; it may call ``mg.grad`` and models. Arrays are inputs; everything
    else is part of the key, and arrays that the function makes itself are constants of
    the program (random numbers too: pass masks as arguments). Parameters are read at
    each call. Results are Tensors with fresh arrays.

    What cannot be compiled, such as a Python branch on a Tensor's value, runs eagerly
    after one warning that says why; ``strict`` raises instead.

    ``backend="numba"`` compiles the loops over time to machine code, which is kept on
    disk for the next process; it needs ``pip install 'minigrad-rnn[fast]'``.
    """
    return Program(function, strict, backend)


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
        self.parameters = [a.line.leaf for a in self.arguments if a.position is None]
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


class Program(NotPickled):
    """A compiled function; see ``compile``."""

    _instead: ClassVar[str] = (
        "save the parameters with state_dict(), and compile the function again"
    )

    def __init__(
        self, function: Callable[..., Any], strict: bool, backend: str
    ) -> None:
        self.eager = function
        self.strict = strict
        self.backend = usable(backend)
        self.codes: dict[Any, tuple[Code, Any]] = {}
        self.any_length: dict[Any, tuple[Code, Any, int]] = {}
        self.traced: list[tuple[Any, Code, Any]] = []
        self.refused: set[Any] = set()
        self.__doc__ = function.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run compiled; the first call with new shapes traces and compiles.

        Inside of another function that is traced, and where values are watched, the
        function itself runs.
        """
        if current_mode.get() not in (Mode.RECORD, Mode.OFF, Mode.FORGET):
            return self.eager(*args, **kwargs)
        arrays: list[Any] = []
        structure = [flatten(value, arrays) for value in args]
        structure += [(name, flatten(value, arrays)) for name, value in kwargs.items()]
        shapes = tuple([(a.shape, a.dtype) for a in arrays])
        key = (tuple(structure), shapes)
        entry = self.codes.get(key)
        if entry is None:
            if key in self.refused:
                return self.eager(*args, **kwargs)
            entry = self._of_other_length(*key)
            if entry is None:
                try:
                    entry = self._trace(key, args, kwargs, arrays)
                except TraceError as reason:
                    self._refuse(key, str(reason))
                    return self.eager(*args, **kwargs)
            self.codes[key] = entry
        code, returned = entry
        tensors = []
        for array in code(arrays):
            array.setflags(False)
            tensors.append(Tensor(Leaf("constant", array, None, ROOT, 0)))
        return rebuild(returned, iter(tensors))

    @property
    def source(self) -> str:
        """The source of the last program compiled."""
        return self._last().source

    @property
    def recurrence(self) -> Recurrence | None:
        """What the last program was folded to, or None."""
        return self._last().recurrence

    @property
    def graph(self) -> Graph:
        """The last program as a graph to be drawn; loops over time are its scopes.

        ``mg.draw(program)`` shows what is inside and outside of the loops,
        ``mg.draw(program, depth=0)`` each loop as one box.
        """
        code = self._last()
        return circuit(code.program, code.phases)

    def explain(self) -> str:
        """What each pass did to the last program compiled."""
        return self._last().explain()

    def _last(self) -> Code:
        if not self.traced:
            raise ValueError("call the compiled function once: its first call compiles")
        return self.traced[-1][1]

    def _refuse(self, key: Any, reason: str) -> None:
        name = getattr(self.eager, "__name__", "the function")
        text = f"{name} is not compiled and runs eagerly: {reason}"
        if self.strict:
            raise TraceError(text)
        if not self.refused:
            warnings.warn(text, RuntimeWarning, stacklevel=3)
        self.refused.add(key)

    def _of_other_length(self, structure: Any, shapes: Any) -> Any:
        for code, returned, shortest in self.any_length.values():
            general = _general(structure, shapes, code)
            known = self.any_length.get(general)
            if known is None or known[0] is not code:
                continue
            lengths = {(clock, shapes[p][0][0]) for clock, p in code.sequences}
            # Sequences of one loop that differ in length are refused by an eager run.
            agree = len(lengths) == len(code.clock_of)
            if agree and min(n for _, n in lengths) >= shortest:
                return code, returned
        return None

    def _trace(self, key: Any, args: Any, kwargs: Any, arrays: list[Any]) -> Any:
        called = names(self.eager, args, kwargs)
        inputs = [tensor(a, name=n) for a, n in zip(arrays, called, strict=True)]
        handed = iter(inputs)
        args = [replace(value, handed) for value in args]
        kwargs = {name: replace(value, handed) for name, value in kwargs.items()}
        collects = gc.isenabled()
        try:
            # It would walk the growing graph, which has no cycles, many times.
            gc.disable()
            with traced():
                result = self.eager(*args, **kwargs)
        finally:
            if collects:
                gc.enable()
        results: list[Tensor] = []
        returned = outputs(result, results)
        if not results:
            raise TraceError("it returns no Tensor")
        graph = Graph(results)
        positions = {t.node: i for i, t in enumerate(inputs)}
        recurrence = _folded(graph)
        structure, shapes = key
        for _, earlier, said in self.traced:
            general = _general(structure, shapes, earlier)
            same = (
                isinstance(recurrence, Recurrence)
                and earlier.recurrence is not None
                and earlier.clock_of
                and len(earlier.clock_of) == len(earlier.program.lengths)
                and recurrence.lengths != earlier.recurrence.lengths
                and recurrence == earlier.recurrence
                and _same_leaves(recurrence, earlier, positions)
                and said == returned
            )
            if same:
                shortest = min(*graph.clocks.values(), *earlier.program.lengths)
                self.any_length[general] = (earlier, returned, shortest)
                return earlier, returned
        code = Code(graph, recurrence, positions, self.backend)
        self.traced.append((key, code, returned))
        return code, returned


def _folded(graph: Graph) -> Recurrence | str:
    """The trace folded, or why not; a name that one step alone has does not count."""
    if not graph.clocks:
        return "there is no loop over time"
    try:
        return fold(graph)
    except FoldError:
        for node in graph.nodes:
            if node.inputs and node.time:
                node.name = None
    try:
        return fold(Graph(graph.outputs))
    except FoldError as reason:
        return f"the graph does not fold: {reason}"


def _same_leaves(
    recurrence: Recurrence, code: Code, positions: dict[Node, int]
) -> bool:
    """Whether a second trace reads the same parameters and arguments."""
    assert code.recurrence is not None
    for a, b in zip(recurrence.roles, code.recurrence.roles, strict=True):
        # The shape of one step must not depend on the length (of another loop).
        if a.span is not None and a.spec != b.spec:
            return False
    mine = [r.leaf for r in recurrence.roles if r.leaf is not None]
    theirs = [r.leaf for r in code.recurrence.roles if r.leaf is not None]
    given = {a.line.leaf: a.position for a in code.arguments}
    for leaf, known in zip(mine, theirs, strict=True):
        if known.kind == "parameter":
            if leaf is not known:
                return False
            continue
        if given.get(known) is not None and positions.get(leaf) != given[known]:
            return False
        # An array that the function made itself is part of the program.
        if known not in given and (
            leaf in positions or not same_value(leaf.value, known.value)
        ):
            return False
    return True


def _general(structure: Any, shapes: Any, code: Code) -> Any:
    """A key in which the lengths of the loops are free."""
    free = {position for _, position in code.sequences}
    return structure, tuple(
        (("T", *shape[1:]) if i in free else shape, dtype)
        for i, (shape, dtype) in enumerate(shapes)
    )


def _compiled(source: str) -> Any:
    """Code whose lines a traceback can show."""
    name = f"<minigrad program {len(linecache.cache)}>"
    lines = source.splitlines(keepends=True)
    linecache.cache[name] = (len(source), None, lines, name)
    return builtins.compile(source, name, "exec")
