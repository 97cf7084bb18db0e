"""minigrad: a tiny tensor and autograd engine whose computational graph is the product.

>>> import minigrad as mg
>>> w = mg.parameter(2.0, name="w")
>>> loss = (w * 3 - 1) ** 2
>>> mg.grad(loss, [w])[0].item()
30.0
"""

from minigrad.compile import Program, compile
from minigrad.draw import Figure, draw
from minigrad.fold import FoldError, Recurrence, contract, fold
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
from minigrad.op import Op, detect_anomaly, no_grad, op
from minigrad.ops.convolution import conv1d, conv1d_to_w, conv1d_to_x
from minigrad.ops.elementwise import (
    absolute,
    add,
    add_n,
    astype,
    clip,
    cos,
    divide,
    equal,
    exp,
    expm1,
    greater,
    greater_equal,
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
    relu,
    sigmoid,
    sign,
    sin,
    softplus,
    sqrt,
    subtract,
    tanh,
    where,
)
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
from minigrad.scope import scope
from minigrad.tensor import Parameter, Tensor, parameter, tensor

__version__ = "0.1.0"

sub, mul, div, neg, pow, abs = subtract, multiply, divide, negative, power, absolute
