"""What may be written on the command line, and how each word is read.

>>> parser().parse_args(["train", "xor", "--seed", "7"]).seed
7
"""

import argparse
from collections.abc import Callable, Iterable
from math import inf, nan
from pathlib import Path
from typing import NoReturn

from minigrad import __version__
from minigrad.advice import unknown
from minigrad.compile.backend import FOLDERS
from minigrad.data.tables import MISSING
from minigrad.draw.choices import CHOICES, VIEWS
from minigrad.draw.figure import FORMATS
from minigrad.draw.page.words import LANGUAGES
from minigrad.draw.render.theme import STYLES
from minigrad.nn.cells import CELLS
from minigrad.tasks import TASKS
from minigrad.tasks.pictures import PICTURES


class UsageError(Exception):
    """What was asked cannot be done; the message is one line."""


class Parser(argparse.ArgumentParser):
    """argparse, but its errors are one line too."""

    def error(self, message: str) -> NoReturn:
        """Hand the message to ``main`` instead of printing the whole usage."""
        raise UsageError(f"{message} (see {self.prog} --help)")


def parser() -> Parser:
    """The command line."""
    top = Parser(prog="minigrad", description="Networks whose graph is the product.")
    top.add_argument(
        "-V", "--version", action="version", version=f"minigrad {__version__}"
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    tasks = "\n".join(f"  {task.name:12} {task.summary}" for task in TASKS.values())
    command = commands.add_parser(
        "train",
        help="train a network on a task and report what it reaches",
        epilog=f"tasks:\n{tasks}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("task", nargs="?", help="which task, or FILE.py:NAME")
    command.add_argument("--list", action="store_true", help="describe the tasks")
    command.add_argument("--steps", type=positive, help="how many training steps")
    command.add_argument("--model", metavar="NAME", help="one of the task's networks")
    command.add_argument(
        "--cell", type=among(CELLS), help=f"the recurrent cell: {', '.join(CELLS)}"
    )
    command.add_argument("--hidden", type=positive, help="how many hidden units")
    command.add_argument("--length", type=positive, help="steps of a sequence")
    _add_data(command)
    command.add_argument("--ahead", type=positive, metavar="K", help="forecast t + K")
    command.add_argument("--lr", type=rate, help="a constant learning rate")
    command.add_argument("--batch", type=positive, help="sequences that a step reads")
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
    command.add_argument("--quiet", action="store_true", help="no progress bar")
    command.add_argument("--seed", type=natural, default=0, help="default: 0")
    command.add_argument(
        "--out", type=Path, metavar="DIR", help="default: runs/ and the task's name"
    )
    command.set_defaults(command="train")

    command = commands.add_parser(
        "predict", help="use what a run has learnt on a new file"
    )
    command.add_argument("run", type=Path, metavar="DIR", help="the run's folder")
    _add_data(command)
    command.add_argument("--length", type=positive, help="how far beyond the end")
    command.add_argument(
        "--out", type=Path, metavar="DIR", help="default: predictions/ in the run's"
    )
    command.set_defaults(command="predict")

    command = commands.add_parser(
        "check", help="test every op that a Python file declares"
    )
    command.add_argument("file", type=Path, help="for example my_ops.py")
    command.set_defaults(command="check")

    command = commands.add_parser(
        "draw",
        help="draw a network without training it",
        epilog=f"networks: {', '.join(PICTURES)}",
    )
    _add_network(command)
    command.add_argument(
        "--columns", type=positive, help="how many are drawn (default: 6 at most)"
    )
    command.add_argument("--view", type=among(VIEWS), default="auto")
    command.add_argument("--style", type=among(STYLES), default="color")
    command.add_argument(
        "--language", choices=LANGUAGES, default="en", help="of the figure's words"
    )
    command.add_argument(
        "--overlay",
        choices=("grad", "value", "jacobian"),
        help="colour the states: their gradients, their norms, what a step stretches",
    )
    command.add_argument("--index", choices=CHOICES["index"], default="number")
    command.add_argument("--params", choices=CHOICES["params"], default="label")
    command.add_argument(
        "--shapes", action="store_true", help="write the shapes of the values"
    )
    command.add_argument(
        "--values", action="store_true", help="write the values, where they are few"
    )
    command.add_argument("--depth", type=positive, help="collapse scopes in view ops")
    command.add_argument("--dpi", type=positive, default=200, help="default: 200")
    command.add_argument(
        "-o",
        "--out",
        type=Path,
        metavar="FILE",
        help=f".{', .'.join(FORMATS)} (default: NETWORK.png)",
    )
    command.set_defaults(command="draw")

    command = commands.add_parser(
        "equations",
        help="write the equations of a network and of its gradient",
        epilog=f"networks: {', '.join(PICTURES)}",
    )
    _add_network(command)
    command.add_argument("--latex", action="store_true", help="LaTeX, not plain text")
    command.set_defaults(command="equations")
    return top


def _add_network(command: argparse.ArgumentParser) -> None:
    """What is recorded, and how long."""
    command.add_argument(
        "network", help="which network, or FILE.py:FUNCTION that returns a Tensor"
    )
    command.add_argument(
        "--steps", type=positive, default=20, help="steps over time (default: 20)"
    )


def _add_data(command: argparse.ArgumentParser) -> None:
    """What a file of the user's is read by."""
    command.add_argument("--data", type=Path, metavar="FILE", help="what to read")
    command.add_argument("--column", metavar="NAME", help="which column, or its number")
    command.add_argument(
        "--missing", choices=MISSING, help="what becomes of holes (default: refuse)"
    )
    command.add_argument("--label", metavar="NAME", help="which column or word answers")


def among(names: Iterable[str]) -> Callable[[str], str]:
    """What argparse reads a name with, that is one of these."""

    def read(text: str) -> str:
        if text not in names:
            raise argparse.ArgumentTypeError(f"no {unknown(text, names)}")
        return text

    return read


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


def rate(text: str) -> float:
    """A number above 0."""
    number = warmth(text)
    if number == 0:
        raise argparse.ArgumentTypeError("0 is not a number above 0")
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
