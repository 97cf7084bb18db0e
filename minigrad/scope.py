"""Where, and at which time step, a node was made.

Vocabulary
    scope   one entry into a named region (``with scope("cell")``) or into one step of a
            loop over time; the program outside of all of them is the root scope
    path    the names of the scopes around a node, without the time step
    slot    the number of a node within its scope entry: the same line of the program
            gets the same slot at every step, which is what lets a graph be folded
    run     one gradient that was recorded; its nodes lie in the scopes of the forward
            nodes, with slots of their own
    clock   one loop over time; a node made in its body has a time, ``(clock, t)``

>>> with scope("cell"):
...     current.get().path[-1][0]
'cell'
"""

import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ContextDecorator
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path as File
from typing import Any, ClassVar, NamedTuple

from minigrad.pickles import NotPickled

LOOP = "for t"
Path = tuple[tuple[Any, ...], ...]
Time = tuple["Clock", int]


class Clock(NotPickled):
    """One loop over time, known by its identity; loops over the same steps share it."""

    __slots__ = ("length",)
    _instead: ClassVar[str] = "it is one loop of this process; save Graph.to_json()"

    def __init__(self, length: int) -> None:
        self.length: int = length


class Scope(NotPickled):
    """One entry into a region of the program: its path, its time, and its counters."""

    __slots__ = ("entries", "loop", "path", "slots", "t", "time")
    _instead: ClassVar[str] = "it is a place of this process; save Graph.to_json()"

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
        if slots is None:
            slots = _Lines() if _keeps_lines.get() else count()
        self.slots: Iterator[Any] = slots
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

    def rule(
        self,
        base: Any,
        part: int | str,
        run: "Run",
        terms: tuple[Any, ...] | None = None,
    ) -> "Scope":
        """The same place for what a gradient rule records under slot ``base``."""
        slots = (Slot(base, part, k, run, terms) for k in count())
        return Scope(self.path, self.time, self.t, slots, self.loop)


PACKAGE = str(File(__file__).parent)


def user_line() -> str:
    """Where the innermost call from outside of minigrad is: file and line."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename.startswith(PACKAGE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


class _Lines(Iterator[int]):
    """Slots that remember the user's line which took each."""

    def __init__(self) -> None:
        self.count = count()
        self.taken: dict[int, str] = {}

    def __next__(self) -> int:
        slot = next(self.count)
        self.taken[slot] = user_line()
        return slot


_keeps_lines: ContextVar[bool] = ContextVar("minigrad_keeps_lines", default=False)


def keep_lines() -> AbstractContextManager[None]:
    """Remember the line of the program that made each value of a loop over time.

    A FoldError then names the lines of both steps that differ. It costs about as much
    as a small op, so it is for searching.

    >>> import minigrad as mg
    >>> with keep_lines():
    ...     for t in mg.steps(1):
    ...         h = mg.tensor(1.0) + 1
    >>> line_of(h.node.scope, h.node.slot).endswith("scope.keep_lines[1]>:3")
    True
    """
    return Block(_keeping_lines)


def _keeping_lines() -> Generator[None, None, None]:
    before = _keeps_lines.get()
    try:
        _keeps_lines.set(True)
        yield
    finally:
        _keeps_lines.set(before)


def line_of(scope: "Scope", slot: Any) -> str | None:
    """The user's line that took a slot, where lines were kept."""
    while slot.__class__ is not int:
        slot = slot.base if slot.__class__ is Slot else slot[0]
    slots = scope.slots
    return slots.taken.get(slot) if isinstance(slots, _Lines) else None


class Run(NamedTuple):
    """One gradient that was recorded: the scope that asked for it, and its slot there.

    A gradient that every step asks for is thus the same run at every step.
    """

    scope: Scope
    slot: int


@dataclass(slots=True, unsafe_hash=True)  # frozen would cost a node a microsecond
class Slot:
    """The slot of a node that a gradient rule recorded.

    ``base`` is the slot of the forward node, ``part`` the argument that the rule is
    for ("sum" or "scatter" for a sum of cotangents), ``k`` the number among what the
    rule recorded. ``terms`` of a sum says for each of its operands over which use it
    arrived, as the number of that use in the run; it is no part of what the slot is.
    """

    base: "int | Slot"
    part: int | str
    k: int
    run: Run
    terms: tuple[Any, ...] | None = field(default=None, compare=False)

    def key(self, time: Time | None) -> Any:
        """The same for the slots of all steps that one line makes: ``time`` is one's.

        A run counts by its path, and by how many steps later than ``time`` it was.
        """
        base = self.base.key(time) if isinstance(self.base, Slot) else self.base
        later: Any = self.run.scope.time
        if later is not None and time is not None and later[0] is time[0]:
            later = later[1] - time[1]
        return base, self.part, self.k, self.run.scope.path, self.run.slot, later


ROOT = Scope((), None, None)


class Call(Scope):
    """Where the results of one compiled call are: outside of all scopes, like ROOT.

    ``reads`` are the nodes that the call depends on, at which a gradient by them ends.
    """

    __slots__ = ("reads",)
    made = False  # whether there has been one in this process

    def __init__(self, reads: tuple[Any, ...]) -> None:
        super().__init__((), None, None, ROOT.slots)
        self.reads = reads
        Call.made = True


current: ContextVar[Scope] = ContextVar("minigrad_scope", default=ROOT)


class Block(ContextDecorator):
    """What ``with`` enters, any number of times, inside of itself too.

    ``make`` gives a generator that changes something, yields, and finally changes it
    back; what stands behind its yield alone runs where the block ends without an error.
    As a decorator of a function the block is made anew at each call.
    """

    def __init__(self, make: Callable[[], Generator[None, None, None]]) -> None:
        self.make = make
        self.entered: list[Generator[None, None, None]] = []

    def _recreate_cm(self) -> "Block":
        return Block(self.make)

    def __enter__(self) -> None:
        entered = self.make()
        next(entered)
        # Ctrl-C before this drops the only reference, which changes all back.
        self.entered.append(entered)

    def __exit__(self, kind: Any, *error: Any) -> None:
        if kind is None:
            next(self.entered.pop(), None)
        else:
            self.entered.pop().close()


def scope(name: str) -> AbstractContextManager[None]:
    """Record what the block makes under ``name``.

    Raises TypeError for a name that is no text.

    >>> with scope("encoder"):
    ...     pass
    """
    if not isinstance(name, str):
        raise TypeError(f"a scope's name is a str, got {type(name).__name__}")
    return Block(partial(_scoped, name))


def _scoped(name: str) -> Generator[None, None, None]:
    before = current.get()
    try:  # with nothing between it and the change, Ctrl-C leaves all as it was
        current.set(before.enter(name))
        yield
    finally:
        current.set(before)
