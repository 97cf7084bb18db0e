"""Compiled programs equal eager runs: random recurrences, models, higher orders."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.mode import TraceError, outlined
from tests.engines import ENGINES
from tests.programs.strategies import programs

from ..test_fold import STARTS, cells, next_state


def network(cell, dtype):
    """A function of sequences: records a random cell, returns loss and gradients."""
    delays, reverse, program, readout, _, *starts = cell
    W = mg.parameter(np.array([[0.3, -0.2], [0.1, 0.4]], dtype), name="W")
    V = mg.parameter(np.array([[0.2, 0.1], [-0.3, 0.2]], dtype), name="V")

    zeros = np.zeros((3, 2), dtype)
    start = STARTS[starts[0] if starts else "input"]
    given = start(zeros, V) if starts == ["parameter"] else None

    def step(xs):
        states = [given if given is not None else start(zeros, V)] * max(delays)
        losses, running = [], 0.0
        for _, x in mg.steps(x=xs, reverse=reverse):
            pool = [x @ V, *(states[-d] @ W for d in delays)]
            h = next_state(program, pool)
            states.append(h)
            if readout in ("stack", "add_n"):
                losses.append(h.sum())
            elif readout == "running":
                running = running + h.sum()
        if readout == "stack":
            loss = mg.stack(losses).mean()
        elif readout == "add_n":
            loss = mg.add_n(losses)
        else:
            loss = running if readout == "running" else (h @ V).sum()
        return loss, mg.grad(loss, [W, V], unreached="zeros")

    return step, [W, V]


def sequence(T, dtype, seed=0):
    return np.random.default_rng(seed).normal(size=(T, 3, 2)).astype(dtype)


def flat(value):
    if isinstance(value, (list, tuple)):
        return [x for v in value for x in flat(v)]
    if isinstance(value, dict):
        return [x for v in value.values() for x in flat(v)]
    return [value]


def same(compiled, eager, dtype=np.float64):
    scale = 1e-4 if dtype == np.float32 else 1e-10
    for a, b in zip(flat(compiled), flat(eager), strict=True):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        np.testing.assert_allclose(a.data, b.data, rtol=scale, atol=scale)


@settings(max_examples=40)
@given(cells(), st.integers(1, 9), st.sampled_from([np.float32, np.float64]))
def test_a_random_recurrence_equals_eager(cell, T, dtype):
    step, parameters = network(cell, dtype)
    compiled = mg.compile(step, strict=True)
    for seed in (0, 1):  # the second call runs the program on other numbers
        xs = sequence(T, dtype, seed)
        same(compiled(xs), step(xs), dtype)
        parameters[0].assign(parameters[0].data * 0.5)


@settings(max_examples=15)
@given(cells())
def test_one_program_serves_every_length(cell):
    step, _ = network(cell, np.float64)
    compiled = mg.compile(step, strict=True)
    shortest = 2 * max(cell[0]) + 2
    for T in (shortest, shortest + 1, shortest + 6, shortest + 20):
        xs = sequence(T, np.float64)
        same(compiled(xs), step(xs))
    assert len(compiled.traced) == 1


def curvature(step, parameters):
    """A function of sequences: the Hessian of a network's loss times a direction."""
    v = [np.ones((2, 2)), np.eye(2)]
    return lambda xs: mg.hvp(step(xs)[0], parameters, v)


@settings(max_examples=25)
@given(cells(), st.integers(1, 7), st.sampled_from([np.float32, np.float64]))
def test_second_order_equals_eager(cell, T, dtype):
    hvp = curvature(*network(cell, dtype))
    xs = sequence(T, dtype)
    compiled = mg.compile(hvp, strict=True)
    for _ in range(2):
        same(compiled(xs), hvp(xs), dtype)


def derivatives(program):
    """A function of arrays: a random program's sum, its gradient and its curvature."""

    def run(*xs):
        xs = [
            x if isinstance(x, mg.Tensor) else mg.tensor(x, requires_grad=True)
            for x in xs
        ]
        y = mg.sum(program(*xs))
        v = [np.ones(x.shape) for x in xs]
        return [y, *mg.grad(y, xs, unreached="zeros"), *mg.hvp(y, xs, v)]

    return run


@settings(max_examples=40)
@given(programs(), st.sampled_from([np.float32, np.float64]))
def test_a_random_program_equals_eager_to_second_order(drawn, dtype):
    program, arrays = drawn
    run, arrays = derivatives(program), [a.astype(dtype) for a in arrays]
    compiled = mg.compile(run, strict=True)
    for scale in (1, -0.5):  # the second call runs the program on other numbers
        given = [(a * scale).astype(dtype) for a in arrays]
        same(compiled(*given), run(*given), dtype)


@pytest.mark.parametrize("T", [2, 3, 6])
def test_a_term_that_a_sum_has_several_times(T):
    cell = ([1], False, [(5, 0, 0)], "stack", False)
    hvp = curvature(*network(cell, np.float64))
    xs = sequence(T, np.float64)
    same(mg.compile(hvp, strict=True)(xs), hvp(xs))


def test_what_is_the_same_at_every_step_and_gathered():
    w = mg.parameter(np.array([0.5, -0.2]), name="w")

    def step(xs):
        h, es = mg.tensor(np.zeros((3, 2)), name="h0"), []
        e = mg.tensor(np.ones(2), name="e0")
        for _, x in mg.steps(x=xs):
            h = mg.tanh(x + h * w + e)
            e = mg.exp(w)
            es.append(e)
        loss = (h * h).sum() + (mg.stack(es) ** 2).mean() + mg.add_n(es).sum()
        return mg.stack(es), es[0], mg.grad(loss, [w])

    compiled = mg.compile(step, strict=True)
    for T in (4, 5, 7):
        same(compiled(sequence(T, np.float64)), step(sequence(T, np.float64)))


@pytest.mark.parametrize("cut", ["rows", "columns", "after"])
def test_a_parameter_that_is_cut_in_the_loop(cut):
    """The pieces of its gradient come from every step and tile it all the same."""
    W = mg.parameter(np.array([[0.3, -0.2], [0.1, 0.4]]), name="W")

    def step(xs):
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        for _, x in mg.steps(x=xs):
            if cut == "after":
                h = mg.tanh(x + h * W[:1])
            else:
                a, b = (W[:1], W[1:]) if cut == "rows" else (W[:, :1].T, W[:, 1:].T)
                h = mg.tanh(x * a + h * b)
        return mg.grad((h * h * W[1:]).sum() if cut == "after" else h.sum(), [W])

    compiled = mg.compile(step, strict=True)
    for T in (1, 4, 5, 7):
        same(compiled(sequence(T, np.float64)), step(sequence(T, np.float64)))


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((3,), 0),
        *[((3, 2), axis) for axis in (0, 1, (0,), (0, 1), None)],
        *[((4, 3, 2), axis) for axis in (0, (0,), (0, 1), -1)],
    ],
)
def test_sums_over_the_steps_of_sums(axis, keepdims, shape):
    w = mg.parameter(np.array([0.5, -0.2, 0.3])[: shape[-1]], name="w")

    def step(xs):
        h, sums = mg.tensor(np.zeros(shape), name="h0"), []
        for _, x in mg.steps(x=xs):
            h = mg.tanh(x + h * w + 0.1 * mg.sum(h, axis=axis, keepdims=True))
            sums.append(mg.sum(h, axis=axis, keepdims=keepdims))
        squares = mg.add_n([s * s for s in sums]).sum()
        return mg.add_n(sums), mg.grad(squares, [w])

    compiled = mg.compile(step, strict=True)
    for T in (4, 5, 7):
        xs = np.random.default_rng(T).normal(size=(T, *shape))
        same(compiled(xs), step(xs))


TERMS = {
    "product": lambda h, x: h.T @ x,
    "dot": lambda h, x: mg.dot(h.T, x),
    "elementwise": lambda h, x: h.T * x.T,
    "vector": lambda h, x: h.T @ x[:, 0],
    "plain": lambda h, x: h @ x.T,
    "permuted": lambda h, x: mg.transpose(h, (0, 1)) @ x.T,
    "batched": lambda h, x: (
        mg.transpose(mg.stack([h, x]), (0, 2, 1)) @ mg.stack([x, h])
    ),
    "stacked": lambda h, x: mg.stack([h, x]).T @ x[0],
}


@pytest.mark.parametrize("name", TERMS)
def test_sums_over_the_steps_of_products(name):
    def step(xs):
        h, terms = mg.tensor(np.zeros((3, 2)), name="h0"), []
        for _, x in mg.steps(x=xs):
            h = mg.tanh(x + h)
            terms.append(TERMS[name](h, x))
        return mg.add_n(terms), mg.add_n(terms[2:]), mg.add_n(terms[:-1]), terms[0]

    compiled = mg.compile(step, strict=True)
    for T in (5, 6, 8):
        same(compiled(sequence(T, np.float64)), step(sequence(T, np.float64)))


def test_what_has_no_time_and_the_shape_of_the_sequence():
    W = mg.parameter(np.array([[0.3, -0.2], [0.1, 0.4]]), name="W")

    def step(xs):
        xs = xs if isinstance(xs, mg.Tensor) else mg.tensor(xs, name="xs")
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        for _, x in mg.steps(x=xs):
            h = mg.tanh(x + h @ W)
        loss = (h * h).sum() + xs.sum() + mg.mean(xs.reshape(-1) ** 2)
        return loss, mg.grad(loss, [W, xs])

    compiled = mg.compile(step, strict=True)
    for T in (4, 5, 7):
        same(compiled(sequence(T, np.float64)), step(sequence(T, np.float64)))


def many_to_many(loss_op=mg.cross_entropy, **options):
    rng = np.random.default_rng(0)
    shapes = {"U": (3, 4), "W": (4, 4), "V": (4, 5), "b": (4,), "c": (5,)}
    p = {k: mg.parameter(rng.normal(size=s), name=k) for k, s in shapes.items()}

    def step(xs, ys):
        h = mg.tensor(np.zeros((2, 4)), name="h0")
        losses = []
        for _, x, y in mg.steps(x=xs, y=ys):
            h = mg.tanh(p["b"] + x @ p["U"] + h @ p["W"])
            o = p["c"] + h @ p["V"]
            losses.append(loss_op(o, y, **options))
        loss = mg.stack(losses).mean()
        return {"loss": loss, "grads": mg.grad(loss, list(p.values()))}

    return step


def data(T, ignored=False):
    rng = np.random.default_rng(1)
    ys = rng.integers(5, size=(T, 2))
    if ignored:
        ys[1, 0] = -100
    return rng.normal(size=(T, 2, 3)), ys


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"reduction": "sum"},
        {"weight": np.arange(1.0, 6.0)},
        {"label_smoothing": 0.1},
        {"ignore_index": 2},
    ],
)
@pytest.mark.parametrize("ignored", [False, True])
def test_cross_entropy_with_its_options(options, ignored):
    step = many_to_many(**options)
    compiled = mg.compile(step, strict=True)
    for T in (6, 8):
        xs, ys = data(T, ignored and "ignore_index" not in options)
        same(compiled(xs, ys), step(xs, ys))


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("reductions", ["mean mean", "sum mean", "none sum"])
def test_two_losses_of_one_network(shared, reductions):
    rng = np.random.default_rng(0)
    W, V, R = (mg.parameter(rng.normal(size=(3, 3)), name=n) for n in "WVR")
    first, second = reductions.split()

    def step(xs, ys, zs):
        h = mg.tensor(np.zeros((2, 3)), name="h0")
        losses, sure = [], []
        for _, x, y, z in mg.steps(x=xs, y=ys, z=zs):
            h = mg.tanh(x + h @ W)
            o = h @ V
            q = o if shared else h @ R
            loss = mg.cross_entropy(o, y, reduction=first)
            losses.append(loss + mg.cross_entropy(q, z, reduction=second))
            sure.append(mg.softmax(o, axis=0).max() + mg.softmax(q).max())
        loss = mg.stack(losses).sum() + mg.stack(sure).sum()
        return loss, mg.grad(loss, [W, V, R], unreached="zeros")

    compiled = mg.compile(step, strict=True)
    for T in (5, 6, 8):
        data = [rng.normal(size=(T, 2, 3)), *rng.integers(3, size=(2, T, 2))]
        same(compiled(*data), step(*data))
    # Loss, gradient and softmax of one o read the same exponentials.
    assert compiled.source.count("\n    exp(") == (1 if shared else 2)


def test_a_class_number_out_of_range_is_refused_in_compiled_code_too():
    compiled = mg.compile(many_to_many(), strict=True)
    xs, ys = data(6)
    compiled(xs, ys)
    for wrong in (-1, 5):
        bad = ys.copy()
        bad[3, 1] = wrong
        with pytest.raises(ValueError, match=r"class numbers lie in 0\.\.4"):
            compiled(xs, bad)


def test_the_work_that_does_not_recur_leaves_the_loop():
    compiled = mg.compile(many_to_many(), strict=True)
    xs, ys = data(8)
    compiled(xs, ys)
    loops = [x for x in compiled.source.splitlines() if x.startswith("    for ")]
    assert len(loops) == 2
    inside = [x for x in compiled.source.splitlines() if x.startswith("        ")]
    assert sum(".dot(" in x for x in inside) == 2  # h(t-1) W, and the cotangent by W.T
    assert compiled.source.count("np.dot(xs.reshape(-1, 3), U") == 1
    assert "in 2 loops" in compiled.explain()


def test_the_source_does_not_grow_with_the_length():
    short, long = (mg.compile(many_to_many(), strict=True) for _ in range(2))
    short(*data(10))
    long(*data(300))
    assert len(short.source.splitlines()) == len(long.source.splitlines())
    short(*data(11))
    long(*data(301))
    assert short.source == long.source


def test_a_third_length_is_not_traced():
    step, calls = many_to_many(), []

    def counted(xs, ys):
        if outlined.get() is None:
            calls.append(len(xs))
        return step(xs, ys)

    compiled = mg.compile(counted, strict=True)
    for T in (6, 8, 11, 30, 7):
        same(compiled(*data(T)), step(*data(T)))
    assert calls == [6, 8]
    xs, ys = data(9)
    with pytest.raises(ValueError, match="same number of steps"):
        compiled(xs, ys[:-1])


def test_results_are_fresh_and_parameters_are_read_at_each_call():
    w = mg.parameter(2.0, name="w")
    double = mg.compile(lambda x: (w * x, mg.grad((w * x * x).sum(), [w])))
    first, (g,) = double(np.ones(3))
    again, (g2,) = double(np.full(3, 2.0))
    assert first.data.tolist() == [2.0] * 3
    assert (g.item(), g2.item(), again.data.tolist()) == (3.0, 12.0, [4.0] * 3)
    w.assign(5.0)
    assert double(np.ones(3))[0].data.tolist() == [5.0] * 3
    assert len(double.traced) == 1


@pytest.mark.parametrize("name", [None, "C"])
@pytest.mark.parametrize("own", [True, False], ids=["context", "last state"])
def test_an_encoder_and_a_decoder_compile(own, name):
    W = mg.parameter(np.array([[0.5, 0.1], [0.2, 0.3]]), name="W")
    R = mg.parameter(np.array([[0.4, -0.1], [0.2, 0.6]]), name="R")

    def translate(xs, ys):
        h = mg.tensor(np.zeros((1, 2)), name="h0")
        for _, x in mg.steps(x=xs):
            h = mg.tanh(x + h @ W)
        g = C = mg.tanh(h @ R) if own else h
        if name:
            C.named(name)
        losses = []
        for _, y in mg.steps(y=ys):
            g = mg.tanh(g @ W + C + C @ R)
            losses.append(mg.mse_loss(g, y))
        loss = mg.stack(losses).mean()
        return loss, mg.grad(loss, [W, R])

    compiled = mg.compile(translate, strict=True)
    rng = np.random.default_rng(0)
    for n, m in ((6, 7), (8, 9), (11, 5)):
        xs, ys = rng.normal(size=(n, 1, 2)), rng.normal(size=(m, 1, 2))
        same(compiled(xs, ys), translate(xs, ys))
    assert len(compiled.traced) == 1


@pytest.mark.parametrize("summed", [False, True])
def test_a_decoder_that_reads_all_steps_of_the_encoder_compiles(summed):
    W = mg.parameter(np.array([[0.3, -0.2], [0.1, 0.4]]), name="W")

    def net(xs):
        h, hs = mg.tensor(np.zeros((1, 2)), name="h0"), []
        for _, x in mg.steps(x=xs):
            h = mg.tanh(x + h @ W)
            hs.append(h)
        g, H = h, mg.stack(hs)
        for _ in mg.steps(4):
            seen = mg.add_n(hs) * g if summed else (H * g * h).sum(axis=0)
            g = mg.tanh(g @ W + seen)
        return g, mg.grad((g * g).sum(), [W])

    compiled = mg.compile(net, strict=True)
    for T in (4, 5, 7):
        xs = np.random.default_rng(T).normal(size=(T, 1, 2))
        same(compiled(xs), net(xs))


def test_stacked_and_bidirectional_loops_compile():
    W = mg.parameter(np.array([[0.5, 0.1], [0.2, 0.3]]), name="W")
    V = mg.parameter(np.array([[0.4, -0.1], [0.2, 0.6]]), name="V")

    def net(xs):
        zero = mg.tensor(np.zeros((3, 2)), name="h0")
        h = g = zero
        below, backwards = [], {}
        for _, x in mg.steps(x=xs):
            h = mg.tanh(x @ V + h @ W)
            below.append(h)
        for t, x in mg.steps(x=below, reverse=True):
            g = mg.sigmoid(x @ W + g @ V)
            backwards[t] = g
        outs = [mg.tanh(x @ V + backwards[t] @ W) for t, x in mg.steps(x=below)]
        loss = (mg.stack(outs) ** 2).sum() + mg.stack(outs).max(axis=0).sum()
        return loss, mg.grad(loss, [W, V])

    compiled = mg.compile(net, strict=True)
    for T in (5, 8, 13):
        xs = sequence(T, np.float64)
        same(compiled(xs), net(xs))


def test_an_embedding_and_its_gradient_compile():
    E = mg.parameter(np.arange(10.0).reshape(5, 2) / 10, name="E")
    W = mg.parameter(np.array([[0.5, 0.1], [0.2, 0.3]]), name="W")

    def net(ids):
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        for _, i in mg.steps(i=ids):
            h = mg.tanh(mg.embedding(E, i) + h @ W)
        return mg.grad((h * h).sum(), [E, W])

    def ahead(ids):
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        for _, x in mg.steps(x=mg.embedding(E, ids)):
            h = mg.tanh(x + h @ W)
        return mg.grad((h * h).sum(), [E, W])

    for function in (net, ahead):
        compiled = mg.compile(function, strict=True)
        for T in (5, 7, 9):
            ids = np.random.default_rng(T).integers(5, size=(T, 3))
            same(compiled(ids), function(ids))


def test_a_graph_without_time_and_one_that_does_not_fold_compile():
    W = mg.parameter(np.array([[0.5, 0.1], [0.2, 0.3]]), name="W")

    def flat_net(x):
        y = mg.softmax(mg.relu(x @ W) @ W)
        return mg.grad((y * y).sum(), [W])

    def odd(xs):
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        for t, x in mg.steps(x=xs):
            h = (mg.tanh if t % 2 else mg.sigmoid)(x + h @ W)
        return mg.grad(h.sum(), [W])

    x = np.random.default_rng(0).normal(size=(3, 2))
    same(mg.compile(flat_net, strict=True)(x), flat_net(x))
    xs = sequence(6, np.float64)
    compiled = mg.compile(odd, strict=True)
    same(compiled(xs), odd(xs))
    assert compiled.recurrence is None
    assert "does not fold: step " in compiled.explain()


def test_a_branch_on_a_value_runs_eagerly_with_one_warning():
    w = mg.parameter(2.0, name="w")

    def branch(x):
        y = w * x
        return y if y.item() > 0 else -y

    compiled = mg.compile(branch)
    with pytest.warns(RuntimeWarning, match=r"branch.*reads the value of .*multiply"):
        assert compiled(np.float64(3.0)).item() == 6.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert compiled(np.float64(-3.0)).item() == 6.0
    with pytest.raises(TraceError, match=r"mg\.where"):
        mg.compile(branch, strict=True)(np.float64(3.0))


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: (x * mg.parameter(1.0)).backward(), "backward"),
        (lambda x: mg.jacobian(x * 2, [x]), "jacobian gives arrays"),
        (lambda x: mg.grad_by_use(x * 2, x), "grad_by_use gives arrays"),
        (lambda x: 3, "returns no Tensor"),
        (lambda x: np.asarray(x * 2), "reads the value"),
    ],
)
def test_what_cannot_be_traced_says_why(function, words):
    with pytest.raises(TraceError, match=words):
        mg.compile(function, strict=True)(np.float64(1.0))


def test_an_uncompiled_program_has_no_source_yet():
    with pytest.raises(ValueError, match="first call compiles"):
        _ = mg.compile(lambda x: x).source


def test_what_is_detached_stays_so():
    w = mg.parameter(np.array([2.0, -1.0]), name="w")

    def step(x):
        y = w * x
        return mg.grad((y * y.detach() * y.detach("z")).sum(), [w])

    compiled = mg.compile(step, strict=True)
    for x in (np.array([1.0, 2.0]), np.array([3.0, -4.0])):
        same(compiled(x), step(x))


def test_a_program_can_be_drawn():
    compiled = mg.compile(many_to_many(), strict=True)
    compiled(*data(8))
    graph = compiled.graph
    loops = {n.scope.path[-1][0] for n in graph.nodes if n.scope.path}
    assert loops == {"loop over t", "loop back over t"}
    inside = sorted(n.op.name for n in graph.nodes if n.scope.path and n.inputs)
    assert inside == ["add", "add", "dot", "matmul", "multiply", "tanh"]
    boxes = mg.draw(compiled, depth=0).dot
    assert "loop over t" in boxes
    assert "h0" in boxes


def test_arguments_bear_the_names_of_the_function_s_parameters():
    def step(xs, *rest, scale):
        return xs * rest[0] + scale["by"]

    compiled = mg.compile(step, strict=True)
    one = np.ones(2)
    assert compiled(one, one, scale={"by": one}).data.tolist() == [2.0, 2.0]
    assert "def run(w, xs, rest_0, scale_0):" in compiled.source


def test_workspaces_are_kept_for_a_few_lengths():
    from minigrad.compile.numpy.engine import KEPT

    compiled = mg.compile(many_to_many(), strict=True)
    for T in range(6, 6 + 2 * KEPT):
        compiled(*data(T))
    assert [*compiled.traced[0][1].runner.free] == [
        (T,) for T in range(6 + KEPT, 6 + 2 * KEPT)
    ]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("backend", ENGINES)
def test_the_tails_of_a_sigmoid_are_those_of_the_op(backend, dtype):
    V = mg.parameter(np.ones((), dtype), name="V")

    def tails(xs):
        s = mg.tensor(np.zeros(5, dtype), name="s0")
        for _, x in mg.steps(xs):
            s = (mg.sigmoid(x * V) + s * 1e-30).named("s")
        return s, mg.grad(mg.log(s).sum(), [V])[0]

    # At -88 a float32 result is denormal, which counts as zero while a program runs.
    xs = np.array([[-20, -87, 0, 88, np.nan]] * 3, dtype)
    program = mg.compile(tails, strict=True, backend=backend)
    for found, expected in zip(program(xs), tails(xs), strict=True):
        assert found.dtype == dtype
        np.testing.assert_allclose(found.data, expected.data, rtol=1e-6)


@pytest.mark.parametrize("backend", ENGINES)
def test_a_nan_in_a_row_is_its_largest_and_gets_the_gradient(backend):
    V = mg.parameter(np.ones(4, np.float32), name="V")

    def largest(xs):
        each = [mg.max(x * V, axis=1, keepdims=True) for _, x in mg.steps(xs)]
        return mg.stack(each), mg.grad(mg.add_n(each).sum(), [V])[0]

    xs = np.random.default_rng(0).normal(size=(3, 2, 4)).astype(np.float32)
    xs[1, 0, 2] = np.nan
    program = mg.compile(largest, strict=True, backend=backend)
    for found, expected in zip(program(xs), largest(xs), strict=True):
        np.testing.assert_allclose(found.data, expected.data, rtol=1e-6)
    assert np.isnan(program(xs)[0].data).sum() == 1


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("backend", ENGINES)
def test_a_loss_whose_targets_are_all_ignored_is_nan_and_moves_nothing(backend, dtype):
    V = mg.parameter(np.eye(3, dtype=dtype), name="V")

    def loss(xs, ys):
        each = [mg.cross_entropy(x @ V, y) for _, x, y in mg.steps(x=xs, y=ys)]
        return mg.stack(each), mg.grad(mg.add_n(each), [V])[0]

    xs = np.random.default_rng(0).normal(size=(4, 2, 3)).astype(dtype)
    ys = np.full((4, 2), -100)
    program = mg.compile(loss, strict=True, backend=backend)
    value, slope = program(xs, ys)
    assert np.isnan(value.data).all()
    assert not slope.data.any()
    ys[1:, 0] = 1
    exact = 2e-3 if dtype == np.float16 else 1e-5
    for found, expected in zip(program(xs, ys), loss(xs, ys), strict=True):
        np.testing.assert_allclose(found.data, expected.data, rtol=exact, atol=exact)


def test_what_cannot_be_called_is_not_compiled():
    with pytest.raises(TypeError, match="takes a function, got int"):
        mg.compile(3)


def test_arrays_are_given_in_the_place_of_tensors():
    W = mg.parameter([1.0, 2.0, 3.0], name="W")

    def function(x, flag):
        return {"y": mg.multiply(W, x), "said": (flag, [mg.sum(W * x)])}

    program, x = mg.compile(function, strict=True), np.arange(3.0)
    for _ in range(2):
        found, expected = program.arrays(x, "a"), program(x, "a")
        assert type(found["y"]) is np.ndarray
        assert found["y"].flags.writeable
        assert np.array_equal(found["y"], expected["y"].data)
        assert found["said"] == ("a", [expected["said"][1][0].item()])
    with mg.detect_anomaly():  # there the function itself runs
        eager = program.arrays(x, "a")
    assert type(eager["said"][1][0]) is np.ndarray
    assert np.array_equal(eager["y"], found["y"])


def test_arrays_of_what_is_not_compiled():
    program = mg.compile(lambda x: x * (1.0 if x.sum().item() > 0 else -1.0))
    with pytest.warns(RuntimeWarning, match="runs eagerly"):
        assert program.arrays(np.ones(2)).tolist() == [1.0, 1.0]
    assert program.arrays(-np.ones(2)).tolist() == [1.0, 1.0]
    with pytest.raises(TraceError, match="runs eagerly"):
        mg.compile(program.eager, strict=True).arrays(np.ones(2))


@pytest.mark.parametrize(("batch", "hidden"), [(0, 3), (2, 0), (0, 0)])
@pytest.mark.parametrize("backend", ["numpy", "c"])
def test_sizes_of_zero_are_compiled(batch, hidden, backend):
    rng = np.random.default_rng(0)
    U = mg.parameter(rng.normal(size=(2, hidden)), name="U")
    W = mg.parameter(rng.normal(size=(hidden, hidden)), name="W")
    V = mg.parameter(rng.normal(size=(hidden, 2)), name="V")

    def net(xs):
        h, os = mg.tensor(np.zeros((batch, hidden))), []
        for _, x in mg.steps(x=xs):
            h = mg.tanh(h @ W + x @ U)
            os.append(h @ V + 1.0)
        loss = mg.stack(os).sum()
        first = mg.grad(loss, [U, W, V], create_graph=True)
        second = mg.grad(sum((g * g).sum() for g in first), [U, W, V])
        return loss, *first, *second

    program = mg.compile(net, strict=True, backend=backend)
    for T in (5, 6, 1):
        xs = rng.normal(size=(T, batch, 2))
        for found, expected in zip(program(xs), net(xs), strict=True):
            np.testing.assert_array_equal(found.data, expected.data)
