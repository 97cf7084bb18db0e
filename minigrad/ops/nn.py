"""Ops of neural networks: softmax and its kin, and the losses.

Losses take o, what the network says, and y, the target, and reduce to their mean
("mean"), their sum ("sum") or not at all ("none").

>>> import minigrad as mg
>>> round(mg.cross_entropy(mg.tensor([[0.0, 0.0]]), [1]).item(), 4)
0.6931
"""

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from minigrad.graph import Node
from minigrad.limits import within
from minigrad.op import Axis, Kept, Op, Rule, op
from minigrad.ops.elementwise import floating
from minigrad.ops.reduction import HALF, spread, spread_mean, total, wide


@op(lambda g, y, x, axis=-1: y * (g - np.sum(wide(g * y), axis=axis, keepdims=True)))
def softmax(x: Any, axis: Axis = -1) -> Any:
    """exp(x) / sum(exp(x)) along ``axis``."""
    x = floating(x)
    if not x.size:  # no largest element
        return x
    shifted = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return (shifted / total(shifted, axis, True)).astype(shifted.dtype, copy=False)


@op(lambda g, y, x, axis=-1: g - np.exp(y) * np.sum(wide(g), axis=axis, keepdims=True))
def log_softmax(x: Any, axis: Axis = -1) -> Any:
    """x - logsumexp(x) along ``axis``."""
    x = floating(x)
    if not x.size:
        return x
    shifted = x - np.max(x, axis=axis, keepdims=True)
    e = np.exp(shifted)
    return (shifted - np.log(total(e, axis, True))).astype(e.dtype, copy=False)


def _per_element(g: Any, x: Any, reduction: str) -> Any:
    """The cotangent of each element's loss from that of the reduced loss."""
    if reduction == "none":
        return g
    return spread_mean(g, x) if reduction == "mean" else spread(g, x)


def _check_reduction(reduction: str) -> None:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f'reduction is "mean", "sum" or "none", got {reduction!r}')


def _require_some(reduction: str, shape: tuple[int, ...]) -> None:
    """Refuse the mean over targets of a shape that holds none."""
    _check_reduction(reduction)
    if reduction == "mean" and 0 in shape:
        raise ValueError(
            f"the batch is empty: there are losses of shape {shape}, and the mean of "
            "none is no number"
        )


def require_one_shape(name: str, o: Any, target: Any) -> None:
    """Refuse targets of another shape than what the network says.

    Raises ValueError with the loss's name and both shapes.

    >>> require_one_shape("mse_loss", np.ones(2), np.zeros(2))
    """
    if np.shape(o) != np.shape(target):
        raise ValueError(
            f"{name}: o has shape {np.shape(o)} and y {np.shape(target)}; they must "
            "agree, since broadcasting one against the other would average wrong pairs"
        )


def _reduced(loss: Any, reduction: str) -> Any:
    _require_some(reduction, loss.shape)
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
    """(o - y)², element by element; both have the same shape.

    Raises ValueError for other shapes.
    """
    require_one_shape("mse_loss", o, target)
    if np.result_type(o, target).kind != "f":
        o = floating(o)
    return _reduced(np.square(np.subtract(o, target)), reduction)


# What the losses of classes take beside their operands.
OPTIONS: dict[str, Any] = {
    "ignore_index": -100, "reduction": "mean", "label_smoothing": 0.0
}  # fmt: skip


def _unweighted(target: Any, o: Any, options: dict[str, Any]) -> Any:
    """What each class of each row counts where all classes weigh alike."""
    return target_weights(target, o, **OPTIONS | options | {"reduction": "sum"})


def _over_rows(x: Any) -> Any:
    """The sum over all axes but the classes, which are the last one."""
    return np.sum(np.reshape(x, (-1, x.shape[-1])), axis=0)


def _weights_of_targets(
    g: Any, y: Any, target: Any, o: Any, weight: Any, **options: Any
) -> Any:
    """The cotangent of the class weights in ``target_weights``."""
    each = _over_rows(g * _unweighted(target, o, options))
    if options.get("reduction", "mean") != "mean":
        return each
    counts = _over_rows(_unweighted(target, o, options | {"label_smoothing": 0.0}))
    return (each - np.sum(g * y) * counts) / _weight_of(counts, weight)


def _weight_of(counts: Any, weight: Any) -> Any:
    """The weight of all targets that are kept; 1 where none is, which has no share."""
    return np.where(np.sum(counts) == 0, 1.0, np.sum(counts * weight))


@op(None, None, _weights_of_targets)
def target_weights(
    target: Any,
    o: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """q, shaped as o, such that the summed loss is -sum(q log softmax(o)).

    Each row has the weight of its class at its target (with label smoothing eps 1 - eps
    of it, and eps / classes of its weight at every class) and zeros where the target is
    ignored. For the mean it is divided by the sum of the weights of the targets. Of
    float16 it is float32, which holds that sum and its inverse.

    Raises ValueError for a weight of another shape.
    """
    target = np.expand_dims(target, -1)
    classes = np.arange(o.shape[-1])
    kind = np.result_type(o.dtype, np.float32)
    picked = (target == classes).astype(kind)
    kept = (target != ignore_index).astype(kind)
    _check_weight(weight, len(classes))
    weights = np.ones((), kind) if weight is None else np.asarray(weight, kind)
    # As PyTorch: an ignored target is ignored even where its number is a class.
    q = picked * kept * weights
    whole = np.sum(q)
    if label_smoothing:
        q = (1 - label_smoothing) * q
        q += label_smoothing / len(classes) * kept * weights
    if reduction != "mean":
        return q
    # Weights that are all zero give NaN, as PyTorch, except where targets are ignored.
    with np.errstate(invalid="ignore"):
        return np.where(kept, q / whole, 0)


# A number that no class has and no target: none is ignored.
IGNORE_NOTHING = -(2**31)


def _check_weight(weight: Any, classes: int) -> None:
    if weight is not None and np.shape(weight) != (classes,):
        raise ValueError(
            f"the weight of cross_entropy and nll_loss has a number for each of the "
            f"{classes} classes, shape ({classes},): got {np.shape(weight)}; of single "
            'targets take reduction="none", and weigh the losses'
        )


def _no_classes(name: str) -> ValueError:
    return ValueError(
        f"{name}: o is (..., classes) and its last axis holds the classes; got a "
        "single number"
    )


UNSIGNED = {c: c.upper() for c in np.typecodes["AllInteger"]}


def kept_targets(name: str, o: Any, target: Any, ignore_index: int) -> Any:
    """Where targets are not ignored: an array of booleans, or None for everywhere.

    Raises ValueError for targets that are not class numbers of o.

    >>> o = np.zeros((2, 3))
    >>> kept_targets("nll_loss", o, np.array([0, -100]), -100).tolist()
    [True, False]
    >>> kept_targets("nll_loss", o, np.array([0, 2]), -100) is None
    True
    """
    if not o.ndim:
        raise _no_classes(name)
    if target.dtype.kind not in "iu" or target.shape != o.shape[:-1]:
        hint = ""
        if target.shape == o.shape:
            hint = "; a one-hot y becomes y.argmax(-1)"
        elif target.shape == o.shape[:-1]:
            hint = "; write y.astype(int)"
        elif target.shape == (*o.shape[:-1], 1):
            hint = "; write y[..., 0]"
        raise ValueError(
            f"{name}: for o of shape {o.shape} the target holds class numbers, "
            f"integers of shape {o.shape[:-1]}; got {target.dtype} of shape "
            f"{target.shape}{hint}"
        )
    if not target.size:
        return None
    # As unsigned numbers, of which the negative ones are the largest.
    high = np.maximum.reduce(target.view(UNSIGNED[target.dtype.char]), None)
    if high < o.shape[-1] and not 0 <= ignore_index <= high:
        return None
    kept = target != ignore_index
    known = target[kept]
    if known.size and not 0 <= known.min() <= known.max() < o.shape[-1]:
        raise wrong_class(name, known, o.shape[-1], ignore_index)
    return kept


def wrong_class(name: str, known: Any, classes: int, ignore_index: int) -> ValueError:
    """The error for targets that are no class numbers.

    >>> wrong_class("nll_loss", np.array([0, 5]), 3, -100)
    ValueError('nll_loss: class numbers lie in 0..2, got 0..5')
    """
    hint = ""
    if ignore_index == IGNORE_NOTHING and known.min() < 0:
        hint = (
            "; a step's loss ignores none, since its model divides by all steps: "
            "write mg.cross_entropy(model(xs), ys), or leave the ends of sequences out "
            "with lengths=, and any class number there"
        )
    return ValueError(
        f"{name}: class numbers lie in 0..{classes - 1}, got "
        f"{known.min()}..{known.max()}{hint}"
    )


def _per_row(g: Any, target: Any, reduction: str) -> Any:
    """The cotangent of each row's loss, with an axis for the classes."""
    g = g if reduction == "none" else spread(g, target)
    return np.expand_dims(g, -1)


def _negative_likelihood(logp: Any, q: Any, kept: Any, reduction: str) -> Any:
    # A class without weight adds nothing, also where log p is -inf.
    loss = -np.sum(np.where(q == 0, 0.0, logp) * q, axis=-1)
    if reduction == "mean" and kept is not None and not kept.any():
        loss = loss * np.nan  # the mean of nothing, as PyTorch
    loss = loss if reduction == "none" else np.sum(loss)
    return loss.astype(logp.dtype, copy=False)


def _by_weight(
    g: Any, y: Any, logp: Any, target: Any, weight: Any, **options: Any
) -> Any:
    """The cotangent of the class weights, for a loss of log-probabilities."""
    counts = _unweighted(target, logp, options)
    losses = -np.where(counts == 0, 0.0, logp) * counts
    reduction = options.get("reduction", "mean")
    if reduction != "mean":
        return _over_rows(_per_row(g, target, reduction) * losses)
    kept = _over_rows(_unweighted(target, logp, options | {"label_smoothing": 0.0}))
    loss = np.where(np.sum(kept) == 0, 0.0, y)  # NaN, where no target is kept
    return g * (_over_rows(losses) - loss * kept) / _weight_of(kept, weight)


@op(
    lambda g, y, logp, target, weight=None, ignore_index=-100, reduction="mean": (
        -_per_row(g, target, reduction)
        * target_weights(
            target, logp, weight, ignore_index=ignore_index, reduction=reduction
        )
    ),
    None,
    lambda g, y, logp, target, weight, **options: _by_weight(
        g, y, logp, target, weight, **options
    ),
)
def nll_loss(
    logp: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:
    """-logp[y]: logp of shape (..., classes), y integers of shape (...).

    weight, shape (classes,), an operand, multiplies the loss of each target's class,
    and "mean" divides by the sum of these weights; targets equal to ignore_index count
    as nothing.
    Where all are, the mean is NaN and its gradient 0, as in PyTorch.

    Raises ValueError for targets that are no class numbers and for another reduction.
    """
    logp, target = floating(logp), np.asarray(target)
    kept = kept_targets("nll_loss", logp, target, ignore_index)
    _require_some(reduction, target.shape)
    q = target_weights.forward(target, logp, weight, ignore_index, reduction)
    return _negative_likelihood(logp, q, kept, reduction)


def _shifted(o: Any) -> tuple[Any, Any, Any]:
    """o less its largest along the classes, the exponentials of that, and their sum."""
    z = o - np.maximum.reduce(o, -1, keepdims=True)
    e = np.exp(z)
    if e.dtype == HALF or not e.flags.c_contiguous:
        return z, e, total(e, -1)
    return z, e, e.dot(_ones(e.shape[-1], e.dtype))  # several times as fast


@lru_cache(16)
def _ones(n: int, dtype: Any) -> Any:
    ones = np.ones(n, dtype)
    ones.setflags(write=False)
    return ones


def _at_targets(o: Any, target: Any, kept: Any) -> Any:
    """Where in o, flattened, each row has its target (the first, if it is ignored)."""
    index = target if kept is None else np.where(kept, target, 0)
    starts = _starts(o.size, o.shape[-1])
    return np.add(starts, index.reshape(-1), dtype=np.intp, casting="unsafe")


@lru_cache(16)
def _starts(size: int, classes: int) -> Any:
    """Where each row of an array that is laid out by rows begins."""
    starts = np.arange(0, size, classes)
    starts.setflags(write=False)
    return starts


class _Rows(NamedTuple):
    """What is known of the rows of o after the forward pass of ``_picked``."""

    e: Any  # exp(o - max), and the sum of each row
    sums: Any
    at: Any  # where the targets are in it, flattened
    kept: Any  # which rows are not ignored; None: all
    count: Any  # how many


def _picked(o: Any, target: Any, kept: Any, reduction: str) -> tuple[Any, _Rows]:
    """Cross-entropies where all targets weigh alike: only theirs are computed."""
    z, e, sums = _shifted(o)
    at = _at_targets(o, target, kept)
    loss = np.log(sums.reshape(-1)) - z.reshape(-1)[at]
    if kept is not None:
        loss = np.where(kept.reshape(-1), loss, 0)
    count = target.size if kept is None else int(np.add.reduce(kept, None))
    if reduction == "none":
        loss = loss.reshape(target.shape)
    else:
        loss = loss.dot(_ones(loss.size, loss.dtype))
        if reduction == "mean":
            loss = loss / count if count else np.asarray(np.nan)  # as PyTorch
    if loss.dtype is not o.dtype:
        loss = loss.astype(o.dtype)
    # Laid out row by row for its rule, which counts it flattened.
    return loss, _Rows(np.ascontiguousarray(e), sums, at, kept, count)


def _from_rows(
    rows: _Rows, g: Any, y: Any, o: Any, *others: Any, reduction: str = "mean", **_: Any
) -> Any:
    """The rule below on arrays, where all targets weigh alike: softmax(o), less 1 at y.

    A target that is ignored gets zeros.
    """
    g = wide(g)
    if reduction == "mean":
        g = g / max(rows.count, 1)
    if rows.kept is not None:
        g = np.where(rows.kept, g, 0)
    d = rows.e * (g / rows.sums)[..., None]
    d.reshape(-1)[rows.at] -= g.reshape(-1)
    return d


def _cross_entropy_rule(
    g: Any, y: Any, o: Any, target: Any, weight: Any = None, **options: Any
) -> Any:
    options = OPTIONS | options
    q = target_weights(target, o, weight, **options)
    rows = np.sum(q, axis=-1, keepdims=True)
    return _per_row(g, target, options["reduction"]) * (softmax(o) * rows - q)


def _cross_entropy_by_weight(
    g: Any, y: Any, o: Any, target: Any, weight: Any, **options: Any
) -> Any:
    return _by_weight(g, y, log_softmax(o), target, weight, **options)


class CrossEntropy(Op):
    """The op cross_entropy; a target of probabilities goes to the formula for them.

    >>> import minigrad as mg
    >>> isinstance(mg.cross_entropy, CrossEntropy)
    True
    >>> o = np.zeros((1, 2))
    >>> [float(mg.cross_entropy(o, y).round(4)) for y in ([1], [[0.5, 0.5]])]
    [0.6931, 0.6931]
    """

    def __call__(self, *args: Any, **attrs: Any) -> Any:
        """Compute, and record if an operand is a Tensor."""
        o = args[0] if args else attrs.get("o")
        target = args[1] if len(args) > 1 else attrs.get("target")
        if _is_distribution(o, target):
            return _with_probabilities(*args, **attrs)
        return super().__call__(*args, **attrs)

    def _forward(self, values: list[Any], attrs: dict[str, Any]) -> Any:
        """The value, with the exponentials where all targets weigh alike."""
        if len(values) > 2 or attrs.get("label_smoothing"):
            return self.forward(*values, **attrs)
        return Kept(*_unweighted_cross_entropy(*values, **attrs))

    def array_rules(self, node: Node) -> Sequence[Rule | None]:
        """The rules, of which the first uses what the forward pass has kept."""
        if not hasattr(node, "kept"):
            return super().array_rules(node)
        rows = node.kept
        if rows is None:  # forgotten: the same work once more, for the same numbers
            _, rows = self._forward([i.value for i in node.inputs], node.attrs)
        return partial(_from_rows, rows), None


def _is_distribution(o: Any, target: Any) -> bool:
    target = target if hasattr(target, "dtype") else np.asarray(target)
    return bool(target.dtype.kind == "f" and target.shape == np.shape(o))


def _unweighted_cross_entropy(
    o: Any, target: Any, ignore_index: int = -100, reduction: str = "mean", **_: Any
) -> tuple[Any, _Rows]:
    """Cross-entropies where all targets weigh alike, and what their rule can use."""
    o, target = np.asarray(o), np.asarray(target)
    if o.dtype.kind != "f":
        o = floating(o)
    kept = kept_targets("cross_entropy", o, target, ignore_index)
    _require_some(reduction, target.shape)
    return _picked(o, target, kept, reduction)


@lambda forward: CrossEntropy(
    forward, _cross_entropy_rule, None, _cross_entropy_by_weight
)
def cross_entropy(
    o: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """-log softmax(o)[y]: o of shape (..., classes), y integers of shape (...).

    Or y is of o's shape, floating point: -sum(y log softmax(o)) over the classes, with
    a gradient by y, too.

    weight, ignore_index and reduction are those of nll_loss; label_smoothing eps mixes
    the targets with eps parts of the uniform distribution (all as PyTorch defines them,
    except that the classes are always the last axis).

    Raises ValueError for targets that are no class numbers and for a setting that there
    is not, TypeError for one that is no number.
    """
    if weight is None and not label_smoothing:
        return _unweighted_cross_entropy(o, target, ignore_index, reduction)[0]
    o, target = floating(o), np.asarray(target)
    kept = kept_targets("cross_entropy", o, target, ignore_index)
    _require_some(reduction, target.shape)
    within("label_smoothing", label_smoothing, "[0, 1]")
    q = target_weights.forward(
        target, o, weight, ignore_index, reduction, label_smoothing
    )
    return _negative_likelihood(log_softmax.forward(o), q, kept, reduction)


def _with_probabilities(
    o: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """-sum(y log softmax(o)) over the classes; the mean is over all that is left.

    A class without weight adds nothing, also where its log is -inf.
    """
    _check_reduction(reduction)
    if ignore_index == IGNORE_NOTHING:
        raise ValueError(
            "cross_entropy: the targets of a step are class numbers, y(t) of shape "
            f"(batch,), and these are vectors {np.shape(target)}: of unit vectors pass "
            "ys.argmax(-1)"
        )
    if ignore_index != -100:
        raise ValueError(
            "cross_entropy: ignore_index is a class number, and this target holds "
            "probabilities; a row of zeros counts as nothing"
        )
    o = floating(o)
    if not o.ndim:
        raise _no_classes("cross_entropy")
    _check_weight(weight, o.shape[-1])
    if label_smoothing:
        within("label_smoothing", label_smoothing, "[0, 1]")
        uniform = label_smoothing / o.shape[-1]
        target = target * (1 - label_smoothing) + uniform
    if weight is not None:
        known = hasattr(weight, "node")
        target = target * (weight if known else np.asarray(weight, o.dtype))
    logp = log_softmax(o)
    nothing = np.logical_and(target == 0, logp == -np.inf)
    loss = -np.sum(target * np.where(nothing, 0.0, logp), axis=-1)
    return _reduced(loss, reduction)


def _normalised(x: Any, axis: Any, eps: float) -> tuple[Any, Any]:
    """(x - mean) / sd over ``axis``, and the sd with eps under its root."""
    x = wide(x)
    centred = x - np.mean(x, axis=axis, keepdims=True)
    sd = np.sqrt(np.mean(centred * centred, axis=axis, keepdims=True) + eps)
    return centred / sd, sd


def _layer_norm_rule(g: Any, x: Any, gain: Any, axis: Any, eps: float) -> Any:
    unit, sd = _normalised(x, axis, eps)
    g = wide(g) * gain
    along = unit * np.mean(g * unit, axis=axis, keepdims=True)
    return (g - np.mean(g, axis=axis, keepdims=True) - along) / sd


@op(
    lambda g, y, x, gain, bias, axis=-1, eps=1e-5: _layer_norm_rule(
        g, x, gain, axis, eps
    ),
    lambda g, y, x, gain, bias, axis=-1, eps=1e-5: g * _normalised(x, axis, eps)[0],
    lambda g, y, x, gain, bias, axis=-1, eps=1e-5: g,
)
def layer_norm(
    x: Any, gain: Any = 1.0, bias: Any = 0.0, axis: Axis = -1, eps: float = 1e-5
) -> Any:
    """gain (x - mean) / sqrt(var + eps) + bias, mean and var over ``axis``."""
    y = _normalised(np.asarray(x), axis, eps)[0] * gain + bias
    return y.astype(np.result_type(x, gain, bias)) if x.dtype == np.float16 else y
