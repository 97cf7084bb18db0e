"""Losses of one step: L(t) from what the network says, o(t), and the target y(t).

Each has the form ``loss(o, y)`` and gives one number per sequence, shape (batch,), so
that a model takes any of them, and leaves out what lies beyond a sequence's end.

>>> import minigrad as mg
>>> o = mg.tensor([[2.0, 0.0]], name="o")
>>> cross_entropy(o, [0]).data.round(4).tolist(), mse(o, [[1.0, 0.0]]).data.tolist()
([0.1269], [0.5])
"""

from collections.abc import Callable
from typing import Any

from minigrad.ops import binary, nn
from minigrad.tensor import Tensor

Loss = Callable[[Any, Any], Tensor]


def step_loss(loss: Loss, o: Tensor, y: Any) -> Tensor:
    """The loss of one step, named L; a TypeError where it is no Tensor.

    Raises ValueError for a batch without a sequence.

    >>> import minigrad as mg
    >>> step_loss(mse, mg.tensor([[1.0], [3.0]]), [[0.0], [0.0]])
    tensor([1., 9.], name='L')
    """
    if not callable(loss):
        raise TypeError(
            "a model's loss is a function of o(t) and y(t), as minigrad.nn.losses.mse "
            f"is: got {loss!r}"
        )
    value: Any = loss(o, y)
    if not isinstance(value, Tensor):
        raise TypeError(
            "a model's loss is a function of o(t) and y(t) that returns a Tensor, one "
            f"number for each sequence: got {type(value).__name__}, with no graph that "
            "leads to it"
        )
    if not value.size:
        path = value.node.scope.path
        where = f" (scope {path[0][0]})" if path else ""
        raise ValueError(
            f"the batch has no sequence{where}: o(t) has shape {o.shape}, and the mean "
            "of no loss is no number"
        )
    return value.named("L")


def cross_entropy(o: Any, y: Any) -> Tensor:
    """-log softmax(o)[y]: o (..., classes), y class numbers (...) (eq. 10.14).

    No class number is ignored here, not even -100: a model divides by all steps.
    """
    found: Tensor = nn.cross_entropy(
        o, y, ignore_index=nn.IGNORE_NOTHING, reduction="none"
    )
    return found


def mse(o: Any, y: Any) -> Tensor:
    """The mean over the features of (o - y)²; o and y have one shape.

    That of a normal distribution with mean o, but for factors: sect. 6.2.2.1.

    >>> import numpy as np
    >>> mse(np.zeros((2, 1)), np.array([[1.0], [2.0]])).tolist()  # one number a row
    [1.0, 4.0]
    """
    return nn.mse_loss(o, y, reduction="none").mean(axis=-1)  # type: ignore[no-any-return]


def binary_cross_entropy(o: Any, y: Any) -> Tensor:
    """-log of the probability of bits: sigmoid(o) for 1, the mean over the features.

    That of a Bernoulli distribution: sect. 6.2.2.2.

    >>> import minigrad as mg
    >>> o = mg.tensor([[0.0, 30.0]], name="o")
    >>> binary_cross_entropy(o, [[1.0, 1.0]]).data.round(4).tolist()
    [0.3466]
    """
    loss: Tensor = binary.binary_cross_entropy(o, y, reduction="none").mean(axis=-1)
    return loss
