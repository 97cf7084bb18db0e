"""The distribution over sequences in which each y(t) depends on all before it.

    P(y(1) .. y(τ)) = product over t of P(y(t) | y(1) .. y(t-1))            (eq. 10.31)
    o(t) = the row of E that belongs to y(1) .. y(t-1)
    P(y(t) | y(1) .. y(t-1)) = softmax o(t)

Figure 10.7 of Goodfellow, Bengio and Courville: the directed graphical model that
assumes nothing. There is an arrow from every y(i) to every later y(t), and E has a row
for each past that there can be: of k symbols 1 + k + .. + k^(τ-1) of them. Nothing that
is learnt of one past says anything of another. ``SequenceModel`` puts a state between.

>>> import numpy as np
>>> import minigrad as mg
>>> model = FullyConnected(2, 4, rng=np.random.default_rng(0))
>>> ys = model.ancestral(1, np.random.default_rng(1))
>>> graph = mg.contract(ys)
>>> [[i.t for i in o.inputs if i.name == "y"] for o in graph.nodes if o.name == "o"]
[[], [1], [1, 2], [1, 2, 3]]
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minigrad.limits import whole
from minigrad.nn import Module, init
from minigrad.nn.losses import cross_entropy
from minigrad.ops.discrete import argmax
from minigrad.ops.indexing import embedding
from minigrad.ops.shape import stack
from minigrad.ops.time import steps
from minigrad.tensor import Tensor, parameter, tensor

ROWS = 10**7  # a table beyond this is more than a machine should be asked for


class FullyConnected(Module):
    """A table of what may follow on every past, for sequences of ``length`` symbols.

    E has shape (1 + k + .. + k^(length-1), k) for k = ``n_symbols``, and starts zero:
    all symbols are as likely.

    Raises ValueError where E would have more than ten million rows.

    ``dtype`` is that of the parameters, float32 by default.
    """

    def __init__(
        self,
        n_symbols: int,
        length: int,
        *,
        rng: np.random.Generator,
        dtype: DTypeLike = np.float32,
    ) -> None:
        n, self.length = whole("n_symbols", n_symbols, 2), whole("length", length)
        rows = sum(n**t for t in range(length))
        if rows > ROWS:
            raise ValueError(
                f"a past of {length - 1} of {n} symbols is one of {n ** (length - 1):,}"
                f", and E would have {rows:,} rows: that is what a recurrent network "
                "avoids, see SequenceModel"
            )
        self.E = parameter(init.zeros(rng, (rows, n), dtype))

    def output(self, t: int, past: list[Tensor]) -> Tensor:
        """o(t) of y(0) .. y(t-1): the row of E that is of this past alone.

        y(i) = j counts (j + 1) k^(i-1), so no two pasts have one number.

        y(i) is (batch,), o(t) is (batch, n_symbols).
        """
        k = self.E.shape[1]
        places = np.array([0, *(k**i for i in range(self.length - 1))])[:, None]
        row = ((stack(past) + 1) * tensor(places)[:t]).sum(axis=0)
        return embedding(self.E, row).named("o")  # type: ignore[no-any-return]

    def log_likelihood(self, ys: Any) -> Tensor:
        """log P (batch,) of sequences of class numbers ys (length, batch).

        Raises ValueError for ys of another shape.

        >>> model = FullyConnected(2, 3, rng=np.random.default_rng(0))
        >>> ys = np.array([[0, 1], [1, 1], [0, 1]])
        >>> model.log_likelihood(ys).data.round(4)  # 3 log 1/2, of all sequences
        array([-2.0794, -2.0794], dtype=float32)
        >>> round(model.loss(ys).item(), 4)
        2.0794
        >>> start = tensor(np.zeros(5, int))
        >>> model.output(1, [start]).shape
        (5, 2)
        """
        if np.ndim(ys) != 2:
            raise ValueError(
                f"ys is (length, batch), got shape {np.shape(ys)}; for one sequence "
                "write ys[:, None]"
            )
        if len(ys) != self.length:
            raise ValueError(
                f"these are sequences of {len(ys)} symbols; the table is one for "
                f"{self.length}"
            )
        with self.scope():
            past = [tensor(np.zeros(np.shape(ys)[1], int))]
            terms = []
            for t, y in steps(y=ys):
                terms.append(cross_entropy(self.output(t, past), y).named("L"))
                past.append(y)
            return -stack(terms).sum(axis=0)  # type: ignore[no-any-return]

    def loss(self, ys: Any) -> Tensor:
        """The mean of -log P over the batch, in nats a sequence."""
        return -self.log_likelihood(ys).mean()

    def ancestral(self, batch: int, rng: np.random.Generator) -> list[Tensor]:
        """Sequences drawn symbol by symbol, as recorded: y(t) (batch,) for each t."""
        # The largest of o + Gumbel noise is a draw from softmax o.
        shape = (self.length, batch, self.E.shape[1])
        noise = rng.gumbel(size=shape).astype(self.E.dtype)
        with self.scope():
            past = [tensor(np.zeros(batch, int))]
            for t, ε in steps(ε=noise):
                y = argmax(self.output(t, past) + ε, axis=-1).named("y")
                past.append(y)
            return past[1:]
