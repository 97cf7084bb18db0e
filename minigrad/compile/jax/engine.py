"""A program built for JAX: its source, jitted for each shape, and what calls it."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from minigrad.compile import numpy as numpy_engine
from minigrad.compile.jax.checks import Checks, require_bits
from minigrad.compile.jax.devices import Devices
from minigrad.compile.jax.write import Writing
from minigrad.compile.numpy.engine import compiled
from minigrad.compile.rules import for_numpy
from minigrad.compile.schedule import Loop, own_states
from minigrad.compile.values import Program


def build(
    program: Program, mesh: Any = None, donate: Sequence[str] = (), scan: str = "steps"
) -> "Runner":
    """A runner of a program; its ``source`` can be read.

    ``mesh`` are the devices that share the batch. What has a name of ``donate`` may be
    written over: a parameter, or all that came in one argument of the function. With
    ``scan="associative"`` loops that are linear in their states compute all steps at
    once.
    """
    return Runner(program, mesh, donate, scan)


class Runner:
    """A built program: called with lengths and the arrays of its leaves.

    Results are arrays of JAX: a device computes them while Python goes on.
    """

    def __init__(
        self, program: Program, mesh: Any, donate: Sequence[str], scan: str
    ) -> None:
        self.whole = program
        self.report: list[tuple[str, int, int]] = []
        ruled = for_numpy(program, self.report)
        require_bits(ruled)
        self.checks = Checks(ruled)
        self.devices = Devices(mesh, ruled)
        self.program = own_states(self.checks.program)
        self.parameters = list(self.program.parameters)
        self.arguments = list(self.program.arguments)
        writing = Writing(self.program, scan)
        self.parts = writing.parts
        self.source, namespace = writing.text()
        exec(compiled(self.source), namespace)
        self.refuser: Any = None
        count = len(program.clocks)
        # A call that a flag refuses is made again, with what it was given.
        may = donate and not self.checks.flags
        names = [*self.parameters, *self.arguments] if may else []
        given = [
            count + i
            for i, name in enumerate(names)
            if name in donate or name.rpartition("_")[0] in donate
        ]
        self.run = jax.jit(
            namespace["run"],
            static_argnums=tuple(range(count)),
            donate_argnums=tuple(given),
            out_shardings=self.devices.shared,
        )

    def __call__(self, lengths: tuple[int, ...], values: Sequence[Any]) -> Any:
        """Outputs; ``values`` are parameters, then arguments."""
        number = len(self.parameters)
        leaves = [self.program.arguments[name] for name in self.arguments]
        arguments = dict(zip(leaves, values[number:], strict=True))
        if not self.checks.hold(arguments, lengths):
            return self._by_numpy(lengths, values)
        placed = [self.devices.parameter(p) for p in values[:number]]
        placed += self.devices.arguments(arguments)
        found = self.run(*lengths, *placed)
        results = found[: len(found) - self.checks.flags]
        if any(map(bool, found[len(results) :])):
            return self._by_numpy(lengths, values)
        return [
            a if str(a.dtype) == v.dtype else np.asarray(a, v.dtype)
            for a, v in zip(results, self.program.outputs, strict=False)
        ]

    def _by_numpy(self, lengths: tuple[int, ...], values: Sequence[Any]) -> Any:
        """The error that NumPy raises, or what it computes where it raises none."""
        if self.refuser is None:
            self.refuser = numpy_engine.build(self.whole)
        return self.refuser(lengths, [*map(np.asarray, values)])

    def explain(self) -> str:
        """What the rules did, what is scanned, and where it runs."""
        rows = [f"{name:<14}{a:>7} ->{b:>6}" for name, a, b in self.report]
        loops = [p for p in self.parts if isinstance(p, Loop)]
        scans = sum(loop.steps.first != loop.steps.last for loop in loops)
        rows.append(f"{'schedule':<14}{scans} scans, {self.run._cache_size()} shapes")
        return "\n".join([*rows, self.devices.explain()])
