"""minigrad: a tiny tensor and autograd engine whose computational graph is the product.

>>> import minigrad as mg
>>> w = mg.parameter(2.0, name="w")
>>> loss = (w * 3 - 1) ** 2
>>> mg.grad(loss, [w])[0].item()
30.0
"""

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
from minigrad.op import Op, no_grad, op
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
from minigrad.ops.indexing import embedding, getitem, scatter_n
from minigrad.ops.linalg import dot, matmul
from minigrad.ops.nn import (
    cross_entropy,
    log_softmax,
    mse_loss,
    one_hot_like,
    softmax,
)
from minigrad.ops.reduction import (
    logsumexp,
    max,
    mean,
    min,
    spread,
    spread_mean,
    sum,
)
from minigrad.ops.shape import (
    broadcast_to,
    concatenate,
    expand_dims,
    reshape,
    reshape_like,
    squeeze,
    stack,
    swapaxes,
    transpose,
)
from minigrad.ops.time import step, steps
from minigrad.scope import scope
from minigrad.tensor import Parameter, Tensor, parameter, tensor

__version__ = "0.1.0"

sub, mul, div, neg, pow, abs = subtract, multiply, divide, negative, power, absolute
