"""From a module or a file with ops to its checks: for pytest, and for the command line.

What is found: every ``Row`` at the module's top level (alone or in a list), and for
every op that the module declares without one a row with default samples.

>>> import types
>>> import minigrad as mg
>>> module = types.ModuleType("my_ops")
>>> module.cube = mg.Op(lambda x: x**3, lambda g, y, x: g * 3 * x**2, name="doc_cubed_")
>>> [row.op.name for row in rows_of(module)]
['doc_cubed_']
"""

import sys
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from minigrad.advice import imported
from minigrad.op import Op
from minigrad.testing.row import CHECKS, Row
from minigrad.user_file import running


def rows_of(module: ModuleType) -> list[Row]:
    """The rows of a module, and default ones for its ops that have none."""
    rows: list[Row] = []
    ops: list[Op] = []
    for value in vars(module).values():
        if isinstance(value, Op):
            ops.append(value)
        found = value if isinstance(value, (list, tuple)) else [value]
        rows += [row for row in found if isinstance(row, Row) and row not in rows]
    known = {id(row.op) for row in rows} | _elsewhere(module)
    return rows + [Row(op) for op in ops if id(op) not in known]


def _elsewhere(module: ModuleType) -> set[int]:
    """The ops that minigrad itself declares: a module may import them."""
    return {
        id(value)
        for name, other in list(sys.modules.items())
        if name.partition(".")[0] == "minigrad" and other is not module
        for value in list(vars(other).values())
        if isinstance(value, Op)
    }


def pytest_cases(module: ModuleType) -> list[Any]:
    """One pytest parameter per op and check, each a function without arguments.

    >>> import minigrad as mg
    >>> module = ModuleType("my_ops")
    >>> module.cube = mg.Op(lambda x: x**3, lambda g, y, x: g * 3 * x**2, name="cube_")
    >>> [case.id for case in pytest_cases(module)][:2]
    ['cube_-value', 'cube_-contract']

    A test of your ops is then::

        @pytest.mark.parametrize("check", pytest_cases(my_ops))
        def test_op(check):
            check()
    """
    pytest = imported("pytest", "test")  # only who runs tests has it

    return [
        pytest.param(partial(row.run, check), id=f"{row.op.name}-{check}")
        for row in rows_of(module)
        for check in CHECKS
        if check not in row.skips
    ]


class Report(NamedTuple):
    """What the checks of a file gave: a table to print, and what failed, in words."""

    table: str
    failures: list[str]


def check_file(path: str | Path) -> Report:
    """Run every check on every op that a Python file declares.

    Raises FileNotFoundError, and ValueError where the file declares no op or fails
    itself: that one says in which line.
    """
    rows = rows_of(_loaded(Path(path)))
    if not rows:
        raise ValueError(f"{path} declares no op: see minigrad.Op")
    width = max(len(row.op.name) for row in rows)
    lines = [" ".join([" " * width, *(f"{check:>11}" for check in CHECKS)])]
    failures: list[str] = []
    for row in rows:
        cells = [_outcome(row, check, failures) for check in CHECKS]
        lines.append(" ".join([row.op.name.ljust(width), *(f"{c:>11}" for c in cells)]))
    return Report("\n".join(lines), failures)


def _outcome(row: Row, check: str, failures: list[str]) -> str:
    if check in row.skips:
        return "skipped"
    given = {"conventions": row.conventions, "lowerings": row.op.lowerings}
    if not given.get(check, True):
        return "-"
    try:
        row.run(check)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # an op may even call sys.exit
        notes = getattr(error, "__notes__", [])
        kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
        failures.append("\n".join([f"{kind}{error}", *notes]))
        return "FAILED"
    return "ok"


def _loaded(path: Path) -> ModuleType:
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}")
    with running(path) as module:
        return module
