"""Where a package is not installed, what needs it is not tested."""

from importlib.util import find_spec

NEED = {
    "jax": [
        "minigrad/compile/jax/*.py",
        "tests/compile/jax/*.py",
        "tests/benchmarks/gpu.py",
    ],
    "onnxruntime": ["minigrad/exchange/onnx/*.py", "tests/exchange/test_onnx.py"],
}
LACKS = [name for name in NEED if find_spec(name) is None]
collect_ignore_glob = [path for name in LACKS for path in NEED[name]]


def pytest_report_header():
    """Say that something is left out."""
    return [f"{name} is not installed: what needs it is not tested" for name in LACKS]
