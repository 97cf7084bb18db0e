"""The network whose state is linear, each unit for itself.

    h(t) = λ h(t-1) + U x(t)            unit by unit, λ = exp(-exp(a)) in (0, 1)
    o(t) = c + V tanh(b + Q h(t))

Beside chapter 10 of Goodfellow, Bengio and Courville: leaky units (section 10.9.2) with
nothing else between one step and the next, as in the linear recurrent unit (Orvieto
2023) with real λ. What is nonlinear stands above the state and not in its way, so

    h(t) = sum over k <= t of λ^(t-k) U x(k),       dh(t) / dh(k) = λ^(t-k)

and how the gradient vanishes can be read off λ: λ = exp(-1/τ) remembers about τ steps.
There is no W. What such a state cannot do is to change by what it holds: whether the
ones so far are odd in number, say.

>>> import numpy as np
>>> import minigrad as mg
>>> model = LinearRecurrence(2, 3, 4, rng=np.random.default_rng(0))
>>> o = model(np.ones((6, 1, 2), np.float32))
>>> [str(e) for e in mg.fold(mg.contract(o)).edges if e.delay]
['h(t-1) -> h(t) by a']
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minigrad.limits import within
from minigrad.models.many_to_many import mean_loss
from minigrad.nn import Module, init
from minigrad.nn.losses import Loss, cross_entropy, step_loss
from minigrad.nn.recurrent import extent
from minigrad.ops.elementwise import exp, tanh
from minigrad.ops.shape import stack
from minigrad.ops.time import steps
from minigrad.tensor import Tensor, parameter, tensor


class LinearRecurrence(Module):
    """A recurrent network with a diagonal linear state.

    Parameters
    ----------
    n_in, n_hidden, n_out: the sizes of x(t), of h(t) and what is above it, and of o(t).
    longest: the units start by remembering 1 to ``longest`` steps, evenly on a
        logarithmic scale.
    read: "each" for an output at every step, or "last" for one at the end.
    loss: L as a function of o and y.
    dtype: of the parameters, float32 by default.

    U is (n_in, n_hidden), Q (n_hidden, n_hidden), V (n_hidden, n_out), a and b are
    (n_hidden,), c is (n_out,); xs is (time, batch, n_in). Raises ValueError for another
    ``read``, and TypeError for a ``longest`` that is no number.
    """

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        n_out: int,
        *,
        rng: np.random.Generator,
        longest: float = 100.0,
        read: str = "each",
        loss: Loss = cross_entropy,
        dtype: DTypeLike = np.float32,
    ) -> None:
        if read not in ("each", "last"):
            raise ValueError(f'read is "each" or "last", got {read!r}')
        longest = within("longest", longest, "[1, inf)")
        a = -np.linspace(0, np.log(longest), n_hidden)  # λ = exp(-1 / steps)
        self.a = parameter(a.astype(dtype))
        self.U = parameter(init.glorot(rng, (n_in, n_hidden), dtype))
        self.Q = parameter(init.glorot(rng, (n_hidden, n_hidden), dtype))
        self.b = parameter(init.zeros(rng, (n_hidden,), dtype))
        self.V = parameter(init.glorot(rng, (n_hidden, n_out), dtype))
        self.c = parameter(init.zeros(rng, (n_out,), dtype))
        self.n_in, self.read, self.step_loss = n_in, read, loss

    def start(self, batch: int) -> Tensor:
        """h(0), zeros.

        It is (batch, n_hidden).
        """
        return tensor(np.zeros((batch, len(self.b)), self.b.dtype), name="h0")

    def step(self, h: Tensor, x: Any) -> Tensor:
        """From h(t-1) and x(t) to h(t).

        x(t) is (batch, n_in), h(t) is (batch, n_hidden).

        >>> model = LinearRecurrence(2, 3, 4, rng=np.random.default_rng(0))
        >>> h = model.step(model.start(batch=5), np.ones((5, 2), np.float32))
        >>> h.shape, model.output(h).shape
        ((5, 3), (5, 4))
        """
        new: Tensor = h * exp(-exp(self.a)) + x @ self.U
        return new.named("h")

    def output(self, h: Tensor) -> Tensor:
        """From h(t) to o(t).

        o(t) is (batch, n_out).
        """
        o: Tensor = self.c + tanh(self.b + h @ self.Q) @ self.V
        return o.named("o")

    def forward(self, xs: Any) -> Tensor:
        """The outputs (time, batch, n_out) of xs, or the one output (batch, n_out)."""
        h, outputs = self.start(extent(xs, self.n_in)[1]), []
        for _, x in steps(x=xs):
            h = self.step(h, x)
            if self.read == "each":
                outputs.append(self.output(h))
        if self.read == "last":
            return self.output(h)
        return stack(outputs)  # type: ignore[no-any-return]

    def loss(self, xs: Any, y: Any) -> Tensor:
        """The mean loss, for targets y (time, batch, ...), or (batch, ...) for one.

        >>> model = LinearRecurrence(2, 3, 4, rng=np.random.default_rng(0))
        >>> model.loss(np.ones((6, 5, 2), np.float32), np.zeros((6, 5), int)).shape
        ()
        """
        if self.read == "last":
            target = y if isinstance(y, Tensor) else tensor(y, name="y")
            return step_loss(self.step_loss, self(xs), target).mean()
        with self.scope():
            losses = []
            h = self.start(extent(xs, self.n_in)[1])
            for _, x, target in steps(x=xs, y=y):
                h = self.step(h, x)
                losses.append(step_loss(self.step_loss, self.output(h), target))
            return mean_loss(losses)
