"""Losses of one step: L(t) from what the network says, o(t), and the target y(t).

Each has the form ``loss(o, y)`` and gives a scalar, the mean over the batch, so that a
model takes any of them. They are the ops of the same name, written for reading.

>>> import minigrad as mg
>>> o = mg.tensor([[2.0, 0.0]], name="o")
>>> round(cross_entropy(o, [0]).item(), 4), mse(o, [[1.0, 0.0]]).item()
(0.1269, 0.5)
"""

from collections.abc import Callable
from typing import Any

from minigrad.ops import nn
from minigrad.tensor import Tensor

__all__ = ["Loss", "cross_entropy", "mse"]

Loss = Callable[[Any, Any], Tensor]


def cross_entropy(o: Any, y: Any) -> Tensor:
    """-log softmax(o)[y]: o (..., classes), y class numbers (...) (eq. 10.14)."""
    return nn.cross_entropy(o, y)  # type: ignore[no-any-return]


def mse(o: Any, y: Any) -> Tensor:
    """The mean of (o - y)²; o and y have one shape."""
    return nn.mse_loss(o, y)  # type: ignore[no-any-return]
