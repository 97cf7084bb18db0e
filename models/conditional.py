"""The network that is told, beside x(t), what the last target was.

    h(t) = tanh(b + W h(t-1) + U x(t) + R y(t-1))
    o(t) = c + V h(t)
    L    = mean over t of L(t),         L(t) of o(t) and y(t)

Figure 10.10 of Goodfellow, Bengio and Courville. Without R (figure 10.3) the net says
each y(t) from x alone, so that given x the y(t) are independent of each other. With R
it is a product of conditionals, P(y(t) | y(1) .. y(t-1), x(1) .. x(t)), and can be any
distribution over sequences y. y(t-1) is the truth in training and the net's own word
afterwards.

>>> import numpy as np
>>> import minigrad as mg
>>> model = Conditional(2, 3, 4, rng=np.random.default_rng(0))
>>> loss = model.loss(np.ones((5, 1, 2), np.float32), np.zeros((5, 1), int))
>>> edges = mg.fold(mg.contract(loss)).edges
>>> [str(edge) for edge in edges if edge.delay == 1]
['h(t-1) -> h(t) by W', 'e(t-1) -> h(t) by R']
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from minigrad.mode import no_grad
from minigrad.models.many_to_many import mean_loss
from minigrad.nn import Module, init
from minigrad.nn.losses import Loss, cross_entropy, step_loss
from minigrad.nn.recurrent import Lengths, answer, extent, mask_of, unit_vectors
from minigrad.ops.elementwise import tanh
from minigrad.ops.time import steps
from minigrad.tensor import Tensor, parameter, tensor


class Conditional(Module):
    """A recurrent network for P(y | x), both sequences of one length.

    Parameters
    ----------
    n_in, n_hidden, n_out: the sizes of x(t), h(t) and o(t).
    loss: L(t) as a function of o(t) and y(t).
    rng: where the start comes from: U, R and V Glorot, W orthogonal, b and c zero.
    dtype: of the parameters, float32 by default.

    U is (n_in, n_hidden), R (n_out, n_hidden), W (n_hidden, n_hidden), V (n_hidden,
    n_out), b (n_hidden,), c (n_out,). xs is (time, batch, n_in), ys (time, batch) of
    class numbers or (time, batch, n_out).
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
        self.R = parameter(init.glorot(rng, (n_out, n_hidden), dtype))
        self.W = parameter(init.orthogonal(rng, (n_hidden, n_hidden), dtype))
        self.V = parameter(init.glorot(rng, (n_hidden, n_out), dtype))
        self.b = parameter(init.zeros(rng, (n_hidden,), dtype))
        self.c = parameter(init.zeros(rng, (n_out,), dtype))
        self.step_loss = loss

    def start(self, batch: int) -> tuple[Tensor, Tensor]:
        """h(0) and what stands for y(0), zeros.

        They are (batch, n_hidden) and (batch, n_out).
        """
        h0 = np.zeros((batch, len(self.b)), self.b.dtype)
        y0 = np.zeros((batch, len(self.c)), self.c.dtype)
        return tensor(h0, name="h0"), tensor(y0, name="y0")

    def step(self, h: Tensor, x: Any, y: Tensor) -> tuple[Tensor, Tensor]:
        """From h(t-1), x(t) and y(t-1) to h(t) and o(t).

        x is (batch, n_in), y and o are (batch, n_out).

        >>> model = Conditional(2, 3, 4, rng=np.random.default_rng(0))
        >>> h, y = model.start(batch=5)
        >>> h, o = model.step(h, np.ones((5, 2), np.float32), y)
        >>> h.shape, o.shape
        ((5, 3), (5, 4))
        """
        h = tanh(self.b + h @ self.W + x @ self.U + y @ self.R).named("h")
        return h, (self.c + h @ self.V).named("o")

    def loss(self, xs: Any, ys: Any, *, lengths: Lengths = None) -> Tensor:
        """The mean of L(t), for xs (time, batch, n_in) and ys (time, batch, ...).

        ``lengths`` (batch,) leaves out what lies beyond the end of each sequence.
        """
        _, batch = extent(xs, len(self.U))
        mask = mask_of(lengths, xs)
        with self.scope():
            vector = unit_vectors(len(self.c), self.c.dtype)
            h, said = self.start(batch)
            losses = []
            for _, x, y in steps(x=xs, y=ys):
                h, o = self.step(h, x, said)
                losses.append(step_loss(self.step_loss, o, y))
                said = vector(y)
            return mean_loss(losses, mask)

    def continued(
        self, xs: Any, say: Callable[[NDArray[Any]], ArrayLike]
    ) -> NDArray[Any]:
        """The outputs (time, batch, n_out) for xs, closed loop.

        ``say`` makes y(t) of o(t): class numbers (batch,), or a vector (batch, n_out).

        >>> model = Conditional(2, 3, 4, rng=np.random.default_rng(0))
        >>> xs = np.ones((6, 5, 2), np.float32)
        >>> model.continued(xs, lambda o: o.argmax(-1)).shape
        (6, 5, 4)
        """
        outputs = []
        with no_grad():
            vector = unit_vectors(len(self.c), self.c.dtype)
            h, said = self.start(extent(xs, len(self.U))[1])
            for _, x in steps(x=xs):
                h, o = self.step(h, x, said)
                outputs.append(o.data)
                said = vector(answer(say, o))
        return np.stack(outputs)
