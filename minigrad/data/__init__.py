"""Sequences to learn from: bundled, made or loaded, and how they become arrays.

>>> s = sunspots()
>>> scale = Scale.of(s.between(1700, 1920))
>>> x, y = one_step_ahead(scale.apply(s.values))
>>> x.shape
(308, 1, 1)
"""

from minigrad.data import generators, loaders
from minigrad.data.bundled import digits, english, first_names, sunspots
from minigrad.data.sequences import (
    Order,
    Vocabulary,
    one_hot,
    pad,
    standardise,
    streams,
    windows,
)
from minigrad.data.series import Scale, Series, one_step_ahead

__all__ = [
    "Order",
    "Scale",
    "Series",
    "Vocabulary",
    "digits",
    "english",
    "first_names",
    "generators",
    "loaders",
    "one_hot",
    "one_step_ahead",
    "pad",
    "standardise",
    "streams",
    "sunspots",
    "windows",
]
