"""What may be written on the command line, and how each word is read.

>>> read(["train", "xor", "--seed", "7"]).seed
7
"""

import argparse
from collections.abc import Callable, Sequence
from math import isfinite, nan
from pathlib import Path
from typing import Any, NoReturn

from minigrad import __version__
from minigrad.advice import near, unknown
from minigrad.compile.backend import FOLDERS
from minigrad.data.tables import MISSING
from minigrad.draw.choices import CHOICES, VIEWS
from minigrad.draw.figure import FORMATS
from minigrad.draw.page.words import LANGUAGES
from minigrad.draw.render.theme import STYLES
from minigrad.nn.cells import CELLS
from minigrad.tasks import TASKS
from minigrad.tasks.pictures import PICTURES, STEPS


class UsageError(Exception):
    """What was asked cannot be done; the message is one line."""


class Parser(argparse.ArgumentParser):
    """argparse, but its errors are one line too."""

    def error(self, message: str) -> NoReturn:
        """Hand the message to ``main`` instead of printing the whole usage."""
        raise UsageError(f"{message} (see {self.prog} --help)")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Name what may be meant, too."""
        if action.choices is not None and value not in action.choices:
            raise argparse.ArgumentError(action, f"no {unknown(value, action.choices)}")


def read(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What is asked for, by default on the command line of this process.

    Raises UsageError, in one line, for what cannot be read.

    >>> try:
    ...     read(["draw", "lstm", "--stepps", "3"])
    ... except UsageError as error:
    ...     print(error)
    draw has no --stepps; near it: --steps, --style, --shapes (see minigrad draw --help)
    """
    options, strange = parser().parse_known_args(arguments)
    if strange:
        name = strange[0].partition("=")[0]
        said = f"{options.command} has no {name}{near(name, options.known)}"
        raise UsageError(f"{said} (see minigrad {options.command} --help)")
    return options


def parser() -> Parser:
    """The command line."""
    top = Parser(prog="minigrad", description="Networks whose graph is the product.")
    top.add_argument(
        "-V", "--version", action="version", version=f"minigrad {__version__}"
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for command in (_train, _predict, _check, _draw, _equations):
        command(commands)
    return top


Add = Callable[..., object]


def _command(commands: Any, name: str, about: str, **more: Any) -> Add:
    """What adds an option to a new command."""
    command = commands.add_parser(name, help=about, **more)
    known: list[str] = []
    command.set_defaults(command=name, known=known)

    def add(*names: str, **option: Any) -> None:
        command.add_argument(*names, **option)
        known.extend(names)

    return add


def _train(commands: Any) -> None:
    width = max(map(len, TASKS))
    lines = [f"  {task.name:{width}} {task.summary}" for task in TASKS.values()]
    tasks = "\n".join(lines)
    about = "train a network on a task and report what it reaches"
    add = _command(
        commands,
        "train",
        about,
        epilog=f"tasks:\n{tasks}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add("task", nargs="?", help="which task, or FILE.py:NAME")
    add("--list", action="store_true", help="describe the tasks")
    add("--steps", type=positive, help="how many training steps")
    add("--model", metavar="NAME", help="one of the task's networks")
    cells = ", ".join(CELLS)
    add("--cell", choices=CELLS, metavar="CELL", help=f"the recurrent cell: {cells}")
    add("--hidden", type=positive, help="how many hidden units")
    add("--length", type=positive, help="steps of a sequence")
    _data(add)
    add("--ahead", type=positive, metavar="K", help="forecast t + K")
    add("--lr", type=rate, help="a constant learning rate")
    add("--batch", type=positive, help="sequences that a step reads")
    add("--truncate", type=positive, metavar="K", help="cut the gradient every K steps")
    _writing(add)
    add("--overlay", choices=("grad",), help="figures of how the gradient vanishes")
    add("--flow", type=warmth, help="add so many times Ω to the loss (eq. 10.52)")
    add("--resume", action="store_true", help="go on from the checkpoint in DIR")
    add("--eager", action="store_true", help="record every step, compile none")
    engines = tuple(FOLDERS)
    add("--backend", choices=engines, help="the engine that runs compiled steps")
    add("--quiet", action="store_true", help="no progress bar")
    add("--seed", type=natural, default=0, help="default: 0")
    add("--out", type=Path, metavar="DIR", help="default: runs/ and the task's name")


def _predict(commands: Any) -> None:
    add = _command(commands, "predict", "use what a run has learnt on a new file")
    add("run", type=Path, metavar="DIR", help="the run's folder")
    _data(add)
    add("--length", type=positive, help="how far beyond the end")
    _writing(add)
    add("--seed", type=natural, help="of what is drawn (default: 0)")
    add("--out", type=Path, metavar="DIR", help="default: predictions/ in the run's")


def _check(commands: Any) -> None:
    add = _command(commands, "check", "test every op that a Python file declares")
    add("file", type=Path, help="for example my_ops.py")


def _draw(commands: Any) -> None:
    known = f"networks: {', '.join(PICTURES)}"
    about = "draw a network without training it"
    add = _command(commands, "draw", about, epilog=known)
    _network(add)
    add("--columns", type=positive, help="how many are drawn (default: 6 at most)")
    views = f"what is shown: {', '.join(VIEWS)}"
    add("--view", choices=VIEWS, metavar="VIEW", default="auto", help=views)
    styles = f"its colours: {', '.join(STYLES)}"
    add("--style", choices=STYLES, metavar="STYLE", default="color", help=styles)
    add("--language", choices=LANGUAGES, default="en", help="of the figure's words")
    shown = "colour the states: their gradients, their norms, what a step stretches"
    add("--overlay", choices=("grad", "value", "jacobian"), help=shown)
    steps = "columns 1, 2, .. or t-1, t, t+1"
    add("--index", choices=CHOICES["index"], default="number", help=steps)
    letters = "parameters at their arrows, as nodes, or not at all"
    add("--params", choices=CHOICES["params"], default="label", help=letters)
    add("--shapes", action="store_true", help="write the shapes of the values")
    add("--values", action="store_true", help="write the values, or their norms")
    add("--depth", type=positive, help="collapse scopes in view ops")
    add("--dpi", type=positive, default=200, help="default: 200")
    formats = f".{', .'.join(FORMATS)} (default: NETWORK.png)"
    add("-o", "--out", type=Path, metavar="FILE", help=formats)


def _equations(commands: Any) -> None:
    known = f"networks: {', '.join(PICTURES)}"
    about = "write the equations of a network and of its gradient"
    add = _command(commands, "equations", about, epilog=known)
    _network(add)
    add("--latex", action="store_true", help="LaTeX, not plain text")


def _network(add: Add) -> None:
    """What is recorded, and how long."""
    add("network", help="which network, or FILE.py:FUNCTION that returns a Tensor")
    add("--steps", type=positive, help=f"steps over time (default: {STEPS})")


def _data(add: Add) -> None:
    """What a file of the user's is read by."""
    add("--data", type=Path, metavar="FILE", help="what to read")
    add("--column", metavar="NAME", help="which column, or its number")
    holes = "what becomes of holes (default: refuse)"
    add("--missing", choices=MISSING, help=holes)
    add("--label", metavar="NAME", help="which column or word answers")


def _writing(add: Add) -> None:
    """How a text is written."""
    add("--prompt", metavar="TEXT", help="what a sample of text goes on from")
    add("--temperature", type=warmth, help="0 takes the likeliest")


def positive(text: str) -> int:
    """A whole number of at least 1."""
    return _whole(text, 1)


def warmth(text: str) -> float:
    """A number of at least 0."""
    number = _real(text)
    if not number >= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least 0")
    return number


def rate(text: str) -> float:
    """A number above 0."""
    number = _real(text)
    if not number > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def _real(text: str) -> float:
    """A number that is finite, else nan."""
    try:
        number = float(text)
    except ValueError:
        return nan
    return number if isfinite(number) else nan


def natural(text: str) -> int:
    """A whole number of at least 0."""
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a whole number of at least {least}"
        )
    return int(text)
