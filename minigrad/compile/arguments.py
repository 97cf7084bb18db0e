"""The structure of a call: its arguments as arrays and a key, its results rebuilt.

>>> import numpy as np
>>> arrays = []
>>> flatten({"x": np.ones(2), "rate": 0.1}, arrays), len(arrays)
(('dict', ('x', 'array'), ('rate', ('value', 0.1))), 1)
"""

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.mode import TraceError
from minigrad.tensor import Tensor


def flatten(value: Any, arrays: list[Any]) -> Any:
    """The structure of a call's arguments; arrays are collected, the rest is kept."""
    if value.__class__ is np.ndarray and value.flags.c_contiguous:  # nearly all are
        arrays.append(value)
        return "array"
    if isinstance(value, Tensor):
        if value.node.kind == "parameter":
            return ("parameter", value.node.id)
        value = value.data
    if isinstance(value, (np.ndarray, np.generic)):
        arrays.append(np.asarray(value, order="C"))
        return "array"
    if isinstance(value, (tuple, list)):
        return (type(value).__name__, *(flatten(v, arrays) for v in value))
    if isinstance(value, dict):
        return ("dict", *((k, flatten(v, arrays)) for k, v in value.items()))
    try:
        hash(value)
    except TypeError:
        return ("object", _Same(value))
    return ("value", value)


class _Same:
    """An unhashable value in a key: equal to itself alone, and kept alive."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


def replace(value: Any, tensors: Iterator[Tensor]) -> Any:
    """The arguments with Tensors in place of their arrays, in the order of flatten."""
    if isinstance(value, Tensor):
        return value if value.node.kind == "parameter" else next(tensors)
    if isinstance(value, (np.ndarray, np.generic)):
        return next(tensors)
    if isinstance(value, (tuple, list)):
        return type(value)(replace(v, tensors) for v in value)
    if isinstance(value, dict):
        return {k: replace(v, tensors) for k, v in value.items()}
    return value


def names(function: Any, args: Any, kwargs: Any) -> list[str]:
    """A name for each array of a call: that of the function's own parameter."""
    try:
        declared = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        declared = []
    places = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    )
    known = [p.name for p in declared if p.kind in places]
    rest = next((p.name for p in declared if p.kind is p.VAR_POSITIONAL), "x")
    known = (known + [f"{rest}_{i}" for i in range(len(args))])[: len(args)]
    found_names: list[str] = []
    for name, value in [*zip(known, args, strict=True), *kwargs.items()]:
        found: list[Any] = []
        flatten(value, found)
        one = isinstance(value, (Tensor, np.ndarray, np.generic))
        found_names += [name if one else f"{name}_{i}" for i in range(len(found))]
    return found_names


def outputs(value: Any, found: list[Tensor]) -> Any:
    """The structure of what a function returned; its Tensors are collected."""
    if isinstance(value, Tensor):
        found.append(value)
        return "tensor"
    if isinstance(value, (tuple, list)):
        return (type(value).__name__, *(outputs(v, found) for v in value))
    if isinstance(value, dict):
        return ("dict", *((k, outputs(v, found)) for k, v in value.items()))
    if value is None or isinstance(value, (bool, int, float, str)):
        return ("value", value)
    raise TraceError(f"it returns a {type(value).__name__}, not a Tensor")


def rebuild(structure: Any, tensors: Iterator[Tensor]) -> Any:
    """What the function returned, with these Tensors in it."""
    if structure == "tensor":
        return next(tensors)
    kind, *rest = structure
    if kind == "value":
        return rest[0]
    if kind == "dict":
        return {k: rebuild(v, tensors) for k, v in rest}
    items = [next(tensors) if v == "tensor" else rebuild(v, tensors) for v in rest]
    return items if kind == "list" else tuple(items)
