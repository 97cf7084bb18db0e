"""Functions of arrays that no recorded op has: what rules make composites of.

They compute what recorded ops compute from parts that two of these share, or from
shapes that are known beforehand. Each is declared with the way in which it is batched.

>>> import numpy as np
>>> sum_of_rows(np.ones((3, 2)))
array([3., 3.])
"""

from functools import lru_cache
from typing import Any

import numpy as np

from minigrad.compile.kinds import Batched, declare
from minigrad.compile.values import Kernel
from minigrad.ops.nn import wrong_class
from minigrad.ops.reduction import shared


def _kernel(forward: Any, arity: int, *keywords: str) -> Kernel:
    return declare(Kernel(forward, arity, frozenset(keywords)))


def equal_share(a: Any, like: Any) -> Any:
    """What each element of a mean gets of its gradient."""
    a = np.asarray(a)
    return shared(a, like.size / (a.size or 1))


def sum_of_rows(x: Any) -> Any:
    """The sum of the rows of a matrix, by a product: several times faster."""
    return np.dot(_ones(len(x), x.dtype), x)


_ones = lru_cache(8)(np.ones)


def shifted(o: Any, out: Any = None) -> Any:
    """o less the largest of each row, or of all rows where these lie close together.

    What is subtracted cancels in a softmax. One number for all rows is several times
    faster where rows are short.
    """
    if o.size > FEW:
        top = np.maximum.reduce(o, axis=None)
        if top - np.minimum.reduce(o, axis=None) < CLOSE:
            return np.subtract(o, top, out)
    return np.subtract(o, np.maximum.reduce(o, axis=-1, keepdims=True), out)


# So few elements are not looked at twice.
FEW = 4096
# exp(-20) loses nothing in float32, and -20 + log(..) but the last four bits.
CLOSE = 20.0


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


def picked_losses(z: Any, s: Any, index: Any, ignore_index: int = -100) -> Any:
    """Cross-entropies from shifted logits z and the sum s of their exponentials."""
    index = np.asarray(index)
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
    """(e / s - one_hot(index)) weight, and zeros where the target is ignored.

    ``out`` may be e. ``weight`` is a number, or one for each row.
    """
    index = np.asarray(index)
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


def kept_targets(
    index: Any, classes: int, ignore_index: int, dtype: str, axis: Any = None
) -> Any:
    """How many targets are not ignored; NaN for none, as PyTorch has it."""
    index = np.asarray(index)
    if _kept(index, classes, ignore_index) is None:
        whole = () if axis is None else index.shape[:1]
        return np.full(whole, index.size / (len(index) if whole else 1), dtype)
    kept = np.add.reduce(index != ignore_index, axis=axis, dtype=dtype)
    return np.where(kept, kept, np.nan).astype(dtype)


def _of_each_row(op: Any, attrs: Any, ndim: int) -> Batched:
    return op, {**attrs, "axis": tuple(range(1, ndim + 1))}


share = Kernel(equal_share, 2)
column_sums = Kernel(sum_of_rows, 1)
shift = _kernel(shifted, 1, "out")
losses = _kernel(picked_losses, 3, "ignore_index")
gradient = _kernel(class_gradient, 4, "ignore_index", "out")
number_kept = declare(
    Kernel(kept_targets, 1, frozenset(["classes", "ignore_index", "dtype", "axis"])),
    _of_each_row,
)
