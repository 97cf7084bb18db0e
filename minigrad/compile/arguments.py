"""The structure of a call: its arguments as arrays and a key, its results rebuilt.

Vocabulary
    container  a tuple, list, dict, OrderedDict, defaultdict, namedtuple or dataclass:
               what it holds is looked at, and it is made again with other contents
    key        all that a program depends on; two values with equal keys are the same
               for it, so 1, 1.0 and True, 0.0 and -0.0 have different keys

>>> import numpy as np
>>> arrays = []
>>> key = flatten({"x": np.ones(2), "rate": 1.0}, arrays)
>>> key == flatten({"x": np.zeros(2), "rate": 1.0}, []), len(arrays)
(True, 1)
>>> key == flatten({"x": np.zeros(2), "rate": 1}, [])
False
"""

import copy
import inspect
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

import numpy as np

from minigrad.held import held, on_device
from minigrad.mode import TraceError
from minigrad.tensor import Tensor

PLAIN = (int, bool, str, bytes, type(None))
ATOMS = frozenset(PLAIN)
DICTS = (dict, OrderedDict, defaultdict)
TRUSTED = (np.dtype, type)  # hashable, and equal only where they mean the same


class Container(NamedTuple):
    """What a container holds, and what else there is to it."""

    key: Any
    items: list[Any]
    close: Callable[[list[Any]], Any]  # the same container with other items


def opened(value: Any) -> Container | None:
    """A container taken apart; None for anything else."""
    kind = value.__class__
    if kind is tuple or kind is list:
        return Container(kind, list(value), kind)
    if kind in DICTS:
        names = list(value)
        empty = (value.default_factory,) if kind is defaultdict else ()
        key = (kind, *empty, *(_exact(name) for name in names))
        return Container(
            key,
            list(value.values()),
            lambda items: kind(*empty, zip(names, items, strict=True)),
        )
    if isinstance(value, tuple) and hasattr(kind, "_make"):
        return Container(kind, list(value), kind._make)
    if is_dataclass(value) and not isinstance(value, type):
        known = [f.name for f in fields(value) if hasattr(value, f.name)]
        # What it was given otherwise, as by __post_init__ or a cached property.
        known += [name for name in getattr(value, "__dict__", ()) if name not in known]

        def close(items: list[Any]) -> Any:
            made = copy.copy(value)
            for name, item in zip(known, items, strict=True):
                object.__setattr__(made, name, item)
            return made

        return Container((kind, *known), [getattr(value, n) for n in known], close)
    if isinstance(value, (tuple, list, dict)):
        raise TraceError(
            f"a {kind.__name__} cannot be made again with other contents: use a tuple, "
            "list, dict, namedtuple or dataclass"
        )
    return None


def _is_array(value: Any) -> bool:
    if isinstance(value, (np.ndarray, np.generic)):
        if isinstance(value, np.ndarray) and type(value) not in (
            np.ndarray, np.memmap
        ):  # fmt: skip
            raise TraceError(
                f"a {type(value).__name__} is more than an array: pass np.asarray of it"
            )
        return True
    return on_device(value)


def flatten(
    value: Any,
    arrays: list[Any],
    nodes: dict[Any, int] | None = None,
    far: bool = False,
) -> Any:
    """The key of a call's argument; arrays are collected, and where those of nodes are.

    A Tensor that is given twice is one array. With ``far`` what is on a device stays
    there.
    """
    nodes = {} if nodes is None else nodes
    kind = value.__class__
    if kind is np.ndarray and value.flags.c_contiguous:  # nearly all are
        arrays.append(value)
        return "array"
    if isinstance(value, Tensor):
        if value.node.kind == "parameter":
            return ("parameter", value.node.id)
        if value.node in nodes:
            return ("same", nodes[value.node])
        nodes[value.node] = len(arrays)
        kept = held(value.node)
        value = kept if far and on_device(kept) else value.data
    if _is_array(value):
        stays = far and on_device(value)
        arrays.append(value if stays else np.asarray(value, order="C"))
        return "array"
    container = opened(value)
    if container is not None:
        return (
            container.key,
            *[flatten(item, arrays, nodes, far) for item in container.items],
        )
    return _exact(value)


def opaque(values: list[Any]) -> list[Any]:
    """The arguments that are part of the key as the objects that they are.

    Of a named tuple or a dataclass that is its class, which may have methods.
    """
    found: list[Any] = []
    for value in values:
        container = None if isinstance(value, Tensor) else opened(value)
        if container is not None:
            found += [type(value), *opaque(container.items)]
        elif not isinstance(value, (Tensor, float, *PLAIN)) and not _is_array(value):
            found.append(value)
    return found


def _exact(value: Any) -> Any:
    """A key that only a value has which a program cannot tell from this one."""
    kind = value.__class__
    if kind in ATOMS:
        return (kind, value)
    if kind is float or kind is complex:
        return (kind, repr(value))  # tells signs of zero apart, and nan is itself
    if kind is tuple:
        return (kind, *map(_exact, value))
    if kind is frozenset:
        return (kind, frozenset(map(_exact, value)))
    if kind is slice or kind is range:
        return (kind, *map(_exact, (value.start, value.stop, value.step)))
    if isinstance(value, TRUSTED) or kind.__eq__ is object.__eq__:
        return (kind, value)
    return _Same(value)


class _Same:
    """A value in a key that is equal to itself alone, and kept alive."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


class Handed:
    """The arguments of a trace: Tensors in place of arrays, in the order of flatten."""

    def __init__(self, tensors: list[Tensor]) -> None:
        self.tensors = iter(tensors)
        self.given: dict[Any, Tensor] = {}
        self.made: list[tuple[Any, list[Any]]] = []

    def replace(self, value: Any) -> Any:
        """An argument with Tensors in it."""
        if isinstance(value, Tensor):
            if value.node.kind == "parameter":
                return value
            if value.node not in self.given:
                self.given[value.node] = next(self.tensors)
            return self.given[value.node]
        if _is_array(value):
            return next(self.tensors)
        container = opened(value)
        if container is None:
            return value
        items = [self.replace(item) for item in container.items]
        made = container.close(items)
        self.made.append((made, items))
        return made

    def check(self) -> None:
        """Refuse a function that changed what it was given: a program would not."""
        for made, items in self.made:
            container = opened(made)
            assert container is not None
            same = len(container.items) == len(items) and all(
                a is b for a, b in zip(container.items, items, strict=True)
            )
            if not same:
                raise TraceError(
                    f"it changes a {type(made).__name__} that it was given: return "
                    "what is new"
                )


def names(function: Any, args: Any, kwargs: Any) -> list[str]:
    """A name for each array of a call: that of the function's own parameter."""
    try:
        given = inspect.signature(function).bind_partial(*args).arguments
    except (TypeError, ValueError):
        given = {"x": tuple(args)}
    found_names: list[str] = []
    nodes: dict[Any, int] = {}
    for name, value in [*given.items(), *kwargs.items()]:
        found: list[Any] = []
        flatten(value, found, nodes)
        one = isinstance(value, Tensor) or _is_array(value)
        found_names += [name if one else f"{name}_{i}" for i in range(len(found))]
    return found_names


Rebuild = Callable[[Iterator[Any]], Any]


def outputs(value: Any, found: list[Tensor]) -> tuple[Any, Rebuild]:
    """The key of what a function returned, and how it is made of other Tensors."""
    if isinstance(value, Tensor):
        if value.node.kind == "parameter":
            return ("parameter", value.node.id), lambda tensors: value
        found.append(value)
        return "tensor", next
    container = opened(value)
    if container is not None:
        parts = [outputs(item, found) for item in container.items]
        makers = [make for _, make in parts]
        key = (container.key, *[key for key, _ in parts])
        close = container.close
        return key, lambda tensors: close([make(tensors) for make in makers])
    if value.__class__ in ATOMS or value.__class__ is float:
        return _exact(value), lambda tensors: value
    raise TraceError(f"it returns a {type(value).__name__}, not a Tensor")
