"""Ops that ONNX has no twin of, written with ops that have one.

What is recorded for ONNX has the parts in the place of the op. An op brings its own by
``Op(forward, rule, lowerings={"onnx": f})``, f like its forward function but written
with ops: it is given Tensors. What the parts compute is compared with the op.

>>> import minigrad as mg
>>> str(PARTS["expm1"](mg.tensor([0.0, 1e-20])).data)
'[0.e+00 1.e-20]'
"""

from collections.abc import Callable
from string import ascii_letters
from typing import Any

import numpy as np

from minigrad.compile.kinds import O
from minigrad.op import Op
from minigrad.ops.reduction import axes_of

Parts = Callable[..., Any]


def parts_of(op: Op) -> Parts | None:
    """What is recorded in the place of an op, if that has no twin.

    It is a function that may return None where the op stays after all.
    """
    found: Parts | None = op.lowerings.get("onnx") or PARTS.get(op.name)
    return found


def _log1p(x: Any) -> Any:
    u = 1 + x  # (Kahan) what u lost of x is lost in u - 1 as well
    exact = O.equal(u, 1)
    infinite = O.equal(u, np.inf)
    ratio = O.log(u) * (x / O.where(exact, 1, u - 1))
    return O.where(exact, x, O.where(infinite, x, ratio))


def _softplus(x: Any) -> Any:
    if x.dtype == np.float32:
        return None  # which has a twin
    return O.relu(x) + _log1p(O.exp(-O.absolute(x)))


def _expm1(x: Any) -> Any:
    u = O.exp(x)
    small = O.absolute(x) < 0.5
    ratio = (u - 1) * (x / O.where(small & O.not_equal(u, 1), O.log(u), 1))
    return O.where(O.equal(u, 1), x, O.where(small, ratio, u - 1))


def _logaddexp(a: Any, b: Any) -> Any:
    top = O.maximum(a, b)
    apart = O.where(O.equal(a, b), 0, O.absolute(a - b))
    return top + _log1p(O.exp(-apart))


def _arctan2(a: Any, b: Any) -> Any:
    straight = O.equal(b, 0)
    angle = O.arctan(a / O.where(straight, 1, b))
    turned = O.where(a < 0, angle - np.pi, angle + np.pi)
    upright = O.sign(a) * (np.pi / 2)
    return O.where(straight, upright, O.where(b < 0, turned, angle))


def _logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    top = O.max(x, axis=axis, keepdims=True)
    top = O.where(O.absolute(top) < np.inf, top, 0)
    total = O.log(O.sum(O.exp(x - top), axis=axis, keepdims=True)) + top
    return total if keepdims else _without(total, axis)


def _without(x: Any, axis: Any) -> Any:
    axes = tuple(axes_of(axis, x.ndim))
    return O.squeeze(x, axis=axes) if axes else x


def _softmax(x: Any, axis: Any = -1) -> Any:
    logarithm = _log_softmax(x, axis)
    return None if logarithm is None else O.exp(logarithm)


def _log_softmax(x: Any, axis: Any = -1) -> Any:
    if isinstance(axis, int):
        return None  # which has a twin
    z = x - O.max(x, axis=axis, keepdims=True)
    return z - O.log(O.sum(O.exp(z), axis=axis, keepdims=True))


def _var(x: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
    d = x - O.mean(x, axis=axis, keepdims=True)
    if not ddof:
        return O.mean(d * d, axis=axis, keepdims=keepdims)
    total = O.sum(d * d, axis=axis, keepdims=keepdims)
    return total / (O.count(x, axis=axis) - ddof)


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    if ord == 1:
        return O.sum(O.absolute(x), axis=axis, keepdims=keepdims)
    if ord == np.inf:
        return O.max(O.absolute(x), axis=axis, keepdims=keepdims)
    return O.sqrt(O.sum(x * x, axis=axis, keepdims=keepdims))


def _clip(x: Any, *bounds: Any, a_min: Any = None, a_max: Any = None) -> Any:
    low, high = (*bounds, a_min, a_max)[:2]
    x = x if low is None else O.maximum(x, low)
    return x if high is None else O.minimum(x, high)


def _layer_norm(
    x: Any, gain: Any = 1.0, bias: Any = 0.0, axis: Any = -1, eps: float = 1e-5
) -> Any:
    d = x - O.mean(x, axis=axis, keepdims=True)
    unit = d / O.sqrt(O.mean(d * d, axis=axis, keepdims=True) + eps)
    return unit * gain + bias


def _roll(x: Any, shift: Any, axis: Any = None) -> Any:
    if axis is None:
        return O.reshape(_roll(O.reshape(x, shape=-1), shift, 0), shape=x.shape)
    for n, a in np.broadcast(shift, axis):
        rows, n = x.shape[a], int(n)
        n = n if abs(n) < rows else n % max(rows, 1)
        before = (slice(None),) * (int(a) % x.ndim)
        ends = [x[(*before, slice(-n, None))], x[(*before, slice(None, -n))]]
        x = O.concatenate(ends, axis=int(a)) if n else x
    return x


def _flip(x: Any, axis: Any = None) -> Any:
    axes = axes_of(axis, x.ndim)
    return x[tuple(slice(None, None, -1 if k in axes else 1) for k in range(x.ndim))]


def _swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    axes = [*range(x.ndim)]
    axes[axis1], axes[axis2] = axes[axis2], axes[axis1]
    return O.transpose(x, axes=tuple(axes))


def _diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    letters = [*ascii_letters[: x.ndim]]
    rows, columns = axis1 % x.ndim, axis2 % x.ndim
    n, m = x.shape[rows], x.shape[columns]
    number = min(n + min(offset, 0), m - max(offset, 0))
    key = [slice(None)] * x.ndim
    key[rows] = slice(max(-offset, 0), max(-offset, 0) + number)
    key[columns] = slice(max(offset, 0), max(offset, 0) + number)
    letters[columns] = letters[rows]
    rest = [letters[k] for k in range(x.ndim) if k not in (rows, columns)]
    said = f"{''.join(letters)}->{''.join(rest)}{letters[rows]}"
    return O.einsum(said, x[tuple(key)])


def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    if isinstance(axes, int):
        axes = (range(a.ndim)[a.ndim - axes :], range(axes))
    both = zip((a, b), axes, strict=True)
    pairs = [[k % x.ndim for k in np.atleast_1d(ks)] for x, ks in both]
    first = [*ascii_letters[: a.ndim]]
    second = [*ascii_letters[a.ndim : a.ndim + b.ndim]]
    for i, j in zip(*pairs, strict=True):
        second[j] = first[i]
    summed = {first[i] for i in pairs[0]}
    rest = [c for c in first + second if c not in summed]
    return O.einsum(f"{''.join(first)},{''.join(second)}->{''.join(rest)}", a, b)


def _dot(a: Any, b: Any) -> Any:
    if not np.ndim(a) or not np.ndim(b):
        return a * b
    if max(a.ndim, b.ndim) <= 2:
        return O.matmul(a, b)
    return _tensordot(a, b, axes=([-1], [-2 if b.ndim > 1 else 0]))


def _flat(op: Any) -> Parts:
    """An op along no axis: along that of all elements."""

    def parts(x: Any, *rest: Any, axis: Any = -1) -> Any:
        if axis is not None:
            return None  # which has a twin
        return op(O.reshape(x, shape=-1), *rest, axis=0)

    return parts


def _any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    true = O.not_equal(x, 0).astype(np.int64)
    return O.sum(true, axis=axis, keepdims=keepdims) > 0


# Losses.


def _reduced(loss: Any, reduction: str) -> Any:
    return loss if reduction == "none" else getattr(O, reduction)(loss)


def _binary(o: Any, target: Any, reduction: str = "mean") -> Any:
    wrong = O.relu(o) * (1 - target) + O.relu(-o) * target
    return _reduced(_log1p(O.exp(-O.absolute(o))) + wrong, reduction)


def _nll_loss(
    logp: Any, target: Any, weight: Any = None, ignore_index: int = -100,
    reduction: str = "mean", label_smoothing: float = 0.0,
) -> Any:  # fmt: skip
    classes = logp.shape[-1]
    kept = O.not_equal(target, ignore_index)
    number = O.where(kept, target, 0)
    # A class below 0 would count from the end: beyond the end it is refused.
    number = O.where(number < 0, classes, number).astype(np.int64)
    each = -O.take_along_axis(logp, O.expand_dims(number, axis=-1), axis=-1)[..., 0]
    share = kept.astype(logp.dtype)
    if weight is not None:
        weight = O.astype(weight, dtype=logp.dtype)
        share = share * O.embedding(weight, number)
    each = O.where(kept, each, 0) * share
    if label_smoothing:
        all_ = -O.sum(logp if weight is None else logp * weight, axis=-1)
        even = O.where(kept, all_, 0) * (label_smoothing / classes)
        each = (1 - label_smoothing) * each + even
    if reduction != "mean":
        return _reduced(each, reduction)
    return O.sum(each) / O.sum(share)


PARTS: dict[str, Parts] = {
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1 / x,
    "log1p": _log1p,
    "expm1": _expm1,
    "softplus": _softplus,
    "exp2": lambda x: O.exp(x * np.log(2)),
    "log2": lambda x: O.log(x) / np.log(2),
    "log10": lambda x: O.log(x) / np.log(10),
    "logaddexp": _logaddexp,
    "hypot": lambda a, b: O.sqrt(a * a + b * b),
    "arctan2": _arctan2,
    "isfinite": lambda x: O.logical_not(O.isnan(x) | O.isinf(x)),
    "round": lambda x, decimals=0: O.rint(x * 10.0**decimals) / 10.0**decimals,
    "clip": _clip,
    "logsumexp": _logsumexp,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "var": _var,
    "std": lambda x, **attrs: O.sqrt(_var(x, **attrs)),
    "norm": _norm,
    "layer_norm": _layer_norm,
    "roll": _roll,
    "flip": _flip,
    "swapaxes": _swapaxes,
    "diagonal": _diagonal,
    "trace": lambda x, **attrs: O.sum(_diagonal(x, **attrs), axis=-1),
    "tensordot": _tensordot,
    "dot": _dot,
    "outer": lambda a, b: O.reshape(a, shape=(-1, 1)) * O.reshape(b, shape=(1, -1)),
    "sort": _flat(O.sort),
    "argsort": _flat(O.argsort),
    "take_along_axis": _flat(O.take_along_axis),
    "any": _any,
    "all": lambda x, **attrs: O.logical_not(_any(O.equal(x, 0), **attrs)),
    "mse_loss": lambda o, y, reduction="mean": _reduced((o - y) * (o - y), reduction),
    "binary_cross_entropy": _binary,
    "nll_loss": _nll_loss,
    "cross_entropy": lambda o, *others, **attrs: _nll_loss(
        O.log_softmax(o), *others, **attrs
    ),
}
