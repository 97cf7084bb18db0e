"""Parts of networks: the module, the ways to start its parameters, the losses.

Vocabulary
    module       what holds parameters and computes with them; calling it opens a scope,
                 so the graph knows which part of the network made a node
    path         where a parameter sits in a module: ``W``, ``cell.W``, ``layers.0.W``
    state        the arrays of all parameters by path; what is saved and loaded

>>> import numpy as np
>>> import minigrad as mg
>>> from minigrad.nn import Module, init
>>> class Readout(Module):
...     def __init__(self, n_hidden, n_out, rng):
...         self.V = mg.parameter(init.glorot(rng, (n_hidden, n_out)))
...         self.c = mg.parameter(init.zeros(rng, (n_out,)))
...     def forward(self, h):
...         return h @ self.V + self.c
>>> readout = Readout(3, 2, np.random.default_rng(0))
>>> [(path, p.shape) for path, p in readout.named_parameters()]
[('V', (3, 2)), ('c', (2,))]
>>> readout(mg.tensor(np.ones((4, 3)), name="h")).shape
(4, 2)
"""

from typing import TYPE_CHECKING

from minigrad.advice import names_of
from minigrad.nn import init, losses
from minigrad.nn.layers import Dropout, Embedding, LayerNorm, Linear, Sequential
from minigrad.nn.module import Module

__all__ = [
    "Dropout",
    "Embedding",
    "LayerNorm",
    "Linear",
    "Module",
    "Sequential",
    "init",
    "losses",
]

if not TYPE_CHECKING:
    __getattr__ = names_of(__name__)
