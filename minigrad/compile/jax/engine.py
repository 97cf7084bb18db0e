"""A program built for JAX: its source, jitted for each shape, and what calls it."""

import builtins
import linecache
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from minigrad.compile.backend import EngineError
from minigrad.compile.jax.write import Writing
from minigrad.compile.rules import for_numpy
from minigrad.compile.schedule import own_states
from minigrad.compile.values import Program


def build(program: Program, threads: int = 1) -> "Runner":
    """A runner of a program; its ``source`` can be read."""
    return Runner(program)


class Runner:
    def __init__(self, program: Program) -> None:
        report: list[tuple[str, int, int]] = []
        self.program = own_states(for_numpy(program, report))
        self.report = report
        self.parameters = list(self.program.parameters)
        self.arguments = list(self.program.arguments)
        self.source, namespace = Writing(self.program).text()
        exec(_compiled(self.source), namespace)
        fixed = tuple(range(len(program.clocks)))
        self.run = jax.jit(namespace["run"], static_argnums=fixed)

    def __call__(self, lengths: tuple[int, ...], values: Sequence[Any]) -> Any:
        found = self.run(*lengths, *values)
        return [np.array(a) for a in found]

    def explain(self):
        return ""


def _compiled(source: str) -> Any:
    """Code whose lines a traceback can show."""
    name = f"<minigrad program {len(linecache.cache)}>"
    lines = source.splitlines(keepends=True)
    linecache.cache[name] = (len(source), None, lines, name)
    return builtins.compile(source, name, "exec")
