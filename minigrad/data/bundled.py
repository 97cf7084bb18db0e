"""Series that come with minigrad, as CSV files that name their source at the top.

>>> sunspots().between(1957, 1957).values.tolist()
[190.2]
"""

from importlib.resources import files

import numpy as np

from minigrad.data.series import Series

__all__ = ["sunspots"]


def sunspots() -> Series:
    """The yearly mean sunspot number, 1700-2008, in the scale used before 2015.

    Weigend, Huberman and Rumelhart (1990) and the papers after them forecast these
    numbers one year ahead. Source: National Geophysical Data Center, public domain.

    >>> s = sunspots()
    >>> len(s), s.years[0], s.years[-1]
    (309, np.int64(1700), np.int64(2008))
    """
    return yearly("sunspots.csv")


def yearly(name: str) -> Series:
    """The series of a bundled file: comment lines, a header, then `year,value`."""
    text = files("minigrad.data").joinpath(name).read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if not line.startswith("#")][1:]
    years, values = np.loadtxt(rows, delimiter=",", unpack=True)
    return Series(years.astype(np.int64), values)
