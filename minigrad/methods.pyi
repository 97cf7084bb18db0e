# Made by tests/typing/stubs.py from the ops themselves.

from typing import Any

from numpy.typing import ArrayLike, DTypeLike

from minigrad.tensor import Tensor

class Methods:
    def sum(
        self,
        axis: int | tuple[int, ...] | None = None,
        keepdims: bool = False,
    ) -> Tensor:
        """The sum over ``axis``."""
    def mean(
        self,
        axis: int | tuple[int, ...] | None = None,
        keepdims: bool = False,
    ) -> Tensor:
        """The mean over ``axis``."""
    def max(
        self,
        axis: int | tuple[int, ...] | None = None,
        keepdims: bool = False,
    ) -> Tensor:
        """The largest element over ``axis``; a tie splits its gradient evenly.

        A NaN is the result where there is one, and gets the gradient.
        """
    def min(
        self,
        axis: int | tuple[int, ...] | None = None,
        keepdims: bool = False,
    ) -> Tensor:
        """The smallest element over ``axis``; a tie splits its gradient evenly.

        A NaN is the result where there is one, and gets the gradient.
        """
    def exp(self) -> Tensor:
        """e**x.

        Element by element: the shape is that of x, the dtype is NumPy's.
        """
    def log(self) -> Tensor:
        """The natural logarithm.

        Element by element: the shape is that of x, the dtype is NumPy's.
        """
    def sqrt(self) -> Tensor:
        """The square root.

        Element by element: the shape is that of x, the dtype is NumPy's.
        """
    def tanh(self) -> Tensor:
        """(exp(x) - exp(-x)) / (exp(x) + exp(-x)).

        Element by element: the shape is that of x, the dtype is NumPy's.
        """
    def sigmoid(self) -> Tensor:
        """1 / (1 + exp(-x)), to a few units in the last place in the far tails too.

        Programs give an array for the result, which may be x itself.

        Element by element: the shape and the dtype are those of x.
        """
    def relu(self) -> Tensor:
        """max(x, 0); the derivative at 0 is 0.

        Element by element: the shape and the dtype are those of x.
        """
    def clip(
        self,
        a_min: Tensor | ArrayLike | None = None,
        a_max: Tensor | ArrayLike | None = None,
    ) -> Tensor:
        """x limited to [a_min, a_max]; the bounds are operands and have a gradient too.

        The gradient goes to x within the bounds and at them, beyond them to the bound.

        Element by element: x and the bounds are broadcast.
        """
    def softmax(self, axis: int | tuple[int, ...] | None = -1) -> Tensor:
        """exp(x) / sum(exp(x)) along ``axis``."""
    def log_softmax(self, axis: int | tuple[int, ...] | None = -1) -> Tensor:
        """x - logsumexp(x) along ``axis``."""
    def logsumexp(
        self,
        axis: int | tuple[int, ...] | None = None,
        keepdims: bool = False,
    ) -> Tensor:
        """log(sum(exp(x))) over ``axis``, stable for large values and for -inf."""
    def dot(self, b: Tensor | ArrayLike) -> Tensor:
        """NumPy's dot: the product over the last axis of a and the next to last of b."""
    def astype(self, dtype: DTypeLike) -> Tensor:
        """x in another dtype; the engine casts the cotangent back, integers pass none.

        The shape stays.

        >>> import minigrad as mg
        >>> x = mg.tensor([1.5], requires_grad=True)
        >>> mg.grad((mg.astype(x, dtype=int) * 2.0 * x).sum(), [x])[0].data.tolist()
        [2.0]
        """
    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        """Two axes exchanged."""
    def squeeze(self, axis: int | tuple[int, ...] | None = None) -> Tensor:
        """Axes of length 1 removed."""
    def prod(
        self,
        axis: int | tuple[int, ...] | None = None,
        keepdims: bool = False,
    ) -> Tensor:
        """The product over ``axis``; exact where elements are zero."""
    def var(
        self,
        axis: int | tuple[int, ...] | None = None,
        ddof: float = 0,
        keepdims: bool = False,
    ) -> Tensor:
        """sum((x - mean(x))²) / (n - ddof) over ``axis``."""
    def std(
        self,
        axis: int | tuple[int, ...] | None = None,
        ddof: float = 0,
        keepdims: bool = False,
    ) -> Tensor:
        """sqrt(var(x)) over ``axis``; equal elements have derivative 0."""
    def cumsum(self, axis: int | None = None) -> Tensor:
        """Sums of the elements so far along ``axis``; None runs over x flattened."""
    def cumprod(self, axis: int | None = None) -> Tensor:
        """Products of the elements so far along ``axis``; None runs over x flattened."""
    def take(
        self,
        index: Tensor | ArrayLike,
        axis: int | None = None,
        mode: str = "raise",
    ) -> Tensor:
        """The elements of x at integers along ``axis``; None: of x flattened.

        The index is an operand, so that it may differ from step to step of a loop.
        """
    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        """The elements with index2 - index1 = offset; they become the last axis."""
    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        """The sum of a diagonal.

        The two axes go: the shape is that of the others.
        """
    def argmax(self, axis: int | None = None, keepdims: bool = False) -> Tensor:
        """Where along ``axis`` the largest element is, the first one at a tie.

        None looks at x flattened. No gradient flows: ``mg.max`` has one.
        """
    def argmin(self, axis: int | None = None, keepdims: bool = False) -> Tensor:
        """Where along ``axis`` the smallest element is, the first one at a tie.

        None looks at x flattened. No gradient flows: ``mg.min`` has one.
        """
    def round(self, decimals: int = 0) -> Tensor:
        """x to so many decimals, a half to the even digit; no gradient flows.

        The shape is that of x.
        """
    def any(
        self,
        axis: int | tuple[int, ...] | None = None,
        keepdims: bool = False,
    ) -> Tensor:
        """Whether an element over ``axis`` is true: a mask, without gradient."""
    def all(
        self,
        axis: int | tuple[int, ...] | None = None,
        keepdims: bool = False,
    ) -> Tensor:
        """Whether all elements over ``axis`` are true: a mask, without gradient."""
    def __neg__(self) -> Tensor: ...
    def __abs__(self) -> Tensor: ...
    def __invert__(self) -> Tensor: ...
    def __add__(self, other: Tensor | ArrayLike) -> Tensor: ...
    def __radd__(self, other: Tensor | ArrayLike) -> Tensor: ...
    def __sub__(self, other: Tensor | ArrayLike) -> Tensor: ...
    def __rsub__(self, other: Tensor | ArrayLike) -> Tensor: ...
    def __mul__(self, other: Tensor | ArrayLike) -> Tensor: ...
    def __rmul__(self, other: Tensor | ArrayLike) -> Tensor: ...
    def __truediv__(self, other: Tensor | ArrayLike) -> Tensor: ...
    def __rtruediv__(self, other: Tensor | ArrayLike) -> Tensor: ...
    def __pow__(self, other: Tensor | ArrayLike) -> Tensor: ...
    def __rpow__(self, other: Tensor | ArrayLike) -> Tensor: ...
    def __matmul__(self, other: Tensor | ArrayLike) -> Tensor: ...
    def __rmatmul__(self, other: Tensor | ArrayLike) -> Tensor: ...
    def __lt__(self, other: Tensor | ArrayLike) -> Tensor: ...
    def __le__(self, other: Tensor | ArrayLike) -> Tensor: ...
    def __gt__(self, other: Tensor | ArrayLike) -> Tensor: ...
    def __ge__(self, other: Tensor | ArrayLike) -> Tensor: ...
    def __and__(self, other: Tensor | ArrayLike) -> Tensor: ...
    def __or__(self, other: Tensor | ArrayLike) -> Tensor: ...
    def __eq__(self, other: Tensor | ArrayLike) -> Tensor: ...  # type: ignore[override]
    def __ne__(self, other: Tensor | ArrayLike) -> Tensor: ...  # type: ignore[override]
    def __getitem__(self, key: Any) -> Tensor: ...
    def __hash__(self) -> int: ...

def install() -> None: ...
