"""What docstrings tell: how many of each room have an example; no room may lose one.

An example is a doctest in the docstring, or one that uses the name in the docstring of
its file. Ops have theirs in the reference, made from the table that tests them.
"""

import importlib
import inspect
import pkgutil
import re

import pytest

import minigrad as mg

# Of so many public names so many have no example. A new name needs one.
WITHOUT = {
    "nn": 11,
    "optim": 2,
    "models": 5,
    "data": 16,
    "train": 12,
    "analysis": 13,
    "mg": 11,
}


def public(room):
    """Functions and classes of a room, with the docstring of the file that has them."""
    if room == "mg":
        for name in mg.__all__:
            thing = getattr(mg, name)
            if not inspect.ismodule(thing) and not isinstance(thing, mg.Op):
                yield name, thing, inspect.getmodule(thing)
        return
    package = importlib.import_module(f"minigrad.{room}")
    found = [package]
    for info in pkgutil.walk_packages(package.__path__, f"minigrad.{room}."):
        found.append(importlib.import_module(info.name))
    for module in found:
        for name, thing in vars(module).items():
            own = getattr(thing, "__module__", None) == module.__name__
            if (
                own
                and name[0] != "_"
                and (inspect.isclass(thing) or inspect.isfunction(thing))
            ):
                yield name, thing, module


def shown(name, thing, module):
    """Is there an example?"""
    says = thing.__doc__ or ""
    of_file = (module.__doc__ or "") if module else ""
    lines = re.findall(r"^(?:>>>|\.\.\.) .*$", of_file, re.M)
    return ">>>" in says or any(re.search(rf"\b{name}\b", line) for line in lines)


@pytest.mark.parametrize("room", WITHOUT)
def test_no_room_loses_an_example(room):
    lacking = [name for name, *rest in public(room) if not shown(name, *rest)]
    assert len(lacking) <= WITHOUT[room], f"add an example to one of {lacking}"
    assert len(lacking) == WITHOUT[room], f"fewer lack one: write {len(lacking)}"


@pytest.mark.parametrize("room", WITHOUT)
def test_every_docstring_is_a_sentence(room):
    for name, thing, _ in public(room):
        first = (inspect.getdoc(thing) or "").split("\n\n")[0]
        assert first, name
        assert first.rstrip()[-1] in ".:", f"{name}: {first!r}"
