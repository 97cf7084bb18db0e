"""The whole step: what it changes, on every engine, is what it changes eagerly."""

import random
import warnings

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.models import ManyToMany, ManyToOne
from minigrad.nn import Module
from minigrad.nn.losses import mse
from minigrad.optim import (
    SGD,
    Adam,
    AdamW,
    Groups,
    RMSProp,
    clip_by_norm,
    exponential,
)
from minigrad.train import Training, load_checkpoint, save_checkpoint
from minigrad.train.training import global_state, whole_step
from tests.engines import ENGINES

MAKE = [lambda ps, lr: SGD(ps, lr, 0.9), RMSProp, Adam, AdamW]


def batch(i, steps=5):
    rng = np.random.default_rng(i)
    return rng.normal(size=(steps, 3, 2)), rng.normal(size=(steps, 3, 1))


def training(make=Adam, lr=0.05, seed=0, cell="gru", **options):
    rng = np.random.default_rng(seed)
    model = ManyToMany(2, 4, 1, rng=rng, loss=mse, cell=cell, dtype=np.float64)
    return Training(model, make(model.parameters(), lr), model.loss, **options)


def everything(one):
    """Parameters and what the optimiser keeps."""
    return {**one.module.state_dict(), **one.optimiser.state_dict()}


@pytest.mark.parametrize("backend", ENGINES)
@pytest.mark.parametrize("make", MAKE)
def test_a_program_makes_the_steps_that_are_made_eagerly(make, backend):
    lr = exponential(0.02, 0.9)
    one = training(make, lr, clip=0.5, backend=backend)
    other = training(make, lr, clip=0.5, eager=True)
    by_hand = training(make, lr)
    for i in range(12):
        found, expected = one.step(*batch(i)), other.step(*batch(i))
        np.testing.assert_allclose(found, expected, rtol=1e-10)
        by_hand.loss(*batch(i)).backward()
        clip_by_norm(by_hand.module.parameters(), 0.5)
        by_hand.optimiser.step()
    for name, array in everything(one).items():
        np.testing.assert_allclose(array, everything(other)[name], 1e-8, 1e-12)
        assert np.array_equal(everything(by_hand)[name], everything(other)[name])
    assert not one.eager
    assert len(one.program.traced) == 1  # rate and number of the step are operands


@pytest.mark.parametrize("backend", ENGINES)
def test_the_same_steps_give_the_same_bits(backend):
    runs = []
    for _ in range(2):
        one = training(clip=0.3, backend=backend)
        said = [one.step(*batch(i)) for i in range(5)]
        runs.append((said, {k: a.tobytes() for k, a in everything(one).items()}))
    assert runs[0] == runs[1]


@pytest.mark.parametrize("lengths", [[5, 9, 12, 7, 5, 20]])
def test_a_program_of_every_length_serves_after_two(lengths):
    one, other = training(clip=1.0), training(clip=1.0, eager=True)
    for i, steps in enumerate(lengths):
        found, expected = one.step(*batch(i, steps)), other.step(*batch(i, steps))
        np.testing.assert_allclose(found, expected, rtol=1e-10)
    assert len(one.program.traced) == 1
    (general,) = [g for known in one.program.any_length.values() for g in known]
    assert general.outline is not None  # other lengths are not traced again


@pytest.mark.parametrize("backend", ENGINES)
def test_a_checkpoint_goes_on_on_another_engine(backend, tmp_path):
    first = training(eager=True)
    for i in range(4):
        first.step(*batch(i))
    save_checkpoint(tmp_path / "a", first.parts, {})
    other = training(seed=5, backend=backend)
    load_checkpoint(tmp_path / "a", other.parts)
    for i in range(4, 8):
        first.step(*batch(i))
        other.step(*batch(i))
    for name, array in everything(first).items():
        np.testing.assert_allclose(array, everything(other)[name], 1e-9, 1e-13)


class Free(Module):
    """Parameters of any shapes."""

    def __init__(self, values):
        self.ps = [mg.parameter(v, name=f"p{i}") for i, v in enumerate(values)]


@settings(max_examples=25)
@given(data=st.data(), dtype=st.sampled_from([np.float16, np.float32, np.float64]))
@pytest.mark.parametrize("make", MAKE)
def test_any_parameters_and_any_limit(make, data, dtype):
    numbers = st.floats(-2, 2, width=16).filter(lambda x: x == 0 or abs(x) > 1e-2)
    shapes = st.lists(hnp.array_shapes(max_dims=2, max_side=3), min_size=1, max_size=3)
    values = [
        data.draw(hnp.arrays(dtype, shape, elements=numbers))
        for shape in data.draw(shapes)
    ]
    clip = data.draw(st.sampled_from([0.01, 1.0, np.inf]))
    runs = []
    for eager in (False, True):
        free = Free([v.copy() for v in values])

        def loss(x, free=free):
            return sum((p.astype(np.float64) ** 2 * x).sum() for p in free.ps)

        optimiser = make(free.parameters(), 0.05)
        one = Training(free, optimiser, loss, clip=clip, eager=eager)
        said = [one.step(np.array(x)) for x in (1.0, -0.5, 2.0)]
        runs.append((said, everything(one)))
    (said, found), (expected, wanted) = runs
    np.testing.assert_allclose(said, expected, rtol=20 * np.finfo(dtype).eps)
    unit = 20 * np.finfo(dtype).eps
    for name in wanted:
        np.testing.assert_allclose(found[name], wanted[name], rtol=unit, atol=unit)


@pytest.mark.parametrize("size", [1e200, 3e-200, 0.0])
def test_a_norm_whose_square_no_float_holds(size):
    free = Free([np.array([1.0]), np.array([2.0, 3.0])])
    one = Training(
        free,
        SGD(free.parameters(), 0.5),
        lambda x: sum((p * x).sum() for p in free.ps),
        clip=1.0,
    )
    _, norm = one.step(np.array(size))
    np.testing.assert_allclose(norm, size * np.sqrt(3))
    moved = 0.5 / np.sqrt(3) if size > 1 else 0.0
    np.testing.assert_allclose(free.ps[0].data, 1 - moved)


@pytest.mark.parametrize("eager", [False, True])
def test_what_is_not_finite_changes_nothing(eager):
    one = training(eager=eager)
    one.step(*batch(0))
    before = everything(one)
    xs, ys = batch(1)
    xs[3, 1, 0] = np.nan
    said = r"step 2: .* xs is nan at \[3, 1, 0\]"
    with pytest.raises(FloatingPointError, match=said):
        one.step(xs, ys)
    after = everything(one)
    assert all(np.array_equal(after[k], before[k]) for k in before)


def test_parameters_that_are_assigned_are_read():
    one, other = training(), training(eager=True)
    for i in range(4):
        for each in (one, other):
            if i == 2:
                p = each.module.parameters()[0]
                p.assign(p.data * 2)
            each.step(*batch(i))
    for name, array in everything(one).items():
        np.testing.assert_allclose(array, everything(other)[name], 1e-9, 1e-13)


@pytest.mark.parametrize("name", ["eps", "betas"])
def test_a_setting_that_is_changed_counts(name):
    runs = []
    for eager in (False, True):
        one = training(eager=eager)
        one.step(*batch(0))
        setattr(one.optimiser, name, 0.5 if name == "eps" else (0.5, 0.5))
        one.step(*batch(1))
        runs.append(everything(one))
    for key, array in runs[0].items():
        np.testing.assert_allclose(array, runs[1][key], 1e-9, 1e-13)


def dropping(eager):
    """A training whose loss draws its own masks."""
    rng = np.random.default_rng(3)
    model = ManyToMany(2, 4, 1, rng=rng, loss=mse, layers=2, dropout=0.5)

    def loss(xs, ys):
        return model.loss(xs.astype(np.float32), ys.astype(np.float32), rng=rng)

    return Training(model, Adam(model.parameters(), 0.1), loss, eager=eager)


def test_a_loss_that_draws_random_numbers_is_not_frozen():
    one, other = dropping(False), dropping(True)
    with pytest.warns(RuntimeWarning, match="draws random numbers.*eager=True"):
        found = [one.step(*batch(0))]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found += [one.step(*batch(0)) for _ in range(3)]
    assert found == [other.step(*batch(0)) for _ in range(4)]
    assert len(set(found)) == 4


@pytest.mark.parametrize("draw", [np.random.normal, random.random])
def test_a_loss_that_draws_from_a_global_generator_is_not_frozen(draw):
    free = Free([np.array([1.0])])
    before = global_state()
    np.random.seed(0)
    random.seed(0)
    training = Training(
        free, SGD(free.parameters(), 0.0), lambda x: (free.ps[0] * (x + draw())).sum()
    )
    try:
        with pytest.warns(RuntimeWarning, match="draws random numbers.*eager=True"):
            found = [training.step(np.zeros(1))[0]]
        found += [training.step(np.zeros(1))[0] for _ in range(2)]
        np.random.seed(0)
        random.seed(0)
        assert found == [draw() for _ in range(3)]
    finally:
        np.random.set_state(before[0])
        random.setstate(before[1])


@pytest.mark.parametrize("eager", [False, True])
def test_an_empty_batch_is_refused_by_name(eager):
    model = ManyToMany(2, 4, 2, rng=np.random.default_rng(0))
    xs, ys = np.zeros((3, 0, 2), np.float32), np.zeros((3, 0), int)
    training = Training(model, Adam(model.parameters()), model.loss, eager=eager)
    with pytest.raises(ValueError, match=r"no sequence \(scope ManyToMany\).*\(0, 2\)"):
        training.step(xs, ys)
    training = Training(
        model, Adam(model.parameters()), lambda x: model(x).mean(), eager=eager
    )
    with (
        warnings.catch_warnings(action="ignore"),
        pytest.raises(FloatingPointError, match=r"since op mean.*\(3, 0, 2\): leave"),
    ):
        training.step(xs)


def test_a_loss_that_cannot_be_compiled_runs_eagerly():
    free = Free([np.array([1.0, 2.0])])

    def loss(x):
        (p,) = free.ps
        return (p * x).sum() if p.sum().item() > 0 else (p * p).sum()

    one = Training(free, SGD(free.parameters(), 0.5), loss)
    with pytest.warns(RuntimeWarning, match=r"runs eagerly: .*mg\.where"):
        assert one.step(np.array(2.0))[0] == 6.0
    assert one.step(np.array(2.0))[0] == 2.0


@pytest.mark.parametrize("eager", [False, True])
def test_a_part_of_a_module_is_trained(eager):
    """The gradient that is followed, and its norm, is that of what changes."""
    free = Free([np.array([1.0]), np.array([2.0])])
    optimiser = SGD(free.ps[:1], 0.5)
    one = Training(
        free, optimiser, lambda: sum((p * p).sum() for p in free.ps), eager=eager
    )
    assert one.step() == (5.0, 2.0)
    assert [p.item() for p in free.ps] == [0.0, 2.0]


def test_a_gradient_that_was_there_is_used():
    free = Free([np.array([1.0])])
    (free.ps[0] * 3).sum().backward()
    optimiser = SGD(free.parameters(), 0.5)
    Training(free, optimiser, lambda: (free.ps[0] * 2).sum()).step()
    assert free.ps[0].grad.tolist() == [3.0]  # a program leaves it as it is
    with pytest.raises(ValueError, match="has only the gradient that an earlier"):
        optimiser.step()


def test_the_whole_step_changes_nothing():
    one = training()
    before = everything(one)
    step = whole_step(one.loss, one.optimiser)
    step(batch(0), one.optimiser.memory, np.float64(1), np.float64(1), (1.0, {}))
    after = everything(one)
    assert all(np.array_equal(after[k], before[k]) for k in before)


def test_a_loss_is_a_function():
    one = training()
    with pytest.raises(TypeError, match=r"pass lambda: model\.loss\(xs, ys\)"):
        Training(one.module, one.optimiser, one.loss(*batch(0)))


@pytest.mark.parametrize("backend", ENGINES)
def test_groups_train_as_one(backend):
    """A rate of 0 leaves its group as it is; a whole step is as eager ones are."""
    found = []
    for options in ({"eager": True}, {"backend": backend}):
        rng = np.random.default_rng(0)
        model = ManyToOne(2, 3, 2, rng=rng)
        xs = rng.normal(size=(4, 5, 2)).astype(np.float32)
        ys = np.zeros(5, int)
        W = model.rnn.W
        before, others = W.data, [p for p in model.parameters() if p is not W]
        groups = Groups(SGD([W], 0.0), Adam(others, exponential(0.1, 0.5)))
        training = Training(model, groups, model.loss, clip=1.0, **options)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            losses = [training.step(xs, ys)[0] for _ in range(4)]
        assert training.eager == options.get("eager", False)
        assert np.array_equal(W.data, before)
        assert groups.steps == 4
        found.append(losses)
    np.testing.assert_allclose(*found, rtol=1e-5)


def test_a_parameter_that_no_loss_depends_on_is_named():
    model = ManyToMany(1, 2, 1, rng=np.random.default_rng(0), loss=mse)
    other = ManyToMany(1, 2, 1, rng=np.random.default_rng(0))
    one = Training(model, Adam(other.parameters(), 0.1), model.loss)
    x = np.zeros((3, 1, 1), np.float32)
    with pytest.raises(ValueError, match=r"U of .* not reached: .* of an optimiser"):
        one.step(x, x)


def test_what_is_no_module_or_no_optimiser():
    model = ManyToMany(1, 2, 1, rng=np.random.default_rng(0), loss=mse)
    with pytest.raises(TypeError, match=r"write Training.* got ManyToMany and type"):
        Training(model, Adam, model.loss)
    with pytest.raises(TypeError, match=r"write Training.* got Adam and ManyToMany"):
        Training(Adam(model.parameters()), model, model.loss)
