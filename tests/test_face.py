"""The face of the package: what it names, what it loads, what type checkers see."""

import inspect
import pydoc
import runpy
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

import minigrad as mg

SAMPLE = Path(__file__).parent / "typing" / "sample.py"
RUN = {"capture_output": True, "text": True, "check": True}
# Nobody who computes a gradient has to have, or wait for, any of these.


def test_every_public_name_is_exported():
    public = {
        name
        for name in dir(mg)
        if not name.startswith("_") and not isinstance(getattr(mg, name), ModuleType)
    }
    assert sorted(mg.__all__) == sorted(public)


def test_every_public_thing_says_what_it_is():
    for name in mg.__all__:
        thing = getattr(mg, name)
        assert thing.__doc__, name
        assert "out=None" not in thing.__doc__, f"{name} says what NumPy's function is"


@pytest.mark.parametrize(
    ("op", "taken"),
    [
        (mg.tanh, "(x)"),
        (mg.sum, "(x, axis=None, keepdims=False)"),
        (mg.where, "(c, a, b)"),
        (mg.stack, "(xs, axis=0)"),
        (mg.einsum, "(subscripts, *operands)"),
        (mg.tensor([1.0]).sum, "(axis=None, keepdims=False)"),
    ],
)
def test_help_shows_what_an_op_takes(op, taken):
    parameters = inspect.signature(op).parameters.values()
    shown = [str(p.replace(annotation=p.empty)) for p in parameters]
    assert f"({', '.join(shown)})" == taken
    if isinstance(op, mg.Op):
        assert f"<op {op.name}{taken}>" in pydoc.render_doc(op)


def test_editors_are_told_what_the_ops_take_today():
    stubs = runpy.run_path(str(SAMPLE.with_name("stubs.py")))["STUBS"]
    for name, text in stubs.items():
        written = (Path(mg.__file__).parent / name).read_text(encoding="utf-8")
        assert written == text(), f"run {SAMPLE.with_name('stubs.py')} again"


def test_a_method_of_a_tensor_says_what_its_op_says():
    assert mg.Tensor.softmax.__doc__ == mg.softmax.__doc__


def in_a_new_process(code):
    """What a program of its own prints, as a Python value."""
    return eval(subprocess.run([sys.executable, "-c", code], **RUN).stdout)


def test_importing_it_loads_numpy_and_the_engine_and_nothing_else():
    loaded = in_a_new_process(
        "import sys; before = set(sys.modules); import minigrad\n"
        "print(set(sys.modules) - before)"
    )
    others = {name.split(".")[0] for name in loaded} - sys.stdlib_module_names
    assert others == {"minigrad", "numpy"}
    rooms = {name.split(".")[1] for name in loaded if name.startswith("minigrad.")}
    assert rooms.isdisjoint(
        ["compile", "draw", "fold", "contract", "testing", "nn", "tasks", "train"]
    )
    beyond = loaded - in_a_new_process("import sys, numpy; print(set(sys.modules))")
    assert len(beyond) <= 60


@pytest.mark.parametrize("name", ["compile", "draw", "fold"])
@pytest.mark.parametrize(
    "way",
    [
        "import minigrad as mg; thing = mg.{0}",
        "import minigrad as mg; from minigrad import {0} as thing",
        "import minigrad as mg; from minigrad import *; thing = {0}",
        "import {1} as room; import minigrad as mg; thing = mg.{0}",
        "from {1} import {0} as thing; import minigrad as mg",
    ],
)
def test_what_loads_on_use_is_the_same_thing_over_every_way(name, way):
    room = mg._ON_USE[name]
    same = f"; import sys; print(thing is mg.{name} is sys.modules[{room!r}].{name})"
    assert in_a_new_process(way.format(name, room) + same)


def test_importing_a_file_of_a_room_does_not_hide_the_function_of_its_name():
    assert in_a_new_process(
        "import minigrad, minigrad.draw.figure, minigrad.compile.program\n"
        "import minigrad.fold; print(not any(isinstance(f, type(minigrad)) "
        "for f in (minigrad.draw, minigrad.compile, minigrad.fold)))"
    )


def test_dir_names_what_is_not_loaded_yet():
    found = in_a_new_process("import minigrad; print(dir(minigrad))")
    assert {*mg.__all__} <= {*found}


@pytest.mark.skipif(find_spec("mypy") is None, reason="needs mypy")
def test_a_typed_program_passes_mypy_strict(tmp_path):
    command = [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={tmp_path}"]
    command += ["--follow-imports=silent", str(SAMPLE)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
