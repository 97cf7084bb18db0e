"""Where JAX is not installed, the engine that needs it is not tested."""

from importlib.util import find_spec

NEED_JAX = [
    "minigrad/compile/jax/*.py",
    "tests/compile/jax/*.py",
    "tests/benchmarks/gpu.py",
]
HAS_JAX = find_spec("jax") is not None
collect_ignore_glob = [] if HAS_JAX else NEED_JAX


def pytest_report_header():
    """Say that something is left out."""
    return None if HAS_JAX else "jax is not installed: its engine is not tested"
