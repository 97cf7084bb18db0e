"""Functions that compiled programs call and that no recorded op has.

They are what the passes rewrite ops into: the same values from static shapes, from
parts that two ops share, or over all steps at once.
"""

from typing import Any

import numpy as np

from minigrad.ops.nn import wrong_class
from minigrad.ops.reduction import _open, shared


def spread_to(a: Any, shape: Any = (), axis: Any = None, keepdims: bool = False) -> Any:
    """``spread`` with the shape known beforehand."""
    return np.broadcast_to(_open(np.asarray(a), np.empty(shape), axis, keepdims), shape)


def spread_mean_to(
    a: Any, shape: Any = (), axis: Any = None, keepdims: bool = False
) -> Any:
    """``spread_mean`` with the shape known beforehand."""
    a = np.asarray(a)
    size = int(np.prod(shape))
    return spread_to(shared(a, size / (a.size or 1)), shape, axis, keepdims)


def join(parts: Any, axis: int = 0, keys: Any = ()) -> Any:
    """Parts one behind the other along an axis; the ``keys`` say where each lies."""
    return np.concatenate(parts, axis)


def equal_share(a: Any, like: Any) -> Any:
    """What each element of a mean gets of its gradient."""
    return shared(a, like.size)


def _kept(index: Any, classes: int, ignore_index: int) -> Any:
    """Which targets are not ignored, None for all; a number out of range raises."""
    if not 0 <= ignore_index < classes and index.size:
        # Negative numbers are large ones without sign: one look at the largest.
        unsigned = index.view(f"u{index.itemsize}")
        if np.maximum.reduce(unsigned, axis=None) < classes:
            return None
    kept = index != ignore_index
    known = index[kept]
    if known.size and not 0 <= known.min() <= known.max() < classes:
        raise wrong_class("cross_entropy", known, classes, ignore_index)
    return kept


def check_classes(index: Any, classes: int, ignore_index: int) -> None:
    """Raise where a class number is out of range."""
    _kept(index.reshape(-1), classes, ignore_index)


def picked_losses(z: Any, s: Any, index: Any, ignore_index: int = -100) -> Any:
    """Cross-entropies from shifted logits z and the sum s of their exponentials."""
    flat, number = z.reshape(-1, z.shape[-1]), index.reshape(-1)
    kept = _kept(number, flat.shape[1], ignore_index)
    if kept is not None:
        number = np.where(kept, number, 0)
    losses = np.log(s.reshape(-1))
    losses -= flat[np.arange(len(flat)), number]
    if kept is not None:
        losses[~kept] = 0
    return losses.reshape(index.shape)


def class_gradient(
    e: Any, s: Any, index: Any, weight: Any, ignore_index: int = -100, out: Any = None
) -> Any:
    """(e / s - one_hot(index)) * weight, and zeros where the target is ignored."""
    out = np.multiply(e, weight / s, out)
    rows, number = out.reshape(-1, out.shape[-1]), index.reshape(-1)
    kept = _kept(number, rows.shape[1], ignore_index)
    if np.ndim(weight):
        if weight.shape != s.shape:
            weight = np.broadcast_to(weight, s.shape)
        weight = weight.reshape(-1)
    if kept is None:
        rows[np.arange(len(rows)), number] -= weight
    else:
        each = np.broadcast_to(weight, number.shape)
        rows[~kept] = 0  # as PyTorch, also where no target is kept and the loss is NaN
        rows[np.flatnonzero(kept), number[kept]] -= each[kept]
    return out


def per_kept(index: Any, classes: int, ignore_index: int, axis: Any, dtype: str) -> Any:
    """One over the number of targets not ignored; NaN, as PyTorch, for none."""
    if _kept(index, classes, ignore_index) is None:
        if axis is None:
            return np.full((), 1 / index.size, dtype)
        return np.full(index.shape[:1], len(index) / index.size, dtype)
    kept = np.add.reduce(index != ignore_index, axis=axis, dtype=dtype)
    return 1 / np.where(kept, kept, np.nan).astype(dtype)
