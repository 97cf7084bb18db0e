"""Rooms of the compiler: no cycle of imports, no long function, one table of ops."""

import ast
from pathlib import Path

import pytest

from minigrad.compile.backend import FOLDERS
from minigrad.compile.connected import strongly_connected

ROOT = Path(__file__).parents[2] / "minigrad"
FILES = sorted((ROOT / "compile").rglob("*.py"))


def module(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path):
    """The rooms that a file imports when it is loaded."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_no_room_imports_itself_by_way_of_others():
    names = [module(path) for path in FILES if path.name != "__init__.py"]
    paths = [path for path in FILES if path.name != "__init__.py"]
    reads = [[names.index(n) for n in imported(p) if n in names] for p in paths]
    assert len(set(strongly_connected(reads))) == len(names)


def test_engines_are_known_by_the_backend_alone():
    for path in FILES:
        if path.parent.name == "compile":
            folders = tuple(f"{engine}." for engine in FOLDERS.values())
            assert not any(f"{n}.".startswith(folders) for n in imported(path))


def test_ops_are_known_by_name_in_one_table():
    for path in FILES:
        if path.name != "kinds.py":
            assert "minigrad.op.registry" not in imported(path), path.name


@pytest.mark.parametrize("path", FILES, ids=module)
def test_functions_fit_on_a_page(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 60, node.name
