"""Ops that work element by element, with NumPy's broadcasting.

Conventions at hard points: ``maximum`` and ``minimum`` give 1/2 to each side of a tie,
``abs`` and ``relu`` have derivative 0 at 0, ``clip`` passes 1 at its bounds, ``x**0``
has derivative 0. A NaN takes part in the gradient, as in PyTorch: ``relu`` hands it on,
``maximum`` and ``minimum`` hand it to both sides, ``abs`` gives NaN. Un-broadcasting
and dtypes are the engine's work, not the rules'.

>>> import minigrad as mg
>>> a = mg.tensor([1.0, 2.0], requires_grad=True)
>>> mg.grad(mg.maximum(a, a).sum(), [a])[0].data.tolist()
[1.0, 1.0]
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minigrad.op import Op, by_function, op

add = Op(np.add, lambda g, y, a, b: g, lambda g, y, a, b: g, doc="a + b.")
subtract = Op(np.subtract, lambda g, y, a, b: g, lambda g, y, a, b: -g, doc="a - b.")
multiply = Op(
    np.multiply, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a, doc="a b."
)
divide = Op(
    np.divide, lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b, doc="a / b."
)
negative = Op(np.negative, lambda g, y, x: -g, doc="-x.")
square = Op(np.square, lambda g, y, x: g * (2 * x), doc="x x.")
reciprocal = Op(np.reciprocal, lambda g, y, x: -g * y * y, doc="1 / x.")
power = Op(
    np.power,
    lambda g, y, a, b: g * b * a ** _lowered(a, b),
    lambda g, y, a, b: g * y * _log_of_base(a),
    doc="a**b; x**0 has derivative 0.",
)
exp = Op(np.exp, lambda g, y, x: g * y, doc="e**x.")
log = Op(np.log, lambda g, y, x: g / x, doc="The natural logarithm.")
log1p = Op(np.log1p, lambda g, y, x: g / (1 + x), doc="log(1 + x), exact near 0 too.")
expm1 = Op(np.expm1, lambda g, y, x: g * (y + 1), doc="exp(x) - 1, exact near 0 too.")
sqrt = Op(np.sqrt, lambda g, y, x: g / (2 * y), doc="The square root.")
absolute = Op(
    np.absolute, lambda g, y, x: g * np.sign(x), doc="|x|; the derivative at 0 is 0."
)
sin = Op(np.sin, lambda g, y, x: g * np.cos(x), doc="The sine.")
cos = Op(np.cos, lambda g, y, x: -g * np.sin(x), doc="The cosine.")
tanh = Op(
    np.tanh,
    lambda g, y, x: g * (1 - y * y),
    doc="(exp(x) - exp(-x)) / (exp(x) + exp(-x)).",
)
maximum = Op(
    np.maximum,
    lambda g, y, a, b: np.where(a < b, 0.0, np.where(a == b, g / 2, g)),
    lambda g, y, a, b: np.where(b < a, 0.0, np.where(a == b, g / 2, g)),
    doc="The larger of a and b; a tie gives 1/2 to each side.",
)
minimum = Op(
    np.minimum,
    lambda g, y, a, b: np.where(a > b, 0.0, np.where(a == b, g / 2, g)),
    lambda g, y, a, b: np.where(b > a, 0.0, np.where(a == b, g / 2, g)),
    doc="The smaller of a and b; a tie gives 1/2 to each side.",
)
where = Op(
    np.where,
    None,
    lambda g, y, c, a, b: np.where(c, g, 0.0),
    lambda g, y, c, a, b: np.where(c, 0.0, g),
    doc="""a where c is true, b elsewhere; c is a mask and has no gradient.

    The three are broadcast.
    """,
)
sign = Op(np.sign, None, doc="-1, 0 or 1, the sign of x; no gradient flows.")
detach = Op(
    np.positive,
    None,
    name="detach",
    doc="x, without a gradient: what is computed from it is constant in x.",
)
del by_function[np.positive]  # np.positive(x) itself has a gradient
greater = Op(np.greater, None, None, doc="a > b: a mask, without gradient.")
greater_equal = Op(
    np.greater_equal, None, None, doc="a >= b: a mask, without gradient."
)
less = Op(np.less, None, None, doc="a < b: a mask, without gradient.")
less_equal = Op(np.less_equal, None, None, doc="a <= b: a mask, without gradient.")
equal = Op(np.equal, None, None, doc="a == b: a mask, without gradient.")
not_equal = Op(np.not_equal, None, None, doc="a != b: a mask, without gradient.")
logical_and = Op(
    np.logical_and, None, None, doc="True where a and b are: a mask, without gradient."
)
logical_or = Op(
    np.logical_or, None, None, doc="True where a or b is: a mask, without gradient."
)
logical_not = Op(
    np.logical_not, None, doc="True where x is not: a mask, without gradient."
)
bitwise_and = Op(
    np.bitwise_and, None, None, doc="a & b, bit by bit; of masks, and. No gradient."
)
bitwise_or = Op(
    np.bitwise_or, None, None, doc="a | b, bit by bit; of masks, or. No gradient."
)
bitwise_xor = Op(
    np.bitwise_xor, None, None, doc="a ^ b, bit by bit; of masks, either. No gradient."
)
invert = Op(np.invert, None, doc="~x, bit by bit; of a mask, not. No gradient.")


@op(lambda g, y, x: g * (y * (1 - y)))
def sigmoid(x: Any, out: Any = None) -> Any:
    """1 / (1 + exp(-x)), to a few units in the last place in the far tails too.

    Programs give an array for the result, which may be x itself.

    Element by element: the shape and the dtype are those of x.
    """
    # Of -|x| alone: nothing overflows, and nothing cancels where x is negative.
    e = np.exp(-1.0 * np.abs(x))
    return np.divide(np.maximum(e, x >= 0), 1 + e, out=out)


@op(lambda g, y, x: np.where(x <= 0, 0.0, g))
def relu(x: Any) -> Any:
    """max(x, 0); the derivative at 0 is 0.

    Element by element: the shape and the dtype are those of x.
    """
    return np.maximum(x, 0)


@op(lambda g, y, x: g * sigmoid(x))
def softplus(x: Any) -> Any:
    """log(1 + exp(x)), without overflow.

    Element by element: the shape is that of x, whole numbers become float64.
    """
    x = floating(x)
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


class _Clip(Op):
    """Clipping: a bound that is left out is one that nothing reaches."""

    def _present(self, operands: list[Any]) -> tuple[Any, ...]:
        x, low, high = operands
        if low is None or high is None:
            dtype = getattr(x, "dtype", None) or np.asarray(x).dtype
            ends: Any = (-np.inf, np.inf)
            if dtype.kind in "iu":
                ends = (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
            low = ends[0] if low is None else low
            high = ends[1] if high is None else high
        return x, low, high


def _limited(x: Any, a_min: Any = None, a_max: Any = None) -> Any:
    """x limited to [a_min, a_max]; the bounds are operands and have a gradient too.

    The gradient goes to x within the bounds and at them, beyond them to the bound.

    Element by element: x and the bounds are broadcast.
    """
    return np.clip(x, a_min, a_max)


clip: Op = _Clip(
    _limited,
    lambda g, y, x, low, high: np.where(np.logical_and(x >= low, x <= high), g, 0.0),
    lambda g, y, x, low, high: np.where(
        np.logical_and(x < low, np.less_equal(low, high)), g, 0.0
    ),
    lambda g, y, x, low, high: np.where(
        np.logical_or(x > high, np.greater(low, high)), g, 0.0
    ),
    name="clip",
    numpy=np.clip,
)
clip.arity = -1  # every call is looked at


@op(lambda g, y, x, dtype=None: g if y.dtype.kind == "f" else None)
def astype(x: Any, dtype: DTypeLike) -> Any:
    """x in another dtype; the engine casts the cotangent back, integers pass none.

    The shape stays.

    >>> import minigrad as mg
    >>> x = mg.tensor([1.5], requires_grad=True)
    >>> mg.grad((mg.astype(x, dtype=int) * 2.0 * x).sum(), [x])[0].data.tolist()
    [2.0]
    """
    return np.asarray(x).astype(dtype)


def floating(x: Any) -> Any:
    """x as it is, or as float64 where it holds whole numbers or truth values.

    Those wrap where they are subtracted (uint8), and NumPy's exp of them is float16.

    >>> floating(np.array([1, 2])).dtype, floating(np.float32(1.0)).dtype
    (dtype('float64'), dtype('float32'))
    """
    x = x if hasattr(x, "node") else np.asarray(x)
    return x if x.dtype.kind == "f" else astype(x, dtype=np.float64)


@op(lambda i, g, y, xs: g, variadic=True)
def add_n(xs: Any) -> Any:
    """The sum of arrays of one shape, in their order: what fan-in becomes."""
    total = np.array(xs[0]) if len(xs) == 1 else np.asarray(xs[0] + xs[1])
    for x in xs[2:]:
        np.add(total, x, out=total)
    return total


def _lowered(a: Any, b: Any) -> Any:
    """b - 1, but 0 for 0**0, so that the derivative of x**0 is 0 at x = 0 too."""
    if isinstance(b, (int, float)):
        return b - 1 if b else 0
    return np.where(np.logical_and(a == 0, b == 0), 0.0, b - 1)


def _log_of_base(a: Any) -> Any:
    """log(a), but 0 at 0: there a**b is constant in b."""
    if isinstance(a, (int, float)):
        return float(np.log(a)) if a else 0.0
    return np.log(np.where(a == 0, 1.0, a))
