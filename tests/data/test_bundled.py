"""The bundled files say what their source says."""

import numpy as np

from minigrad.data import sunspots


def test_sunspots_are_the_series_of_the_literature():
    s = sunspots()
    assert s.years.tolist() == list(range(1700, 2009))
    assert s.values.dtype == np.float64
    known = {1700: 5, 1778: 154.4, 1810: 0, 1920: 37.6, 1957: 190.2, 2008: 2.9}
    assert {year: s.values[year - 1700] for year in known} == known
    # The variance that the literature rounds to 1535 is 1495.6 in this copy.
    assert round(s.between(1700, 1979).values.var(), 1) == 1495.6


def test_each_call_gives_its_own_arrays():
    sunspots().values[:] = 0
    assert sunspots().values.max() == 190.2
