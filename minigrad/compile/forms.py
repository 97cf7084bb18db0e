"""Functions that compiled programs call and that no recorded op has.

They are what the passes rewrite ops into: the same values from static shapes, from
parts that two ops share, or over all steps at once.
"""

from typing import Any

import numpy as np

from minigrad.ops.reduction import _open


def spread_to(a: Any, shape: Any = (), axis: Any = None, keepdims: bool = False) -> Any:
    """``spread`` with the shape known beforehand."""
    return np.broadcast_to(_open(np.asarray(a), np.empty(shape), axis, keepdims), shape)


def spread_mean_to(
    a: Any, shape: Any = (), axis: Any = None, keepdims: bool = False
) -> Any:
    """``spread_mean`` with the shape known beforehand."""
    a = np.asarray(a)
    size = int(np.prod(shape))
    return spread_to(a / (size / (a.size or 1)), shape, axis, keepdims)


def join(parts: Any, axis: int = 0, keys: Any = ()) -> Any:
    """Parts one behind the other along an axis; the ``keys`` say where each lies."""
    return np.concatenate(parts, axis)


def _kept(index: Any, classes: int, ignore_index: int) -> Any:
    """Which targets are not ignored, None for all; a number out of range raises."""
    low, high = index.min(initial=0), index.max(initial=0)
    if low >= 0 and high < classes and not 0 <= ignore_index <= high:
        return None
    kept = index != ignore_index
    known = index[kept]
    if known.size and not 0 <= known.min() <= known.max() < classes:
        raise ValueError(
            f"cross_entropy: class numbers lie in 0..{classes - 1}, got "
            f"{known.min()}..{known.max()}"
        )
    return kept


def minus_target(p: Any, index: Any, ignore_index: int = -100, out: Any = None) -> Any:
    """p - one_hot(index), and zeros where the target is ignored."""
    if out is None:
        out = np.array(p, order="C")
    elif out is not p:
        np.copyto(out, p)
    rows, index = out.reshape(-1, out.shape[-1]), index.reshape(-1)
    kept = _kept(index, rows.shape[1], ignore_index)
    if kept is None:
        rows[np.arange(len(rows)), index] -= 1
    else:
        rows[~kept] = 0
        rows[np.flatnonzero(kept), index[kept]] -= 1
    return out


def picked_losses(z: Any, s: Any, index: Any, ignore_index: int = -100) -> Any:
    """Cross-entropies from shifted logits z and the sum s of their exponentials."""
    flat, shape, index = z.reshape(-1, z.shape[-1]), index.shape, index.reshape(-1)
    kept = _kept(index, flat.shape[1], ignore_index)
    number = index if kept is None else np.where(kept, index, 0)
    losses = np.log(s.reshape(-1)) - flat[np.arange(len(flat)), number]
    return (losses if kept is None else np.where(kept, losses, 0)).reshape(shape)


def per_kept(
    index: Any, ignore_index: int = -100, axis: Any = None, dtype: str = "float64"
) -> Any:
    """One over the number of targets not ignored; NaN, as PyTorch, for none."""
    kept = np.add.reduce(index != ignore_index, axis=axis, dtype=dtype)
    return 1 / np.where(kept, kept, np.nan).astype(dtype)
