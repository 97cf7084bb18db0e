"""Optimisers: from the gradients that `backward` left to new parameters.

An optimiser takes the parameters once. `step()` reads each ``p.grad`` and calls
``p.assign``, so the graph that gave the gradients stays as it was and can be drawn.

>>> import minigrad as mg
>>> w = mg.parameter([4.0], name="w")
>>> optimiser = SGD([w], lr=0.1)
>>> for _ in range(100):
...     ((w - 3.0) ** 2).sum().backward()
...     optimiser.step()
>>> round(w.data.item(), 6)
3.0
"""

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from minigrad.tensor import Parameter

__all__ = ["SGD", "Adam", "Optimiser", "clip_by_norm"]

Array = NDArray[Any]


class Optimiser(Protocol):
    """What a training loop asks of an optimiser."""

    def step(self) -> None:
        """Change every parameter by its gradient."""


class SGD:
    """Gradient descent, v = momentum v + g, p = p - lr v (Polyak 1964).

    >>> import minigrad as mg
    >>> w = mg.parameter([1.0])
    >>> (2 * w).sum().backward()
    >>> SGD([w], lr=0.25).step()
    >>> w.data.tolist()
    [0.5]
    """

    def __init__(
        self, parameters: Iterable[Parameter], lr: float, momentum: float = 0.0
    ) -> None:
        self.parameters = list(parameters)
        self.lr = lr
        self.momentum = momentum
        self.velocities = [np.zeros_like(p.data) for p in self.parameters]

    def step(self) -> None:
        """Change every parameter by its gradient."""
        gradients = [gradient(p) for p in self.parameters]
        for p, v, g in zip(self.parameters, self.velocities, gradients, strict=True):
            v *= self.momentum
            v += g
            p.assign(p.data - self.lr * v)


class Adam:
    """Adam: steps of about ``lr``, whatever the gradient's size (Kingma and Ba 2015).

    >>> import minigrad as mg
    >>> w = mg.parameter([1.0])
    >>> (2 * w).sum().backward()
    >>> Adam([w], lr=0.25).step()
    >>> round(w.data.item(), 6)
    0.75
    """

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        self.parameters = list(parameters)
        self.lr = lr
        self.betas = betas
        self.eps = eps
        self.steps = 0
        self.means = [np.zeros_like(p.data) for p in self.parameters]
        self.squares = [np.zeros_like(p.data) for p in self.parameters]

    def step(self) -> None:
        """Change every parameter by its gradient."""
        gradients = [gradient(p) for p in self.parameters]
        self.steps += 1
        b1, b2 = self.betas
        # The moments start at zero; dividing by these takes the bias out again.
        c1, c2 = 1 - b1**self.steps, 1 - b2**self.steps
        for p, m, v, g in zip(
            self.parameters, self.means, self.squares, gradients, strict=True
        ):
            m += (1 - b1) * (g - m)
            v += (1 - b2) * (g * g - v)
            p.assign(p.data - self.lr * (m / c1) / (np.sqrt(v / c2) + self.eps))


def clip_by_norm(parameters: Iterable[Parameter], limit: float) -> float:
    """Shorten the gradient to ``limit`` where it is longer (eq. 10.48-10.49).

    The norm is that of all gradients as one vector, and it is returned as it was
    before. A norm that is NaN or infinite is returned too, and changes nothing.

    >>> import minigrad as mg
    >>> w = mg.parameter([0.0, 0.0])
    >>> (w * [3.0, 4.0]).sum().backward()
    >>> clip_by_norm([w], 2.5), w.grad.tolist()
    (5.0, [1.5, 2.0])
    """
    parameters = list(parameters)
    gradients = [gradient(p) for p in parameters]
    # In float64 the sum of squares does not overflow where the gradients do not.
    total = sum(float(np.square(g, dtype=np.float64).sum()) for g in gradients)
    norm = float(np.sqrt(total))
    if np.isfinite(norm) and norm > limit:
        for p, g in zip(parameters, gradients, strict=True):
            p.grad = g * g.dtype.type(limit / norm)
    return norm


def gradient(p: Parameter) -> Array:
    """The gradient of a parameter; an error where there is none.

    >>> import minigrad as mg
    >>> gradient(mg.parameter([1.0], name="U"))
    Traceback (most recent call last):
        ...
    ValueError: parameter U has no gradient: call loss.backward() before step(), ...
    """
    if p.grad is None:
        raise ValueError(
            f"parameter {p.name or '(unnamed)'} has no gradient: call loss.backward() "
            "before step(), on a loss that depends on it"
        )
    return p.grad
