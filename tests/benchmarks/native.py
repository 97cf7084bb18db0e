"""The C++ limit and the floating-point floor: limit.cpp, compiled here and called."""

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from tests.benchmarks.cases import multiply_adds, problem

SOURCES = [Path(__file__).with_name(name) for name in ("limit.cpp", "products.h")]
FLAGS = ["-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math"]
FLAGS += ["-std=c++17", "-shared", "-fPIC"]
if platform.machine() in ("x86_64", "AMD64"):
    FLAGS.append("-mprefer-vector-width=512")
KINDS = {"many-to-one": 1, "output feedback": 2, "LSTM": 3}


def compiler():
    """The path of the system's C++ compiler, None where there is none."""
    return next(filter(None, map(shutil.which, ("g++", "clang++", "c++"))), None)


def version():
    """The compiler's name and version."""
    found = compiler()
    if found is None:
        return None
    return subprocess.check_output([found, "--version"], text=True).splitlines()[0]


def library(dtype):
    """limit.cpp for this dtype; compiled once for its text, compiler and flags."""
    real = {"float32": "float", "float64": "double"}[dtype]
    texts = [path.read_text() for path in SOURCES]
    made_of = repr((texts, version(), FLAGS, real)).encode()
    name = f"minigrad-limit-{hashlib.sha256(made_of).hexdigest()[:16]}.so"
    path = Path(tempfile.gettempdir()) / name
    if not path.exists():
        new = path.with_suffix(f".{os.getpid()}")
        what = [f"-DREAL={real}", str(SOURCES[0]), "-o", str(new)]
        subprocess.run([compiler(), *FLAGS, *what], check=True)
        new.replace(path)
    loaded = ctypes.CDLL(str(path))
    loaded.make.restype = ctypes.c_void_p
    loaded.run.restype = ctypes.c_double
    return loaded


def step(case, size, dtype="float32"):
    """The step of a case as a function of nothing; results are in arrays of its own."""
    B, T, n_in, n_hidden, n_out = size
    xs, ys, parameters = problem(case, size, dtype)
    ys = ys.astype(np.int64)
    loaded = library(dtype)
    kind = KINDS.get(case, 0)
    made = ctypes.c_void_p(loaded.make(kind, T, B, n_in, n_hidden, n_out))
    out = [np.empty_like(p) for p in parameters]

    def table(arrays):
        return (ctypes.c_void_p * len(arrays))(*(a.ctypes.data for a in arrays))

    call = loaded.run
    pointers = (
        made,
        ctypes.c_void_p(xs.ctypes.data),
        ctypes.c_void_p(ys.ctypes.data),
        table(parameters),
        table(out),
    )
    kept = xs, ys, parameters  # what the pointers point to

    def run():
        return [call(*pointers), *out] if kept else None

    return run


def floor(case, size, dtype="float32"):
    """The multiply-adds of a case's products and nothing else, from registers."""
    loaded = library(dtype)
    count = ctypes.c_long(multiply_adds(case, size) // loaded.lanes())
    return lambda: loaded.multiply_adds(count)
