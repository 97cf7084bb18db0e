"""C text with the headers in front, as a library: for tests of the headers alone."""

import ctypes
import shutil
import subprocess
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest

FLAGS = "-O3 -fno-math-errno -fno-trapping-math -fPIC -shared -Wall -Wextra -Werror"
WIDTH = "-mprefer-vector-width=512"
COMPILER = shutil.which("cc")
needs_compiler = pytest.mark.skipif(not COMPILER, reason="no C compiler")


@lru_cache
def functions() -> str:
    return (files("minigrad") / "compile" / "c" / "functions.h").read_text()


@lru_cache
def products() -> str:
    one = (files("minigrad") / "compile" / "c" / "products.h").read_text()
    return f"{functions()}#define DOUBLE 0\n{one}#define DOUBLE 1\n{one}"


@lru_cache
def library(source: str, *machine: str) -> ctypes.CDLL:
    """The compiled source; ``machine`` are flags that say for which processor."""
    folder = Path(mkdtemp())
    try:
        (folder / "program.c").write_text(source)
        command = [COMPILER, *FLAGS.split(), *machine, "program.c", "-lm"]
        subprocess.run([*command, "-o", "program.so"], cwd=folder, check=True)
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
