"""What SECURITY.md says is executed, and when: seen by Python's audit hook.

Each case runs in a process of its own, that tells each program that it started, each
piece of source that it ran, and each connection.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WATCH = """
import json, os, sys
seen = []
watching = False
def hook(event, arguments):
    if not watching:
        return
    if event == "subprocess.Popen":
        seen.append(["program", os.path.basename(str(arguments[0]))])
    elif event in ("os.system", "os.exec", "os.posix_spawn", "pickle.find_class"):
        seen.append([event, str(arguments[0])])
    elif event == "exec":
        seen.append(["source", arguments[0].co_filename])
    elif event in ("socket.connect", "socket.getaddrinfo", "urllib.Request"):
        seen.append(["network", str(arguments)])
sys.addaudithook(hook)
import numpy as np
import minigrad as mg
from minigrad import models, train
from minigrad.cli import main
def loss():
    model = models.ManyToMany(2, 3, 2, rng=np.random.default_rng(0))
    return model.loss(np.ones((3, 1, 2)), np.zeros((3, 1), int))
def run():
    {body}
{before}
run()  # imports what it needs
watching = True
run()
watching = False
print(json.dumps(seen), file=open("seen.json", "w"))
"""


def events(tmp_path, body, before="pass"):
    """What a process does: pairs of a kind and what it was."""
    script = WATCH.replace("{body}", body).replace("{before}", before)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    environment.pop("MINIGRAD_BACKEND", None)
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return [tuple(pair) for pair in json.loads((tmp_path / "seen.json").read_text())]


@pytest.mark.parametrize(
    ("body", "before"),
    [
        ("import importlib; importlib.reload(mg)", "pass"),
        ("loss().backward()", "pass"),
        ("mg.draw(loss()).save('a.svg')", "pass"),
        ("mg.draw(loss()).save('a.html')", "pass"),
        ("mg.equations(loss()).latex()", "pass"),
        (
            "mg.Graph.from_json(text)",
            "text = mg.Graph(loss()).to_json()",
        ),
        (
            "train.load_weights('w.safetensors', model)",
            "model = models.ManyToMany(2, 3, 2, rng=np.random.default_rng(0)); "
            "train.save_weights('w.safetensors', model)",
        ),
    ],
)
def test_these_start_no_program_and_run_no_source(tmp_path, body, before):
    seen = events(tmp_path, body, before)
    assert [s for s in seen if s[0] != "source" or not s[1].endswith(".py")] == []


def test_a_png_starts_graphviz_and_nothing_else(tmp_path):
    seen = events(tmp_path, "mg.draw(loss()).save('a.png')")
    programs = {what for kind, what in seen if kind == "program"}
    assert programs <= {"dot", "neato", "graphviz-pure"}
    assert len(programs) == 1


def test_numpy_programs_are_source_of_our_own(tmp_path):
    seen = events(tmp_path, "mg.compile(loss)()")
    assert not [s for s in seen if s[0] in ("program", "network")]
    assert any(kind == "source" and "minigrad" in what for kind, what in seen)


@pytest.mark.parametrize(
    "command",
    [
        ["draw", "mine.py:f", "-o", "f.svg"],
        ["equations", "mine.py:f"],
        ["check", "mine.py"],
        ["train", "mine.py:f"],
    ],
)
def test_a_file_that_is_named_is_run(tmp_path, command):
    (tmp_path / "mine.py").write_text(
        "import minigrad as mg\n"
        "open('ran', 'w').close()\n"
        "def f():\n    return mg.parameter(1.0, name='w') * 2.0\n"
    )
    events(tmp_path, f"main({command!r})")
    assert (tmp_path / "ran").exists()
