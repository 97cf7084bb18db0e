"""Series, their scale and the one-step-ahead question."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.data import Scale, Series, one_step_ahead

NUMBERS = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20)


def series(values, first=1700):
    values = np.asarray(values, dtype=float)
    return Series(np.arange(first, first + len(values)), values)


def test_between_takes_both_ends():
    s = series([1, 2, 3, 4]).between(1701, 1703)
    assert s.years.tolist() == [1701, 1702, 1703]
    assert s.values.tolist() == [2, 3, 4]
    assert len(s) == 3


@pytest.mark.parametrize(("first", "last"), [(1699, 1701), (1702, 1704), (1702, 1701)])
def test_between_refuses_years_it_does_not_have(first, last):
    with pytest.raises(ValueError, match=f"{first}-{last} are not all in .* 1700-1703"):
        series([1, 2, 3, 4]).between(first, last)


def test_a_missing_year_is_named():
    with pytest.raises(ValueError, match="1703 follows 1701"):
        Series(np.array([1700, 1701, 1703]), np.zeros(3))


def test_lengths_must_agree():
    with pytest.raises(ValueError, match=r"\(2,\) and values \(3,\)"):
        Series(np.array([1700, 1701]), np.zeros(3))


@given(NUMBERS)
def test_scale_standardises_its_own_years_and_inverts(values):
    s = series(values)
    if s.values.std() < 1e-6:
        return
    scale = Scale.of(s)
    scaled = scale.apply(s.values)
    np.testing.assert_allclose(scaled.mean(), 0, atol=1e-6)
    np.testing.assert_allclose(scaled.std(), 1, rtol=1e-6)
    np.testing.assert_allclose(scale.invert(scaled), s.values, atol=1e-9, rtol=1e-9)


def test_scale_does_not_see_later_years():
    s = series([1.0, 2.0, 3.0, 1000.0])
    assert Scale.of(s.between(1700, 1702)) == Scale.of(series([1.0, 2.0, 3.0]))


def test_a_constant_series_has_no_scale():
    with pytest.raises(ValueError, match="deviation is 0"):
        Scale.of(series([2, 2, 2]))


@given(NUMBERS)
def test_targets_are_the_inputs_one_step_later(values):
    x, y = one_step_ahead(values)
    assert x.shape == y.shape == (len(values) - 1, 1, 1)
    np.testing.assert_array_equal(x[1:], y[:-1])
    np.testing.assert_array_equal(x[0], values[0])
    np.testing.assert_array_equal(y[-1], values[-1])


@pytest.mark.parametrize("values", [[], [1.0], [[1.0, 2.0]]])
def test_one_step_ahead_needs_a_series(values):
    with pytest.raises(ValueError, match="two values or more"):
        one_step_ahead(values)
