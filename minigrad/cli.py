"""The command ``minigrad``: train a task, draw a network or write it down, check ops.

    minigrad train sunspots
    minigrad draw many-to-many --steps 20 -o rnn.png
    minigrad draw my_script.py:my_function --view ops
    minigrad equations lstm --latex

What the user got wrong is said in one line on stderr, with exit code 2. Ctrl-C ends
with exit code 130 and leaves whole files only.

>>> main(["train", "weather"])  # on stderr: minigrad: no task 'weather'; ...
2
"""

import argparse
import os
import shlex
import sys
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import MISSING, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from minigrad.advice import unknown
from minigrad.command_line import UsageError, read
from minigrad.compile.backend import EngineError as NoProgramError
from minigrad.compile.backend import chosen
from minigrad.draw import EngineError, GraphvizNotFound, LayoutTimeout, Style, draw
from minigrad.equations import equations
from minigrad.tasks import TASKS, Options, Task
from minigrad.tasks.networks import WEIGHTS
from minigrad.tasks.pictures import recorded
from minigrad.tasks.session import checkpoints
from minigrad.train.checkpoint import read_about
from minigrad.user_file import UserFileError, running

# What a task may be asked for beside steps, seed and folder.
OPTIONAL = [f.name for f in fields(Options) if f.default is not MISSING]
# Which of them, and the seed, may be asked for of a run.
PREDICTING = "data column missing label length prompt temperature seed"
EXTRA = ("matplotlib", "safetensors", "tqdm")
# What Graphviz and the engines of programs can do wrong; each message says what helps.
FAILURES = (EngineError, GraphvizNotFound, LayoutTimeout, NoProgramError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    try:
        options = read(arguments)
        return COMMANDS[options.command](options) or 0
    except UsageError as error:
        print(f"minigrad: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # as of `| head`: who listened has gone
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, at exit nothing is flushed
        return 141
    except KeyboardInterrupt as error:
        print(f"minigrad: {str(error) or 'stopped'}", file=sys.stderr)
        return 130


def train(options: argparse.Namespace) -> None:
    """Run a task, or say what there is."""
    if options.list:
        for task in TASKS.values():
            takes = "".join(f" --{name}" for name in task.takes)
            if task.models:
                takes = f" --model {'|'.join(task.models)}{takes}"
            reads = f"; --data FILE is {task.reads}" if task.reads else ""
            print(f"{task.name:14} {task.summary}; {task.steps} steps{takes}{reads}")
        return
    if options.task is None:
        raise UsageError(f"which task? there is {', '.join(TASKS)}")
    task = TASKS.get(options.task) or _own_task(options.task)
    asked = _asked(options, task)
    try:
        engine = chosen(options.backend)
    except ValueError as error:
        raise UsageError(str(error)) from error
    _require_extra("train")
    out = options.out or Path("runs", task.name)
    before = checkpoints(out)
    if options.resume and not before:
        raise UsageError(f"nothing to resume: {out} has no checkpoint.safetensors")
    stopped = any(not (path.parent / WEIGHTS).exists() for path in before)
    if stopped and task.resumes and not options.resume:
        print(
            f"{out} has a training that was stopped: --resume goes on, this begins anew"
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
        # Before the work, not after it: can a file be made here?
        tempfile.TemporaryFile(dir=out).close()
        old = _files(out)
        task.run(Options(options.steps or task.steps, options.seed, out, **asked))
        print("steps recorded anew" if options.eager else f"steps ran on {engine}")
        print(_written(out, old))
    except KeyboardInterrupt as error:
        # A checkpoint of an earlier run is none of this one.
        if options.resume or checkpoints(out) != before:
            again = resumed(options)
            raise KeyboardInterrupt(
                f"{str(error) or 'stopped'}; it is saved, go on with: {again}"
            ) from None
        raise KeyboardInterrupt("stopped; nothing was saved") from None
    except FloatingPointError as error:
        raise UsageError(str(error)) from error
    except ValueError as error:
        # A wrong line of the user's file, a checkpoint of something else, a prompt of
        # other letters.
        if not (options.data or options.resume or options.prompt or options.lr):
            raise
        raise UsageError(_one_line(error)) from error
    except FAILURES as error:
        raise UsageError(str(error)) from error
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(f"cannot write into {out}: {error.strerror}") from error


def _asked(options: argparse.Namespace, task: Task) -> dict[str, Any]:
    """The options that were given, once it is known that the task has them."""
    asked = {
        name: getattr(options, name)
        for name in OPTIONAL
        if getattr(options, name) not in (None, False)
    }
    taken = {"model": task.models, "resume": task.resumes}
    taken |= {"eager": True, "backend": True, "quiet": True}
    taken["lr"] = task.resumes  # those that train one network by a schedule
    for name in asked:
        if not taken.get(name, name in task.takes):
            raise UsageError(f"{task.name} has no --{name}")
    if options.model is not None and options.model not in task.models:
        raise UsageError(
            f"{task.name} has no network {unknown(options.model, task.models)}"
        )
    if task.needs_data and options.data is None:
        raise UsageError(
            f"{task.name} reads a file: give it with --data FILE, {task.reads}"
        )
    _require_file(options.data)
    return asked


def predict(options: argparse.Namespace) -> None:
    """Use the weights of a run on a new file."""
    weights = options.run / WEIGHTS
    if not weights.is_file():
        raise UsageError(f"{options.run} is no run: it has no {WEIGHTS}")
    _require_extra("predict")
    out = options.out or options.run / "predictions"
    try:
        about = read_about(weights)
        task = TASKS.get(about["task"]) if isinstance(about, dict) else None
        if task is None or task.predict is None:
            able = ", ".join(t.name for t in TASKS.values() if t.predict)
            raise UsageError(
                f"{options.run} is a run of none of: {able}; what it has learnt is "
                f"minigrad.load({str(options.run)!r}) in Python"
            )
        asked = _asked_of_a_run(options, task)
        out.mkdir(parents=True, exist_ok=True)
        old = _files(out)
        task.predict(
            about, weights, Options(**{"steps": 0, "seed": 0, **asked}, out=out)
        )
        print(_written(out, old))
    except ValueError as error:
        raise UsageError(_one_line(error)) from error
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(f"cannot write into {out}: {error.strerror}") from error


def _asked_of_a_run(options: argparse.Namespace, task: Task) -> dict[str, Any]:
    """The options that were given, once it is known that a run of the task has them."""
    named = {name: getattr(options, name) for name in PREDICTING.split()}
    asked = {name: value for name, value in named.items() if value not in (None, "")}
    writes = "prompt" in task.takes
    for name in asked:
        if not (writes if name == "seed" else name in task.takes):
            raise UsageError(f"a run of {task.name} has no --{name}")
    if "data" not in asked and "prompt" not in asked:
        beginning = ", or how a text begins with --prompt TEXT" if writes else ""
        raise UsageError(
            f"predict reads a file: give it with --data FILE, {task.reads}{beginning}"
        )
    _require_file(options.data)
    return asked


def _require_extra(command: str) -> None:
    missing = [name for name in EXTRA if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"{command} needs {', '.join(missing)}: pip install 'minigrad-rnn[train]'"
        )


def _require_file(path: Path | None) -> None:
    if path is not None and not path.is_file():
        folder = f"{path} is a folder: name a file of it"
        raise UsageError(folder if path.is_dir() else f"there is no file {path}")


def _files(folder: Path) -> dict[Path, int]:
    return {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


def _written(folder: Path, old: dict[Path, int]) -> str:
    new = [p for p, age in _files(folder).items() if old.get(p) != age]
    names = sorted(str(p.relative_to(folder)) for p in new)
    return f"written to {folder}: {', '.join(names) or 'nothing'}"


def _one_line(error: ValueError) -> str:
    first, *lines = (line.strip() for line in str(error).splitlines())
    if len(lines) > 2:
        lines[2:] = [f"and {len(lines) - 2} more"]
    return " ".join([first, "; ".join(lines)]).strip()


def _own_task(text: str) -> Task:
    """The task that FILE.py:NAME is."""
    if text.endswith(".py"):
        raise UsageError(f"{text} is a file: say which task of it, as {text}:TASK")
    path, colon, name = text.rpartition(":")
    if not colon or not path.endswith(".py"):
        raise UsageError(f"no task {unknown(text, TASKS)}, or FILE.py:NAME")
    _require_file(Path(path))
    try:
        with running(Path(path)) as module:
            found = vars(module).get(name)
    except UserFileError as error:
        raise UsageError(str(error)) from error
    if not isinstance(found, Task):
        kind = "nothing" if found is None else f"a {type(found).__name__}"
        raise UsageError(f"{text} is {kind}: a task is minigrad.tasks.Task(name, ...)")
    return found


def resumed(options: argparse.Namespace) -> str:
    """The command that goes on with a training."""
    words = ["minigrad", "train", options.task, "--resume"]
    for name in ("steps", *OPTIONAL, "seed", "out"):
        value = getattr(options, name)
        if value is True and name != "resume":
            words.append(f"--{name}")
        elif value not in (None, False, True) and (name, value) != ("seed", 0):
            words += [f"--{name}", str(value)]
    return shlex.join(words)


def check(options: argparse.Namespace) -> int:
    """Test every op of a file; 1 if a check fails."""
    from minigrad.testing.discover import check_file  # needs the extra `test`

    try:
        report = check_file(options.file)
    except (OSError, ValueError) as error:
        raise UsageError(str(error)) from error
    print(report.table)
    for failure in report.failures:
        print(f"\n{failure}")
    return 1 if report.failures else 0


def draw_network(options: argparse.Namespace) -> None:
    """Write the picture of a network."""
    name = options.network.rpartition(":")[2]
    out = options.out or Path(f"{name}.png")
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            figure = draw(
                recorded(options.network, options.steps),
                view=options.view,
                steps=options.columns,
                style=Style(options.style, language=options.language),
                overlay=options.overlay,
                index=options.index,
                params=options.params,
                shapes=options.shapes,
                values=options.values,
                depth=options.depth,
            )
    except (TypeError, ValueError) as error:
        raise UsageError(" ".join(str(error).split())) from error
    for warning in told:  # a figure that can be misread says where
        print(f"minigrad: {' '.join(str(warning.message).split())}", file=sys.stderr)
    try:
        figure.save(out, dpi=options.dpi)
    except (ValueError, *FAILURES) as error:
        raise UsageError(" ".join(str(error).split())) from error
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror}") from error
    print(f"written to {out}")


def write_network(options: argparse.Namespace) -> None:
    """Print the equations of a network."""
    try:
        said = equations(recorded(options.network, options.steps))
    except (TypeError, ValueError) as error:
        raise UsageError(" ".join(str(error).split())) from error
    print(said.latex() if options.latex else said.text())


COMMANDS = {
    "train": train,
    "predict": predict,
    "check": check,
    "draw": draw_network,
    "equations": write_network,
}
