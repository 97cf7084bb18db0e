"""minigrad: a tiny tensor and autograd engine whose computational graph is the product.

>>> import minigrad as mg
>>> w = mg.parameter(2.0, name="w")
>>> loss = (w * 3 - 1) ** 2
>>> mg.grad(loss, [w])[0].item()
30.0
"""
# Made by tests/typing/stubs.py from the ops themselves.

from collections.abc import Callable, Sequence
from typing import Any, Generic, ParamSpec, overload

from numpy.typing import ArrayLike, DTypeLike

from minigrad.grad import Share, grad, grad_by_use, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from minigrad.graph import Graph, Leaf, Node, Spec, Use
from minigrad.mode import detect_anomaly, no_grad
from minigrad.op import Op as _Declared
from minigrad.ops.filled import full, full_like, ones, ones_like, zeros, zeros_like
from minigrad.ops.time import steps
from minigrad.recompute import recompute
from minigrad.scope import keep_lines, scope
from minigrad.tensor import Parameter, Tensor, parameter, tensor
from minigrad.equations import Equations
from minigrad.draw import Figure
from minigrad.fold import FoldError
from minigrad.compile import Program
from minigrad.fold import Recurrence
from minigrad.draw import Style
from minigrad.compile import compile
from minigrad.fold import contract
from minigrad.draw import draw
from minigrad.equations import equations
from minigrad.fold import fold
from minigrad.tasks import load

_P = ParamSpec("_P")

class Op(_Declared):
    """One operation, declared by its forward function and one rule per argument.

    Parameters
    ----------
    forward: a NumPy function, or a module-level function of arrays. Its name is the
        name of the op, and a NumPy function called on a Tensor finds its op by it.
    vjps: one rule per argument, ``None`` where no gradient flows.
    variadic: the op takes one sequence of arrays, and one rule for all of them.
    name, numpy: where the forward function is not itself named or not NumPy's own.
    doc: what help shows, where the forward function's own docstring does not fit.
    lowerings: the forward function as an engine of compiled programs needs it, by the
        engine's name: ``{"jax": f}``, f written with jax.numpy, or ``{"onnx": f}``, f
        written with ops.

    What ``help`` and ``inspect.signature`` say of an op is what its forward function
    and its rules take.

    Raises ValueError or TypeError for a declaration that cannot work, and for a name
    that is taken.

    >>> from minigrad import Op, tensor
    >>> square = Op(lambda x: x * x, lambda g, y, x: 2 * g * x, name="doc_square")
    >>> square(tensor(3.0)).item()
    9.0
    """
    @overload
    def __call__(
        self, x: Tensor | Sequence[Tensor], /, *more: Any, **attrs: Any
    ) -> Tensor: ...
    @overload
    def __call__(self, x: Any, y: Tensor, /, *more: Any, **attrs: Any) -> Tensor: ...
    @overload
    def __call__(self, *args: Any, **attrs: Any) -> Any: ...

def op(
    *vjps: Callable[..., Any] | None, **options: Any
) -> Callable[[Callable[..., Any]], Op]:
    """Declare an op above its forward function, one rule per argument.

    >>> from minigrad import op, parameter
    >>> @op(lambda g, y, x: g * 3 * x**2)
    ... def doc_cubed(x):
    ...     return x**3
    >>> p = parameter(2.0, name="p")
    >>> doc_cubed(p).backward()
    >>> float(p.grad)
    12.0
    """

class _Op(Op, Generic[_P]):
    def __call__(  # type: ignore[override]
        self, *args: _P.args, **attrs: _P.kwargs
    ) -> Tensor: ...

def _op(forward: Callable[_P, Tensor]) -> _Op[_P]: ...

__version__: str
@_op
def abs(x: Tensor | ArrayLike) -> Tensor:
    """|x|; the derivative at 0 is 0.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def absolute(x: Tensor | ArrayLike) -> Tensor:
    """|x|; the derivative at 0 is 0.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def add(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """a + b.

    Element by element: a and b are broadcast, the dtype is NumPy's.
    """
@_op
def add_n(xs: Sequence[Tensor | ArrayLike]) -> Tensor:
    """The sum of arrays of one shape, in their order: what fan-in becomes."""
@_op
def all(
    x: Tensor | ArrayLike,
    axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False,
) -> Tensor:
    """Whether all elements over ``axis`` are true: a mask, without gradient."""
@_op
def any(
    x: Tensor | ArrayLike,
    axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False,
) -> Tensor:
    """Whether an element over ``axis`` is true: a mask, without gradient."""
@_op
def arccos(x: Tensor | ArrayLike) -> Tensor:
    """The angle in [0, π] whose cosine is x.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def arccosh(x: Tensor | ArrayLike) -> Tensor:
    """The number >= 0 whose cosh is x.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def arcsin(x: Tensor | ArrayLike) -> Tensor:
    """The angle in [-π/2, π/2] whose sine is x.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def arcsinh(x: Tensor | ArrayLike) -> Tensor:
    """The number whose sinh is x.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def arctan(x: Tensor | ArrayLike) -> Tensor:
    """The angle in (-π/2, π/2) whose tangent is x.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def arctan2(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """The angle of the point with height a and breadth b; derivative 0 at (0, 0).

    Element by element: a and b are broadcast, the dtype is NumPy's.
    """
@_op
def arctanh(x: Tensor | ArrayLike) -> Tensor:
    """The number whose tanh is x.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def argmax(
    x: Tensor | ArrayLike,
    axis: int | None = None,
    keepdims: bool = False,
) -> Tensor:
    """Where along ``axis`` the largest element is, the first one at a tie.

    None looks at x flattened. No gradient flows: ``mg.max`` has one.
    """
@_op
def argmin(
    x: Tensor | ArrayLike,
    axis: int | None = None,
    keepdims: bool = False,
) -> Tensor:
    """Where along ``axis`` the smallest element is, the first one at a tie.

    None looks at x flattened. No gradient flows: ``mg.min`` has one.
    """
@_op
def argsort(x: Tensor | ArrayLike, axis: int | None = -1) -> Tensor:
    """The indices that sort x along ``axis``; equal elements keep their order."""
@_op
def astype(x: Tensor | ArrayLike, dtype: DTypeLike) -> Tensor:
    """x in another dtype; the engine casts the cotangent back, integers pass none.

    The shape stays.

    >>> import minigrad as mg
    >>> x = mg.tensor([1.5], requires_grad=True)
    >>> mg.grad((mg.astype(x, dtype=int) * 2.0 * x).sum(), [x])[0].data.tolist()
    [2.0]
    """
@_op
def binary_cross_entropy(
    o: Tensor | ArrayLike,
    target: Tensor | ArrayLike,
    reduction: str = "mean",
) -> Tensor:
    """-y log sigmoid(o) - (1 - y) log(1 - sigmoid(o)), element by element.

    o are logits and y, of the same shape, lies between 0 and 1. What is computed is
    exact to the last digits for large logits of both signs.

    Raises ValueError for other shapes, and for a y beyond 0 and 1.
    """
@_op
def bitwise_and(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """a & b, bit by bit; of masks, and. No gradient.

    Element by element: a and b are broadcast, the dtype is NumPy's.
    """
@_op
def bitwise_or(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """a | b, bit by bit; of masks, or. No gradient.

    Element by element: a and b are broadcast, the dtype is NumPy's.
    """
@_op
def bitwise_xor(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """a ^ b, bit by bit; of masks, either. No gradient.

    Element by element: a and b are broadcast, the dtype is NumPy's.
    """
@_op
def broadcast_to(x: Tensor | ArrayLike, shape: int | Sequence[int]) -> Tensor:
    """x repeated along new and length-1 axes; the engine sums the cotangent back."""
@_op
def ceil(x: Tensor | ArrayLike) -> Tensor:
    """The smallest whole number >= x; no gradient flows.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def clip(
    x: Tensor | ArrayLike,
    a_min: Tensor | ArrayLike | None = None,
    a_max: Tensor | ArrayLike | None = None,
) -> Tensor:
    """x limited to [a_min, a_max]; the bounds are operands and have a gradient too.

    The gradient goes to x within the bounds and at them, beyond them to the bound.

    Element by element: x and the bounds are broadcast.
    """
@_op
def concatenate(
    xs: Sequence[Tensor | ArrayLike],
    axis: int | None = 0,
) -> Tensor:
    """Arrays joined along an axis that they have; None joins them flattened."""
@_op
def conv1d(
    x: Tensor | ArrayLike,
    w: Tensor | ArrayLike,
    stride: int = 1,
    padding: Any = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Tensor:
    """The cross-correlation of x with each filter of w: (batch, filters, outputs).

    padding is a number of zeros at both ends, "valid" (none) or "same" (as many as keep
    the length). x without a batch axis gives a result without one.

    Raises ValueError for shapes that do not fit, a kernel that is longer than x, and
    "same" with a stride.
    """
@_op
def conv1d_to_w(
    a: Tensor | ArrayLike,
    x: Tensor | ArrayLike,
    w: Tensor | ArrayLike,
    stride: int = 1,
    padding: Any = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Tensor:
    """The cotangent of w when the one of conv1d(x, w) is a.

    Raises ValueError as conv1d does.
    """
@_op
def conv1d_to_x(
    a: Tensor | ArrayLike,
    w: Tensor | ArrayLike,
    x: Tensor | ArrayLike,
    stride: int = 1,
    padding: Any = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Tensor:
    """The cotangent of x when the one of conv1d(x, w) is a.

    Raises ValueError as conv1d does.
    """
@_op
def cos(x: Tensor | ArrayLike) -> Tensor:
    """The cosine.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def cosh(x: Tensor | ArrayLike) -> Tensor:
    """(exp(x) + exp(-x)) / 2.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def count(
    x: Tensor | ArrayLike,
    axis: int | tuple[int, ...] | None = None,
) -> Tensor:
    """How many elements of x each element of its reduction over ``axis`` stands for."""
@_op
def cross_entropy(
    o: Tensor | ArrayLike,
    target: Tensor | ArrayLike,
    weight: Tensor | ArrayLike | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-log softmax(o)[y]: o of shape (..., classes), y integers of shape (...).

    Or y is of o's shape, floating point: -sum(y log softmax(o)) over the classes, with
    a gradient by y, too.

    weight, ignore_index and reduction are those of nll_loss; label_smoothing eps mixes
    the targets with eps parts of the uniform distribution (all as PyTorch defines them,
    except that the classes are always the last axis).

    Raises ValueError for targets that are no class numbers and for a setting that there
    is not, TypeError for one that is no number.
    """
@_op
def cumprod(x: Tensor | ArrayLike, axis: int | None = None) -> Tensor:
    """Products of the elements so far along ``axis``; None runs over x flattened."""
@_op
def cumsum(x: Tensor | ArrayLike, axis: int | None = None) -> Tensor:
    """Sums of the elements so far along ``axis``; None runs over x flattened."""
@_op
def diagonal(
    x: Tensor | ArrayLike,
    offset: int = 0,
    axis1: int = 0,
    axis2: int = 1,
) -> Tensor:
    """The elements with index2 - index1 = offset; they become the last axis."""
@_op
def div(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """a / b.

    Element by element: a and b are broadcast, the dtype is NumPy's.
    """
@_op
def divide(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """a / b.

    Element by element: a and b are broadcast, the dtype is NumPy's.
    """
@_op
def dot(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """NumPy's dot: the product over the last axis of a and the next to last of b."""
@_op
def einsum(subscripts: str, *operands: Tensor | ArrayLike) -> Tensor:
    """Products of operands summed over subscripts, as np.einsum: "ij,jk->ik".

    A letter is an axis: equal ones have one length, and those that the result lacks are
    summed over.
    """
@_op
def embedding(W: Tensor | ArrayLike, index: Tensor | ArrayLike) -> Tensor:
    """The rows of W, shape (n, ...), at an integer array: shape (*index.shape, ...).

    Raises IndexError for an index that is not whole or names no row.
    """
@_op
def equal(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """a == b: a mask, without gradient.

    Element by element: a and b are broadcast, the dtype is NumPy's.
    """
@_op
def exp(x: Tensor | ArrayLike) -> Tensor:
    """e**x.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def exp2(x: Tensor | ArrayLike) -> Tensor:
    """2**x.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def expand_dims(x: Tensor | ArrayLike, axis: int | tuple[int, ...]) -> Tensor:
    """New axes of length 1."""
@_op
def expm1(x: Tensor | ArrayLike) -> Tensor:
    """exp(x) - 1, exact near 0 too.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def flip(
    x: Tensor | ArrayLike,
    axis: int | tuple[int, ...] | None = None,
) -> Tensor:
    """The order of elements reversed along ``axis`` (None: all, an int or a tuple)."""
@_op
def floor(x: Tensor | ArrayLike) -> Tensor:
    """The largest whole number <= x; no gradient flows.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def getitem(x: Any, key: Any) -> Tensor:
    """x[key] for every kind of NumPy index; index arrays and masks are operands.

    The shape is the one that NumPy gives. Raises IndexError for a key of another kind.
    """
@_op
def greater(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """a > b: a mask, without gradient.

    Element by element: a and b are broadcast, the dtype is NumPy's.
    """
@_op
def greater_equal(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """a >= b: a mask, without gradient.

    Element by element: a and b are broadcast, the dtype is NumPy's.
    """
@_op
def hypot(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """sqrt(a² + b²), without overflow; the derivative at (0, 0) is 0.

    Element by element: a and b are broadcast, the dtype is NumPy's.
    """
@_op
def identity_like(x: Tensor | ArrayLike, axis: int = -1) -> Tensor:
    """The identity matrix with as many rows as x has elements along ``axis``."""
@_op
def invert(x: Tensor | ArrayLike) -> Tensor:
    """~x, bit by bit; of a mask, not. No gradient.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def isfinite(x: Tensor | ArrayLike) -> Tensor:
    """True where x is a number: a mask, without gradient.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def isinf(x: Tensor | ArrayLike) -> Tensor:
    """True where x is inf or -inf: a mask, without gradient.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def isnan(x: Tensor | ArrayLike) -> Tensor:
    """True where x is NaN: a mask, without gradient.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def layer_norm(
    x: Tensor | ArrayLike,
    gain: Tensor | ArrayLike = 1.0,
    bias: Tensor | ArrayLike = 0.0,
    axis: int | tuple[int, ...] | None = -1,
    eps: float = 1e-05,
) -> Tensor:
    """gain (x - mean) / sqrt(var + eps) + bias, mean and var over ``axis``."""
@_op
def less(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """a < b: a mask, without gradient.

    Element by element: a and b are broadcast, the dtype is NumPy's.
    """
@_op
def less_equal(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """a <= b: a mask, without gradient.

    Element by element: a and b are broadcast, the dtype is NumPy's.
    """
@_op
def linear_recurrence(
    a: Tensor | ArrayLike,
    b: Tensor | ArrayLike,
    axis: int = -1,
) -> Tensor:
    """s(t) = a(t) s(t-1) + b(t) along ``axis``, from s(0) = 0; a and b have one shape.

    Its cotangents are such recurrences again, run from the end: what makes the
    gradients of products exact at zeros, at every order.
    """
@_op
def log(x: Tensor | ArrayLike) -> Tensor:
    """The natural logarithm.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def log10(x: Tensor | ArrayLike) -> Tensor:
    """The logarithm to base 10.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def log1p(x: Tensor | ArrayLike) -> Tensor:
    """log(1 + x), exact near 0 too.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def log2(x: Tensor | ArrayLike) -> Tensor:
    """The logarithm to base 2.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def log_softmax(
    x: Tensor | ArrayLike,
    axis: int | tuple[int, ...] | None = -1,
) -> Tensor:
    """x - logsumexp(x) along ``axis``."""
@_op
def logaddexp(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """log(exp(a) + exp(b)), without overflow.

    Element by element: a and b are broadcast, the dtype is NumPy's.
    """
@_op
def logical_and(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """True where a and b are: a mask, without gradient.

    Element by element: a and b are broadcast, the dtype is NumPy's.
    """
@_op
def logical_not(x: Tensor | ArrayLike) -> Tensor:
    """True where x is not: a mask, without gradient.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def logical_or(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """True where a or b is: a mask, without gradient.

    Element by element: a and b are broadcast, the dtype is NumPy's.
    """
@_op
def logsumexp(
    x: Tensor | ArrayLike,
    axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False,
) -> Tensor:
    """log(sum(exp(x))) over ``axis``, stable for large values and for -inf."""
@_op
def matmul(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """The matrix product, with NumPy's rules for 1-D operands and batch axes."""
@_op
def max(
    x: Tensor | ArrayLike,
    axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False,
) -> Tensor:
    """The largest element over ``axis``; a tie splits its gradient evenly.

    A NaN is the result where there is one, and gets the gradient.
    """
@_op
def maximum(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """The larger of a and b; a tie gives 1/2 to each side.

    Element by element: a and b are broadcast, the dtype is NumPy's.
    """
@_op
def mean(
    x: Tensor | ArrayLike,
    axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False,
) -> Tensor:
    """The mean over ``axis``."""
@_op
def min(
    x: Tensor | ArrayLike,
    axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False,
) -> Tensor:
    """The smallest element over ``axis``; a tie splits its gradient evenly.

    A NaN is the result where there is one, and gets the gradient.
    """
@_op
def minimum(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """The smaller of a and b; a tie gives 1/2 to each side.

    Element by element: a and b are broadcast, the dtype is NumPy's.
    """
@_op
def mse_loss(
    o: Tensor | ArrayLike,
    target: Tensor | ArrayLike,
    reduction: str = "mean",
) -> Tensor:
    """(o - y)², element by element; both have the same shape.

    Raises ValueError for other shapes.
    """
@_op
def mul(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """a b.

    Element by element: a and b are broadcast, the dtype is NumPy's.
    """
@_op
def multiply(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """a b.

    Element by element: a and b are broadcast, the dtype is NumPy's.
    """
@_op
def neg(x: Tensor | ArrayLike) -> Tensor:
    """-x.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def negative(x: Tensor | ArrayLike) -> Tensor:
    """-x.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def nll_loss(
    logp: Tensor | ArrayLike,
    target: Tensor | ArrayLike,
    weight: Tensor | ArrayLike | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """-logp[y]: logp of shape (..., classes), y integers of shape (...).

    weight, shape (classes,), an operand, multiplies the loss of each target's class,
    and "mean" divides by the sum of these weights; targets equal to ignore_index count
    as nothing.
    Where all are, the mean is NaN and its gradient 0, as in PyTorch.

    Raises ValueError for targets that are no class numbers and for another reduction.
    """
@_op
def norm(
    x: Tensor | ArrayLike,
    ord: float | None = None,
    axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False,
) -> Tensor:
    """The length of the vectors along ``axis``; the derivative at 0 is 0.

    ord None or 2 is the root of the sum of squares (None over any axes), 1 the sum of
    absolute values and np.inf the largest of them, where a tie splits its gradient.

    Raises ValueError for another order, and for one over several axes.

    >>> import minigrad as mg
    >>> x = mg.tensor([0.0, 0.0], requires_grad=True)
    >>> mg.hessian(mg.norm(x), [x])[0][0].data.tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """
@_op
def not_equal(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """a != b: a mask, without gradient.

    Element by element: a and b are broadcast, the dtype is NumPy's.
    """
@_op
def outer(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """a_i b_j of the flattened operands, shape (a.size, b.size)."""
@_op
def pad(
    x: Tensor | ArrayLike,
    pad_width: Any,
    mode: Any = "constant",
    constant_values: Any = 0,
    end_values: Any = 0,
) -> Tensor:
    """x with elements added at both ends of each axis, as np.pad does.

    ``mode`` is one of PAD_MODES: those that are linear in x. ``maximum``, ``minimum``
    and ``median`` are not, and write better as a concatenation with that reduction.
    ``constant_values`` may be a Tensor of one number: it is an operand then.

    Raises ValueError for another mode, TypeError for a Tensor that is no single number.
    """
@_op
def pow(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """a**b; x**0 has derivative 0.

    Element by element: a and b are broadcast, the dtype is NumPy's.
    """
@_op
def power(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """a**b; x**0 has derivative 0.

    Element by element: a and b are broadcast, the dtype is NumPy's.
    """
@_op
def prod(
    x: Tensor | ArrayLike,
    axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False,
) -> Tensor:
    """The product over ``axis``; exact where elements are zero."""
@_op
def reciprocal(x: Tensor | ArrayLike) -> Tensor:
    """1 / x.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def relu(x: Tensor | ArrayLike) -> Tensor:
    """max(x, 0); the derivative at 0 is 0.

    Element by element: the shape and the dtype are those of x.
    """
@_op
def reshape(x: Tensor | ArrayLike, shape: int | Sequence[int]) -> Tensor:
    """The same elements in another shape; one length may be -1."""
@_op
def reshape_like(a: Tensor | ArrayLike, x: Tensor | ArrayLike) -> Tensor:
    """The elements of a in the shape of x."""
@_op
def rint(x: Tensor | ArrayLike) -> Tensor:
    """The nearest whole number, a half to the even one; no gradient.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def roll(
    x: Tensor | ArrayLike,
    shift: int | tuple[int, ...],
    axis: int | tuple[int, ...] | None = None,
) -> Tensor:
    """Elements moved on by ``shift``, those beyond the end to the front.

    The shape stays. ``axis`` None rolls x flattened.
    """
@_op
def round(x: Tensor | ArrayLike, decimals: int = 0) -> Tensor:
    """x to so many decimals, a half to the even digit; no gradient flows.

    The shape is that of x.
    """
@_op
def scatter_n(xs: Sequence[Tensor | ArrayLike], keys: Any = ()) -> Tensor:
    """Zeros shaped as the first operand, with each further one added at its key.

    ``keys`` is a PerOperand. The index arrays that keys have places for are the last
    operands; these, and the first one, have None as key.
    """
@_op
def sigmoid(x: Tensor | ArrayLike) -> Tensor:
    """1 / (1 + exp(-x)), to a few units in the last place in the far tails too.

    Programs give an array for the result, which may be x itself.

    Element by element: the shape and the dtype are those of x.
    """
@_op
def sign(x: Tensor | ArrayLike) -> Tensor:
    """-1, 0 or 1, the sign of x; no gradient flows.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def sin(x: Tensor | ArrayLike) -> Tensor:
    """The sine.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def sinh(x: Tensor | ArrayLike) -> Tensor:
    """(exp(x) - exp(-x)) / 2.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def softmax(
    x: Tensor | ArrayLike,
    axis: int | tuple[int, ...] | None = -1,
) -> Tensor:
    """exp(x) / sum(exp(x)) along ``axis``."""
@_op
def softplus(x: Tensor | ArrayLike) -> Tensor:
    """log(1 + exp(x)), without overflow.

    Element by element: the shape is that of x, whole numbers become float64.
    """
@_op
def sort(x: Tensor | ArrayLike, axis: int | None = -1) -> Tensor:
    """The elements in ascending order along ``axis``; None: of x flattened."""
@_op
def spread(
    a: Tensor | ArrayLike,
    x: Tensor | ArrayLike,
    axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False,
) -> Tensor:
    """a, a reduction of x over ``axis``, broadcast back to the shape of x."""
@_op
def spread_mean(
    a: Tensor | ArrayLike,
    x: Tensor | ArrayLike,
    axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False,
) -> Tensor:
    """As ``spread``, divided by the number of elements that each one was reduced from.

    The count is taken from x, not recorded as a number, so that a mean over time steps
    folds alike at every length.

    The shape is that of x.
    """
@_op
def sqrt(x: Tensor | ArrayLike) -> Tensor:
    """The square root.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def square(x: Tensor | ArrayLike) -> Tensor:
    """x x.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def squeeze(
    x: Tensor | ArrayLike,
    axis: int | tuple[int, ...] | None = None,
) -> Tensor:
    """Axes of length 1 removed."""
@_op
def stack(xs: Sequence[Tensor | ArrayLike], axis: int = 0) -> Tensor:
    """Arrays of one shape joined along a new axis."""
@_op
def std(
    x: Tensor | ArrayLike,
    axis: int | tuple[int, ...] | None = None,
    ddof: float = 0,
    keepdims: bool = False,
) -> Tensor:
    """sqrt(var(x)) over ``axis``; equal elements have derivative 0."""
@_op
def step(xs: Tensor | ArrayLike, t: int) -> Tensor:
    """xs(t), steps counted from 1.

    Its shape is that of xs without the first axis.
    """
@_op
def sub(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """a - b.

    Element by element: a and b are broadcast, the dtype is NumPy's.
    """
@_op
def subtract(a: Tensor | ArrayLike, b: Tensor | ArrayLike) -> Tensor:
    """a - b.

    Element by element: a and b are broadcast, the dtype is NumPy's.
    """
@_op
def sum(
    x: Tensor | ArrayLike,
    axis: int | tuple[int, ...] | None = None,
    keepdims: bool = False,
) -> Tensor:
    """The sum over ``axis``."""
@_op
def swapaxes(x: Tensor | ArrayLike, axis1: int, axis2: int) -> Tensor:
    """Two axes exchanged."""
@_op
def take(
    x: Tensor | ArrayLike,
    index: Tensor | ArrayLike,
    axis: int | None = None,
    mode: str = "raise",
) -> Tensor:
    """The elements of x at integers along ``axis``; None: of x flattened.

    The index is an operand, so that it may differ from step to step of a loop.
    """
@_op
def take_along_axis(
    x: Tensor | ArrayLike,
    index: Tensor | ArrayLike,
    axis: int | None = -1,
) -> Tensor:
    """x[..., index[..., k], ...]: for each place its own index along ``axis``."""
@_op
def tan(x: Tensor | ArrayLike) -> Tensor:
    """The tangent.

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def tanh(x: Tensor | ArrayLike) -> Tensor:
    """(exp(x) - exp(-x)) / (exp(x) + exp(-x)).

    Element by element: the shape is that of x, the dtype is NumPy's.
    """
@_op
def target_weights(
    target: Tensor | ArrayLike,
    o: Tensor | ArrayLike,
    weight: Tensor | ArrayLike | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """q, shaped as o, such that the summed loss is -sum(q log softmax(o)).

    Each row has the weight of its class at its target (with label smoothing eps 1 - eps
    of it, and eps / classes of its weight at every class) and zeros where the target is
    ignored. For the mean it is divided by the sum of the weights of the targets. Of
    float16 it is float32, which holds that sum and its inverse.

    Raises ValueError for a weight of another shape.
    """
@_op
def tensordot(
    a: Tensor | ArrayLike,
    b: Tensor | ArrayLike,
    axes: Any = 2,
) -> Tensor:
    """The sum over pairs of axes: the last and first ``axes`` ones, or two lists."""
@_op
def trace(
    x: Tensor | ArrayLike,
    offset: int = 0,
    axis1: int = 0,
    axis2: int = 1,
) -> Tensor:
    """The sum of a diagonal.

    The two axes go: the shape is that of the others.
    """
@_op
def transpose(
    x: Tensor | ArrayLike,
    axes: Sequence[int] | None = None,
) -> Tensor:
    """The axes permuted by ``axes``, or reversed."""
@_op
def tril(x: Tensor | ArrayLike, k: int = 0) -> Tensor:
    """The elements on and below the k-th diagonal of the last two axes, else zero."""
@_op
def triu(x: Tensor | ArrayLike, k: int = 0) -> Tensor:
    """The elements on and above the k-th diagonal of the last two axes, else zero."""
@_op
def undiagonal(
    a: Tensor | ArrayLike,
    x: Tensor | ArrayLike,
    offset: int = 0,
    axis1: int = 0,
    axis2: int = 1,
) -> Tensor:
    """Zeros like x with a on a diagonal: diagonal, transposed.

    The shape is that of x, the dtype that of a.
    """
@_op
def unpad(
    a: Tensor | ArrayLike,
    x: Tensor | ArrayLike,
    pad_width: Any = 0,
    mode: Any = "constant",
) -> Tensor:
    """What ``pad`` has spread from each element of x, added up: its transposed map.

    Its shape is that of x.
    """
@_op
def untake(
    a: Tensor | ArrayLike,
    index: Tensor | ArrayLike,
    x: Tensor | ArrayLike,
    axis: int | None = None,
    mode: str = "raise",
) -> Tensor:
    """Zeros like x with a added at integers along ``axis``: take, transposed."""
@_op
def untake_along_axis(
    a: Tensor | ArrayLike,
    index: Tensor | ArrayLike,
    x: Tensor | ArrayLike,
    axis: int | None = -1,
) -> Tensor:
    """Zeros like x with a added where take_along_axis picks: its transposed.

    The shape is that of x, the dtype that of a.
    """
@_op
def var(
    x: Tensor | ArrayLike,
    axis: int | tuple[int, ...] | None = None,
    ddof: float = 0,
    keepdims: bool = False,
) -> Tensor:
    """sum((x - mean(x))²) / (n - ddof) over ``axis``."""
@_op
def where(
    c: Tensor | ArrayLike,
    a: Tensor | ArrayLike,
    b: Tensor | ArrayLike,
) -> Tensor:
    """a where c is true, b elsewhere; c is a mask and has no gradient.

    The three are broadcast.
    """
def array_split(
    x: Tensor | ArrayLike,
    indices_or_sections: int | Sequence[int],
    axis: int = 0,
) -> list[Tensor]:
    """As ``split``, but a number of parts need not divide the axis.

    The first parts are then longer by one element.

    Raises ValueError for less than one part.

    A Tensor in the place of numbers is a TypeError.

    >>> import numpy as np
    >>> [part.shape for part in array_split(np.zeros(7), 3)]
    [(3,), (2,), (2,)]
    """
def diff(
    x: Tensor | ArrayLike,
    n: int = 1,
    axis: int = -1,
    prepend: Tensor | ArrayLike | None = None,
    append: Tensor | ArrayLike | None = None,
) -> Tensor:
    """Each element less the one before it along ``axis``, ``n`` times over.

    ``prepend`` and ``append`` are joined to x first; a number stands for one element.

    Raises ValueError for an n below 0, and for an x of shape ().

    >>> import minigrad as mg
    >>> mg.diff(mg.tensor([1.0, 4.0, 9.0])).tolist()
    [3.0, 5.0]
    """
def hstack(
    xs: Sequence[Tensor | ArrayLike],
) -> Tensor:
    """Arrays joined along the second axis; vectors along their only one.

    >>> import numpy as np
    >>> hstack([np.zeros((2, 1)), np.ones((2, 3))]).shape
    (2, 4)
    """
def inner(
    a: Tensor | ArrayLike,
    b: Tensor | ArrayLike,
) -> Tensor:
    """The sum of products over the last axes of a and b; of numbers their product.

    >>> import minigrad as mg
    >>> mg.inner(mg.tensor([1.0, 2.0]), mg.tensor([3.0, 4.0])).item()
    11.0
    """
def log_sigmoid(
    x: Tensor | ArrayLike,
) -> Tensor:
    """log(1 / (1 + exp(-x))), without overflow: -softplus(-x).

    >>> import minigrad as mg
    >>> log_sigmoid(mg.tensor([-1000.0, 0.0])).data.round(4).tolist()
    [-1000.0, -0.6931]
    """
def moveaxis(
    x: Tensor | ArrayLike,
    source: int | Sequence[int],
    destination: int | Sequence[int],
) -> Tensor:
    """Axes moved to other places, the rest kept in order.

    >>> import numpy as np
    >>> moveaxis(np.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
def ravel(
    x: Tensor | ArrayLike,
) -> Tensor:
    """The elements in one axis.

    >>> import numpy as np
    >>> ravel(np.zeros((2, 3))).shape
    (6,)
    """
def repeat(
    x: Tensor | ArrayLike,
    repeats: int | Sequence[int],
    axis: int | None = None,
) -> Tensor:
    """Each element so many times in a row, one number for all or one for each.

    ``axis`` None repeats the elements of x flattened.

    Raises TypeError for repeats that are a Tensor: the shape is fixed when the graph is
    recorded.

    >>> import minigrad as mg
    >>> mg.repeat(mg.tensor([1.0, 2.0]), 2).tolist()
    [1.0, 1.0, 2.0, 2.0]
    """
def split(
    x: Tensor | ArrayLike,
    indices_or_sections: Tensor | ArrayLike,
    axis: int = 0,
) -> list[Tensor]:
    """Parts of x along ``axis``: a number of equal ones, or cut before each index.

    Each part is a ``getitem``, and the engine joins their gradients in one node.

    Raises ValueError where that many parts do not divide the axis.

    >>> import minigrad as mg
    >>> [part.shape for part in mg.split(mg.tensor([1.0, 2.0, 3.0]), [1])]
    [(1,), (2,)]
    """
def tile(
    x: Tensor | ArrayLike,
    reps: int | Sequence[int],
) -> Tensor:
    """Copies of x side by side, so many along each axis; the last axes come last.

    Raises TypeError for reps that are a Tensor: the shape is fixed when the graph is
    recorded.

    >>> import minigrad as mg
    >>> mg.tile(mg.tensor([1.0, 2.0]), 2).tolist()
    [1.0, 2.0, 1.0, 2.0]
    """
def vstack(
    xs: Sequence[Tensor | ArrayLike],
) -> Tensor:
    """Arrays joined along the first axis; a vector is a row.

    >>> import numpy as np
    >>> vstack([np.zeros(3), np.ones(3)]).shape
    (2, 3)
    """

__all__ = [
    "Equations",
    "Figure",
    "FoldError",
    "Graph",
    "Leaf",
    "Node",
    "Op",
    "Parameter",
    "Program",
    "Recurrence",
    "Share",
    "Spec",
    "Style",
    "Tensor",
    "Use",
    "abs",
    "absolute",
    "add",
    "add_n",
    "all",
    "any",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "argmax",
    "argmin",
    "argsort",
    "array_split",
    "astype",
    "binary_cross_entropy",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "broadcast_to",
    "ceil",
    "clip",
    "compile",
    "concatenate",
    "contract",
    "conv1d",
    "conv1d_to_w",
    "conv1d_to_x",
    "cos",
    "cosh",
    "count",
    "cross_entropy",
    "cumprod",
    "cumsum",
    "detect_anomaly",
    "diagonal",
    "diff",
    "div",
    "divide",
    "dot",
    "draw",
    "einsum",
    "embedding",
    "equal",
    "equations",
    "exp",
    "exp2",
    "expand_dims",
    "expm1",
    "flip",
    "floor",
    "fold",
    "full",
    "full_like",
    "getitem",
    "grad",
    "grad_by_use",
    "greater",
    "greater_equal",
    "hessian",
    "hstack",
    "hvp",
    "hypot",
    "identity_like",
    "inner",
    "invert",
    "isfinite",
    "isinf",
    "isnan",
    "jacobian",
    "jvp",
    "keep_lines",
    "layer_norm",
    "less",
    "less_equal",
    "linear_recurrence",
    "load",
    "log",
    "log10",
    "log1p",
    "log2",
    "log_sigmoid",
    "log_softmax",
    "logaddexp",
    "logical_and",
    "logical_not",
    "logical_or",
    "logsumexp",
    "matmul",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "moveaxis",
    "mse_loss",
    "mul",
    "multiply",
    "neg",
    "negative",
    "nll_loss",
    "no_grad",
    "norm",
    "not_equal",
    "ones",
    "ones_like",
    "op",
    "outer",
    "pad",
    "parameter",
    "pow",
    "power",
    "prod",
    "ravel",
    "reciprocal",
    "recompute",
    "relu",
    "repeat",
    "reshape",
    "reshape_like",
    "rint",
    "roll",
    "round",
    "scatter_n",
    "scope",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "softmax",
    "softplus",
    "sort",
    "split",
    "spread",
    "spread_mean",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "step",
    "steps",
    "sub",
    "subtract",
    "sum",
    "swapaxes",
    "take",
    "take_along_axis",
    "tan",
    "tanh",
    "target_weights",
    "tensor",
    "tensordot",
    "tile",
    "trace",
    "transpose",
    "tril",
    "triu",
    "undiagonal",
    "unpad",
    "untake",
    "untake_along_axis",
    "value_and_grad",
    "var",
    "vjp",
    "vstack",
    "where",
    "zeros",
    "zeros_like",
]
