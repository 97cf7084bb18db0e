"""Engines: what builds a runner of a loop program, by name.

>>> backend("numba")
Traceback (most recent call last):
ValueError: backend is one of numpy, c, jax, got 'numba': loops are no longer ...
"""

import os
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple, Protocol, cast

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

    def build(self, program: Program, **options: Any) -> Runner:
        """A runner of a program; raises ScheduleError where there is no order."""


class EngineError(RuntimeError):
    """An engine can build no program here; it is raised, and nothing runs eagerly."""


# The folder of each engine; it is imported when it is asked for.
FOLDERS = {name: f"minigrad.compile.{name}" for name in ("numpy", "c", "jax")}
# Packages that an engine needs, and the extra that installs them.
NEEDS = {"jax": "jax", "jaxlib": "jax"}
# The variable that names the engine where no argument does.
VARIABLE = "MINIGRAD_BACKEND"


def chosen(name: str | None) -> str:
    """The name of an engine: this one, else what the environment says, else "numpy".

    Raises ValueError where there is no engine of this name.

    >>> chosen("c")
    'c'
    """
    said = name or os.environ.get(VARIABLE) or "numpy"
    if said in FOLDERS:
        return said
    text = f"backend is one of {', '.join(FOLDERS)}, got {said!r}"
    if name is None:
        text += f" from the environment's {VARIABLE}"
    if said == "numba":
        text += ': loops are no longer handed to Numba, use "c" or "numpy"'
    raise ValueError(text)


def backend(name: str | None) -> Backend:
    """The engine of this name, see ``chosen``.

    Raises EngineError where it needs a package that is not installed.
    """
    said = chosen(name)
    try:
        return cast(Backend, import_module(FOLDERS[said]))
    except ModuleNotFoundError as error:
        if error.name not in NEEDS:
            raise
        raise EngineError(
            f"the {said} engine needs the package {error.name}: "
            f"pip install 'minigrad-rnn[{NEEDS[error.name]}]'"
        ) from error


# Engines whose arrays are on a device.
ON_DEVICE = frozenset({"jax"})


class Engine(NamedTuple):
    """An engine with what it was told; see ``engine``."""

    backend: Backend
    options: dict[str, Any]
    on_device: bool

    def build(self, program: Program) -> Runner:
        """A runner of a program; raises ScheduleError where there is no order."""
        return self.backend.build(program, **self.options)


def engine(name: str, **options: Any) -> Engine:
    """The engine of this name, with options; those that are None were not given.

    Raises ValueError for an option that this engine does not take.
    """
    given = {k: v for k, v in options.items() if v is not None}
    for option in given:
        if option not in OPTIONS[name]:
            raise ValueError(f"the {name} engine has no {option}: {INSTEAD[option]}")
    return Engine(backend(name), given, name in ON_DEVICE)


OPTIONS = {"numpy": (), "c": ("threads",), "jax": ("mesh", "donate", "scan")}
INSTEAD = {
    "threads": 'BLAS has its own, set OPENBLAS_NUM_THREADS, or write backend="c"',
    "mesh": 'devices are those of JAX, write backend="jax"',
    "scan": 'its loops run a step at a time, write backend="jax"',
}
