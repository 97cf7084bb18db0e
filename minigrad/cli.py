"""The command ``minigrad``: train a task, draw a network.

    minigrad train sunspots
    minigrad draw many-to-many --steps 20 -o rnn.png

What the user got wrong is said in one line on stderr, with exit code 2. Ctrl-C ends
with exit code 130 and leaves whole files only.

>>> main(["train", "weather"])  # on stderr: minigrad: no task 'weather'; ...
2
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from minigrad import __version__
from minigrad.draw import EngineError, GraphvizNotFound, LayoutTimeout, draw
from minigrad.tasks import TASKS
from minigrad.tasks.pictures import PICTURES
from minigrad.train import replacing

__all__ = ["main"]

EXTRA = ("matplotlib", "safetensors", "tqdm")
# What Graphviz can do wrong; each message says what helps.
FAILURES = (EngineError, GraphvizNotFound, LayoutTimeout)


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
        options.command(options)
    except UsageError as error:
        print(f"minigrad: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("minigrad: stopped", file=sys.stderr)
        return 130
    return 0


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
    command.add_argument("task", help="which task")
    command.add_argument("--steps", type=positive, help="how many training steps")
    command.add_argument("--seed", type=natural, default=0, help="default: 0")
    command.add_argument(
        "--out", type=Path, metavar="DIR", help="default: runs/ and the task's name"
    )
    command.set_defaults(command=train)

    command = commands.add_parser(
        "draw",
        help="draw a network without training it",
        epilog=f"networks: {', '.join(PICTURES)}",
    )
    command.add_argument("network", help="which network")
    command.add_argument(
        "--steps", type=positive, default=20, help="steps over time (default: 20)"
    )
    command.add_argument(
        "-o", "--out", type=Path, metavar="FILE", help="default: NETWORK.png"
    )
    command.set_defaults(command=draw_network)
    return top


def train(options: argparse.Namespace) -> None:
    """Run a task."""
    task = TASKS.get(options.task)
    if task is None:
        raise UsageError(f"no task {options.task!r}; there is {', '.join(TASKS)}")
    missing = [name for name in EXTRA if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"train needs {', '.join(missing)}: pip install 'minigrad[train]'"
        )
    out = options.out or Path("runs", task.name)
    try:
        out.mkdir(parents=True, exist_ok=True)
        # Before the work, not after it: can a file be made here?
        tempfile.TemporaryFile(dir=out).close()
        task.run(options.steps or task.steps, options.seed, out)
    except FAILURES as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"cannot write into {out}: {error.strerror}") from error


def draw_network(options: argparse.Namespace) -> None:
    """Write the picture of a network."""
    record = PICTURES.get(options.network)
    if record is None:
        raise UsageError(
            f"no network {options.network!r}; there is {', '.join(PICTURES)}"
        )
    out = options.out or Path(f"{options.network}.png")
    figure = draw(record(options.steps))
    try:
        with replacing(out) as temporary:
            try:
                figure.save(temporary)
            except (ValueError, *FAILURES) as error:
                raise UsageError(
                    str(error).replace(temporary.name, out.name)
                ) from error
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror}") from error
    print(f"written to {out}")


def positive(text: str) -> int:
    """A whole number of at least 1."""
    if natural(text) == 0:
        raise argparse.ArgumentTypeError("must be at least 1")
    return int(text)


def natural(text: str) -> int:
    """A whole number of at least 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)
