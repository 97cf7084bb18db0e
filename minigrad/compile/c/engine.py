"""A program built in C: its source, and a runner that keeps workspaces."""

import ctypes
from collections.abc import Sequence
from importlib import resources
from typing import Any

import numpy as np

from minigrad.compile import numpy as numpy_engine
from minigrad.compile.c.abilities import Abilities
from minigrad.compile.c.order import clustered, sunk
from minigrad.compile.c.views import UnsayableError
from minigrad.compile.c.write import Writing
from minigrad.compile.memory import Plan, plan
from minigrad.compile.numpy.engine import Runner as NumpyRunner
from minigrad.compile.numpy.engine import stepwise
from minigrad.compile.rules import for_numpy
from minigrad.compile.schedule import own_states, schedule
from minigrad.compile.values import Program

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
            found = self.copies[slot] = np.array(found, order="C")
            array = None  # its elements may be others in the next run
        self.held[slot] = array if found is array else None
        self.copies[slot] = found
        self.addresses[slot] = address(found)

    def fresh(self, slot: int, shape: Any, dtype: str) -> Any:
        """A new array for a result."""
        array = np.empty(shape, dtype)
        self.addresses[slot] = address(array)
        return array


def build(program: Program) -> "Runner":
    """A runner of a program; its ``source`` can be read."""
    report: list[tuple[str, int, int]] = []
    writing, text = written(for_numpy(program, report))
    return Runner(program, report, writing, text)


def written(program: Program) -> tuple[Writing, tuple[str, dict[str, Any]]]:
    """A plan with its C, and the Python that calls it: no compiler is needed."""
    program, able = own_states(program), Abilities()
    while True:
        try:
            writing = Writing(_planned(program, able), able)
            return writing, writing.text()
        except UnsayableError as error:
            able.refused.add(error.part)


def _planned(program: Program, able: Abilities) -> Plan:
    parts = clustered(program, sunk(program, schedule(program), able.says))
    parts = [part if able.says(part) else stepwise(part) for part in parts]
    able.learn(parts)
    return plan(program, parts, able)


class Runner(NumpyRunner):
    """See ``numpy.engine.Runner``; what NumPy would refuse NumPy is asked to run."""

    def __init__(
        self, program: Program, report: Any, writing: Writing,
        text: tuple[str, dict[str, Any]],
    ) -> None:  # fmt: skip
        from minigrad.compile.c.cache import compiled

        self.whole, self.able = program, writing.able
        self.refuser: Any = None
        c_text, (python, namespace) = writing.c_source, text
        if c_text:
            library = compiled(_headers() + c_text)
            for k in range(len(writing.functions)):
                function = library.function(f"part_{k}")
                sizes = [ctypes.c_ssize_t] * len(writing.lengths)
                function.argtypes = [ctypes.c_void_p, *sizes]
                function.restype = ctypes.c_int
                namespace[f"part_{k}"] = function
        slots = len(writing.slots)
        namespace |= {"Workspace": lambda: Workspace(slots), "empty": empty}
        super().__init__(writing.plan, report, (python, namespace))
        self.source = f"{c_text}\n\n/* {python} */" if c_text else python

    def __call__(self, lengths: tuple[int, ...], values: Sequence[Any]) -> Any:
        """Outputs as fresh arrays; ``values`` are parameters, then arguments."""
        found: Any = super().__call__(lengths, values)
        if found is not None:
            return found
        if self.refuser is None:
            self.refuser = numpy_engine.build(self.whole)
        return self.refuser(lengths, values)


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
