"""The network that makes a sequence out of one vector.

    h(t) = tanh(b + W h(t-1) + U y(t-1) + R x)      given="bias": x at every step
    h(0) = tanh(Q x)                                given="start": x at the start only
    o(t) = c + V h(t)

Figure 10.9 of Goodfellow, Bengio and Courville (an image x and its caption y, say). The
net is told what it has said before: y(t-1), the truth in training and its own words
afterwards. The rows of the cell's U are those of y first, then the book's R of x.

>>> import numpy as np
>>> import minigrad as mg
>>> model = OneToMany(2, 3, 4, rng=np.random.default_rng(0), given="both")
>>> [(path, p.shape) for path, p in model.named_parameters()][0]
('rnn.U', (6, 3))
>>> loss = model.loss(np.ones((1, 2), np.float32), np.zeros((5, 1), int))
>>> mg.fold(mg.Graph(loss)).lengths
(5,)
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from minigrad.mode import no_grad
from minigrad.models.many_to_many import mean_loss
from minigrad.nn import Module, init
from minigrad.nn.cells import MakeCell, State, make_cell
from minigrad.nn.losses import Loss, cross_entropy, step_loss
from minigrad.nn.recurrent import Lengths, answer, mask_of, name_state, unit_vectors
from minigrad.ops.elementwise import tanh
from minigrad.ops.shape import concatenate
from minigrad.ops.time import steps
from minigrad.tensor import Tensor, parameter, tensor


class OneToMany(Module):
    """A recurrent network from one vector to a sequence.

    Parameters
    ----------
    n_in, n_hidden, n_out: the sizes of x, h(t) and o(t).
    given: how x enters: "bias" (at every step), "start" (as h(0)) or "both".
    loss: L(t) as a function of o(t) and y(t).
    cell: the recurrent cell.
    dtype: of the parameters, float32 by default.

    Raises ValueError for another ``given``.
    """

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        n_out: int,
        *,
        rng: np.random.Generator,
        given: str = "bias",
        loss: Loss = cross_entropy,
        cell: str | MakeCell = "elman",
        dtype: DTypeLike = np.float32,
    ) -> None:
        if given not in ("bias", "start", "both"):
            raise ValueError(f'given is "bias", "start" or "both", got {given!r}')
        self.as_bias, self.as_start = given != "start", given != "bias"
        n_read = n_out + (n_in if self.as_bias else 0)
        self.rnn = make_cell(cell, n_read, n_hidden, rng=rng, dtype=dtype)
        if self.as_start:
            self.Q = parameter(init.glorot(rng, (n_in, n_hidden), dtype))
        self.V = parameter(init.glorot(rng, (n_hidden, n_out), dtype))
        self.c = parameter(init.zeros(rng, (n_out,), dtype))
        self.step_loss = loss

    def start(self, x: Tensor) -> tuple[State, Tensor]:
        """The state before the first step, and what stands for y(0), zeros.

        x is (batch, n_in), y(0) is (batch, n_out).
        """
        state = self.rnn.start(x.shape[0])
        if self.as_start:
            state = (tanh(x @ self.Q).named("h0"), *state[1:])
        y0 = np.zeros((x.shape[0], len(self.c)), self.c.dtype)
        return state, tensor(y0, name="y0")

    def step(self, state: State, x: Tensor, y: Tensor) -> tuple[State, Tensor]:
        """From the last state and y(t-1) to the next state and o(t).

        y(t-1) and o(t) are (batch, n_out).

        >>> model = OneToMany(2, 3, 4, rng=np.random.default_rng(0))
        >>> x = tensor(np.ones((5, 2), np.float32))
        >>> state, y = model.start(x)
        >>> state, o = model.step(state, x, y)
        >>> o.shape
        (5, 4)
        """
        read = concatenate([y, x], axis=-1) if self.as_bias else y
        state = self.rnn(read, state)
        name_state(self.rnn, state)
        return state, (self.c + state[0] @ self.V).named("o")

    def loss(self, x: Any, ys: Any, *, lengths: Lengths = None) -> Tensor:
        """The mean of L(t), for x (batch, n_in) and targets ys (time, batch, ...)."""
        mask = mask_of(lengths, ys)
        x = x if isinstance(x, Tensor) else tensor(x, name="x")
        with self.scope():
            vector = unit_vectors(len(self.c), self.c.dtype)
            state, said = self.start(x)
            losses = []
            for _, y in steps(y=ys):
                state, o = self.step(state, x, said)
                losses.append(step_loss(self.step_loss, o, y))
                said = vector(y)
            return mean_loss(losses, mask)

    def continued(
        self, x: Any, steps: int, say: Callable[[NDArray[Any]], ArrayLike]
    ) -> NDArray[Any]:
        """The outputs (steps, batch, n_out) of x, closed loop.

        ``say`` makes y(t) of o(t): class numbers (batch,), or a vector (batch, n_out).

        >>> model = OneToMany(2, 3, 4, rng=np.random.default_rng(0))
        >>> model.continued(np.ones((5, 2)), 6, lambda o: o.argmax(-1)).shape
        (6, 5, 4)
        """
        with no_grad():
            vector = unit_vectors(len(self.c), self.c.dtype)
            given = tensor(np.asarray(x, self.c.dtype))
            state, said = self.start(given)
            outputs = []
            for _ in range(steps):
                state, o = self.step(state, given, said)
                outputs.append(o.data)
                said = vector(answer(say, o))
        return np.stack(outputs)
