"""Every op of the table in JAX: the same values, dtypes and shapes as in NumPy."""

import jax.numpy as jnp
import numpy as np
import pytest

import minigrad as mg
import tests.engines  # noqa: F401
from minigrad import Op
from minigrad.compile import kernels
from minigrad.compile.jax.lowerings import OWN, LoweringError, lowering
from minigrad.compile.jax.source import Source
from minigrad.compile.kinds import O
from minigrad.compile.values import Kernel, Program, Value, argument, constant, dtype_of
from minigrad.graph import Graph
from minigrad.op import registry
from minigrad.tensor import tensor
from minigrad.testing import GradientError, case, check_op
from tests.ops.table import ROWS


def in_jax(node):
    """What the text of a call gives, written and run as in a program."""
    source, inputs, codes = Source(Program((), {}, ())), [], []
    for k, i in enumerate(node.inputs):
        if isinstance(i.value, np.ndarray) and i.value.dtype != bool:
            inputs.append(argument(f"x{k}", i.value.shape, dtype_of(i.value)))
            source.namespace[f"x{k}"] = jnp.asarray(i.value)
            codes.append(f"x{k}")
        else:
            inputs.append(constant(i.value))
            codes.append(source.untimed(inputs[-1]))
    attrs = node.op.attributes(node)
    v = Value(node.op, tuple(inputs), attrs, node.shape, dtype_of(node.value))
    return eval(source.call(v, codes), source.namespace)


def agree(node):
    found = in_jax(node)
    np.testing.assert_allclose(found, node.value, rtol=1e-10, atol=1e-12)
    assert (found.shape, found.dtype) == (node.value.shape, node.value.dtype)


IN_JAX = [row for row in ROWS if row.op.name != "step"]  # the engine writes steps


@pytest.mark.parametrize("row", IN_JAX, ids=lambda row: row.op.name)
def test_an_op_is_what_it_is_in_numpy(row):
    for one, operands in row.samples():
        given = [tensor(a) if isinstance(a, np.ndarray) else a for a in operands]
        for node in Graph(row.function(one.attrs)(*given)).nodes:
            if node.inputs:
                agree(node)


@pytest.mark.parametrize(
    "given",
    [
        (np.arange(3), np.ones(3, np.float32)),
        (np.ones(3, np.float32), 2.5),
        (np.ones(3, np.float32), np.ones(3)),
        (np.arange(3, dtype=np.int8), 2),
        (np.array([True, False]), np.ones(2, np.float16)),
        (np.arange(3, dtype=np.uint8), np.arange(1, 4)),
    ],
    ids=lambda given: "-".join(str(np.asarray(a).dtype) for a in given),
)
@pytest.mark.parametrize(
    "op", [O.add, O.divide, O.less, O.maximum, O.dot], ids=lambda op: op.name
)
def test_dtypes_are_those_of_numpy(op, given):
    agree(op(*[tensor(a) if isinstance(a, np.ndarray) else a for a in given]).node)


@pytest.mark.parametrize("op", [O.sum, O.mean, O.cumsum, O.softmax, O.tanh, O.norm])
@pytest.mark.parametrize("dtype", [bool, np.int32, np.float16])
def test_dtypes_of_one_operand(op, dtype):
    if op is O.tanh and dtype is bool:
        return
    node = op(tensor(np.arange(6).reshape(2, 3).astype(dtype))).node
    found = in_jax(node)
    assert found.dtype == node.value.dtype
    np.testing.assert_allclose(found, node.value, rtol=2e-3)


@pytest.mark.parametrize(
    "function",
    [
        lambda a: a > 300,
        lambda a: a <= -129,
        lambda a: a == 300 - 256,
        lambda a: a != 2**20,
        lambda a: mg.clip(a, -300, 2**20),
        lambda a: mg.stack([x > 300 for _, x in mg.steps(a)]),
    ],
)
@pytest.mark.parametrize("dtype", [np.int8, np.uint8])
def test_a_whole_number_of_python_beyond_the_dtype(function, dtype):
    program = mg.compile(function, strict=True, backend="jax")
    for given in ([2, 2, 2], [0, 44, 2], [3, 100, 120]):
        array = np.array(given, dtype)
        found, wanted = program(array), function(mg.tensor(array))
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found.data, wanted.data)


def test_a_whole_number_that_no_dtype_holds_beside_an_array():
    program = mg.compile(lambda a: a > -1, backend="jax")
    with pytest.raises(LoweringError, match="no whole number that holds uint64 and -1"):
        program(np.arange(3, dtype=np.uint64))


def test_nine_ops_in_ten_are_known_and_kernels_are_all():
    unknown = []
    for op in registry.values():
        try:
            lowering(op)
        except LoweringError:
            unknown.append(op.name)
    ours = [n for n in unknown if registry[n].forward.__module__.startswith("minigrad")]
    assert ours == ["step"]
    assert all(k in OWN for k in vars(kernels).values() if isinstance(k, Kernel))


cube = Op(
    lambda x: x**3,
    lambda g, y, x: g * 3 * x**2,
    name="test_cube",
    lowerings={"jax": lambda x: x * x * x},
)
bare = Op(lambda x: x**3, lambda g, y, x: g * 3 * x**2, name="test_bare")
wrong = Op(
    lambda x: x**3,
    lambda g, y, x: g * 3 * x**2,
    name="test_wrong",
    lowerings={"jax": lambda x: x * x},
)


def test_an_op_brings_its_own():
    p = mg.parameter([1.0, 2.0], name="p")
    program = mg.compile(
        lambda x: mg.grad((cube(p) * x).sum(), [p]), strict=True, backend="jax"
    )
    assert program(np.ones(2))[0].data.tolist() == [3.0, 12.0]


def test_an_op_without_one_is_refused_by_name():
    program = mg.compile(lambda x: bare(x), backend="jax")
    with pytest.raises(LoweringError, match=r'op test_bare.*={"jax": f}'):
        program(np.ones(2))


def test_an_op_is_checked_with_what_it_brings():
    check_op(cube, case((2,)))
    with pytest.raises(GradientError, match=r"for jax: .* its program does"):
        check_op(wrong, case((2,)))
