"""Networks that a run notes, so that they can be made anew: ``minigrad.load``.

Vocabulary
    made    what a network was made with, as JSON: its class in ``minigrad.models``, and
            its arguments by name, but for the generator
    about   the note beside a run's weights: the task, what the network was made with,
            and what its inputs are: scaling, vocabulary

>>> model = made(models.ManyToOne, 2, 3, 1, rng=np.random.default_rng(0), loss=mse)
>>> model.made
{'model': 'ManyToOne', 'n_in': 2, 'n_hidden': 3, 'n_out': 1, 'loss': 'mse'}
>>> type(remade(model.made)).__name__
'ManyToOne'
"""

import inspect
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np

from minigrad import models
from minigrad.models.deep_transition import Transition
from minigrad.nn import Module
from minigrad.nn.cells import MakeCell
from minigrad.nn.losses import binary_cross_entropy, mse
from minigrad.ops.shape import stack
from minigrad.train import load_weights
from minigrad.train.checkpoint import read_about

P = ParamSpec("P")
M = TypeVar("M", bound=Module)
CHECKPOINT, WEIGHTS = "checkpoint.safetensors", "weights.safetensors"
TRANSITIONS: dict[str, MakeCell] = {
    "deep-transition": Transition,
    "deep-transition-skip": partial(Transition, skip=True),
}
# What these arguments may be beside texts.
WORDS = ("loss", "cell")
NAMED: dict[str, Any] = {
    "mse": mse,
    "binary_cross_entropy": binary_cross_entropy,
    **TRANSITIONS,
}


class Committee(Module):
    """Networks that answer by their mean, where each answers when it is called."""

    def __init__(self, members: list[Any]) -> None:
        self.members = members
        self.made = {"model": "Committee", "members": [m.made for m in members]}

    def forward(self, xs: Any) -> Any:
        """The mean of what the members answer to xs."""
        return stack([member(xs) for member in self.members]).mean(axis=0)


def made(kind: Callable[P, M], *args: P.args, **options: P.kwargs) -> M:
    """A network that has what it was made with as ``made``."""
    model = kind(*args, **options)
    given = inspect.signature(kind).bind(*args, **options).arguments
    names = {id(thing): name for name, thing in NAMED.items()}
    said = {key: names.get(id(v), v) for key, v in given.items() if key != "rng"}
    vars(model)["made"] = {"model": type(model).__name__, **said}
    return model


def remade(said: Mapping[str, Any]) -> Any:
    """The network that ``made`` made, with other weights.

    Raises ValueError where this version has no such network.
    """
    try:
        options = dict(said)
        name = options.pop("model", None)
        if name == "Committee":
            return Committee([remade(member) for member in options["members"]])
        if name not in models.__all__:
            raise ValueError(f"this version has no network {name!r}")
        options = {k: NAMED.get(v, v) if k in WORDS else v for k, v in options.items()}
        return made(getattr(models, name), rng=np.random.default_rng(0), **options)
    except (TypeError, KeyError) as error:
        raise ValueError(f"this version does not make {said!r}: {error}") from error


def load(run: str | os.PathLike[str]) -> Any:
    """The trained network of a run of ``minigrad train``, ready to answer.

    Parameters
    ----------
    run: the folder of the run, as ``"runs/adding"``; of a task with several networks
        that of one, as ``"runs/sine/many-to-many"``.

    The network's ``about`` is what the run noted: ``task``, ``network`` (its class and
    sizes), and where the inputs are something else than the numbers as they were,
    ``scaling`` (read ``(x - mean) / deviation``) or ``vocabulary`` (a symbol is the
    unit vector of its place in it). ``OutputFeedback`` answers by ``continued``.

    Raises ValueError, with the reason, where the folder is no run, where its training
    was stopped, and where it is of a version that noted no network or of one to come.

    >>> import tempfile
    >>> from minigrad.tasks import TASKS, Options
    >>> folder = Path(tempfile.mkdtemp())
    >>> options = Options(steps=1, seed=0, out=folder, length=5, hidden=4, quiet=True)
    >>> import contextlib, io
    >>> with contextlib.redirect_stdout(io.StringIO()):
    ...     measured = TASKS["adding"].run(options)
    >>> network = load(folder)
    >>> network.about["network"]["cell"], network(np.ones((5, 2, 2), np.float32)).shape
    ('gru', (2, 1))
    """
    folder = Path(run)
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise ValueError(_no_run(folder))
    about = read_about(weights)
    if not isinstance(about, dict) or "network" not in about:
        raise ValueError(
            f"{weights} does not say of which network it is, as runs of minigrad 0.1 "
            "and tasks of your own do not: make the network as then, and write "
            "minigrad.train.load_weights(path, network)"
        )
    try:
        module = remade(about["network"])
        load_weights(weights, module)
    except ValueError as error:
        raise ValueError(f"{folder} is a run of another version: {error}") from error
    vars(module)["about"] = about
    return module


def _no_run(folder: Path) -> str:
    """Why a folder without weights has no network to give."""
    inner = sorted(path.parent for path in folder.glob(f"*/{WEIGHTS}"))
    if inner:
        names = ", ".join(map(str, inner))
        return f"{folder} has several networks: load one of {names}"
    if [*folder.glob(CHECKPOINT), *folder.glob(f"*/{CHECKPOINT}")]:
        return (
            f"the training of {folder} was stopped before its end: go on with minigrad "
            "train TASK --resume"
        )
    what = f"it has no {WEIGHTS}" if folder.is_dir() else "there is no such folder"
    if folder.is_file():
        what = "it is a file; a run is its folder"
    return f"{folder} is no run: {what}"
