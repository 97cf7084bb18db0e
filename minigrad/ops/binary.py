"""Answers of yes or no: o is the logit of a yes, sigmoid(o) its probability.

>>> import minigrad as mg
>>> round(binary_cross_entropy(mg.tensor([0.0, 30.0]), [1.0, 1.0]).item(), 4)
0.3466
"""

from typing import Any

import numpy as np

from minigrad.op import op
from minigrad.ops.elementwise import astype, floating, sigmoid, softplus
from minigrad.ops.nn import _per_element, _reduced, require_one_shape


def log_sigmoid(x: Any) -> Any:
    """log(1 / (1 + exp(-x))), without overflow: -softplus(-x).

    >>> import minigrad as mg
    >>> log_sigmoid(mg.tensor([-1000.0, 0.0])).data.round(4).tolist()
    [-1000.0, -0.6931]
    """
    return -softplus(-floating(x))


def _in_dtype(target: Any, o: Any) -> Any:
    """The target as numbers of o's kind: whole ones would make float64 of float32."""
    if isinstance(target, (int, float)) or target.dtype == o.dtype:
        return target
    return astype(target, dtype=o.dtype)


@op(
    lambda g, y, o, target, reduction="mean": (
        _per_element(g, o, reduction) * (sigmoid(o) - _in_dtype(target, o))
    ),
    lambda g, y, o, target, reduction="mean": -_per_element(g, o, reduction) * o,
)
def binary_cross_entropy(o: Any, target: Any, reduction: str = "mean") -> Any:
    """-y log sigmoid(o) - (1 - y) log(1 - sigmoid(o)), element by element.

    o are logits and y, of the same shape, lies between 0 and 1. What is computed is
    exact to the last digits for large logits of both signs.

    Raises ValueError for other shapes, and for a y beyond 0 and 1.
    """
    o, target = floating(o), np.asarray(target)
    require_one_shape("binary_cross_entropy", o, target)
    if target.size and not 0 <= target.min() <= target.max() <= 1:
        raise ValueError(
            "binary_cross_entropy: y is the probability of a yes and lies between 0 "
            f"and 1, got {target.min()} to {target.max()}; for class numbers write "
            "mg.cross_entropy"
        )
    target = target.astype(o.dtype)
    wrong = np.maximum(o, 0) * (1 - target) + np.maximum(-o, 0) * target
    return _reduced(np.log1p(np.exp(-np.abs(o))) + wrong, reduction)
