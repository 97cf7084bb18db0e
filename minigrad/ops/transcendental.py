"""Trigonometric and hyperbolic functions, and exp and log to other bases.

Conventions at hard points: ``hypot`` and ``arctan2`` have derivative 0 at (0, 0), where
the mathematics has none; ``logaddexp`` of two -inf has derivative 0.

>>> import minigrad as mg
>>> a = mg.tensor([3.0, 0.0], requires_grad=True)
>>> mg.grad(mg.hypot(a, [4.0, 0.0]).sum(), [a])[0].data.tolist()
[0.6, 0.0]
"""

from math import log
from typing import Any

import numpy as np

from minigrad.op import Op

LOG2, LOG10 = log(2), log(10)


def _kept_apart(y: Any) -> Any:
    """y, but 1 where it is 0, to divide by what is 0 there too."""
    return np.where(y == 0, 1.0, y)


def _over_radius(part: Any, a: Any, b: Any) -> Any:
    """part / (a² + b²), where the squares would leave the range of floats too."""
    radius = _kept_apart(np.hypot(a, b))
    return part / radius / radius


def _share(part: Any, y: Any) -> Any:
    """exp(part - y) for y = logaddexp(a, b), and 0 where both are -inf."""
    return np.exp(part - np.where(y == -np.inf, 0.0, y))


tan = Op(np.tan, lambda g, y, x: g * (1 + y * y), doc="The tangent.")
arcsin = Op(
    np.arcsin,
    lambda g, y, x: g / np.sqrt((1 - x) * (1 + x)),
    doc="The angle in [-π/2, π/2] whose sine is x.",
)
arccos = Op(
    np.arccos,
    lambda g, y, x: -g / np.sqrt((1 - x) * (1 + x)),
    doc="The angle in [0, π] whose cosine is x.",
)
arctan = Op(
    np.arctan,
    lambda g, y, x: g / (1 + x * x),
    doc="The angle in (-π/2, π/2) whose tangent is x.",
)
arctan2 = Op(
    np.arctan2,
    lambda g, y, a, b: g * _over_radius(b, a, b),
    lambda g, y, a, b: -g * _over_radius(a, a, b),
    doc="The angle of the point with height a and breadth b; derivative 0 at (0, 0).",
)
hypot = Op(
    np.hypot,
    lambda g, y, a, b: g * a / _kept_apart(y),
    lambda g, y, a, b: g * b / _kept_apart(y),
    doc="sqrt(a² + b²), without overflow; the derivative at (0, 0) is 0.",
)
sinh = Op(np.sinh, lambda g, y, x: g * np.cosh(x), doc="(exp(x) - exp(-x)) / 2.")
cosh = Op(np.cosh, lambda g, y, x: g * np.sinh(x), doc="(exp(x) + exp(-x)) / 2.")
arcsinh = Op(
    np.arcsinh,
    lambda g, y, x: g / np.hypot(x, 1.0),
    doc="The number whose sinh is x.",
)
arccosh = Op(
    np.arccosh,
    lambda g, y, x: g / (np.sqrt(x - 1) * np.sqrt(x + 1)),
    doc="The number >= 0 whose cosh is x.",
)
arctanh = Op(
    np.arctanh,
    lambda g, y, x: g / ((1 - x) * (1 + x)),
    doc="The number whose tanh is x.",
)
exp2 = Op(np.exp2, lambda g, y, x: g * y * LOG2, doc="2**x.")
log2 = Op(np.log2, lambda g, y, x: g / x / LOG2, doc="The logarithm to base 2.")
log10 = Op(np.log10, lambda g, y, x: g / x / LOG10, doc="The logarithm to base 10.")
logaddexp = Op(
    np.logaddexp,
    lambda g, y, a, b: g * _share(a, y),
    lambda g, y, a, b: g * _share(b, y),
    doc="log(exp(a) + exp(b)), without overflow.",
)
