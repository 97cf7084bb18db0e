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

import gc
import warnings
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from minigrad.compile.arguments import Handed, flatten, names, opaque, outputs
from minigrad.compile.check import difference
from minigrad.compile.code import KEPT, Code
from minigrad.compile.disk import usable
from minigrad.compile.lengths import AnyLength, Entry, alike
from minigrad.compile.picture import circuit
from minigrad.compile.watched import Watched, changed, watch
from minigrad.fold import Recurrence, fold
from minigrad.graph import Graph, Leaf, Node
from minigrad.mode import Mode, TraceError, current_mode, traced
from minigrad.pickles import NotPickled
from minigrad.scope import ROOT, Call, current
from minigrad.tensor import Tensor, tensor

__all__ = ["KEPT", "Program", "compile"]


def compile(
    function: Callable[..., Any], strict: bool = False, backend: str = "numpy"
) -> "Program":
    """A function that records, as one that runs compiled.

    ``function`` takes arrays, Tensors and other values and returns Tensors, alone or in
    tuples, lists, dicts, named tuples and dataclasses; it may call ``mg.grad`` and
    models. Arrays are inputs; everything else is part of the key. Arrays that the
    function makes itself are constants of the program (random numbers too: pass masks
    as arguments). What it closes over is watched, and traced again when it changes; an
    array of more than 64 kB becomes read-only. Parameters are read at each call.
    Results are Tensors with fresh arrays and no graph.

    What cannot be compiled, such as a Python branch on a Tensor's value, runs eagerly
    after one warning that says why; ``strict`` raises TraceError instead. So does a
    program whose first run does not give what the function gave. What the function
    itself raises is raised.

    ``backend="numba"`` compiles the loops over time to machine code, which is kept on
    disk for the next process; it needs ``pip install 'minigrad-rnn[fast]'``.
    """
    return Program(function, strict, backend)


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
        self.__doc__ = function.__doc__
        self.warned = False
        self._forget()

    def _forget(self) -> None:
        """Let the next call trace: what the function reads has changed."""
        self.traced: list[tuple[Any, Code, Any]] = []
        self.codes: dict[Any, Entry] = {}
        self.any_length: dict[Any, AnyLength] = {}
        self.refused: set[Any] = set()
        self.watched: list[Watched] = []
        self.objects: list[Any] = []  # arguments that are part of the key

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run compiled; the first call with new shapes traces and compiles.

        Inside of another function that is traced, and where values are watched, the
        function itself runs.
        """
        if current_mode.get() not in (Mode.RECORD, Mode.OFF):
            return self.eager(*args, **kwargs)
        if self.watched and changed(self.watched):
            self._forget()
        key: Any = None
        try:
            arrays: list[Any] = []
            nodes: list[Node] = []
            structure = [flatten(value, arrays, nodes) for value in args]
            structure += [(k, flatten(v, arrays, nodes)) for k, v in kwargs.items()]
            shapes = tuple([(a.shape, a.dtype) for a in arrays])
            key = (tuple(structure), shapes)
            entry = self.codes.get(key)
            if entry is None and key in self.refused:
                return self.eager(*args, **kwargs)
            entry = entry or self._of_other_length(*key)
            if entry is None:
                entry, found = self._trace(key, args, kwargs, arrays)
                self.codes[key] = entry
            else:
                found = _run(entry.code, arrays)
            reads = entry.code.parameters
            place = Call((*reads, *nodes) if nodes else reads)
            return entry.rebuild(_result(array, place) for array in found)
        except TraceError as error:
            reason: Exception = error
        except _RaisedError as error:
            reason = error
        if isinstance(reason, TraceError):
            self._refuse(key, reason)
            return self.eager(*args, **kwargs)
        result = self.eager(*args, **kwargs)  # what the function raises is its own
        self._refuse(key, reason)
        return result

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

    def _refuse(self, key: Any, reason: Exception) -> None:
        """Say once why a call runs eagerly; ``strict`` raises instead."""
        name = getattr(self.eager, "__name__", "the function")
        text = f"{name} is not compiled and runs eagerly: {reason}"
        if self.strict:
            raise TraceError(text) from reason
        if not self.warned:
            warnings.warn(text, RuntimeWarning, stacklevel=3)
        self.warned = True
        self.codes.pop(key, None)
        self.refused.add(key)

    def _of_other_length(self, structure: Any, shapes: Any) -> "Entry | None":
        for general in self.any_length.values():
            key = _general(structure, shapes, general.entry.code)
            if self.any_length.get(key) is general and general.serves(shapes):
                return general.entry
        return None

    def _trace(
        self, key: Any, args: Any, kwargs: Any, arrays: list[Any]
    ) -> tuple["Entry", Any]:
        """Record one call: what it became, and the results of the first run."""
        try:
            inputs, result = self._record(args, kwargs, arrays)
        except TraceError:
            raise
        except Exception as error:
            raise _RaisedError(f"traced, it raises {_said(error)}") from error
        results: list[Tensor] = []
        said, rebuild = outputs(result, results)
        if not results:
            raise TraceError("it returns no Tensor")
        positions = {t.node: i for i, t in enumerate(inputs)}
        try:
            graph = Graph(results)
            code, found = self._compiled(key, graph, positions, (said, rebuild), arrays)
            self.objects += opaque([*args, *kwargs.values()])
            self.watched = watch(self.eager, *self.objects)
        except Exception as error:
            if isinstance(error, TraceError):
                raise
            raise TraceError(f"the compiler raises {_said(error)}") from error
        return Entry(code, rebuild), found

    def _record(
        self, args: Any, kwargs: Any, arrays: list[Any]
    ) -> tuple[list[Tensor], Any]:
        scope, collects = current.get(), gc.isenabled()
        try:
            current.set(ROOT)
            called = names(self.eager, args, kwargs)
            inputs = [tensor(a, name=n) for a, n in zip(arrays, called, strict=True)]
            handed = Handed(inputs)
            args = [handed.replace(value) for value in args]
            kwargs = {name: handed.replace(value) for name, value in kwargs.items()}
            # It would walk the growing graph, which has no cycles, many times.
            gc.disable()
            with traced():
                result = self.eager(*args, **kwargs)
        finally:
            current.set(scope)
            if collects:
                gc.enable()
        handed.check()
        return inputs, result

    def _compiled(
        self, key: Any, graph: Graph, positions: Any, returned: Any, arrays: list[Any]
    ) -> tuple[Code, Any]:
        """The program of a trace, an earlier one if it serves, and what it gives."""
        said, rebuild = returned
        recurrence = _folded(graph)
        for _, code, known in self.traced:
            if isinstance(recurrence, str) or known != said:
                continue
            proof = alike(recurrence, code, positions, rebuild)
            if proof is None:
                continue
            found = code(arrays)
            if difference(graph, found) is None:
                general = _general(key[0], key[1], code)
                before = self.any_length.get(general)
                if before is not None and before.entry.code is code:
                    before.confirm(recurrence.lengths)
                else:
                    self.any_length[general] = proof
                return code, found
        code = Code(graph, recurrence, positions, self.backend)
        found = code(arrays)
        wrong = difference(graph, found)
        if wrong:
            raise TraceError(
                f"its program does not give what the function does: {wrong}"
            )
        self.traced.append((key, code, said))
        return code, found


SAME = "give the initial state the shape and dtype of the states"


class _RaisedError(Exception):
    """Something was raised that the function itself may raise as well."""


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _run(code: Code, arrays: list[Any]) -> Any:
    try:
        return code(arrays)
    except Exception as error:
        raise _RaisedError(f"its program raises {_said(error)}") from error


def _result(array: Any, place: Call) -> Tensor:
    array.setflags(False)
    return Tensor(Leaf("constant", array, None, place, next(place.slots)))


def _folded(graph: Graph) -> Recurrence | str:
    """The trace folded, or why not; a name that one step alone has does not count."""
    if not graph.clocks:
        return "there is no loop over time"
    for node in graph.nodes:
        if isinstance(node, Leaf) and node.kind == "input" and node.time:
            node.kind = "constant"  # a leaf made in the body is made by the function
    try:
        return _changing(graph) or _even(fold(graph))
    except Exception:
        for node in graph.nodes:
            if node.inputs and node.time:
                node.name = None
    try:
        return _even(fold(Graph(graph.outputs)))
    except Exception as reason:
        return f"the graph does not fold: {reason}"


def _changing(graph: Graph) -> str | None:
    """A value whose shape or dtype differs from step to step, in words."""
    first: dict[Any, Node] = {}
    for node in graph.nodes:
        if node.time is None or not isinstance(node.value, np.ndarray):
            continue
        known = first.setdefault(graph.places[node], node)
        for what in ("shape", "dtype"):
            a, b = (getattr(n.value, what) for n in (known, node))
            if a != b:
                return f"{node.label} has {what} {b}, at step {known.t} {a}: {SAME}"
    return None


def _even(recurrence: Recurrence) -> Recurrence | str:
    """The recurrence, if what an operand reads has one shape and dtype at all steps."""
    for role in recurrence.roles:
        for operand in role.operands if role.span is not None else ():
            read = [recurrence.roles[source.role] for source in operand]
            for other in read[1:]:
                dtypes = {other.spec.dtype, read[0].spec.dtype}
                number = not dtypes.isdisjoint(("bool", "int", "float"))  # takes any
                if other.spec.shape != read[0].spec.shape or (
                    len(dtypes) > 1 and not number
                ):
                    return (
                        f"{role.label} reads {read[0].label} of {read[0].spec} and "
                        f"{other.label} of {other.spec}: {SAME}"
                    )
    return recurrence


def _general(structure: Any, shapes: Any, code: Code) -> Any:
    """A key in which the lengths of the loops are free."""
    free = {position for _, position in code.sequences}
    return structure, tuple(
        (("T", *shape[1:]) if i in free else shape, dtype)
        for i, (shape, dtype) in enumerate(shapes)
    )
