"""The API reference: which modules a room has, as directives that Sphinx reads.

>>> print(room("minigrad.scope").splitlines()[3])
.. automodule:: minigrad.scope
"""

import ast
import importlib
import inspect
import pkgutil
import re
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import docstrings
import numpy as np

import minigrad
from minigrad.op import Op, by_function, registry
from minigrad.testing.row import Case, Row
from tests.ops.table import ROWS

# The rooms of each page; all others are the engine.
ROOMS = {
    "gradients": ["grad", "pullback", "cotangent", "recorded", "recompute"],
    "fold": ["fold", "equations"],
    "compile": ["compile"],
    "draw": ["draw"],
    "layout": ["draw.ops", "draw.page", "draw.textbook"],
    "testing": ["testing"],
    "networks": ["nn", "models"],
    "training": ["optim", "data", "train", "files"],
    "analysis": ["analysis"],
    "exchange": ["exchange"],
    "tasks": ["tasks", "cli", "user_file"],
}
DIRECTIVE = """## {name}

```{{eval-rst}}
.. automodule:: {name}
{members}```
"""
# A module that runs when it is imported. The site is built where there may be neither
# JAX nor ONNX.
WITHOUT = (
    "minigrad.__main__",
    "minigrad.compile.jax",
    "minigrad.exchange.onnx.",
)


def page(name: str) -> str:
    """Markdown for all rooms of a page."""
    return "\n".join(room(f"minigrad.{one}") for one in rooms(name))


def rooms(name: str) -> list[str]:
    """The modules and packages right under minigrad that a page is about."""
    if name in ROOMS:
        return ROOMS[name]
    elsewhere = {"__main__"}.union(*ROOMS.values())
    there = {info.name for info in pkgutil.iter_modules(minigrad.__path__)}
    return sorted(there - elsewhere)


def room(name: str) -> str:
    """Markdown for a module and all modules in it but those of another page."""
    rooms = {f"minigrad.{one}" for ones in ROOMS.values() for one in ones}
    apart = tuple(one for one in rooms if one.startswith(f"{name}."))
    return "\n".join(
        DIRECTIVE.format(name=module.__name__, members=listed(module))
        for module in modules(name)
        if not module.__name__.startswith(apart)
    )


def modules(name: str) -> list[ModuleType]:
    """The module of that name and those below it."""
    found = [importlib.import_module(name)]
    if hasattr(found[0], "__path__"):
        for info in pkgutil.walk_packages(found[0].__path__, f"{name}."):
            if not info.name.startswith(WITHOUT):
                found.append(importlib.import_module(info.name))
    return found


def listed(module: ModuleType) -> str:
    """The public classes and functions that a module defines itself, as an option."""
    names = [
        name
        for name, thing in vars(module).items()
        if not name.startswith("_")
        and getattr(thing, "__module__", None) == module.__name__
        and isinstance(thing, type | type(room))
    ]
    # An empty list would mean all that the module hands on.
    return f"   :members: {', '.join(names)}\n" if names else ""


# ----------------------------------------------------------------- source

HERE = Path(__file__).resolve().parents[1]


def place(thing: Any) -> str:
    """File and line of a class or a function; nothing where Python made it itself.

    >>> place(minigrad.fold).partition(":")[0]
    'minigrad/fold/folding.py'
    """
    thing = inspect.unwrap(thing)
    try:
        file = inspect.getfile(thing)
        code = getattr(thing, "__code__", None)
        line = code.co_firstlineno if code else inspect.findsource(thing)[1] + 1
    except (TypeError, OSError):
        return ""
    path = Path(file).resolve()
    return f"{path.relative_to(HERE)}:{line}" if path.is_relative_to(HERE) else ""


FOLDED = """```{{raw}} html
<details class="answer"><summary>{folder}/</summary>
```

{lines}

```{{raw}} html
</details>
```
"""


def house() -> str:
    """All files of the package by folder, each with what its docstring begins with."""
    found: dict[str, list[str]] = {}
    files = [*(HERE / "minigrad").rglob("*.py"), *(HERE / "models").glob("*.py")]
    for path in sorted(files):
        folder = path.parent.relative_to(HERE).as_posix()
        says = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        if says and folder != "minigrad/models":  # a link to models
            first = " ".join(says.split("\n\n")[0].split())
            found.setdefault(folder, []).append(f"- `{path.name}`: {escaped(first)}")
    return "\n".join(
        FOLDED.format(folder=folder, lines="\n".join(lines))
        for folder, lines in found.items()
    )


# -------------------------------------------------------------------- ops


# Of a docstring, the `code` is Markdown; a star or a bar is itself.
def escaped(text: str) -> str:
    """A line of a docstring as a cell of a table."""
    parts = text.replace("``", "`").replace("|", "\\|").split("`")
    parts[::2] = [re.sub(r"([*_])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


def first_line(thing: object) -> str:
    """What a docstring begins with, for a cell of a table."""
    says = (inspect.getdoc(thing) or "").split("\n\n")[0]
    return escaped(says.replace("\n", " "))


def index() -> str:
    """A table of all ops, each with a link to its entry."""
    lines = ["| op | operands | keywords | what it is |", "|---|---|---|---|"]
    for name in sorted(n for n in registry if isinstance(getattr(minigrad, n, 0), Op)):
        op = registry[name]
        operands = "a list" if op.variadic else str(op.arity)
        words = [f"`{k}`" for k in op.__signature__.parameters if k in op.keywords]
        cells = [f"[`{name}`](api/ops.md#{name})", operands, ", ".join(words)]
        lines.append(f"| {' | '.join(cells)} | {first_line(op)} |")
    return "\n".join(lines)


ENTRY = """### {name}

```{{eval-rst}}
.. py:function:: minigrad.{name}{signature}

{body}
```
"""


def ops() -> str:
    """An entry for each op that has a name in ``mg``, by the room that declares it."""
    rows = {row.op.name: row for row in ROWS}
    found: dict[str, list[str]] = {}
    for module in modules("minigrad.ops"):
        for name, (line, text) in declarations(module).items():
            op = getattr(module, name, None)
            if isinstance(op, Op) and registry.get(op.name) is op:
                file = f"{module.__name__.replace('.', '/')}.py"
                made = entry(op, f"{file}:{line}", text, rows.get(op.name))
                if hasattr(minigrad, op.name):
                    found.setdefault(module.__name__, []).append(made)
    return "\n".join(
        f"## {name.removeprefix('minigrad.')}\n\n" + "\n".join(entries)
        for name, entries in found.items()
    )


@cache
def declarations(module: ModuleType) -> dict[str, tuple[int, str]]:
    """Line and text of what a module assigns to each name, or defines by it."""
    text = Path(inspect.getfile(module)).read_text(encoding="utf-8")
    found: dict[str, tuple[int, str]] = {}
    for node in ast.parse(text).body:
        part = ast.get_source_segment(text, node) or ""
        if isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name):
                found.setdefault(target.id, (node.lineno, part))
        elif isinstance(node, ast.FunctionDef):
            marks = [ast.get_source_segment(text, m) for m in node.decorator_list]
            whole = "\n".join([*(f"@{m}" for m in marks), part])
            first = [*node.decorator_list, node][0].lineno
            found[node.name] = (first, whole)
    return found


def entry(op: Op, where: str, text: str, row: Row | None) -> str:
    """Of one op: what it does, its shapes, hard points and declaration."""
    says = docstrings.rewritten((inspect.getdoc(op) or "").splitlines())
    # A bar outside of code would begin a substitution.
    lines = [line if "``" in line else line.replace("|", r"\|") for line in says] + [""]
    by = [f for f, o in by_function.items() if o is op and _is_numpy(f)]
    if by:
        numpy = " and ".join(f"``np.{f.__name__}``" for f in by)
        lines += [f"Recorded by {numpy} of a Tensor, too.", ""]
    if row is not None:
        shapes = list(dict.fromkeys(map(row_shape(row), row.cases)))[:6]
        lines += ["Shapes, as the tests take them:", ""]
        lines += [*(f"- {shown}" for shown in shapes), ""]
        for operands, gradients, attrs in row.conventions:
            more = "".join(f", {k}={v}" for k, v in attrs.items())
            given = ", ".join(map(str, operands)) + more
            found = ", ".join(map(str, gradients))
            lines += [f"- At ``{given}`` the gradient is ``{found}``."]
    lines += [
        "",
        f"Declared in ``{where}`` as::",
        "",
        *(f"   {line}" for line in text.splitlines()),
    ]
    body = "\n".join(f"   {line}".rstrip() for line in "\n".join(lines).splitlines())
    return ENTRY.format(name=op.name, signature=op.__signature__, body=body)


def _is_numpy(function: Any) -> bool:
    return isinstance(function, np.ufunc) or (function.__module__ or "").startswith(
        "numpy"
    )


def row_shape(row: Row) -> Any:
    """From a case of a row to its shapes: of the operands, and of the result."""

    def shown(case: Case) -> str:
        drawn = next(d for c, d in row.samples() if c is case)
        result = row.function(case.attrs)(*drawn)
        into = ", ".join(str(np.shape(d)) for d in drawn)
        out = [r.shape for r in result] if isinstance(result, tuple) else result.shape
        more = "".join(f", {k}={v}" for k, v in case.attrs.items())
        return f"``{into}{more}`` gives ``{out}``"

    return shown
