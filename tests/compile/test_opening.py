"""Composites opened into parts, and arrays over all steps into steps."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.compile import kernels, opening
from minigrad.compile.counts import Count, Steps
from minigrad.compile.kinds import O
from minigrad.compile.rules import for_numpy
from minigrad.compile.values import (
    Time,
    Value,
    apply,
    argument,
    constant,
    each,
    over,
    read,
)
from minigrad.fold.moving_index import Ahead
from tests.compile.interpret import interpret

from .traces import Trace, close

WHOLE = Steps(0, Count(0, 1), Count(1, 0))
XS = argument("xs", (Count(1, 0), 3, 2), "float64")
YS = argument("ys", (Count(1, 0), 3), "int64")
X = read(XS, WHOLE)


def test_a_spread_is_told_its_shape():
    number = constant(np.float64(2.0))
    made = opening.known_shape(apply(O.spread, number, constant(np.ones((3, 2)))))
    assert made.op is O.broadcast_to
    assert made.attrs == {"shape": (3, 2)}
    rows = constant(np.ones(3))
    made = opening.known_shape(apply(O.spread, rows, constant(np.ones((3, 2))), axis=1))
    assert made.inputs[0].attrs == {"shape": (3, 1)}
    made = opening.known_shape(apply(O.spread_mean, number, XS))
    assert made.inputs[0].op is kernels.share  # the number of elements depends on T


def test_what_is_broadcast_is_read_as_it_was():
    wide = apply(O.broadcast_to, constant(np.float64(2.0)), shape=(3, 2))
    made = opening.narrow(apply(O.multiply, X, each(wide, WHOLE)))
    assert made.inputs[1].inputs[0].shape == ()
    assert opening.narrow(apply(O.multiply, wide, wide)) is None


def test_a_softmax_and_a_loss_read_the_same_exponentials():
    o = each(constant(np.ones((3, 4)), "o"), WHOLE)
    made = opening.open_losses(apply(O.softmax, o))
    assert [i.op for i in made.inputs] == [O.exp, O.sum]
    assert opening.open_losses(apply(O.softmax, o, axis=0)) is None
    y = each(constant(np.zeros(3, int), "y"), WHOLE)
    loss = opening.open_losses(apply(O.cross_entropy, o, y, reduction="none"))
    assert loss.op is kernels.losses
    smooth = apply(O.cross_entropy, o, y, label_smoothing=0.1)
    assert opening.open_losses(smooth) is None


@pytest.mark.parametrize("axis", [-1, 0, (0, 1)])
def test_a_norm_and_its_gradient_share_their_parts(axis):
    x = np.random.default_rng(0).normal(size=(3, 4))
    gain, bias = np.linspace(1, 2, 4), np.linspace(-1, 0, 4)

    def loss(x, gain, bias):
        y = mg.layer_norm(x, gain, bias, axis=axis)
        return [y, *mg.grad((y * y * y).sum(), [x, gain, bias])]

    trace = Trace(loss, *[mg.tensor(a, requires_grad=True) for a in (x, gain, bias)])
    program = for_numpy(trace.program())
    close(interpret(program, trace.arguments, {}), trace.values)
    assert len([v for v in program.values if v.op is O.sqrt]) == 1
    half = apply(
        O.layer_norm, constant(x.astype("float16")), constant(1.0), constant(0.0)
    )
    assert opening.open_norms(half) is None


def test_a_stack_moves_outward_until_somebody_reads_a_step_or_sums():
    every = over(X)
    V = constant(np.ones((2, 4)), "V")
    product = opening.by_step(apply(O.matmul, every, V))
    assert product.op is Time.over
    assert product.inputs[0].op is O.matmul
    losses = opening.by_step(apply(O.cross_entropy, product, YS, reduction="none"))
    assert losses.op is Time.over
    assert losses.inputs[0].inputs[1].op is Time.read
    assert opening.by_step(apply(O.sum, losses)).op is Time.total
    assert opening.by_step(apply(O.sum, losses, axis=1)).op is Time.over
    assert opening.by_step(read(every, WHOLE)) is X
    flipped = apply(O.flip, every, axis=0)
    assert opening.by_step(flipped) is None


@pytest.mark.parametrize("op", [O.softmax, O.log_softmax, O.logsumexp, kernels.shift])
def test_what_runs_along_the_steps_alone_stays_as_it_is(op):
    number = apply(O.sum, X)
    assert opening.by_step(apply(op, over(number))) is None
    assert opening.by_step(apply(op, over(each(constant(0.5), WHOLE)))) is None
    last = {} if op is kernels.shift else {"axis": -1}
    assert opening.by_step(apply(op, over(X), **last)).op is Time.over


def test_what_mixes_steps_stays_as_it_is():
    every = over(X)
    for value in (
        apply(O.sum, every, axis=(1, 2), keepdims=True),
        apply(O.softmax, every, axis=0),
        apply(O.max, every),
        apply(O.reshape, every, shape=(-1, 2)),
    ):
        made = opening.by_step(value)
        assert made is None or made.op is Time.over
    assert opening.by_step(apply(O.softmax, every, axis=0)) is None


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
        ([], None),
        ([(slice(0, 2), slice(0, 1)), (slice(2, 4), slice(1, 3))], None),
        ([(slice(0, 2), slice(None), slice(None)), slice(2, 4)], None),
        ([slice(0, Ahead(0)), slice(2, 4)], None),  # moves with t
        ([slice(0, Count(1, 0)), slice(2, 4)], None),  # depends on T
    ],
)
def test_what_tiles_an_axis(keys, tiles):
    assert opening.tiles(tuple(keys), (4, 3)) == tiles


def test_axes_of_a_stack_are_one_less_of_a_step():
    turned = opening.by_step(apply(O.swapaxes, over(X), axis1=1, axis2=-1))
    assert turned.inputs[0].attrs == {"axis1": 0, "axis2": 1}
    summed = opening.by_step(apply(O.sum, over(X), axis=(1, 2)))
    assert summed.inputs[0].attrs["axis"] == (0, 1)
    assert opening.by_step(apply(O.swapaxes, over(X), axis1=0, axis2=1)) is None


def test_pieces_that_an_index_places_are_not_laid_side_by_side():
    like, piece = (constant(np.ones(n)) for n in (3, 3))
    index = constant(np.arange(3))
    keys = {"keys": (None, slice(0, 3), None)}
    scatter = Value(O.scatter_n, (like, piece, index), keys, (3,), "float64")
    assert opening.known_shape(scatter) is None
    assert opening.tiles((slice(0, 2, 2), slice(2, 4)), (4,)) is None


def test_a_loss_of_smoothed_or_unknown_classes_is_left_whole():
    y = constant(np.zeros(3, int), "y")
    smooth = apply(O.cross_entropy, constant(np.ones((3, 4))), y, label_smoothing=0.1)
    assert opening.open_losses(smooth) is None
    half = apply(O.cross_entropy, constant(np.ones((3, 4), "float16")), y)
    assert opening.open_losses(half) is None
