"""C text with the headers in front, as a library: for tests of the headers alone."""

import ctypes
import os
import platform
import shlex
import shutil
import subprocess
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest

COMPILER = shlex.split(os.environ.get("CC", "cc"))
FLAGS = "-std=gnu11 -ffp-contract=off -fno-math-errno -fno-trapping-math -fPIC -shared"
WARNINGS = ["-Wall", "-Wextra", "-Werror"]
needs_compiler = pytest.mark.skipif(
    not shutil.which(COMPILER[0]), reason="no C compiler"
)


def machines() -> list[str]:
    """Flags for this processor, and for older ones whose programs it runs."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return ["-mcpu=native"]
    info = Path("/proc/cpuinfo")
    new = info.exists() and " fma " in (text := info.read_text()) and " avx2 " in text
    older = ["-march=haswell"] if new else []
    return ["-march=native -mprefer-vector-width=512", *older, ""]


def header(name: str) -> str:
    return (files("minigrad") / "compile" / "c" / f"{name}.h").read_text()


def products() -> str:
    """Both headers, the products of both types."""
    one = header("products")
    return f"{header('functions')}#define DOUBLE 0\n{one}#define DOUBLE 1\n{one}"


@lru_cache
def library(source: str, optimise: str, machine: str) -> ctypes.CDLL:
    """The compiled source."""
    folder = Path(mkdtemp())
    flags = [optimise, *FLAGS.split(), *WARNINGS, *machine.split()]
    try:
        (folder / "program.c").write_text(source)
        command = [*COMPILER, *flags, "-o", "program.so", "program.c", "-lm"]
        subprocess.run(command, cwd=folder, check=True)
        return ctypes.CDLL(str(folder / "program.so"))
    finally:
        shutil.rmtree(folder)  # what is loaded stays


def given(*arguments: Any) -> list[Any]:
    """Arrays as their addresses, numbers as sizes."""
    return [
        ctypes.c_void_p(a.ctypes.data)
        if isinstance(a, np.ndarray)
        else ctypes.c_ssize_t(a)
        for a in arguments
    ]
