"""The training loop on a parabola."""

import random
import shutil
import sys

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import ManyToMany
from minigrad.nn import Module
from minigrad.nn.losses import mse
from minigrad.optim import SGD, Adam
from minigrad.train import Training, fit
from minigrad.train.training import global_state


class Point(Module):
    def __init__(self):
        self.w = mg.parameter(np.array([4.0]))


def trained(module, loss, lr=0.1, **options):
    return Training(module, SGD(module.parameters(), lr), loss, **options)


def run(steps=10, target=0.0, validate=None, lr=0.1, clip=np.inf, **options):
    point = Point()
    training = trained(point, lambda: ((point.w - target) ** 2).sum(), lr, clip=clip)
    history = fit(
        training,
        validation=validate or (lambda: abs(point.w.data.item())),
        steps=steps,
        **options,
    )
    return point, history


def test_every_step_is_in_the_history():
    point, history = run(steps=3)
    assert [p.step for p in history.steps] == [1, 2, 3]
    np.testing.assert_allclose([p.loss for p in history.steps], [16, 10.24, 6.5536])
    np.testing.assert_allclose([p.norm for p in history.steps], [8, 6.4, 5.12])
    np.testing.assert_allclose(history.steps[-1].validation, 2.048)
    assert history.best_step == 3
    np.testing.assert_allclose(point.w.data, [2.048])


def test_the_best_parameters_are_kept():
    values = iter([5.0, 3.0, 1.0, 2.0, 4.0])
    point, history = run(steps=4, validate=lambda: next(values))
    assert (history.best_step, history.best_validation) == (2, 1.0)
    np.testing.assert_allclose(point.w.data, [4 * 0.8**2])


def test_a_start_that_stays_best_is_kept():
    point, history = run(steps=3, target=9.0)
    assert history.best_step == 0
    assert point.w.data.tolist() == [4.0]


def test_validation_every_few_steps_and_at_the_end():
    calls = []
    run(steps=7, every=3, validate=lambda: calls.append(1) or 0.0)
    assert len(calls) == 4  # the start, 3, 6, 7


def test_clipping_bounds_the_step():
    point, history = run(steps=1, clip=1.0)
    assert history.steps[0].norm == 8.0
    np.testing.assert_allclose(point.w.data, [3.9])


def test_a_module_alone_is_no_training():
    module = ManyToMany(1, 2, 1, rng=np.random.default_rng(0))
    words = r"fit trains Training\(model, optimiser, loss\): got ManyToMany"
    with pytest.raises(TypeError, match=words):
        fit(module, (), steps=1)


def test_what_is_called_is_a_function():
    model = ManyToMany(1, 2, 1, rng=np.random.default_rng(0))
    training = Training(model, SGD(model.parameters(), lr=0.1), model.loss)
    with pytest.raises(TypeError, match=r"validation is a function .* got float"):
        fit(training, (), steps=1, validation=0.3)
    with pytest.raises(TypeError, match=r"write callbacks=\[f\]"):
        fit(training, (), steps=1, callbacks=print)


def test_callbacks_are_told_of_every_step():
    seen, other = [], []
    _, history = run(steps=4, callbacks=[seen.append, other.append])
    assert seen == other == history.steps


def test_no_steps_change_nothing():
    point, history = run(steps=0)
    assert point.w.data.tolist() == [4.0]
    assert history.steps == []


def test_an_interrupted_run_keeps_the_best():
    def watch(progress):
        if progress.step == 3:
            raise KeyboardInterrupt

    point = Point()
    values = iter([9.0, 1.0, 2.0, 3.0])
    with pytest.raises(KeyboardInterrupt):
        fit(
            trained(point, lambda: (point.w**2).sum()),
            validation=lambda: next(values),
            steps=10,
            callbacks=[watch],
        )
    np.testing.assert_allclose(point.w.data, [3.2])


def test_a_loss_that_is_not_finite_stops_and_keeps_the_best():
    with (
        pytest.raises(FloatingPointError, match=r"step [0-9]+: the loss is (nan|inf)"),
        np.errstate(all="ignore"),
    ):
        run(steps=2000, lr=1e9)


def test_patience_stops_early():
    values = iter([5.0, 4.0, 4.5, 4.2, 3.0, 1.0])
    _, history = run(steps=5, patience=2, validate=lambda: next(values))
    assert len(history.steps) == 3
    assert history.best_step == 1


def test_what_is_not_finite_is_named():
    class Growing(Module):
        def __init__(self):
            self.w = mg.parameter(np.array([30.0]))

        def forward(self):
            h = self.w * 1.0
            for _ in mg.steps(5):
                h = mg.exp(h)
            return h.sum()

    module = Growing()
    with (
        pytest.raises(FloatingPointError, match=r"op exp, scope Growing, t = 2"),
        np.errstate(all="ignore"),
    ):
        fit(trained(module, module), steps=1)


@pytest.mark.parametrize("eager", [True, False])
def test_a_number_of_the_data_that_is_not_finite_is_named_with_its_place(eager):
    model = ManyToMany(1, 3, 1, rng=np.random.default_rng(0), loss=mse)
    good = np.zeros((5, 2, 1), np.float32)
    bad = good.copy()
    bad[3, 1, 0] = np.nan
    batches = iter([(good, good), (bad, good)])
    with pytest.raises(
        FloatingPointError, match=r"step 2: .* input xs is nan at \[3, 1, 0\]$"
    ):
        fit(trained(model, model.loss, eager=eager), batches, steps=2)


def test_a_gradient_that_is_not_finite_is_named():
    class Root(Module):
        def __init__(self):
            self.w = mg.parameter(np.array([0.0]))

        def forward(self):
            return mg.sqrt(self.w).sum()

    module = Root()
    with (
        pytest.raises(FloatingPointError, match="began at op divide, scope Root"),
        np.errstate(all="ignore"),
    ):
        fit(trained(module, module), steps=1)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("first", [0, 1, 2])
def test_a_validation_is_finite(bad, first):
    values = iter([3.0] * first + [bad] * 9)
    point = Point()
    with pytest.raises(
        FloatingPointError, match=f"validation is .*after step {first},"
    ):
        fit(
            trained(point, lambda: (point.w**2).sum()),
            validation=lambda: next(values),
            steps=5,
        )
    assert point.w.item() == 4.0  # the best so far: the start


@pytest.mark.parametrize("bad", ["a", None, True, 1j, [1.0]])
def test_a_validation_is_a_number(bad):
    with pytest.raises(TypeError, match="validation returns a number, lower is better"):
        run(validate=lambda: bad)


@pytest.mark.parametrize("good", [1, np.float32(1), np.array(1.0), mg.tensor([1.0])])
def test_a_validation_may_be_a_number_of_any_kind(good):
    _, history = run(validate=lambda: good)
    assert type(history.best_validation) is float


@pytest.mark.parametrize("value", [1.0, None, (), (1.0, ())])
@pytest.mark.parametrize("eager", [False, True])
def test_the_loss_is_a_tensor(value, eager):
    point = Point()
    with pytest.raises(TypeError, match="the loss of fit returns the Tensor"):
        fit(trained(point, lambda: value, eager=eager), steps=1)


def test_without_a_validation_the_last_parameters_stay():
    point = Point()
    history = fit(trained(point, lambda: (point.w**2).sum()), steps=3)
    np.testing.assert_allclose(point.w.data, [2.048])
    assert (history.best_step, history.best_validation) == (3, np.inf)
    assert all(np.isnan(p.validation) for p in history.steps)


def test_patience_needs_a_validation():
    point = Point()
    with pytest.raises(ValueError, match="patience counts validations"):
        fit(trained(point, lambda: (point.w**2).sum()), steps=3, patience=1)


def test_what_cannot_be_compiled_trains_eagerly_after_one_warning():
    point = Point()

    def loss():
        return (point.w**2).sum() if point.w.sum().item() > 0 else point.w.sum()

    with pytest.warns(RuntimeWarning, match="runs eagerly") as said:
        fit(trained(point, loss), steps=3)
    assert len(said) == 1
    np.testing.assert_allclose(point.w.data, [2.048])


@pytest.mark.parametrize(("one", "other"), [(None, "c"), ("c", None), ("numpy", "c")])
@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler")
def test_a_training_goes_on_on_another_engine(tmp_path, one, other):
    def run(name, steps, engine, resume=False):
        rng = np.random.default_rng(0)
        model = ManyToMany(2, 3, 2, rng=rng, loss=mse, dtype=np.float64)
        training = Training(
            model,
            Adam(model.parameters(), 0.05),
            model.loss,
            clip=0.5,
            also={"rng": rng},
            eager=engine is None,
            backend=engine,
        )
        return fit(
            training,
            lambda: (rng.normal(size=(4, 3, 2)), np.ones((4, 3, 2))),
            steps=steps,
            validation=lambda: float(np.square(model.V.data).sum()),
            every=2,
            checkpoint=tmp_path / name,
            resume=resume,
        )

    whole = run("whole", 10, None)
    run("half", 5, one)
    half = run("half", 10, other, resume=True)
    for a, b in zip(whole.steps, half.steps, strict=True):
        # The step at which the first half ends has a validation of its own.
        np.testing.assert_allclose((a.loss, a.norm), (b.loss, b.norm), rtol=1e-9)
    np.testing.assert_allclose(whole.best_validation, half.best_validation, rtol=1e-9)


def test_the_bar_is_shown_on_a_terminal_alone(capsys, monkeypatch):
    run(steps=2)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    run(steps=2, title="a point")
    assert "a point: 100%" in capsys.readouterr().err
    run(steps=2, title=None)
    assert capsys.readouterr().err == ""


def test_there_is_no_bar_without_tqdm(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    _, history = run(steps=2)
    assert len(history.steps) == 2


def test_global_random_numbers_and_a_checkpoint(tmp_path):
    """They are not kept: that is said once, and only where there is a checkpoint."""
    point, before = Point(), global_state()
    training = trained(point, lambda x: ((point.w - x) ** 2).sum())

    def batch():
        return (np.random.normal(size=1),)

    options = {"steps": 5, "checkpoint": tmp_path / "a"}
    try:
        fit(training, batch, steps=5)
        fit(training, (np.zeros(1),), **options)
        with pytest.warns(RuntimeWarning, match="a checkpoint does not keep") as told:
            fit(training, batch, **options)
    finally:
        np.random.set_state(before[0])
        random.setstate(before[1])
    assert len(told) == 1
