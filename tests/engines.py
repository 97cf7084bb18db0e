"""The engines that tests run: those for which this machine has what they need."""

import pytest

from minigrad.compile.backend import FOLDERS, EngineError
from minigrad.compile.c.compiler import find


def _has_compiler():
    try:
        return bool(find())
    except EngineError:
        return False


needs_compiler = pytest.mark.skipif(not _has_compiler(), reason="no C compiler")
ENGINES = [
    pytest.param(name, marks=needs_compiler if name == "c" else ()) for name in FOLDERS
]
