"""The network without recurrence: each step looks at all steps up to its own.

    z(t)    = tanh(b + U x(t) + P p(t))                         p(t): where t is
    α(t, i) = softmax over i = 1..t of z(i)ᵀ K Q z(t) / sqrt(n)
    h(t)    = tanh(d + S z(t) + W sum over i = 1..t of α(t, i) z(i))
    o(t)    = c + V h(t)

Beside chapter 10 of Goodfellow, Bengio and Courville: self-attention over time (Vaswani
2017), one layer of it with one head. Its graph unfolds and shares as that of a
recurrent network does: one U, K, Q, W and V at every step. But no state goes from a
step to the next one. h(t) reads every z(i), so the way from x(i) to h(t) has one length
however far apart they are, and the number of arrows grows with the square of the steps,
as in figure 10.7. Without p(t) a step sees which values there were, not their order.

>>> import numpy as np
>>> import minigrad as mg
>>> model = SelfAttention(2, 4, 3, rng=np.random.default_rng(0))
>>> o = model(np.ones((6, 1, 2), np.float32))
>>> edges = mg.fold(mg.contract(o)).edges
>>> [str(e) for e in edges if e.source.name == "z"]
['z(1..t) -> α(t) by K', 'z(t) -> α(t) by Q', 'z(t) -> h(t) by S', \
'z(1..t) -> h(t) by W']
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minigrad.models.many_to_many import mean_loss
from minigrad.nn import Module, init
from minigrad.nn.losses import Loss, cross_entropy, step_loss
from minigrad.nn.recurrent import extent
from minigrad.ops.elementwise import tanh
from minigrad.ops.nn import softmax
from minigrad.ops.shape import stack
from minigrad.ops.time import steps
from minigrad.tensor import Tensor, parameter, tensor

WAVES = 16


def waves(steps: int) -> NDArray[Any]:
    """p(t) for each step, (steps, 16): sines and cosines of growing periods.

    (Vaswani 2017.) Near steps have near values, and no two steps the same.

    >>> waves(5).shape
    (5, 16)
    """
    half = WAVES // 2
    periods = 2 * np.pi * 1000.0 ** (np.arange(half) / half)
    angles = 2 * np.pi * np.arange(1, steps + 1)[:, None] / periods
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)


class SelfAttention(Module):
    """A network from a sequence to one of the same length, or to one output.

    Parameters
    ----------
    n_in, n_hidden, n_out: the sizes of x(t), of z(t) and h(t), and of o(t).
    order: whether z(t) knows where it is: without it there are no P and p(t).
    read: "each" for an output at every step, or "last" for one at the end.
    loss: L as a function of o and y.
    dtype: of the parameters, float32 by default.

    U is (n_in, n_hidden), P (16, n_hidden), Q, K, S and W are (n_hidden, n_hidden), b
    and d (n_hidden,), V is (n_hidden, n_out), c (n_out,); xs is (time, batch, n_in).
    Raises ValueError for another ``read``.
    """

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        n_out: int,
        *,
        rng: np.random.Generator,
        order: bool = True,
        read: str = "each",
        loss: Loss = cross_entropy,
        dtype: DTypeLike = np.float32,
    ) -> None:
        if read not in ("each", "last"):
            raise ValueError(f'read is "each" or "last", got {read!r}')
        square = (n_hidden, n_hidden)
        self.U = parameter(init.glorot(rng, (n_in, n_hidden), dtype))
        self.P = (
            parameter(init.glorot(rng, (WAVES, n_hidden), dtype)) if order else None
        )
        self.b = parameter(init.zeros(rng, (n_hidden,), dtype))
        self.Q = parameter(init.glorot(rng, square, dtype))
        self.K = parameter(init.glorot(rng, square, dtype))
        self.S = parameter(init.glorot(rng, square, dtype))
        self.W = parameter(init.glorot(rng, square, dtype))
        self.d = parameter(init.zeros(rng, (n_hidden,), dtype))
        self.V = parameter(init.glorot(rng, (n_hidden, n_out), dtype))
        self.c = parameter(init.zeros(rng, (n_out,), dtype))
        self.n_in, self.read, self.step_loss = n_in, read, loss

    def embed(self, x: Any, place: Tensor | None = None) -> Tensor:
        """From x(t) and p(t) to z(t).

        x(t) is (batch, n_in), p(t) is (16,), z(t) is (batch, n_hidden).

        >>> model = SelfAttention(2, 4, 3, rng=np.random.default_rng(0))
        >>> z = model.embed(np.ones((5, 2), np.float32))
        >>> z.shape, model.attend([z, z]).shape
        ((5, 4), (5, 3))
        """
        a = self.b + x @ self.U
        if place is not None and self.P is not None:
            a = a + place @ self.P
        z: Tensor = tanh(a).named("z")
        return z

    def attend(self, zs: list[Tensor]) -> Tensor:
        """From z(1) .. z(t) to o(t).

        Each z is (batch, n_hidden), o(t) is (batch, n_out).
        """
        every, z = stack(zs), zs[-1]
        asked = (z @ self.Q) / np.sqrt(len(self.d)).astype(self.d.dtype)
        scores = ((every @ self.K) * asked).sum(axis=-1, keepdims=True)
        α = softmax(scores, axis=0).named("α")
        found = (α * every).sum(axis=0)
        h: Tensor = tanh(self.d + z @ self.S + found @ self.W).named("h")
        return (self.c + h @ self.V).named("o")

    def forward(self, xs: Any) -> Tensor:
        """The outputs (time, batch, n_out) of xs, or the one output (batch, n_out)."""
        zs: list[Tensor] = []
        outputs = []
        for _, x, *place in steps(x=xs, **self._places(xs)):
            zs.append(self.embed(x, *place))
            if self.read == "each":
                outputs.append(self.attend(zs))
        if self.read == "last":
            return self.attend(zs)
        return stack(outputs)  # type: ignore[no-any-return]

    def loss(self, xs: Any, y: Any) -> Tensor:
        """The mean loss, for targets y (time, batch, ...), or (batch, ...) for one.

        >>> model = SelfAttention(2, 4, 3, rng=np.random.default_rng(0))
        >>> model.loss(np.ones((6, 5, 2), np.float32), np.zeros((6, 5), int)).shape
        ()
        """
        if self.read == "last":
            target = y if isinstance(y, Tensor) else tensor(y, name="y")
            return step_loss(self.step_loss, self(xs), target).mean()
        with self.scope():
            zs: list[Tensor] = []
            losses = []
            for _, x, target, *place in steps(x=xs, y=y, **self._places(xs)):
                zs.append(self.embed(x, *place))
                losses.append(step_loss(self.step_loss, self.attend(zs), target))
            return mean_loss(losses)

    def _places(self, xs: Any) -> dict[str, Any]:
        length, _ = extent(xs, self.n_in)
        return {} if self.P is None else {"p": waves(length).astype(self.b.dtype)}
