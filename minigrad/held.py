"""Leaves whose value is on a device until somebody looks at it.

A result of a program that ran on a device, or a parameter that such a program has
changed, need not come back before it is read. A ``Held`` leaf has the device's array in
the place of its value; the first look copies it, and the leaf is then one like any
other.

>>> from minigrad.scope import ROOT
>>> class Far:  # what an array of a device has
...     shape, dtype = (2,), np.dtype(float)
...     def __dlpack__(self): ...
...     def __array__(self, dtype=None, copy=None):
...         return np.ones(2)
>>> leaf = Held("constant", Far(), None, ROOT, 0)
>>> on_device(held(leaf)), leaf.value, type(leaf).__name__
(True, array([1., 1.]), 'Leaf')
"""

from typing import Any

import numpy as np

from minigrad.graph import Leaf, Node

_slot: Any = Node.__dict__["value"]


def on_device(value: Any) -> bool:
    """Whether a value is an array of another library, with NumPy's dtypes."""
    return (
        not isinstance(value, (np.ndarray, np.generic))
        and hasattr(value, "__dlpack__")
        and not hasattr(value, "node")  # a Tensor has both
        and isinstance(getattr(value, "dtype", None), np.dtype)
    )


def held(node: Node) -> Any:
    """The value of a node as it is kept: what is on a device stays there."""
    return _slot.__get__(node)


def _looked_at(leaf: "Held") -> Any:
    value = held(leaf)
    if not isinstance(value, np.ndarray):
        value = np.array(value)
        value.setflags(write=False)
        _slot.__set__(leaf, value)
    leaf.__class__ = Leaf  # type: ignore[assignment]
    return value


class Held(Leaf):
    """A leaf whose value is on a device; see the module."""

    __slots__ = ()

    # Set in one call into C, as ``assign.set_at_once`` needs it.
    value = property(_looked_at, _slot.__set__)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value, which stays where it is."""
        return held(self).shape  # type: ignore[no-any-return]
