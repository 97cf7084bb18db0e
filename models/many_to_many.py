"""The network with an output at every step, and recurrence between hidden units.

    a(t) = b + W h(t-1) + U x(t)        (eq. 10.8)
    h(t) = tanh a(t)                    (eq. 10.9)
    o(t) = c + V h(t)                   (eq. 10.10)
    L    = mean over t of L(t),         L(t) of o(t) and y(t), for instance
                                        -log softmax(o(t)) at y(t)   (eq. 10.11-10.14)

Figure 10.3 of Goodfellow, Bengio and Courville; the simple recurrent network of Elman
(1990). The book writes column vectors, W h. Here a row is one sequence of the batch, so
the code reads h @ W, with U (n_in, n_hidden), W (n_hidden, n_hidden) and V (n_hidden,
n_out). Sequences are time-major: (time, batch, features).

>>> import numpy as np
>>> import minigrad as mg
>>> rng = np.random.default_rng(0)
>>> model = ManyToMany(n_in=2, n_hidden=3, n_out=2, rng=rng)
>>> xs = rng.normal(size=(5, 1, 2)).astype(np.float32)
>>> ys = rng.integers(2, size=(5, 1))
>>> loss = model.loss(xs, ys)
>>> [use.t for use in mg.Graph(loss).uses(model.W)]
[1, 2, 3, 4, 5]
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minigrad.nn import Module, init
from minigrad.nn.losses import Loss, cross_entropy
from minigrad.ops.elementwise import tanh
from minigrad.ops.shape import stack
from minigrad.ops.time import steps
from minigrad.tensor import Tensor, parameter, tensor

__all__ = ["ManyToMany"]


class ManyToMany(Module):
    """A recurrent network from a sequence to a sequence of the same length.

    Parameters
    ----------
    n_in, n_hidden, n_out: the sizes of x(t), h(t) and o(t).
    loss: L(t) as a function of o(t) and y(t): ``cross_entropy`` (y(t) are class numbers
        (batch,)) or ``mse`` (y(t) has the shape of o(t)), or one of your own.
    rng: where the start comes from: U and V Glorot, W orthogonal, b and c zero.
    """

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        n_out: int,
        *,
        rng: np.random.Generator,
        loss: Loss = cross_entropy,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.U = parameter(init.glorot(rng, (n_in, n_hidden), dtype))
        self.W = parameter(init.orthogonal(rng, (n_hidden, n_hidden), dtype))
        self.V = parameter(init.glorot(rng, (n_hidden, n_out), dtype))
        self.b = parameter(init.zeros(rng, (n_hidden,), dtype))
        self.c = parameter(init.zeros(rng, (n_out,), dtype))
        self.step_loss = loss

    def forward(self, xs: Any, h0: Any = None) -> Tensor:
        """The outputs o(1) .. o(T) of xs (time, batch, n_in): (time, batch, n_out).

        ``h0`` (batch, n_hidden) is the state before the first step, zero by default.
        """
        h = self.start(xs, h0)
        outputs = []
        for _, x in steps(x=xs):
            h, o = self.step(h, x)
            outputs.append(o)
        return stack(outputs)  # type: ignore[no-any-return]

    def loss(self, xs: Any, ys: Any, h0: Any = None) -> Tensor:
        """The mean of L(t) over the steps, for targets ys (time, batch, ...)."""
        with self.scope():
            h = self.start(xs, h0)
            losses = []
            for _, x, y in steps(x=xs, y=ys):
                h, o = self.step(h, x)
                losses.append(self.step_loss(o, y).named("L"))
            return stack(losses).mean()  # type: ignore[no-any-return]

    def start(self, xs: Any, h0: Any = None) -> Tensor:
        """The state before the first step, always a node of its own, named h0."""
        if h0 is None:
            h0 = np.zeros((np.shape(xs)[1], self.W.shape[0]), self.W.dtype)
        return h0 if isinstance(h0, Tensor) else tensor(h0, name="h0")

    def step(self, h: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """From h(t-1) and x(t) to h(t) and o(t)."""
        h = tanh(self.b + h @ self.W + x @ self.U).named("h")
        return h, (self.c + h @ self.V).named("o")
