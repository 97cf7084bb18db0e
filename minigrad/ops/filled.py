"""Tensors of one number: constants of a shape, or of the shape of another tensor.

>>> import minigrad as mg
>>> h0 = mg.zeros((2, 3), dtype="float32").named("h0")
>>> mg.ones_like(h0).dtype, mg.full(2, 0.5).data.tolist()
(dtype('float32'), [0.5, 0.5])
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minigrad.op import by_function
from minigrad.ops.elementwise import astype
from minigrad.ops.shape import broadcast_to
from minigrad.tensor import Tensor, tensor

Shape = int | Sequence[int]


def zeros(shape: Shape, dtype: DTypeLike = float) -> Tensor:
    """A constant of zeros; ``.named("h0")`` makes it an input.

    >>> zeros((2, 3)).shape, zeros(2, dtype='float32').dtype
    ((2, 3), dtype('float32'))
    """
    return full(shape, 0, dtype)


def ones(shape: Shape, dtype: DTypeLike = float) -> Tensor:
    """A constant of ones.

    >>> ones(2).tolist()
    [1.0, 1.0]
    """
    return full(shape, 1, dtype)


def full(shape: Shape, fill_value: Any, dtype: DTypeLike | None = None) -> Tensor:
    """One number everywhere; a Tensor as number gets the sum of the gradients.

    >>> import minigrad as mg
    >>> b = mg.parameter(2.0, name="b")
    >>> mg.grad(full((2, 3), b).sum(), [b])[0].item()
    6.0
    """
    if not isinstance(fill_value, Tensor):
        return tensor(np.full(shape, fill_value, dtype), copy=False)
    y: Tensor = broadcast_to(fill_value, shape)
    return y if dtype is None else astype(y, dtype)


def zeros_like(
    x: Any, dtype: DTypeLike | None = None, shape: Shape | None = None
) -> Tensor:
    """A constant of zeros with the shape and dtype of x, or others.

    >>> import numpy as np
    >>> zeros_like(np.ones((2, 1))).tolist()
    [[0.0], [0.0]]
    """
    return full_like(x, 0, dtype, shape)


def ones_like(
    x: Any, dtype: DTypeLike | None = None, shape: Shape | None = None
) -> Tensor:
    """A constant of ones with the shape and dtype of x, or others.

    >>> import numpy as np
    >>> ones_like(np.zeros((2, 1), np.float32)).dtype
    dtype('float32')
    """
    return full_like(x, 1, dtype, shape)


def full_like(
    x: Any,
    fill_value: Any,
    dtype: DTypeLike | None = None,
    shape: Shape | None = None,
) -> Tensor:
    """One number everywhere, with the shape and dtype of x, or others.

    >>> import numpy as np
    >>> full_like(np.zeros(2), 7.0).tolist()
    [7.0, 7.0]
    """
    like = x if isinstance(x, Tensor) else np.asarray(x)
    shape = like.shape if shape is None else shape
    return full(shape, fill_value, like.dtype if dtype is None else dtype)


by_function[np.zeros_like] = zeros_like
by_function[np.ones_like] = ones_like
by_function[np.full_like] = full_like
