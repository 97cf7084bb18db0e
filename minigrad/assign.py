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
from numpy.typing import ArrayLike

from minigrad.graph import Leaf, ids

Change = tuple[Any, str, Any]  # an object, an attribute, its new value


def assign_all(values: Iterable[tuple[Any, ArrayLike]], *also: Change) -> None:
    """Assign to several parameters: all of them, or at an error or Ctrl-C none.

    ``also`` are attributes of other objects that change together with them.

    >>> from minigrad import parameter
    >>> a, b = parameter(1.0, name="a"), parameter([2.0], name="b")
    >>> assign_all([(a, 5.0), (b, 6.0)])
    Traceback (most recent call last):
    ValueError: parameter b has shape (1,), cannot assign shape ()
    >>> a.item()
    1.0
    """
    version = next(ids)
    changes = [*also, (Leaf, "changed", version)]
    for p, value in values:
        old = p.data
        new = np.array(value, dtype=old.dtype)
        if new.shape != old.shape:
            raise ValueError(
                f"parameter {p.name or '(unnamed)'} has shape {old.shape}, "
                f"cannot assign shape {new.shape}"
            )
        new.setflags(write=False)
        changes += [(p.node, "value", new), (p.node, "version", version)]
    set_at_once(changes)


def set_at_once(changes: list[Change]) -> None:
    """Set attributes so that Ctrl-C finds all of them old or all of them new.

    Python looks for a signal between two steps of its own; this is one call into C.
    """
    deque(starmap(setattr, changes), maxlen=0)
