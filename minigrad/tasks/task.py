"""What a task is: a name on the command line and what it runs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Task"]


@dataclass(frozen=True)
class Task:
    """A network, its data and its report, run by ``minigrad train <name>``.

    ``run(steps, seed, out)`` trains for so many steps from that seed, prints what the
    network reaches beside what is trivial and what is published, and writes into the
    folder ``out``, which exists. The same seed gives the same numbers.
    """

    name: str
    summary: str
    steps: int
    run: Callable[[int, int, Path], None]
