"""Optimisers: from the gradients that `backward` left to new parameters.

An optimiser takes the parameters once. `step()` reads each ``p.grad`` and assigns to
every parameter, so the graph that gave the gradients stays as it was and can be drawn.
A step is made whole or not at all, also where an error or Ctrl-C ends it.

What a step does is one function, ``update(p, g, memory, lr, step)``. Given arrays it
computes; given Tensors it records, so that a program may hold a whole training step.

Parameters of float16 are changed, and what an optimiser remembers of them is kept, in
float32: float16 holds neither eps = 1e-8 nor the square of a small gradient.

>>> import minigrad as mg
>>> w = mg.parameter([4.0], name="w")
>>> optimiser = SGD([w], lr=0.1)
>>> for _ in range(100):
...     ((w - 3.0) ** 2).sum().backward()
...     optimiser.step()
>>> round(w.data.item(), 6)
3.0
"""

from typing import TYPE_CHECKING

from minigrad.advice import names_of
from minigrad.optim.clipping import clip_by_element, clip_by_norm
from minigrad.optim.methods import SGD, Adam, AdamW, Groups, RMSProp
from minigrad.optim.optimiser import Optimiser, Schedule
from minigrad.optim.schedules import cosine, exponential, warm_up

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Groups",
    "Optimiser",
    "RMSProp",
    "Schedule",
    "clip_by_element",
    "clip_by_norm",
    "cosine",
    "exponential",
    "warm_up",
]

if not TYPE_CHECKING:
    __getattr__ = names_of(__name__)
