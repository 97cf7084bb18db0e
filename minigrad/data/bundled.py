"""What comes with minigrad, as text files that name their source at the top.

>>> sunspots().between(1957, 1957).values.tolist()
[190.2]
"""

import gzip
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minigrad.data.series import Series


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
    """The series of a bundled file: comment lines, a header, then `year,value`.

    >>> yearly("sunspots.csv").years[:2].tolist()
    [1700, 1701]
    """
    text = files("minigrad.data").joinpath(name).read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if not line.startswith("#")][1:]
    years, values = np.loadtxt(rows, delimiter=",", unpack=True)
    return Series(years.astype(np.int64), values)


def first_names() -> list[str]:
    """First names of the US census of 1990, lower case, the frequent ones first.

    Public domain, by way of the PyPI package names 0.3.0 (MIT).

    >>> first_names()[:2], len(first_names())
    (['mary', 'patricia'], 5163)
    """
    text = files("minigrad.data").joinpath("first_names.txt").read_text("utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]


def digits() -> tuple[NDArray[Any], NDArray[np.int64]]:
    """1,797 handwritten digits: images (1797, 8, 8) in 0..1, float32, and classes.

    Alpaydin and Kaynak (1998), UCI id 80, CC BY 4.0, by way of scikit-learn (BSD-3).

    >>> images, classes = digits()
    >>> images.shape, int(classes[0])
    ((1797, 8, 8), 0)
    """
    packed = files("minigrad.data").joinpath("digits.csv.gz").read_bytes()
    rows = gzip.decompress(packed).decode("utf-8").splitlines()
    table = np.loadtxt(rows, delimiter=",", dtype=np.int64)
    images = (table[:, :-1] / 16).astype(np.float32).reshape(-1, 8, 8)
    return images, table[:, -1]


def english() -> str:
    """The help texts of the Python that runs this: some hundred kB of plain English.

    >>> len(english()) > 100_000
    True
    """
    from pydoc_data.topics import topics

    text = "\n".join(topics[name] for name in sorted(topics))
    return "".join(c for c in text if c == "\n" or 32 <= ord(c) < 127)
