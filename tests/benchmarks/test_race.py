"""Contenders compute the same; one that does not is named. No clock is judged."""

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks import contenders, handwritten, native, networks, table
from tests.benchmarks.cases import ALLOWED, CASES, SIZES, error, multiply_adds
from tests.benchmarks.contenders import CONTENDERS, FLOOR, HAND, LIMIT, OTHERS

# batch, T, n_in, n_hidden, n_out: with rests of blocks, of vectors and of chunks.
ODD = [(1, 1, 1, 1, 1), (3, 7, 5, 6, 4), (9, 40, 17, 33, 3), (1, 270, 3, 9, 20)]
ODD += [(8, 3, 260, 15, 31)]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("dtype", ALLOWED)
def test_contenders_compute_the_same(case, dtype, monkeypatch):
    monkeypatch.setitem(table.EVERY, "odd", ODD[1])
    wanted = table.reference(case, "odd", dtype)
    eager = contenders.minigrad(case, ODD[1], dtype)()
    assert error(eager, wanted) < ALLOWED[dtype] / 100
    for name in set(table.entered(case, [""])) - {FLOOR}:
        found = table.make(name, case, "odd", dtype)()
        assert error(found, wanted) < ALLOWED[dtype] / 100, name


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("size", ODD, ids=str)
def test_the_limits_at_odd_sizes(case, size):
    wanted = handwritten.reference(case, size, "float64")
    twice = handwritten.step(case, size, "float64")
    twice()  # buffers are used again
    assert error(twice(), wanted) == 0
    by_minigrad = contenders.minigrad(case, size, "float64")()
    assert error(by_minigrad, wanted) < 1e-10
    if native.compiler():
        limit = native.step(case, size, "float64")
        limit()
        assert error(limit(), wanted) < 1e-10


@pytest.mark.parametrize("name", networks.OTHER)
def test_other_work(name, monkeypatch):
    network, parameters, data = networks.other(name)
    short = network, parameters, [a[:6] if len(a) == 50 else a for a in data]
    monkeypatch.setattr(networks, "other", lambda *_: short)
    wanted = table.reference(table.OTHER, name, "float32")
    for contender in OTHERS:
        if contenders.needs(contender) is None:
            found = contenders.other(name, contender, "float32")()
            assert error(found, wanted) < 1e-5, contender


def planted(monkeypatch, tmp_path, found):
    """What the process of a contender with these results writes at first."""
    wanted = [np.ones(3), np.eye(2)]
    np.savez(tmp_path / "wanted.npz", *wanted)
    monkeypatch.setitem(CONTENDERS, HAND, lambda *_: lambda: found)
    written = io.StringIO()
    monkeypatch.setattr(sys, "stdout", written)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    table.work(HAND, CASES[0], "tiny", "float32", str(tmp_path / "wanted.npz"))
    return json.loads(written.getvalue())


def test_the_right_contender_may_run(monkeypatch, tmp_path):
    assert "first_ms" in planted(monkeypatch, tmp_path, [np.ones(3), np.eye(2)])


@pytest.mark.parametrize(
    "wrong",
    [np.ones((2, 2)), np.eye(2) + 0.01, np.full((2, 2), np.nan), np.eye(3), np.ones(2)],
)
def test_a_wrong_contender_is_left_out(monkeypatch, tmp_path, wrong):
    said = planted(monkeypatch, tmp_path, [np.ones(3), wrong])
    assert said.keys() == {"left_out"}
    assert said["left_out"].startswith("differs from float64")


def test_flops_are_counted():
    # tiny: 25 rows, 65 inputs, 100 units, 65 classes.
    by_hand = 25 * (2 * 65 * 100 + 3 * 100 * 100 + 3 * 100 * 65)
    assert multiply_adds(CASES[0], SIZES["tiny"]) == by_hand


def test_the_command(tmp_path):
    """The smallest race, twice: the second run lowers, and never raises."""
    words = ["hand", "minigrad compiled"] + ["limit"] * bool(native.compiler())
    result = tmp_path / "result.json"
    command = [sys.executable, str(Path(table.__file__)), "tiny", "--rounds", "1"]
    command += ["--cases", "many-to-one", "--result", str(result), "--only", *words]
    seen = []
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        entries = json.loads(result.read_text())["measured"]["float32"]["many-to-one"]
        seen.append(entries["tiny"])
    assert set(seen[0]) == {n for n in CONTENDERS if any(w in n for w in words)}
    for name, entry in seen[1].items():
        assert 0 < entry["ms"] <= seen[0][name]["ms"]
        assert f"| {name} | {entry['ms']:.3g}" in done.stdout


def test_a_missing_compiler_is_said(monkeypatch, capsys):
    monkeypatch.setattr(native, "compiler", lambda: None)
    assert LIMIT not in table.entered(CASES[0], [])
    assert "left out: C++ limit, a C++ compiler is not here" in capsys.readouterr().err
