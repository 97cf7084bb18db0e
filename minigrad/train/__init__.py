"""Training: the loop, and files that are whole or not there.

Vocabulary
    step         one gradient and one change of the parameters
    validation   a number for how well the network does on what it is not fitted to;
                 the parameters that had the lowest are the ones that training leaves
    callback     a function that is told of every step (a progress bar is one)

>>> import numpy as np
>>> import minigrad as mg
>>> from minigrad.nn import Module
>>> from minigrad.optim import SGD
>>> class Point(Module):
...     def __init__(self):
...         self.w = mg.parameter(np.array([4.0]))
>>> point = Point()
>>> training = Training(
...     point,
...     SGD(point.parameters(), lr=0.1),
...     loss=lambda: ((point.w - 3.0) ** 2).sum(),
... )
>>> history = fit(
...     training, steps=20, validation=lambda: abs(point.w.data.item() - 3.5)
... )
>>> history.best_step, round(point.w.data.item(), 2)
(3, 3.51)
"""

from minigrad.files import replacing
from minigrad.train.checkpoint import (
    load_checkpoint,
    load_weights,
    save_checkpoint,
    save_weights,
)
from minigrad.train.finite import first_not_finite
from minigrad.train.flow import information_flow
from minigrad.train.loop import History, fit
from minigrad.train.progress import Progress, bar
from minigrad.train.record import curves, write_log
from minigrad.train.training import Training

__all__ = [
    "History",
    "Progress",
    "Training",
    "bar",
    "curves",
    "first_not_finite",
    "fit",
    "information_flow",
    "load_checkpoint",
    "load_weights",
    "replacing",
    "save_checkpoint",
    "save_weights",
    "write_log",
]
