"""How fast the C engine's products are, beside NumPy's dot into a given array.

    python tests/benchmarks/products.py [--rounds N]

Printed are GFLOPS, 2 M K N operations over the least time of many, of one thread: the C
function in a loop in C, NumPy's in one in Python, as programs of each call them. A
"gradient" is that of weights: both factors lie with their K rows one after the other,
and are packed each time. Otherwise the right factor is packed beforehand, as it is
where it is the same at every step.
"""

import argparse
import ctypes
import os
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

STEPS = [(1, 100, 100), (8, 64, 64), (16, 64, 64), (32, 128, 128), (64, 512, 512)]
STEPS += [(3200, 64, 128)]
GRADIENTS = [(64, 800, 64), (128, 3200, 128), (512, 6400, 512)]
TEXT = """
void step_{p}_{M}_{K}_{N}(ptrdiff_t times, const {T} *A, const {T} *P, {T} *C,
                          {T} *pad) {{
    (void)pad;
    while (times--) {p}_product({M}, {K}, {N}, 0, A, {K}, 1, P, C, {N});
}}
void gradient_{p}_{M}_{K}_{N}(ptrdiff_t times, const {T} *A, const {T} *B, {T} *C,
                              {T} *pad) {{
    while (times--) {p}_product_long({M}, {K}, {N}, 0, A, {M}, B, {N}, C, {N}, pad);
}}
void pack_{p}_{M}_{K}_{N}(const {T} *B, {T} *P) {{ {p}_pack({K}, {N}, B, {N}, 1, P); }}
"""
FOLDER = Path(__file__).parents[2] / "minigrad" / "compile" / "c"
FLAGS = "-O2 -march=native -mprefer-vector-width=512 -ffp-contract=off -fPIC -shared"


def source() -> str:
    functions, one = (
        (FOLDER / f"{n}.h").read_text() for n in ("functions", "products")
    )
    text = f"{functions}#define DOUBLE 0\n{one}#define DOUBLE 1\n{one}"
    for p, T in ("f", "float"), ("d", "double"):
        for M, K, N in STEPS + GRADIENTS:
            text += TEXT.format(p=p, T=T, M=M, K=K, N=N)
    return text


def least(calls: list[Any], work: int, rounds: int) -> list[float]:
    """GFLOPS of calls that take turns."""
    times, repeat = [np.inf] * len(calls), max(1, 10**8 // work)
    for _ in range(rounds):
        for i, call in enumerate(calls):
            start = time.process_time_ns()
            call(repeat)
            times[i] = min(times[i], (time.process_time_ns() - start) / repeat)
    return [work / t for t in times]


def in_c(function: Any, at: list[Any], times: int) -> None:
    """As in a program: nothing but the product is called."""
    function(ctypes.c_ssize_t(times), *at)


def in_numpy(a: Any, b: Any, out: Any, times: int) -> None:
    """As in a program of the NumPy engine, with its calls from Python."""
    for _ in range(times):
        a.dot(b, out)


def aligned(count: int, dtype: Any) -> Any:
    """An empty array whose address 64 divides."""
    whole = np.empty(count + 64, dtype)
    return whole[-whole.ctypes.data % 64 // whole.itemsize :][:count]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        text, built = Path(folder) / "program.c", Path(folder) / "program.so"
        text.write_text(source())
        command = ["cc", *FLAGS.split(), "-o", str(built), str(text), "-lm"]
        subprocess.run(command, check=True)
        lib = ctypes.CDLL(str(built))
    print("| M × K × N | float32 | NumPy | float64 | NumPy |\n|---|---|---|---|---|")
    for kind, shapes in ("step", STEPS), ("gradient", GRADIENTS):
        for M, K, N in shapes:
            row = f"| {'' if kind == 'step' else 'gradient '}{M} × {K} × {N} |"
            for p, dtype in ("f", np.float32), ("d", np.float64):
                rng, name = np.random.default_rng(0), f"{p}_{M}_{K}_{N}"
                shape = (M, K) if kind == "step" else (K, M)
                a, b = rng.normal(size=shape), rng.normal(size=(K, N))
                a, b = a.astype(dtype), b.astype(dtype)
                c, d = np.empty((M, N), dtype), np.empty((M, N), dtype)
                panels = aligned(max(K, 256) * (N + 16), dtype)
                at = [ctypes.c_void_p(x.ctypes.data) for x in (a, b, c, panels)]
                if kind == "step":
                    getattr(lib, f"pack_{name}")(at[1], at[3])
                    at[1] = at[3]
                left, function = (
                    a if kind == "step" else a.T,
                    getattr(lib, f"{kind}_{name}"),
                )
                calls = [
                    partial(in_c, function, at),
                    partial(in_numpy, left, b, d),
                ]
                row += "".join(
                    f" {g:.0f} |" for g in least(calls, 2 * M * K * N, rounds)
                )
                assert np.allclose(c, d, rtol=1e-3, atol=1e-3)
            print(row, flush=True)


if __name__ == "__main__":
    main()
