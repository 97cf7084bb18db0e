"""Matrix products.

>>> import minigrad as mg
>>> import numpy as np
>>> (mg.tensor(np.ones((2, 3))) @ np.ones((3, 4))).shape
(2, 4)
"""

from typing import Any

import numpy as np

from minigrad.op import op


def _from_left(g: Any, a: Any, b: Any) -> Any:
    """The cotangent of a in a @ b; the engine sums over broadcast batch axes."""
    if a.ndim == 2 and b.ndim == 2:
        return g.dot(b.T)
    if b.ndim == 1:
        return np.expand_dims(g, -1) * b
    if a.ndim == 1:
        return (np.expand_dims(g, -2) @ np.swapaxes(b, -1, -2))[..., 0, :]
    return g @ np.swapaxes(b, -1, -2)


def _from_right(g: Any, a: Any, b: Any) -> Any:
    """The cotangent of b in a @ b."""
    if a.ndim == 2 and b.ndim == 2:
        return a.T.dot(g)
    if b.ndim == 1:
        return np.expand_dims(g, -1) * a
    if a.ndim == 1:
        return np.expand_dims(a, -1) * np.expand_dims(g, -2)
    return np.swapaxes(a, -1, -2) @ g


@op(
    lambda g, y, a, b: _from_left(g, a, b),
    lambda g, y, a, b: _from_right(g, a, b),
    numpy=np.matmul,
)
def matmul(a: Any, b: Any) -> Any:
    """The matrix product, with NumPy's rules for 1-D operands and batch axes."""
    # Small 2-D products through dot cost half of what matmul does.
    if a.__class__ is b.__class__ is np.ndarray and a.ndim == b.ndim == 2:
        return a.dot(b)
    return np.matmul(a, b)


@op(
    lambda g, y, a, b: _dot_left(g, a, b),
    lambda g, y, a, b: _dot_right(g, a, b),
    numpy=np.dot,
)
def dot(a: Any, b: Any) -> Any:
    """NumPy's dot: the product over the last axis of a and the next to last of b."""
    return np.dot(a, b)


def _dot_left(g: Any, a: Any, b: Any) -> Any:
    if a.ndim == 2 and b.ndim == 2:
        return g.dot(b.T)
    if a.ndim == 0 or b.ndim == 0:
        return g * b
    if b.ndim == 1:
        return np.expand_dims(g, -1) * b
    # g has the axes of a but its last, then those of b but its next to last.
    rows = np.reshape(g, (-1, *g.shape[a.ndim - 1 :]))
    flat = np.reshape(rows, (rows.shape[0], -1))
    columns = np.reshape(np.swapaxes(b, -2, -1), (-1, b.shape[-2]))
    return np.reshape(flat.dot(columns), a.shape)


def _dot_right(g: Any, a: Any, b: Any) -> Any:
    if a.ndim == 2 and b.ndim == 2:
        return a.T.dot(g)
    if a.ndim == 0 or b.ndim == 0:
        return g * a
    rows = np.reshape(a, (-1, a.shape[-1]))
    if b.ndim == 1:
        return np.reshape(g, (-1,)) @ rows
    flat = np.reshape(g, (rows.shape[0], -1))
    last_two = (*b.shape[:-2], b.shape[-1], b.shape[-2])
    return np.swapaxes(np.reshape(flat.T.dot(rows), last_two), -2, -1)
