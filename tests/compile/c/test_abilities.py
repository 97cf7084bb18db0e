"""What C has words for, of values that NumPy must compute otherwise."""

import numpy as np
import pytest

from minigrad.compile import kernels
from minigrad.compile.c.abilities import Abilities, is_said
from minigrad.compile.counts import Count, Steps
from minigrad.compile.kinds import O
from minigrad.compile.values import apply, argument, constant, each, read
from minigrad.op import registry

WHOLE = Steps(0, Count(0, 1), Count(1, 0))


def x(*shape, dtype="float32"):
    return argument("x", shape, dtype)


SAID = [
    apply(O.tanh, x(2, 3)),
    apply(O.matmul, x(2, 3), x(3, 4)),
    apply(O.log_softmax, x(2, 4096)),
    apply(O.softmax, x(2, 50000)),
    apply(O.softmax, x(2, 3), axis=0),
    apply(O.sum, x(2, 3), axis=(0, 1)),
    apply(O.embedding, x(5, 3), x(2, dtype="int64")),
    apply(O.add, x(2, 3), constant(2.0)),
    apply(O.tanh, read(argument("xs", (Count(1, 0), 3), "float64"), WHOLE)),
    apply(O.transpose, x(2, 3)),
]
UNSAID = [
    apply(O.tanh, x(2, 3, dtype="float16")),
    apply(O.matmul, x(2, 3), x(3, 4, dtype="float64")),
    apply(O.log_softmax, x(2, 4097)),
    apply(O.softmax, x(2, 3), axis=(0, 1)),
    apply(O.logsumexp, x(2, 3), axis=None),
    apply(O.tanh, x(0, 3)),
    apply(O.sum, x(2, 3, dtype="int64"), axis=0),
    apply(registry["cumsum"], x(2, 3), axis=0),
    apply(O.flip, each(x(2, 3), WHOLE), axis=0),
    apply(O.embedding, x(5, 3), x(2, dtype="uint8")),
]


@pytest.mark.parametrize("v", SAID, ids=repr)
def test_what_is_said(v):
    assert is_said(v)


@pytest.mark.parametrize("v", UNSAID, ids=repr)
def test_what_is_not_said(v):
    assert not is_said(v)


def test_what_is_known_of_the_parts_of_a_program():
    able = Abilities()
    said, view, other = SAID[0], SAID[-1], UNSAID[7]
    able.learn([said, view, other])
    assert able.writes(said)
    assert able.fresh(said)
    assert able.in_place(said)
    assert not able.fresh(view)
    assert not able.writes_all(other)
    able.refused.add(said)
    able.learn([said])
    assert said not in able.said
    shift = apply(kernels.shift, x(2, 3))
    able.learn([shift, SAID[1]])
    assert able.in_place(shift)
    assert not able.in_place(SAID[1])
    assert np.dtype(shift.dtype) == np.float32
