"""Attributes that move with the steps of a loop: ``X[t - 1]``, ``xs[T - t]``.

``moving`` finds what two steps say alike, ``at_step`` says it again for any step.

>>> template = moving((2, slice(None)), 3, (4, slice(None)), 5, length=10)
>>> template, at_step(template, 7, 10)[0]
((t-1, slice(None, None, None)), 6)
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

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
    if isinstance(template, Ahead):
        found = (length - t if template.from_end else t) + template.k
        return StepIndex(found) if template.step else found
    if isinstance(template, dict):
        return {k: at_step(v, t, length) for k, v in template.items()}
    if isinstance(template, (tuple, list)):
        return type(template)(at_step(v, t, length) for v in template)
    if isinstance(template, slice):
        parts = (template.start, template.stop, template.step)
        return slice(*(at_step(part, t, length) for part in parts))
    return template


def numbers(value: Any) -> Iterator[int]:
    """The integers in an attribute.

    >>> list(numbers((slice(1, None), {"axis": 0}, True)))
    [1, 0]
    """
    if isinstance(value, int) and not isinstance(value, bool):
        yield value
    elif isinstance(value, dict):
        yield from numbers(tuple(value.values()))
    elif isinstance(value, slice):
        yield from numbers((value.start, value.stop, value.step))
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from numbers(part)


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


def contains(attrs: Any, kind: type) -> bool:
    """Whether an attribute holds, anywhere, a value of a kind.

    >>> contains({"key": (Ahead(-1), slice(None))}, Ahead), contains((1, 2), Ahead)
    (True, False)
    """
    if isinstance(attrs, kind):
        return True
    if isinstance(attrs, Mapping):
        return any(contains(v, kind) for v in attrs.values())
    if isinstance(attrs, slice):
        return any(contains(v, kind) for v in (attrs.start, attrs.stop, attrs.step))
    return isinstance(attrs, (tuple, list)) and any(contains(v, kind) for v in attrs)
