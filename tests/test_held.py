"""Values that stay where they are until somebody looks."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.assign import assign_all
from minigrad.held import Held, held, on_device


class Far:
    """An array of a device, which counts how often it is copied."""

    def __init__(self, array):
        self.array, self.copies = np.array(array), 0
        self.shape, self.dtype = self.array.shape, self.array.dtype

    def __dlpack__(self):
        raise AssertionError

    def __array__(self, dtype=None, copy=None):
        self.copies += 1
        return np.array(self.array, dtype)


def test_a_parameter_stays_where_it_is_until_it_is_read():
    p, far = mg.parameter([1.0, 2.0], name="p"), Far([3.0, 4.0])
    p.assign(far)
    assert type(p.node) is Held
    assert p.shape == (2,)
    assert held(p.node) is far
    assert not far.copies
    assert p.data.tolist() == [3.0, 4.0]
    assert p.data.tolist() == [3.0, 4.0]
    assert far.copies == 1
    assert type(p.node) is not Held
    assert not p.data.flags.writeable
    p.assign(Far([5.0, 6.0]))
    p.assign([7.0, 8.0])
    assert p.data.tolist() == [7.0, 8.0]
    loss = (p * p).sum()
    p.assign(Far([0.0, 0.0]))
    with pytest.raises(RuntimeError, match="changed by assign"):
        loss.backward()


def test_another_dtype_or_shape_is_looked_at():
    p = mg.parameter(np.ones(2, np.float32), name="p")
    p.assign(Far([3.0, 4.0]))
    assert type(p.node) is not Held
    assert p.dtype == np.float32
    q = mg.parameter([1.0], name="q")
    with pytest.raises(ValueError, match=r"q has shape \(1,\), cannot assign"):
        assign_all([(p, [0.0, 0.0]), (q, Far([3.0, 4.0]))])
    assert p.data.tolist() == [3.0, 4.0]


def test_what_is_an_array_of_a_device():
    assert on_device(Far([1.0]))
    for other in (np.ones(2), np.float64(1), [1.0], 1.0, mg.tensor(1.0), None):
        assert not on_device(other)
