"""Denormal numbers count as zero while a program runs, where the platform allows it.

Vanishing gradients end in numbers below 1e-38 (of float32), on which many processors
trap: a product of them takes a hundred times as long. Each thread has a control word
that says to read and write them as zeros. ``on`` sets it and ``off`` restores what was,
on Linux with glibc on x86-64; elsewhere both do nothing.

>>> before = on()
>>> off(before)
"""

import ctypes
import platform
import sys
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
_FLUSHING = Environment()
if _FOUND is not None:
    _get, _set = _FOUND
    _get(_FLUSHING)
    ctypes.c_uint32.from_buffer(_FLUSHING, WORD).value |= FLUSH


def on() -> Any:
    """Flush denormals in this thread; what ``off`` needs to restore what was."""
    if not AVAILABLE:
        return None
    before = Environment()
    _get(before)
    _set(_FLUSHING)
    return before


def off(before: Any) -> None:
    """Restore what was before ``on``."""
    if before is not None:
        _set(before)
