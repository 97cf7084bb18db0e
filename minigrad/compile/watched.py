"""What a function reads without being given it: a change of it is noticed.

Vocabulary
    outside   what the code of a function names and does not make: the variables it
              closes over, the globals it names, its defaults, and what these hold
    watched   a place outside and what was there when the function was traced: all that
              a name of the code leads to, through modules, objects and containers
    theirs    code that is installed or comes with Python: it is taken not to change,
              and its modules are not looked into

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
import sys
import types
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import cache, cached_property, lru_cache, partial
from operator import getitem, is_
from typing import Any, NamedTuple

import numpy as np

from minigrad.op import Op
from minigrad.tensor import Tensor

COMPARED = 64 * 1024  # bytes
OURS = frozenset(["minigrad", "numpy", "builtins"])
SCALARS = (bool, int, float, complex, str, bytes, type(None), np.generic)
ROWS = (list, tuple, deque)
TABLES = (dict, types.MappingProxyType)
BYTES = (bytearray, array)
# What Python itself calls, or what does not compute.
NOT_READ = frozenset(["__init__", "__new__", "__repr__", "__str__", "__del__"])


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
    if a.__class__ is not b.__class__:
        return False
    if a.__class__ is tuple:
        return len(a) == len(b) and all(map(is_, a, b))
    return isinstance(a, SCALARS) and repr(a) == repr(b)


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
WRAPPERS = (property, classmethod, staticmethod, cached_property, type(cache(len)))


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


def _contents(holder: Any, _: Any) -> Any:
    """What a container holds, in order."""
    if isinstance(holder, TABLES):
        return (*holder, *holder.values())
    return bytes(holder) if isinstance(holder, BYTES) else tuple(holder)


def _itself(_: Any, value: Any) -> Any:
    return value


def _of_context(holder: Any, _: Any) -> Any:
    return holder.get(None)


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
                if read is not _contents:
                    stack.append(inner)
                if isinstance(inner, str):
                    self.named.add(inner)  # of ``getattr(x, inner)``

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
        elif isinstance(value, (*ROWS, *TABLES, set, frozenset, *BYTES)):
            yield from _of_container(value)
        elif isinstance(value, ContextVar):
            yield _of_context, value, None, value.get(None)
        elif isinstance(value, types.ModuleType):
            if not _is_theirs(value.__name__):
                yield from self._named(vars(value))
        elif isinstance(value, type):
            for kind in value.__mro__:
                yield from self._of_class(kind)
        elif not isinstance(value, Tensor):
            yield from self._of_object(value)

    def _named(self, kept: Any) -> Iterator[Place]:
        """What has a name in a dict that code uses."""
        for name in self.names & kept.keys():
            yield getitem, kept, name, kept[name]

    def _of_class(self, kind: type) -> Iterator[Place]:
        """What a class holds that code names, or that Python calls for an operator."""
        if _is_ours(kind):
            return
        kept = kind.__dict__
        names = (self.names | {"__call__", "forward"}) & kept.keys()
        if not _is_theirs(kind.__module__):
            names |= {
                name
                for name, thing in kept.items()
                if name.startswith("__") and isinstance(thing, types.FunctionType)
            } - NOT_READ
        for name in names:
            yield getitem, kept, name, kept[name]

    def _of_function(self, f: Any) -> Iterator[Place]:
        if not _is_ours(f):
            holders = {"globals": f.__globals__, "modules": sys.modules}
            for name, where in _said(f.__code__):
                self.named.add(name)
                if name in (kept := holders.get(where, {})):
                    yield getitem, kept, name, kept[name]
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
        yield from self._named(vars(f))

    def _of_object(self, value: Any) -> Iterator[Place]:
        if isinstance(value, WRAPPERS):
            for name in ("fget", "func", "__func__", "__wrapped__"):
                if hasattr(value, name):
                    yield getattr, value, name, getattr(value, name)
        kept = getattr(value, "__dict__", {})
        if _is_ours(type(value)):
            # Of the project's own objects those count that have parameters, the
            # function of a program and those of a user's op; a buffer of a program or
            # an optimiser's moment does not.
            names = kept if callable(getattr(value, "parameters", 0)) else {"eager"}
            if isinstance(value, Op) and not all(map(_is_ours, _functions(value))):
                names = {"forward", "vjps", "lowerings"}
        else:
            names = self.names
        for name in [name for name in kept if name in names]:
            yield getitem, kept, name, kept[name]
        for kind in type(value).__mro__:
            if _is_ours(kind):
                continue
            slots = kind.__dict__.get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                if name in self.names and hasattr(value, name):
                    yield getattr, value, name, getattr(value, name)
            yield from self._of_class(kind)


def _functions(op: Op) -> list[Any]:
    return [f for f in (op.forward, *op.vjps) if f is not None]


def _is_ours(thing: Any) -> bool:
    return _room(thing) in OURS


def _of_container(value: Any) -> Iterator[Place]:
    """What a container holds as a whole, and each thing in it that may change."""
    if not isinstance(value, (tuple, frozenset)):
        yield _contents, value, None, _contents(value, None)
    if isinstance(value, BYTES):
        return
    items: Iterator[Place]
    if isinstance(value, TABLES):
        items = ((getitem, value, key, item) for key, item in value.items())
    elif isinstance(value, ROWS):
        items = ((getitem, value, i, item) for i, item in enumerate(value))
    else:
        items = ((_itself, None, item, item) for item in value)
    yield from (place for place in items if not isinstance(place[3], SCALARS))


@lru_cache(maxsize=1000)
def _said(code: types.CodeType) -> tuple[tuple[str, str], ...]:
    """The names in code and in the functions it makes, and where each is looked up.

    A text that may be a name is one too.
    """
    found = []
    for instruction in dis.get_instructions(code):
        op, name = instruction.opname, instruction.argval
        if op == "IMPORT_NAME":
            found.append((name, "modules"))
        elif op.endswith(("_GLOBAL", "_NAME")):
            found.append((name, "globals"))
        elif op.endswith(("_ATTR", "_METHOD", "_FROM")):
            found.append((name, ""))
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found += _said(constant)
        elif isinstance(constant, str) and constant.isidentifier():
            found.append((constant, "globals" if "globals" in code.co_names else ""))
    return tuple(found)


def _room(thing: Any) -> str:
    return str(getattr(thing, "__module__", "")).partition(".")[0]


@cache
def _is_theirs(module: str) -> bool:
    """Whether a module is ours, comes with Python or was installed."""
    room = module.partition(".")[0]
    file = str(getattr(sys.modules.get(module), "__file__", ""))
    return room in OURS or room in sys.stdlib_module_names or "-packages" in file
