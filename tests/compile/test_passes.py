"""Each pass alone keeps every value; and what each of them is for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import models
from minigrad.compile import forms, passes
from minigrad.compile.emit import emit
from minigrad.compile.line import Count, Steps, loop_program, straight_program
from minigrad.compile.schedule import schedule
from minigrad.compile.writer import Writer
from minigrad.fold.moving_index import Ahead
from minigrad.testing.strategies import programs

from ..test_fold import cells
from .test_program import curvature, derivatives, many_to_many, network, sequence


def run(program):
    """The values of a program as it stands: the emitter is its interpreter."""
    writer = Writer(program, schedule(program))
    source = emit(writer, [])
    namespace = dict(writer.namespace)
    exec(source, namespace)
    workspace = namespace["workspace"](*program.lengths)
    twice = [namespace["run"](workspace, *program.lengths) for _ in range(2)]
    for a, b in zip(*twice, strict=True):
        np.testing.assert_array_equal(a, b)  # a workspace can be used again
    return twice[0]


def keeps_values(program, wanted, dtype):
    tolerance = 1e-4 if dtype == np.float32 else 1e-10
    # A constant has no time of its own: the emitter wants this pass before any other.
    for step in (passes.invariants, *passes.ORDER):
        step(program)
        well_formed(program)
        for a, b in zip(run(program), wanted, strict=True):
            assert a.dtype == b.dtype
            assert a.shape == b.shape
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def well_formed(program):
    """What has no time is read into a step as broadcast, and elsewhere as it is."""
    for line in program.lines.values():
        for source in line.sources():
            if not program.lines[source.role].timed:
                assert source.kind == (
                    "broadcast" if line.clock is not None else "plain"
                )


def traced(function, *arrays):
    """Outputs recorded as a program's trace records them: gradients too."""
    return flat(function(*[mg.tensor(a, name=f"x{i}") for i, a in enumerate(arrays)]))


def flat(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [x for v in value for x in flat(v)]
    return [value]


class Traced:
    """Within it gradients record, as they do while a function is compiled."""

    def __enter__(self):
        from minigrad.mode import Mode, current_mode

        self.token = current_mode.set(Mode.TRACE)

    def __exit__(self, *_):
        from minigrad.mode import current_mode

        current_mode.reset(self.token)


@settings(max_examples=30)
@given(
    cells(),
    st.integers(1, 7),
    st.sampled_from([np.float32, np.float64]),
    st.sampled_from([1, 2]),
)
def test_each_pass_keeps_the_values_of_a_recurrence(cell, T, dtype, order):
    step, parameters = network(cell, dtype)
    if order == 2:
        step = curvature(step, parameters)
    with Traced():
        outputs = traced(step, sequence(T, dtype))
    graph = mg.Graph(outputs)
    try:
        program = loop_program(mg.fold(graph))
    except mg.FoldError:  # the second order has a hole below 2 D steps
        assert order == 2
        assert 2 * max(cell[0]) > T
        program = straight_program(graph)
    keeps_values(program, [o.node.value for o in outputs], dtype)


@settings(max_examples=30)
@given(programs(), st.sampled_from([np.float32, np.float64]))
def test_each_pass_keeps_the_values_of_a_program_without_time(drawn, dtype):
    function, arrays = drawn
    with Traced():
        outputs = traced(derivatives(function), *[a.astype(dtype) for a in arrays])
    for program in (
        loop_program(mg.fold(mg.Graph(outputs))),
        straight_program(mg.Graph(outputs)),
    ):
        keeps_values(program, [o.node.value for o in outputs], dtype)


@pytest.mark.parametrize("T", [1, 2, 3, 6])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("ignored", [False, True])
def test_each_pass_keeps_the_values_of_a_classifier(T, reduction, ignored):
    rng = np.random.default_rng(T)
    ys = rng.integers(5, size=(T, 2))
    if ignored:
        ys[0, 1] = -100
    with Traced():
        step = many_to_many(reduction=reduction)
        outputs = traced(step, rng.normal(size=(T, 2, 3)), ys)
    program = loop_program(mg.fold(mg.Graph(outputs)))
    keeps_values(program, [o.node.value for o in outputs], np.float64)


def lstm(T=5):
    model = models.ManyToOne(
        3, 4, 2, cell="lstm", rng=np.random.default_rng(0), dtype=np.float64
    )
    rng = np.random.default_rng(1)

    def step(x, y):
        loss = model.loss(x, y)
        return loss, mg.grad(loss, model.parameters())

    return step, rng.normal(size=(T, 2, 3)), rng.integers(2, size=2)


@pytest.mark.parametrize("T", [1, 2, 5])
def test_each_pass_keeps_the_values_of_an_lstm(T):
    step, *arrays = lstm(T)
    with Traced():
        outputs = traced(step, *arrays)
    program = loop_program(mg.fold(mg.Graph(outputs)))
    keeps_values(program, [o.node.value for o in outputs], np.float64)


def ops(program):
    return [line.op for line in program.lines.values()]


def test_what_the_passes_are_for():
    rng = np.random.default_rng(0)
    with Traced():
        outputs = traced(
            many_to_many(), rng.normal(size=(6, 2, 3)), rng.integers(5, size=(6, 2))
        )
    program = loop_program(mg.fold(mg.Graph(outputs)))
    passes.run_passes(program)
    found = ops(program)
    gone = ["softmax", "cross_entropy", "target_weights", "spread_mean", "spread"]
    assert not [op for op in gone if op in found]
    assert found.count("exp") == 1  # shared by the loss and its gradient
    assert found.count("class_gradient") == 1
    assert found.count("product_over_steps") == 3  # U, W, V
    assert found.count("rows_over_steps") == 2  # b, c
    assert "add_n" not in [x.op for x in program.lines.values() if not x.timed]
    transposes = [x for x in program.lines.values() if x.op == "transpose"]
    assert [x.clock for x in transposes] == [None, None]  # W.T and V.T, outside


def test_the_passes_count_what_they_did():
    W = mg.parameter(np.eye(2), name="W")

    def step(xs):
        h = mg.tensor(np.zeros((3, 2)), name="h0")
        for _, x in mg.steps(x=xs):
            h = mg.tanh(x * W[:1] + h @ W[:, :1] * W[1:] + h @ W[:, 1:])
        loss = (h * h).sum()
        return loss, mg.grad(loss, [W])

    compiled = mg.compile(step, strict=True)
    compiled(sequence(6, np.float64))
    shared = compiled.explain()
    assert "2 lines were said twice" in shared
    compiled = mg.compile(many_to_many(), strict=True)
    rng = np.random.default_rng(0)
    compiled(rng.normal(size=(6, 2, 3)), rng.integers(5, size=(6, 2)))
    opened = compiled.explain()
    assert "shapes known: spread" in opened
    assert "1 losses share the exponentials" in opened
    assert "0 lines were said twice" in opened
    assert opened.count("dropped ") == 3  # what is only read without gradient, too
    assert "one operation each: rows_over_steps" in opened


def test_the_gates_of_an_lstm_are_written_in_their_place():
    step, *arrays = lstm()
    compiled = mg.compile(step, strict=True)
    compiled(*arrays)
    assert "side by side" in compiled.explain()
    assert "scatter_n(" not in compiled.source
    inside = [x for x in compiled.source.splitlines() if x.startswith("        ")]
    assert not [x for x in inside if "[...] = " in x]


def test_pieces_are_joined_where_there_is_no_time_too():
    W = mg.parameter(np.array([[0.3, -0.2], [0.1, 0.4]]), name="W")

    def step(x):
        return mg.grad((mg.tanh(x @ W[:1]) * W[1:]).sum(), [W])

    compiled = mg.compile(step, strict=True)
    x = np.array([[0.5], [-1.0]])
    np.testing.assert_allclose(compiled(x)[0].data, step(x)[0].data, rtol=1e-12)
    assert "side by side" in compiled.explain()


def test_equal_lines_become_one_and_unread_ones_go():
    W = mg.parameter(np.eye(2), name="W")
    x = mg.tensor(np.ones((2, 2)), name="x")
    y = mg.tanh(x @ W) + mg.tanh(x @ W)
    program = straight_program(mg.Graph(y))
    assert passes.share(program) == "2 lines were said twice"
    assert sorted(ops(program)) == ["", "", "add", "matmul", "tanh"]
    program.outputs = [program.lines[max(program.lines)].reads[0]]
    assert passes.prune(program) == "dropped 1"
    assert "add" not in ops(program)


def test_counts_and_steps():
    assert Count(1, -2).at(10) == 8
    assert Steps(Count(0, 2), Count(1, 0)).number.at(5) == 4
    met = Steps(Count(0, 2), Count(1, 0)).meet(Steps(Count(0, 1), Count(1, -1)), 5)
    assert met == Steps(Count(0, 2), Count(1, -1))
    early = Steps(Count(0, 1), Count(0, 3))
    assert Steps(Count(0, 4), Count(1, 0)).meet(early, 5) is None


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8])
@pytest.mark.parametrize("ignore_index", [-100, 1])
def test_the_parts_of_cross_entropy(dtype, ignore_index):
    rng = np.random.default_rng(0)
    o, y = rng.normal(size=(4, 3)), np.array([0, 2, 1, 2], dtype)
    z = o - o.max(1, keepdims=True)
    e = np.exp(z)
    s = e.sum(1, keepdims=True)
    options = {"ignore_index": ignore_index}
    x = mg.parameter(o)
    losses = mg.cross_entropy(x, y, reduction="none", **options)
    np.testing.assert_allclose(forms.picked_losses(z, s, y, **options), losses.data)
    (g,) = mg.grad(mg.cross_entropy(x, y, **options), [x])
    share = forms.per_kept(y, 3, axis=None, dtype="float64", **options)
    for weight in (share, np.full((4, 1), share)):
        found = forms.class_gradient(e, s, y, weight, **options)
        np.testing.assert_allclose(found, g.data)


def test_a_class_number_below_zero_or_too_large_is_refused():
    z, s = np.zeros((2, 3)), np.ones((2, 1))
    for wrong in (-1, 3):
        with pytest.raises(ValueError, match=r"class numbers lie in 0\.\.2"):
            forms.picked_losses(z, s, np.array([0, wrong]))


def test_a_bias_is_added_before_the_loop():
    model = models.ManyToMany(3, 4, 2, rng=np.random.default_rng(0), dtype=np.float64)
    compiled = mg.compile(lambda x, y: model.loss(x, y), strict=True)
    rng = np.random.default_rng(1)
    compiled(rng.normal(size=(6, 2, 3)), rng.integers(2, size=(6, 2)))
    inside = [x for x in compiled.source.splitlines() if x.startswith("        ")]
    assert sum("add(" in x for x in inside) == 1


@pytest.mark.parametrize(
    ("keys", "tiles"),
    [
        ([slice(2, None), slice(None, 2)], (0, [1, 0])),
        ([(slice(None), slice(0, 1)), (slice(None), slice(1, 3))], (1, [0, 1])),
        ([slice(0, 2), slice(3, 4)], None),  # a gap
        ([slice(0, 3), slice(2, 4)], None),  # an overlap
        ([slice(0, 2), slice(2, 3)], None),  # short of the end
        ([slice(1, 2), slice(2, 4)], None),  # short of the start
        ([slice(0, 4, 2), slice(1, 4, 2)], None),  # not side by side
        ([slice(0, 2), (slice(None), slice(0, 3))], None),  # along two axes
        ([slice(0, 2), 3], None),
        ([slice(None)], None),
        ([(slice(0, 2), slice(0, 1)), (slice(2, 4), slice(1, 3))], None),
        ([(slice(0, 2), slice(None), slice(None)), slice(2, 4)], None),
        ([slice(0, Ahead(0)), slice(2, 4)], None),  # moves with t
        ([(slice(0, Ahead(0)), slice(0, 2)), slice(2, 4)], None),
    ],
)
def test_what_tiles_an_axis(keys, tiles):
    assert passes._tiles(tuple(keys), (4, 3)) == tiles
