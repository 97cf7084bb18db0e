"""The file of what was measured on one machine.

    dtype -> case -> size -> contender -> {"ms": .., "first_ms": .., "MB": .., "made"}

``ms`` is the least processor time of a step, ``first_ms`` that of the first call, and
``MB`` by how much one step raises the peak of its process. A later run on the same
machine can only lower them, unless what was measured has changed: ``made`` tells.
A contender whose results are wrong or that failed has ``left_out``, the reason.
"""

import ctypes
import hashlib
import json
import os
import platform
import re
import sys
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from tests.benchmarks import native
from tests.benchmarks.contenders import FLOOR, HAND, LIMIT

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


# -------------------------------------------------------------------- machine


def processor():
    """Its name, family and model."""
    try:
        text = Path("/proc/cpuinfo").read_text().split("\n\n")[0]
    except OSError:
        return platform.processor() or platform.machine()
    found = dict(re.findall(r"^(.*?)\s*: (.*)$", text, re.M))
    family, model = found.get("cpu family"), found.get("model")
    return f"{found.get('model name')}, family {family}, model {model}"


def blas():
    """NumPy's BLAS, its version, and the kernels that it chose for this machine."""
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    text = f"{built['name']} {built['version']}"
    for path in Path(np.__file__).parents[1].glob("numpy.libs/*openblas*"):
        library = ctypes.CDLL(str(path))
        for name in ("scipy_openblas_get_corename64_", "openblas_get_corename"):
            if hasattr(library, name):
                core = getattr(library, name)
                core.restype = ctypes.c_char_p
                return f"{text}, {core().decode()}"
    return text


def machine():
    """What makes numbers comparable: one file holds those of one machine."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "BLAS": blas(),
        "C++ compiler": native.version(),
        "Python": platform.python_version(),
    }


def _digest(paths):
    found = hashlib.sha256()
    for path in sorted(paths):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


@cache
def made(contender):
    """What a number was measured of: the versions and a digest of the text that ran."""
    if contender in (LIMIT, FLOOR):
        return _digest([*native.SOURCES, HERE / "native.py", HERE / "cases.py"])
    own = "handwritten" if contender == HAND else "contenders libraries networks"
    files = [HERE / f"{name}.py" for name in ("cases", *own.split())]
    if contender.startswith("minigrad"):
        for kind in ("py", "c", "h"):
            files += [
                *ROOT.glob(f"minigrad/**/*.{kind}"),
                *ROOT.glob(f"models/*.{kind}"),
            ]
    package = re.match(r"jax|torch|mygrad|autograd|", contender)[0] or "numpy"
    return f"{package} {version(package)}, {_digest(files)}"


# ----------------------------------------------------------------------- file


def default_path():
    name = f"{processor()} {os.cpu_count()} cores"
    return HERE / "results" / (re.sub(r"\W+", "-", name).lower() + ".json")


class Results:
    """A file of measurements; ``put`` adds one, and ``save`` replaces the file."""

    def __init__(self, path, cells):
        self.path, self.cells = path, cells

    @classmethod
    def of_this_machine(cls, path):
        """The file, empty where there is none; refused if of another machine."""
        now = machine()
        if not path.exists():
            return cls(path, {"machine": now})
        there = json.loads(path.read_text())
        other = {k: v for k, v in there["machine"].items() if now.get(k) != v}
        if other:
            here = {k: now.get(k) for k in other}
            sys.exit(
                f"{path} was measured where {other}, but here {here}: minima of two "
                "machines do not mix; write --result ANOTHER_FILE.json"
            )
        return cls(path, there)

    @classmethod
    def read(cls, path):
        return cls(path, json.loads(path.read_text()))

    def size(self, dtype, case, size):
        """The entries by contender."""
        found = self.cells.get("measured", {}).get(dtype, {})
        return found.get(case, {}).get(size, {})

    def put(self, dtype, case, size, contender, **numbers):
        """Keep the lesser of these numbers and those of the same text before."""
        at = self.cells.setdefault("measured", {})
        for key in (dtype, case, size):
            at = at.setdefault(key, {})
        now = made(contender)
        entry = at.setdefault(contender, {"made": now})
        if entry["made"] != now or "left_out" in {**entry, **numbers}:
            entry.clear()
            entry["made"] = now
        for key, value in numbers.items():
            if key == "left_out":
                entry[key] = value
            else:
                entry[key] = float(f"{min(value, entry.get(key, value)):.5g}")

    def save(self):
        self.cells["date"] = date.today().isoformat()
        self.path.parent.mkdir(exist_ok=True)
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self.cells, indent=1) + "\n")
        new.replace(self.path)
