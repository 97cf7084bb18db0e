"""Rules that open composites into parts, and arrays over all steps into steps.

known_shape  what reads a value for its shape alone is told the shape
narrow       what meets an array of the result's shape need not be broadcast to it
open_losses  softmax and cross-entropy as parts that they share
open_norms   layer_norm as the parts that its gradient computes too
by_step      an array over all steps, used step by step, becomes timed lines
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from minigrad.compile import kernels
from minigrad.compile.counts import Steps
from minigrad.compile.kinds import (
    ALONG,
    DETACHED,
    ROWWISE,
    O,
    batched,
    is_elementwise,
    is_ufunc,
    is_view,
)
from minigrad.compile.values import (
    Kernel,
    Time,
    Value,
    apply,
    constant,
    each,
    over,
    read,
    shift,
    total,
)
from minigrad.op import Op
from minigrad.ops.reduction import axes_of

# Shapes that are known.


def known_shape(v: Value) -> Value | None:
    """spread(a, x) -> broadcast_to(a, shape), and others that read x for its shape."""
    match v:
        case Value(O.spread, (a, _), attrs):
            return _opened(a, v, attrs)
        case Value(O.spread_mean, (a, x), attrs):
            many, few = _size(x.shape), _size(a.shape)
            if many is None or not few:
                return _opened(apply(kernels.share, a, x), v, attrs)
            number = constant(many / few)
            return _opened(apply(O.divide, a, number), v, attrs)
        case Value(O.reshape_like, (a, _)):
            return Value(O.reshape, (a,), {"shape": v.shape}, v.shape, v.dtype, v.steps)
        case Value(O.swapaxes, (a,), attrs) if len(a.shape) == 2:
            axes = {attrs["axis1"] % 2, attrs["axis2"] % 2}
            return replace(v, op=O.transpose, attrs={}) if len(axes) == 2 else a
        case Value(O.scatter_n, inputs, attrs):
            return _tiled(v, inputs, attrs["keys"])
        case Value(Op() as op, (only,)) if op is O.add_n or op.name in DETACHED:
            return only if only.dtype == v.dtype else None  # gradients are recorded
    return None


def _size(shape: Sequence[Any]) -> int | None:
    sizes = [n for n in shape if isinstance(n, int)]
    return int(np.prod(sizes)) if len(sizes) == len(shape) else None


def _opened(a: Value, v: Value, attrs: Any) -> Value:
    """a, reduced from the shape of v, with its axes put back, and broadcast."""
    axis = attrs.get("axis")
    if axis is not None and not attrs.get("keepdims") and v.shape:
        axes = axes_of(axis, len(v.shape))
        shape = tuple([1 if i in axes else n for i, n in enumerate(v.shape)])
        if a.shape != shape:
            a = Value(O.reshape, (a,), {"shape": shape}, shape, a.dtype, a.steps)
    if a.shape == v.shape:
        return a
    return Value(O.broadcast_to, (a,), {"shape": v.shape}, v.shape, v.dtype, v.steps)


def _tiled(v: Value, inputs: tuple[Value, ...], keys: Any) -> Value | None:
    """A scatter whose pieces tile an axis lays them side by side: no zeros, no sum."""
    if None in keys[1:] or any(i.dtype != v.dtype for i in inputs[1:]):
        return None
    found = tiles(keys[1:], v.shape)
    if found is None:
        return None
    axis, order = found
    parts = tuple([inputs[1 + k] for k in order])
    if len(parts) == 1:
        return parts[0]
    return Value(O.concatenate, parts, {"axis": axis}, v.shape, v.dtype, v.steps)


def tiles(keys: Any, shape: Sequence[Any]) -> tuple[int, list[int]] | None:
    """The axis that slices tile without gap or overlap, and their order along it."""
    cuts = []
    for key in keys:
        parts = key if isinstance(key, tuple) else (key,)
        found = [(a, p) for a, p in enumerate(parts) if p != slice(None)]
        axis, part = found[0] if found else (0, None)
        if len(parts) > len(shape) or len(found) > 1 or not isinstance(part, slice):
            return None
        kinds = {type(e) for e in (part.start, part.stop, shape[axis])}
        if part.step is not None or not kinds <= {int, type(None)}:
            return None
        cuts.append((axis, *part.indices(shape[axis])[:2]))
    order = sorted(range(len(cuts)), key=cuts.__getitem__)
    axes = {axis for axis, _, _ in cuts}
    starts, stops = ([cuts[i][k] for i in order] for k in (1, 2))
    tiled = len(axes) == 1 and [*starts, shape[min(axes)]] == [0, *stops]
    return (min(axes), order) if tiled else None


def narrow(v: Value) -> Value | None:
    """f(a, broadcast_to(b)) -> f(a, b), where a has the shape of the result already."""
    match v:
        case Value(Op() as op, inputs) if is_ufunc(op) and len(inputs) > 1:
            bare = [_unspread(i) for i in inputs]
            if bare != list(inputs) and any(
                b is i and i.shape == v.shape for b, i in zip(bare, inputs, strict=True)
            ):
                return replace(v, inputs=tuple(bare))
        case Value(kernels.gradient, (e, s, y, weight)):
            bare_weight = _unspread(weight)
            if bare_weight is not weight and not bare_weight.shape:
                return replace(v, inputs=(e, s, y, bare_weight))
        case Value(Op(), (Value(O.broadcast_to, (c,)),)) if (
            is_view(v) and not c.shape and v.op is not O.broadcast_to
        ):
            return Value(
                O.broadcast_to, (c,), {"shape": v.shape}, v.shape, v.dtype, v.steps
            )
        case Value(Time.read, (Value(O.broadcast_to, (c,)),)) if not c.shape:
            if not v.shape:
                return each(c, v.span)
            return apply(O.broadcast_to, each(c, v.span), shape=v.shape)
    return None


def _unspread(i: Value) -> Value:
    """What was broadcast, seen at the same steps."""
    if i.op is O.broadcast_to:
        return i.inputs[0]
    if i.op is Time.each and i.inputs[0].op is O.broadcast_to:
        return each(i.inputs[0].inputs[0], i.span)
    return i


# Losses.


def open_losses(v: Value) -> Value | None:
    """softmax and cross-entropy by the exponentials that they share.

    With o shifted by its largest to z, e = exp(z) and s the sum of e, the losses are
    log s - z[y], softmax is e / s, and the gradient takes 1 off it at y.
    """
    match v:
        case Value(O.softmax, (o,), attrs) if _of_last(o, attrs.get("axis", -1)):
            _, e, s = _exponentials(o)
            return Value(O.divide, (e, s), {}, v.shape, v.dtype, v.steps)
        case Value(O.cross_entropy, (o, y), attrs) if _is_plain(o, y, attrs):
            z, _, s = _exponentials(o)
            loss = apply(kernels.losses, z, s, y, **_ignored(attrs))
            reduction = attrs.get("reduction", "mean")
            if reduction == "none":
                return loss
            summed = apply(O.sum, loss) if loss.shape else loss
            if reduction == "sum":
                return summed
            return apply(O.divide, summed, _number_kept(y, o, attrs))
        case Value(O.multiply, (g, Value(O.subtract, (row, q)))):
            return _open_gradient(g, row, q)
    return None


def _open_gradient(g: Value, row: Value, q: Value) -> Value | None:
    """g (softmax(o) sum(q) - q), q the weights of the targets."""
    match row, q:
        case (
            Value(O.multiply, (Value(O.divide, (e, Value(O.sum, (e2,)) as s)), summed)),
            Value(O.target_weights, (y, o), attrs),
        ) if (
            e is e2 and e.op is O.exp and _is_plain(o, y, attrs)
            and summed.op is O.sum and summed.inputs == (q,)
        ):  # fmt: skip
            if attrs.get("reduction", "mean") == "mean":
                bare = _unspread(g)
                g = apply(
                    O.divide, bare if not bare.shape else g, _number_kept(y, o, attrs)
                )
            if g.shape not in ((), s.shape):
                return None
            return apply(kernels.gradient, e, s, y, g, **_ignored(attrs))
    return None


def _exponentials(o: Value) -> tuple[Value, Value, Value]:
    row = {"axis": -1, "keepdims": True}
    z = apply(kernels.shift, o)
    e = apply(O.exp, z)
    return z, e, apply(O.sum, e, **row)


# float16 sums in float32, and whole numbers are made floats by the op itself.
SHIFTED = frozenset({"float32", "float64"})


def _of_last(o: Value, axis: Any) -> bool:
    whole = bool(o.shape) and 0 not in o.shape and o.dtype in SHIFTED
    return whole and axis in (-1, len(o.shape) - 1)


def _is_plain(o: Value, y: Value, attrs: Any) -> bool:
    """Whether targets are class numbers that weigh alike."""
    if y.shape != o.shape[:-1] or not y.dtype.startswith(("int", "uint")):
        return False
    classes = isinstance(o.shape[-1], int) and 0 not in o.shape
    return classes and o.dtype in SHIFTED and not attrs.get("label_smoothing")


def _ignored(attrs: Any) -> dict[str, int]:
    return {"ignore_index": attrs.get("ignore_index", -100)}


def _number_kept(y: Value, o: Value, attrs: Any) -> Value:
    options = {"classes": o.shape[-1], "dtype": o.dtype, **_ignored(attrs)}
    return apply(kernels.number_kept, y, **options)


def open_norms(v: Value) -> Value | None:
    """layer_norm(x) -> (x - mean) / sqrt(mean((x - mean)^2) + eps) gain + bias."""
    match v:
        case Value(O.layer_norm, (x, gain, bias), attrs) if (
            x.dtype == v.dtype and v.dtype in SHIFTED
        ):
            row = {"axis": attrs.get("axis", -1), "keepdims": True}
            centred = apply(O.subtract, x, apply(O.mean, x, **row))
            variance = apply(O.mean, apply(O.multiply, centred, centred), **row)
            eps = constant(float(attrs.get("eps", 1e-5)))
            unit = apply(O.divide, centred, apply(O.sqrt, apply(O.add, variance, eps)))
            return apply(O.add, apply(O.multiply, unit, gain), bias)
    return None


# An array over all steps, of which each step is used alone, becomes timed lines.


def by_step(v: Value) -> Value | None:
    """f(over(a), ys, c) -> over(f(a(t), ys(t), c)); reads and sums end what over is.

    The one rule for stacked losses: the stack moves outward through all that acts on
    each step alone, until somebody reads a step of it or sums over the steps.
    """
    match v:
        case Value(Time.read, (Value(Time.over, (h,)),), {"down": False}) if (
            v.span.clock == h.span.clock and not h.span.first.a
        ):
            return shift(h, 1 - h.span.first.b - v.attrs["offset"], v.span)
        case Value(O.sum, (Value(Time.over, (h,)),), attrs) if not attrs.get(
            "keepdims"
        ) and 0 in axes_of(attrs.get("axis"), len(h.shape) + 1):
            axes = axes_of(attrs.get("axis"), len(h.shape) + 1)
            rest = tuple([a - 1 for a in axes if a])
            whole = {} if len(rest) == len(h.shape) else {"axis": rest}
            return total(apply(O.sum, h, **whole) if rest else h)
        case Value(Op() | Kernel() as op, inputs) if v.steps is None and inputs:
            stacks = [i for i in inputs if i.op is Time.over]
            steps = stacks[0].inputs[0].span if stacks else None
            if steps is None or v.shape[:1] != (steps.number,):
                return None
            if any(s.inputs[0].steps != steps for s in stacks) or not _acts_alone(v):
                return None
            attrs = _attrs_of_step(v)
            given = [_step_of(i, steps, len(v.shape)) for i in inputs]
            found = tuple([i for i in given if i is not None])
            if attrs is not None and len(found) == len(given):
                return over(Value(op, found, attrs, v.shape[1:], v.dtype, steps))
    return None


def _acts_alone(v: Value) -> bool:
    if v.op in ROWWISE:
        return v.attrs.get("reduction", "mean") == "none" and len(v.inputs) == 2
    return (
        is_elementwise(v.op)
        or (isinstance(v.op, Kernel) and len(v.inputs[0].shape) > 1)
        or v.op in (O.matmul, O.sum, O.max, O.softmax, O.log_softmax, O.logsumexp)
        or v.op in (O.expand_dims, O.swapaxes, O.broadcast_to, O.embedding, O.getitem)
    )  # fmt: skip


def _attrs_of_step(v: Value) -> Any:
    """The attributes for one step, such that batched they are those of v."""
    attrs: dict[str, Any] = dict(v.attrs)
    ndim = len(v.inputs[0].shape)
    if v.op in (O.matmul, O.embedding):
        return attrs
    if v.op is O.broadcast_to:
        return {"shape": v.shape[1:]}
    if v.op is O.getitem:
        key = attrs["key"]
        whole = isinstance(key, tuple) and key[:1] == (slice(None),)
        return {"key": key[1:]} if whole and is_view(v) else None
    for name in ("axis", "axis1", "axis2"):
        if name in attrs or (name == "axis" and v.op in ALONG):
            axis = attrs.get(name, ALONG.get(v.op))
            axes = axis if isinstance(axis, tuple) else (axis,)
            size = ndim + len(axes) * (v.op is O.expand_dims)
            if axis is None or any(a % size == 0 for a in axes):
                return None
            less = tuple([a % size - 1 for a in axes])
            attrs[name] = less if isinstance(axis, tuple) else less[0]
    if not is_elementwise(v.op) and batched(v.op, attrs, v.inputs[0].shape[1:]) is None:
        return None
    return attrs


def _step_of(x: Value, steps: Steps, ndim: int) -> Value | None:
    """One step of an operand: of a stack, of an array with time first, or all of it."""
    if x.op is Time.over:
        return x.inputs[0]
    rows = x.shape[:1] == (steps.number,) and not steps.first.a
    if rows and (len(x.shape) == ndim or x.dtype.startswith("int")):
        return read(x, steps, 1 - steps.first.b)
    return each(x, steps) if len(x.shape) < ndim else None
