"""What a small change of the state becomes: Jacobians and Lyapunov exponents.

>>> import minigrad as mg
>>> h = mg.tensor([[0.3]], name="h0")
>>> for t in mg.steps(3):
...     h = (4 * h * (1 - h)).named("h")  # the logistic map, whose exponent is ln 2
>>> found = lyapunov(mg.fold(h), {"h": [[0.3]]}, {}, steps=4000)
>>> round(float(found.exponents.item()), 2)
0.69
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from minigrad.analysis.chart import marked, over_steps
from minigrad.analysis.steps import Array, Given, checked, flat, walk
from minigrad.fold import Recurrence

NAMES = ("largest", "middle", "smallest")


@dataclass(frozen=True, eq=False)
class Jacobians:
    """∂h(t)/∂h(t-1) for t = 1 .. T: ``matrices`` (T, batch, n, n), row by column.

    A state of several parts, h and s of an LSTM, is one vector of n numbers in the
    order of ``names``; so are states of several steps back.

    >>> import minigrad as mg
    >>> h = mg.tensor([[1.0]], name="h0")
    >>> for t in mg.steps(3):
    ...     h = (0.5 * h).named("h")
    >>> found = jacobians(mg.fold(h), {"h": [[1.0]]}, {}, steps=3)
    >>> isinstance(found, Jacobians), found.product.tolist()
    (True, [[[0.125]]])
    >>> found.plot().get_xlabel()
    't'
    """

    names: tuple[str, ...]
    matrices: Array

    @cached_property
    def singular_values(self) -> Array:
        """How much each step stretches, (T, batch, n), the largest first."""
        return np.linalg.svd(self.matrices, compute_uv=False)

    @property
    def product(self) -> Array:
        """∂h(T)/∂h(0), (batch, n, n): what is left of a change of the first state."""
        whole = np.eye(self.matrices.shape[-1])
        for J in self.matrices:
            whole = J @ whole
        return np.asarray(whole)

    def plot(self, axes: Any = None) -> Any:
        """The largest, the middle and the smallest singular value over t.

        Each is the geometric mean over the batch. Returns matplotlib axes.
        """
        tiny = np.finfo(float).tiny
        values = np.exp(np.log(np.maximum(self.singular_values, tiny)).mean(axis=1))
        n, y = values.shape[1], "singular values of ∂h(t)/∂h(t-1)"
        axes = over_steps(axes, y, values[:, [0, n // 2, n - 1]], NAMES)
        axes.set_yscale("log")
        return marked(axes, 1.0)


def jacobians(
    recurrence: Recurrence,
    state: Given,
    inputs: Given,
    parameters: Given | None = None,
    steps: int | None = None,
) -> Jacobians:
    """The Jacobian of every step of a run (sect. 10.7; Pascanu 2013).

    Parameters
    ----------
    recurrence: ``mg.fold`` of what ran, of operations; see ``Recurrence.step``.
    state: the first state, an array (batch, ...) for each of ``recurrence.states``.
    inputs: sequences (T, batch, ...) by the names that ``Recurrence.step`` knows.
    parameters: in place of those of the recurrence, by name.
    steps: how many, where the loop reads no sequence.

    All is computed in float64. Raises ValueError where a sequence of the batch depends
    on another one.

    >>> import minigrad as mg
    >>> W, h = mg.parameter([[0.0, 2.0], [0.5, 0.0]], name="W"), mg.zeros((1, 2))
    >>> for t in mg.steps(3):
    ...     h = (h @ W).named("h")
    >>> jacobians(mg.fold(h), {"h": [[1, 1]]}, {}, steps=5).singular_values[4]
    array([[2. , 0.5]])
    """
    run = walk(recurrence, state, inputs, parameters, steps)
    matrices = np.stack([J for _, _, J in run])
    return Jacobians(tuple(recurrence.states), matrices)


@dataclass(frozen=True, eq=False)
class Lyapunov:
    """``exponents`` (batch, n), the largest first, in natural logarithms a step.

    ``running`` (T, batch, n) is what they were estimated as after each step, in the
    order of the directions that are followed.

    >>> import minigrad as mg
    >>> h = mg.tensor([[1.0]], name="h0")
    >>> for t in mg.steps(3):
    ...     h = (0.5 * h).named("h")
    >>> found = lyapunov(mg.fold(h), {"h": [[1.0]]}, {}, steps=8)
    >>> isinstance(found, Lyapunov), found.exponents.round(4).tolist()  # ln 1/2
    (True, [[-0.6931]])
    >>> found.plot().get_xlabel()
    't'
    """

    exponents: Array
    running: Array

    def plot(self, axes: Any = None) -> Any:
        """The running estimates of the first sequence. Returns matplotlib axes."""
        y = "Lyapunov exponents, a step"
        return marked(over_steps(axes, y, self.running[:, 0]), 0.0)


def lyapunov(
    recurrence: Recurrence,
    state: Given,
    inputs: Given,
    parameters: Given | None = None,
    steps: int | None = None,
) -> Lyapunov:
    """The mean rates at which small changes grow along a run (Benettin 1980).

    n directions are carried along by the Jacobians and made orthogonal at each step;
    the exponents are the mean logarithms of their lengths, and their sum is the mean of
    ``log |det ∂h(t)/∂h(t-1)|``. One above 0 is chaos. A direction that a step loses
    whole has -inf. Arguments are those of ``jacobians``.
    """
    vectors = flat(checked(recurrence, state))
    batch, n = vectors.shape
    Q = np.broadcast_to(np.eye(n), (batch, n, n))
    total, running = np.zeros((batch, n)), []
    for t, _, J in walk(recurrence, state, inputs, parameters, steps):
        Q, R = np.linalg.qr(J @ Q)
        with np.errstate(divide="ignore"):
            total = total + np.log(np.abs(np.diagonal(R, axis1=1, axis2=2)))
        running.append(total / t)
    return Lyapunov(np.sort(running[-1])[:, ::-1], np.stack(running))
