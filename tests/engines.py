"""The engines that tests run: those for which this machine has what they need."""

import os
from importlib.util import find_spec

import pytest

from minigrad.compile.backend import FOLDERS, EngineError
from minigrad.compile.c.compiler import find


def _has_compiler():
    try:
        return bool(find())
    except EngineError:
        return False


HAS_JAX = find_spec("jax") is not None
if HAS_JAX:
    # Programs of tests run a few times, and take long to compile.
    os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
    import jax

    jax.config.update("jax_enable_x64", True)

needs_compiler = pytest.mark.skipif(not _has_compiler(), reason="no C compiler")
needs_jax = pytest.mark.skipif(not HAS_JAX, reason="no jax")
MARKS = {"c": needs_compiler, "jax": needs_jax}
ENGINES = [pytest.param(name, marks=MARKS.get(name, ())) for name in FOLDERS]
