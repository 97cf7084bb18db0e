"""Attributes that move with the steps of a loop: ``X[t - 1]``, ``xs[T - t]``.

``moving`` finds what two steps say alike, ``at_step`` says it again for any step.

>>> template = moving((2, slice(None)), 3, (4, slice(None)), 5, length=10)
>>> template, at_step(template, 7, 10)[0]
((t-1, slice(None, None, None)), 6)
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.graph import StepIndex


@dataclass(frozen=True)
class Ahead:
    """An integer attribute that moves with the steps: t + k, or T - t + k."""

    k: int
    from_end: bool = False
    step: bool = False

    def __repr__(self) -> str:
        return ("T-t" if self.from_end else "t") + (f"{self.k:+d}" if self.k else "")


def at_step(template: Any, t: int, length: int) -> Any:
    """An attribute at step t of ``length``: each ``Ahead`` in it becomes its number.

    >>> at_step((Ahead(-1), slice(None)), 3, 10)
    (2, slice(None, None, None))
    """

    def number(ahead: Ahead) -> int:
        found = (length - t if ahead.from_end else t) + ahead.k
        return StepIndex(found) if ahead.step else found

    return mapped(template, Ahead, number)


def mapped(value: Any, kind: Any, change: Callable[[Any], Any]) -> Any:
    """An attribute in which each value of a kind, or of several, is changed.

    >>> mapped({"key": (1, slice(2, None)), "mode": "raise"}, int, lambda n: n + 1)
    {'key': (2, slice(3, None, None)), 'mode': 'raise'}
    """
    if isinstance(value, kind):
        return change(value)
    if isinstance(value, Mapping):
        return {k: mapped(v, kind, change) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)([mapped(v, kind, change) for v in value])
    if isinstance(value, slice):
        ends = (value.start, value.stop, value.step)
        return slice(*[mapped(end, kind, change) for end in ends])
    return value


def values_of(attrs: Any, kind: type) -> Iterator[Any]:
    """The values of a kind that an attribute holds, anywhere.

    >>> list(values_of((slice(1, None), {"axis": 0}, "raise"), int))
    [1, 0]
    """
    parts: Iterable[Any] = ()
    if isinstance(attrs, kind):
        yield attrs
    elif isinstance(attrs, Mapping):
        parts = attrs.values()
    elif isinstance(attrs, slice):
        parts = (attrs.start, attrs.stop, attrs.step)
    elif isinstance(attrs, (tuple, list)):
        parts = attrs
    for part in parts:
        yield from values_of(part, kind)


def moving(a: Any, t: int, b: Any, u: int, length: int) -> Any:
    """The template of two values of one attribute, at steps t and u of ``length``."""
    if type(a) is not type(b):
        return a
    if isinstance(a, StepIndex):
        return Ahead(a - t, step=True)
    if isinstance(a, int) and not isinstance(a, bool) and a != b:
        if a - t == b - u:
            return Ahead(a - t)
        return Ahead(a + t - length, from_end=True) if a + t == b + u else a
    if isinstance(a, dict):
        return {k: moving(v, t, b.get(k), u, length) for k, v in a.items()}
    if isinstance(a, (tuple, list)) and len(a) == len(b):
        pairs = zip(a, b, strict=True)
        return type(a)(moving(v, t, w, u, length) for v, w in pairs)
    if isinstance(a, slice):
        ends = zip((a.start, a.stop, a.step), (b.start, b.stop, b.step), strict=True)
        return slice(*(moving(v, t, w, u, length) for v, w in ends))
    return a


def key_of(attrs: Any) -> Any:
    """What two attributes are equal by: 1, 1.0 and True are three, 0.0 is not -0.0.

    >>> key_of({"axis": 0}) == key_of({"axis": False}), key_of([0.0]) == key_of([-0.0])
    (False, False)
    """
    if isinstance(attrs, Mapping):
        return tuple([(k, key_of(v)) for k, v in sorted(attrs.items())])
    if isinstance(attrs, (tuple, list)):
        return (type(attrs), *map(key_of, attrs))
    if isinstance(attrs, np.ndarray):
        return (attrs.shape, str(attrs.dtype), attrs.tobytes())
    return (type(attrs), repr(attrs))


def contains(attrs: Any, kind: type) -> bool:
    """Whether an attribute holds, anywhere, a value of a kind.

    >>> contains({"key": (Ahead(-1), slice(None))}, Ahead), contains((1, 2), Ahead)
    (True, False)
    """
    return any(True for _ in values_of(attrs, kind))
