"""How ops are written: the text computes what the op computes."""

import numpy as np
import pytest

from minigrad.compile.kinds import O
from minigrad.compile.numpy import table
from minigrad.compile.values import compute

X = np.array([[0.5, -1.0], [2.0, 0.25]])
NAMES = {"np": np, "x": X, "y": X.T.copy(), **{
    n: getattr(np, n) for n in
    ("add", "tanh", "minimum", "exp", "divide")
}}  # fmt: skip


def literal(value):
    if hasattr(value, "forward"):
        NAMES[value.name] = value.forward
        return value.name
    return repr(value)


CASES = [
    (O.tanh, {}, 1),
    (O.add, {}, 2),
    (O.sigmoid, {}, 1),
    (O.matmul, {}, 2),
    (O.dot, {}, 2),
    (O.sum, {"axis": 0}, 1),
    (O.max, {"axis": -1, "keepdims": True}, 1),
    (O.mean, {}, 1),
    (O.mean, {"axis": 1}, 1),
    (O.transpose, {}, 1),
    (O.reshape, {"shape": (4,)}, 1),
    (O.getitem, {"key": (slice(None), slice(0, 1))}, 1),
    (O.concatenate, {"axis": 1}, 2),
    (O.softmax, {}, 1),
    (O.broadcast_to, {"shape": (3, 2, 2)}, 1),
]


@pytest.mark.parametrize(("op", "attrs", "n"), CASES, ids=lambda c: str(c)[:24])
def test_an_expression_computes_the_op(op, attrs, n):
    code = table.expression(op, attrs, ["x", "y"][:n], literal, "float64")
    wanted = compute(op, [X, X.T][:n], attrs)
    np.testing.assert_allclose(eval(code, dict(NAMES)), wanted)


@pytest.mark.parametrize(("op", "attrs", "n"), CASES, ids=lambda c: str(c)[:24])
def test_an_op_is_written_into_an_array(op, attrs, n):
    wanted = compute(op, [X, X.T][:n], attrs)
    out = np.full(wanted.shape, np.nan)
    names = dict(NAMES) | {"out": out, "part": out.copy()}
    part = "part" if op is O.sigmoid else ""
    for line in table.written(op, attrs, ["x", "y"][:n], "out", literal, part):
        exec(line, names)
    np.testing.assert_allclose(out, wanted)


def test_indices_as_text():
    assert table.index((slice(None), slice(0, 2), 1), repr) == ":, 0:2, 1"
    assert table.index((), repr) == "()"
    assert table.index(slice(0, 4, 2), repr) == "slice(0, 4, 2)"
