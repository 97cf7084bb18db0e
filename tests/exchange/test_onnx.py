"""Files of ONNX: what onnxruntime computes of them is what minigrad computes."""

import re
import subprocess
import sys
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnxruntime.capi.onnxruntime_pybind11_state import (
    Fail,
    InvalidArgument,
    NotImplemented,
)

import minigrad as mg
from minigrad import Op, models
from minigrad.compile.arguments import flatten
from minigrad.exchange import to_onnx
from minigrad.exchange.onnx import export
from minigrad.exchange.onnx.traces import ExportError
from minigrad.exchange.onnx.twins import NAMES
from minigrad.mode import TraceError
from minigrad.models import ManyToMany
from minigrad.models.recursive import forest
from minigrad.nn.losses import mse
from minigrad.nn.recurrent import masks
from minigrad.testing import GradientError, check_op
from minigrad.testing import case as op_case
from tests.ops.table import ROWS
from tests.programs import draw
from tests.programs.listing import build

onnxruntime.set_default_logger_severity(4)  # what it cannot run it says by raising
F = np.float32
SIZES = [(T, B) for T in (1, 2, 7, 50) for B in (1, 4)]


def arrays(given):
    found = []
    for value in given:
        flatten(value, found)
    return found


class Run:
    """A file in onnxruntime."""

    def __init__(self, model):
        self.session = onnxruntime.InferenceSession(model.SerializeToString())
        self.inputs = [i.name for i in model.graph.input]

    def __call__(self, *given):
        feeds = dict(zip(self.inputs, arrays(given), strict=True))
        known = {i.name for i in self.session.get_inputs()}
        return self.session.run(None, {k: v for k, v in feeds.items() if k in known})


def equal(got, want, rtol=1e-4, atol=1e-5):
    want = np.asarray(getattr(want, "data", want))
    assert (got.shape, got.dtype) == (want.shape, want.dtype)
    np.testing.assert_allclose(got, want, rtol, atol)


def scans(model):
    return [n for n in model.graph.node if n.op_type == "Scan"]


def network(name, **options):
    return getattr(models, name)(3, 4, 2, rng=np.random.default_rng(0), **options)


def xs(T, B, n=3):
    return np.random.default_rng(T).normal(size=(T, B, n)).astype(F)


def ys(T, B):
    return np.random.default_rng(T + 1).integers(2, size=(T, B))


def vectors(T, B):
    return xs(T, B, 2)


def mask(T, B):
    return masks(np.random.default_rng(B).integers(1, T + 1, B), T)


def sequence(T, B):
    return (xs(T, B),)


def with_classes(T, B):
    return xs(T, B), ys(T, B)


def with_one_class(T, B):
    return xs(T, B), ys(T, B)[0]


def of_symbols(model, T, B):
    """Sequences whose longest one takes T steps, its end included."""
    rng = np.random.default_rng(T)
    n = T - (model.end != "length")
    lengths = [n, *rng.integers(min(n, 1), n + 1, B - 1)]
    return model.arrays([rng.integers(3, size=k).tolist() for k in lengths])


CELLS = [
    {},
    {"cell": "lstm"},
    {"cell": "gru"},
    {"cell": "mingru"},
    {"layers": 2},
    {"layers": 2, "cell": "lstm"},
    {"U": "orthogonal"},
]
CASES = {}


def case(name, f, data):
    CASES[name] = (f, data)


for options in CELLS:
    said = " ".join(f"{k}={v}" for k, v in options.items()) or "elman"
    net = network("ManyToMany", **options)
    case(f"many to many, {said}", net, sequence)
    case(f"many to many, {said}, loss", net.loss, with_classes)
    for read in ("last", "mean", "max"):
        net = network("ManyToOne", read=read, **options)
        case(f"many to one, {said}, {read}", net, sequence)
    case(f"many to one, {said}, loss", net.loss, with_one_class)
for cell in ("elman", "lstm", "gru"):
    for read in ("each", "ends", "mean", "max"):
        net = network("Bidirectional", cell=cell, read=read)
        case(f"bidirectional, {cell}, {read}", net, sequence)
    net = network("Bidirectional", cell=cell)
    case(f"bidirectional, {cell}, loss", net.loss, with_classes)
for feedback in ("teacher", "free"):
    for fed in ("o", "softmax"):
        net = network("OutputFeedback", fed=fed, loss=mse)
        f = partial(net.loss, feedback=feedback)
        data = lambda T, B: (xs(T, B), vectors(T, B))  # noqa: E731
        case(f"output feedback, {feedback}, {fed}", f, data)
for given in ("bias", "start", "both"):
    net = network("OneToMany", given=given)
    case(f"one to many, {given}", net.loss, lambda T, B: (xs(T, B)[0], ys(T, B)))
case("conditional", network("Conditional").loss, with_classes)
for skip in (False, True):
    net = network("DeepTransition", skip=skip)
    case(f"deep transition, skip={skip}", net, sequence)
    case(f"deep transition, skip={skip}, loss", net.loss, with_classes)
for name in ("Clockwork", "SelfAttention", "LinearRecurrence"):
    net = network(name)
    case(name, net, sequence)
    case(f"{name}, loss", net.loss, with_classes)
    net = network(name, read="last")
    case(f"{name}, last", net, sequence)
    case(f"{name}, last, loss", net.loss, with_one_class)
case("SelfAttention without order", network("SelfAttention", order=False), sequence)
net = network("NeuralTuringMachine", places=5, width=3)
case("neural Turing machine", net, sequence)
case(
    "neural Turing machine, loss",
    net.loss,
    lambda T, B: (xs(T, B), (vectors(T, B) > 0).astype(F)),
)
for attention in (False, True):
    for cell in ("elman", "lstm"):
        net = network("EncoderDecoder", attention=attention, cell=cell)
        data = lambda T, B: (xs(T, B), ys(T + 2, B))  # noqa: E731
        case(f"encoder, decoder, {cell}, attention={attention}", net.loss, data)
net = models.DynamicalSystem(3, 4, rng=np.random.default_rng(0))
case("dynamical system", net, sequence)
net = models.EchoState(3, 4, 2, rng=np.random.default_rng(0), dtype=F)
case("echo state", net, sequence)
for end in ("symbol", "stop", "length"):
    net = models.SequenceModel(3, 4, rng=np.random.default_rng(0), end=end, longest=60)
    case(f"sequence model, {end}", net.loss, partial(of_symbols, net))
net = network("ManyToMany")
case(
    "many to many with lengths",
    lambda xs, ys, lengths: net.loss(xs, ys, lengths=lengths),
    lambda T, B: (xs(T, B), ys(T, B), mask(T, B)),
)
one = network("ManyToOne", read="mean")
case(
    "many to one with lengths",
    lambda xs, lengths: one(xs, lengths=lengths),
    lambda T, B: (xs(T, B), mask(T, B)),
)
trees = models.Recursive(4, 3, 2, rng=np.random.default_rng(0))
case(
    "recursive",
    trees,
    lambda T, B: (forest([((0, 3), 1), ((0, 1), (2, (3, 0)))] + [(1, 2)] * (B - 1)),),
)


# Which place a step has is an array of the model's own: a table of 66 rows.
TABLES = [n for n in CASES if n.startswith("SelfAttention") and "without" not in n]
TABLES.append("sequence model, length")


@pytest.mark.parametrize("name", CASES)
def test_a_network_runs_at_any_number_of_steps_and_any_batch(name):
    f, data = CASES[name]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        table = name in TABLES
        model = to_onnx(f, *data(6, 5))
    assert len(said) == table, [str(w.message) for w in said]
    run = Run(model)
    for T, B in SIZES:
        given = data(T, B)
        equal(run(*given)[0], f(*given))


def test_a_network_of_one_length_keeps_it():
    net = models.FullyConnected(2, 4, rng=np.random.default_rng(0))
    with pytest.warns(UserWarning, match="T is 4 in the file.*the table is one for 4"):
        model = to_onnx(net.loss, ys(4, 3))
    (shape,) = [i.type.tensor_type.shape for i in model.graph.input]
    assert [d.dim_value or d.dim_param for d in shape.dim] == [4, "batch"]
    for B in (1, 6):
        equal(Run(model)(ys(4, B))[0], net.loss(ys(4, B)))


def test_float64_stays():
    net = network("ManyToMany", cell="lstm", dtype=np.float64)
    run = Run(to_onnx(net, xs(6, 3).astype(float)))
    for T, B in SIZES:
        given = xs(T, B).astype(float)
        equal(run(given)[0], net(given), 1e-12, 1e-13)


def test_names_are_the_users():
    net = network("ManyToMany")
    model = to_onnx(net.loss, xs(6, 3), ys(6, 3))
    assert [i.name for i in model.graph.input] == ["xs", "ys"]
    known = {i.name: onnx.numpy_helper.to_array(i) for i in model.graph.initializer}
    for name in ("U", "W", "V", "b", "c"):
        p = next(p for p in net.parameters() if p.name == name)
        np.testing.assert_array_equal(known[name], p.data)
    (scan,) = scans(model)
    body = next(a.g for a in scan.attribute if a.name == "body")
    assert [i.name for i in body.input] == ["h_before", "x_t", "y_t"]
    assert {"h_t", "o_t", "L_t"} <= {o for n in body.node for o in n.output}
    shapes = [i.type.tensor_type.shape.dim for i in model.graph.input]
    named = [[d.dim_param or d.dim_value for d in shape] for shape in shapes]
    assert named == [["T", "batch", 3], ["T", "batch"]]


def test_each_loop_is_a_scan():
    both = to_onnx(network("Bidirectional"), xs(6, 3))
    ways = [a.ints[0] for n in scans(both) for a in n.attribute
            if a.name == "scan_input_directions"]  # fmt: skip
    assert sorted(ways) == [0, 0, 1]  # h, o and g
    net = network("EncoderDecoder")
    assert len(scans(to_onnx(net.loss, xs(6, 3), ys(4, 3)))) == 2
    # Layers are one cell in one loop.
    assert len(scans(to_onnx(network("ManyToMany", layers=2), xs(6, 3)))) == 1


def test_a_file_is_written_and_is_what_is_returned(tmp_path):
    path = tmp_path / "net.onnx"
    model = to_onnx(network("ManyToMany"), xs(6, 3), path=path)
    assert onnx.load(path) == model
    onnx.checker.check_model(str(path), full_check=True)


def test_random_recurrences_are_equal_or_refused():
    outcomes = {"equal": 0, "said": 0, "refused": 0}
    for k in range(40):
        names = build(draw("recurrence", 3, k).source())
        f, example = names["forward"], names["arguments"](9, 3, 5)
        try:
            with (
                warnings.catch_warnings(record=True) as said,
                np.errstate(all="ignore"),
            ):
                warnings.simplefilter("always")
                model = to_onnx(f, *example)
        except ExportError:
            outcomes["refused"] += 1
            continue
        outcomes["said" if said else "equal"] += 1
        if said:
            continue
        run = Run(model)
        for T, B in SIZES:
            given = names["arguments"](T, B, T)
            with np.errstate(all="ignore"):
                wanted = f(*given)
            for got, want in zip(run(*given), wanted, strict=True):
                equal(got, want, 1e-3, 1e-4)
    assert outcomes == {"equal": 24, "said": 5, "refused": 11}


# Each op of the table, in both dtypes: what is not equal is refused by name.

BACKWARD = {
    "spread", "spread_mean", "reshape_like", "unpad", "scatter_n", "untake",
    "untake_along_axis", "undiagonal", "target_weights", "conv1d_to_x", "conv1d_to_w",
}  # fmt: skip
# What onnxruntime has of float32 alone.
SINGLE = {
    "tan", "arcsin", "arccos", "arctan", "arctan2", "sinh", "cosh", "arcsinh",
    "arccosh", "arctanh", "conv1d",
}  # fmt: skip


def exported(f, given):
    """An op's file, at these shapes alone."""
    recorder = export.Recorder(f, given, export.has_twin)
    recorder.symbols = list
    recording = export.recorded(recorder)
    model, writing = export.model_of(recorder, recording)
    export.check(model, writing.n.calls)
    return model


@pytest.mark.parametrize("dtype", [F, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.op.name)
def test_an_op_is_what_it_is_in_numpy(row, dtype):
    refused, unrun = [], 0
    single = dtype is np.float64 and row.op.name in SINGLE
    for one, operands in row.samples():
        given = [a.astype(dtype) if _is_float(a) else a for a in operands]
        f = row.function(one.attrs)

        def of_arrays(*arrays, given=given, f=f):
            left = iter(arrays)
            return f(*[next(left) if _is_array(a) else a for a in given])

        own = [a for a in given if _is_array(a)]
        try:
            model = exported(of_arrays, own)
        except ExportError as error:
            refused.append(str(error))
            continue
        tolerances = (1e-4, 1e-5) if dtype is F else (1e-9, 1e-10)
        if single:
            with pytest.raises(NotImplemented):
                Run(model)
            continue
        try:
            found = Run(model)(*own)[0]
        except (Fail, InvalidArgument):
            unrun += 1
            continue
        equal(found, f(*given), *tolerances)
    assert unrun == UNRUN.get(row.op.name, 0)
    assert [said for said in refused if row.op.name not in said] == []
    if row.op.name in BACKWARD:
        assert len(refused) == len(list(row.samples()))
    else:
        assert len(refused) == REFUSED.get(row.op.name, 0), refused


# How many samples of an op are refused: modes, masks as index, and the like.
REFUSED = {
    "logsumexp": 1, "tril": 1, "triu": 1, "pad": 5, "einsum": 6, "getitem": 6,
    "take": 3, "take_along_axis": 1, "diagonal": 1, "trace": 1,
}  # fmt: skip
# Samples that onnxruntime refuses when it runs: a loop of no step, and padding by a
# reflection that is longer than the array.
UNRUN = {"linear_recurrence": 1, "cumprod": 2, "pad": 1}


def _is_array(a):
    return isinstance(a, np.ndarray)


def _is_float(a):
    return _is_array(a) and a.dtype.kind == "f"


# What is refused.

bare = Op(lambda x: x**3, lambda g, y, x: g * 3 * x**2, name="test_onnx_bare")
cube = Op(
    lambda x: x**3,
    lambda g, y, x: g * 3 * x**2,
    name="test_onnx_cube",
    lowerings={"onnx": lambda x: x * x * x},
)
wrong = Op(
    lambda x: x**3,
    lambda g, y, x: g * 3 * x**2,
    name="test_onnx_wrong",
    lowerings={"onnx": lambda x: x * x},
)


def loop(step, xs, h=None):
    h = mg.tensor(np.zeros(xs.shape[1:], F), name="h0") if h is None else h
    for t, x in mg.steps(xs):
        h = step(t, h, x).named("h")
    return h


def test_an_op_brings_its_own():
    f = partial(loop, lambda t, h, x: cube(h + x))
    equal(Run(to_onnx(f, xs(6, 3) / 9))(xs(4, 2) / 9)[0], f(xs(4, 2) / 9))
    with pytest.raises(ExportError, match="of the op test_onnx_wrong"):
        to_onnx(partial(loop, lambda t, h, x: wrong(h + x)), xs(6, 3))


def test_an_op_is_checked_with_what_it_brings():
    check_op(cube, op_case((2,)))
    with pytest.raises(GradientError, match="the lowering for onnx"):
        check_op(wrong, op_case((2,)))


def test_an_op_without_a_twin_is_refused_by_name_scope_and_line():
    def f(xs):
        with mg.scope("cell"):
            return loop(lambda t, h, x: bare(h + x), xs)

    words = r"test_onnx_bare \(in scope cell/for t, at .*test_onnx.py:\d+\).*lowerings"
    with pytest.raises(ExportError, match=words):
        to_onnx(f, xs(6, 3))


def test_what_f_makes_itself_is_refused_or_said():
    rng = np.random.default_rng(0)
    noisy = lambda xs: xs * rng.normal(size=xs.shape).astype(F)  # noqa: E731
    with pytest.raises(ExportError, match=r"f makes itself.*random masks"):
        to_onnx(noisy, xs(6, 3))
    with pytest.raises(ExportError, match=r"f makes itself.*x.mean\(\)"):
        to_onnx(lambda xs: xs.sum() / len(xs), xs(6, 3))
    places = lambda xs: xs + np.sqrt(np.arange(len(xs), dtype=F))[:, None, None]  # noqa: E731
    with pytest.warns(UserWarning, match="has its first .* rows and takes no more"):
        model = to_onnx(places, xs(6, 3))
    equal(Run(model)(xs(9, 3))[0], places(xs(9, 3)))
    with pytest.raises(Exception, match="Add"):
        Run(model)(xs(500, 3))
    late = lambda xs: xs * (np.arange(len(xs)) >= 99).astype(F)[:, None, None]  # noqa: E731
    with pytest.warns(UserWarning, match="is one value in all of 66 rows.*any number"):
        to_onnx(lambda xs: loop(lambda t, h, x: h + x, late(xs)), xs(6, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a state of each sequence is no news
        to_onnx(lambda xs: loop(lambda t, h, x: h + x, xs), xs(6, 3))


def test_a_branch_on_the_number_of_steps_is_refused():
    def short(xs):
        return loop(lambda t, h, x: mg.tanh(h + x) if len(xs) > 1 else x, xs)

    with pytest.raises(ExportError, match=r"at T = 1, batch = 2 the file is off"):
        to_onnx(short, xs(6, 3))
    with pytest.raises(ExportError, match=r"does not fold: step 3"):
        to_onnx(partial(loop, lambda t, h, x: h + x if t != 3 else h * x), xs(6, 3))

    def middle(xs):
        hs = []
        for _, x in mg.steps(xs):
            hs.append(mg.tanh(x))
        return hs[len(hs) // 2]

    with pytest.raises(ExportError, match="branch on no length"):
        to_onnx(middle, xs(6, 3))


def test_gradients_masks_as_index_and_lists_of_steps_are_refused():
    w = mg.parameter(F(2.0), name="w")
    with pytest.raises(ExportError, match="without gradients: export the loss alone"):
        to_onnx(lambda xs: mg.grad((xs * w).sum(), [w]), xs(6, 3))
    with pytest.raises(TraceError, match="where"):
        to_onnx(lambda xs: xs[xs > 0].sum(), xs(6, 3))
    with pytest.raises(ExportError, match=r"mg.stack\(list\)"):
        to_onnx(lambda xs: [mg.tanh(x) for _, x in mg.steps(xs)], xs(6, 3))
    with pytest.raises(ExportError, match=r"T and batch are both 5.*y may have"):
        to_onnx(lambda xs, y: loop(lambda t, h, x: h + x, xs) * y[:, None],
                xs(5, 5), np.ones(5, F))  # fmt: skip


def test_no_step_is_refused():
    net = network("ManyToMany")
    with pytest.raises(Exception, match="0"):
        to_onnx(net, xs(6, 3)[:0])
    with pytest.raises(Exception, match="ONNXRuntimeError"):
        Run(to_onnx(net, xs(6, 3)))(xs(6, 3)[:0])


def test_running_sums_nested_loops_and_long_delays():
    W = mg.parameter(np.eye(3, dtype=F) / 2, name="W")

    def running(xs):
        total = None
        for _, x in mg.steps(xs, reverse=True):
            value = (x @ W).sum(axis=0)
            total = value if total is None else total + value
        return total

    def nested(xs):
        def step(t, h, x):
            for _ in mg.steps(3):
                h = mg.tanh(h @ W + x)
            return h

        return loop(step, xs)

    def delayed(xs):
        hs = [mg.tensor(np.zeros(xs.shape[1:], F), name="h0")] * 12
        for _, x in mg.steps(xs):
            hs.append(mg.tanh(hs[-12] @ W + hs[-1] + x))
        return hs[-1]

    def shared_start(xs, h0):
        return loop(lambda t, h, x: mg.tanh(h @ W + x), xs, mg.tanh(h0 @ W))

    for f in (running, nested, delayed):
        run = Run(to_onnx(f, xs(6, 5)))
        for T, B in SIZES:
            equal(run(xs(T, B))[0], f(xs(T, B)))
    run = Run(to_onnx(shared_start, xs(6, 5), xs(6, 5)[0]))
    for T, B in SIZES:
        equal(run(xs(T, B), xs(T, B)[0])[0], shared_start(xs(T, B), xs(T, B)[0]))


def test_steps_are_gathered_from_any_to_any_in_both_orders():
    W = mg.parameter(np.eye(3, dtype=F) / 2, name="W")

    def parts(xs):
        hs = [mg.tensor(np.zeros(xs.shape[1:], F), name="h0")]
        for _, x in mg.steps(xs):
            hs.append(mg.tanh(hs[-1] @ W + x))
        own = hs[1:]
        return [
            mg.stack(own[:-1]),
            mg.stack(own[2:], axis=1),
            mg.stack(own[::-1]),
            mg.concatenate(own[1:-1], axis=0),
            mg.concatenate(hs, axis=-1),
            mg.add_n(own[:-2]),
        ]

    run = Run(to_onnx(parts, xs(6, 5)))
    for T, B in ((4, 1), (7, 4), (50, 2)):
        for got, want in zip(run(xs(T, B)), parts(xs(T, B)), strict=True):
            equal(got, want)


def test_what_is_the_same_at_every_step_is_gathered_as_often_as_there_are_steps():
    W = mg.parameter(np.ones(2, F), name="W")

    def recorded(xs):
        found = []
        for _ in mg.steps(xs):
            found.append(mg.tanh(W))
        return mg.stack(found).sum() + xs.sum()

    run = Run(to_onnx(recorded, np.ones((7, 2), F)))
    for T in (1, 2, 9):
        given = np.ones((T, 2), F)
        equal(run(given)[0], recorded(given))


@pytest.mark.parametrize(
    "options", [{}, {"label_smoothing": 0.1}, {"reduction": "sum"}]
)
def test_targets_may_be_probabilities(options):
    rng = np.random.default_rng(0)
    o, y = (rng.random((5, 3), F) for _ in range(2))

    def loss(o, y):
        return mg.cross_entropy(o, y, **options)

    equal(Run(to_onnx(loss, o, y))(o, y)[0], loss(mg.tensor(o), mg.tensor(y)))


def test_a_planted_bug_is_found(monkeypatch):
    monkeypatch.setitem(NAMES, "tanh", "Sigmoid")
    with pytest.raises(ExportError, match="the file is off by"):
        to_onnx(network("ManyToMany"), xs(6, 3))


def test_an_example_that_is_wider_than_the_network_is_named():
    model = ManyToMany(1, 12, 1, rng=np.random.default_rng(0))
    wide = np.random.default_rng(0).normal(size=(20, 5, 1))
    with pytest.raises(
        ExportError, match=r"xs is float64 beside .*astype\(np\.float32"
    ):
        to_onnx(model, wide)
    to_onnx(model, wide.astype(np.float32))


def test_minigrad_imports_no_onnx_and_says_what_to_install():
    code = (
        "import sys; sys.modules['onnx'] = None\n"
        "import minigrad, minigrad.exchange, minigrad.models\n"
        "try: minigrad.exchange.to_onnx(lambda x: x, 1.0)\n"
        "except ModuleNotFoundError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pip install 'minigrad-rnn[onnx]'" in done.stdout, done.stderr


def test_the_page_runs(tmp_path):
    page = Path(__file__).parents[2] / "docs" / "onnx.md"
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```py\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 4
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(blocks)],
        capture_output=True, text=True, timeout=300, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "net.onnx").exists()
