"""Arrays that become values of the graph: real numbers, whole, and read-only.

>>> real_array([1, 2], np.float32, "a tensor").dtype
dtype('float32')
>>> real_array([1e300], np.float32, "a tensor")
Traceback (most recent call last):
OverflowError: a tensor is float32, which cannot hold 1e+300
"""

import reprlib
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]
# How a wrong array is shown: its first numbers.
SHORT = reprlib.Repr()
SHORT.maxlist = 2


def frozen(array: Array) -> Array:
    """A view of an array that is read-only from now on: not to be made writeable."""
    array.setflags(write=False)
    return array.view()


def require_unmasked(given: Any, what: str) -> None:
    """Raise for a masked array, of which NumPy would take the hidden numbers too."""
    if isinstance(given, np.ma.MaskedArray):
        raise TypeError(
            f"{what} has no masked entries: fill them, a.filled(0.0), and keep the "
            "mask as an array of its own, np.ma.getmaskarray(a)"
        )


def real_array(
    given: Any, dtype: DTypeLike | None, what: str, copy: bool | None = True
) -> Array:
    """An array of real numbers, each of which ``dtype`` holds (None: the given one).

    Raises TypeError for other things than real numbers and OverflowError for one that
    would become infinite. A fraction is cut off where a dtype of whole numbers is asked
    for.
    """
    require_unmasked(given, what)
    try:
        value = np.array(given, copy=copy)
    except ValueError as error:
        if "inhomogeneous" in str(error):
            error.add_note(
                "parts of unequal length are no array: minigrad.data.pad makes one of "
                "such sequences, and gives their lengths"
            )
        raise
    if value.dtype.kind not in "biuf":
        shown = SHORT.repr(value.tolist())
        raise TypeError(f"{what} holds numbers, got dtype {value.dtype}, {shown}")
    if dtype is None or value.dtype == dtype:
        return value
    with np.errstate(over="ignore"):
        cast: Array = value.astype(dtype)
    if cast.dtype.kind == "f" and not np.isfinite(cast).all():
        lost = value[np.isfinite(value) & ~np.isfinite(cast)]
        if lost.size:
            raise OverflowError(f"{what} is {cast.dtype}, which cannot hold {lost[0]}")
    return cast
