"""What docstrings tell: every public thing of a room says all of what applies to it.

    example  a doctest in its docstring, or one in its file that uses the name. Ops have
             theirs in the reference, made from the table that tests them
    shapes   where its annotations take or give arrays: in its docstring, its class's or
             the words of its file's
    raises   every error that its body raises, by name; ``__init__`` says it in the class
    source   an equation of the book, or author and year, where it stands for one
"""

import ast
import importlib
import inspect
import pkgutil
import re
import textwrap
from functools import cache
from typing import Any, NamedTuple

import pytest

import minigrad as mg
from minigrad.op import builtin, registry
from minigrad.testing.table import ROWS

ROOMS = ("mg", "ops", "nn", "optim", "models", "data", "train", "analysis", "exchange")
ARRAYS = re.compile(r"\b(Tensor|Array|NDArray|ArrayLike|ndarray|State)\b")
SHAPES = re.compile(
    r"\b(shape|shapes|shaped|scalar|broadcast|flattened|axis|axes)\b|\.shape"
    r"|\(\*?[\w.]+(?:,|(?:, [\w.*+ -]+)+)\)|(?<!\w)\(\)"
)
SOURCE = re.compile(r"\b(eq|sect|fig|alg|chapter)\.? \d+|\b(1[89]|20)\d\d\b")


class Thing(NamedTuple):
    """A public function, class or method, and the docstrings around it."""

    name: str
    it: Any
    of_class: Any
    module: Any

    @property
    def says(self) -> str:
        return inspect.getdoc(self.it) or ""

    @property
    def around(self) -> str:
        """The docstrings of its class."""
        return (inspect.getdoc(self.of_class) or "") if self.of_class else ""


def modules(room):
    package = importlib.import_module(f"minigrad.{room}")
    yield package
    for info in pkgutil.walk_packages(package.__path__, f"minigrad.{room}."):
        if not info.name.startswith("minigrad.exchange.onnx."):
            yield importlib.import_module(info.name)


def outer(room):
    """Functions and classes of a room."""
    if room == "mg":
        for name in mg.__all__:
            thing = getattr(mg, name)
            if not inspect.ismodule(thing) and not isinstance(thing, mg.Op):
                yield Thing(name, thing, None, inspect.getmodule(thing))
        return
    for module in modules(room):
        for name, thing in vars(module).items():
            own = getattr(thing, "__module__", None) == module.__name__
            kinds = inspect.isclass(thing) or inspect.isfunction(thing)
            if own and name[0] != "_" and kinds:
                yield Thing(name, thing, None, module)
    if room == "ops":
        for op in dict.fromkeys(registry[name] for name in builtin):
            yield Thing(op.name, op, None, None)


def function_of(thing):
    """The function of a method, property, class method."""
    for name in ("fget", "func", "__func__"):
        thing = getattr(thing, name, None) or thing
    return thing


def public(room):
    """Everything public of a room, methods too."""
    for thing in outer(room):
        yield thing
        if inspect.isclass(thing.it):
            for name, method in vars(thing.it).items():
                function = function_of(method)
                if name[0] != "_" and inspect.isfunction(function):
                    yield Thing(f"{thing.name}.{name}", function, thing.it, thing.module)


@cache
def doctests(module):
    """All lines of the doctests of a file."""
    return re.findall(r"^ *(?:>>>|\.\.\.) .*$", inspect.getsource(module), re.M)


def has_example(thing):
    name = thing.name.split(".")[-1]
    if isinstance(thing.it, mg.Op):
        return ">>>" in thing.says or any(row.op is thing.it for row in ROWS)
    if ">>>" in thing.says or (thing.of_class and inherited(thing)):
        return True
    at = rf"\.{name}\b" if thing.of_class else rf"\b{name}\b"
    return any(re.search(at, line) for line in doctests(thing.module))


def inherited(thing):
    """Whether a base class has the method: its example is there."""
    name = thing.name.split(".")[-1]
    return name == "forward" or any(
        name in vars(base) for base in thing.of_class.__mro__[1:]
    )


def has_shapes(thing):
    function = thing.it
    if isinstance(function, mg.Op):
        return bool(SHAPES.search(thing.says))
    if inspect.isclass(function):
        function = vars(function).get("__init__")
    if not inspect.isfunction(function):
        return True
    if not any(ARRAYS.search(str(a)) for a in function.__annotations__.values()):
        return True
    words = re.sub(r"(?m)^ *(>>>|\.\.\.).*$", "", thing.module.__doc__ or "")
    return any(SHAPES.search(s) for s in (thing.says, thing.around, words))


def raised(function):
    """The names of the errors that a function's body raises."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError):
        return set()
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc is not None:
            error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            name = error.id if isinstance(error, ast.Name) else getattr(error, "attr", "")
            if name[:1].isupper():
                found.add(name)
    return found


def says_raises(thing):
    function = thing.it
    if isinstance(function, mg.Op):
        function = function.forward
    elif inspect.isclass(function):
        function = vars(function).get("__init__")
    return not [
        e for e in raised(function) if e not in thing.says and e not in thing.around
    ]


ASKED = {"example": has_example, "shapes": has_shapes, "raises": says_raises}
