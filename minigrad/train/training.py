"""``Training``: a module, an optimiser and a loss, and the whole step that they make.

Vocabulary
    whole step   loss, gradient, clipping and update; one program (``minigrad.compile``)
                 of the batch, what the optimiser keeps, the rate and the step's number

>>> import numpy as np
>>> import minigrad as mg
>>> from minigrad.optim import SGD
>>> class Line(Module):
...     def __init__(self):
...         self.w = mg.parameter(np.array([4.0]))
>>> line = Line()
>>> training = Training(
...     line,
...     SGD(line.parameters(), lr=0.1),
...     lambda x, y: ((line.w * x - y) ** 2).sum(),
... )
>>> for _ in range(20):
...     loss, norm = training.step(np.array([2.0]), np.array([6.0]))
>>> round(line.w.item(), 4)
3.0
"""

import random
import warnings
from collections.abc import Callable, Mapping, Sequence
from math import inf, isfinite
from typing import Any

import numpy as np

from minigrad.arrays import Array
from minigrad.compile import Program
from minigrad.compile.backend import ON_DEVICE, chosen
from minigrad.compile.chance import state_of
from minigrad.compile.lift import parameter_name
from minigrad.grad import grad
from minigrad.limits import within
from minigrad.mode import Mode, TraceError, current_mode
from minigrad.nn import Module
from minigrad.nn.cells import State
from minigrad.ops.discrete import isfinite as isfinite_
from minigrad.ops.elementwise import (
    greater,
    logical_and,
    maximum,
    minimum,
    sqrt,
    square,
    where,
)
from minigrad.optim import Optimiser, clip_by_norm
from minigrad.optim.clipping import SMALLEST
from minigrad.tensor import Tensor
from minigrad.train.checkpoint import Part
from minigrad.train.finite import said_of
from minigrad.train.interrupts import interrupts

Loss = Callable[..., Tensor | tuple[Tensor, State]]
Carry = Callable[[tuple[Array, ...]], None]


class Training:
    """What is trained, by what, on which loss: all that makes a step.

    Parameters
    ----------
    module, optimiser: what learns; the optimiser's parameters are those that change.
    loss: records the loss of a step, of the arrays of its batch; with a state, if the
        next batch starts from it.
    clip: the longest gradient that is followed, as ``clip_by_norm`` measures it.
    carry: is given that state after each step, as arrays, without a history.
    also: what else decides how it goes on, by name, for a checkpoint: generators and
        the order of the data.
    eager: record every step anew, and leave its gradient in ``p.grad``. Otherwise the
        whole step is one program, recorded once for each shape of a batch: all that
        changes must then come from the batch. A loss that draws random numbers itself
        or cannot be compiled runs eagerly, after one warning that says why.
    backend, mesh: the engine of that program, and the devices that share a batch, see
        ``minigrad.compile``. On a device parameters and what the optimiser keeps stay
        there, and come back when somebody looks at them.

    Raises TypeError where it is no module, no optimiser or no function, ValueError for
    a clip outside of (0, inf] and for an engine that is not there.
    """

    def __init__(
        self,
        module: Module,
        optimiser: Optimiser,
        loss: Loss,
        *,
        clip: float = inf,
        carry: Carry = lambda state: None,
        also: Mapping[str, Part] | None = None,
        eager: bool = False,
        backend: str | None = None,
        mesh: Any = None,
    ) -> None:
        if not isinstance(module, Module) or not isinstance(optimiser, Optimiser):
            raise TypeError(
                "write Training(model, Adam(model.parameters(), lr=0.01), model.loss): "
                f"got {type(module).__name__} and {type(optimiser).__name__}"
            )
        if not callable(loss):
            raise TypeError(
                "loss is a function that records the loss of one step: pass "
                f"lambda: model.loss(xs, ys), got {type(loss).__name__}"
            )
        self.module, self.optimiser, self.loss = module, optimiser, loss
        self.clip = within("clip", clip, "(0, inf]")
        self.carry, self.eager = carry, eager
        self.parts: dict[str, Part] = {
            "module": module,
            "optimiser": optimiser,
            **(also or {}),
        }
        self.far = chosen(backend) in ON_DEVICE
        self.program = Program(
            whole_step(loss, optimiser, guarded=self.far),
            strict=True,
            backend=backend,
            mesh=mesh,
            donate=written_over(optimiser) if self.far else None,
        )

    def step(self, *batch: Any) -> tuple[float, float]:
        """Change the parameters by one batch; its loss and the gradient's norm.

        The norm is that before clipping. Raises FloatingPointError, and changes
        nothing, where one of the two is not finite, naming the op, scope and step of
        the loop where it began.

        Ctrl-C in the middle of a step is raised behind it, as KeyboardInterrupt.
        """
        if self.eager or current_mode.get() is Mode.WATCH:
            return self._eagerly(batch)
        try:
            if not self.far:
                value, state, norm, *after = self._computed(batch)
            else:  # the arrays of before are written over: either has all of a step
                with interrupts() as interrupted:
                    value, state, norm, *after = self._computed(batch)
                    self.optimiser.take(*after)
                if interrupted():
                    raise KeyboardInterrupt
        except TraceError as reason:
            warnings.warn(str(reason), RuntimeWarning, stacklevel=2)
            self.eager = True
            return self._eagerly(batch)
        found = value.item(), norm.item()
        # Of other norms no square is a normal number, and clip_by_norm knows how.
        if not (isfinite(found[0]) and SMALLEST < found[1] < inf):
            self.optimiser.steps -= self.far
            return self._eagerly(batch)
        if not self.far:
            self.optimiser.take(*after)
        self.carry(tuple([np.asarray(s) for s in state]))
        return found

    def _computed(self, batch: tuple[Any, ...]) -> Any:
        """What the program makes of a batch and of all that the optimiser has."""
        optimiser = self.optimiser
        # What is not finite in the end is computed eagerly too, and warns there.
        with np.errstate(over="ignore", invalid="ignore"):
            return self.program.arrays(
                batch,
                optimiser.held,
                np.asarray(optimiser.rate(), np.float64)[()],
                np.float64(optimiser.steps + 1),
                (self.clip, optimiser.settings()),
            )

    def _eagerly(self, batch: tuple[Any, ...]) -> tuple[float, float]:
        value, state = parted(self.loss(*batch))
        value.backward()
        norm = clip_by_norm(self.optimiser.parameters, self.clip)
        if not (isfinite(value.item()) and isfinite(norm)):
            raise FloatingPointError(said_of(self.optimiser.steps + 1, value, norm))
        self.optimiser.step()
        self.carry(tuple([s.data for s in state]))
        return value.item(), norm


def written_over(optimiser: Optimiser) -> tuple[str, ...]:
    """What a step replaces: what is kept, and the parameters that it changes.

    Those that it only reads may be those of another training.

    >>> import minigrad as mg
    >>> from minigrad.optim import SGD
    >>> len(written_over(SGD([mg.parameter([1.0], name="w")], lr=0.1)))
    2
    """
    return ("memory", *[parameter_name(p.node) for p in optimiser.parameters])


def whole_step(
    loss: Loss, optimiser: Optimiser, guarded: bool = False
) -> Callable[..., Any]:
    """The whole step as a function to be compiled.

    Of a batch, what the optimiser keeps, rate, number of the step (both of shape (),
    float64; of ``Groups`` the rates are (groups,)), and settings, it gives the loss,
    the state, the norm of the gradient before clipping (float64, ()), the new
    parameters and what is kept of them. Nothing is changed. ``guarded``: these are the
    old ones where the step is not to be made.

    >>> import minigrad as mg
    >>> from minigrad.optim import SGD
    >>> w = mg.parameter([4.0], name="w")
    >>> sgd = SGD([w], lr=0.5)
    >>> step = whole_step(lambda x: (w * x).sum(), sgd)
    >>> loss, state, norm, (new,), kept = step((3.0,), sgd.memory, 0.5, 1, (np.inf,))
    >>> loss.item(), norm.item(), new.tolist(), w.tolist()
    (12.0, 3.0, [2.5], [4.0])
    """

    def step(
        batch: tuple[Any, ...], memory: Any, lr: Any, number: Any, limits: Any
    ) -> Any:
        value, state = parted(loss(*batch))
        parameters = optimiser.parameters
        gradients, norm = _clipped(grad(value, parameters), limits[0])
        values, after = optimiser.updates(parameters, gradients, memory, lr, number)
        if guarded:
            values, after = _guarded(value, norm, parameters, memory, values, after)
        return value, state, norm, values, after

    return step


def _guarded(
    value: Tensor, norm: Tensor, ps: Any, memory: Any, values: Any, after: Any
) -> Any:
    """New values where loss and norm are finite and no square is zero, else the old."""
    fine = logical_and(isfinite_(value), isfinite_(norm))
    fine = logical_and(fine, greater(norm, SMALLEST))
    kept = [where(fine, v, _cast(p, v.dtype)) for v, p in zip(values, ps, strict=True)]
    return kept, {
        name: [where(fine, a, b) for a, b in zip(new, memory[name], strict=True)]
        for name, new in after.items()
    }


def global_state() -> tuple[Any, Any]:
    """How far NumPy's and Python's global random numbers have been drawn.

    To be compared, and to be set again.

    >>> before = global_state()
    >>> before == global_state(), (np.random.random(), before == global_state())[1]
    (True, False)
    """
    return state_of(np.random), state_of(random)


def _clipped(gradients: Sequence[Tensor], limit: float) -> tuple[list[Tensor], Tensor]:
    """Gradients that are no longer than the limit, and how long they were.

    As ``clip_by_norm`` makes them, where their squares are normal numbers.
    """
    squares = [square(_cast(g, np.float64)).sum() for g in gradients]
    norm: Tensor = sqrt(sum(squares[1:], squares[0]))
    if limit == inf:
        return list(gradients), norm
    factor = minimum(limit / maximum(norm, SMALLEST), 1.0)
    return [_shortened(g, factor) for g in gradients], norm


def _shortened(g: Tensor, factor: Tensor) -> Tensor:
    wide = _cast(g, np.float32) if g.dtype == np.float16 else g
    return _cast(wide * _cast(factor, wide.dtype), g.dtype)


def _cast(x: Tensor, dtype: Any) -> Tensor:
    return x if x.dtype == dtype else x.astype(dtype)


def parted(outcome: Any) -> tuple[Tensor, State]:
    """What a loss returned as the loss and a state, which may be empty.

    The loss is of shape (). Raises TypeError for what is no Tensor.

    >>> import minigrad as mg
    >>> value, state = parted(mg.tensor(1.0))
    >>> value.item(), state
    (1.0, ())
    """
    value, state = (
        outcome if isinstance(outcome, tuple) and len(outcome) == 2 else (outcome, ())
    )
    if not isinstance(value, Tensor):
        raise TypeError(
            "the loss of fit returns the Tensor that it recorded, or that and a state: "
            f"got {type(value).__name__}; write return loss, and not loss.item()"
        )
    return value, state
