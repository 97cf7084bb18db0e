"""pytest_cases and check_file: from a file with ops to its checks."""

import sys
import types

import pytest

from minigrad.cli import main
from minigrad.op import registry
from minigrad.testing import check_file, pytest_cases
from minigrad.testing.discover import rows_of

FILE = '''
"""Ops of a user."""
import numpy as np
import minigrad as mg
from minigrad import op, tanh
from minigrad.testing import Row, at, case

@op(lambda g, y, x: g * 3 * x**2)
def my_cube(x):
    return x**3

@op(lambda g, y, x: g / (1 + x * x))
def my_arctan(x):
    return np.arctan(x)

@op(lambda g, y, x: g / x)
def my_log(x):
    return np.log(x)

ROWS = [Row(my_log, domain=(0.5, 2.0), conventions=[at([1.0], gives=[[1.0]])])]
'''

WRONG = """
@op(lambda g, y, x: g * 2 * x)
def my_wrong(x):
    return x * x * x

@op(lambda g, y, x: g * 2 * np.fmax(x, x))
def my_undual(x):
    return x * x
"""


@pytest.fixture(autouse=True)
def forget():
    known = dict(registry)
    yield
    registry.clear()
    registry.update(known)


@pytest.fixture
def write(tmp_path):
    def written(text):
        path = tmp_path / "my_ops.py"
        path.write_text(text)
        return path

    return written


def test_a_table_of_ops_by_check(write):
    report = check_file(write(FILE))
    assert report.failures == []
    header, *lines = report.table.splitlines()
    assert header.split() == [
        "value",
        "contract",
        "float32",
        "products",
        "gradient",
        "lowerings",
        "conventions",
    ]
    assert [line.split()[0] for line in lines] == ["my_log", "my_cube", "my_arctan"]
    assert lines[0].split()[1:] == [*["ok"] * 5, "-", "ok"]
    assert lines[1].split()[1:] == [*["ok"] * 5, "-", "-"]


def test_failures_are_in_the_table_and_in_words(write):
    report = check_file(write(FILE + WRONG))
    rows = {line.split()[0]: line.split()[1:] for line in report.table.splitlines()[1:]}
    assert rows["my_wrong"][4] == "FAILED"
    assert rows["my_undual"][3:5] == ["FAILED", "FAILED"]
    assert rows["my_cube"] == [*["ok"] * 5, "-", "-"]
    text = "\n".join(report.failures)
    assert "op my_wrong, case 0" in text
    assert "TypeError: np.fmax has no op in minigrad" in text


def test_a_file_without_ops_is_an_error(write):
    with pytest.raises(ValueError, match="declares no op"):
        check_file(write("x = 1\n"))


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no such file: .*nothing\.py"):
        check_file(tmp_path / "nothing.py")
    (tmp_path / "text.txt").write_text("")
    with pytest.raises(ValueError, match="not a Python file"):
        check_file(tmp_path / "text.txt")


def test_pytest_cases_of_a_module(write):
    module = types.ModuleType("my_ops")
    exec(FILE, vars(module))
    cases = pytest_cases(module)
    assert [c.id for c in cases][:2] == ["my_log-value", "my_log-contract"]
    assert len(cases) == 21
    for c in cases:
        (check,) = c.values
        check()


def test_imported_ops_are_not_the_modules_own():
    assert rows_of(types.ModuleType("empty")) == []
    assert "tanh" not in {row.op.name for row in rows_of(sys.modules[__name__])}


def test_the_command_prints_the_table_and_returns_0(write, capsys):
    assert main(["check", str(write(FILE))]) == 0
    out = capsys.readouterr().out
    assert "my_cube" in out
    assert "FAILED" not in out


def test_the_command_returns_1_where_a_check_fails(write, capsys):
    assert main(["check", str(write(FILE + WRONG))]) == 1
    out = capsys.readouterr().out
    assert "FAILED" in out
    assert "op my_wrong, case 0" in out


def test_the_command_says_in_one_line_what_is_wrong(write, capsys):
    assert main(["check", str(write("x = 1"))]) == 2
    assert "declares no op" in capsys.readouterr().err
    assert main(["check", "nothing.py"]) == 2
