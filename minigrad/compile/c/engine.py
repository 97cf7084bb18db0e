"""A program built in C: its source, and a runner that keeps workspaces."""

import ctypes
from collections.abc import Sequence
from importlib import resources
from typing import Any

import numpy as np

from minigrad.compile import numpy as numpy_engine
from minigrad.compile.c import threads as team
from minigrad.compile.c.abilities import Abilities
from minigrad.compile.c.cache import compiled
from minigrad.compile.c.order import clustered, sunk
from minigrad.compile.c.views import UnsayableError
from minigrad.compile.c.write import Writing
from minigrad.compile.kinds import is_view
from minigrad.compile.memory import Plan, plan
from minigrad.compile.numpy.engine import Runner as NumpyRunner
from minigrad.compile.numpy.engine import stepwise
from minigrad.compile.rules import for_numpy
from minigrad.compile.schedule import Loop, own_states, schedule
from minigrad.compile.values import Leaf, Program, Time

# So many parts of a program are written in C, of more none.
MOST = 1500
LINE = 64  # bytes of a cache line, at which arrays begin


def empty(shape: Any, dtype: str) -> Any:
    """An array that begins at a cache line."""
    number, kind = int(np.prod(shape)), np.dtype(dtype)
    block = np.empty(number * kind.itemsize + LINE, np.uint8)
    start = -address(block) % LINE
    return block[start : start + number * kind.itemsize].view(kind).reshape(shape)


def address(array: Any) -> int:
    """Where the first element of an array is."""
    return array.__array_interface__["data"][0]  # type: ignore[no-any-return]


class Workspace:
    """Buffers of a program for some lengths, and the table of their addresses."""

    def __init__(self, slots: int) -> None:
        self.addresses = (ctypes.c_void_p * max(slots, 1))()
        self.table = ctypes.addressof(self.addresses)
        self.held: list[Any] = [None] * slots
        self.copies: list[Any] = [None] * slots

    def give(self, slot: int, array: Any) -> None:
        """Put an array into the table; one that does not lie in one piece is copied."""
        found = np.asarray(array)
        if not found.flags.c_contiguous or not found.flags.aligned:
            found = np.array(found, order="C")
            array = None  # its elements may be others in the next run
        self.held[slot] = array if found is array else None
        self.copies[slot] = found
        self.addresses[slot] = address(found)

    def fresh(self, slot: int, shape: Any, dtype: str) -> Any:
        """A new array for a result."""
        array = np.empty(shape, dtype)
        self.addresses[slot] = ctypes.addressof(ctypes.c_char.from_buffer(array.data))
        return array


def build(program: Program, threads: int = 1) -> "Runner":
    """A runner of a program; its ``source`` can be read."""
    report: list[tuple[str, int, int]] = []
    writing, text = written(for_numpy(program, report), threads)
    return Runner(program, report, writing, text)


def written(
    program: Program, threads: int = 1
) -> tuple[Writing, tuple[str, dict[str, Any]]]:
    """A plan with its C, and the Python that calls it: no compiler is needed."""
    program, able = own_states(program), Abilities()
    while True:
        try:
            writing = Writing(planned(program, able), able, threads)
            return writing, writing.text()
        except UnsayableError as error:
            able.refused.add(error.part)


def planned(program: Program, able: Abilities) -> Plan:
    """The parts of a program in their order, and where its values are."""
    parts = clustered(program, sunk(program, schedule(program), able.says))
    if len(parts) > MOST:  # a loop that is written out: a C compiler takes minutes
        able.refused.update(parts)
    parts = [part if able.says(part) else stepwise(part) for part in parts]
    able.learn(parts)
    return plan(program, parts, able)


class Runner(NumpyRunner):
    """See ``numpy.engine.Runner``; what NumPy would refuse NumPy is asked to run."""

    def __init__(
        self, program: Program, report: Any, writing: Writing,
        text: tuple[str, dict[str, Any]],
    ) -> None:  # fmt: skip
        self.whole, self.able = program, writing.able
        self.refuser: Any = None
        code, (python, namespace) = writing.c_source, text
        self.library = None
        if code:
            self.library = compiled(_headers() + code)
            number = len(writing.lengths) + 2 * (writing.threads > 1)
            for name in writing.functions:
                function = self.library.function(name)
                function.argtypes = [ctypes.c_void_p, *[ctypes.c_ssize_t] * number]
                function.restype = ctypes.c_int
                namespace[name] = function
        slots = len(writing.slots)
        namespace |= {
            "Workspace": lambda: Workspace(slots),
            "empty": empty,
            "run_in_threads": team.run,
        }
        super().__init__(writing.plan, report, (python, namespace))
        self.source = f"{code}\n\n/* {python} */" if code else python

    def __call__(self, lengths: tuple[int, ...], values: Sequence[Any]) -> Any:
        """Outputs as fresh arrays; ``values`` are parameters, then arguments."""
        found: Any = super().__call__(lengths, values)
        if found is not None:
            return found
        if self.refuser is None:
            self.refuser = numpy_engine.build(self.whole)
        return self.refuser(lengths, values)

    def explain(self) -> str:
        """What runs over all steps at once and in loops, and what compiled it."""
        left = {
            v.op.name
            for part in self.plan.parts if not self.able.says(part)
            for v in (part.body if isinstance(part, Loop) else (part,))
            if v in self.plan.roots or v.steps is None
            if not isinstance(v.op, Leaf | Time) and not is_view(v)
        }  # fmt: skip
        rows = [super().explain()]
        if left:
            rows.append(f"{'left to NumPy':<14}{', '.join(sorted(left))}")
        if len(self.plan.parts) > MOST:
            rows.append(f"{'':<14}all of it, for it has more than {MOST} parts")
        rows.append(self.library.explain() if self.library else "")
        return "\n".join(rows).rstrip()


def _headers() -> str:
    """What every program is written with."""
    folder = resources.files("minigrad.compile.c")
    functions, products, rest = (
        (folder / f"{name}.h").read_text()
        for name in ("functions", "products", "program")
    )
    return (
        f"{functions}#define DOUBLE 0\n{products}#define DOUBLE 1\n{products}{rest}\n"
    )
