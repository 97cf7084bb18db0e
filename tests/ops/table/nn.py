"""Rows of the ops of neural networks.

>>> ROWS[0]
<row of softmax: ... cases>
"""

from typing import Any

import numpy as np

from minigrad.ops import nn
from minigrad.testing.row import Row, at, case, distinct

WEIGHT = np.array([0.5, 2.0, 1.0])
SHARES = np.array([[0.2, 0.7, 0.1], [0.0, 0.0, 1.0]])


def _nll(
    logp: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """The definition, row by row."""
    classes, target = logp.shape[-1], np.asarray(target)
    w = np.ones(classes) if weight is None else weight
    losses, total = [], 0.0
    for row, k in zip(logp.reshape(-1, classes), target.reshape(-1), strict=True):
        if k == ignore_index:
            losses.append(0.0)
            continue
        smooth = label_smoothing / classes * np.dot(w, row)
        losses.append(-(1 - label_smoothing) * w[k] * row[k] - smooth)
        total += w[k]
    if reduction == "none":
        return np.reshape(losses, target.shape)
    if reduction == "mean" and not total:
        return np.float64(np.nan)
    return np.sum(losses) / (total if reduction == "mean" else 1)


def _cross_entropy(o: Any, target: Any, *weight: Any, **attrs: Any) -> Any:
    logp = o - np.log(np.exp(o).sum(-1, keepdims=True))
    if np.asarray(target).dtype.kind == "f":
        return _of_probabilities(logp, target, *weight, **attrs)
    return _nll(logp, target, *weight, **attrs)


def _of_probabilities(
    logp: Any,
    target: Any,
    weight: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """The definition, class by class."""
    classes = logp.shape[-1]
    losses: Any = 0.0
    for k in range(classes):
        p = (1 - label_smoothing) * target[..., k] + label_smoothing / classes
        losses = losses - (1 if weight is None else weight[k]) * p * logp[..., k]
    return losses if reduction == "none" else getattr(np, reduction)(losses)


def _mse(o: Any, target: Any, reduction: str = "mean") -> Any:
    losses = (np.asarray(o) - target) ** 2
    return {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[reduction]


def _layer_norm(x: Any, gain: Any, bias: Any, axis: Any = -1, eps: float = 1e-5) -> Any:
    mean, var = (f(x, axis=axis, keepdims=True) for f in (np.mean, np.var))
    return (x - mean) / np.sqrt(var + eps) * gain + bias


# A class that is impossible has no weight in the loss, and 0 as its gradient.
IMPOSSIBLE = at([[-np.inf, 0.0]], [1], [1.0, 1.0], gives=[[[0.0, -1.0]], [0.0, 0.0]])

LOSSES: list[tuple[Any, ...]] = [
    (
        nn.nll_loss,
        _nll,
        [],
        [IMPOSSIBLE, at([[1.0, 2.0]], [-100], gives=[[[0.0, 0.0]]])],
    ),
    (
        nn.cross_entropy,
        _cross_entropy,
        [
            case((2, 3), np.array([0, 2]), label_smoothing=0.1),
            case((2, 3), np.array([0, 2]), WEIGHT, label_smoothing=0.1),
            case((3, 3), np.array([0, 1, 1]), label_smoothing=0.3, ignore_index=1),
            case(
                (3, 3),
                np.array([0, 1, 1]),
                WEIGHT,
                label_smoothing=0.3,
                reduction="sum",
            ),
            case((2, 3), SHARES),
            case((2, 3), SHARES, reduction="sum", label_smoothing=0.3),
            case((2, 3), SHARES, WEIGHT, reduction="none"),
            case((2, 3), SHARES, weight=WEIGHT),
            case((2, 2, 3), SHARES[None].repeat(2, 0), WEIGHT),
            case((3,), SHARES[0], label_smoothing=0.1),
        ],
        [
            at([[1e4, 0.0]], [0], gives=[[[0.0, 0.0]]]),
            at([[1e4, 0.0]], [1], gives=[[[1.0, -1.0]]]),
            at([[-np.inf, 0.0]], [1], gives=[[[0.0, 0.0]]]),
            at([[1e4, 0.0]], [[0.0, 1.0]], gives=[[[1.0, -1.0]], [[0.0, 1e4]]]),
            at([[-np.inf, 0.0]], [[0.0, 1.0]], gives=[[[0.0, 0.0]], [[0.0, 0.0]]]),
            at([[1.0, 2.0]], [-100], gives=[[[0.0, 0.0]]]),
            at([[1.0, 2.0]], [-100], gives=[[[0.0, 0.0]]], label_smoothing=0.1),
            at(
                [[1.0, 2.0], [0.0, 0.0]],
                [0, -100],
                gives=[[[np.nan, np.nan], [0.0, 0.0]]],
                weight=np.array([0.0, 1.0]),
            ),
        ],
    ),
]

ROWS = [
    *(
        Row(
            op,
            case((2, 3)),
            case((2, 3), axis=0),
            case((2, 3, 2), axis=(1, -1)),
            case((3,)),
            case((2, 3), axis=None),
            case((2, 1)),
            case((0, 3)),
            case((2, 0)),
            ref=ref,
            conventions=[
                at([1e4, -1e4], gives=[gradient]),
                at([-np.inf, 0.0], gives=[gradient[::-1]]),
            ],
        )
        for op, ref, gradient in [
            (
                nn.softmax,
                lambda x, axis=-1: np.exp(x) / np.exp(x).sum(axis, keepdims=True),
                [0.0, 0.0],
            ),
            (
                nn.log_softmax,
                lambda x, axis=-1: (
                    x - np.log(np.exp(x).sum(axis, keepdims=True)) if x.size else x
                ),
                [-1.0, 1.0],
            ),
        ]
    ),
    Row(
        nn.mse_loss,
        case((2, 3), (2, 3)),
        case((2, 3), (2, 3), reduction="sum"),
        case((2, 3), (2, 3), reduction="none"),
        case((), ()),
        case((1, 3), np.ones((1, 3))),
        ref=_mse,
    ),
    Row(
        nn.target_weights,
        case(np.array([0, 2]), (2, 3)),
        case(np.array([0, 2]), (2, 3), reduction="none", label_smoothing=0.1),
        case(np.array([0, -100]), (2, 3), WEIGHT),
        case(np.array([0, 2]), (2, 3), WEIGHT, label_smoothing=0.2),
        case(np.array([0, 2]), (2, 3), WEIGHT, reduction="sum", label_smoothing=0.2),
    ),
    *(
        Row(
            op,
            case((2, 3), np.array([0, 2])),
            case((2, 3), np.array([1, 1]), reduction="sum"),
            case((2, 3), np.array([0, 2]), reduction="none"),
            case((2, 2, 3), np.array([[0, 2], [1, 1]])),
            case((3,), np.array(1)),
            case((3,), 1),
            case((0, 3), np.array([], int), reduction="sum"),
            case((2, 3), np.array([0, 2]), WEIGHT),
            case((2, 3), np.array([0, 2]), WEIGHT, reduction="none"),
            case((3, 3), np.array([0, -100, 2])),
            case((3, 3), np.array([0, 1, 1]), WEIGHT, ignore_index=1),
            case((3, 3), np.array([0, 1, 1]), ignore_index=0, reduction="none"),
            case(np.array([[1, 2, 0], [3, 1, 2]]), np.array([1, 1]), ignore_index=1),
            *more,
            ref=ref,
            conventions=conventions,
        )
        for op, ref, more, conventions in LOSSES
    ),
    Row(
        nn.layer_norm,
        case((2, 3), (3,), (3,)),
        case((2, 3), (2, 3), (3,), axis=(0, 1)),
        case((2, 3), (2, 1), 0.0, axis=0, eps=0.1),
        case((3,), 1.0, 0.0),
        domain=distinct,
        ref=_layer_norm,
        conventions=[at([2.0, 2.0], 1.0, 0.0, gives=[[0.0, 0.0], 0.0, 2.0])],
    ),
]
