"""The API reference: which modules a room has, as directives that Sphinx reads.

>>> print(room("minigrad.scope").splitlines()[3])
.. automodule:: minigrad.scope
"""

import importlib
import pkgutil
from types import ModuleType

import minigrad

# The rooms of each page; all others are the engine.
ROOMS = {
    "compile": ["compile"],
    "draw": ["draw"],
    "testing": ["testing"],
    "networks": ["nn", "optim", "data", "train", "exchange", "models", "files"],
    "analysis": ["analysis"],
    "exchange": ["exchange"],
    "tasks": ["tasks", "cli", "user_file"],
}
DIRECTIVE = """## {name}

```{{eval-rst}}
.. automodule:: {name}
{members}```
"""
# A table of data with one row per op, and a module that runs when it is imported.
# The site is built where there may be neither JAX nor ONNX.
WITHOUT = (
    "minigrad.testing.table",
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
    """Markdown for a module and all modules in it."""
    return "\n".join(
        DIRECTIVE.format(name=module.__name__, members=listed(module))
        for module in modules(name)
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
