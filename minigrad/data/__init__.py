"""Sequences to learn from: bundled series and how they are asked of a network.

>>> s = sunspots()
>>> scale = Scale.of(s.between(1700, 1920))
>>> x, y = one_step_ahead(scale.apply(s.values))
>>> x.shape
(308, 1, 1)
"""

from minigrad.data.bundled import sunspots
from minigrad.data.series import Scale, Series, one_step_ahead

__all__ = ["Scale", "Series", "one_step_ahead", "sunspots"]
