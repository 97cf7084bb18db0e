"""The network with a memory beside it, that it reads and writes by address.

    h(t) = tanh(b + U x(t) + R r(t-1))                      the controller

and for the writing head w(t), with k, β, g, s and γ read off b_w + K_w h(t):

    c_i = softmax over i of β cosine(k, M_i(t-1))           addressing by content
    u_i = g c_i + (1 - g) w_i(t-1)                          or from the last place
    d_i = sum over j = -1, 0, 1 of u_(i-j) s_j              moved; i-j modulo places
    w_i(t) = d_i^γ / sum over j of d_j^γ                    and made sharp

    e(t)   = sigmoid(E h(t)),  a(t) = tanh(A h(t))
    M_i(t) = M_i(t-1) (1 - w_i e) + w_i a                   erase e, then add a

The reading head v(t) is the same of b_v + K_v h(t), with M(t) and v(t-1) in the place
of M(t-1) and w(t-1):

    r(t)   = sum over i of v_i M_i(t)
    o(t)   = c + V [h(t), r(t)]

Section 10.12 and figure 10.18 of Goodfellow, Bengio and Courville; the neural Turing
machine of Graves (2014). The memory M has one row for each place. Content is how
something is found again, location is how a list is walked through. All of it is smooth,
so the gradient says where it would have been better to look. The controller has no
recurrence of its own: all that it knows of the past is what it reads.

>>> import numpy as np
>>> import minigrad as mg
>>> rng = np.random.default_rng(0)
>>> model = NeuralTuringMachine(2, 3, 2, places=4, width=5, rng=rng)
>>> loss = model.loss(np.ones((6, 1, 2), np.float32), np.zeros((6, 1, 2), np.float32))
>>> edges = [str(edge) for edge in mg.fold(mg.contract(loss)).edges]
>>> [e for e in edges if e.startswith("M(")]
['M(t-1) -> w(t)', 'M(t-1) -> M(t)', 'M(t) -> v(t)', 'M(t) -> r(t)']
>>> [e for e in edges if e.startswith("h(")]
['h(t) -> w(t) by K_w', 'h(t) -> M(t) by E, A', 'h(t) -> v(t) by K_v', \
'h(t) -> o(t) by V']
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minigrad.limits import whole
from minigrad.models.many_to_many import mean_loss
from minigrad.nn import Module, init
from minigrad.nn.cells import State
from minigrad.nn.losses import Loss, binary_cross_entropy, step_loss
from minigrad.nn.recurrent import extent
from minigrad.ops.elementwise import power, sigmoid, softplus, sqrt, tanh
from minigrad.ops.nn import softmax
from minigrad.ops.shape import concatenate, expand_dims, stack
from minigrad.ops.time import steps
from minigrad.tensor import Tensor, parameter, tensor

SMALL = 1e-6  # beside a norm, so that a row of zeros has a direction too


class Head(Module):
    """Where a memory is read or written: from h(t) to one weight for each place.

    K and b give k (width), β, g, the three s and γ, side by side; they are named after
    the head, K_w and b_w.

    ``dtype`` is that of the parameters.

    >>> head = Head("w", 3, 5, rng=np.random.default_rng(0), dtype=np.float32)
    >>> memory, last = np.ones((2, 4, 5), np.float32), np.eye(4, dtype=np.float32)[:2]
    >>> w = head(tensor(np.zeros((2, 3), np.float32)), memory, last)
    >>> w.shape, w.sum(axis=-1).data.round(4).tolist()
    ((2, 4), [1.0, 1.0])
    """

    def __init__(
        self,
        name: str,
        n_hidden: int,
        width: int,
        *,
        rng: np.random.Generator,
        dtype: DTypeLike,
    ) -> None:
        K = init.glorot(rng, (n_hidden, width + 6), dtype)
        self.K = parameter(K, name=f"K_{name}")
        self.b = parameter(init.zeros(rng, (width + 6,), dtype), name=f"b_{name}")
        self.width = width

    def forward(self, h: Tensor, memory: Tensor, before: Tensor) -> Tensor:
        """w(t) (batch, places) of h(t), M(t-1) (batch, places, width) and w(t-1)."""
        n, wants = self.width, self.b + h @ self.K
        key, strength = tanh(wants[:, :n]), softplus(wants[:, n : n + 1])
        gate = sigmoid(wants[:, n + 1 : n + 2])
        shift = softmax(wants[:, n + 2 : n + 5])
        sharp = 1 + softplus(wants[:, n + 5 : n + 6])
        products = (memory * expand_dims(key, 1)).sum(axis=-1)
        sizes = sqrt((memory * memory).sum(axis=-1) + SMALL)
        size = sqrt((key * key).sum(axis=-1, keepdims=True) + SMALL)
        content = softmax(strength * products / (sizes * size))
        place = gate * content + (1 - gate) * before
        moved: Any = (
            shift[:, 0:1] * concatenate([place[:, 1:], place[:, :1]], axis=1)
            + shift[:, 1:2] * place
            + shift[:, 2:3] * concatenate([place[:, -1:], place[:, :-1]], axis=1)
        )
        pointed = power(moved + SMALL, sharp)
        weights: Tensor = pointed / pointed.sum(axis=-1, keepdims=True)
        return weights


class NeuralTuringMachine(Module):
    """A recurrent network with a memory of ``places`` rows of ``width`` numbers.

    Parameters
    ----------
    n_in, n_hidden, n_out: the sizes of x(t), h(t) and o(t).
    places, width: the shape of the memory M(t) of one sequence. What it learns does not
        depend on the number of places, so ``places`` may be set anew afterwards.
    loss: L(t) as a function of o(t) and y(t).
    dtype: of the parameters, float32 by default.

    Raises ValueError for fewer than three places, and a width below 1.
    """

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        n_out: int,
        *,
        rng: np.random.Generator,
        places: int = 32,
        width: int = 12,
        loss: Loss = binary_cross_entropy,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.places, self.width = whole("places", places, 3), whole("width", width)
        self.U = parameter(init.glorot(rng, (n_in, n_hidden), dtype))
        self.R = parameter(init.glorot(rng, (width, n_hidden), dtype))
        self.b = parameter(init.zeros(rng, (n_hidden,), dtype))
        self.reader = Head("v", n_hidden, width, rng=rng, dtype=dtype)
        self.writer = Head("w", n_hidden, width, rng=rng, dtype=dtype)
        self.E = parameter(init.glorot(rng, (n_hidden, width), dtype))
        self.A = parameter(init.glorot(rng, (n_hidden, width), dtype))
        self.V = parameter(init.glorot(rng, (n_hidden + width, n_out), dtype))
        self.c = parameter(init.zeros(rng, (n_out,), dtype))
        self.n_in = n_in
        self.step_loss = loss

    def start(self, batch: int) -> State:
        """M, w, v and r at the start: an empty memory, both heads at place 1.

        M is (batch, places, width), w and v are (batch, places), r is (batch, width).
        """
        dtype = self.c.dtype
        memory = np.full((batch, self.places, self.width), SMALL, dtype)
        place = np.zeros((batch, self.places), dtype)
        place[:, 0] = 1
        given = {"M0": memory, "w0": place, "v0": place}
        given["r0"] = np.zeros((batch, self.width), dtype)
        return tuple(tensor(array, name=name) for name, array in given.items())

    def step(self, x: Tensor, state: State) -> tuple[State, Tensor]:
        """From x(t) and the last state to the next one and o(t).

        x(t) is (batch, n_in), o(t) is (batch, n_out).

        >>> rng = np.random.default_rng(0)
        >>> model = NeuralTuringMachine(2, 3, 2, places=4, width=5, rng=rng)
        >>> x = tensor(np.ones((6, 2), np.float32))
        >>> (memory, w, v, r), o = model.step(x, model.start(batch=6))
        >>> memory.shape, w.shape, r.shape, o.shape
        ((6, 4, 5), (6, 4), (6, 5), (6, 2))
        """
        memory, w, v, r = state
        h = tanh(self.b + x @ self.U + r @ self.R).named("h")
        w = self.writer(h, memory, w).named("w")
        erase = expand_dims(sigmoid(h @ self.E), 1)
        add = expand_dims(tanh(h @ self.A), 1)
        rows = expand_dims(w, -1)
        memory = (memory * (1 - rows * erase) + rows * add).named("M")
        v = self.reader(h, memory, v).named("v")
        r = (expand_dims(v, -1) * memory).sum(axis=1).named("r")
        o = (self.c + concatenate([h, r], axis=-1) @ self.V).named("o")
        return (memory, w, v, r), o

    def forward(self, xs: Any) -> Tensor:
        """The outputs (time, batch, n_out) of xs (time, batch, n_in)."""
        state, outputs = self.start(extent(xs, self.n_in)[1]), []
        for _, x in steps(x=xs):
            state, o = self.step(x, state)
            outputs.append(o)
        return stack(outputs)  # type: ignore[no-any-return]

    def loss(self, xs: Any, ys: Any, mask: Any = None) -> Tensor:
        """The mean of L(t), for targets ys (time, batch, ...).

        ``mask`` (time, batch) is true where there is something to be said.
        """
        given = {"x": xs, "y": ys}
        with self.scope():
            state, losses = self.start(extent(xs, self.n_in)[1]), []
            for _, x, y in steps(**given):
                state, o = self.step(x, state)
                losses.append(step_loss(self.step_loss, o, y))
            valid = mask if mask is None or isinstance(mask, Tensor) else tensor(mask)
            return mean_loss(losses, valid)
