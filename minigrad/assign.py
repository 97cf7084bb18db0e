"""How parameters change: several at a time, all of them or none.

>>> from minigrad import parameter
>>> p = parameter(1.0, name="p")
>>> assign_all([(p, 2.0)])
>>> p.item()
2.0
"""

from collections import deque
from collections.abc import Iterable
from itertools import starmap
from typing import Any

import numpy as np

from minigrad.arrays import frozen, real_array
from minigrad.graph import Leaf, ids
from minigrad.held import Held, held, on_device

Change = tuple[Any, str, Any]  # an object, an attribute, its new value


def assign_all(values: Iterable[tuple[Any, Any]], *also: Change) -> None:
    """Assign to several parameters: all of them, or at an error or Ctrl-C none.

    ``also`` are attributes of other objects that change together with them. An array of
    a device stays there until the parameter is read.

    >>> from minigrad import parameter
    >>> a, b = parameter(1.0, name="a"), parameter([2.0], name="b")
    >>> assign_all([(a, 5.0), (b, 6.0)])
    Traceback (most recent call last):
    ValueError: parameter b has shape (1,), cannot assign shape ()
    >>> a.item()
    1.0
    """
    version = next(ids)
    changes: list[Change] = [(Leaf, "changed", version)]
    for p, value in values:
        old = held(p.node)
        far = on_device(value) and value.dtype == old.dtype
        what = f"parameter {p.name or '(unnamed)'}"
        new = value if far else frozen(real_array(value, old.dtype, what))
        if new.shape != old.shape:
            raise ValueError(
                f"{what} has shape {old.shape}, cannot assign shape {new.shape}"
            )
        if far:
            changes.append((p.node, "__class__", Held))
        changes += [(p.node, "value", new), (p.node, "version", version)]
        if p.node.used:  # a step that is taken back may be made again
            changes.append((p.node, "used", False))
    set_at_once([*changes, *also])


def assign_gradient(p: Any, value: Any) -> None:
    """Set the gradient of a parameter by hand: an array of its shape, or None."""
    if value is p.node.grad:  # as after p.grad *= 0.5
        return
    if isinstance(value, np.generic):
        value = np.asarray(value)
    if value is not None:
        _require_gradient(p, value)
    set_at_once([(p.node, "grad", value), (p.node, "used", None)])


def _require_gradient(p: Any, value: Any) -> None:
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
        found = type(value).__name__
        if isinstance(value, np.ndarray):
            found = f"an array of {value.dtype}"
        raise TypeError(
            f"the gradient of parameter {p.name or '(unnamed)'} is an array of "
            f"floating point, or None: got {found}; of a Tensor write t.data"
        )
    if value.shape != p.shape:
        raise ValueError(
            f"parameter {p.name or '(unnamed)'} has shape {p.shape}, and its "
            f"gradient cannot have shape {value.shape}"
        )


def set_at_once(changes: list[Change]) -> None:
    """Set attributes so that Ctrl-C finds all of them old or all of them new.

    Python looks for a signal between two steps of its own; this is one call into C.
    """
    deque(starmap(setattr, changes), maxlen=0)
