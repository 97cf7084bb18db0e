"""The network with a small network inside its transition, and with a way around it.

    z(t) = tanh(b + W h(t-1) + U x(t))
    h(t) = tanh(b' + Q z(t))                            skip=False: figure 10.13 b
    h(t) = tanh(b' + Q z(t) + S h(t-1))                 skip=True: figure 10.13 c
    o(t) = c + V h(t)

Figure 10.13 of Goodfellow, Bengio and Courville; Pascanu (2014). In b the way from
h(t-1) to h(t) has two products in place of one: the step can do more, and the gradient
has twice as far to go. S, around z, makes it short again. The book has the deeper
computation in three places, from x to h, from h to h and from h to o; here it is in the
step alone, and x goes through z too. Figure 10.13 a, layers that each have a
recurrence, is ``ManyToMany(..., layers=2)``.

>>> import numpy as np
>>> import minigrad as mg
>>> def ways(skip):
...     model = DeepTransition(2, 3, 4, rng=np.random.default_rng(0), skip=skip)
...     loss = model.loss(np.ones((5, 1, 2), np.float32), np.zeros((5, 1), int))
...     return [str(e) for e in mg.fold(mg.contract(loss)).edges if e.delay == 1]
>>> ways(skip=False)
['h(t-1) -> z(t) by W']
>>> ways(skip=True)
['h(t-1) -> z(t) by W', 'h(t-1) -> h(t) by S']
"""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minigrad.models.many_to_many import ManyToMany
from minigrad.nn import init
from minigrad.nn.cells import Cell, State
from minigrad.nn.losses import Loss, cross_entropy
from minigrad.ops.elementwise import tanh
from minigrad.tensor import parameter


class Transition(Cell):
    """The cell of this design, for any model that takes a ``cell``.

    ``skip`` adds S h(t-1). W, Q and S start orthogonal; with S, Q is a tenth of that:
    the step begins as a rotation, which the way through z(t) corrects.

    U is (n_in, n_hidden), W, Q and S are (n_hidden, n_hidden), b and b' (n_hidden,).

    ``dtype`` is that of the parameters, float32 by default.

    >>> cell = Transition(2, 3, rng=np.random.default_rng(0))
    >>> (h,) = cell(np.ones((5, 2), np.float32), cell.start(batch=5))
    >>> h.shape
    (5, 3)
    """

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        *,
        rng: np.random.Generator,
        skip: bool = False,
        dtype: DTypeLike = np.float32,
    ) -> None:
        super().__init__(n_in, n_hidden, dtype)
        square = (n_hidden, n_hidden)
        self.U = parameter(init.glorot(rng, (n_in, n_hidden), dtype))
        self.W = parameter(init.orthogonal(rng, square, dtype))
        self.b = parameter(init.zeros(rng, (n_hidden,), dtype), name="b")
        Q = init.orthogonal(rng, square, dtype)
        self.Q = parameter(Q / 10 if skip else Q)
        self.b2 = parameter(init.zeros(rng, (n_hidden,), dtype))
        self.S = parameter(init.orthogonal(rng, square, dtype)) if skip else None

    def forward(self, x: Any, state: State) -> State:
        """From x(t) and h(t-1) to h(t)."""
        (h,) = state
        z = tanh(self.b + h @ self.W + x @ self.U).named("z")
        a = self.b2 + z @ self.Q
        return (tanh(a if self.S is None else a + h @ self.S),)


class DeepTransition(ManyToMany):
    """A recurrent network from a sequence to one of the same length, deep in its step.

    Parameters
    ----------
    n_in, n_hidden, n_out: the sizes of x(t), of z(t) and h(t), and of o(t).
    skip: whether h(t-1) also goes around z(t).
    loss: L(t) as a function of o(t) and y(t).
    dtype: of the parameters, float32 by default.

    xs is (time, batch, n_in), the outputs are (time, batch, n_out); V is (n_hidden,
    n_out), c (n_out,), the rest as in ``Transition``.
    """

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        n_out: int,
        *,
        rng: np.random.Generator,
        skip: bool = False,
        loss: Loss = cross_entropy,
        dtype: DTypeLike = np.float32,
    ) -> None:
        cell = partial(Transition, skip=skip)
        super().__init__(
            n_in, n_hidden, n_out, rng=rng, loss=loss, cell=cell, dtype=dtype
        )
