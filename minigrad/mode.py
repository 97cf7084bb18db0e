"""What a call of an op leaves behind: one mode at a time, and what may follow which.

Vocabulary
    RECORD           a node with inputs: the rule
    OFF              a constant, with no graph behind it (``with no_grad():``)
    WATCH            a node, after its value was found finite (``detect_anomaly()``)
    FORGET           a node, whose value may be forgotten (``recompute()``)
    TRACE            a node, while a function is recorded to be compiled: gradients
                     record too, and values must not be read
    TRACE_DETACHED   the same inside of ``no_grad``: a node that lets no gradient past

>>> with no_grad():
...     current_mode.get()
<Mode.OFF: 2>
"""

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from enum import Enum
from functools import partial
from typing import Any

import numpy as np

from minigrad.scope import Block, user_line


class Mode(Enum):
    """See the module's vocabulary."""

    RECORD = 1
    OFF = 2
    WATCH = 3
    TRACE = 4
    TRACE_DETACHED = 5
    FORGET = 6


current_mode: ContextVar[Mode] = ContextVar("minigrad_mode", default=Mode.RECORD)
# Who is told of each Tensor that is recorded in mode FORGET.
recorded: ContextVar[Callable[[Any], None] | None] = ContextVar(
    "minigrad_recorded", default=None
)
# Who makes the nodes of a function whose forward pass alone is traced, gradients too.
outlined: ContextVar[Callable[..., Any] | None] = ContextVar(
    "minigrad_outlined", default=None
)
TRACING = frozenset({Mode.TRACE, Mode.TRACE_DETACHED})


class TraceError(RuntimeError):
    """A traced function needs a value that only its run will know."""


def tracing() -> bool:
    """Whether a function is recorded to be compiled."""
    return current_mode.get() in TRACING


def require_known(node: Any, why: str) -> None:
    """Raise TraceError where the value of a node is read while a function is traced."""
    if tracing() and node.kind != "constant":
        raise TraceError(f"{why} (at {user_line()})")


def require_finite(value: Any, what: str, where: str) -> None:
    """Raise FloatingPointError if an array has NaN or Inf."""
    bad = value[~np.isfinite(value)]
    if len(bad):
        kind = "nan" if np.isnan(bad).any() else "inf"
        raise FloatingPointError(
            f"{kind} in {len(bad)} of {value.size} entries, {what}{where}"
        )


# From each mode the one that a block is in; what is not here cannot follow.
WITHOUT_GRADIENT = {
    Mode.RECORD: Mode.OFF,
    Mode.OFF: Mode.OFF,
    Mode.WATCH: Mode.OFF,
    Mode.FORGET: Mode.OFF,
    Mode.TRACE: Mode.TRACE_DETACHED,
    Mode.TRACE_DETACHED: Mode.TRACE_DETACHED,
}
# Nothing is recorded inside of no_grad, and so there is nothing to watch.
WATCHING = {
    Mode.RECORD: Mode.WATCH,
    Mode.OFF: Mode.OFF,
    Mode.WATCH: Mode.WATCH,
    Mode.FORGET: Mode.WATCH,
}
TRACED = {Mode.RECORD: Mode.TRACE, Mode.OFF: Mode.TRACE, Mode.FORGET: Mode.TRACE}
# Only what would be a plain node is forgotten.
FORGETTING = {mode: mode for mode in Mode} | {Mode.RECORD: Mode.FORGET}


def no_grad() -> AbstractContextManager[None]:
    """Compute without recording: results are constants, no graph is kept.

    In a function that is compiled the results are computed anew at each run, and no
    gradient flows past them.

    >>> from minigrad import parameter
    >>> with no_grad():
    ...     (parameter(2.0) * 3).node.inputs
    ()
    """
    return Block(partial(_entered, WITHOUT_GRADIENT, "no_grad"))


def detect_anomaly() -> AbstractContextManager[None]:
    """Raise FloatingPointError where the first NaN or Inf appears.

    The message names op, scope and step of the value, or of the gradient rule for
    gradients taken in the block. Every value that is recorded is looked at, so this is
    for searching; what is computed under ``no_grad`` is not recorded, and not looked
    at. A compiled function runs eagerly in the block.

    >>> import minigrad as mg
    >>> with detect_anomaly():
    ...     mg.sqrt(mg.tensor(float("inf"), name="x"))
    Traceback (most recent call last):
    FloatingPointError: inf in 1 of 1 entries, in op sqrt(x ())
    """
    return Block(partial(_entered, WATCHING, "detect_anomaly"))


def forgetting() -> AbstractContextManager[None]:
    """Record values that may be forgotten."""
    return Block(partial(_entered, FORGETTING, "recompute"))


def traced(
    outline: Callable[..., Any] | None = None,
) -> AbstractContextManager[None]:
    """Record a function to be compiled, or its outline: the nodes that one makes."""
    return Block(partial(_traced, outline))


def _traced(outline: Callable[..., Any] | None) -> Generator[None, None, None]:
    before = outlined.get()
    try:
        outlined.set(outline)
        yield from _entered(TRACED, "compile")
    finally:
        outlined.set(before)


def _entered(table: Mapping[Mode, Mode], name: str) -> Generator[None, None, None]:
    before = current_mode.get()
    if before not in table:
        raise TraceError(f"{name} has no meaning while a function is recorded")
    try:
        current_mode.set(table[before])
        yield
    finally:
        current_mode.set(before)
