"""The training loop: step after step, with validation, checkpoints and Ctrl-C."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import count
from math import inf, isfinite, nan
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.limits import whole
from minigrad.tensor import Tensor
from minigrad.train.batches import Batches, has_place, size, stream
from minigrad.train.checkpoint import opened, save_checkpoint
from minigrad.train.interrupts import interrupts
from minigrad.train.progress import Progress, bar
from minigrad.train.training import Training, global_state


@dataclass
class History:
    """Every step, and the one whose parameters were kept (0: those of the start).

    >>> history = History([Progress(1, 2.5, 1.0, 3.0)], best_step=1)
    >>> history.steps[0].loss
    2.5
    """

    steps: list[Progress] = field(default_factory=list)
    best_step: int = 0
    best_validation: float = inf


def fit(
    training: Training,
    batches: Batches = (),
    *,
    steps: int | None = None,
    epochs: int | None = None,
    validation: Callable[[], float] | None = None,
    every: int = 1,
    patience: int | None = None,
    callbacks: Sequence[Callable[[Progress], object]] = (),
    title: str | None = "training",
    checkpoint: Path | None = None,
    resume: bool = False,
) -> History:
    """Train for some steps or epochs and leave the module with its best parameters.

    Parameters
    ----------
    training: the module, the optimiser, and the loss of a step.
    batches: a tuple, what the loss takes at every step; a list of such or a generator
        function, again and again; a function that gives the next; or an iterator.
    steps, epochs: how long, one of the two; an epoch is all batches once.
    validation: a finite number, lower is better; measured at the start, every
        ``every`` steps and at the end. Without it the last parameters are the best.
    patience: stop early when this many validations in a row were not the best.
    callbacks: are told of every step.
    title: that of the progress bar on a terminal's stderr; None for no bar.
    checkpoint: a file to go on from: written every ``every`` steps, at Ctrl-C and at
        the end. With ``resume`` the training begins where the file ends. It keeps
        the parts of the training; what is drawn from ``np.random`` or ``random``
        themselves, which are global, is not kept, and a RuntimeWarning says so.

    Ctrl-C takes effect when the step is done, as KeyboardInterrupt. Raises
    FloatingPointError at the first loss or gradient that is not finite, naming the op,
    scope and step where it began, and at a validation that is not finite, by which none
    is the best; ValueError where the batches end before the steps; TypeError where
    something else than a Training, functions to call and batches is given.
    Whatever ends training early, the module has the best parameters so far.

    >>> import minigrad as mg
    >>> from minigrad.nn import Linear
    >>> from minigrad.optim import Adam
    >>> xs = np.linspace(-1, 1, 20, dtype=np.float32)[:, None]
    >>> model = Linear(1, 1, rng=np.random.default_rng(0))
    >>> def loss(x, y):
    ...     return ((model(x) - y) ** 2).mean()
    >>> training = Training(model, Adam(model.parameters(), lr=0.1), loss)
    >>> history = fit(training, (xs, 3 * xs), steps=200)
    >>> round(model.W.item(), 3)
    3.0
    """
    if not isinstance(training, Training):
        raise TypeError(
            "fit trains Training(model, optimiser, loss): got "
            f"{type(training).__name__}"
        )
    if validation is not None and not callable(validation):
        raise TypeError(
            "validation is a function that measures a number after some steps: got "
            f"{type(validation).__name__}"
        )
    if callable(callbacks):
        raise TypeError("callbacks is a list of functions: write callbacks=[f]")
    total = _total(batches, steps, epochs)
    every = whole("every", every)
    patience = None if patience is None else whole("patience", patience)
    if patience is not None and validation is None:
        raise ValueError("patience counts validations: give validation=...")
    run = _Run(training, validation, checkpoint)
    if resume:
        _require_place(batches, training)
        run.resume()
    else:
        run.begin()
    history, done = run.history, len(run.history.steps)
    given = stream(batches, epochs, done)
    numbers = count(done + 1) if total is None else range(done + 1, total + 1)
    shown = bar(title, total, done) if title is not None else nullcontext()
    try:
        with shown as watch, interrupts() as interrupted:
            told = [*callbacks, watch] if watch else callbacks
            for step, batch in zip(numbers, given, strict=False):
                loss, norm = training.step(*batch)
                measured = step % every == 0 or step == total
                if measured:
                    run.measure(step)
                history.steps.append(Progress(step, loss, norm, run.latest))
                for callback in told:
                    callback(history.steps[-1])
                if measured or interrupted():
                    run.save()
                if interrupted():
                    raise KeyboardInterrupt(f"stopped after step {step}{_of(total)}")
                if patience is not None and run.waited >= patience:
                    break
            else:
                run.end(total, every)
    finally:
        run.leave()
    return history


def _total(batches: Batches, steps: int | None, epochs: int | None) -> int | None:
    """The number of steps, None where it is not known before."""
    if (steps is None) == (epochs is None):
        both = "not both" if steps is not None else "write steps=... or epochs=..."
        raise ValueError(f"a training has one length, steps or epochs: {both}")
    if epochs is None:
        return whole("steps", steps, 0)
    n = size(batches)
    if n == 0:
        raise ValueError("a pass has no batch: the list is empty")
    return whole("epochs", epochs, 0) * n if n is not None else None


def _of(total: int | None) -> str:
    return "" if total is None else f" of {total}"


def _require_place(batches: Batches, training: Training) -> None:
    """Refuse to resume where it is not known which batch is the next."""
    if not has_place(batches) and id(batches) not in map(id, training.parts.values()):
        raise ValueError(
            "resume needs to know which batch is the next, and of an iterator or a "
            "generator it is not known: give a list, or a function and in also= what "
            "it draws by"
        )


class _Run:
    """How far a training has come: what a checkpoint has beside its parts."""

    def __init__(
        self,
        training: Training,
        validation: Callable[[], float] | None,
        checkpoint: Path | None,
    ) -> None:
        self.training, self.module = training, training.module
        self.validation, self.checkpoint = validation, checkpoint
        self.history = History()
        self.best: Mapping[str, Any] = self.module.state_dict()
        self.latest, self.waited = nan, 0
        self.drawn: Any = global_state()

    def begin(self) -> None:
        """Measure the start."""
        if self.validation is not None:
            self.latest = _measured(self.validation(), 0)
            self.history.best_validation = self.latest

    def resume(self) -> None:
        """Go on where the checkpoint ends."""
        if self.checkpoint is None:
            raise ValueError("resume needs the checkpoint to go on from")
        if not Path(self.checkpoint).is_file():
            raise ValueError(
                f"there is no checkpoint {self.checkpoint} to go on from: the first "
                "time, write resume=False"
            )
        kept = _Best(self.best)
        note, load = opened(self.checkpoint, {**self.training.parts, "best": kept})
        self.history, self.latest, self.waited = _noted(note, self.checkpoint)
        load()
        self.best = dict(kept.state)

    def measure(self, step: int) -> None:
        """Look whether the parameters are the best so far."""
        history = self.history
        if self.validation is None:
            history.best_step, self.best = step, self.module.state_dict()
            return
        self.latest, self.waited = _measured(self.validation(), step), self.waited + 1
        if self.latest < history.best_validation:
            history.best_step, history.best_validation = step, self.latest
            self.best, self.waited = self.module.state_dict(), 0

    def end(self, total: int | None, every: int) -> None:
        """After the last batch: what the last step leaves, if it was not known as such.

        Raises ValueError where there should have been more.
        """
        steps = self.history.steps
        if total is not None and len(steps) < total:
            raise ValueError(
                f"the batches end after step {len(steps)} of {total}: a list, a "
                "function or a generator function gives more"
            )
        if total is None and len(steps) % every:
            self.measure(len(steps))
            steps[-1] = replace(steps[-1], validation=self.latest)
            self.save()

    def save(self) -> None:
        """Write the checkpoint, if there is to be one."""
        if self.checkpoint is None:
            return
        if self.drawn not in (None, global_state()):
            warnings.warn(
                "something draws from np.random or random, whose state a checkpoint "
                "does not keep: who resumes gets other numbers. Draw from rng = np."
                'random.default_rng(seed), and give Training also={"rng": rng}',
                RuntimeWarning,
                stacklevel=3,
            )
            self.drawn = None  # that is said once
        history = self.history
        note = {
            "steps": [[p.step, p.loss, p.norm, p.validation] for p in history.steps],
            "best": [history.best_step, history.best_validation],
            "latest": [self.latest, self.waited],
        }
        parts = {**self.training.parts, "best": _Best(self.best)}
        save_checkpoint(self.checkpoint, parts, note)

    def leave(self) -> None:
        """The best parameters; without a validation those of the last step."""
        if self.validation is None:
            self.history.best_step = len(self.history.steps)
        else:
            self.module.load_state_dict(self.best)


def _noted(note: Any, path: Path) -> tuple[History, float, int]:
    """The history in a checkpoint's note, the last validation and how old the best."""
    try:
        history = History([Progress(*step) for step in note["steps"]], *note["best"])
        latest, waited = note["latest"]
        steps = [p.step for p in history.steps]
        counts = [*steps, history.best_step, waited]
        numbers = [n for p in history.steps for n in (p.loss, p.norm, p.validation)]
        known = (
            steps == [*range(1, len(steps) + 1)]
            and 0 <= history.best_step <= len(steps)
            and waited >= 0
            and all(type(n) is int for n in counts)
            and all(
                type(n) in (int, float)
                for n in (*numbers, history.best_validation, latest)
            )
        )
    except (KeyError, TypeError, ValueError):
        known = False
    if not known:
        raise ValueError(
            f"{path} is a checkpoint, but its note is not one that fit wrote; nothing "
            "was loaded"
        )
    return history, latest, waited


def _measured(value: Any, step: int) -> float:
    """A validation as a number; an error where it can be the best by no comparison."""
    number = value.item() if isinstance(value, (Tensor, np.ndarray)) else value
    if isinstance(number, (np.floating, np.integer)):
        number = number.item()
    if type(number) not in (int, float):
        raise TypeError(
            f"validation returns a number, lower is better: got {type(value).__name__}"
        )
    if not isfinite(number):
        raise FloatingPointError(
            f"validation is {number} after step {step}, and is not to be compared: "
            "none of the parameters would be the best"
        )
    return float(number)


class _Best:
    """The best parameters as a part of a checkpoint."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        self.state = state

    def state_dict(self) -> Mapping[str, Any]:
        return self.state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.state = state
