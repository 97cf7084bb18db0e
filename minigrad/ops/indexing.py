"""Picking elements. The rules answer with a ``Scatter``: cotangent and place.

Duplicate indices accumulate. T indexings of one array cost O(T): the engine adds each
cotangent at its place in one buffer, and when it records, one ``scatter_n`` node does.

>>> import minigrad as mg
>>> x = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
>>> mg.grad(x[[0, 0, 2]].sum(), [x])[0].data.tolist()
[2.0, 0.0, 1.0]
"""

from typing import Any

import numpy as np

from minigrad.op import Scatter, op

# In the keys of scatter_n: this cotangent's index is an operand, not an attribute.
OPERAND = "operand"


def _basic(key: Any) -> bool:
    """Whether a key has no index array, so that it names each element at most once."""
    parts = key if isinstance(key, tuple) else (key,)
    return not any(isinstance(k, (list, np.ndarray)) for k in parts)


def scatter_into(buffer: Any, key: Any, cotangent: Any) -> None:
    """Add a cotangent into ``buffer`` at ``key``; duplicate indices accumulate."""
    if _basic(key):
        buffer[key] += cotangent
    else:
        np.add.at(buffer, key, cotangent)


@op(
    lambda i, g, y, like, *gs, keys=(): _from_scatter(i, g, gs, keys),
    variadic=True,
)
def scatter_n(xs: Any, keys: Any = ()) -> Any:
    """Zeros shaped as the first operand, with each further one added at its key."""
    buffer = np.zeros_like(xs[0])
    indices = iter(xs[1 + len(keys) :])
    for cotangent, key in zip(xs[1:], keys, strict=False):
        scatter_into(buffer, next(indices) if _is_operand(key) else key, cotangent)
    return buffer


def _is_operand(key: Any) -> bool:
    return isinstance(key, str) and key == OPERAND


def _from_scatter(i: int, g: Any, gs: Any, keys: Any) -> Any:
    if not 1 <= i <= len(keys):
        return None
    if not _is_operand(keys[i - 1]):
        return g[keys[i - 1]]
    before = sum(map(_is_operand, keys[: i - 1]))
    return embedding(g, gs[len(keys) + before])


@op(lambda g, y, x, key=(): Scatter(g, key))
def getitem(x: Any, key: Any) -> Any:
    """x[key] for every kind of NumPy index."""
    return x[key]


@op(lambda g, y, W, index: Scatter(g, index), None)
def embedding(W: Any, index: Any) -> Any:
    """The rows of W, shape (n, ...), at an integer array: shape (*index.shape, ...)."""
    index = np.asarray(index)
    if index.dtype.kind not in "iu":
        raise IndexError(
            f"embedding takes integers, got {index.dtype}: one-hot rows go to x @ W"
        )
    return W[index]
