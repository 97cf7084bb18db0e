"""One cotangent: what a rule answers, made to be of the shape and dtype of its input.

>>> import numpy as np
>>> unbroadcast(np.ones((3, 2)), (2,), None).tolist()
[3.0, 3.0]
"""

import math
from typing import Any

import numpy as np

from minigrad.graph import Node
from minigrad.mode import require_finite
from minigrad.op import Scatter
from minigrad.tensor import Tensor


def watch(d: Any, node: Node, i: int) -> None:
    """Raise FloatingPointError if a rule's answer is not finite."""
    part = d.cotangent if isinstance(d, Scatter) else d
    where = node.op.describe(node.inputs, node.attrs, node.scope)
    value = part.node.value if isinstance(part, Tensor) else part
    require_finite(value, f"gradient rule {i}, ", where)


def fit(d: Any, x: Any, op: Any) -> Any:
    """A rule's answer summed over broadcast axes and cast to what its input x is."""
    if d.shape != x.shape:
        d = unbroadcast(d, x.shape, op)
    return d if d.dtype == x.dtype else d.astype(x.dtype)


def unbroadcast(d: Any, shape: tuple[int, ...], op: Any) -> Any:
    """Sum d over the axes along which an operand of ``shape`` was broadcast."""
    lead = d.ndim - len(shape)
    inner = d.shape[lead:]
    if lead < 0 or (
        inner != shape
        and any(n not in (1, m) for n, m in zip(shape, inner, strict=True))
    ):
        raise ValueError(
            f"a gradient rule of {op.name} gave shape {d.shape} for an input of "
            f"shape {shape}"
        )
    if lead:
        one = d.__class__ is np.ndarray and d.size == math.prod(inner)
        d = d.reshape(inner) if one else _sum(d, tuple(range(lead)), False)
    if inner == shape:
        return d
    return _sum(d, tuple(i for i, n in enumerate(shape) if n != inner[i]), True)


def _sum(d: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """d.sum(axes), for an array without the layers of Python around it."""
    if isinstance(d, Tensor):
        return d.sum(axis=axes, keepdims=keepdims)
    return np.add.reduce(d, axis=axes, keepdims=keepdims)  # type: ignore[call-overload]
