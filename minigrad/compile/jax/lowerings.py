"""What each op is in JAX: the same function of arrays, written with ``jax.numpy``.

An op whose forward function is one of NumPy's of elements is the one of that name in
JAX, and so are those of ``SAME`` and ``NN``. All others have a function here, or bring
their own: ``Op(forward, rule, lowerings={"jax": function})``.

>>> import numpy as np
>>> lowering(O.tanh), lowering(O.sum), lowering(O.softmax)
('jnp.tanh', 'jnp.sum', 'nn.softmax')
>>> str(lowering(kernels.column_sums)(np.ones((3, 2))))
'[3. 3.]'
"""

from collections.abc import Callable
from functools import reduce
from math import prod
from operator import add
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, nn

from minigrad.compile import kernels
from minigrad.compile.backend import EngineError
from minigrad.compile.kinds import O, is_ufunc
from minigrad.compile.values import AnyOp
from minigrad.op import Op
from minigrad.ops.indexing import filled, places_in
from minigrad.ops.shape import pad_of_axis


class LoweringError(EngineError):
    """An op that has no function in JAX; it says how to give one."""


# Ops whose JAX function of the same name takes the same and means the same.
SAME = frozenset(
    [O.where, O.concatenate, O.stack, O.flip, O.swapaxes, O.expand_dims, O.squeeze,
     O.sum, O.mean, O.max, O.min, O.prod, O.var, O.std, O.cumsum, O.cumprod, O.any,
     O.all, O.argmax, O.argmin, O.argsort, O.sort, O.round, O.roll, O.diagonal,
     O.trace, O.reshape, O.transpose, O.broadcast_to, O.tensordot, O.outer, O.dot,
     O.matmul, O.take_along_axis, O.clip]
)  # fmt: skip
NN = frozenset([O.sigmoid, O.relu, O.softplus, O.softmax, O.log_softmax, O.logsumexp])
Function = Callable[..., Any]


def lowering(op: AnyOp) -> str | Function:
    """The name of an op's function in JAX, or the function.

    Raises LoweringError where there is none.
    """
    given = op.lowerings.get("jax") if isinstance(op, Op) else op.forward
    found = OWN.get(op) or given
    if found is not None:
        return found
    name = op.forward.__name__ if is_ufunc(op) else op.name
    if op in NN or ((op in SAME or is_ufunc(op)) and hasattr(jnp, name)):
        return f"{'nn' if op in NN else 'jnp'}.{name}"
    raise LoweringError(
        f"the jax engine has no function for the op {op.name}: declare the op with "
        'lowerings={"jax": f}, f like its forward function but written with jax.numpy'
    )


def _transposed(function: Function, a: Any, x: Any) -> Any:
    """What a linear function of arrays like x sends back to them."""
    y, back = jax.vjp(function, jnp.zeros(jnp.shape(x), a.dtype))
    return back(jnp.broadcast_to(a, y.shape))[0]


def _wide(x: Any) -> Any:
    return x.astype(np.float32) if x.dtype == np.float16 else x


# Shapes.


def _count(x: Any, axis: Any = None) -> Any:
    axes = range(x.ndim) if axis is None else np.atleast_1d(axis)
    kind = np.float32 if x.dtype == np.float16 else x.dtype
    return jnp.asarray(prod(x.shape[a] for a in axes), kind)


def _share(a: Any, like: Any) -> Any:
    return (_wide(a) / (jnp.size(like) / (a.size or 1))).astype(a.dtype)


def _spread(a: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    if not keepdims and axis is not None and jnp.ndim(x):
        a = jnp.expand_dims(a, tuple(k % jnp.ndim(x) for k in np.atleast_1d(axis)))
    return jnp.broadcast_to(a, jnp.shape(x))


def _beyond(x: Any) -> Any:
    """How far right of the diagonal each element of the last two axes is."""
    rows, columns = map(np.arange, (x.shape * 2)[-2:])
    return columns - rows[:, None]


def _pad(x: Any, value: Any = None, pad_width: Any = 0, mode: str = "constant",
         constant_values: Any = 0, end_values: Any = 0) -> Any:  # fmt: skip
    options = {
        "constant": {"constant_values": constant_values if value is None else value},
        "linear_ramp": {"end_values": end_values},
    }
    widths = [pad_of_axis(pad_width, axis, x.ndim) for axis in range(x.ndim)]
    return jnp.pad(x, widths, mode, **options.get(mode, {})) if widths else x


# Indices, which have been looked at: see ``checks``. And products.


def _take(x: Any, index: Any, axis: int | None = None, mode: str = "raise") -> Any:
    return jnp.take(x, index, axis, mode="fill" if mode == "raise" else mode)


def _scatter_n(xs: Any, keys: Any = ()) -> Any:
    y = jnp.zeros_like(xs[0])
    indices = iter(xs[len(xs) - sum(map(places_in, keys)) :])
    for cotangent, key in zip(xs, keys, strict=True):
        if key is not None:
            own = [next(indices) for _ in range(places_in(key))]
            y = y.at[filled(key, own)].add(cotangent)
    return y


def _linear_recurrence(a: Any, b: Any, axis: int = -1) -> Any:
    a, b = jnp.moveaxis(a, axis, 0), jnp.moveaxis(b, axis, 0)

    def step(s: Any, now: Any) -> Any:
        s = now[0] * s + now[1]
        return s, s

    return jnp.moveaxis(
        lax.scan(step, jnp.zeros(b.shape[1:], b.dtype), (a, b))[1], 0, axis
    )


def _conv1d(x: Any, w: Any, stride: int = 1, padding: Any = 0, dilation: int = 1,
            groups: int = 1) -> Any:  # fmt: skip
    margins = padding.upper() if isinstance(padding, str) else [(padding, padding)]
    options = {"rhs_dilation": (dilation,), "feature_group_count": groups}
    y = lax.conv_general_dilated(
        x.reshape(-1, *x.shape[-2:]), w, (stride,), margins, **options
    )
    return y.reshape(*x.shape[:-2], *y.shape[1:])


# Losses and norms.


def _layer_norm(x: Any, gain: Any = 1.0, bias: Any = 0.0, axis: Any = -1,
                eps: float = 1e-5) -> Any:  # fmt: skip
    dtype, x = jnp.result_type(x, gain, bias), _wide(x)
    x = x - jnp.mean(x, axis, keepdims=True)
    unit = x / jnp.sqrt(jnp.mean(x * x, axis, keepdims=True) + eps)
    return (unit * gain + bias).astype(dtype)


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    if ord is None:
        return jnp.sqrt(jnp.sum(x * x, axis, keepdims=keepdims))
    return jnp.linalg.norm(x, ord, axis, keepdims)


def _reduced(loss: Any, reduction: str) -> Any:
    return loss if reduction == "none" else getattr(jnp, reduction)(loss)


def _binary(o: Any, target: Any, reduction: str = "mean") -> Any:
    wrong = jnp.maximum(o, 0) * (1 - target) + jnp.maximum(-o, 0) * target
    return _reduced(jnp.log1p(jnp.exp(-jnp.abs(o))) + wrong, reduction)


def _known(index: Any, ignore_index: int) -> tuple[Any, Any]:
    """Which targets are not ignored, and their numbers, 0 for the others."""
    index = jnp.asarray(index)
    if index.dtype.itemsize < 4:  # JAX compares with no number beyond a dtype
        index = index.astype(np.int32)
    kept = index != ignore_index
    return kept, jnp.where(kept, index, 0)


def _target_weights(
    target: Any, o: Any, weight: Any = 1, ignore_index: int = -100,
    reduction: str = "mean", label_smoothing: float = 0.0,
) -> Any:  # fmt: skip
    kind = jnp.result_type(o.dtype, np.float32)
    kept, number = (jnp.expand_dims(a, -1) for a in _known(target, ignore_index))
    weights = kept.astype(kind) * weight
    q = (number == np.arange(o.shape[-1])) * weights
    whole = jnp.sum(q)
    q = (1 - label_smoothing) * q + label_smoothing / o.shape[-1] * weights
    return jnp.where(kept, q / whole, 0) if reduction == "mean" else q


def _nll_loss(
    logp: Any, target: Any, weight: Any = 1, ignore_index: int = -100,
    reduction: str = "mean", label_smoothing: float = 0.0,
) -> Any:  # fmt: skip
    q = _target_weights(target, logp, weight, ignore_index, reduction, label_smoothing)
    loss = -jnp.sum(jnp.where(q == 0, 0, logp) * q, -1)
    if reduction == "mean":
        loss = jnp.where(jnp.any(_known(target, ignore_index)[0]), loss, np.nan)
    return (loss if reduction == "none" else jnp.sum(loss)).astype(logp.dtype)


def _losses(z: Any, s: Any, index: Any, ignore_index: int = -100) -> Any:
    kept, number = _known(index, ignore_index)
    at_target = jnp.take_along_axis(z, number[..., None], -1)
    return jnp.where(kept, (jnp.log(s) - at_target)[..., 0], 0)


def _gradient(e: Any, s: Any, index: Any, weight: Any, ignore_index: int = -100) -> Any:
    kept, number = _known(index, ignore_index)
    one_hot = number[..., None] == np.arange(e.shape[-1])
    return jnp.where(kept[..., None], (e / s - one_hot) * weight, 0)


def _number_kept(
    index: Any, ignore_index: int, dtype: str, axis: Any = None, **_: Any
) -> Any:
    number = jnp.sum(_known(index, ignore_index)[0], axis, dtype)
    return jnp.where(number == 0, np.nan, number)


OWN: dict[Any, Function] = {
    O.astype: lambda x, dtype: jnp.asarray(x).astype(dtype),
    O.add_n: lambda xs: reduce(add, xs),
    O.reshape_like: lambda a, x: jnp.reshape(a, jnp.shape(x)),
    O.count: _count,
    O.spread: _spread,
    O.spread_mean: lambda a, x, **attrs: _spread(_share(a, x), x, **attrs),
    O.tril: lambda x, k=0: jnp.where(_beyond(x) <= k, x, 0),
    O.triu: lambda x, k=0: jnp.where(_beyond(x) >= k, x, 0),
    O.pad: _pad,
    O.unpad: lambda a, x, **attrs: _transposed(lambda x: _pad(x, **attrs), a, x),
    O.getitem: lambda xs, key=(): jnp.asarray(xs[0])[filled(key, xs[1:])],
    O.embedding: lambda W, index: jnp.asarray(W)[index],
    O.take: _take,
    O.untake: lambda a, i, x, **attrs: _transposed(
        lambda x: _take(x, i, **attrs), a, x
    ),
    O.untake_along_axis: lambda a, index, x, axis=-1: _transposed(
        lambda x: jnp.take_along_axis(x, index, axis), a, x
    ),
    O.undiagonal: lambda a, x, **attrs: _transposed(
        lambda x: jnp.diagonal(x, **attrs), a, x
    ),
    O.scatter_n: _scatter_n,
    O.einsum: lambda xs, subscripts: jnp.einsum(subscripts, *xs),
    O.identity_like: lambda x, axis=-1: jnp.eye(x.shape[axis], dtype=x.dtype),
    O.linear_recurrence: _linear_recurrence,
    O.conv1d: _conv1d,
    O.conv1d_to_x: lambda a, w, x, **attrs: _transposed(
        lambda x: _conv1d(x, w, **attrs), a, x
    ),
    O.conv1d_to_w: lambda a, x, w, **attrs: _transposed(
        lambda w: _conv1d(x, w, **attrs), a, w
    ),
    O.layer_norm: _layer_norm,
    O.norm: _norm,
    O.mse_loss: lambda o, y, reduction="mean": _reduced(jnp.square(o - y), reduction),
    O.binary_cross_entropy: _binary,
    O.target_weights: _target_weights,
    O.nll_loss: _nll_loss,
    O.cross_entropy: lambda o, *rest, **attrs: _nll_loss(
        nn.log_softmax(o), *rest, **attrs
    ),
    kernels.share: _share,
    kernels.column_sums: lambda x: jnp.sum(x, 0),
    kernels.shift: lambda o: o - jnp.max(o, -1, keepdims=True),
    kernels.losses: _losses,
    kernels.gradient: _gradient,
    kernels.number_kept: _number_kept,
}
