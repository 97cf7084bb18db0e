"""Errors and times of the C engine's elementary functions, as the table of its page.

    python tests/benchmarks/accuracy.py [--samples N]

float32 is compared with float64, float64 with the processor's 80 bits (where long
double has them). An error is in units in the last place of the exact value, the largest
one of N numbers of every size and sign (10 million unless said otherwise; of float32
that is one in 400). Times are in nanoseconds an element of 4,096, those of the C
function beside NumPy's, the least of many, with the calls from Python.
"""

import argparse
import ctypes
import os
import shlex
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

FUNCTIONS = ["exp", "expm1", "tanh", "sigmoid", "log", "log1p", "softplus"]
LOOPS = """
void all_{name}_{p}(const {T} *restrict x, {T} *restrict y, ptrdiff_t n) {{
    for (ptrdiff_t i = 0; i < n; i++) y[i] = {name}_{p}(x[i]);
}}"""
PAIRS = """
void all_{name}_{p}(const {T} *restrict a, const {T} *restrict b, {T} *restrict y,
                    ptrdiff_t n) {{
    for (ptrdiff_t i = 0; i < n; i++) y[i] = {name}_{p}(a[i], b[i]);
}}"""
HEADER = Path(__file__).parents[2] / "minigrad" / "compile" / "c" / "functions.h"
FLAGS = "-O3 -march=native -mprefer-vector-width=512 -ffp-contract=off"
FREE = ["-fno-math-errno", "-fno-trapping-math", "-fPIC", "-shared"]
NUMPY: dict[str, Any] = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
    "relu": lambda x: np.maximum(x, 0),
}


def source(header: str) -> str:
    """The functions in loops over arrays."""
    one = [*FUNCTIONS, "relu", "sign", "abs", "sqrt"]
    texts = [LOOPS.replace("{name}", name) for name in one]
    texts += [PAIRS.replace("{name}", name) for name in ("maximum", "minimum")]
    types = {"f": "float", "d": "double"}
    return header + "".join(t.format(p=p, T=T) for p, T in types.items() for t in texts)


def called(lib: ctypes.CDLL, name: str, x: Any) -> Any:
    """The C function of an array."""
    y = np.empty_like(x)
    address, size = ctypes.c_void_p, ctypes.c_ssize_t
    function = getattr(lib, f"all_{name}_{'fd'[x.itemsize // 8]}")
    function(address(x.ctypes.data), address(y.ctypes.data), size(x.size))
    return y


def wider(dtype: Any) -> Any:
    return np.float64 if dtype == np.float32 else np.longdouble


def expected(name: str, x: Any) -> Any:
    """The value from numbers of twice the digits, rounded."""
    exact = NUMPY.get(name) or getattr(np, name)
    return exact(x.astype(wider(x.dtype))).astype(x.dtype)


def samples(dtype: Any, count: int) -> Any:
    """Numbers of every size, and as many of those where the functions bend."""
    rng, most = np.random.default_rng(0), np.finfo(dtype).maxexp
    sized = np.ldexp(
        rng.uniform(-1, 1, count // 2), rng.integers(-most, most, count // 2)
    )
    near = [rng.uniform(-a, a, count // 8) for a in (1, 4, 40, 720)]
    return np.concatenate([sized, *near]).astype(dtype)


def error(found: Any, name: str, x: Any) -> tuple[float, float]:
    """The largest error in units in the last place, and where it is."""
    info = np.finfo(x.dtype)
    with np.errstate(all="ignore"):
        exact = (NUMPY.get(name) or getattr(np, name))(x.astype(wider(x.dtype)))
        size = np.frexp(np.maximum(np.abs(exact), exact.dtype.type(info.tiny)))[1]
        unit = np.ldexp(exact.dtype.type(1), size - 1 - info.nmant)
        off = np.abs(found - exact) / unit
    off[np.isnan(exact) | (np.abs(exact) > info.max)] = 0
    off[np.isnan(found) != np.isnan(exact)] = np.inf
    worst = int(np.argmax(off))
    return float(off[worst]), float(x[worst])


def _time(function: Any) -> float:
    """The least time of a call of 4,096 elements, in nanoseconds an element."""
    best = np.inf
    for _ in range(300):
        start = time.process_time_ns()
        for _ in range(20):
            function()
        best = min(best, time.process_time_ns() - start)
    return float(best / 20 / 4096)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=10_000_000)
    count = parser.parse_args().samples
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.c"
        path.write_text(source(HEADER.read_text()))
        cc = [*shlex.split(os.environ.get("CC", "cc")), *FLAGS.split(), *FREE]
        built = str(path.with_suffix(".so"))
        subprocess.run([*cc, "-o", built, str(path), "-lm"], check=True)
        lib = ctypes.CDLL(built)
    print("| function | float32, ulp | float64, ulp | float32, ns | float64, ns |")
    print("|---|---|---|---|---|")
    for name in FUNCTIONS:
        errors, times = [], []
        for dtype in (np.float32, np.float64):
            x = samples(dtype, count)
            errors.append(f"{error(called(lib, name, x), name, x)[0]:.2f}")
            x = np.random.default_rng(0).uniform(0.01, 4, 4096).astype(dtype)
            y = np.empty_like(x)
            mine = _arguments(lib, name, x, y)
            numpy = NUMPY.get(name) or getattr(np, name)
            theirs = _time(lambda f=numpy, x=x: f(x))
            times.append(f"{_time(mine):.2f} ({theirs:.2f})")
        print("|", " | ".join([name, *errors, *times]), "|")


def _arguments(lib: ctypes.CDLL, name: str, x: Any, y: Any) -> Any:
    """A call that takes no time to make."""
    function = getattr(lib, f"all_{name}_{'fd'[x.itemsize // 8]}")
    at, to = (ctypes.c_void_p(a.ctypes.data) for a in (x, y))
    size = ctypes.c_ssize_t(x.size)
    return lambda: function(at, to, size)


if __name__ == "__main__":
    main()
