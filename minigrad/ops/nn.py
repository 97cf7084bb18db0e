"""Ops of neural networks: softmax and its kin, and the losses.

Losses take o, what the network says, and y, the target, and reduce to their mean
("mean"), their sum ("sum") or not at all ("none").

>>> import minigrad as mg
>>> round(mg.cross_entropy(mg.tensor([[0.0, 0.0]]), [1]).item(), 4)
0.6931
"""

from typing import Any

import numpy as np

from minigrad.op import op
from minigrad.ops.reduction import spread, spread_mean


@op(lambda g, y, x, axis=-1: y * (g - np.sum(g * y, axis=axis, keepdims=True)))
def softmax(x: Any, axis: Any = -1) -> Any:
    """exp(x) / sum(exp(x)) along ``axis``."""
    shifted = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return shifted / np.sum(shifted, axis=axis, keepdims=True)


@op(lambda g, y, x, axis=-1: g - np.exp(y) * np.sum(g, axis=axis, keepdims=True))
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """x - logsumexp(x) along ``axis``."""
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def _per_element(g: Any, x: Any, reduction: str) -> Any:
    """The cotangent of each element's loss from that of the reduced loss."""
    if reduction == "none":
        return g
    return spread_mean(g, x) if reduction == "mean" else spread(g, x)


def _reduced(loss: Any, reduction: str) -> Any:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f'reduction is "mean", "sum" or "none", got {reduction!r}')
    return loss if reduction == "none" else getattr(np, reduction)(loss)


@op(
    lambda g, y, o, target, reduction="mean": (
        _per_element(g, o, reduction) * 2 * (o - target)
    ),
    lambda g, y, o, target, reduction="mean": (
        _per_element(g, o, reduction) * 2 * (target - o)
    ),
)
def mse_loss(o: Any, target: Any, reduction: str = "mean") -> Any:
    """(o - y)², element by element; both have the same shape."""
    if np.shape(o) != np.shape(target):
        raise ValueError(
            f"mse_loss: o has shape {np.shape(o)} and y {np.shape(target)}; they must "
            "agree, since broadcasting one against the other would average wrong pairs"
        )
    return _reduced(np.square(np.subtract(o, target)), reduction)


@op(None, None)
def one_hot_like(index: Any, x: Any) -> Any:
    """Rows shaped as those of x with 1 at the class of each index."""
    return (np.expand_dims(index, -1) == np.arange(x.shape[-1])).astype(x.dtype)


@op(
    lambda g, y, o, target, reduction="mean": (
        np.expand_dims(_per_element(g, target, reduction), -1)
        * (softmax(o) - one_hot_like(target, o))
    ),
    None,
)
def cross_entropy(o: Any, target: Any, reduction: str = "mean") -> Any:
    """-log softmax(o)[y]: o of shape (..., classes), y integers of shape (...)."""
    o, target = np.asarray(o), np.asarray(target)
    if target.dtype.kind not in "iu" or target.shape != o.shape[:-1]:
        hint = "; a one-hot y becomes y.argmax(-1)" if target.shape == o.shape else ""
        raise ValueError(
            f"cross_entropy: for o of shape {o.shape} the target holds class numbers, "
            f"integers of shape {o.shape[:-1]}; got {target.dtype} of shape "
            f"{target.shape}{hint}"
        )
    if target.size and not 0 <= target.min() <= target.max() < o.shape[-1]:
        raise ValueError(
            f"cross_entropy: class numbers lie in 0..{o.shape[-1] - 1}, got "
            f"{target.min()}..{target.max()}"
        )
    picked = np.take_along_axis(log_softmax.forward(o), target[..., None], -1)
    return _reduced(-picked[..., 0], reduction)
