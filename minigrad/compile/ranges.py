"""Where the elements of an operand must lie: what NumPy refuses, and others may not.

An index that is out of range, a class number, or a negative power of whole numbers is
an error of NumPy's, and of a number that no whole one is it warns. An engine that would
go on without a word looks at these ranges before it runs.

>>> from minigrad.compile.kinds import O
>>> list(ranges(O.embedding, {}, [(5, 2), (3,)], ["float64", "int64"]))
[Range(operand=1, low=-5, high=4, ignored=None)]
"""

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from minigrad.compile import kernels
from minigrad.compile.kinds import O
from minigrad.compile.values import AnyOp, Kernel
from minigrad.ops.indexing import places_in


class Range(NamedTuple):
    """An operand, by number, and where its elements must lie, or be ``ignored``."""

    operand: int
    low: int
    high: int
    ignored: int | None = None

    def holds(self, x: Any) -> Any:
        """Which elements of an operand do.

        >>> Range(0, 0, 2, -100).holds(np.array([0, 3, -100]))
        array([ True, False,  True])
        """
        inside = (x >= self.low) & (x <= self.high)
        return inside if self.ignored is None else inside | (x == self.ignored)


def ranges(
    op: AnyOp, attrs: Mapping[str, Any], shapes: Sequence[Any], kinds: Sequence[str]
) -> Iterator[Range]:
    """What an op requires of operands of these shapes and dtypes."""
    if op in (O.cross_entropy, O.nll_loss, kernels.losses, kernels.gradient):
        classes, index = shapes[0][-1], 2 if isinstance(op, Kernel) else 1
        yield Range(index, 0, classes - 1, attrs.get("ignore_index", -100))
    elif op is kernels.number_kept:
        yield Range(0, 0, attrs["classes"] - 1, attrs["ignore_index"])
    elif op is O.binary_cross_entropy:
        yield Range(1, 0, 1)
    elif op is O.power and kinds[1][:3] == "int" and kinds[0][:5] != "float":
        if kinds[1] != "int":  # a Python number, which the trace has seen
            yield Range(1, 0, np.iinfo(kinds[1]).max)
    elif op is O.astype and kinds[0][:5] == "float":
        kind = np.dtype(attrs["dtype"])
        if kind.kind in "iu":
            yield Range(0, int(np.iinfo(kind).min), int(np.iinfo(kind).max))
    elif op is O.embedding:
        yield _index(1, shapes[0][0])
    elif op in _PICKING and attrs.get("mode", "raise") == "raise":
        shape = shapes[_PICKING[op]]
        axis = attrs.get("axis", None if op in (O.take, O.untake) else -1)
        yield _index(1, prod(shape) if axis is None else shape[axis])
    elif op is O.getitem:
        yield from _of_key(attrs["key"], shapes[0], 1, kinds)
    elif op is O.scatter_n:
        first = len(shapes) - sum(map(places_in, attrs["keys"]))
        for key in attrs["keys"]:
            yield from _of_key(key, shapes[0], first, kinds)
            first += places_in(key)


# Ops along an axis of an operand, and which that is.
_PICKING = {O.take: 0, O.take_along_axis: 0, O.untake: 2, O.untake_along_axis: 2}


def _index(operand: int, n: int) -> Range:
    return Range(operand, -n, n - 1)


def _of_key(key: Any, shape: Any, first: int, kinds: Sequence[str]) -> Iterator[Range]:
    """The ranges of the index arrays of a key, which are the operands from one on."""
    parts = key if isinstance(key, tuple) else (key,)
    rest = len(shape) - sum(p is not None and p is not Ellipsis for p in parts)
    axis = 0
    for part in parts:
        if part.__class__ is str:
            if kinds[first] == "bool":
                return  # a mask is a constant, which the trace has seen
            yield _index(first, shape[axis])
            first += 1
        axis += rest if part is Ellipsis else part is not None
