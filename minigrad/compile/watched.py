"""What a function reads without being given it: a change of it is noticed.

Vocabulary
    outside   what the code of a function names and does not make: the variables it
              closes over, the globals it names, its defaults, and what these hold
    watched   a place outside and what was there when the function was traced: all that
              a name of the code leads to, through objects, lists and dicts

An array that may change is compared with a copy; what goes beyond 64 kB in all is made
read-only instead, so that NumPy refuses the change.

>>> table = np.ones(3)
>>> places = watch(partial(np.multiply, table))
>>> changed(places)
False
>>> table[0] = 2
>>> changed(places)
True
"""

import dis
import types
from collections.abc import Callable, Iterator
from functools import partial
from operator import getitem
from typing import Any, NamedTuple

import numpy as np

from minigrad.tensor import Tensor

COMPARED = 64 * 1024  # bytes
LONGEST = 1000  # of a list or dict whose items are looked at
OURS = frozenset(["minigrad", "numpy", "builtins"])
SCALARS = (bool, int, float, complex, str, np.generic)


class Watched(NamedTuple):
    """A place, and what was there."""

    read: Callable[[Any, Any], Any]
    holder: Any
    key: Any
    value: Any
    content: bytes | None


def changed(places: list[Watched]) -> bool:
    """Whether something else is in one of the places now."""
    try:
        for read, holder, key, value, content in places:
            now = read(holder, key)
            if now is not value and not _same(now, value):
                return True
            if content is not None and value.tobytes() != content:
                return True
    except (LookupError, AttributeError, ValueError):  # it is not there any more
        return True
    return False


def _same(a: Any, b: Any) -> bool:
    return a.__class__ is b.__class__ and isinstance(a, SCALARS) and repr(a) == repr(b)


def watch(*roots: Any) -> list[Watched]:
    """The places that functions and objects read, with what is there now."""
    left = COMPARED
    places = []
    for read, holder, key, value in reached(*roots):
        content = None
        if isinstance(value, np.ndarray) and _is_writeable(value):
            if value.nbytes <= left:
                left -= value.nbytes
                content = value.tobytes()
            else:
                _freeze(value)
        places.append(Watched(read, holder, key, value, content))
    return places


def _bases(array: Any) -> Iterator[Any]:
    while isinstance(array, np.ndarray):
        yield array
        array = array.base


def _is_writeable(array: Any) -> bool:
    return any(a.flags.writeable for a in _bases(array))


def _freeze(array: Any) -> None:
    for a in _bases(array):
        a.setflags(write=False)


Place = tuple[Callable[[Any, Any], Any], Any, Any, Any]


def reached(*roots: Any) -> list[Place]:
    """The places that functions and objects read: how, of what, where, and what it is.

    >>> table = [3.0]
    >>> any(value is table for *_, value in reached(partial(len, table)))
    True
    """
    walk = _Walk(set())
    while True:  # names that a method uses may lead to more of an object
        walk.run(roots)
        if walk.named == walk.names:
            return walk.found
        walk = _Walk(walk.names | walk.named)


class _Walk:
    """Looks through all that can be reached; ``names`` are those that code uses."""

    def __init__(self, names: set[str]) -> None:
        self.names = names
        self.named: set[str] = set()
        self.found: list[Place] = []
        self.seen: dict[int, Any] = {}

    def run(self, roots: Any) -> None:
        """Look through everything that the roots lead to."""
        stack = list(roots)
        while stack:
            value = stack.pop()
            if id(value) in self.seen or isinstance(value, (*SCALARS, np.ndarray)):
                continue
            self.seen[id(value)] = value
            for read, holder, key, inner in self._places(value):
                if not isinstance(inner, types.ModuleType):
                    self.found.append((read, holder, key, inner))
                stack.append(inner)

    def _places(self, value: Any) -> Iterator[Place]:
        """What a value holds, and how it is read."""
        if isinstance(value, types.FunctionType):
            yield from self._of_function(value)
        elif isinstance(value, types.MethodType):
            yield getattr, value, "__self__", value.__self__
            yield getattr, value, "__func__", value.__func__
        elif isinstance(value, types.BuiltinMethodType):
            yield getattr, value, "__self__", value.__self__
        elif isinstance(value, partial):
            for name in ("func", "args", "keywords"):
                yield getattr, value, name, getattr(value, name)
        elif isinstance(value, (list, tuple)) and len(value) <= LONGEST:
            yield from ((getitem, value, i, v) for i, v in enumerate(value))
        elif isinstance(value, dict) and len(value) <= LONGEST:
            yield from ((getitem, value, k, v) for k, v in value.items())
        elif isinstance(value, type):
            if _room(value) not in OURS:
                kept = vars(value)
                for name in self.names & kept.keys():
                    yield getitem, kept, name, kept[name]
        elif not isinstance(value, (types.ModuleType, Tensor)):
            yield from self._of_object(value)

    def _of_function(self, f: Any) -> Iterator[Place]:
        if _room(f) not in OURS:
            for name, is_global in _said(f.__code__):
                self.named.add(name)
                if is_global and name in f.__globals__:
                    yield getitem, f.__globals__, name, f.__globals__[name]
            for given in (f.__defaults__, f.__kwdefaults__):
                if given:
                    yield from self._places(given)
        for cell in f.__closure__ or ():
            try:
                yield getattr, cell, "cell_contents", cell.cell_contents
            except ValueError:  # a variable that has no value yet
                continue
        if hasattr(f, "__wrapped__"):
            yield getattr, f, "__wrapped__", f.__wrapped__

    def _of_object(self, value: Any) -> Iterator[Place]:
        kept = getattr(value, "__dict__", {})
        if _room(type(value)) in OURS:
            # Of the project's own objects those count that have parameters, and the
            # function of a program; a buffer of one or an optimiser's moment does not.
            names = kept if callable(getattr(value, "parameters", 0)) else {"eager"}
        else:
            names = self.names
        for name in [name for name in kept if name in names]:
            yield getitem, kept, name, kept[name]
        for kind in type(value).__mro__:
            if _room(kind) in OURS:
                continue
            slots = kind.__dict__.get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                if name in self.names and hasattr(value, name):
                    yield getattr, value, name, getattr(value, name)
            for name in (self.names | {"__call__", "forward"}) & kind.__dict__.keys():
                yield getitem, kind.__dict__, name, kind.__dict__[name]


def _said(code: types.CodeType) -> Iterator[tuple[str, bool]]:
    """The names of globals and attributes in code and in the functions it makes."""
    for instruction in dis.get_instructions(code):
        if instruction.opname.endswith(("_GLOBAL", "_NAME")):
            yield instruction.argval, True
        elif instruction.opname.endswith(("_ATTR", "_METHOD")):
            yield instruction.argval, False
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _said(constant)


def _room(thing: Any) -> str:
    return str(getattr(thing, "__module__", "")).partition(".")[0]
