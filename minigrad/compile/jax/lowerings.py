"""What each op is in JAX: the same function of arrays, written with ``jax.numpy``.

An op whose forward function is one of NumPy's of elements is the one of that name in
JAX, and so are those of ``SAME``. All others have a function here, or bring their own:
``Op(forward, rule, lowerings={"jax": function})``.

>>> import numpy as np
>>> lowering(O.tanh), lowering(O.sum)
('jnp.tanh', 'jnp.sum')
>>> str(lowering(O.sigmoid)(np.zeros(1)))
'[0.5]'
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

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
Function = Callable[..., Any]
OWN: dict[Any, Function] = {}


def lowering(op: AnyOp) -> str | Function:
    """The name of an op's function in JAX, or the function.

    Raises LoweringError where there is none.
    """
    given = op.lowerings.get("jax") if isinstance(op, Op) else op.forward
    found: str | Function | None = OWN.get(op) or given
    if found is None and (op in SAME or is_ufunc(op)):
        name = op.forward.__name__ if is_ufunc(op) else op.name
        found = f"jnp.{name}" if hasattr(jnp, name) else None
    if found is None:
        raise LoweringError(
            f"the jax engine has no function for the op {op.name}: declare the op with "
            'lowerings={"jax": f}, f like its forward function but written with '
            "jax.numpy"
        )
    return found


def says(*ops: AnyOp) -> Callable[[Function], Function]:
    """Declare what ops are in JAX."""

    def declared(function: Function) -> Function:
        OWN.update(dict.fromkeys(ops, function))
        return function

    return declared


# Elements.


@says(O.sigmoid)
def sigmoid(x: Any) -> Any:
    """As NumPy's: nothing overflows, and nothing cancels in the far tails."""
    e = jnp.exp(-jnp.abs(x))
    return jnp.maximum(e, x >= 0) / (1 + e)


@says(O.relu)
def relu(x: Any) -> Any:
    """The larger of x and 0."""
    return jnp.maximum(x, 0)


@says(O.softplus)
def softplus(x: Any) -> Any:
    """log(1 + exp(x))."""
    return jnp.maximum(x, 0) + jnp.log1p(jnp.exp(-jnp.abs(x)))


@says(O.astype)
def astype(x: Any, dtype: Any) -> Any:
    """x in another dtype."""
    return jnp.asarray(x).astype(dtype)


@says(O.add_n)
def add_n(xs: Any) -> Any:
    """A sum of arrays, in their order."""
    total = jnp.asarray(xs[0])
    for x in xs[1:]:
        total = total + x
    return total


# Shapes.


@says(O.reshape_like)
def reshape_like(a: Any, x: Any) -> Any:
    """The elements of a in the shape of x."""
    return jnp.reshape(a, jnp.shape(x))


def _opened(a: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """a with the reduced axes of x put back as axes of length 1."""
    if keepdims or axis is None or not jnp.ndim(x):
        return a
    return jnp.expand_dims(a, tuple(a % jnp.ndim(x) for a in np.atleast_1d(axis)))


@says(O.spread)
def spread(a: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """A reduction of x, broadcast back."""
    return jnp.broadcast_to(_opened(jnp.asarray(a), x, axis, keepdims), jnp.shape(x))


@says(O.spread_mean)
def spread_mean(a: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The same of a mean."""
    return spread(share(a, x), x, axis, keepdims)


@says(kernels.share)
def share(a: Any, like: Any) -> Any:
    """What each element of a mean gets of its gradient."""
    return _divided(jnp.asarray(a), jnp.size(like) / (jnp.size(a) or 1))


def _divided(a: Any, n: float) -> Any:
    """a / n, for an n that float16 may not hold."""
    return (_wide(a) / n).astype(a.dtype)


def _wide(x: Any) -> Any:
    return x.astype(np.float32) if x.dtype == np.float16 else x


@says(O.count)
def count(x: Any, axis: Any = None) -> Any:
    """How many elements each one of a reduction stands for."""
    shape = jnp.shape(x)
    axes = range(len(shape)) if axis is None else np.atleast_1d(axis)
    number = np.prod([shape[a] for a in axes])
    return jnp.asarray(number, np.float32 if x.dtype == np.float16 else x.dtype)


@says(O.pad)
def pad(
    x: Any, value: Any = None, pad_width: Any = 0, mode: str = "constant",
    constant_values: Any = 0, end_values: Any = 0,
) -> Any:  # fmt: skip
    """x with elements added at both ends."""
    options = {
        "constant": {"constant_values": constant_values if value is None else value},
        "linear_ramp": {"end_values": end_values},
    }
    widths = [pad_of_axis(pad_width, axis, x.ndim) for axis in range(x.ndim)]
    return jnp.pad(x, widths, mode, **options.get(mode, {})) if widths else x


def _transposed(function: Function, a: Any, x: Any) -> Any:
    """What a linear function of arrays like x sends back to them."""
    _, back = jax.vjp(function, jnp.zeros(jnp.shape(x), a.dtype))
    return back(a)[0]


@says(O.unpad)
def unpad(a: Any, x: Any, pad_width: Any = 0, mode: str = "constant") -> Any:
    """``pad``, transposed: it is linear in x."""
    return _transposed(lambda x: pad(x, None, pad_width, mode), a, x)


def _beyond(x: Any) -> Any:
    """How far right of the diagonal each element of the last two axes is."""
    rows, columns = map(np.arange, (x.shape * 2)[-2:])
    return columns - rows[:, None]


@says(O.tril)
def tril(x: Any, k: int = 0) -> Any:
    """The elements on and below a diagonal; of a vector a row for each."""
    return jnp.where(_beyond(x) <= k, x, 0)


@says(O.triu)
def triu(x: Any, k: int = 0) -> Any:
    """The elements on and above a diagonal."""
    return jnp.where(_beyond(x) >= k, x, 0)


# Indices: they have been looked at, see ``checks``.


@says(O.getitem)
def getitem(xs: Any, key: Any = ()) -> Any:
    """x at a key, whose arrays are the further operands."""
    return jnp.asarray(xs[0])[filled(key, xs[1:])]


@says(O.embedding)
def embedding(W: Any, index: Any) -> Any:
    """The rows of W at integers."""
    return jnp.asarray(W)[index]


@says(O.take)
def take(x: Any, index: Any, axis: int | None = None, mode: str = "raise") -> Any:
    """The elements at integers along ``axis``."""
    x = jnp.ravel(x) if axis is None else jnp.moveaxis(x, axis, 0)
    picked = x[_flat(index, len(x), mode)]
    if axis is None:
        return picked
    return jnp.moveaxis(picked, [*range(np.ndim(index))], _places(axis, x, index))


def _places(axis: int, x: Any, index: Any) -> list[int]:
    return [*range(axis % x.ndim, axis % x.ndim + jnp.ndim(index))]


def _flat(index: Any, n: int, mode: str) -> Any:
    index = jnp.asarray(index)
    if mode == "wrap":
        return index % n
    return jnp.clip(index, 0, n - 1) if mode == "clip" else index


@says(O.untake)
def untake(
    a: Any, index: Any, x: Any, axis: int | None = None, mode: str = "raise"
) -> Any:
    """``take``, transposed."""
    y = jnp.zeros(jnp.shape(x), a.dtype)
    if axis is None:
        return y.ravel().at[_flat(index, y.size, mode)].add(a).reshape(y.shape)
    a = jnp.moveaxis(a, _places(axis, y, index), [*range(jnp.ndim(index))])
    y = jnp.moveaxis(y, axis, 0)
    return jnp.moveaxis(y.at[_flat(index, len(y), mode)].add(a), 0, axis)


@says(O.untake_along_axis)
def untake_along_axis(a: Any, index: Any, x: Any, axis: int | None = -1) -> Any:
    """``take_along_axis``, transposed."""
    y = jnp.zeros(jnp.shape(x), a.dtype)
    if axis is None:
        return y.ravel().at[index].add(a).reshape(y.shape)
    key: list[Any] = list(np.ogrid[tuple(slice(n) for n in y.shape)])
    key[axis] = index
    return y.at[tuple(key)].add(a)


@says(O.scatter_n)
def scatter_n(xs: Any, keys: Any = ()) -> Any:
    """Zeros, with each array added at its key."""
    y = jnp.zeros_like(xs[0])
    indices = iter(xs[len(xs) - sum(map(places_in, keys)) :])
    for cotangent, key in zip(xs, keys, strict=True):
        if key is not None:
            own = [next(indices) for _ in range(places_in(key))]
            y = y.at[filled(key, own)].add(cotangent)
    return y


@says(O.undiagonal)
def undiagonal(a: Any, x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """``diagonal``, transposed."""

    def picked(x: Any) -> Any:
        return jnp.diagonal(x, offset, axis1, axis2)

    shape = jax.eval_shape(picked, x).shape
    return _transposed(picked, jnp.broadcast_to(a, shape), x)


# Products.


@says(O.einsum)
def einsum(xs: Any, subscripts: str) -> Any:
    """Products summed over subscripts."""
    return jnp.einsum(subscripts, *xs)


@says(O.identity_like)
def identity_like(x: Any, axis: int = -1) -> Any:
    """The identity matrix with as many rows as x has elements along ``axis``."""
    return jnp.eye(x.shape[axis], dtype=x.dtype)


@says(O.linear_recurrence)
def linear_recurrence(a: Any, b: Any, axis: int = -1) -> Any:
    """s(t) = a(t) s(t-1) + b(t) along ``axis``, from s(0) = 0."""
    moved = (jnp.moveaxis(a, axis, 0), jnp.moveaxis(b, axis, 0))

    def step(s: Any, now: Any) -> Any:
        s = now[0] * s + now[1]
        return s, s

    _, found = lax.scan(step, jnp.zeros(moved[1].shape[1:], b.dtype), moved)
    return jnp.moveaxis(found, 0, axis)


@says(O.conv1d)
def conv1d(
    x: Any, w: Any, stride: int = 1, padding: Any = 0, dilation: int = 1,
    groups: int = 1,
) -> Any:  # fmt: skip
    """The cross-correlation of x with each filter of w."""
    if x.ndim == 2:
        return conv1d(x[None], w, stride, padding, dilation, groups)[0]
    margins = padding.upper() if isinstance(padding, str) else [(padding, padding)]
    return lax.conv_general_dilated(
        x, w, (stride,), margins, rhs_dilation=(dilation,), feature_group_count=groups
    )


@says(O.conv1d_to_x)
def conv1d_to_x(a: Any, w: Any, x: Any, *args: Any, **attrs: Any) -> Any:
    """The cotangent of x."""
    return _transposed(lambda x: conv1d(x, w, *args, **attrs), a, x)


@says(O.conv1d_to_w)
def conv1d_to_w(a: Any, x: Any, w: Any, *args: Any, **attrs: Any) -> Any:
    """The cotangent of w."""
    return _transposed(lambda w: conv1d(x, w, *args, **attrs), a, w)


# Softmax, norms and losses.


@says(O.softmax)
def softmax(x: Any, axis: Any = -1) -> Any:
    """exp(x) / sum(exp(x)) along ``axis``."""
    return jax.nn.softmax(x, axis)


@says(O.log_softmax)
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """Its logarithm."""
    return jax.nn.log_softmax(x, axis)


@says(O.logsumexp)
def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) over ``axis``."""
    return jax.nn.logsumexp(x, axis, keepdims=keepdims)


@says(O.layer_norm)
def layer_norm(
    x: Any, gain: Any = 1.0, bias: Any = 0.0, axis: Any = -1, eps: float = 1e-5
) -> Any:
    """gain (x - mean) / sqrt(var + eps) + bias."""
    dtype = jnp.result_type(x, gain, bias)
    x = _wide(x)
    x = x - jnp.mean(x, axis, keepdims=True)
    unit = x / jnp.sqrt(jnp.mean(x * x, axis, keepdims=True) + eps)
    return (unit * gain + bias).astype(dtype)


@says(O.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The length of vectors along ``axis``."""
    x = jnp.abs(x)
    if ord == 1:
        return jnp.sum(x, axis, keepdims=keepdims)
    if ord == np.inf:
        return jnp.max(x, axis, keepdims=keepdims)
    return jnp.sqrt(jnp.sum(x * x, axis, keepdims=keepdims))


def _reduced(loss: Any, reduction: str) -> Any:
    return loss if reduction == "none" else getattr(jnp, reduction)(loss)


@says(O.mse_loss)
def mse_loss(o: Any, target: Any, reduction: str = "mean") -> Any:
    """(o - y)^2."""
    return _reduced(jnp.square(o - target), reduction)


@says(O.binary_cross_entropy)
def binary_cross_entropy(o: Any, target: Any, reduction: str = "mean") -> Any:
    """-y log sigmoid(o) - (1 - y) log(1 - sigmoid(o))."""
    target = jnp.asarray(target).astype(o.dtype)
    wrong = jnp.maximum(o, 0) * (1 - target) + jnp.maximum(-o, 0) * target
    return _reduced(jnp.log1p(jnp.exp(-jnp.abs(o))) + wrong, reduction)


@says(O.target_weights)
def target_weights(
    target: Any, o: Any, weight: Any = None, ignore_index: int = -100,
    reduction: str = "mean", label_smoothing: float = 0.0,
) -> Any:  # fmt: skip
    """q, such that the summed loss is -sum(q log softmax(o))."""
    classes, kind = o.shape[-1], jnp.result_type(o.dtype, np.float32)
    kept, number = (jnp.expand_dims(a, -1) for a in _known(target, ignore_index))
    weights = kept * jnp.ones((), kind) * (1 if weight is None else weight)
    q = (number == np.arange(classes)) * weights
    whole = jnp.sum(q)
    q = (1 - label_smoothing) * q + label_smoothing / classes * weights
    return jnp.where(kept, q / whole, 0) if reduction == "mean" else q


@says(O.nll_loss)
def nll_loss(
    logp: Any, target: Any, weight: Any = None, ignore_index: int = -100,
    reduction: str = "mean", label_smoothing: float = 0.0,
) -> Any:  # fmt: skip
    """-logp[y]; the mean of nothing is NaN."""
    q = target_weights(target, logp, weight, ignore_index, reduction, label_smoothing)
    loss = -jnp.sum(jnp.where(q == 0, 0, logp) * q, -1)
    if reduction == "mean":
        loss = jnp.where(jnp.any(_known(target, ignore_index)[0]), loss, np.nan)
    return (loss if reduction == "none" else jnp.sum(loss)).astype(logp.dtype)


@says(O.cross_entropy)
def cross_entropy(o: Any, *operands: Any, **attrs: Any) -> Any:
    """-log softmax(o)[y]."""
    return nll_loss(log_softmax(o), *operands, **attrs)


# The compiler's own.


@says(kernels.column_sums)
def column_sums(x: Any) -> Any:
    """The sum of the rows of a matrix."""
    return jnp.sum(x, 0)


@says(kernels.shift)
def shifted(o: Any) -> Any:
    """o less the largest of each row."""
    return o - jnp.max(o, -1, keepdims=True)


def _known(index: Any, ignore_index: int) -> tuple[Any, Any]:
    """Which targets are not ignored, and their numbers, 0 for the others."""
    index = jnp.asarray(index)
    if index.dtype.itemsize < 4:  # JAX compares with no number beyond a dtype
        index = index.astype(np.int32)
    kept = index != ignore_index
    return kept, jnp.where(kept, index, 0)


@says(kernels.losses)
def picked_losses(z: Any, s: Any, index: Any, ignore_index: int = -100) -> Any:
    """Cross-entropies from shifted logits and the sum of their exponentials."""
    kept, number = _known(index, ignore_index)
    at_target = jnp.take_along_axis(z, number[..., None], -1)
    return jnp.where(kept, (jnp.log(s) - at_target)[..., 0], 0)


@says(kernels.gradient)
def class_gradient(
    e: Any, s: Any, index: Any, weight: Any, ignore_index: int = -100
) -> Any:
    """(e / s - one_hot(index)) weight, and zeros where the target is ignored."""
    kept, number = _known(index, ignore_index)
    one_hot = number[..., None] == np.arange(e.shape[-1])
    return jnp.where(kept[..., None], (e / s - one_hot) * weight, 0)


@says(kernels.number_kept)
def kept_targets(
    index: Any, classes: int, ignore_index: int, dtype: str, axis: Any = None
) -> Any:
    """How many targets are not ignored; NaN for none."""
    number = jnp.sum(_known(index, ignore_index)[0], axis, dtype)
    return jnp.where(number == 0, np.nan, number)
