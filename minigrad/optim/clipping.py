"""Gradients that are too long, and what is done about them (sect. 10.11.1)."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad.assign import set_at_once
from minigrad.limits import within
from minigrad.ops.reduction import wide
from minigrad.optim.optimiser import as_parameters, gradient
from minigrad.tensor import Parameter

Array = NDArray[Any]


def clip_by_element(parameters: Iterable[Parameter], limit: float) -> None:
    """Limit every element of every gradient to ±``limit`` (Mikolov 2012).

    Shape and dtype of each gradient stay.

    Raises ValueError for a limit that is not above 0 and for a parameter without a
    gradient, TypeError for what is no parameter.

    >>> import minigrad as mg
    >>> w = mg.parameter([0.0, 0.0])
    >>> (w * [3.0, -0.5]).sum().backward()
    >>> clip_by_element([w], 1.0)
    >>> w.grad.tolist()
    [1.0, -0.5]
    """
    limit = within("limit", limit, "(0, inf]")
    parameters = as_parameters("clip_by_element", parameters)
    set_at_once(
        [(p.node, "grad", np.clip(gradient(p), -limit, limit)) for p in parameters]
    )


def clip_by_norm(parameters: Iterable[Parameter], limit: float) -> float:
    """Shorten the gradient to ``limit`` where it is longer (eq. 10.48-10.49).

    The norm is that of all gradients as one vector, and it is returned as it was
    before. Gradients that are NaN or infinite have such a norm, and stay as they are.

    Shape and dtype of each stay.

    Raises ValueError for a limit that is not above 0 and for a parameter without a
    gradient, TypeError for what is no parameter.

    >>> import minigrad as mg
    >>> w = mg.parameter([0.0, 0.0])
    >>> (w * [3.0, 4.0]).sum().backward()
    >>> clip_by_norm([w], 2.5), w.grad.tolist()
    (5.0, [1.5, 2.0])
    """
    limit = within("limit", limit, "(0, inf]")
    parameters = as_parameters("clip_by_norm", parameters)
    gradients = [gradient(p) for p in parameters]
    unit = 1.0
    norm = _norm(gradients)
    if not SMALLEST < norm < np.inf:  # squares of float64 leave its range both ways
        unit = max((float(np.abs(g).max(initial=0)) for g in gradients), default=0.0)
        if not 0 < unit < np.inf:
            return norm
        norm = _norm([g / unit for g in gradients])
    if norm * unit > limit:
        factor = limit / norm
        shorter = [(wide(g) / unit * factor).astype(g.dtype) for g in gradients]
        set_at_once(
            [(p.node, "grad", g) for p, g in zip(parameters, shorter, strict=True)]
        )
    return norm * unit


# The norm below which a square is no normal number of float64.
SMALLEST = float(np.sqrt(np.finfo(np.float64).tiny))


def _norm(gradients: list[Array]) -> float:
    """The Euclidean norm of arrays as one vector, in float64."""
    with np.errstate(over="ignore"):
        squares = [float(np.square(g, dtype=np.float64).sum()) for g in gradients]
    return float(np.sqrt(sum(squares)))
