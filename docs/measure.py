"""Measure what the pages on networks and tasks show, and keep it in docs/measured/.

    python docs/measure.py lengths               # the three networks, longer sequences
    python docs/measure.py tasks --data FOLDER   # each command of docs/tasks.md
    python docs/measure.py tasks xor             # those with xor in them
    python docs/measure.py updates               # a training step, in parts and whole

A file has the machine, the date, and of each number what it was measured of. The pages
read the files; no number on them is typed. What has been measured is measured anew.
"""

import argparse
import importlib
import json
import os
import platform
import re
import resource
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from minigrad import no_grad
from minigrad.models import ManyToMany, ManyToOne, OutputFeedback
from minigrad.nn.losses import binary_cross_entropy, mse
from minigrad.optim import Adam
from minigrad.train import Training

HERE = Path(__file__).parent
MEASURED = HERE / "measured"
SEEDS = range(3)
Array = Any
Errors = Mapping[str, Callable[[Array, Array], float]]

# -------------------------------------------------------------------- lengths


def bits(rng: np.random.Generator, steps: int, batch: int) -> Array:
    """Random sequences of bits, (steps, batch, 1)."""
    return rng.integers(2, size=(steps, batch, 1)).astype(np.float32)


def parity(xs: Array) -> Array:
    """Has the number of ones so far been odd?"""
    return (xs.cumsum(axis=0) % 2).astype(np.float32)


def before(xs: Array) -> Array:
    """The bit of two steps before; 0 at first."""
    return np.concatenate([np.zeros_like(xs[:2]), xs[:-2]])


def more(xs: Array) -> Array:
    """Class 1: more ones than zeros."""
    return (xs.mean(axis=0)[:, 0] > 0.5).astype(int)


def taught(model: Any, loss: Any, batch: tuple[Array, ...], steps: int) -> None:
    """So many steps of Adam on one batch."""
    training = Training(model, Adam(model.parameters(), lr=0.02), loss, clip=1.0)
    for _ in range(steps):
        training.step(*batch)


def of_parity(seed: int) -> Errors:
    """Wrong bits at the last step, of nets that were taught on 64 strings of 8 bits."""
    rng = np.random.default_rng(seed)
    xs = bits(rng, 8, 64)
    hidden = ManyToMany(1, 8, 1, rng=rng, loss=binary_cross_entropy)
    taught(hidden, hidden.loss, (xs, parity(xs)), 400)
    fed = OutputFeedback(1, 8, 1, rng=rng, loss=mse)
    loss = lambda x, y: fed.loss(x, y, feedback="teacher")  # noqa: E731
    taught(fed, loss, (xs, parity(xs)), 600)

    def wrong(o: Array, ys: Array) -> float:
        return float(np.mean((o[-1] > 0) != (ys[-1] > 0.5)))

    return {
        "many to many": lambda x, y: wrong(hidden(x).data, y),
        "output feedback": lambda x, y: wrong(fed.continued(x) - 0.5, y),
        "always odd": lambda x, y: wrong(np.ones_like(y), y),
    }


def of_before(seed: int) -> Errors:
    """Squared error of nets that say the bit of two steps before, taught on 12 bits."""
    rng = np.random.default_rng(seed)
    xs = bits(rng, 12, 64)
    batch = xs, before(xs)
    hidden = ManyToMany(1, 8, 1, rng=rng, loss=mse)
    taught(hidden, hidden.loss, batch, 400)
    fed = OutputFeedback(1, 8, 1, rng=rng, loss=mse)
    free = lambda x, y: fed.loss(x, y, feedback="free")  # noqa: E731
    taught(fed, free, batch, 400)

    def mean(x: Array, y: Array) -> float:
        said = np.where(np.arange(len(y)) < 2, 0, batch[1][2:].mean())
        return float(np.mean((y - said[:, None, None]) ** 2))

    return {
        "many to many": lambda x, y: hidden.loss(x, y).item(),
        "output feedback": lambda x, y: free(x, y).item(),
        "mean of the step": mean,
    }


def of_more(seed: int) -> Errors:
    """Wrong answers to: more ones than zeros? Taught on 128 strings of 9 bits."""
    rng = np.random.default_rng(seed)
    xs = bits(rng, 9, 128)
    reader = ManyToOne(1, 8, 2, rng=rng)
    taught(reader, reader.loss, (xs, more(xs)), 200)

    def last(x: Array, y: Array) -> float:
        return float(np.mean((x[-1, :, 0] > 0.5) != y))

    return {
        "many to one": lambda x, y: float(np.mean(reader(x).data.argmax(-1) != y)),
        "the last bit alone": last,
        "always more ones": lambda x, y: float(np.mean(y != 1)),
    }


# Name: what teaches and measures, what is right, the taught length and longer ones.
Kind = tuple[Callable[[int], Errors], Callable[[Array], Array], list[int]]
LENGTHS: dict[str, Kind] = {
    "parity": (of_parity, parity, [8, 12, 16, 24, 32, 48, 64]),
    "two steps before": (of_before, before, [12, 16, 24, 48, 96]),
    "more ones": (of_more, more, [9, 13, 17, 21, 25, 31]),
}


def errors(name: str, seed: int) -> dict[str, dict[str, float]]:
    """By network and length, on 2,000 sequences that are drawn after the training."""
    teach, right, lengths = LENGTHS[name]
    found: dict[str, dict[str, float]] = {}
    nets = teach(seed)
    for length in lengths:
        xs = bits(np.random.default_rng([seed, length]), length, 2000)
        with no_grad():
            for net, error in nets.items():
                value = float(f"{error(xs, right(xs)):.4g}")
                found.setdefault(net, {})[str(length)] = value
    return found


def curve(name: str, net: str) -> dict[int, float]:
    """The median over the seeds, by length."""
    seeds = read("lengths")["measured"][name].values()
    lengths = LENGTHS[name][2]
    return {n: float(np.median([s[net][str(n)] for s in seeds])) for n in lengths}


# ---------------------------------------------------------------------- tasks

COMMAND = re.compile(r"^### `(minigrad train [^`]+)`", re.M)
FACTS = re.compile(r"^(steps (ran|recorded)|written to)")


def commands() -> list[str]:
    """Those of docs/tasks.md."""
    return COMMAND.findall((HERE / "tasks.md").read_text(encoding="utf-8"))


def ran(command: str, seed: int, data: Path) -> dict[str, Any]:
    """What a command prints, and the seconds of the processor that it takes."""
    words = [sys.executable, "-m", *shlex.split(command)]
    with tempfile.TemporaryDirectory() as out:
        words += ["--seed", str(seed), "--out", out, "--quiet"]
        start = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        said = subprocess.run(
            words,
            cwd=data,
            env=os.environ | {"PYTHONPATH": str(HERE.parent)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - start
    lines = [line for line in said.splitlines() if not FACTS.match(line)]
    return {"said": lines, "seconds": round(seconds, 1)}


CELL = re.compile(r"\S+(?: \S+)*")
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
Rows = list[list[str]]


def parted(said: list[str]) -> tuple[list[str], Rows, list[str]]:
    """What a command printed: the lines before its table, its rows, those after it.

    A column ends where its heading ends; a row may have nothing in it.
    """
    head = next(k for k, line in enumerate(said) if len(CELL.findall(line)) > 1)
    ends = [m.end() for m in CELL.finditer(said[head]) if m.start()]
    rows, after = [], []
    for line in said[head:]:
        found = {m.end(): m[0] for m in CELL.finditer(line)}
        columns = [found.pop(end, "") for end in ends]
        (label,) = found.values() or ["of"]
        if any(columns):
            rows.append([label, *columns])
        else:
            after.append(label)
    return said[:head], rows, after


def joined(cells: tuple[str, ...], to: str = "to") -> str:
    """One cell of all seeds: the mean of a number, and the least and the most.

    >>> joined(("0.10", "0.30", "0.20")), joined(("after 800", "after 96", "after 96"))
    ('0.20 (0.10 to 0.30)', 'after 96 to 800')
    """
    if len(set(cells)) == 1:
        return cells[0]
    if len({NUMBER.sub("", cell) for cell in cells}) > 1:
        return ", ".join(cells)
    found = zip(*(NUMBER.findall(cell) for cell in cells), strict=True)
    spread = []
    for texts in found:
        order = sorted(set(texts), key=lambda text: float(text.replace(",", "")))
        spread.append(f" {to} ".join(dict.fromkeys([order[0], order[-1]])))
    if NUMBER.sub("", cells[0]):
        between = iter(spread)
        return NUMBER.sub(lambda _: next(between), cells[0])
    mean = np.mean([float(cell.replace(",", "")) for cell in cells])
    digits = len(cells[0].partition(".")[2])
    return f"{mean:.{digits}f} ({spread[0]})"


# What stands around what a command printed, which is English.
AROUND = {
    "en": ("to", "The run of seed 0 wrote:", "Up to {:.0f} s of processor time a run."),
    "es": ("a", "La semilla 0 escribió:", "Hasta {:.0f} s de procesador cada vez."),
}


def report(command: str, language: str = "en") -> str:
    """What the command printed, as a table over all seeds."""
    to, wrote, cost = AROUND[language]
    runs = read("tasks")["measured"][command]
    before, *rest = zip(
        *(parted(runs[seed]["said"]) for seed in sorted(runs)), strict=True
    )
    tables, after = rest
    lines = [*before[0], ""]
    for number, rows in enumerate(zip(*tables, strict=True)):
        cells = [joined(cell, to) for cell in zip(*rows, strict=True)]
        lines.append(f"| {' | '.join(cells)} |")
        if not number:
            lines.append("|---" + "|--:" * (len(cells) - 1) + "|")
    if after[0]:
        lines += ["", wrote, "", "```text", *after[0], "```"]
    seconds = max(run["seconds"] for run in runs.values())
    return "\n".join([*lines, "", cost.format(seconds)])


# -------------------------------------------------------------------- updates

ENGINES = "numpy", "c"


def benchmark() -> Any:
    """The race of tests/benchmarks/whole_step.py, as a module."""
    sys.path.insert(0, str(HERE.parent / "tests/benchmarks"))
    return importlib.import_module("whole_step")


COLUMNS = {
    "en": ("network", "batch, steps, inputs, hidden", "in parts", "whole"),
    "es": ("red", "lote, pasos, entradas, unidades ocultas", "por partes", "entera"),
}


def updates(language: str = "en") -> str:
    """The table of docs/training.md."""
    network, sizes, parts, whole = COLUMNS[language]
    lines = [f"| {network} | {sizes} "]
    lines[0] += "".join(f"| {e}: {parts} | {e}: {whole} " for e in ENGINES) + "|"
    lines += ["|---" * (2 + 2 * len(ENGINES)) + "|"]
    for name, (_, *size) in benchmark().SIZES.items():
        by_engine = read("updates")["measured"][name]
        cells = [name, ", ".join(map(str, size))]
        for engine in ENGINES:
            cells += [f"{by_engine[engine][kind]:g}" for kind in ("parts", "whole")]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


# ---------------------------------------------------------------------- files


def machine() -> str:
    """The processor, its cores, and the versions."""
    there = Path("/proc/cpuinfo")
    names = (
        re.findall(r"model name\s*: (.*)", there.read_text()) if there.exists() else []
    )
    processor = names[0] if names else platform.processor()
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}"
    return f"{processor}, {os.cpu_count()} cores, {versions}"


def read(name: str) -> dict[str, Any]:
    """A file of measurements; empty where there is none."""
    path = MEASURED / f"{name}.json"
    found: dict[str, Any] = {"measured": {}}
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else found


def keep(name: str, key: str, seed: int | str, found: Any) -> None:
    """Put one measurement into its file."""
    cells = read(name)
    cells["measured"].setdefault(key, {})[str(seed)] = found
    cells = {"machine": machine(), "date": date.today().isoformat()} | {
        "measured": cells["measured"]
    }
    MEASURED.mkdir(exist_ok=True)
    text = json.dumps(cells, indent=1, ensure_ascii=False) + "\n"
    (MEASURED / f"{name}.json").write_text(text, encoding="utf-8")


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", choices=["lengths", "tasks", "updates"])
    parser.add_argument(
        "words", nargs="*", help="only what has one of these in its name"
    )
    parser.add_argument("--data", type=Path, default=Path(), help="folder of the files")
    asked = parser.parse_args()
    names, each, measured = {
        "lengths": (list(LENGTHS), SEEDS, errors),
        "tasks": (commands(), SEEDS, lambda name, seed: ran(name, seed, asked.data)),
        "updates": (list(benchmark().SIZES), ENGINES, benchmark().measured),
    }[asked.what]
    for one in each:
        for name in names:
            if not asked.words or any(word in name for word in asked.words):
                keep(asked.what, name, one, measured(name, one))
                print(f"{name}: {one}", flush=True)


if __name__ == "__main__":
    main()
