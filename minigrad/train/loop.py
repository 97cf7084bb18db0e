"""The training loop: gradient, clip, step; validate, and keep the best parameters."""

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf, isfinite
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.compile import compile
from minigrad.grad import grad
from minigrad.limits import whole, within
from minigrad.nn import Module
from minigrad.nn.cells import State
from minigrad.optim import Optimiser, clip_by_norm
from minigrad.tensor import Tensor
from minigrad.train.checkpoint import Part, opened, save_checkpoint
from minigrad.train.finite import said_of
from minigrad.train.training import parted

__all__ = ["History", "Progress", "fit"]


@dataclass(frozen=True)
class Progress:
    """What is known after a step; ``validation`` is the last one that was measured."""

    step: int
    loss: float
    norm: float
    validation: float


@dataclass
class History:
    """Every step, and the one whose parameters were kept (0: those of the start)."""

    steps: list[Progress] = field(default_factory=list)
    best_step: int = 0
    best_validation: float = inf


def fit(
    module: Module,
    optimiser: Optimiser,
    loss: Callable[..., Tensor | tuple[Tensor, State]],
    validation: Callable[[], float],
    steps: int,
    *,
    batch: Callable[[], tuple[Any, ...]] = tuple,
    carry: Callable[[State], None] = lambda state: None,
    compiled: bool = False,
    backend: str | None = None,
    clip: float = inf,
    every: int = 1,
    patience: int | None = None,
    watch: Callable[[Progress], None] = lambda progress: None,
    checkpoint: Path | None = None,
    resume: bool = False,
    also: Mapping[str, Part] | None = None,
) -> History:
    """Train for a number of steps and leave the module with its best parameters.

    Parameters
    ----------
    loss: records the loss of the next step, of the arrays that ``batch`` gives it; with
        a state, if the next batch starts from it.
    batch: the arrays of the next step; without it the loss has no arguments.
    carry: is given that state after each step.
    compiled: run loss and gradient as one program (``minigrad.compile``), recorded
        once for each shape of a batch; all that changes must then come from ``batch``.
    backend: the engine that runs it, see ``minigrad.compile``.
    validation: a finite number, lower is better; measured at the start, every
        ``every`` steps and at the end.
    clip: the longest gradient that is followed, as ``clip_by_norm`` measures it.
    patience: stop early when this many validations in a row were not the best.
    watch: is told of every step.
    checkpoint: a file to go on from: written at each validation, at Ctrl-C and at the
        end. With ``resume`` the training begins where the file ends.
    also: what else decides how it goes on: generators and the order of the data.

    Ctrl-C takes effect when the step is done. Raises FloatingPointError at the first
    loss or gradient that is not finite, naming the op, scope and step where it began,
    and at a validation that is not finite, by which none is the best.
    Whatever ends training early, the module has the best parameters so far.
    """
    if not callable(loss):
        raise TypeError(
            "loss is a function that records the loss of one step: pass "
            f"lambda: model.loss(xs, ys), got {type(loss).__name__}"
        )
    steps, every = whole("steps", steps, 0), whole("every", every)
    clip = within("clip", clip, "(0, inf]")
    if patience is not None:
        patience = whole("patience", patience)
    history = History()
    best = module.state_dict()
    parameters = module.parameters()

    def step_of(*given: Any) -> tuple[Tensor, State, list[Tensor]]:
        value, state = parted(loss(*given))
        return value, state, grad(value, parameters)

    program = compile(step_of, backend=backend)
    parts = {"module": module, "optimiser": optimiser, **(also or {})}
    latest, waited = inf, 0
    if resume:
        if checkpoint is None:
            raise ValueError("resume needs the checkpoint to go on from")
        kept = _Best(module.state_dict())
        note, load = opened(checkpoint, {**parts, "best": kept})
        history, latest, waited = _noted(note, checkpoint)
        load()
        best = dict(kept.state)
    else:
        latest = history.best_validation = _measured(validation(), 0)

    def save() -> None:
        if checkpoint is not None:
            note = {
                "steps": [
                    [p.step, p.loss, p.norm, p.validation] for p in history.steps
                ],
                "best": [history.best_step, history.best_validation],
                "latest": [latest, waited],
            }
            save_checkpoint(checkpoint, {**parts, "best": _Best(best)}, note)

    try:
        with interrupts() as interrupted:
            for step in range(len(history.steps) + 1, steps + 1):
                given = batch()
                if compiled:
                    value, state, gradients = program(*given)
                    for p, g in zip(parameters, gradients, strict=True):
                        p.grad = g.data
                else:
                    value, state = parted(loss(*given))
                    value.backward()
                norm = clip_by_norm(parameters, clip)
                if not (isfinite(value.item()) and isfinite(norm)):
                    recorded = parted(loss(*given))[0] if compiled else value
                    raise FloatingPointError(said_of(step, recorded, norm))
                optimiser.step()
                carry(state)
                measured = step % every == 0 or step == steps
                if measured:
                    latest, waited = _measured(validation(), step), waited + 1
                    if latest < history.best_validation:
                        history.best_step, history.best_validation = step, latest
                        best, waited = module.state_dict(), 0
                history.steps.append(Progress(step, value.item(), norm, latest))
                watch(history.steps[-1])
                if measured or interrupted():
                    save()
                if interrupted():
                    raise KeyboardInterrupt(f"stopped after step {step} of {steps}")
                if patience is not None and waited >= patience:
                    break
    finally:
        module.load_state_dict(best)
    return history


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


@contextmanager
def interrupts() -> Iterator[Callable[[], bool]]:
    """Hold Ctrl-C back until it is asked for; a second one is not held back.

    Half a step must not be saved. In another thread than the main one, where Python
    takes no signals, nothing is changed.
    """
    seen: list[int] = []
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield lambda: False
        return

    def hold(number: int, frame: Any) -> None:
        seen.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, hold)
    try:
        yield lambda: bool(seen)
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
