"""check_module and check_recurrent: on what is right, and on what is planted."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.nn import Module, cells
from minigrad.testing import GradientError, check_module, check_recurrent

CELLS = {
    "elman": cells.Elman(2, 3, rng=np.random.default_rng(0)),
    "lstm": cells.LSTM(2, 3, rng=np.random.default_rng(1)),
    "gru": cells.GRU(2, 3, rng=np.random.default_rng(2)),
    "mingru": cells.MinGRU(2, 3, rng=np.random.default_rng(3)),
}


@pytest.mark.parametrize("name", CELLS)
def test_the_cells_keep_the_promises(name):
    before = CELLS[name].state_dict()
    check_recurrent(CELLS[name])
    after = CELLS[name].state_dict()
    assert all(before[k] is after[k] for k in before), "the parameters are as they were"


class Bad(cells.Elman):
    """An Elman cell that each test spoils."""

    def forward(self, x, state):
        (h,) = super().forward(x, state)
        return (self.spoil(h),)


def bad(spoil):
    cell = Bad(2, 3, rng=np.random.default_rng(0))
    cell.spoil = spoil
    return cell


def test_rows_that_mix_are_found():
    with pytest.raises(GradientError, match="a row of the batch depends on other rows"):
        check_recurrent(bad(lambda h: h + mg.mean(h, axis=0, keepdims=True)))


def test_a_count_of_the_steps_is_found():
    calls = []

    def spoil(h):
        calls.append(None)
        return h * float(len(calls))

    with pytest.raises((GradientError, mg.FoldError)):
        check_recurrent(bad(spoil))


def test_a_memory_beside_the_state_is_found():
    kept = {}

    def spoil(h):
        if mg.Graph(h).steps == 1:
            kept["h"] = h
        return h + kept["h"]

    with pytest.raises((GradientError, mg.FoldError)):
        check_recurrent(bad(spoil))


class Line(Module):
    def __init__(self):
        self.w = mg.parameter(np.array([1.0, 2.0], np.float32))
        self.b = mg.parameter(np.float32(0.5))

    def forward(self, x):
        return self.w * x + self.b


def test_a_float32_module_is_checked_in_float64_and_left_alone():
    line = Line()
    check_module(line, lambda line: mg.tanh(line(np.ones(2))).sum())
    assert line.w.dtype == np.float32


def test_an_unreached_parameter_is_named():
    with pytest.raises(GradientError, match="does not reach the parameter b"):
        check_module(Line(), lambda line: (line.w * 2).sum())


def test_a_random_loss_is_named():
    rng = np.random.default_rng(0)
    with pytest.raises(GradientError, match="another value when computed again"):
        check_module(Line(), lambda line: line(rng.normal(size=2)).sum())


def test_a_wrong_gradient_is_named():
    def loss(line):
        y = line(np.ones(2))
        return (y * y.detach()).sum()

    with pytest.raises(
        GradientError, match=r"(?s)Line: the gradient by w .* 2 times too sm"
    ):
        check_module(Line(), loss)


def test_a_module_without_parameters_is_a_taught_error():
    with pytest.raises(ValueError, match="Module has no parameters to check"):
        check_module(Module(), lambda model: mg.tensor(1.0))
