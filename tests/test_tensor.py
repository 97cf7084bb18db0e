"""Tensors: NumPy protocols, dtypes, and the errors that teach."""

import copy
import pickle

import numpy as np
import pytest

import minigrad as mg
from minigrad.graph import Graph


@pytest.fixture
def x():
    return mg.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], name="x")


UFUNCS = {
    "exp": np.exp,
    "tanh": np.tanh,
    "negative": np.negative,
    "absolute": np.absolute,
    "sqrt": np.sqrt,
}


@pytest.mark.parametrize("name", UFUNCS)
def test_ufuncs_record(x, name):
    y = UFUNCS[name](x)
    assert isinstance(y, mg.Tensor)
    assert y.node.op.name == name
    np.testing.assert_array_equal(y.data, UFUNCS[name](x.data))


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x: np.sum(x, axis=0), "sum"),
        (lambda x: np.mean(x, 1, keepdims=True), "mean"),
        (lambda x: np.max(x, axis=-1), "max"),
        (lambda x: np.reshape(x, (3, 2)), "reshape"),
        (lambda x: np.transpose(x), "transpose"),
        (lambda x: np.concatenate([x, x], axis=1), "concatenate"),
        (lambda x: np.stack((x, x)), "stack"),
        (lambda x: np.where(x > 2, x, 0.0), "where"),
        (lambda x: np.clip(x, 2.0, 5.0), "clip"),
        (lambda x: np.matmul(x, np.ones((3, 2))), "matmul"),
        (lambda x: np.dot(x, np.ones(3)), "dot"),
        (lambda x: np.expand_dims(x, 0), "expand_dims"),
        (lambda x: np.squeeze(x[None]), "squeeze"),
        (lambda x: np.broadcast_to(x, (2, 2, 3)), "broadcast_to"),
        (lambda x: np.swapaxes(x, 0, 1), "swapaxes"),
    ],
)
def test_numpy_functions_record(x, call, name):
    y = call(x)
    assert y.node.op.name == name
    np.testing.assert_array_equal(y.data, call(x.data))


def test_an_array_on_the_left_gives_way(x):
    a = np.ones((2, 3))
    for y in (a + x, a - x, a * x, a / x, a**x, np.ones((2, 2)) @ x):
        assert isinstance(y, mg.Tensor)
    assert isinstance(np.float64(2.0) * x, mg.Tensor)
    assert isinstance(np.ones(()) * x, mg.Tensor)


def test_operators_agree_with_numpy(x):
    a, w = x.data, np.full((2, 3), 0.5)
    pairs = [
        (x + w, a + w),
        (2 - x, 2 - a),
        (x / w, a / w),
        (1 / x, 1 / a),
        (x**2, a**2),
        (2**x, 2**a),
        (-x, -a),
        (abs(-x), a),
        (x @ w.T, a @ w.T),
        (x > 2, a > 2),
        (x <= 2, a <= 2),
        (x == 2, a == 2),
        (x != 2, a != 2),
        (x[:, 1], a[:, 1]),
        (x.T, a.T),
        ((x > 1) & (x < 3), (a > 1) & (a < 3)),
        (~(x > 1), ~(a > 1)),
    ]
    for t, expected in pairs:
        np.testing.assert_array_equal(t.data, expected)


def test_methods(x):
    assert x.sum(0).shape == (3,)
    assert x.mean(axis=1, keepdims=True).shape == (2, 1)
    assert x.reshape(3, 2).shape == x.reshape((3, 2)).shape == (3, 2)
    assert x.transpose(1, 0).shape == x.transpose().shape == (3, 2)
    cube = mg.tensor(np.ones((2, 3, 4)))
    assert cube.transpose(0, 2, 1).shape == cube.transpose((0, 2, 1)).shape == (2, 4, 3)
    assert x.clip(2, 3).data.min() == 2
    assert (x.ndim, x.size, len(x), x.T.shape) == (2, 6, 2, (3, 2))
    assert [row.shape for row in x] == [(3,), (3,)]


def test_a_ufunc_method_is_a_taught_error(x):
    with pytest.raises(TypeError, match=r"np\.add\.reduce is not an op of minigrad"):
        np.add.reduce(x)


def test_what_leaves_through_numpy_is_detached_and_read_only(x):
    array = np.asarray(x * 2)
    assert type(array) is np.ndarray
    assert not array.flags.writeable
    copied = np.array(x)
    copied[0] = 0
    assert x.data[0, 0] == 1.0


W = mg.parameter(np.eye(3), name="W")
P = mg.parameter(3.0, name="p")
ASKED = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)

CUTS = {
    "the mean of a list": lambda h: np.mean([h.sum(), h.sum()]),
    "the sum of a list": lambda h: np.sum([h.sum(), h.sum()]),
    "the largest of a list": lambda h: np.max([h.sum(), h.sum()]),
    "an array of a list": lambda h: np.array([h, h]) @ W,
    "an array of numbers": lambda h: np.asarray([h.sum(), P]),
    "an array of parameters": lambda h: np.array([W, W]),
    "an array of leaves": lambda h: np.asarray([ASKED, ASKED]),
    "a list of lists": lambda h: mg.tensor([[h, h]]),
    "a list on the right": lambda h: np.ones(2) @ [h, h],
    "a list on the left": lambda h: [h, h] * np.ones((2, 2, 3)),
    "a ufunc of a list": lambda h: np.add([h, h], 1.0),
    "a method of an array": lambda h: np.ones(2).dot(h),
    "a full array": lambda h: np.full(3, h.sum()),
    "as an array": lambda h: np.asarray(h),
}


@pytest.mark.parametrize("name", CUTS)
def test_numpy_does_not_cut_the_graph_without_a_word(x, name):
    with pytest.raises(TypeError, match=r"without a word.* mg\.stack\(list\)"):
        CUTS[name](x @ W)


def test_lists_of_what_was_computed_from_data_are_refused_inside_of_numpy(x):
    with pytest.raises(TypeError, match=r"without a word.* mg\.stack\(list\)"):
        np.mean([x.sum(), x.sum()])


@pytest.mark.parametrize("key", [0, slice(2), [0, 1], np.array([True, False, False])])
def test_a_tensor_is_not_put_into_an_array(x, key):
    array, rows = np.zeros(3), np.zeros((3, 3))
    with pytest.raises(TypeError, match=r"mg\.where\(mask, t, array\)"):
        rows[key] = (x @ W)[0]
    for number in (P, (x @ W).sum(), (x @ W)[0, 0]):
        with pytest.raises((TypeError, ValueError)) as raised:
            array[key] = number
        # NumPy says that a sequence is no number, and this is why it found none.
        error = raised.value.__cause__ or raised.value
        assert "mg.where(mask, t, array)" in str(error)
    assert not array.any()
    assert not rows.any()
    counts = np.zeros(3, int)
    with pytest.raises((TypeError, ValueError)):
        counts[key] = P
    assert not counts.any()


def test_the_values_of_what_is_learnt_leave_by_name(x):
    h = x @ W
    copied = np.array(h)
    np.testing.assert_array_equal(copied, h.data)
    copied[0] = 0
    assert h.data.any()
    assert np.array(h, dtype=np.float32).dtype == np.float32
    assert float(h.sum()) == np.float64(h.sum()) == h.data.sum()
    assert np.allclose(h, h)
    assert np.array2string(h) == np.array2string(h.data)
    np.testing.assert_allclose(h, h.data)
    np.testing.assert_array_equal(np.asarray(h.detach()), h.data)
    array = np.zeros(2)
    array[0] = h.sum().item()
    array[1] = float(h.sum())
    with mg.no_grad():
        np.testing.assert_array_equal(np.asarray(W), np.asarray(W @ np.eye(3)))
        array[0] = (x @ W).sum()
    classes = h > 2.0
    assert np.asarray(classes).dtype == bool


def test_setting_an_element_is_a_taught_error(x):
    with pytest.raises(TypeError, match=r"x\[i\] = v .* mg\.where\(mask, v, x\)"):
        x[0] = 1.0


def test_setting_data_is_a_taught_error(x):
    with pytest.raises(AttributeError, match=r"p\.assign\(array\)"):
        x.data = np.zeros((2, 3))


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: mg.parameter([1, 2]), TypeError, "write 1.0 for 1"),
        (lambda: mg.tensor([1, 2], requires_grad=True), TypeError, "write 1.0 for 1"),
        (lambda: mg.tensor("a"), TypeError, "a tensor holds numbers"),
        (lambda: mg.tensor(1j), TypeError, "a tensor holds numbers"),
        (lambda: mg.tensor(mg.tensor(1.0)), TypeError, r"t\.detach\(\)"),
        (lambda: len(mg.tensor(1.0)), TypeError, "0-d tensor has no length"),
        (lambda: pickle.dumps(mg.tensor(1.0)), TypeError, "state_dict"),
    ],
)
def test_misuse_is_taught(make, error, said):
    with pytest.raises(error, match=said):
        make()


def test_bool_of_a_comparison():
    assert mg.tensor(2.0) > 1
    assert not mg.tensor(2.0) < 1
    with pytest.raises(ValueError, match="ambiguous"):
        bool(mg.tensor([1.0, 2.0]) > 1)


def test_numbers():
    assert float(mg.tensor(2.5)) == 2.5
    assert int(mg.tensor(2.5)) == 2
    assert mg.tensor([[7.0]]).item() == 7.0


def test_tensor_copies_and_copy_false_freezes():
    a = np.ones(2)
    t = mg.tensor(a)
    a[0] = 5
    assert t.data[0] == 1
    frozen = mg.tensor(a, copy=False)
    assert np.shares_memory(frozen.data, a)
    with pytest.raises(ValueError, match="read-only"):
        a[0] = 6


def test_dtypes_are_kept():
    assert mg.tensor(1.0).dtype == np.float64
    assert mg.tensor(np.float32(1)).dtype == np.float32
    assert mg.tensor([1, 2]).dtype == np.int64
    assert mg.tensor([True]).dtype == bool
    assert mg.tensor([1.0], dtype=np.float32).dtype == np.float32


FLOAT32 = {
    "number": lambda x: x * 2.0 + 1,
    "power": lambda x: x**2.5,
    "exponent": lambda x: 2.0**x,
    "mean": lambda x: x.mean(),
    "sigmoid": lambda x: mg.sigmoid(x).sum(axis=0),
    "softmax": lambda x: mg.softmax(x),
    "logsumexp": lambda x: mg.logsumexp(x),
    "matmul": lambda x: x @ x.T,
    "where": lambda x: mg.where(x.data > 1, x, 0.0),
    "maximum": lambda x: mg.maximum(x, 0.5),
    "cross_entropy": lambda x: mg.cross_entropy(x, [0, 1]),
    "mse_loss": lambda x: mg.mse_loss(x, np.zeros((2, 3), np.float32)),
    "getitem": lambda x: x[[0, 0]],
    "max": lambda x: x.max(axis=1),
}


@pytest.mark.parametrize("name", FLOAT32)
def test_float32_stays_float32_in_values_and_gradients_of_every_order(name):
    x = mg.tensor(np.arange(1, 7, dtype=np.float32).reshape(2, 3), name="x")
    y = FLOAT32[name](x)
    assert y.dtype == np.float32
    loss = (y * y).sum()
    (dx,) = mg.grad(loss, [x], create_graph=True)
    assert dx.dtype == mg.grad(loss, [x])[0].dtype == np.float32
    (d2x,) = mg.grad((dx * dx).sum(), [x], create_graph=True)
    assert d2x.dtype == np.float32
    made = [n for n in Graph(d2x).nodes if n.op and n.value.dtype.kind == "f"]
    assert {n.value.dtype for n in made} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    "made",
    [
        lambda a: mg.parameter(a),
        lambda a: mg.tensor(a),
        lambda a: mg.tensor(a, name="x"),
        lambda a: mg.tensor(a).detach(),
        lambda a: mg.tensor(a) * 2,
    ],
)
def test_values_are_read_only(made):
    assert not made(np.ones(2)).data.flags.writeable


def test_assign_changes_a_parameter_and_keeps_its_dtype():
    p = mg.parameter(np.zeros(2, np.float32), name="p")
    new = np.array([1.0, 2.0])
    p.assign(new)
    new[0] = 9
    assert p.data.tolist() == [1.0, 2.0]
    assert p.data.dtype == np.float32
    assert not p.data.flags.writeable
    with pytest.raises(
        ValueError, match=r"parameter p has shape \(2,\), cannot assign"
    ):
        p.assign(np.zeros(3))


def test_named_makes_an_input_of_a_constant():
    t = mg.tensor(1.0)
    assert t.node.kind == "constant"
    assert t.named("x") is t
    assert (t.node.kind, t.name) == ("input", "x")


def test_detach_cuts_the_graph():
    w = mg.parameter(2.0, name="w")
    y = (w * 3).detach() * w
    assert mg.grad(y, [w])[0].item() == 6.0
    plain, named = w.detach(), w.detach("z")
    assert (plain.node.kind, plain.name) == ("constant", None)
    assert (named.node.kind, named.name) == ("input", "z")


def test_a_copy_of_a_tensor_is_the_tensor(x):
    assert copy.copy(x) is x
    assert copy.deepcopy(x) is x


def test_handles_of_one_parameter_are_copied_to_handles_of_one():
    p = mg.parameter([1.0, 2.0], name="p")
    one, other = copy.deepcopy([p, mg.Parameter(p.node)])
    assert one.node is other.node
    assert one.node is not p.node


def test_a_number_of_the_graph_is_detached_too():
    y = mg.parameter(3.0) * 2
    (number,) = (n for n in y.node.inputs if n.kind == "constant")
    assert mg.Tensor(number).detach().item() == 2


def test_printing(x):
    assert repr(mg.tensor([1.0, 2.0], name="x")) == "tensor([1., 2.], name='x')"
    assert repr(mg.parameter([0.5])) == "parameter([0.5])"


def test_tensors_hash_by_identity(x):
    assert {x: 1}[x] == 1
    assert np.shape(x) == (2, 3)
    assert np.array_equal(x, x.data)


@pytest.mark.parametrize("name", [3, 1.5, b"h", ["h"]])
def test_a_name_is_text(name):
    x = mg.tensor(1.0, name="x")
    for make in (
        lambda: x.named(name),
        lambda: x.named(x),
        lambda: x.named(None),
        lambda: mg.tensor(1.0, name=name),
        lambda: mg.parameter(1.0, name=name),
        lambda: x.detach(name),
    ):
        with pytest.raises(TypeError, match="a name is text, got"):
            make()
    assert x.name == "x"


@pytest.mark.parametrize("name", ["", " ", "\n"])
def test_nothing_is_called_by_an_empty_name(name):
    x = mg.tensor(1.0, name="x")
    for make in (lambda: x.named(name), lambda: mg.parameter(1.0, name=name)):
        with pytest.raises(ValueError, match="nothing can be called"):
            make()
    assert x.name == "x"


TAKERS = {
    "pad": lambda a, q: np.pad(a, 1, constant_values=q),
    "sum": lambda a, q: np.sum(a, initial=q),
    "max": lambda a, q: np.max(a, initial=q),
    "prod": lambda a, q: np.prod(a, initial=q),
    "method": lambda a, q: a.sum(initial=q),
    "std": lambda a, q: np.std(a, ddof=q),
    "var of columns": lambda a, q: np.var(a[:, None], axis=0, ddof=q),
    "full": lambda a, q: np.full(3, q),
    "nan_to_num": lambda a, q: np.nan_to_num(a, nan=q),
}


@pytest.mark.parametrize("name", TAKERS)
def test_numpy_takes_no_keyword_with_a_gradient(name):
    q = mg.parameter(2.0, name="q")
    for value in (q, q * 2):
        with pytest.raises((TypeError, ValueError)):
            TAKERS[name](np.ones(9), value)
    with mg.no_grad():
        TAKERS["sum"](np.ones(3), q)  # there is no gradient to lose
    assert np.sum(np.ones(3), initial=mg.tensor(2.0, name="x")) == 5.0


def test_a_parameter_is_made_of_an_array():
    q = mg.parameter(2.0, name="q")
    for value in (q, q * 2):
        with pytest.raises(TypeError, match=r"mg\.parameter\(t\.data\)"):
            mg.parameter(value)


@pytest.mark.parametrize(
    "made",
    [
        lambda: mg.parameter([1.0, 2.0]),
        lambda: mg.tensor([1.0, 2.0], name="x"),
        lambda: mg.tensor([1.0, 2.0]) * 2,
        lambda: mg.tensor([1.0, 2.0]).reshape(2, 1),
    ],
)
def test_what_is_read_of_a_value_stays_read_only(made):
    t = made()
    for array in (t.data, np.asarray(t.detach("x"))):
        with pytest.raises(ValueError, match="cannot set WRITEABLE"):
            array.flags.writeable = True
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        ([1j, 2], TypeError, "parameter p holds numbers, got dtype complex128"),
        (["a", "b"], TypeError, "parameter p holds numbers"),
        (["a"] * 9, TypeError, r"got dtype <U1, \['a', 'a', \.\.\.\]$"),
        ([1e300, 2], OverflowError, r"p is float32, which cannot hold 1e\+300"),
        (np.ma.array([1.0, 2.0], mask=[0, 1]), TypeError, "fill them"),
    ],
)
def test_a_parameter_is_assigned_what_it_can_hold(value, error, said):
    p = mg.parameter([1.0, 2.0], name="p", dtype=np.float32)
    before = p.data
    with pytest.raises(error, match=said):
        p.assign(value)
    assert p.data is before
    p.assign([np.inf, 1])
    assert p.data.tolist() == [np.inf, 1]


@pytest.mark.parametrize("make", [mg.tensor, mg.parameter])
def test_a_leaf_holds_all_of_what_it_is_made_of(make):
    with pytest.raises(TypeError, match="holds numbers"):
        make([1j], dtype=float)
    with pytest.raises(OverflowError, match="is float16, which cannot hold 70000"):
        make([70000.0], dtype=np.float16)
    with pytest.raises(TypeError, match="has no masked entries"):
        make(np.ma.array([1.0]))


def test_an_operand_is_not_masked(x):
    with pytest.raises(TypeError, match="add has no masked entries"):
        mg.add(x, np.ma.array(np.ones(3), mask=[0, 0, 1]))


def test_a_single_number_is_not_gone_through():
    with pytest.raises(TypeError, match=r"nothing to go through: t\.item\(\)"):
        iter(mg.tensor(1.0))
