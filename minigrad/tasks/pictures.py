"""Networks to draw without training them, found by name.

Each entry takes the number of steps and records the network's graph on inputs of zeros:
the picture shows what depends on what, and no value is in it.

>>> sorted(PICTURES)
['dynamical-system', 'many-to-many']
"""

from collections.abc import Callable

import numpy as np

from minigrad.models import DynamicalSystem, ManyToMany
from minigrad.tensor import Tensor

__all__ = ["PICTURES"]


def many_to_many(steps: int) -> Tensor:
    """Figure 10.3: an output and a loss at every step."""
    model = ManyToMany(2, 3, 2, rng=np.random.default_rng(0))
    return model.loss(np.zeros((steps, 1, 2), np.float32), np.zeros((steps, 1), int))


def dynamical_system(steps: int) -> Tensor:
    """Equation 10.4: a state driven from outside, and no loss."""
    model = DynamicalSystem(2, 3, rng=np.random.default_rng(0))
    return model(np.zeros((steps, 1, 2), np.float32))  # type: ignore[no-any-return]


PICTURES: dict[str, Callable[[int], Tensor]] = {
    "many-to-many": many_to_many,
    "dynamical-system": dynamical_system,
}
