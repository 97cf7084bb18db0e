"""minigrad: a tiny tensor and autograd engine whose computational graph is the product.

>>> import minigrad as mg
>>> w = mg.parameter(2.0, name="w")
>>> loss = (w * 3 - 1) ** 2
>>> mg.grad(loss, [w])[0].item()
30.0
"""

import importlib as _importlib
import sys as _sys
import types as _types

import minigrad.advice as _advice
from minigrad.grad import (
    Share,
    grad,
    grad_by_use,
    hessian,
    hvp,
    jacobian,
    jvp,
    value_and_grad,
    vjp,
)
from minigrad.graph import Graph, Leaf, Node, Spec, Use
from minigrad.mode import detect_anomaly, no_grad
from minigrad.op import Op, op
from minigrad.ops.binary import binary_cross_entropy, log_sigmoid
from minigrad.ops.composed import (
    array_split,
    diff,
    hstack,
    inner,
    moveaxis,
    ravel,
    repeat,
    tile,
    vstack,
)
from minigrad.ops.convolution import conv1d, conv1d_to_w, conv1d_to_x
from minigrad.ops.discrete import (
    all,
    any,
    argmax,
    argmin,
    ceil,
    floor,
    isfinite,
    isinf,
    isnan,
    rint,
    round,
)
from minigrad.ops.elementwise import (
    absolute,
    add,
    add_n,
    astype,
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    clip,
    cos,
    divide,
    equal,
    exp,
    expm1,
    greater,
    greater_equal,
    invert,
    less,
    less_equal,
    log,
    log1p,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    multiply,
    negative,
    not_equal,
    power,
    reciprocal,
    relu,
    sigmoid,
    sign,
    sin,
    softplus,
    sqrt,
    square,
    subtract,
    tanh,
    where,
)
from minigrad.ops.filled import full, full_like, ones, ones_like, zeros, zeros_like
from minigrad.ops.indexing import (
    argsort,
    diagonal,
    embedding,
    getitem,
    scatter_n,
    sort,
    take,
    take_along_axis,
    trace,
    undiagonal,
    untake,
    untake_along_axis,
)
from minigrad.ops.linalg import (
    dot,
    einsum,
    identity_like,
    matmul,
    outer,
    tensordot,
)
from minigrad.ops.nn import (
    cross_entropy,
    layer_norm,
    log_softmax,
    mse_loss,
    nll_loss,
    softmax,
    target_weights,
)
from minigrad.ops.reduction import (
    count,
    cumprod,
    cumsum,
    linear_recurrence,
    logsumexp,
    max,
    mean,
    min,
    norm,
    prod,
    spread,
    spread_mean,
    std,
    sum,
    var,
)
from minigrad.ops.shape import (
    broadcast_to,
    concatenate,
    expand_dims,
    flip,
    pad,
    reshape,
    reshape_like,
    roll,
    split,
    squeeze,
    stack,
    swapaxes,
    transpose,
    tril,
    triu,
    unpad,
)
from minigrad.ops.time import step, steps
from minigrad.ops.transcendental import (
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    cosh,
    exp2,
    hypot,
    log2,
    log10,
    logaddexp,
    sinh,
    tan,
)
from minigrad.recompute import recompute
from minigrad.scope import keep_lines, scope
from minigrad.tensor import Parameter, Tensor, parameter, tensor

__version__ = "0.2.0"

# What is loaded when it is first asked for, and the room that has it.
_ON_USE = {
    "Equations": "minigrad.equations",
    "Figure": "minigrad.draw",
    "FoldError": "minigrad.fold",
    "Program": "minigrad.compile",
    "Recurrence": "minigrad.fold",
    "Style": "minigrad.draw",
    "compile": "minigrad.compile",
    "contract": "minigrad.fold",
    "draw": "minigrad.draw",
    "equations": "minigrad.equations",
    "fold": "minigrad.fold",
    "load": "minigrad.tasks",
}
_lacks = _advice.names_of(__name__)


def __getattr__(name):
    if name not in _ON_USE:
        _lacks(name)
    globals()[name] = found = getattr(_importlib.import_module(_ON_USE[name]), name)
    return found


def __dir__():
    return sorted({*globals(), *__all__})


class _Face(_types.ModuleType):
    """The module, where a function and a room may have one name, as ``draw`` has.

    Python binds a room here when it is imported, which must not hide the function.
    """

    def __setattr__(self, name, value):
        if name in __all__ and isinstance(value, _types.ModuleType):
            value = getattr(value, name)
        super().__setattr__(name, value)


_sys.modules[__name__].__class__ = _Face

sub, mul, div, neg, pow, abs = subtract, multiply, divide, negative, power, absolute

# All that is named above; type checkers read it one by one in ``__init__.pyi``.
__all__ = sorted(
    _ON_USE.keys()
    | {
        name
        for name, thing in globals().items()
        if not name.startswith("_") and not isinstance(thing, _types.ModuleType)
    }
)
