"""Which steps of the input a result depends on: saliency and integrated gradients.

>>> import minigrad as mg
>>> found = integrated_gradients(lambda xs: (xs * xs).sum(), [[1.0], [2.0]])
>>> found.by_step.round(6).tolist(), round(found.difference or 0, 6)
([1.0, 4.0], 5.0)
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minigrad.analysis.chart import bars
from minigrad.analysis.steps import Array
from minigrad.grad import grad
from minigrad.tensor import Tensor, tensor

Result = Callable[[Any], Tensor]


@dataclass(frozen=True, eq=False)
class Attribution:
    """``elements`` has the shape of the input, ``by_step`` (T,) one number a step.

    ``difference`` is f(xs) - f(baseline); what has no baseline has None.

    >>> isinstance(saliency(lambda xs: xs.sum(), [[1.0], [1.0]]), Attribution)
    True
    """

    elements: Array
    by_step: Array
    what: str
    difference: float | None = None

    def plot(self, axes: Any = None) -> Any:
        """A bar for each step. Returns matplotlib axes.

        >>> saliency(lambda xs: (xs[1] * 3.0).sum(), [[1.0], [1.0]]).plot().get_xlabel()
        't'
        """
        return bars(axes, "t", self.what, self.by_step)


def saliency(f: Result, xs: ArrayLike) -> Attribution:
    """How strongly a result depends on each step: ``|∂f/∂x(t)|`` (Simonyan 2013).

    ``f`` maps a sequence, a Tensor with time first, to a number: a loss, an output.
    ``by_step`` is the length of the gradient of each step.

    ``elements`` has the shape of xs.

    Raises TypeError for xs that are not floating point.

    >>> saliency(lambda xs: (xs[1] * 3.0).sum(), [[1.0], [1.0]]).by_step.tolist()
    [0.0, 3.0]
    """
    array = _sequence(xs)
    found = _gradient(f, array)
    by_step = np.sqrt(np.square(found).reshape(len(found), -1).sum(axis=1))
    return Attribution(found, by_step, "saliency")


def integrated_gradients(
    f: Result, xs: ArrayLike, baseline: ArrayLike = 0.0, points: int = 64
) -> Attribution:
    """What each step contributes to f(xs) - f(baseline) (Sundararajan 2017).

        (x - b) ∫ ∂f(b + α (x - b))/∂x dα        over α from 0 to 1

    All contributions sum to the difference. ``points`` are those of a Gauss-Legendre
    rule, which is exact to rounding where f is smooth. Where f has kinks, or is steep
    as a net that decides between two states, take more until ``by_step.sum()`` is
    ``difference``.

    ``baseline`` is broadcast to the shape of xs.

    Raises TypeError for xs that are not floating point.
    """
    array = _sequence(xs)
    start = np.broadcast_to(np.asarray(baseline, array.dtype), array.shape)
    places, weights = np.polynomial.legendre.leggauss(points)
    mean = np.zeros(array.shape)
    for place, weight in zip((places + 1) / 2, weights / 2, strict=True):
        mean += weight * _gradient(f, start + place * (array - start))
    elements = (array - start) * mean
    whole = f(tensor(array)).item() - f(tensor(start)).item()
    by_step = elements.reshape(len(elements), -1).sum(axis=1)
    return Attribution(elements, by_step, "contribution to the difference", whole)


def _sequence(xs: ArrayLike) -> Array:
    array = np.asarray(xs.data if isinstance(xs, Tensor) else xs)
    if array.dtype.kind != "f" or not array.ndim:
        raise TypeError(
            f"a sequence of floats with time first is attributed to, got {array.dtype} "
            f"of shape {array.shape}: of class numbers pass the vectors that they "
            "become, one-hot or embedded"
        )
    return array


def _gradient(f: Result, array: Array) -> Array:
    """The gradient of f at an array."""
    xs = tensor(array, name="xs", requires_grad=True)
    (found,) = grad(f(xs), [xs])
    return np.array(found.data)
