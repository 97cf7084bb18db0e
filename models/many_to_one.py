"""The network that reads a sequence and gives one answer.

    a(t) = b + W h(t-1) + U x(t)        (eq. 10.8)
    h(t) = tanh a(t)                    (eq. 10.9)
    o    = c + V h(T)                   one output, one L, one y, at the end

Figure 10.5 of Goodfellow, Bengio and Courville. The read-out is that of the last step,
or the mean or the maximum of h(t) over all steps, or that of a step of your choice.

>>> import numpy as np
>>> import minigrad as mg
>>> model = ManyToOne(n_in=2, n_hidden=3, n_out=2, rng=np.random.default_rng(0))
>>> xs, y = np.ones((4, 5, 2), np.float32), np.zeros(5, int)
>>> loss = model.loss(xs, y)
>>> len(mg.Graph(loss).uses(model.rnn.W)), len(mg.Graph(loss).uses(model.V))
(4, 1)
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minigrad.nn import Module, init
from minigrad.nn.cells import MakeCell, State, make_cell
from minigrad.nn.losses import Loss, cross_entropy, step_loss
from minigrad.nn.recurrent import Lengths, mask_of, read_out, unroll
from minigrad.tensor import Tensor, parameter, tensor


class ManyToOne(Module):
    """A recurrent network from a sequence to one output.

    Parameters
    ----------
    n_in, n_hidden, n_out: the sizes of x(t), h(t) and o.
    read: "last", "mean", "max", or the number of a step, from 1 or from the end as -1.
    loss: L as a function of o and y.
    cell, U, layers, dropout: as ``minigrad.nn.cells.make_cell`` takes them.
    dtype: of the parameters, float32 by default.
    """

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        n_out: int,
        *,
        rng: np.random.Generator,
        read: str | int = "last",
        loss: Loss = cross_entropy,
        cell: str | MakeCell = "elman",
        U: str = "trained",
        layers: int = 1,
        dropout: float = 0.0,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.rnn = make_cell(
            cell,
            n_in,
            n_hidden,
            rng=rng,
            U=U,
            layers=layers,
            dropout=dropout,
            dtype=dtype,
        )
        self.V = parameter(init.glorot(rng, (n_hidden, n_out), dtype))
        self.c = parameter(init.zeros(rng, (n_out,), dtype))
        self.read = read
        self.step_loss = loss

    def forward(
        self,
        xs: Any,
        state: State | None = None,
        *,
        lengths: Lengths = None,
        truncate: int | None = None,
        rng: np.random.Generator | None = None,
    ) -> Tensor:
        """The output o, (batch, n_out), of xs (time, batch, n_in).

        With ``lengths`` (batch,) what lies beyond a sequence's end reaches nothing.
        """
        mask = mask_of(lengths, xs)
        run = unroll(self.rnn, xs, state, mask=mask, truncate=truncate, rng=rng)
        hs = [h for _, (h, *_) in run]
        return (self.c + read_out(hs, self.read, mask) @ self.V).named("o")

    def loss(
        self,
        xs: Any,
        y: Any,
        state: State | None = None,
        *,
        lengths: Lengths = None,
        truncate: int | None = None,
        rng: np.random.Generator | None = None,
    ) -> Tensor:
        """The mean of L over the batch, for targets y (batch, ...).

        Raises ValueError for targets of another batch.
        """
        o = self(xs, state, lengths=lengths, truncate=truncate, rng=rng)
        target = y if isinstance(y, Tensor) else tensor(y, name="y")
        if target.shape[:1] != o.shape[:1]:
            raise ValueError(
                f"this network answers once for each of {len(o)} sequences, so y is "
                f"(batch, ...), got shape {target.shape}; of targets (time, batch) the "
                "last is y[-1]"
            )
        return step_loss(self.step_loss, o, target).mean()
