"""The house: an import goes down, and nothing below the tasks prints.

A module may import rooms of its own floor or of those below. Floors 1 to 5 are the
engine, which can be read alone; `draw` knows graphs and not how they are computed.
"""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "minigrad"
FLOORS = {
    "files": 1,
    "pickles": 1,
    "user_file": 1,
    "scope": 1,
    "mode": 1,
    "limits": 1,
    "arrays": 1,
    "graph": 1,
    "places": 1,
    "declaration": 1,
    "advice": 1,
    "graph_json": 1,
    "likeness": 1,
    "attributes": 1,
    "assign": 1,
    "collector": 1,
    "held": 1,
    "op": 2,
    "methods": 3,
    "protocol": 3,
    "reading": 3,
    "tensor": 3,
    "ops": 4,
    "recompute": 4,
    "grad": 5,
    "pullback": 5,
    "cotangent": 5,
    "recorded": 5,
    "fold": 5,
    "equations": 5,
    "compile": 6,
    "draw": 6,
    "testing": 6,
    "nn": 7,
    "optim": 7,
    "data": 7,
    "train": 7,
    "analysis": 7,
    "exchange": 7,
    "models": 8,
    "tasks": 9,
    "cli": 9,
    "command_line": 9,
    "__main__": 9,
}
# Steps up, taken when they are called: `loss.backward()`, and a graph in a notebook.
UPWARD = {("tensor.py", "grad"), ("graph.py", "draw")}
DRAW_KNOWS = {
    "draw",
    "advice",  # what to install
    "files",
    "limits",
    "pickles",
    "scope",
    "graph",
    "fold",
    "grad",
    "pullback",
    "equations",
    "tensor",  # of which alone `grad_by_use` tells the shares
}


# The folders of `draw`, and what of `draw` each imports: a view knows no engine,
# and neither kind of view the other, except the ops view that lets `dot` place it.
DRAW_ROOMS = {
    "page": {"page"},
    "html": {"html", "page", "measure", "pictures", "spacing", "textbook", "render"},
    "render": {"page", "render"},
    "textbook": {"page", "measure", "stretch", "textbook"},
    "ops": {"page", "measure", "ops", "textbook.columns", "render"},
}


def test_the_map_has_every_room_on_its_floor():
    text = (ROOT.parent / "docs/architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d) \| (.*?) \|", text, re.M)
    told = {
        room.removesuffix(".py").rstrip("/"): int(floor)
        for floor, rooms in rows
        for room in re.findall(r"`(.+?)`", rooms)
    }
    assert told == FLOORS


def modules():
    return sorted(p for p in ROOT.rglob("*.py") if p != ROOT / "__init__.py")


def name(path):
    return path.relative_to(ROOT).as_posix()


def room(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported_rooms(path):
    """The rooms of minigrad that a file imports, anywhere in it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            targets = names if node.module == "minigrad" else [node.module]
        else:
            continue
        parts = [target.split(".") for target in targets]
        found |= {p[1] for p in parts if p[0] == "minigrad" and len(p) > 1}
        assert ["minigrad"] not in parts, f"{path}: import the room, not the face"
    return found - {"__version__"}


@pytest.mark.parametrize("path", modules(), ids=name)
def test_imports_go_down(path):
    floor = FLOORS[room(path)]
    for target in imported_rooms(path):
        if (name(path), target) not in UPWARD:
            assert FLOORS[target] <= floor, f"{name(path)} imports {target}"


@pytest.mark.parametrize("path", sorted(ROOT.glob("draw/**/*.py")), ids=name)
def test_draw_knows_graphs_only(path):
    assert imported_rooms(path) <= DRAW_KNOWS


@pytest.mark.parametrize("path", sorted(ROOT.glob("draw/*/*.py")), ids=name)
def test_the_rooms_of_draw_have_floors_too(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            top, _, rest = node.module.partition("minigrad.draw.")
            known = DRAW_ROOMS[path.parent.name]
            assert top or rest.split(".")[0] in known or rest in known, node.module


@pytest.mark.parametrize("path", modules(), ids=name)
def test_only_tasks_print(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prints = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert FLOORS[room(path)] == 9 or not prints, f"print at lines {prints}"


def test_every_room_has_a_floor():
    assert {room(path) for path in modules()} <= set(FLOORS)
