"""What an op keeps as an attribute: a plain value that nobody edits later.

>>> given = [1, 2]
>>> kept = own(None, "axes", given)
>>> given.append(3)
>>> kept
[1, 2]
"""

from typing import Any

import numpy as np


def own(op: Any, name: str, value: Any) -> Any:
    """An attribute that no later edit of the caller's list or array reaches.

    Raises TypeError for a Tensor, which is no part of a program.
    """
    if isinstance(value, np.ndarray):
        copy = value.copy()
        copy.setflags(write=False)
        return copy
    if value.__class__ in (list, tuple):
        return value.__class__([own(op, name, v) for v in value])
    if isinstance(value, dict):
        return {k: own(op, name, v) for k, v in value.items()}
    if isinstance(value, np.dtype) or (
        isinstance(value, type) and issubclass(value, (np.generic, int, float))
    ):
        return np.dtype(value).name
    if hasattr(value, "node"):
        raise TypeError(
            f"{op.name}: {name} is part of the program and takes a plain value, "
            f"got a Tensor. What changes from run to run is an operand: of "
            f"{op.name} {', '.join(op.operands)}; x[index] and mg.take have an index "
            "that is one, mg.where a mask, mg.clip bounds"
        )
    return value
