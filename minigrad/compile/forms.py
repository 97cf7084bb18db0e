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


def minus_target(p: Any, index: Any, ignore_index: int = -100) -> Any:
    """p - one_hot(index), and zeros where the target is ignored."""
    result = np.array(p)
    rows, index = result.reshape(-1, result.shape[-1]), np.ravel(index)
    if np.any(index == ignore_index):
        kept = index != ignore_index
        rows[~kept] = 0
        rows[np.flatnonzero(kept), index[kept]] -= 1
    else:
        rows[np.arange(len(rows)), index] -= 1
    return result


def picked_losses(z: Any, s: Any, index: Any, ignore_index: int = -100) -> Any:
    """Cross-entropies from shifted logits z and the sum s of their exponentials."""
    flat, shape, index = z.reshape(-1, z.shape[-1]), np.shape(index), np.ravel(index)
    kept = index != ignore_index
    known = index if kept.all() else index[kept]
    if known.size and not 0 <= known.min() <= known.max() < flat.shape[1]:
        raise ValueError(
            f"cross_entropy: class numbers lie in 0..{flat.shape[1] - 1}, got "
            f"{known.min()}..{known.max()}"
        )
    picked = flat[np.arange(len(flat)), np.where(kept, index, 0)]
    return np.where(kept, np.log(s).reshape(-1) - picked, 0).reshape(shape)


def per_kept(
    index: Any, ignore_index: int = -100, axis: Any = None, dtype: str = "float64"
) -> Any:
    """One over the number of targets that are not ignored; NaN, as PyTorch, for none."""
    kept = np.sum(index != ignore_index, axis=axis)
    return (1 / np.where(kept == 0, np.nan, kept)).astype(dtype)
