"""Derivatives from differences: what analytic gradients are judged by.

Vocabulary
    central     (f(x+h) - f(x-h)) / 2h: errs by about 1e-9 of the values
    richardson  three central differences whose leading errors cancel: about 1e-11
    complex     Im f(x + ih) / h: exact to rounding, for analytic functions that compute
                with complex arrays (no abs, no comparisons)

>>> import numpy as np
>>> numerical_grad(lambda x: np.sum(x**3), [np.array([1.0, 2.0])])[0].round(6).tolist()
[3.0, 12.0]
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
At = Callable[[Any], Array]  # the value of f with one element moved by a step

STEP = 2e-3


def _central(at: At, h: float = 1e-6) -> Array:
    return (at(h) - at(-h)) / (2 * h)


def _richardson(at: At) -> Array:
    # Halving the step twice cancels the errors of order h² and h⁴.
    a, b, c = (_central(at, STEP / n) for n in (1, 2, 4))
    ab, bc = (4 * b - a) / 3, (4 * c - b) / 3
    return (16 * bc - ab) / 15


def _complex(at: At, h: float = 1e-30) -> Array:
    return np.imag(at(1j * h)) / h


SCHEMES: dict[str, Callable[[At], Array]] = {
    "central": _central,
    "richardson": _richardson,
    "complex": _complex,
}


def numerical_jacobian(
    f: Callable[..., Any],
    args: Sequence[Any],
    wrt: Sequence[int] | None = None,
    scheme: str = "richardson",
) -> list[Array]:
    """df/darg of shape (*f.shape, *arg.shape), one float64 array per argument of wrt.

    Parameters
    ----------
    f: a function of arrays that returns an array.
    args: its arguments; those of floating point are differentiated unless ``wrt``
        lists the positions.
    scheme: "richardson", "central" or "complex".

    >>> import numpy as np
    >>> numerical_jacobian(np.square, [np.array([3.0])])[0].round(6).tolist()
    [[6.0]]
    """
    if scheme not in SCHEMES:
        raise ValueError(f"scheme is one of {', '.join(SCHEMES)}, got {scheme!r}")
    slope = SCHEMES[scheme]
    blocks = []
    for k in floating(args) if wrt is None else wrt:
        x = np.asarray(args[k], dtype=float)
        shape = np.shape(f(*args[:k], x.copy(), *args[k + 1 :]))
        block = np.zeros((*shape, *x.shape))
        for index in np.ndindex(x.shape):

            def at(step: Any, k: int = k, x: Array = x, index: Any = index) -> Array:
                moved = x.astype(np.result_type(x, step))
                moved[index] += step
                return np.asarray(f(*args[:k], moved, *args[k + 1 :]))

            block[(..., *index)] = slope(at)
        blocks.append(block)
    return blocks


def numerical_grad(
    f: Callable[..., Any],
    args: Sequence[Any],
    wrt: Sequence[int] | None = None,
    scheme: str = "richardson",
) -> list[Array]:
    """The gradient of a scalar function of arrays, one array per argument of wrt.

    >>> import numpy as np
    >>> numerical_grad(np.sin, [0.0], scheme="complex")[0].item()
    1.0
    """
    shape = np.shape(f(*args))
    if np.prod(shape) != 1:
        raise ValueError(
            f"numerical_grad takes a function with one value, f returns shape {shape}: "
            "use numerical_jacobian"
        )
    return numerical_jacobian(lambda *xs: np.reshape(f(*xs), ()), args, wrt, scheme)


def floating(args: Sequence[Any]) -> list[int]:
    """The positions of the floating-point arguments: those that have a gradient."""
    return [i for i, a in enumerate(args) if np.asarray(a).dtype.kind == "f"]
