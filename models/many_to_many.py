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
>>> [use.t for use in mg.Graph(loss).uses(model.rnn.W)]
[1, 2, 3, 4, 5]

The cell may be another one (``cell="lstm"``), and stand in ``layers`` of its own kind.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from minigrad.mode import no_grad
from minigrad.nn import Module, init
from minigrad.nn.cells import MakeCell, State, make_cell
from minigrad.nn.losses import Loss, cross_entropy, step_loss
from minigrad.nn.recurrent import Lengths, extent, mask_of, unroll
from minigrad.ops.shape import stack
from minigrad.tensor import Tensor, parameter


class ManyToMany(Module):
    """A recurrent network from a sequence to a sequence of the same length.

    Parameters
    ----------
    n_in, n_hidden, n_out: the sizes of x(t), h(t) and o(t).
    loss: L(t) as a function of o(t) and y(t): ``cross_entropy`` (y(t) are class numbers
        (batch,)) or ``mse`` (y(t) has the shape of o(t)), or one of your own.
    cell, U, layers, dropout: the recurrent part, as ``minigrad.nn.cells.cell`` takes
        them; U is "trained", "identity", "orthogonal" or "fixed".
    rng: where the start comes from: U and V Glorot, W orthogonal, b and c zero.
    dtype: of the parameters, float32 by default.
    """

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        n_out: int,
        *,
        rng: np.random.Generator,
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
        self.step_loss = loss

    def forward(self, xs: Any, state: State | None = None) -> Tensor:
        """The outputs o(1) .. o(T) of xs (time, batch, n_in): (time, batch, n_out).

        ``state`` is the one before the first step, zeros by default.
        """
        outputs = [self.read(h) for t, (h, *_) in unroll(self.rnn, xs, state)]
        return stack(outputs)  # type: ignore[no-any-return]

    def read(self, h: Tensor) -> Tensor:
        """From h(t) to o(t).

        h(t) is (batch, n_hidden), o(t) is (batch, n_out).

        >>> import minigrad as mg
        >>> model = ManyToMany(2, 3, 4, rng=np.random.default_rng(0))
        >>> model.read(mg.tensor(np.zeros((5, 3), np.float32))).shape
        (5, 4)
        """
        return (self.c + h @ self.V).named("o")

    def loss(
        self,
        xs: Any,
        ys: Any,
        state: State | None = None,
        *,
        lengths: Lengths = None,
        truncate: int | None = None,
        rng: np.random.Generator | None = None,
    ) -> Tensor:
        """The mean of L(t) over the steps, for targets ys (time, batch, ...).

        ``lengths`` (batch,) leaves out what lies beyond the end of each sequence,
        ``truncate`` cuts the gradient every so many steps, and ``rng`` draws dropout
        masks; without it nothing is dropped.
        """
        return self.loss_and_state(
            xs, ys, state, lengths=lengths, truncate=truncate, rng=rng
        )[0]

    def loss_and_state(
        self,
        xs: Any,
        ys: Any,
        state: State | None = None,
        *,
        lengths: Lengths = None,
        truncate: int | None = None,
        rng: np.random.Generator | None = None,
    ) -> tuple[Tensor, State]:
        """As ``loss``, with the last state, from which the next piece may start.

        >>> from minigrad.nn.recurrent import detached
        >>> rng = np.random.default_rng(0)
        >>> model = ManyToMany(2, 3, 2, rng=rng)
        >>> xs, ys = np.ones((4, 1, 2), np.float32), np.ones((4, 1), int)
        >>> loss, state = model.loss_and_state(xs, ys)
        >>> loss, state = model.loss_and_state(xs, ys, detached(state))
        """
        mask = mask_of(lengths, xs)
        state = self.rnn.start(extent(xs)[1]) if state is None else state
        with self.scope():
            losses = []
            run = unroll(
                self.rnn, xs, state, y=ys, mask=mask, truncate=truncate, rng=rng
            )
            for _, state, y in run:
                o = self.read(state[0])
                losses.append(step_loss(self.step_loss, o, y))
            return mean_loss(losses, mask), state

    def continued(
        self,
        xs: Any,
        steps: int,
        feed: Callable[[NDArray[Any]], ArrayLike],
    ) -> NDArray[Any]:
        """Closed loop: after xs, the network goes on from its own outputs.

        ``feed`` makes the next x(t) (batch, n_in) of the last o(t) (batch, n_out): it
        hands a number back, or draws a symbol. Gives the ``steps`` outputs that follow
        the one at the end of xs, with that one first: (steps + 1, batch, n_out).

        >>> model = ManyToMany(1, 3, 1, rng=np.random.default_rng(0))
        >>> model.continued(np.ones((6, 5, 1), np.float32), 2, lambda o: o).shape
        (3, 5, 1)
        """
        with no_grad():
            *_, (_, state) = unroll(self.rnn, xs)
            outputs = [self.read(state[0]).data]
            for _ in range(steps):
                x = np.asarray(feed(outputs[-1]), self.V.dtype)
                state = self.rnn(x, state)
                outputs.append(self.read(state[0]).data)
        return np.stack(outputs)


def mean_loss(losses: list[Tensor], mask: Tensor | None = None) -> Tensor:
    """The mean of L(t), one (batch,) a step; with a mask (time, batch), of those in it.

    The number of steps is taken from the values, so the graph is the same for every T.

    Raises ValueError where a mask meets losses that are not one number a sequence.

    >>> from minigrad import tensor
    >>> losses = [tensor([1.0, 2.0]), tensor([3.0, 6.0])]
    >>> mean_loss(losses).item()
    3.0
    >>> mean_loss(losses, tensor([[True, True], [True, False]])).item()
    2.0
    """
    every = stack(losses)
    if mask is None:
        return every.mean()  # type: ignore[no-any-return]
    if every.shape != mask.shape:
        raise ValueError(
            "with lengths a loss gives one number for each sequence, so that those "
            f"that have ended can be left out: L(t) has shape {every.shape[1:]} for "
            f"{mask.shape[1]} sequences"
        )
    return (every * mask).sum() / mask.astype(every.dtype).sum()  # type: ignore[no-any-return]
