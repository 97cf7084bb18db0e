"""Every op, every check: the whole table, one test per row and check."""

import importlib
import pkgutil
import sys
from importlib.util import find_spec

import pytest

import minigrad
from minigrad.nn.recurrent import best, stop_gradient
from minigrad.op import Op
from minigrad.testing import CHECKS, Row, case, distinct
from tests.ops import table

CUT = {"gradient": "it has none by purpose", "products": "it has none by purpose"}
# Ops of the floors above testing/ have their rows here.
ROWS = [
    *table.ROWS,
    Row(stop_gradient, skips=CUT),
    Row(best, case((2, 3)), case((1, 4)), domain=distinct),
]

PAIRS = [(row, check) for row in ROWS for check in CHECKS if check not in row.skips]


@pytest.mark.parametrize(
    ("row", "check"), PAIRS, ids=[f"{row.op.name}-{check}" for row, check in PAIRS]
)
def test_op(row, check):
    if check == "lowerings" and "jax" in row.op.lowerings:
        pytest.importorskip("jax")
    row.run(check)


def test_every_op_of_the_project_has_a_row():
    needed = {"minigrad.compile.jax": "jax", "minigrad.exchange.onnx.": "onnx"}
    lacking = tuple(room for room, name in needed.items() if find_spec(name) is None)
    for module in pkgutil.walk_packages(minigrad.__path__, "minigrad."):
        needs = module.name.startswith(lacking)
        if not module.name.endswith("__main__") and not needs:
            importlib.import_module(module.name)
    declared = {
        value
        for name, module in list(sys.modules.items())
        if name.startswith("minigrad")
        for value in vars(module).values()
        if isinstance(value, Op) and not value.name.startswith("doc_")
    }
    missing = sorted(op.name for op in declared - {row.op for row in ROWS})
    assert not missing, f"ops without a row in tests/ops/table: {missing}"


def test_no_op_has_two_rows():
    names = [row.op.name for row in ROWS]
    assert len(names) == len(set(names))


def test_a_skip_gives_its_reason():
    assert all(reason for row in ROWS for reason in row.skips.values())
