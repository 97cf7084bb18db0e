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
import shlex
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from math import inf, nan
from pathlib import Path
from typing import NoReturn

from minigrad import __version__
from minigrad.compile.backend import FOLDERS, chosen
from minigrad.compile.backend import EngineError as NoProgramError
from minigrad.draw import EngineError, GraphvizNotFound, LayoutTimeout, draw
from minigrad.draw.choices import CHOICES, VIEWS
from minigrad.draw.figure import FORMATS
from minigrad.draw.render.theme import STYLES
from minigrad.equations import equations
from minigrad.nn.cells import CELLS
from minigrad.tasks import TASKS, Options, Task
from minigrad.tasks.pictures import PICTURES, recorded
from minigrad.tasks.session import checkpoints

__all__ = ["main"]

OPTIONAL = (
    "model",
    "cell",
    "hidden",
    "length",
    "data",
    "truncate",
    "prompt",
    "temperature",
    "overlay",
    "flow",
    "resume",
    "eager",
    "backend",
)
EXTRA = ("matplotlib", "safetensors", "tqdm")
# What Graphviz and the engines of programs can do wrong; each message says what helps.
FAILURES = (EngineError, GraphvizNotFound, LayoutTimeout, NoProgramError)


class UsageError(Exception):
    """What was asked cannot be done; the message is one line."""


class Parser(argparse.ArgumentParser):
    """argparse, but its errors are one line too."""

    def error(self, message: str) -> NoReturn:
        """Hand the message to ``main`` instead of printing the whole usage."""
        raise UsageError(f"{message} (see {self.prog} --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    try:
        options = parser().parse_args(arguments)
        return options.command(options) or 0
    except UsageError as error:
        print(f"minigrad: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as error:
        print(f"minigrad: {str(error) or 'stopped'}", file=sys.stderr)
        return 130


def parser() -> Parser:
    """The command line."""
    top = Parser(prog="minigrad", description="Networks whose graph is the product.")
    top.add_argument("--version", action="version", version=f"minigrad {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    tasks = "\n".join(f"  {task.name:12} {task.summary}" for task in TASKS.values())
    command = commands.add_parser(
        "train",
        help="train a network on a task and report what it reaches",
        epilog=f"tasks:\n{tasks}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("task", nargs="?", help="which task")
    command.add_argument("--list", action="store_true", help="describe the tasks")
    command.add_argument("--steps", type=positive, help="how many training steps")
    command.add_argument("--model", metavar="NAME", help="one of the task's networks")
    command.add_argument("--cell", choices=tuple(CELLS), help="the recurrent cell")
    command.add_argument("--hidden", type=positive, help="how many hidden units")
    command.add_argument("--length", type=positive, help="steps of a sequence")
    command.add_argument("--data", type=Path, metavar="FILE", help="what to read")
    command.add_argument(
        "--truncate", type=positive, metavar="K", help="cut the gradient every K steps"
    )
    command.add_argument("--prompt", help="what a sample goes on from")
    command.add_argument("--temperature", type=warmth, help="0 takes the likeliest")
    command.add_argument(
        "--overlay", choices=("grad",), help="figures of how the gradient vanishes"
    )
    command.add_argument(
        "--flow", type=warmth, help="add so many times Ω to the loss (eq. 10.52)"
    )
    command.add_argument(
        "--resume", action="store_true", help="go on from the checkpoint in DIR"
    )
    command.add_argument(
        "--eager", action="store_true", help="record every step, compile none"
    )
    command.add_argument(
        "--backend", choices=tuple(FOLDERS), help="the engine that runs compiled steps"
    )
    command.add_argument("--seed", type=natural, default=0, help="default: 0")
    command.add_argument(
        "--out", type=Path, metavar="DIR", help="default: runs/ and the task's name"
    )
    command.set_defaults(command=train)

    command = commands.add_parser(
        "check", help="test every op that a Python file declares"
    )
    command.add_argument("file", type=Path, help="for example my_ops.py")
    command.set_defaults(command=check)

    command = commands.add_parser(
        "draw",
        help="draw a network without training it",
        epilog=f"networks: {', '.join(PICTURES)}",
    )
    command.add_argument(
        "network", help="which network, or FILE.py:FUNCTION that returns a Tensor"
    )
    command.add_argument(
        "--steps", type=positive, default=20, help="steps over time (default: 20)"
    )
    command.add_argument(
        "--columns", type=positive, help="how many are drawn (default: 6 at most)"
    )
    command.add_argument("--view", choices=VIEWS, default="auto")
    command.add_argument("--style", choices=STYLES, default="color")
    command.add_argument(
        "--overlay", choices=("grad", "value"), help="colour the states by their norm"
    )
    command.add_argument("--index", choices=CHOICES["index"], default="number")
    command.add_argument("--params", choices=CHOICES["params"], default="label")
    command.add_argument("--depth", type=positive, help="collapse scopes in view ops")
    command.add_argument("--dpi", type=positive, default=200, help="default: 200")
    command.add_argument(
        "-o",
        "--out",
        type=Path,
        metavar="FILE",
        help=f".{', .'.join(FORMATS)} (default: NETWORK.png)",
    )
    command.set_defaults(command=draw_network)

    command = commands.add_parser(
        "equations",
        help="write the equations of a network and of its gradient",
        epilog=f"networks: {', '.join(PICTURES)}",
    )
    command.add_argument(
        "network", help="which network, or FILE.py:FUNCTION that returns a Tensor"
    )
    command.add_argument(
        "--steps", type=positive, default=20, help="steps over time (default: 20)"
    )
    command.add_argument("--latex", action="store_true", help="LaTeX, not plain text")
    command.set_defaults(command=write_network)
    return top


def train(options: argparse.Namespace) -> None:
    """Run a task, or say what there is."""
    if options.list:
        for task in TASKS.values():
            takes = "".join(f" --{name}" for name in task.takes)
            if task.models:
                takes = f" --model {'|'.join(task.models)}{takes}"
            print(f"{task.name:14} {task.summary}; {task.steps} steps{takes}")
        return
    if options.task is None:
        raise UsageError(f"which task? there is {', '.join(TASKS)}")
    if options.task not in TASKS:
        raise UsageError(f"no task {options.task!r}; there is {', '.join(TASKS)}")
    task = TASKS[options.task]
    asked = {
        name: getattr(options, name)
        for name in OPTIONAL
        if getattr(options, name) not in (None, False)
    }
    taken = {"model": task.models, "resume": task.resumes}
    taken |= {"eager": True, "backend": True}
    for name in asked:
        if not taken.get(name, name in task.takes):
            raise UsageError(f"{task.name} has no --{name}")
    if options.model is not None and options.model not in task.models:
        raise UsageError(
            f"{task.name} has no network {options.model!r}; there is "
            f"{', '.join(task.models)}"
        )
    if task.needs_data and options.data is None:
        raise UsageError(f"{task.name} reads a file: give it with --data FILE")
    if options.data is not None and not options.data.is_file():
        raise UsageError(f"there is no file {options.data}")
    try:
        engine = chosen(options.backend)
    except ValueError as error:
        raise UsageError(str(error)) from error
    missing = [name for name in EXTRA if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"train needs {', '.join(missing)}: pip install 'minigrad-rnn[train]'"
        )
    out = options.out or Path("runs", task.name)
    before = checkpoints(out)
    if options.resume and not before:
        raise UsageError(f"nothing to resume: {out} has no checkpoint.safetensors")
    try:
        out.mkdir(parents=True, exist_ok=True)
        # Before the work, not after it: can a file be made here?
        tempfile.TemporaryFile(dir=out).close()
        task.run(Options(options.steps or task.steps, options.seed, out, **asked))
        print("steps recorded anew" if options.eager else f"steps ran on {engine}")
    except KeyboardInterrupt as error:
        # A checkpoint of an earlier run is none of this one.
        if options.resume or checkpoints(out) != before:
            again = resumed(task, options)
            raise KeyboardInterrupt(
                f"{str(error) or 'stopped'}; it is saved, go on with: {again}"
            ) from None
        raise KeyboardInterrupt("stopped; nothing was saved") from None
    except FloatingPointError as error:
        raise UsageError(str(error)) from error
    except ValueError as error:
        # A wrong line of the user's file, a checkpoint of something else, a prompt of
        # other letters.
        if not (options.data or options.resume or options.prompt):
            raise
        first, *lines = (line.strip() for line in str(error).splitlines())
        if len(lines) > 2:
            lines[2:] = [f"and {len(lines) - 2} more"]
        raise UsageError(" ".join([first, "; ".join(lines)]).strip()) from error
    except FAILURES as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"cannot write into {out}: {error.strerror}") from error


def resumed(task: Task, options: argparse.Namespace) -> str:
    """The command that goes on with a training."""
    words = ["minigrad", "train", task.name, "--resume"]
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
        figure = draw(
            recorded(options.network, options.steps),
            view=options.view,
            steps=options.columns,
            style=options.style,
            overlay=options.overlay,
            index=options.index,
            params=options.params,
            depth=options.depth,
        )
    except (TypeError, ValueError) as error:
        raise UsageError(" ".join(str(error).split())) from error
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


def positive(text: str) -> int:
    """A whole number of at least 1."""
    return _whole(text, 1)


def warmth(text: str) -> float:
    """A number of at least 0."""
    try:
        number = float(text)
    except ValueError:
        number = nan
    if not 0 <= number < inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least 0")
    return number


def natural(text: str) -> int:
    """A whole number of at least 0."""
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a whole number of at least {least}"
        )
    return int(text)
