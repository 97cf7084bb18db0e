"""The training loop: gradient, clip, step; validate, and keep the best parameters."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf, isfinite

from minigrad.nn import Module
from minigrad.optim import Optimiser, clip_by_norm
from minigrad.tensor import Tensor

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
    loss: Callable[[], Tensor],
    validation: Callable[[], float],
    steps: int,
    *,
    clip: float = inf,
    every: int = 1,
    watch: Callable[[Progress], None] = lambda progress: None,
) -> History:
    """Train for a number of steps and leave the module with its best parameters.

    Parameters
    ----------
    loss: records the loss of the next step; it draws the batch if there is one.
    validation: lower is better; measured at the start, every ``every`` steps and at
        the end.
    clip: the longest gradient that is followed, as ``clip_by_norm`` measures it.
    watch: is told of every step.

    Raises FloatingPointError at the first loss or gradient that is not finite. Whatever
    ends training early (Ctrl-C included), the module has the best parameters so far.
    """
    history = History(best_validation=validation())
    best = module.state_dict()
    latest = history.best_validation
    try:
        for step in range(1, steps + 1):
            value = loss()
            value.backward()
            norm = clip_by_norm(module.parameters(), clip)
            if not (isfinite(value.item()) and isfinite(norm)):
                raise FloatingPointError(
                    f"step {step}: the loss is {value.item()} and the gradient's norm "
                    f"{norm}; try a smaller learning rate or clip the gradient"
                )
            optimiser.step()
            if step % every == 0 or step == steps:
                latest = validation()
                if latest < history.best_validation:
                    history.best_step, history.best_validation = step, latest
                    best = module.state_dict()
            history.steps.append(Progress(step, value.item(), norm, latest))
            watch(history.steps[-1])
    finally:
        module.load_state_dict(best)
    return history
