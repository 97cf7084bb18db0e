"""Where batches come from, and how long a training is by them."""

from functools import partial
from itertools import islice

import numpy as np
import pytest

import minigrad as mg
from minigrad.data import Order
from minigrad.nn import Module
from minigrad.optim import SGD
from minigrad.train import Training, fit
from minigrad.train.batches import has_place, size, stream

LIST = [(1,), (2,), (3,)]


def generated(n=3):
    for i in range(n):
        yield (i + 1,)


class Again:
    """Can be looked through again, and has no length."""

    def __iter__(self):
        return generated()


def first(batches, n=7, **options):
    return [x for (x,) in islice(stream(batches, **options), n)]


@pytest.mark.parametrize("batches", [LIST, generated, partial(generated, 3), Again()])
def test_what_has_passes_begins_anew(batches):
    assert first(batches) == [1, 2, 3, 1, 2, 3, 1]
    assert first(batches, epochs=2) == [1, 2, 3, 1, 2, 3]
    assert first(batches, epochs=0) == []


@pytest.mark.parametrize("done", range(8))
def test_a_list_goes_on_at_the_next(done):
    assert first(LIST, 20, epochs=3, done=done) == [1, 2, 3, 1, 2, 3, 1, 2, 3][done:]


def test_a_tuple_is_the_batch_of_every_step():
    assert first((5,), 3) == [5, 5, 5]
    assert first((5,), epochs=2) == [5, 5]
    assert first((5,), epochs=2, done=1) == [5]
    assert [*islice(stream(()), 2)] == [(), ()]


def test_a_function_is_called_for_each_step():
    numbers = iter(range(9))
    assert first(lambda: (next(numbers),), 3) == [0, 1, 2]
    assert next(numbers) == 3  # and no more often
    with pytest.raises(ValueError, match="no end and so no epochs: write steps="):
        first(lambda: (1,), epochs=1)


@pytest.mark.parametrize("make", [generated, lambda: iter(LIST), lambda: iter(Again())])
def test_an_iterator_has_one_pass(make):
    assert first(make()) == first(make(), epochs=1) == [1, 2, 3]
    with pytest.raises(ValueError, match="one pass and not epochs=2: give a list"):
        first(make(), epochs=2)


@pytest.mark.parametrize("empty", [[], partial(generated, 0)])
def test_a_pass_has_a_batch(empty):
    with pytest.raises(ValueError, match="no batch in a pass"):
        first(empty)


@pytest.mark.parametrize("batches", [[np.ones(2)], np.ones((2, 2)), ["ab"], generated])
def test_a_batch_is_a_tuple(batches):
    if batches is generated:
        batches = lambda: generated()  # noqa: E731
    with pytest.raises(TypeError, match=r"as \(xs, ys\) or \(xs,\) is: got"):
        first(batches)


def test_batches_are_one_of_these():
    with pytest.raises(TypeError, match=r"a tuple of arrays, a list .* got int"):
        first(3)


def test_sizes_and_places():
    assert [size(b) for b in ((1, 2), LIST, generated, iter(LIST), Again())] == [
        1,
        3,
        None,
        None,
        None,
    ]
    known = [(1, 2), LIST, lambda: (1,)]
    assert all(map(has_place, known))
    assert not any(map(has_place, [generated, generated(), iter(LIST), Again()]))


class Point(Module):
    def __init__(self):
        self.w = mg.parameter(np.array([4.0]))


def training(**options):
    point = Point()

    def loss(x):
        return (point.w * x).sum()

    return Training(point, SGD(point.parameters(), 0.1), loss, **options)


ARRAYS = [(np.array([x]),) for x in (1.0, 2.0, 3.0)]


def arrays():
    yield from ARRAYS


@pytest.mark.parametrize("batches", [ARRAYS, arrays, arrays(), iter(ARRAYS)])
def test_an_epoch_is_all_batches_once(batches):
    one = training()
    history = fit(one, batches, epochs=1)
    assert [p.loss for p in history.steps] == pytest.approx([4.0, 7.8, 11.1])
    np.testing.assert_allclose(one.module.w.data, [4 - 0.6])
    assert history.best_step == 3


@pytest.mark.parametrize("batches", [ARRAYS, arrays])
def test_the_last_step_is_validated_however_long_an_epoch_is(batches):
    values = iter([9.0, 8.0, 7.0, 6.0])
    history = fit(
        training(), batches, epochs=2, validation=lambda: next(values), every=4
    )
    assert [p.validation for p in history.steps] == [9.0] * 3 + [8.0, 8.0, 7.0]
    assert (history.best_step, history.best_validation) == (6, 7.0)


def test_batches_that_end_too_early_are_an_error():
    one = training()
    with pytest.raises(ValueError, match="the batches end after step 3 of 5"):
        fit(one, arrays(), steps=5)
    np.testing.assert_allclose(one.module.w.data, [4 - 0.6])


def test_no_batch_is_taken_that_has_no_step():
    given = iter(ARRAYS)
    fit(training(), given, steps=2)
    assert next(given) is ARRAYS[2]


@pytest.mark.parametrize("options", [{}, {"steps": 1, "epochs": 1}])
def test_a_training_has_a_length(options):
    with pytest.raises(ValueError, match=r"one length, steps or epochs: (write|not)"):
        fit(training(), ARRAYS, **options)


def test_a_list_goes_on_from_a_checkpoint(tmp_path):
    whole, half = training(), training()
    fit(whole, ARRAYS, steps=5)
    fit(half, ARRAYS, steps=2, checkpoint=tmp_path / "a")
    other = training()
    history = fit(other, ARRAYS, steps=5, checkpoint=tmp_path / "a", resume=True)
    assert other.module.w.item() == whole.module.w.item()
    assert [p.step for p in history.steps] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("batches", [arrays, arrays(), iter(ARRAYS)])
def test_what_has_no_place_does_not_go_on(tmp_path, batches):
    fit(training(), ARRAYS, steps=2, checkpoint=tmp_path / "a")
    one = training()
    with pytest.raises(ValueError, match="of an iterator or a generator it is not"):
        fit(one, batches, steps=3, checkpoint=tmp_path / "a", resume=True)
    assert one.module.w.item() == 4.0


class Drawn(Order):
    """An iterator that knows its place."""

    def __iter__(self):
        return self

    def __next__(self):
        return (ARRAYS[self.next()[0]][0],)


def test_an_iterator_that_is_a_part_goes_on(tmp_path):
    def run(steps, resume=False):
        order = Drawn(3, 1, np.random.default_rng(0))
        one = training(also={"order": order, "rng": order.rng})
        path = tmp_path / "a"
        fit(one, order, steps=steps, checkpoint=path, resume=resume)
        return one.module.w.item()

    whole = run(8)
    run(4)
    assert run(8, resume=True) == whole
