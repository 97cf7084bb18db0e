"""What docstrings tell: every public thing of a room says all of what applies to it.

example  a doctest in its docstring, or one in its file that uses the name. Ops have
         theirs in the reference, made from the table that tests them
shapes   where its annotations take or give arrays: in its docstring, its class's or
         the words of its file's
dtypes   where it is asked for a dtype: at the same places
raises   every error that its body raises, or a private function that it calls, by name;
         those of ``__init__`` in the class's
source   an equation of the book, or author and year, where it stands for what has
         been published: in its docstring or its file's
"""

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import re
import runpy
import textwrap
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

import minigrad as mg
from minigrad.op import builtin, registry
from tests.ops.table import ROWS

ROOMS = ("mg", "ops", "nn", "optim", "models", "data", "train", "analysis", "exchange")
DOCS = Path(__file__).parents[1] / "docs"
ARRAYS = re.compile(r"\b(Tensor|Array|NDArray|ArrayLike|ndarray|State)\b")
SHAPES = re.compile(
    r"\b(shape|shapes|shaped|scalar|broadcast|flattened|axis|axes)\b|\.shape"
    r"|\(\*?[\w.]+(?:,|(?:, [\w.*+ -]+)+)\)|(?<!\w)\(\)",
    re.I,
)
DTYPES = re.compile(r"\b(dtype|float\d\d|int64|bool)\b")
SOURCE = re.compile(
    r"\b(eq|sect|fig|figure|section|chapter)\.? \d|\b(1[89]|20)\d\d\b", re.I
)
PARAMETER = re.compile(r":param (.*?): ")
# Files whose functions and classes stand for something that has been published.
PUBLISHED = re.compile(
    r"minigrad\.(models\.\w+|nn\.(cells|init|losses)|train\.flow"
    r"|optim\.(methods|clipping|schedules)"
    r"|analysis\.(attribution|fixed_points|gradients|jacobians))$"
)
# The examples of figures and of equations are on their pages, where one sees them.
PAGES = {"Figure": "figures.md", "Equations": "equations.md"}
# To whom something does not apply, though it looks so.
NOT_ASKED = {
    "example": {
        "Figure.audit": "of a figure that is right it is an empty list",
        "Figure.json": "is what the page of a figure reads",
        "Style.font": "is what writers of figures ask a style, as the next three",
        "Style.line": "",
        "Style.outline": "",
        "Style.rim": "",
    },
    "shapes": {
        "is_old": "reads names alone",
        "equations": "writes letters, of whatever shape",
    },
    "source": {
        "Cell": "is what cells share",
        "MakeCell": "is a type",
        "make_cell": "calls the cells, which say theirs",
        "input_weights": "calls what starts them",
        "recurrent_weights": "calls what starts them",
        "step_loss": "calls a loss",
        "zeros": "zeros are nobody's",
        "Groups": "is several optimisers",
        "exponential": "powers are nobody's",
        "per_example": "is the rows of a Jacobian",
    },
}


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
    def around(self) -> list[str]:
        """What its class says, and the words of its file without the examples."""
        of_file = getattr(self.module, "__doc__", None) or ""
        words = re.sub(r"(?m)^(>>>|\.\.\.).*$", "", of_file)
        return [self.says, inspect.getdoc(self.of_class) or "", words]

    @property
    def function(self) -> Any:
        """What is called: of a class ``__init__``, of an op its forward function."""
        if isinstance(self.it, mg.Op):
            return self.it.forward
        if not inspect.isclass(self.it):
            return self.it
        made = vars(self.it).get("__init__")
        return made if made and made.__module__ == self.it.__module__ else None


def modules(room):
    package = importlib.import_module(f"minigrad.{room}")
    yield package
    for info in pkgutil.walk_packages(package.__path__, f"minigrad.{room}."):
        if not info.name.startswith("minigrad.exchange.onnx."):
            yield importlib.import_module(info.name)


def outer(room):
    """The functions, classes and ops of a room."""
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
        for op in dict.fromkeys(registry[name] for name in sorted(builtin)):
            yield Thing(op.name, op, None, None)


@cache
def public(room):
    """Everything public of a room, methods and properties too."""
    found = []
    for thing in outer(room):
        found.append(thing)
        for name, method in vars(thing.it).items() if inspect.isclass(thing.it) else ():
            for place in ("fget", "func", "__func__"):
                method = getattr(method, place, None) or method
            if name[0] != "_" and inspect.isfunction(method):
                name = f"{thing.name}.{name}"
                found.append(Thing(name, method, thing.it, thing.module))
    return found


@cache
def doctests(module):
    """All lines of the doctests of a file."""
    return re.findall(r"^ *(?:>>>|\.\.\.) .*$", inspect.getsource(module), re.M)


def has_example(thing):
    of, _, name = thing.name.rpartition(".")
    if isinstance(thing.it, mg.Op):
        return ">>>" in thing.says or any(row.op is thing.it for row in ROWS)
    if ">>>" in thing.says or (of and is_known(name, thing.of_class)):
        return True
    used = re.compile(rf"\.{name}\b" if of else rf"\b{name}\b")
    if (of or name) in PAGES:
        page = DOCS / PAGES[of or name]
        return bool(used.search(page.read_text(encoding="utf-8")))
    return any(used.search(line) for line in doctests(thing.module))


def is_known(name, of_class):
    """Whether the example of a method is its base class's, or that of a call."""
    return name == "forward" or any(name in vars(b) for b in of_class.__mro__[1:])


def has_shapes(thing):
    if isinstance(thing.it, mg.Op):
        return bool(SHAPES.search(thing.says))
    taken = getattr(thing.function, "__annotations__", {}).values()
    return not any(ARRAYS.search(str(annotation)) for annotation in taken) or any(
        SHAPES.search(says) for says in thing.around
    )


def has_dtypes(thing):
    taken = getattr(thing.function, "__annotations__", {})
    return "dtype" not in taken or any(DTYPES.search(says) for says in thing.around)


@cache
def tree_of(function):
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError):  # written in C, or by dataclass
        return ast.Module([], [])


def raised(function):
    """The names of the errors that a function's body raises."""
    errors = [n.exc for n in ast.walk(tree_of(function)) if isinstance(n, ast.Raise)]
    errors = [e.func if isinstance(e, ast.Call) else e for e in errors]
    names = [getattr(e, "id", getattr(e, "attr", "")) for e in errors]
    return {name for name in names if name[:1].isupper()}


def helpers(function, of_class):
    """What a body calls to check what it is given: private things, whole, within."""
    for node in ast.walk(tree_of(function)):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Name):
            helper = getattr(function, "__globals__", {}).get(called.id)
            private = called.id[0] == "_" or called.id in ("whole", "within")
        else:
            name = getattr(called, "attr", "")
            helper = vars(of_class).get(name) if of_class else None
            private = name[:1] == "_" and name[:2] != "__"
        if private and inspect.isfunction(helper):
            yield helper


def says_raises(thing):
    bodies = [thing.function, *helpers(thing.function, thing.of_class)]
    return all(
        any(error in says for says in thing.around[:2])
        for body in bodies
        for error in raised(body)
    )


def has_source(thing):
    """A dataclass is the result of a function, which says it."""
    if thing.of_class or not PUBLISHED.match(getattr(thing.module, "__name__", "")):
        return True
    if dataclasses.is_dataclass(thing.it):
        return True
    return any(SOURCE.search(says) for says in thing.around)


ASKED = {
    "example": has_example,
    "shapes": has_shapes,
    "dtypes": has_dtypes,
    "raises": says_raises,
    "source": has_source,
}


def lacking(room, what):
    return [thing.name for thing in public(room) if not ASKED[what](thing)]


@pytest.mark.parametrize("what", ASKED)
@pytest.mark.parametrize("room", ROOMS)
def test_a_docstring_says_what_applies(room, what):
    found = [n for n in lacking(room, what) if n not in NOT_ASKED.get(what, {})]
    assert sorted(found) == [], f"add {what}"


@pytest.mark.parametrize("what", NOT_ASKED)
def test_nobody_is_let_off_without_need(what):
    found = {name for room in ROOMS for name in lacking(room, what)}
    assert NOT_ASKED[what].keys() <= found


@pytest.mark.parametrize("room", ROOMS)
def test_what_is_described_is_a_parameter(room):
    rewritten = runpy.run_path(str(DOCS / "docstrings.py"))["rewritten"]
    for thing in public(room):
        lines = rewritten(thing.says.splitlines())
        described = {found[1] for line in lines if (found := PARAMETER.match(line))}
        if described:
            taken = {*inspect.signature(thing.it).parameters}
            taken |= {*getattr(thing.it, "__annotations__", {})}
            assert described <= taken, thing.name


@pytest.mark.parametrize("room", ROOMS)
def test_every_docstring_is_a_sentence(room):
    for thing in public(room):
        first = thing.says.split("\n\n")[0]
        assert first, thing.name
        assert first.rstrip()[-1] in ".:)", f"{thing.name}: {first!r}"


def silent(x: mg.Tensor, dtype: Any) -> mg.Tensor:
    """Says nothing of it all."""
    if x is None:
        raise ValueError("none")
    return x.astype(dtype)


class Quiet:
    """Says as little."""

    def __init__(self) -> None:
        _refuse()


def _refuse():
    raise mg.FoldError("never made")


@pytest.mark.parametrize("what", ASKED)
def test_who_says_nothing_is_seen(what, monkeypatch):
    monkeypatch.setitem(globals(), "doctests", lambda module: [])
    module = SimpleNamespace(__name__="minigrad.nn.losses", __doc__="Says nothing.")
    assert not ASKED[what](Thing("silent", silent, None, module))


def test_what_a_class_raises_is_asked_of_the_class():
    thing = Thing("Quiet", Quiet, None, None)
    assert [raised(h) for h in helpers(thing.function, None)] == [{"FoldError"}]
    assert not says_raises(thing)
