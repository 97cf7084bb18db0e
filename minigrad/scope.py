"""Where, and at which time step, a node was made.

Vocabulary
    scope   one entry into a named region (``with scope("cell")``) or into one step of a
            loop over time; the program outside of all of them is the root scope
    path    the names of the scopes around a node, without the time step
    slot    the number of a node within its scope entry: the same line of the program
            gets the same slot at every step, which is what lets a graph be folded
    clock   one loop over time; a node made in its body has a time, ``(clock, t)``

>>> with scope("cell"):
...     current.get().path[-1][0]
'cell'
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from pathlib import Path as File
from typing import Any

LOOP = "for t"
Path = tuple[tuple[Any, ...], ...]
Time = tuple["Clock", int]


class Clock:
    """One loop over time, known by its identity; loops over the same steps share it."""

    __slots__ = ("length",)

    def __init__(self, length: int) -> None:
        self.length: int = length


class Scope:
    """One entry into a region of the program: its path, its time, and its counters."""

    __slots__ = ("entries", "loop", "path", "slots", "t", "time")

    def __init__(
        self,
        path: Path,
        time: Time | None,
        t: int | None,
        slots: Iterator[Any] | None = None,
        loop: str = "",
    ) -> None:
        self.path: Path = path
        # In nested loops the outer one is the time that folds; t is the inner step.
        self.time: Time | None = time
        self.t: int | None = t
        self.slots: Iterator[Any] = count() if slots is None else slots
        self.entries: dict[str, Iterator[int]] = {}
        # The user's line that made the innermost loop over time around.
        self.loop: str = loop

    def enter(self, name: str) -> "Scope":
        """A new entry named ``name``, numbered among its namesakes here."""
        path = (*self.path, (name, self.number(name)))
        return Scope(path, self.time, self.t, loop=self.loop)

    def number(self, name: str) -> int:
        """How often ``name`` has been entered from here before."""
        return next(self.entries.setdefault(name, count()))

    def step(self, number: int, clock: Clock, t: int, line: str) -> "Scope":
        """The body of step ``t`` of the ``number``-th loop over time entered here."""
        if self.time is None:
            return Scope((*self.path, (LOOP, number)), (clock, t), t, loop=line)
        return Scope((*self.path, (LOOP, number, t)), self.time, t, loop=line)

    def holds(self, other: "Scope") -> bool:
        """Whether another scope was entered from here, or is this one."""
        return other.path[: len(self.path)] == self.path and other.time == self.time

    def rule(self, base: Any, argument: Any, run: int) -> "Scope":
        """The same place for what a gradient rule records under slot ``base``."""
        slots = ((base, argument, k, run) for k in count())
        return Scope(self.path, self.time, self.t, slots, self.loop)


ROOT = Scope((), None, None)
current: ContextVar[Scope] = ContextVar("minigrad_scope", default=ROOT)


PACKAGE = str(File(__file__).parent)


def user_line() -> str:
    """Where the innermost call from outside of minigrad is: file and line."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


@contextmanager
def scope(name: str) -> Iterator[None]:
    """Record what the block makes under ``name``.

    >>> with scope("encoder"):
    ...     pass
    """
    before = current.get()
    try:  # with nothing between it and the change, Ctrl-C leaves all as it was
        current.set(before.enter(name))
        yield
    finally:
        current.set(before)
