"""The file of what was measured on one machine, and the tables made of it.

    dtype -> case -> size -> contender -> {"ms": .., "first_ms": .., "MB": .., "made": ..}

``ms`` is the least processor time of a step, ``first_ms`` that of the first call, and
``MB`` by how much one step raises the peak of its process. A later run on the same
machine can only lower them, unless what was measured has changed: ``made`` tells.
A contender whose results are wrong or that failed has ``left_out``, the reason.

docs/performance.md has tables between two comments, ``<!-- table ms; float32; LSTM;
tiny, small -->`` and ``<!-- end -->``, each filled from the file that the page names.
"""

import ctypes
import hashlib
import json
import os
import platform
import re
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path

import native
import numpy as np
from cases import CASES, SIZES
from contenders import CONTENDERS, FLOOR, HAND, LIMIT, OTHERS

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "performance.md"
NAMED = re.compile(r"<!-- measured (\S+) -->")
TABLE = re.compile(r"(<!-- (table|goals|machine)([^>]*) -->\n).*?(<!-- end -->)", re.S)


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


def made(contender):
    """What a number was measured of: the versions and a digest of the text that ran."""
    files = [*HERE.glob("*.cpp")]
    for name in ("cases", "contenders", "handwritten", "libraries", "networks"):
        files.append(HERE / f"{name}.py")
    if contender in (LIMIT, FLOOR):
        return _digest([HERE / "limit.cpp", HERE / "native.py", HERE / "cases.py"])
    if contender.startswith("minigrad"):
        files += [*ROOT.glob("minigrad/**/*.py"), *ROOT.glob("models/*.py")]
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


# --------------------------------------------------------------------- tables

# Ratios to NumPy by hand that minigrad's programs are to reach, tiny to long. Many-to-one
# on its own has goals where denormal numbers are slow; the other goals hold everywhere.
GOALS = {
    "minigrad compiled, numpy": dict.fromkeys(CASES[:3], (1.1, 0.95, 1.0, 1.0, 1.0))
    | dict.fromkeys(CASES[3:], (1.2, 1.2, 1.1, 1.1, 1.1)),
    "minigrad compiled, c": dict.fromkeys(CASES[:2], (0.42, 0.42, 0.68, 0.87, 0.42))
    | {
        "many-to-one": (0.42, 0.52, None, None, None),
        "output feedback": (0.36, 0.36, 0.66, 0.72, 0.25),
        "LSTM": (0.33, 0.34, 0.48, 0.75, 0.14),
    },
}


def cell(entry, key, base):
    """A number, and in brackets its ratio to that of NumPy by hand."""
    if "left_out" in entry:
        return "left out"
    if key not in entry:
        return "–"
    ratio = f" ({entry[key] / base:.2f})" if base else ""
    return f"{entry[key]:.3g}{ratio}"


def table(results, key, dtype, case, sizes, words=()):
    """A Markdown table, a row for each contender with a word of ``words`` in it."""
    columns = {size: results.size(dtype, case, size) for size in sizes}
    unit = "MB" if key == "MB" else "ms"
    bases = {s: entries.get(HAND, {}).get(key) for s, entries in columns.items()}
    ratio = f" (ratio to {HAND})" if any(bases.values()) else ""
    lines = [f"| {unit}{ratio} | {' | '.join(columns)} |", "|---" * (len(sizes) + 1) + "|"]
    for name in dict.fromkeys([*CONTENDERS, *OTHERS]):
        cells = [
            cell(entries.get(name, {}), key, bases[size])
            for size, entries in columns.items()
        ]
        if set(cells) != {"–"} and (not words or any(w in name for w in words)):
            lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def goals(results):
    """Each goal beside what was measured, bold where it is not reached."""
    lines = [f"| ratio to {HAND}, goal | {' | '.join(SIZES)} |"]
    lines.append("|---" * (len(SIZES) + 1) + "|")
    for name, cases in GOALS.items():
        for case, wanted in cases.items():
            cells = []
            for size, goal in zip(SIZES, wanted, strict=True):
                entries = results.size("float32", case, size)
                times = [entries.get(n, {}).get("ms") for n in (name, HAND)]
                text = "–" if None in times else f"{times[0] / times[1]:.2f}"
                missed = goal and text != "–" and float(text) > goal
                text = f"**{text}**" if missed else text
                cells.append(text + (f", {goal:.2f}" if goal else ""))
            if any(c[0] != "–" for c in cells):
                lines.append(f"| {name}: {case} | {' | '.join(cells)} |")
    return "\n".join(lines)


def packages(results):
    """Versions of what was measured, as the entries name them."""
    found = set()
    for cases in results.cells.get("measured", {}).values():
        for sizes in cases.values():
            for entries in sizes.values():
                found |= {e["made"].split(",")[0] for e in entries.values()}
    return ", ".join(sorted(name for name in found if " " in name))


def between(results, kind, given):
    """What stands between the two comments of a table of the page."""
    if kind == "machine":
        rows = {**results.cells["machine"], "date": results.cells["date"]}
        rows["packages"] = packages(results)
        return "\n".join(f"- {key}: {value}" for key, value in rows.items())
    if kind == "goals":
        return goals(results)
    key, dtype, case, sizes, *words = (part.strip() for part in given.split(";"))
    words = words[0].split() if words else ()
    return table(results, key, dtype, case, re.split(r",\s*", sizes), words)


def written(page):
    """The text of a page with its tables made again from the file that it names."""
    results = Results.read(ROOT / NAMED.search(page)[1])
    return TABLE.sub(
        lambda m: f"{m[1]}\n{between(results, m[2], m[3])}\n\n{m[4]}", page
    )
