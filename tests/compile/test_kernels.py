"""Loops over time as numba's functions: the same numbers, kept on disk, or refused.

What numba compiles is Python: most tests run the emitted source as it stands, and a few
compile it.
"""

import hashlib
import os
import pickle
import subprocess
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.compile import disk, helpers
from minigrad.models import ManyToMany, ManyToOne, OutputFeedback

from ..test_fold import cells
from .test_program import curvature, network, same, sequence

numba = pytest.importorskip("numba")
pytest.importorskip("scipy")

RUN = {"capture_output": True, "text": True, "cwd": Path(__file__).parents[2]}


@pytest.fixture(autouse=True, scope="module")
def folder(tmp_path_factory):
    """A cache of its own."""
    with pytest.MonkeyPatch.context() as patch:
        path = tmp_path_factory.mktemp("cache")
        patch.setenv("NUMBA_CACHE_DIR", str(path))
        yield path


@contextmanager
def interpreted():
    """Kernels that Python runs, whose sources no compiled one takes the place of."""
    with (
        mock.patch.object(numba.config, "DISABLE_JIT", True),
        mock.patch.dict(sys.modules),
    ):
        yield


def compiled(function):
    return mg.compile(function, strict=True, backend="numba")


@settings(max_examples=40)
@given(cells(), st.integers(1, 9), st.sampled_from([np.float32, np.float64]))
def test_a_random_recurrence_equals_eager(cell, T, dtype):
    step, parameters = network(cell, dtype)
    with interpreted():
        program = compiled(step)
        for seed in (0, 1):  # the second call runs the program on other numbers
            xs = sequence(T, dtype, seed)
            same(program(xs), step(xs), dtype)
            parameters[0].assign(parameters[0].data * 0.5)


@settings(max_examples=10)
@given(cells())
def test_one_program_serves_every_length(cell):
    step, _ = network(cell, np.float64)
    shortest = 2 * max(cell[0]) + 2
    with interpreted():
        program = compiled(step)
        for T in (shortest, shortest + 1, shortest + 6, shortest + 20):
            xs = sequence(T, np.float64)
            same(program(xs), step(xs))
    assert len(program.traced) == 1


@settings(max_examples=20)
@given(cells(), st.integers(1, 7), st.sampled_from([np.float32, np.float64]))
def test_second_order_equals_eager(cell, T, dtype):
    hvp = curvature(*network(cell, dtype))
    xs = sequence(T, dtype)
    with interpreted():
        program = compiled(hvp)
        for _ in range(2):
            same(program(xs), hvp(xs), dtype)


def training_step(model, **options):
    def step(xs, ys):
        loss = model.loss(xs, ys, **options)
        return loss, mg.grad(loss, model.parameters())

    return step


def data(T, one=False, batch=3):
    rng = np.random.default_rng(T)
    xs = rng.normal(size=(T, batch, 5)).astype(np.float32)
    return xs, rng.integers(4, size=(batch,) if one else (T, batch))


@pytest.mark.parametrize(
    ("network", "options"),
    [
        (ManyToMany, {}),
        (ManyToMany, {"cell": "gru"}),
        (ManyToOne, {"cell": "lstm"}),
    ],
)
def test_compiled_loops_give_what_an_eager_step_gives(network, options):
    model = network(5, 6, 4, rng=np.random.default_rng(0), **options)
    step = training_step(model)
    program = compiled(step)
    for T in (7, 9, 40):
        given = data(T, network is ManyToOne)
        same(program(*given), step(*given), np.float32)
    assert len(program.traced) == 1
    assert "@njit" in program.source
    # Softmax and loss of all steps are loops too, before and behind the gradient's.
    loops = 2 if network is ManyToOne else 4
    assert program.explain().endswith(f"{loops} of {loops} loops")


@settings(max_examples=2)
@given(cells(), st.sampled_from([np.float32, np.float64]))
def test_a_random_recurrence_equals_eager_where_numba_compiles_it(cell, dtype):
    step, _ = network(cell, dtype)
    xs = sequence(8, dtype)
    same(compiled(step)(xs), step(xs), dtype)


FOUND = """
import sys
import numpy as np, minigrad as mg

w = mg.parameter([[0.5]], name="w")

def step(xs):
    h = mg.tensor([[0.0]], name="h0")
    for t, x in mg.steps(xs):
        h = mg.tanh(h @ w + x)
    return h

mg.compile(step, strict=True, backend="numba")(np.ones((6, 1, 1)))
(made,) = [m for n, m in sys.modules.items() if n.startswith("minigrad_program_")]
print(sum(made.loop_1.stats.cache_hits.values()))
"""


def test_a_second_process_finds_on_disk_what_the_first_one_compiled():
    command = [sys.executable, "-c", FOUND]
    done = [subprocess.run(command, check=True, **RUN).stdout for _ in range(2)]
    assert done == ["0\n", "1\n"]


def test_a_folder_that_cannot_be_written_to_costs_the_cache_alone(
    tmp_path, monkeypatch
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    step = training_step(ManyToMany(5, 2, 4, rng=np.random.default_rng(0)))
    with interpreted():
        same(compiled(step)(*data(6)), step(*data(6)), np.float32)


def test_the_folder_is_the_one_that_the_environment_says(monkeypatch):
    assert disk.folder() == Path(os.environ["NUMBA_CACHE_DIR"]) / "minigrad"
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert disk.folder() == Path("/cache/minigrad")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/ada")
    assert disk.folder() == Path("/home/ada/.cache/minigrad")


SOURCE = "from numba import njit\n\n\n@njit\ndef f(x):\n    return x + 1\n"


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Compiles a function anew, as the next process would; says if disk had it."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(disk, "_said", set())

    def run():
        f = disk.functions(SOURCE)["f"]
        del sys.modules[f.py_func.__module__]
        assert f(2) == 3
        return bool(f.stats.cache_hits)

    run.folder = tmp_path / "minigrad"
    return run


def test_the_folder_is_ours_alone_and_has_nothing_but_our_files(kept):
    assert [kept(), kept()] == [False, True]
    assert kept.folder.stat().st_mode & 0o777 == 0o700
    (path,) = kept.folder.iterdir()
    content = path.read_bytes()
    assert content[:32] == hashlib.sha256(content[32:]).digest()
    kept.folder.chmod(0o755)  # others may have read it, and not more
    assert kept()
    assert kept.folder.stat().st_mode & 0o777 == 0o700


class Planted:
    def __reduce__(self):
        return pytest.fail, ("a planted pickle ran",)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"short",
        bytes(100),
        pickle.dumps(Planted()),
        bytes(32) + pickle.dumps(Planted()),
        None,  # the file itself, cut
    ],
)
def test_a_damaged_or_planted_file_is_not_read_and_written_again(kept, content):
    kept()
    (path,) = kept.folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] if content is None else content)
    assert not kept()
    assert len(path.read_bytes()) == len(whole)
    assert kept()


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_folder_that_others_can_write_to_is_not_used(kept, mode):
    kept()
    (path,) = kept.folder.iterdir()
    content = pickle.dumps(Planted())
    path.write_bytes(hashlib.sha256(content).digest() + content)
    kept.folder.chmod(mode)
    with pytest.warns(RuntimeWarning, match="can be written by others") as said:
        assert not kept()
    assert len(said) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not kept()
    assert list(kept.folder.iterdir()) == [path]


@pytest.mark.parametrize("whose", ["folder", "file"])
def test_what_another_user_owns_is_not_used(kept, whose, monkeypatch):
    kept()
    mine = kept.folder if whose == "file" else None
    monkeypatch.setattr(disk, "_is_mine", lambda path: path == mine)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert not kept()


def test_a_loop_with_an_op_that_no_kernel_knows_stays_in_python():
    model = OutputFeedback(5, 6, 4, fed="softmax", rng=np.random.default_rng(0))
    step = training_step(model, feedback="free")
    program = compiled(step)
    for T in (7, 9):
        same(program(*data(T)), step(*data(T)), np.float32)
    assert "of 4 loops; one stays in Python: it has" in program.explain()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_losses_of_classes_are_those_of_an_eager_step(dtype, reduction):
    W = mg.parameter(np.random.default_rng(1).normal(size=(3, 4)).astype(dtype))

    def step(xs, ys):
        losses = []
        for _, x, y in mg.steps(x=xs, y=ys):
            losses.append(mg.cross_entropy(x @ W, y, reduction=reduction))
        loss = mg.stack(losses).sum()
        return loss, mg.grad(loss, [W])

    rng = np.random.default_rng(0)
    xs, ys = rng.normal(size=(6, 5, 3)).astype(dtype), rng.integers(4, size=(6, 5))
    ys[2, 1:] = -100
    with interpreted():
        program = compiled(step)
        same(program(xs, ys), step(xs, ys), dtype)
        assert "picked_loss(" in program.source
        assert "class_share(" in program.source
        for wrong in (4, -1):
            ys[3, 1] = wrong
            with pytest.raises(ValueError, match=r"class numbers lie in 0\.\.3"):
                program(xs, ys)


def scalar(name):
    """A function of the emitted source, as Python."""
    names = {"np": np, "njit": lambda **_: lambda f: f, "OPTIONS": {}}
    exec(helpers.HELPERS[name], names)
    return names[name]


def test_exp_of_float32_is_right_to_rounding():
    x = np.linspace(-87, 88.7, 5_001, dtype=np.float32)
    exp32 = scalar("exp32")
    y, exact = np.array([exp32(v) for v in x]), np.exp(x.astype(np.float64))
    assert y.dtype == np.float32
    assert np.all(abs(y - exact) <= 1.1 * np.spacing(exact.astype(np.float32)))
    with np.errstate(over="ignore", invalid="ignore"):
        ends = [exp32(np.float32(v)) for v in (np.inf, -np.inf, np.nan, 0)]
    np.testing.assert_array_equal(ends, [np.inf, 0, np.nan, 1])


def tanh32(x):
    with np.errstate(over="ignore", invalid="ignore"):
        return np.array(list(map(scalar("tanh32"), x)))


def test_tanh_of_float32_is_right_to_rounding_and_never_leaves_its_range():
    x = np.linspace(-10, 10, 20_001, dtype=np.float32)
    y, exact = tanh32(x), np.tanh(x.astype(np.float64))
    assert y.dtype == np.float32
    assert np.all(abs(y - exact) <= 6 * np.spacing(abs(exact).astype(np.float32)))
    assert np.abs(y).max() == 1
    ends = tanh32(np.array([np.inf, -np.inf, np.nan, 0], np.float32))
    np.testing.assert_array_equal(ends, np.array([1, -1, np.nan, 0]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_the_tails_of_a_sigmoid_are_those_of_the_op(backend, dtype):
    V = mg.parameter(np.ones((), dtype), name="V")

    def tails(xs):
        s = mg.tensor(np.zeros(5, dtype), name="s0")
        for _, x in mg.steps(xs):
            s = (mg.sigmoid(x * V) + s * 1e-30).named("s")
        return s, mg.grad(mg.log(s).sum(), [V])[0]

    xs = np.array([[-20, -88, 0, 88, np.nan]] * 3, dtype)
    program = mg.compile(tails, strict=True, backend=backend)
    for found, expected in zip(program(xs), tails(xs), strict=True):
        assert found.dtype == dtype
        np.testing.assert_allclose(found.data, expected.data, rtol=1e-6)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
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
@pytest.mark.parametrize("backend", ["numpy", "numba"])
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


def test_without_numba_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(disk, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'minigrad-rnn\[fast\]'"):
        compiled(abs)


def test_a_backend_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match="numpy, numba, got 'jax'"):
        mg.compile(abs, backend="jax")


def test_no_other_backend_imports_numba():
    code = FOUND.replace('"numba"', '"numpy"').split("(made,)")[0]
    code += "print([n for n in ('numba', 'scipy') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, **RUN)
    assert done.stdout == "[]\n"
