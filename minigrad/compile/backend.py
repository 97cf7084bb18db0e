"""Engines: what builds a runner of a loop program, by name.

>>> backend("numba")
Traceback (most recent call last):
ValueError: backend is one of numpy, c, got 'numba': loops are no longer handed to ...
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Any, Protocol, cast

from minigrad.compile.values import Program


class Runner(Protocol):
    """A built program: called with lengths and the arrays of its leaves.

    ``program`` is what runs, after its rules; ``parameters`` and ``arguments`` are the
    names of the leaves, in their order.
    """

    program: Program
    source: str
    parameters: list[str]
    arguments: list[str]

    def __call__(
        self, lengths: tuple[int, ...], values: Sequence[Any]
    ) -> Sequence[Any]:
        """Outputs as fresh arrays; ``values`` are parameters, then arguments."""

    def explain(self) -> str:
        """What became of the program: rules, loops, buffers."""


class Backend(Protocol):
    """An engine."""

    def build(self, program: Program) -> Runner:
        """A runner of a program; raises ScheduleError where there is no order."""


# The folder of each engine; it is imported when it is asked for.
FOLDERS = {"numpy": "minigrad.compile.numpy", "c": "minigrad.compile.c"}


def backend(name: str) -> Backend:
    """The engine of this name; raises ValueError where there is none."""
    if name not in FOLDERS:
        text = f"backend is one of {', '.join(FOLDERS)}, got {name!r}"
        if name == "numba":
            text += ": loops are no longer handed to Numba, use the numpy backend"
        raise ValueError(text)
    return cast(Backend, import_module(FOLDERS[name]))
