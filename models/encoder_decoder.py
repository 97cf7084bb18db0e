"""Two networks: one reads a sequence, the other says one of another length.

    h(i) = tanh(b + W h(i-1) + U x(i))              i = 1 .. n_x, the encoder
    s(0) = tanh(Q h(n_x))                           h(n_x) is the context C
    s(t) = tanh(b' + W' s(t-1) + U' y(t-1))         t = 1 .. n_y, the decoder
    o(t) = c + V s(t)

Figure 10.12 of Goodfellow, Bengio and Courville; Cho (2014), Sutskever (2014). With
attention (Bahdanau 2015; the bilinear score is Luong's, 2015) the decoder looks at all
h(i) again before each step, where C is too small for a long sequence:

    α(t, i) = softmax over i of h(i)ᵀ A s(t-1)
    C(t)    = sum over i of α(t, i) h(i),           read beside y(t-1)

>>> import numpy as np
>>> import minigrad as mg
>>> model = EncoderDecoder(2, 3, 4, rng=np.random.default_rng(0), attention=True)
>>> loss = model.loss(np.ones((6, 1, 2), np.float32), np.zeros((3, 1), int))
>>> mg.fold(mg.Graph(loss)).lengths
(6, 3)
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
from minigrad.nn.recurrent import (
    Lengths,
    answer,
    mask_of,
    name_state,
    unit_vectors,
    unroll,
)
from minigrad.ops.elementwise import tanh, where
from minigrad.ops.nn import softmax
from minigrad.ops.shape import concatenate, expand_dims, stack
from minigrad.ops.time import steps
from minigrad.tensor import Tensor, parameter, tensor


class EncoderDecoder(Module):
    """A sequence to a sequence of another length.

    Parameters
    ----------
    n_in, n_hidden, n_out: the sizes of x(i), of h(i) and s(t), and of o(t).
    attention: whether the decoder looks at every h(i) before each step.
    loss: L(t) as a function of o(t) and y(t).
    cell: the cell of encoder and decoder.
    dtype: of the parameters, float32 by default.
    """

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        n_out: int,
        *,
        rng: np.random.Generator,
        attention: bool = False,
        loss: Loss = cross_entropy,
        cell: str | MakeCell = "elman",
        dtype: DTypeLike = np.float32,
    ) -> None:
        n_read = n_out + (n_hidden if attention else 0)
        encoder = make_cell(cell, n_in, n_hidden, rng=rng, dtype=dtype)
        decoder = make_cell(cell, n_read, n_hidden, rng=rng, dtype=dtype)
        self.encoder, self.decoder = encoder.called("h"), decoder.called("s")
        if attention:
            self.A = parameter(init.glorot(rng, (n_hidden, n_hidden), dtype))
        self.attention = attention
        self.Q = parameter(init.glorot(rng, (n_hidden, n_hidden), dtype))
        self.V = parameter(init.glorot(rng, (n_hidden, n_out), dtype))
        self.c = parameter(init.zeros(rng, (n_out,), dtype))
        self.step_loss = loss

    def encode(self, xs: Any, mask: Tensor | None = None) -> tuple[State, Tensor]:
        """The decoder's first state, and all h(i), (n_x, batch, n_hidden).

        >>> rng = np.random.default_rng(0)
        >>> model = EncoderDecoder(2, 3, 4, rng=rng, attention=True)
        >>> state, hs = model.encode(np.ones((6, 5, 2), np.float32))
        >>> hs.shape
        (6, 5, 3)
        >>> state, o = model.step(state, hs, model.silence(batch=5))
        >>> o.shape
        (5, 4)
        """
        hs = [h for _, (h, *_) in unroll(self.encoder, xs, mask=mask)]
        start = self.decoder.start(hs[-1].shape[0])
        return (tanh(hs[-1] @ self.Q).named("s0"), *start[1:]), stack(hs)

    def step(
        self, state: State, hs: Tensor, said: Tensor, mask: Tensor | None = None
    ) -> tuple[State, Tensor]:
        """From s(t-1) and y(t-1) to s(t) and o(t).

        y(t-1) and o(t) are (batch, n_out).
        """
        if self.attention:
            scores = (hs * (state[0] @ self.A)).sum(axis=-1)
            if mask is not None:
                scores = where(mask, scores, -np.inf)
            weights = expand_dims(softmax(scores, axis=0).named("α"), -1)
            context = (weights * hs).sum(axis=0).named("C")
            said = concatenate([said, context], axis=-1)
        state = self.decoder(said, state)
        name_state(self.decoder, state)
        return state, (self.c + state[0] @ self.V).named("o")

    def loss(
        self,
        xs: Any,
        ys: Any,
        *,
        lengths: Lengths = None,
        y_lengths: Lengths = None,
    ) -> Tensor:
        """The mean of L(t), for xs (n_x, batch, n_in) and targets ys (n_y, batch, ...).

        The decoder is fed with the truth y(t-1). ``lengths`` are those of xs,
        ``y_lengths`` those of ys.
        """
        mask = mask_of(lengths, xs)
        valid = mask_of(y_lengths, ys, "y_masks")
        with self.scope():
            vector = unit_vectors(len(self.c), self.c.dtype)
            state, hs = self.encode(xs, mask)
            said = self.silence(hs.shape[1])
            losses = []
            for _, y in steps(y=ys):
                state, o = self.step(state, hs, said, mask)
                losses.append(step_loss(self.step_loss, o, y))
                said = vector(y)
            return mean_loss(losses, valid)

    def silence(self, batch: int) -> Tensor:
        """What stands for y(0): zeros, named y0."""
        return tensor(np.zeros((batch, len(self.c)), self.c.dtype), name="y0")

    def continued(
        self,
        xs: Any,
        steps: int,
        say: Callable[[NDArray[Any]], ArrayLike],
        *,
        lengths: Lengths = None,
    ) -> NDArray[Any]:
        """The outputs (steps, batch, n_out) for xs, closed loop.

        ``say`` makes y(t) of o(t): class numbers (batch,), or a vector (batch, n_out).

        >>> model = EncoderDecoder(2, 3, 4, rng=np.random.default_rng(0))
        >>> xs = np.ones((6, 5, 2), np.float32)
        >>> model.continued(xs, 3, lambda o: o.argmax(-1)).shape
        (3, 5, 4)
        """
        with no_grad():
            mask = mask_of(lengths, xs)
            vector = unit_vectors(len(self.c), self.c.dtype)
            state, hs = self.encode(xs, mask)
            said = self.silence(hs.shape[1])
            outputs = []
            for _ in range(steps):
                state, o = self.step(state, hs, said, mask)
                outputs.append(o.data)
                said = vector(answer(say, o))
        return np.stack(outputs)
