"""A series over time, the scale it is learnt in, and what is asked of a network.

A `Series` is numbers with their years. A `Scale` takes them to mean 0 and standard
deviation 1; it is measured on the training years alone, so nothing of the years to be
forecast leaks into what the network is shown. `one_step_ahead` turns a series into the
network's question: x(t) = s(t), y(t) = s(t + 1).

>>> s = Series(np.arange(1700, 1704), np.array([5.0, 11.0, 16.0, 23.0]))
>>> scale = Scale.of(s.between(1700, 1701))
>>> x, y = one_step_ahead(scale.apply(s.values))
>>> x.shape, y.shape
((3, 1, 1), (3, 1, 1))
>>> scale.invert(y[:, 0, 0]).tolist()
[11.0, 16.0, 23.0]
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """Yearly numbers: `years` (n,) whole and rising by one, `values` (n,) float64.

    Raises ValueError where a year is missing or the two lengths differ.

    >>> Series(np.array([1700, 1702]), np.array([5.0, 16.0]))
    Traceback (most recent call last):
        ...
    ValueError: a Series has every year once and in order, but 1702 follows 1700
    """

    years: NDArray[np.int64]
    values: Array

    def __post_init__(self) -> None:
        if self.years.shape != self.values.shape or self.years.ndim != 1:
            raise ValueError(
                "a Series has one value a year, but years have shape "
                f"{self.years.shape} and values {self.values.shape}"
            )
        gaps = np.flatnonzero(np.diff(self.years) != 1)
        if gaps.size:
            before, after = self.years[gaps[0]], self.years[gaps[0] + 1]
            raise ValueError(
                "a Series has every year once and in order, "
                f"but {after} follows {before}"
            )

    def __len__(self) -> int:
        return len(self.years)

    def between(self, first: int, last: int) -> "Series":
        """The years from `first` to `last`, both included.

        Raises ValueError where the series does not have them all.

        >>> s = Series(np.arange(1700, 1704), np.array([5.0, 11.0, 16.0, 23.0]))
        >>> s.between(1701, 1702).values.tolist()
        [11.0, 16.0]
        """
        start, end = int(self.years[0]), int(self.years[-1])
        if not start <= first <= last <= end:
            raise ValueError(
                f"the years {first}-{last} are not all in the series {start}-{end}"
            )
        there = slice(first - start, last - start + 1)
        return Series(self.years[there], self.values[there])


@dataclass(frozen=True)
class Scale:
    """The change of units `(values - mean) / deviation`.

    >>> Scale(mean=10.0, deviation=2.0).apply([10.0, 14.0]).tolist()
    [0.0, 2.0]
    """

    mean: float
    deviation: float

    @classmethod
    def of(cls, training: Series) -> "Scale":
        """The scale in which `training` has mean 0 and standard deviation 1.

        Raises ValueError for a constant series.
        """
        deviation = float(training.values.std())
        if deviation == 0:
            raise ValueError("a constant series has no scale: its deviation is 0")
        return cls(float(training.values.mean()), deviation)

    def apply(self, values: ArrayLike) -> Array:
        """From the units of the series to the scale's."""
        return (np.asarray(values, np.float64) - self.mean) / self.deviation

    def invert(self, scaled: ArrayLike) -> Array:
        """From the scale's units back to those of the series."""
        return np.asarray(scaled, np.float64) * self.deviation + self.mean


def one_step_ahead(values: ArrayLike) -> tuple[Array, Array]:
    """The inputs x(t) = s(t) and targets y(t) = s(t + 1) of a series (n,).

    Both are time-major, (n - 1, 1, 1): time, one sequence, one feature. Raises
    ValueError for fewer than two values.

    >>> x, y = one_step_ahead([1.0, 2.0, 3.0])
    >>> x.ravel().tolist(), y.ravel().tolist()
    ([1.0, 2.0], [2.0, 3.0])
    """
    s = np.asarray(values, np.float64)
    if s.ndim != 1 or len(s) < 2:
        raise ValueError(
            f"one step ahead needs a series of two values or more, got shape {s.shape}"
        )
    return s[:-1, None, None], s[1:, None, None]
