"""Denormal numbers count as zero while a program runs, where the platform allows it.

Vanishing gradients end in numbers below 1e-38 (of float32), on which many processors
trap: a product of them takes a hundred times as long. Each thread has a control word
that says to read and write them as zeros. ``flush`` sets it and ``restore`` sets what
was, on Linux with glibc on x86-64; elsewhere they do nothing. What was is read before
anything is changed, so an interrupt at any place leaves it as it was:

>>> before = now()
>>> try:
...     flush()
... finally:
...     _ = restore(before)
"""

import ctypes
import platform
import sys
from collections.abc import Callable
from typing import Any

# The floating-point environment of x86-64: 28 bytes of x87, then the control word.
Environment = ctypes.c_char * 32
WORD = 28
FLUSH = 0x8040  # results to zero, and operands


def _functions() -> tuple[Any, Any] | None:
    """The C library's fegetenv and fesetenv, None where they are not what we know."""
    known = sys.platform == "linux" and platform.machine() == "x86_64"
    if not known or platform.libc_ver()[0] != "glibc":
        return None
    try:
        library = ctypes.PyDLL("libm.so.6")  # which keeps the GIL: they take 10 ns
        found = library.fegetenv, library.fesetenv
    except (OSError, AttributeError):
        return None
    for function in found:
        function.argtypes, function.restype = [ctypes.c_void_p], ctypes.c_int
    return found


_FOUND = _functions()
AVAILABLE = _FOUND is not None
# Do again what ``now`` found: the C function itself, so that a clean-up is one call.
restore: Callable[[Any], Any] = bool if _FOUND is None else _FOUND[1]
_FLUSHING = Environment()
if _FOUND is not None:
    _get, _set = _FOUND
    _get(_FLUSHING)
    ctypes.c_uint32.from_buffer(_FLUSHING, WORD).value |= FLUSH


def now() -> Any:
    """What this thread does with denormals, for ``restore``."""
    if not AVAILABLE:
        return None
    before = Environment()
    _get(before)
    return before


def flush() -> None:
    """Count denormals as zero in this thread, until ``restore``."""
    if AVAILABLE:
        _set(_FLUSHING)
