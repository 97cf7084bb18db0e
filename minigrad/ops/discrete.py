"""Ops whose values are whole numbers, truths or places, so that no gradient flows.

>>> import minigrad as mg
>>> x = mg.tensor([0.5, 2.5, float("nan")])
>>> mg.isnan(x).data.tolist(), mg.floor(x[:2]).data.tolist(), mg.argmax(x[:2]).item()
([False, False, True], [0.0, 2.0], 1)
"""

from typing import Any

import numpy as np

from minigrad.op import Axis, Op, op

floor = Op(np.floor, None, doc="The largest whole number <= x; no gradient flows.")
ceil = Op(np.ceil, None, doc="The smallest whole number >= x; no gradient flows.")
rint = Op(
    np.rint, None, doc="The nearest whole number, a half to the even one; no gradient."
)
isnan = Op(np.isnan, None, doc="True where x is NaN: a mask, without gradient.")
isinf = Op(np.isinf, None, doc="True where x is inf or -inf: a mask, without gradient.")
isfinite = Op(
    np.isfinite, None, doc="True where x is a number: a mask, without gradient."
)


@op(None, numpy=np.round)
def round(x: Any, decimals: int = 0) -> Any:
    """x to so many decimals, a half to the even digit; no gradient flows.

    The shape is that of x.
    """
    return np.round(x, decimals)


@op(None, numpy=np.any)
def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether an element over ``axis`` is true: a mask, without gradient."""
    return np.any(x, axis=axis, keepdims=keepdims)


@op(None, numpy=np.all)
def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether all elements over ``axis`` are true: a mask, without gradient."""
    return np.all(x, axis=axis, keepdims=keepdims)


@op(None, numpy=np.argmax)
def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Where along ``axis`` the largest element is, the first one at a tie.

    None looks at x flattened. No gradient flows: ``mg.max`` has one.
    """
    return np.argmax(x, axis, keepdims=keepdims)


@op(None, numpy=np.argmin)
def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Where along ``axis`` the smallest element is, the first one at a tie.

    None looks at x flattened. No gradient flows: ``mg.min`` has one.
    """
    return np.argmin(x, axis, keepdims=keepdims)
