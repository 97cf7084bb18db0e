"""The face of the package: what it names, what it loads, what type checkers see."""

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
EXTRAS = ("matplotlib", "tqdm", "safetensors", "numba", "hypothesis", "pytest")


def test_every_public_name_is_exported():
    public = {
        name
        for name, thing in vars(mg).items()
        if not name.startswith("_") and not isinstance(thing, ModuleType)
    }
    assert sorted(mg.__all__) == sorted(public)


def test_every_public_thing_says_what_it_is():
    for name in mg.__all__:
        thing = getattr(mg, name)
        assert thing.__doc__ is None or thing.__doc__.strip(), name
        if not isinstance(thing, mg.Op):
            assert thing.__doc__, name


def test_importing_it_loads_no_extra():
    code = f"import sys, minigrad; print([m for m in {EXTRAS} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], **RUN)
    assert done.stdout.strip() == "[]"


def test_importing_it_takes_a_quarter_of_a_second_at_most():
    # Processor time, the best of three: others may be using the machine.
    code = (
        "import time; start = time.process_time(); import minigrad; "
        "print(time.process_time() - start)"
    )
    seconds = [
        float(subprocess.run([sys.executable, "-c", code], **RUN).stdout)
        for _ in range(3)
    ]
    assert min(seconds) < 0.25


@pytest.mark.skipif(find_spec("mypy") is None, reason="needs mypy")
def test_a_typed_program_passes_mypy_strict(tmp_path):
    command = [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={tmp_path}"]
    command += ["--follow-imports=silent", str(SAMPLE)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
