"""The network that knows what comes after, too: one net forward, one backward in time.

    h(t) = tanh(b + W h(t-1) + U x(t))
    g(t) = tanh(b' + W' g(t+1) + U' x(t))
    o(t) = c + V [h(t); g(t)]

Figure 10.11 of Goodfellow, Bengio and Courville; Schuster and Paliwal (1997). There is
an output at every step, or one in all: read at a step, or as the mean or the maximum
over the steps.

>>> import numpy as np
>>> import minigrad as mg
>>> model = Bidirectional(2, 3, 2, rng=np.random.default_rng(0))
>>> xs, ys = np.ones((5, 1, 2), np.float32), np.zeros((5, 1), int)
>>> edges = mg.fold(mg.contract(model.loss(xs, ys))).edges
>>> [str(edge) for edge in edges if edge.delay]
['h(t-1) -> h(t) by W', 'g(t+1) -> g(t) by W2']
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minigrad.models.many_to_many import mean_loss
from minigrad.nn import Module, init
from minigrad.nn.cells import MakeCell, make_cell
from minigrad.nn.losses import Loss, cross_entropy, step_loss
from minigrad.nn.recurrent import Lengths, mask_of, read_out, sequence, unroll
from minigrad.ops.shape import concatenate, stack
from minigrad.ops.time import steps
from minigrad.tensor import Tensor, parameter, tensor


class Bidirectional(Module):
    """Two recurrent networks over one sequence, read together.

    Parameters
    ----------
    n_in, n_hidden, n_out: the sizes of x(t), of each of h(t) and g(t), and of o(t).
    read: "each" for an output at every step, or "ends" for o = c + V [h(T); g(1)],
        "mean", "max", or the number of a step at which both are read.
    loss: L(t) as a function of o(t) and y(t).
    cell: the cell of both directions.
    dtype: of the parameters, float32 by default.

    xs is (time, batch, n_in). Of Elman cells, U and U' are (n_in, n_hidden), W and W'
    (n_hidden, n_hidden), b and b' (n_hidden,). V is (2 n_hidden, n_out), c (n_out,).
    """

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        n_out: int,
        *,
        rng: np.random.Generator,
        read: str | int = "each",
        loss: Loss = cross_entropy,
        cell: str | MakeCell = "elman",
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.rnn = make_cell(cell, n_in, n_hidden, rng=rng, dtype=dtype)
        self.back = make_cell(cell, n_in, n_hidden, rng=rng, dtype=dtype).called("g")
        self.V = parameter(init.glorot(rng, (2 * n_hidden, n_out), dtype))
        self.c = parameter(init.zeros(rng, (n_out,), dtype))
        self.read = read
        self.step_loss = loss

    def states(
        self, xs: Any, mask: Tensor | None = None
    ) -> tuple[list[Tensor], list[Tensor]]:
        """All h(t) and all g(t), both in the order of time.

        Each has shape (batch, n_hidden).

        >>> model = Bidirectional(2, 3, 4, rng=np.random.default_rng(0))
        >>> hs, gs = model.states(np.ones((5, 1, 2), np.float32))
        >>> len(hs), gs[0].shape, model.output(hs[0], gs[0]).shape
        (5, (1, 3), (1, 4))
        """
        hs = [s[0] for _, s in unroll(self.rnn, xs, mask=mask)]
        gs = [s[0] for _, s in unroll(self.back, xs, mask=mask, reverse=True)]
        return hs, gs[::-1]

    def forward(self, xs: Any, *, lengths: Lengths = None) -> Tensor:
        """The outputs (time, batch, n_out), or the one output (batch, n_out).

        Raises ValueError for lengths with the read-out of the last step, where g has
        read nothing.
        """
        xs, mask = sequence(xs), mask_of(lengths, xs)
        hs, gs = self.states(xs, mask)
        if self.read == "each":
            return stack([self.output(h, g) for _, h, g in steps(h=hs, g=gs)])  # type: ignore[no-any-return]
        if self.read == "ends":
            return self.output(hs[-1], gs[0])
        if mask is not None and self.read in ("last", -1):
            raise ValueError(
                "with lengths, g has read nothing yet at the last step: "
                'write read="ends", "mean" or "max"'
            )
        return self.output(read_out(hs, self.read, mask), read_out(gs, self.read, mask))

    def output(self, h: Tensor, g: Tensor) -> Tensor:
        """From h and g to o.

        h and g are (batch, n_hidden), o is (batch, n_out).
        """
        return (self.c + concatenate([h, g], axis=-1) @ self.V).named("o")  # type: ignore[no-any-return]

    def loss(self, xs: Any, ys: Any, *, lengths: Lengths = None) -> Tensor:
        """The mean loss, for targets ys (time, batch, ...), or (batch, ...) for one."""
        if self.read != "each":
            y = ys if isinstance(ys, Tensor) else tensor(ys, name="y")
            return step_loss(self.step_loss, self(xs, lengths=lengths), y).mean()
        xs, mask = sequence(xs), mask_of(lengths, xs)
        with self.scope():
            hs, gs = self.states(xs, mask)
            losses = [
                step_loss(self.step_loss, self.output(h, g), y)
                for _, h, g, y in steps(h=hs, g=gs, y=ys)
            ]
            return mean_loss(losses, mask)
