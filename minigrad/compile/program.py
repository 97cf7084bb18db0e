"""``compile``: a function of arrays recorded once, then run as NumPy source.

Vocabulary
    trace    one eager run of the function that records everything, gradients too
    key      what a program depends on: shapes, dtypes and structure of the arguments
    Program  a compiled function; it keeps the code of each key, and one for every
             number of steps once traces of two lengths have folded alike, which serves
             each length that has been compared with them

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
from typing import Any, ClassVar, Literal

import numpy as np

from minigrad.compile.arguments import flatten, opaque, opened
from minigrad.compile.backend import EngineError, chosen
from minigrad.compile.backend import engine as engine_with
from minigrad.compile.chance import drawing_nothing
from minigrad.compile.check import difference
from minigrad.compile.code import Code
from minigrad.compile.lengths import AnyLength, Entry, largest_delay, proves
from minigrad.compile.outline import outline
from minigrad.compile.picture import circuit
from minigrad.compile.spec import holds
from minigrad.compile.trace import Given, Trace, folded, record
from minigrad.compile.watched import Watched, changed, watch
from minigrad.fold import Recurrence
from minigrad.graph import Graph, Leaf, Node
from minigrad.held import Held, on_device
from minigrad.limits import whole
from minigrad.mode import Mode, TraceError, current_mode
from minigrad.pickles import NotPickled
from minigrad.scope import Call
from minigrad.tensor import Tensor


def compile(
    function: Callable[..., Any],
    strict: bool = False,
    backend: str | None = None,
    threads: int = 1,
    mesh: Any = None,
    scan: Literal["steps", "associative"] = "steps",
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

    ``backend`` names the engine that builds the program: "numpy"; "c", which needs a
    C compiler on the machine; or "jax", which needs JAX. Without it the variable
    MINIGRAD_BACKEND does, else it is "numpy". ``threads`` is how many of them "c"
    divides large products and nests of loops among; results do not depend on it.
    ``mesh`` are devices of JAX, with the axis "batch", that share a batch. With
    ``scan="associative"`` "jax" computes all steps of a loop at once, where the loop is
    linear in its states, element by element.

    Raises TypeError if ``function`` cannot be called, ValueError for an engine that is
    not there or does not take an option, EngineError where the package of an engine is
    not installed. The first call raises EngineError where "c" finds no compiler, where
    "jax" has no function for an op or has 32 bits for float64, where a mesh does not
    fit the batch, and for a loop that is not linear where that was asked for.
    """
    if not callable(function):
        raise TypeError(
            f"mg.compile takes a function, got {type(function).__name__}: "
            "mg.compile(lambda x: model(x))"
        )
    if scan not in ("steps", "associative"):
        raise ValueError(f'scan is "steps" or "associative", got {scan!r}')
    several = whole("threads", threads) if threads != 1 else None
    how = scan if scan != "steps" else None
    return Program(function, strict, backend, threads=several, mesh=mesh, scan=how)


class Program(NotPickled):
    """A compiled function; see ``compile``.

    >>> import minigrad as mg
    >>> @mg.compile
    ... def f(x):
    ...     return mg.tanh(x) * 2.0
    >>> isinstance(f, Program), f(np.zeros(3)).shape
    (True, (3,))
    >>> "tanh" in f.source, f.recurrence is None, len(f.graph.inputs)
    (True, True, 1)
    >>> f.explain().splitlines()[0]
    'straight      there is no loop over time'
    """

    _instead: ClassVar[str] = (
        "save the parameters with state_dict(), and compile the function again"
    )

    def __init__(
        self,
        function: Callable[..., Any],
        strict: bool,
        backend: str | None,
        **options: Any,
    ) -> None:
        self.eager = function
        self.strict = strict
        self.backend = chosen(backend)
        self.engine = engine_with(self.backend, **options)
        self.__doc__ = function.__doc__
        self.warned = False
        self._forget()

    def _forget(self) -> None:
        """Let the next call trace: what the function reads has changed."""
        self.traced: list[tuple[Any, Code, Any]] = []
        self.codes: dict[Any, Entry] = {}
        self.any_length: dict[Any, list[AnyLength]] = {}
        self.refused: set[Any] = set()
        self.cut: set[Any] = set()  # structures whose arguments have been cut
        self.watched: list[Watched] = []
        self.objects: list[Any] = []  # arguments that are part of the key

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run compiled; the first call with new shapes traces and compiles.

        Inside of another function that is traced, and where values are watched, the
        function itself runs.
        """
        return self._call(args, kwargs, False)

    def arrays(self, *args: Any, **kwargs: Any) -> Any:
        """As a call, with fresh arrays in the place of Tensors, which takes less time.

        >>> double = compile(lambda x: (x * 2.0, "doubled"))
        >>> double.arrays(np.ones(2))
        (array([2., 2.]), 'doubled')
        """
        return self._call(args, kwargs, True)

    def _call(self, args: Any, kwargs: Any, as_arrays: bool) -> Any:
        if current_mode.get() not in (Mode.RECORD, Mode.OFF, Mode.FORGET):
            return self._eagerly(args, kwargs, as_arrays)
        if self.watched and changed(self.watched):
            self._forget()
        key: Any = None
        try:
            arrays: list[Any] = []
            nodes: dict[Node, int] = {}
            far = self.engine.on_device
            structure = [flatten(value, arrays, nodes, far) for value in args]
            structure += [
                (k, flatten(v, arrays, nodes, far)) for k, v in kwargs.items()
            ]
            shapes = tuple([(a.shape, a.dtype) for a in arrays])
            key = (tuple(structure), shapes)
            entry = self.codes.get(key)
            if entry is None and key in self.refused:
                return self._eagerly(args, kwargs, as_arrays)
            if entry is None:
                entry, found = self._first(key, Given(args, kwargs, arrays))
                if changed(self.watched):  # by the function, which was compared
                    self.watched = watch(self.eager, *self.objects)
            else:
                found = _run(entry.code, arrays)
            if as_arrays:
                return entry.rebuild(iter(found))
            # What an earlier call gave is left out, or a carried state would hold all.
            own = [n for n in nodes if not isinstance(n.scope, Call)]
            place = Call((*entry.code.parameters, *own))
            return entry.rebuild(_result(array, place) for array in found)
        except TraceError as error:
            reason: Exception = error
        except _RaisedError as error:
            reason = error
        if isinstance(reason, TraceError):
            self._refuse(key, reason)
            return self._eagerly(args, kwargs, as_arrays)
        # What the function raises is its own.
        result = self._eagerly(args, kwargs, as_arrays)
        self._refuse(key, reason)
        return result

    def _eagerly(self, args: Any, kwargs: Any, as_arrays: bool) -> Any:
        result = self.eager(*args, **kwargs)
        return _with_arrays(result) if as_arrays else result

    @property
    def source(self) -> str:
        """The source of the last program compiled.

        Raises ValueError before the first call.
        """
        return self._last().source

    @property
    def recurrence(self) -> Recurrence | None:
        """What the last program was folded to, or None.

        Raises ValueError before the first call.
        """
        return self._last().recurrence

    @property
    def graph(self) -> Graph:
        """The last program as a graph to be drawn; loops over time are its scopes.

        ``mg.draw(program)`` shows what is inside and outside of the loops,
        ``mg.draw(program, depth=0)`` each loop as one box.

        Raises ValueError before the first call.
        """
        code = self._last()
        return circuit(code.runner.program)

    def explain(self) -> str:
        """What each pass did to the last program compiled.

        Raises ValueError before the first call.
        """
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
            warnings.warn(text, RuntimeWarning, stacklevel=4)
        self.warned = True
        self.codes.pop(key, None)
        self.refused.add(key)

    def _first(self, key: Any, given: Given) -> tuple[Entry, Any]:
        """The program of a key that is new, and what it gives."""
        collects = gc.isenabled()
        try:
            # It would walk the growing graph, which has no cycles, many times.
            gc.disable()
            entry = self._proved(key, given) or self._of_few_steps(key, given)
            if entry is None:
                entry, found = self._trace(key, given)
            else:
                found = _run(entry.code, given.arrays)
        finally:
            if collects:
                gc.enable()
        self.codes[key] = entry
        return entry, found

    def _proved(self, key: Any, given: Given) -> Entry | None:
        """The program of any length that does at this one what the function does."""
        structure, shapes = key
        for general in self.any_length.get(structure, ()):
            try:
                comparison = general.comparison(shapes)
                if comparison is None:
                    continue
                trace = record(self.eager, given, comparison)
                if trace.said == general.said and comparison.agrees(trace.results):
                    return general.entry
            except Exception:  # a whole trace will tell what it is
                continue
        return None

    def _of_few_steps(self, key: Any, given: Given) -> Entry | None:
        """The same, by traces of a few steps: every array is cut that seems to be long.

        What comes of it need not make sense, for it is compared with what was given.
        """
        structure, shapes = key
        length = max([shape[0] for shape, _ in shapes if shape], default=0)
        if length < LONG or structure in self.any_length or structure in self.cut:
            return None
        self.cut.add(structure)
        few = FEW
        for _ in range(3):
            arrays = [a[:few] if a.shape[:1] == (length,) else a for a in given.arrays]
            short = (structure, tuple([(a.shape, a.dtype) for a in arrays]))
            try:
                entry, _ = self._trace(short, given._replace(arrays=arrays))
            except (TraceError, _RaisedError):
                return None
            self.codes[short] = entry
            if structure in self.any_length:
                return self._proved(key, given)
            if entry.code.recurrence is None:
                return None
            few = max(few + 4, 2 * largest_delay(entry.code.recurrence) + 2)
        return None

    def _trace(self, key: Any, given: Given) -> tuple[Entry, Any]:
        """Record one call: what it became, and the results of the first run."""
        objects = opaque([*given.args, *given.kwargs.values()])
        try:
            with drawing_nothing(self.eager, *objects):
                trace = record(self.eager, given)
        except TraceError:
            raise
        except Exception as error:
            raise _RaisedError(f"traced, it raises {_said(error)}") from error
        if not trace.results:
            raise TraceError("it returns no Tensor")
        try:
            code, found = self._compiled(key, trace, given)
            self.objects += objects
            self.watched = watch(self.eager, *self.objects)
        except Exception as error:
            if isinstance(error, (TraceError, EngineError)):
                raise
            raise TraceError(f"the compiler raises {_said(error)}") from error
        return Entry(code, trace.rebuild), found

    def _compiled(self, key: Any, trace: Trace, given: Given) -> tuple[Code, Any]:
        """The program of a trace, an earlier one if it serves, and what it gives."""
        graph, said = Graph(trace.results), trace.said
        recurrence = folded(graph)
        for i, (_, code, known) in enumerate(self.traced):
            if isinstance(recurrence, str) or known != said:
                continue
            if not proves(recurrence, code, trace.positions):
                continue
            free = code if code.is_free else code.freed(recurrence)
            if free is None or free.lengths_of(key[1]) != recurrence.lengths:
                continue
            if not holds(free.program, recurrence.lengths):
                continue
            found = free(given.arrays)
            if difference(graph, found) is None:
                entry = Entry(free, trace.rebuild)
                self._serve(key[0], i, entry, recurrence.lengths, given)
                return free, found
        code = Code(graph, recurrence, trace.positions, self.engine)
        found = code(given.arrays)
        wrong = difference(graph, found)
        if wrong:
            raise TraceError(
                f"its program does not give what the function does: {wrong}"
            )
        self.traced.append((key, code, said))
        return code, found

    def _serve(
        self, structure: Any, i: int, entry: Entry, lengths: Any, given: Given
    ) -> None:
        """Note that a program of free lengths has been proved at these lengths."""
        key, earlier, said = self.traced[i]
        assert earlier.recurrence is not None
        known = self.any_length.setdefault(structure, [])
        general = next((g for g in known if g.entry.code is entry.code), None)
        if general is None:
            forward = outline(self.eager, given, lengths)
            general = AnyLength(entry, said, forward, earlier.recurrence.lengths)
            known.append(general)
            # The program of the first length is one of these.
            self.traced[i] = (key, entry.code, said)
            for k, e in self.codes.items():
                if e.code is earlier:
                    self.codes[k] = Entry(entry.code, e.rebuild)
        general.shortest = tuple(map(min, general.shortest, lengths))


# How many steps the first short trace has, and the sequences that it is made for.
FEW, LONG = 16, 100


class _RaisedError(Exception):
    """Something was raised that the function itself may raise as well."""


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _run(code: Code, arrays: list[Any]) -> Any:
    try:
        return code(arrays)
    except EngineError:
        raise
    except Exception as error:
        raise _RaisedError(f"its program raises {_said(error)}") from error


def _with_arrays(value: Any) -> Any:
    """What a function returned, with arrays in the place of Tensors."""
    if isinstance(value, Tensor):
        return np.array(value.data)
    container = opened(value)
    if container is None:
        return value
    return container.close([*map(_with_arrays, container.items)])


def _result(array: Any, place: Call) -> Tensor:
    leaf = Held if on_device(array) else Leaf
    if leaf is Leaf:
        array.setflags(False)
    return Tensor(leaf("constant", array, None, place, next(place.slots)))
