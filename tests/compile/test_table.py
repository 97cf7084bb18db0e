"""Every op of the table, compiled, equals its eager run: value and gradient."""

import numpy as np
import pytest

import minigrad as mg
from tests.ops import table


def is_float(a):
    return isinstance(a, np.ndarray) and a.dtype.kind == "f"


def loss_and_gradients(f):
    """A function of an op's operands that a program can be made of."""

    def run(*operands):
        y = f(*operands)
        wrt = [x for x in operands if isinstance(x, mg.Tensor) and x.dtype.kind == "f"]
        if y.dtype.kind != "f" or not wrt:
            return y
        weights = np.cos(np.arange(y.size)).reshape(y.shape)
        loss = (y * weights.astype(y.dtype)).sum()
        return y, mg.grad(loss, wrt, unreached="zeros")

    return run


def flat(value):
    if isinstance(value, (list, tuple)):
        return [x for part in value for x in flat(part)]
    return [value]


@pytest.mark.parametrize("row", table.ROWS, ids=[row.op.name for row in table.ROWS])
@np.errstate(all="ignore")
def test_a_compiled_op_equals_eager(row):
    for one, operands in row.samples():
        run = loss_and_gradients(row.function(one.attrs))
        places = [i for i, a in enumerate(operands) if isinstance(a, np.ndarray)]

        def of_arrays(*arrays, run=run, places=places, operands=operands):
            given = dict(zip(places, arrays, strict=True))
            return run(*[given.get(i, a) for i, a in enumerate(operands)])

        program = mg.compile(of_arrays, strict=True)
        arrays = [operands[i] for i in places]
        if not arrays:
            continue
        for scale in (1.0, 0.5):  # the second call runs the program on other numbers
            given = [a * scale if is_float(a) else a for a in arrays]
            expected = of_arrays(*[mg.tensor(a, name="x") for a in given])
            for a, b in zip(flat(program(*given)), flat(expected), strict=True):
                assert (a.shape, a.dtype) == (b.shape, b.dtype), one
                np.testing.assert_allclose(a.data, b.data, 1e-12, 1e-14, err_msg=one)
