"""Where parameters start: functions of a NumPy generator and a shape.

All take ``(rng, shape)`` and give a fresh array, float32 unless ``dtype`` says
otherwise, so that one can stand in for another. A matrix has shape (from, to), as in
``x @ U``.

>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> W = orthogonal(rng, (3, 3), dtype=np.float64)
>>> np.allclose(W.T @ W, np.eye(3))
True
"""

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minigrad.limits import within

Array = NDArray[Any]


def glorot(
    rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike = np.float32
) -> Array:
    """Uniform on ±sqrt(6 / (from + to)) (Glorot and Bengio 2010, eq. 16).

    Raises ValueError for what is no matrix, TypeError for what is no generator.

    >>> rng = np.random.default_rng(0)
    >>> bool(np.abs(glorot(rng, (2, 4))).max() <= 1.0)
    True
    """
    n_from, n_to = _matrix("glorot", shape, rng)
    bound = sqrt(6 / (n_from + n_to))
    return rng.uniform(-bound, bound, shape).astype(dtype)


def orthogonal(
    rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike = np.float32
) -> Array:
    """A random matrix with orthonormal rows or columns, whichever are fewer.

    Uniform over all of them: the signs that the QR factorisation leaves open are taken
    from R (Saxe, McClelland and Ganguli 2014; Mezzadri 2007).

    Raises ValueError for what is no matrix, TypeError for what is no generator.

    >>> Q = orthogonal(np.random.default_rng(0), (2, 5), dtype=np.float64)
    >>> np.allclose(Q @ Q.T, np.eye(2))
    True
    """
    n_from, n_to = _matrix("orthogonal", shape, rng)
    wide = n_from < n_to
    q, r = np.linalg.qr(rng.normal(size=(n_to, n_from) if wide else shape))
    q *= np.where(np.diag(r) < 0, -1.0, 1.0)
    return np.array(q.T if wide else q, dtype)


def zeros(
    rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike = np.float32
) -> Array:
    """All zeros, of any shape; the generator is not used.

    >>> zeros(np.random.default_rng(0), (2,), np.float32)
    array([0., 0.], dtype=float32)
    """
    return np.zeros(shape, dtype)


def identity(
    rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike = np.float32
) -> Array:
    """Ones on the diagonal, zeros elsewhere (Le, Jaitly and Hinton 2015, for W).

    The generator is not used.

    Raises ValueError for what is no matrix, TypeError for what is no generator.

    >>> identity(np.random.default_rng(0), (2, 3)).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    return np.eye(*_matrix("identity", shape, rng), dtype=dtype)


def spectral_radius(radius: float) -> Callable[..., Array]:
    """A way to start a square matrix with a largest eigenvalue of modulus ``radius``.

    Below 1 a state that nothing drives fades; an echo state network has its W from
    here (Jaeger 2001). Entries are normal before they are scaled.

    What it makes raises ValueError for a matrix that is not square.

    Raises TypeError for a radius that is no number.

    >>> W = spectral_radius(0.9)(np.random.default_rng(0), (5, 5), dtype=np.float64)
    >>> round(float(np.abs(np.linalg.eigvals(W)).max()), 6)
    0.9
    """

    radius = within("radius", radius, "[0, inf)")

    def start(
        rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike = np.float32
    ) -> Array:
        n_from, n_to = _matrix("spectral_radius", shape, rng)
        if n_from != n_to:
            raise ValueError(f"a spectral radius needs a square matrix, got {shape}")
        W = rng.normal(size=shape)
        largest = float(np.abs(np.linalg.eigvals(W)).max())
        return np.asarray(W * (radius / largest), dtype)

    return start


def _matrix(
    name: str, shape: tuple[int, ...], rng: np.random.Generator
) -> tuple[int, int]:
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"rng is a generator of random numbers, np.random.default_rng(0), got "
            f"{type(rng).__name__}"
        )
    if len(shape) != 2:
        raise ValueError(f"{name} starts a matrix (from, to), got shape {shape}")
    return shape[0], shape[1]
