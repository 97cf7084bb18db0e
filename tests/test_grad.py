"""Gradients: the one loop and the family that it serves."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.graph import Graph
from minigrad.op import Op, Scatter
from minigrad.pullback import _ArraySums
from minigrad.testing import check_grad, numerical_grad, numerical_jacobian

RNG = np.random.default_rng(0)


def recurrence(W, x):
    """A small recurrent loss with a shared weight, of arrays or Tensors."""
    h = np.zeros((2, 3))
    for _ in range(4):
        h = mg.tanh(x + h @ W)
    return mg.mean(h * h)


@pytest.fixture
def parts():
    W = mg.parameter(RNG.normal(size=(3, 3)), name="W")
    x = mg.tensor(RNG.normal(size=(2, 3)), name="x")
    return W, x, recurrence(W, x)


def test_grad_agrees_with_differences(parts):
    W, x, loss = parts
    expected = numerical_grad(recurrence, [W.data, x.data])
    for d, e in zip(mg.grad(loss, [W, x]), expected, strict=True):
        np.testing.assert_allclose(d.data, e, rtol=1e-9, atol=1e-12)


def test_grad_of_every_order(parts):
    W, x, _ = parts
    check_grad(recurrence, [W.data, x.data], order=3)


def test_grad_takes_one_tensor_or_several_and_returns_a_list(parts):
    W, x, loss = parts
    assert len(mg.grad(loss, W)) == 1
    assert len(mg.grad(loss, (t for t in (W, x, W)))) == 3


def test_grad_by_an_intermediate_value(parts):
    W, *_ = parts
    a = mg.tanh(W)
    y = (a * a).sum()
    np.testing.assert_allclose(mg.grad(y, [a])[0].data, 2 * a.data)


def test_grad_of_a_leaf_by_itself():
    w = mg.parameter([2.0], name="w")
    assert mg.grad(w, [w])[0].data.tolist() == [1.0]


def test_gradients_are_leaves_unless_recorded(parts):
    W, _, loss = parts
    assert mg.grad(loss, [W])[0].node.inputs == ()
    assert mg.grad(loss, [W], create_graph=True)[0].node.inputs


def test_vjp_of_several_outputs():
    x = mg.tensor([1.0, 2.0], name="x")
    (d,) = mg.vjp([x * x, x * 3], [x], [np.ones(2), np.array([10.0, 20.0])])
    assert d.data.tolist() == [32.0, 64.0]


def test_vjp_of_several_outputs_without_a_cotangent_is_that_of_their_sum():
    x = mg.tensor([1.0, 2.0], name="x")
    (d,) = mg.vjp([x * x, x * 3, x[0]], [x], None)
    assert d.data.tolist() == [6.0, 7.0]
    with pytest.raises(ValueError, match="a list of 2 tensors and takes a list"):
        mg.vjp([x * x, x * 3], [x], [np.ones(2)])


def test_products_with_one_tensor_take_one_array(parts):
    W, _, loss = parts
    v = RNG.normal(size=(3, 3))
    for one, several in zip(mg.hvp(loss, W, v), mg.hvp(loss, [W], [v]), strict=True):
        np.testing.assert_array_equal(one.data, several.data)
    one, several = mg.jvp(loss, W, v), mg.jvp(loss, [W], [v])
    assert one.item() == several.item()


def test_gradients_are_read_only_and_those_of_backward_are_not(parts):
    W, _, loss = parts
    assert not mg.grad(loss, [W])[0].data.flags.writeable
    loss.backward()
    assert W.grad.flags.writeable


def test_jvp_agrees_with_the_jacobian(parts):
    W, x, _ = parts
    y = mg.tanh(x @ W)
    v = RNG.normal(size=(3, 3))
    J = numerical_jacobian(lambda W: mg.tanh(x.data @ W), [W.data])[0]
    expected = np.tensordot(J, v, 2)
    np.testing.assert_allclose(mg.jvp(y, W, v).data, expected, rtol=1e-8)


def test_jvp_sums_over_several_tensors(parts):
    W, x, _ = parts
    y = x @ W
    v, w = RNG.normal(size=(3, 3)), RNG.normal(size=(2, 3))
    both = mg.jvp(y, [W, x], [v, w]).data
    np.testing.assert_allclose(both, x.data @ v + w @ W.data)


def test_jacobian_agrees_with_differences(parts):
    W, x, _ = parts
    expected = numerical_jacobian(lambda W, x: mg.softmax(x @ W), [W.data, x.data])
    found = mg.jacobian(mg.softmax(x @ W), [W, x])
    for J, e in zip(found, expected, strict=True):
        assert J.shape == e.shape
        np.testing.assert_allclose(J.data, e, rtol=1e-8, atol=1e-11)


def test_hessian_and_hvp_agree_with_differences(parts):
    W, x, loss = parts

    def gradient(W, x):
        W, x = mg.parameter(W), mg.tensor(x, requires_grad=True)
        return mg.grad(recurrence(W, x), [W, x])

    blocks = mg.hessian(loss, [W, x])
    for i in range(2):
        expected = numerical_jacobian(
            lambda *a, i=i: gradient(*a)[i].data, [W.data, x.data]
        )
        for j in range(2):
            np.testing.assert_allclose(
                blocks[i][j].data, expected[j], rtol=1e-7, atol=1e-10
            )
    v = [RNG.normal(size=(3, 3)), RNG.normal(size=(2, 3))]
    for i, d in enumerate(mg.hvp(loss, [W, x], v)):
        dense = sum(np.tensordot(blocks[i][j].data, v[j], 2) for j in range(2))
        np.testing.assert_allclose(d.data, dense, rtol=1e-9)


def test_scalars_have_0d_derivatives():
    x = mg.parameter(2.0, name="x")
    assert mg.hessian(x**3, x)[0][0].shape == ()
    assert mg.jacobian(x**3, x)[0].item() == 12.0


def test_value_and_grad():
    w = mg.parameter([1.0, 2.0], name="w")
    value, (dw,) = mg.value_and_grad(lambda x, k=1.0: (w * x).sum() * k, w)(3.0, k=2.0)
    assert (value.item(), dw.data.tolist()) == (18.0, [6.0, 6.0])


def test_backward_writes_and_overwrites(parts):
    W, _, loss = parts
    loss.backward()
    first = W.grad
    loss.backward()
    assert W.grad is not first
    np.testing.assert_array_equal(W.grad, first)
    W.grad[...] = 7.0
    assert first[0, 0] != 7.0
    np.testing.assert_array_equal(mg.grad(loss, [W])[0].data, first)


def test_backward_fills_all_parameters_with_arrays_of_their_own():
    a, b = mg.parameter(np.ones(2), name="a"), mg.parameter(np.ones(2), name="b")
    (a + b).sum().backward()
    assert not np.shares_memory(a.grad, b.grad)
    a.grad *= 2
    assert b.grad.tolist() == [1.0, 1.0]
    for y in (a + b, a.reshape(2, 1) + b.reshape(2, 1), a.reshape(1, 2) + b):
        da, db = mg.vjp(y, [a, b], np.ones(y.shape))
        assert not np.shares_memory(da.data, db.data)


def test_a_gradient_is_never_the_array_of_a_value():
    half = Op(lambda x: x * x / 2, lambda g, y, x: x, name="doc_half_square")
    w = mg.parameter([3.0], name="w")
    half(w).backward()
    w.grad[0] = 7.0
    assert w.data.tolist() == [3.0]


def test_a_tensor_as_cotangent_is_recorded_only_on_demand():
    w, g = mg.parameter([3.0], name="w"), mg.tensor([2.0], name="g")
    for y in (w * w, 6.0 * w):
        (plain,), (recorded,) = (mg.vjp(y, [w], g, create_graph=c) for c in (0, 1))
        assert plain.data.tolist() == recorded.data.tolist() == [12.0]
        assert plain.node.inputs == ()
        assert g.node in Graph(recorded).nodes


def test_the_graph_can_be_walked_after_backward(parts):
    W, _, loss = parts
    loss.backward()
    assert len(Graph(loss).uses(W)) == 4


def test_shares_sum_to_the_gradient():
    W = mg.parameter(RNG.normal(size=(3, 3)), name="W")
    h = mg.tensor(RNG.normal(size=(2, 3)), name="h0")
    for _ in mg.steps(5):
        h = mg.tanh(h @ W)
    loss = (h * h).sum()
    shares = mg.grad_by_use(loss, W)
    assert [s.t for s in shares] == [1, 2, 3, 4, 5]
    assert {s.argument for s in shares} == {1}
    total = sum(s.gradient.data for s in shares)
    np.testing.assert_allclose(total, mg.grad(loss, [W])[0].data, rtol=1e-12)


def test_shares_come_in_the_order_of_the_steps_and_first_those_without():
    W = mg.parameter(np.eye(2), name="W")
    h = mg.tensor(np.ones((1, 2)), name="h0")
    for _ in mg.steps(3, reverse=True):
        h = h @ W
    shares = mg.grad_by_use((h @ W).sum(), W)
    assert [s.t for s in shares] == [None, 1, 2, 3]
    both = mg.grad_by_use((W * W).sum(), W)
    assert [s.argument for s in both] == [0, 1]


def test_shares_of_indexed_uses():
    W = mg.parameter(np.ones(3), name="W")
    shares = mg.grad_by_use((W[0] * 2 + W[[1, 1]].sum()), W)
    assert [s.gradient.data.tolist() for s in shares] == [[2, 0, 0], [0, 2, 0]]


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda w: mg.grad(w * 2, [w]), ValueError, r"reduce it to one number first"),
        (lambda w: mg.grad(2.0, [w]), TypeError, r"recorded Tensor, got float"),
        (lambda w: mg.grad(mg.tanh, [w]), TypeError, "nor a function"),
        (lambda w: (w * 2).backward(), ValueError, "reduce it to one number first"),
        (
            lambda w: mg.grad((w * 2).sum(), [mg.parameter(1.0, name="lost")]),
            ValueError,
            r"parameter lost of shape \(\) is not reached",
        ),
        (lambda w: mg.grad(w.sum(), [mg.tensor(1.0)]), ValueError, "a constant has no"),
        (lambda w: mg.grad(w.sum(), [w * 2]), ValueError, r"^tensor multiply of shape"),
        (lambda w: mg.grad(w.sum(), [np.ones(2)]), TypeError, "wrt holds Tensors"),
        (
            lambda w: mg.grad(w.sum(), [mg.tensor([1], name="i")]),
            TypeError,
            "dtype int64",
        ),
        (lambda w: mg.vjp(w * 2, w, np.ones(3)), ValueError, "cotangent has shape"),
        (lambda w: mg.vjp(w * 2, w, mg.tensor(1.0)), ValueError, "cotangent has shape"),
        (lambda w: mg.grad_by_use(w * 2, w), ValueError, "reduce it to one number"),
        (
            lambda w: mg.grad_by_use(w.sum(), mg.parameter(1.0, name="lost")),
            ValueError,
            "lost .* not reached",
        ),
    ],
)
def test_misuse_is_taught(call, error, said):
    with pytest.raises(error, match=said):
        call(mg.parameter(np.ones(2), name="w"))


def test_unreached_zeros():
    w, lost = mg.parameter(1.0, name="w"), mg.parameter(np.ones(2), name="lost")
    _, d = mg.grad(w * 2, [w, lost], unreached="zeros")
    assert d.data.tolist() == [0.0, 0.0]


def test_a_parameter_changed_between_forward_and_backward_is_an_error():
    w = mg.parameter(2.0, name="w")
    loss = w * w
    w.assign(3.0)
    with pytest.raises(RuntimeError, match=r"parameter w was changed by assign after"):
        loss.backward()
    (w * w).backward()
    assert w.grad == 6.0


def test_another_parameter_may_change_between_forward_and_backward():
    w, other = mg.parameter(2.0, name="w"), mg.parameter(1.0, name="other")
    loss = mg.tanh(w * 3.0) * mg.tensor(2.0, name="x")
    (before,) = mg.grad(loss, [w])
    other.assign(5.0)
    assert mg.grad(loss, [w])[0].item() == before.item()
    w.assign(2.0)
    with pytest.raises(RuntimeError, match="parameter w was changed"):
        mg.grad(loss, [w])


def test_gradients_reach_a_sequence_through_its_steps():
    xs = mg.tensor(RNG.normal(size=(4, 2)), name="xs")
    loss = mg.add_n([(x * x).sum() * float(t) for t, x in mg.steps(xs)])
    expected = 2 * xs.data * np.arange(1.0, 5)[:, None]
    for record in (False, True):
        (d,) = mg.grad(loss, [xs], create_graph=record)
        np.testing.assert_allclose(d.data, expected)
    assert [s.t for s in mg.grad_by_use(loss, xs)] == [1, 2, 3, 4]


def test_a_recorded_gradient_has_no_op_that_does_nothing():
    W = mg.parameter(RNG.normal(size=(2, 2)), name="W")
    y = mg.tanh(mg.tensor(np.ones((1, 2))) @ W).sum()
    (d,) = mg.grad(y, [W], create_graph=True)
    made = set(Graph(d).nodes) - set(Graph(y).nodes)
    ops = sorted(n.op.name for n in made if n.op)
    assert ops == ["dot", "multiply", "multiply", "spread", "subtract", "transpose"]


@pytest.mark.parametrize("record", [False, True])
@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((), (0, 1, 2)),
        ((3,), (0, 1)),
        ((1,), (0, 1, 2)),
        ((2, 1), (0, 2)),
        ((1, 3), (0, 1)),
        ((4, 1, 1), (1, 2)),
        ((4, 2, 3), ()),
        ((1, 2, 3), (0,)),
    ],
)
def test_what_was_broadcast_is_summed(shape, axes, record):
    x = mg.parameter(np.zeros(shape), name="x")
    g = RNG.normal(size=(4, 2, 3))
    (d,) = mg.vjp(x + np.zeros((4, 2, 3)), [x], g, create_graph=record)
    expected = np.sum(g, axis=axes, keepdims=True) if axes else g
    np.testing.assert_allclose(d.data, expected.reshape(shape), rtol=1e-12)
    assert d.shape == shape


def test_fan_in_is_one_add_n():
    W = mg.parameter(RNG.normal(size=(2, 2)), name="W")
    h = mg.tensor(np.ones((1, 2)), name="h0")
    for _ in mg.steps(7):
        h = h @ W
    (d,) = mg.grad(h.sum(), [W], create_graph=True)
    assert d.node.op.name == "add_n"
    assert len(d.node.inputs) == 7
    assert sum(n.op.name == "add_n" for n in Graph(d).nodes if n.op) == 1


def test_indexings_are_one_scatter_n():
    xs = mg.parameter(RNG.normal(size=(9, 2)), name="xs")
    loss = sum((xs[i] * xs[i]).sum() for i in range(9))
    (d,) = mg.grad(loss, [xs], create_graph=True)
    assert d.node.op.name == "scatter_n"
    check_grad(lambda xs: sum((xs[i] ** 3).sum() for i in range(9)), [xs.data], order=3)


@pytest.mark.parametrize("record", [False, True])
def test_indexing_t_times_costs_work_linear_in_t(record, monkeypatch):
    work = []
    zeros_like, forward = np.zeros_like, Op.__call__

    def counted(a, *args, **kwargs):
        work.append(np.size(a))
        return zeros_like(a, *args, **kwargs)

    def called(self, *args, **attrs):
        y = forward(self, *args, **attrs)
        work.append(np.size(y))
        return y

    def elements(T):
        xs = mg.parameter(np.ones((T, 2)), name="xs")
        loss = mg.add_n([(xs[i] * xs[i]).sum() for i in range(T)])
        work.clear()
        with monkeypatch.context() as patch:
            patch.setattr(np, "zeros_like", counted)
            patch.setattr(Op, "__call__", called)
            mg.grad(loss, [xs], create_graph=record)
        return sum(work)

    assert elements(200) <= 2.2 * elements(100)


def test_second_order_of_many_indexings_is_linear_too():
    def nodes(T):
        xs = mg.parameter(np.ones((T, 2)), name="xs")
        loss = mg.add_n([(xs[i] ** 3).sum() for i in range(T)])
        (d,) = mg.grad(loss, [xs], create_graph=True)
        (d2,) = mg.grad((d * d).sum(), [xs], create_graph=True)
        return sum(np.size(n.value) for n in Graph(d2).nodes)

    assert nodes(100) <= 2.2 * nodes(50)


def test_only_what_leads_to_wrt_is_visited():
    calls = []

    def rule(g, y, x):
        calls.append(None)
        return g

    spy = Op(lambda x: x * 1.0, rule, name="doc_spy")
    w, x = mg.parameter(1.0, name="w"), mg.parameter(1.0, name="x")
    loss = spy(w) * spy(x)
    mg.grad(loss, [w])
    assert len(calls) == 1
    mg.grad(loss + spy(mg.sign(w)) + spy(mg.where(w, x, x)), [w])
    assert len(calls) == 2


def test_an_index_that_was_recorded_stays_an_operand():
    E = mg.parameter(np.arange(6.0).reshape(3, 2), name="E")
    i = mg.tensor([0, 2], name="i")
    (d,) = mg.grad((mg.embedding(E, i) ** 2).sum(), [E], create_graph=True)
    assert d.node.op.name == "scatter_n"
    assert i.node in d.node.inputs
    assert d.node.attrs["keys"] == (None, "operand", None)
    assert d.data.tolist() == [[0, 2], [0, 0], [8, 10]]


def test_a_result_that_is_not_used_costs_nothing():
    w = mg.parameter(1.0, name="w")
    unused = w * 5
    assert mg.grad(w * 2, [w])[0].item() == 2.0
    assert unused.item() == 5.0


def test_a_cotangent_is_never_edited():
    x = mg.tensor(np.ones(3), name="x")
    g = np.arange(3.0)
    for y in (x + x * x + x[::-1], x[::-1] + x, x[:2].sum() + x):
        mg.vjp(y, [x], g)
        assert g.tolist() == [0.0, 1.0, 2.0]


def test_backward_of_a_parameter_itself():
    w = mg.parameter(2.0, name="w")
    w.backward()
    assert w.grad == 1.0


def test_bool_and_int_branches_carry_no_gradient():
    x = mg.parameter([1.0, 2.0], name="x")
    y = mg.where(x > 1, x * 3, 0.0) + x.astype(int) + mg.sign(x)
    assert mg.grad(y.sum(), [x])[0].data.tolist() == [0.0, 3.0]


def test_accumulation_order_is_deterministic():
    def run():
        W = mg.parameter(np.random.default_rng(3).normal(size=(4, 4)), name="W")
        h = mg.tensor(np.ones((2, 4)), name="h0")
        for _ in mg.steps(20):
            h = mg.tanh(h @ W)
        return mg.grad(h.sum(), [W])[0].data.tobytes()

    assert run() == run()


def test_recorded_and_plain_gradients_have_the_same_values(parts):
    W, x, loss = parts
    plain = mg.grad(loss, [W, x])
    recorded = mg.grad(loss, [W, x], create_graph=True)
    for a, b in zip(plain, recorded, strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-13)


def test_a_buffer_of_ours_is_written_in_place():
    x = mg.tensor(np.zeros(3), name="x").node
    sums = _ArraySums(set(), None, set())
    sums.add(x, None, 0, Scatter(np.float64(1.0), 0))
    ours = sums.parts[x]
    sums.add(x, None, 0, Scatter(np.float64(2.0), 0))
    sums.add(x, None, 0, np.ones(3))
    assert sums.parts[x] is ours
    assert ours.tolist() == [4.0, 1.0, 1.0]
    y = mg.tensor(np.zeros(3), name="y").node
    sums.add(y, None, 0, np.ones(3))
    sums.add(y, None, 0, np.ones(3))
    ours = sums.parts[y]
    sums.add(y, None, 0, np.ones(3))
    assert sums.parts[y] is ours
    assert ours.tolist() == [3.0] * 3


@pytest.mark.parametrize("record", [False, True])
def test_a_gradient_has_the_dtype_of_its_tensor(record):
    x = mg.parameter(np.ones(2, np.float32), name="x")
    for shape in ((2,), (3, 2)):
        y = mg.parameter(np.ones(shape), name="y")
        loss = (x * y * np.arange(2.0)).mean(axis=0).sum()
        for more in (0, x[0].astype(float)):
            dx, dy = mg.grad(loss + more, [x, y], create_graph=record)
            assert (dx.dtype, dy.dtype) == (np.float32, np.float64)


def test_the_backward_graph_lies_in_the_scopes_of_the_forward_graph():
    x = mg.parameter([1.0, 2.0], name="x")
    with mg.scope("outer"):
        y = (x * x).sum()
    (d,) = mg.grad(y, [x], create_graph=True)
    made = set(Graph(d).nodes) - set(Graph(y).nodes)
    paths = {n.op.name: [p[0] for p in n.scope.path] for n in made if n.op}
    assert paths["spread"] == paths["multiply"] == ["outer"]
    assert paths["add_n"] == []


def test_the_backward_graph_lies_under_its_own_columns():
    W = mg.parameter(np.eye(2), name="W")
    h = mg.tensor(np.ones((1, 2)), name="h0")
    for _ in mg.steps(3):
        with mg.scope("cell"):
            h = mg.tanh(h @ W)
    (d,) = mg.grad(h.sum(), [W], create_graph=True)
    forward = set(Graph(h).nodes)
    times = {n.t for n in Graph(d).nodes if n.op and n not in forward}
    assert times == {1, 2, 3, None}


@pytest.mark.parametrize("steps", [1, 7, 200])
def test_a_matrix_gets_the_sum_of_its_shares_however_many_rows_they_have(steps):
    rng = np.random.default_rng(0)
    W = mg.parameter(rng.normal(size=(4, 4)) / 4, name="W")
    h = mg.tensor(rng.normal(size=(3, 4)), name="h0")
    loss = h.sum()
    for _ in mg.steps(steps):
        h = mg.tanh(h @ W + W.sum(0))
        loss = loss + h.sum()
    shares = [share.gradient.data for share in mg.grad_by_use(loss, W)]
    assert len(shares) == 2 * steps
    (total,) = mg.grad(loss, [W])
    np.testing.assert_allclose(total.data, sum(shares), rtol=1e-12)


@pytest.mark.parametrize("vectors", [[], [np.ones(2)], [np.ones(2)] * 3, 1.0])
def test_each_tensor_has_its_vector(vectors):
    a, b = (mg.tensor(np.ones(2), requires_grad=True) for _ in range(2))
    y = (a * b).sum()
    for call, name in (
        (lambda: mg.jvp(a * b, [a, b], vectors), "wrt"),
        (lambda: mg.hvp(y, [a, b], vectors), "wrt"),
        (lambda: mg.vjp([a * b, a], [a, b], vectors), "y"),
    ):
        with pytest.raises(ValueError, match=f"{name} is a list of 2 tensors and"):
            call()


def test_what_is_no_recorded_value_has_no_products():
    w = mg.parameter(np.eye(2), name="w")

    def f(w):
        return (w * w).sum()

    for wrong in (
        lambda: mg.jacobian(f, w),
        lambda: mg.jvp(f, w, np.eye(2)),
        lambda: mg.vjp(f, w, 1.0),
        lambda: mg.vjp([f], w, [1.0]),
    ):
        with pytest.raises(TypeError, match="recorded Tensor, got function"):
            wrong()
    with pytest.raises(TypeError, match="wrt holds Tensors, got int"):
        mg.jacobian(f(w), 3)
