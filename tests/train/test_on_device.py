"""Training on a device: what stays there, what comes back, and never half a step."""

import os
import signal

import numpy as np
import pytest

import minigrad as mg
from minigrad.held import Held, held, on_device
from minigrad.models import ManyToMany
from minigrad.nn import Module
from minigrad.nn.losses import mse
from minigrad.optim import Adam
from minigrad.train import Training, fit, load_checkpoint, save_checkpoint
from tests.engines import needs_jax

pytestmark = needs_jax


def batch(i, scale=1.0):
    rng = np.random.default_rng(i)
    return scale * rng.normal(size=(5, 3, 2)), rng.normal(size=(5, 3, 1))


def training(**options):
    rng = np.random.default_rng(0)
    model = ManyToMany(2, 4, 1, rng=rng, loss=mse, dtype=np.float64)
    return Training(model, Adam(model.parameters(), 0.05), model.loss, **options)


def everything(one):
    return {**one.module.state_dict(), **one.optimiser.state_dict()}


def equal(one, other):
    mine, theirs = everything(one), everything(other)
    for name, array in mine.items():
        assert isinstance(array, np.ndarray)
        np.testing.assert_allclose(array, theirs[name], rtol=1e-9, atol=1e-12)


def kept(one):
    return [held(p.node) for p in one.optimiser.parameters]


def test_parameters_and_moments_stay_on_the_device_and_are_written_over():
    one, other = training(backend="jax"), training(eager=True)
    for i in range(3):
        before = kept(one)
        one.step(*batch(i))
        other.step(*batch(i))
        assert all(map(on_device, kept(one)))
        assert all(on_device(a) for a in one.optimiser.held["mean"])
    assert all(a.is_deleted() for a in before)
    assert all(type(p.node) is Held for p in one.optimiser.parameters)
    equal(one, other)
    assert type(one.optimiser.parameters[0].node) is not Held
    one.step(*batch(9))
    other.step(*batch(9))
    equal(one, other)


class Player(Module):
    def __init__(self, name, value):
        self.w = mg.parameter(value, name=name)


def played(**options):
    """Two trainings on a loss of both, which each follow for their own part of it."""
    one, two = Player("a", [1.0, 2.0]), Player("b", [0.5, -1.0])
    trainings = [
        Training(p, Adam([p.w], 0.1), lambda x, s=s: mg.norm(s * one.w * two.w - x),
                 **options)
        for p, s in ((one, 1.0), (two, -1.0))
    ]  # fmt: skip
    losses = [t.step(np.array([3.0, k]))[0] for k in range(4) for t in trainings]
    assert [t.eager for t in trainings] == [options.get("eager", False)] * 2
    return [*losses, *one.w.data, *two.w.data]


def test_two_trainings_read_one_another():
    np.testing.assert_allclose(played(backend="jax"), played(eager=True), rtol=1e-9)


def test_a_step_that_is_not_finite_changes_nothing():
    one, other = training(backend="jax"), training(eager=True)
    for each in (one, other):
        each.step(*batch(0))
        with pytest.raises(FloatingPointError), np.errstate(all="ignore"):
            each.step(*batch(1, np.inf))
        assert each.optimiser.steps == 1
    equal(one, other)
    one.step(*batch(2))
    other.step(*batch(2))
    equal(one, other)


def test_ctrl_c_finds_a_step_made():
    one, other = training(backend="jax"), training(eager=True)
    one.step(*batch(0))
    computed = one._computed

    def interrupted(given):
        found = computed(given)
        os.kill(os.getpid(), signal.SIGINT)
        return found

    one._computed = interrupted
    with pytest.raises(KeyboardInterrupt):
        one.step(*batch(1))
    for i in range(2):
        other.step(*batch(i))
    equal(one, other)


def test_fit_validates_and_saves_what_the_device_has(tmp_path):
    path, seen = tmp_path / "run", []
    one = training(backend="jax")

    def validation():
        seen.append(one.module.state_dict())
        return one.loss(*batch(7)).item()

    fit(one, batch(0), steps=4, every=2, validation=validation, checkpoint=path,
        title=None)  # fmt: skip
    other = training(eager=True)
    fit(other, batch(0), steps=4, every=2, validation=lambda: 1.0, title=None)
    assert len(seen) == 3
    fresh = training(backend="numpy")
    fit(fresh, batch(0), steps=6, every=2, checkpoint=path, resume=True, title=None,
        validation=lambda: 0.0)  # fmt: skip
    assert fresh.optimiser.steps == 6


def test_a_checkpoint_goes_from_engine_to_engine(tmp_path):
    first = training(backend="jax")
    for i in range(3):
        first.step(*batch(i))
    save_checkpoint(tmp_path / "a", first.parts, {})
    second, third = training(), training(backend="jax")
    for other in (second, third):
        load_checkpoint(tmp_path / "a", other.parts)
        other.step(*batch(5))
    first.step(*batch(5))
    equal(first, second)
    equal(first, third)
