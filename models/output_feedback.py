"""The network whose only recurrence runs from its output to its next hidden state.

    h(t) = tanh(b + W o(t-1) + U x(t))
    o(t) = c + V h(t)
    L    = mean over t of L(t),         L(t) of o(t) and y(t)

Figure 10.4 of Goodfellow, Bengio and Courville; after Jordan (1986). W has shape
(n_out, n_hidden): there is no arrow from h(t-1) to h(t). All that the network can know
of the past is what o(t-1) says, and o is trained to be y.

Three ways to train, by what stands for o(t-1):

    "teacher"   y(t-1), the truth (Williams and Zipser 1989; fig. 10.6). The arrow from
                o(t-1) to h(t) is not in the graph, so the steps do not depend on each
                other and no gradient runs along time.
    "free"      o(t-1), and gradient runs through it.
    p           where(m(t), y(t-1), o(t-1)), m(t) true with probability p, an input: the
                graph is the same at every step (scheduled sampling, Bengio 2015).

What is fed back of o is o itself, "softmax", the unit vector of the "best" class, or
that of one "drawn" from softmax o; the last two pass no gradient. Of a y of class
numbers it is the unit vector e.

>>> import numpy as np
>>> import minigrad as mg
>>> from minigrad.nn.losses import mse
>>> model = OutputFeedback(1, 3, 1, rng=np.random.default_rng(0), loss=mse)
>>> xs, ys = np.ones((4, 1, 1), np.float32), np.zeros((4, 1, 1), np.float32)
>>> def recurrences(loss):
...     edges = mg.fold(mg.contract(loss)).edges
...     return [str(edge) for edge in edges if edge.delay == 1]
>>> recurrences(model.loss(xs, ys, feedback="free"))
['o(t-1) -> h(t) by W']
>>> recurrences(model.loss(xs, ys, feedback="teacher"))
['y(t-1) -> h(t) by W']
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from minigrad.mode import no_grad
from minigrad.models.many_to_many import mean_loss
from minigrad.nn import Module, init
from minigrad.nn.cells import input_weights
from minigrad.nn.losses import Loss, cross_entropy, step_loss
from minigrad.nn.recurrent import Lengths, best, extent, mask_of, unit_vectors
from minigrad.ops.elementwise import tanh, where
from minigrad.ops.nn import softmax
from minigrad.ops.time import steps
from minigrad.tensor import Tensor, parameter, tensor

FED = ("o", "softmax", "best", "drawn")


class OutputFeedback(Module):
    """A recurrent network that remembers only what it has said.

    Parameters
    ----------
    n_in, n_hidden, n_out: the sizes of x(t), h(t) and o(t).
    loss: L(t) as a function of o(t) and y(t).
    fed: what of o is fed back: "o", "softmax", "best" or "drawn".
    U: "trained", "identity", "orthogonal" or "fixed".
    rng: where the start comes from: U, V and W Glorot, b and c zero.
    dtype: of the parameters, float32 by default.

    Raises ValueError for another ``fed``.
    """

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        n_out: int,
        *,
        rng: np.random.Generator,
        loss: Loss = cross_entropy,
        fed: str = "o",
        U: str = "trained",
        dtype: DTypeLike = np.float32,
    ) -> None:
        if fed not in FED:
            raise ValueError(f"fed is one of {', '.join(FED)}, got {fed!r}")
        self.U = input_weights(U, n_in, n_hidden, rng, dtype)
        self.fixed = ("U",) if U == "fixed" else ()
        self.W = parameter(init.glorot(rng, (n_out, n_hidden), dtype))
        self.V = parameter(init.glorot(rng, (n_hidden, n_out), dtype))
        self.b = parameter(init.zeros(rng, (n_hidden,), dtype))
        self.c = parameter(init.zeros(rng, (n_out,), dtype))
        self.n_in = n_in
        self.step_loss = loss
        self.fed = fed

    def step(self, back: Any, x: Any) -> Tensor:
        """From what is fed back and x(t) to o(t).

        x(t) is (batch, n_in); what is fed back and o(t) are (batch, n_out).

        >>> rng = np.random.default_rng(0)
        >>> model = OutputFeedback(2, 3, 4, rng=rng, fed="best")
        >>> o = model.step(model.start(batch=5), np.ones((5, 2), np.float32))
        >>> o.shape, model.spoken(o).data.sum(axis=-1).tolist()
        ((5, 4), [1.0, 1.0, 1.0, 1.0, 1.0])
        """
        a = self.b + back @ self.W + (x if self.U is None else x @ self.U)
        h = tanh(a).named("h")
        return (self.c + h @ self.V).named("o")  # type: ignore[no-any-return]

    def spoken(self, o: Tensor, noise: Tensor | None = None) -> Tensor:
        """What is fed back of o(t).

        o(t) is (batch, n_out), and so are ``noise`` and the result.
        """
        if self.fed == "o":
            return o
        if self.fed == "softmax":
            return softmax(o).named("ŷ")  # type: ignore[no-any-return]
        return best(o if noise is None else o + noise).named("ŷ")  # type: ignore[no-any-return]

    def start(self, batch: int) -> Tensor:
        """What is fed back at the first step, zeros, named o0.

        It is (batch, n_out).
        """
        return tensor(np.zeros((batch, len(self.c)), self.c.dtype), name="o0")

    def loss(
        self,
        xs: Any,
        ys: Any,
        *,
        feedback: str | float = "teacher",
        start: Tensor | None = None,
        lengths: Lengths = None,
        rng: np.random.Generator | None = None,
    ) -> Tensor:
        """The mean of L(t) for targets ys (time, batch, ...).

        ``feedback`` is "teacher", "free", or the probability p of the truth; ``rng``
        draws the masks of p and the symbols of ``fed="drawn"``.
        """
        length, batch = extent(xs, self.n_in)
        given = {"x": xs, "y": ys} | self._drawn(length, batch, feedback, rng)
        valid = mask_of(lengths, xs)
        with self.scope():
            vector = unit_vectors(len(self.c), self.c.dtype)
            truth = said = self.start(batch) if start is None else start
            losses = []
            for _, x, y, *more in steps(**given):
                if feedback == "teacher":
                    back = truth
                elif feedback == "free":
                    back = said
                else:
                    back = where(more[0], truth, said)
                o = self.step(back, x)
                losses.append(step_loss(self.step_loss, o, y))
                if feedback != "free":
                    truth = vector(y)
                if feedback != "teacher":
                    said = self.spoken(o, more[-1] if self.fed == "drawn" else None)
            return mean_loss(losses, valid)

    def continued(
        self,
        xs: Any,
        known: ArrayLike | None = None,
        *,
        start: Tensor | None = None,
        rng: np.random.Generator | None = None,
    ) -> NDArray[Any]:
        """The outputs (time, batch, n_out) closed loop: fed with what they said before.

        With ``known`` (k, batch, ...) the first k steps are fed with the truth.

        >>> model = OutputFeedback(2, 3, 4, rng=np.random.default_rng(0))
        >>> model.continued(np.ones((6, 5, 2), np.float32)).shape
        (6, 5, 4)
        """
        length, batch = extent(xs, self.n_in)
        given = {"x": xs} | self._drawn(length, batch, "free", rng)
        truth = np.empty((0,)) if known is None else np.asarray(known)
        outputs = []
        with no_grad():
            vector = unit_vectors(len(self.c), self.c.dtype)
            back = self.start(batch) if start is None else start
            for t, x, *more in steps(**given):
                o = self.step(back, x)
                outputs.append(o.data)
                if t <= len(truth):
                    back = vector(tensor(truth[t - 1]))
                else:
                    back = self.spoken(o, more[-1] if more else None)
        return np.stack(outputs)

    def _drawn(
        self,
        length: int,
        batch: int,
        feedback: str | float,
        rng: np.random.Generator | None,
    ) -> dict[str, Any]:
        """The random inputs of a run: the masks m of p, the noise of a drawn symbol."""
        drawn: dict[str, Any] = {}
        if isinstance(feedback, str):
            if feedback not in ("teacher", "free"):
                raise ValueError(
                    f'feedback is "teacher", "free" or a probability, got {feedback!r}'
                )
        elif not 0 <= feedback <= 1:
            raise ValueError(f"feedback as a probability lies in 0..1, got {feedback}")
        else:
            where_true = _needed(rng).random((length, batch, 1)) < feedback
            drawn["m"] = where_true
        if self.fed == "drawn" and feedback != "teacher":
            # The largest of o + Gumbel noise is a draw from softmax o.
            shape = (length, batch, len(self.c))
            drawn["ε"] = _needed(rng).gumbel(size=shape).astype(self.c.dtype)
        return drawn


def _needed(rng: np.random.Generator | None) -> np.random.Generator:
    if rng is None:
        raise ValueError("this draws at random: pass rng=np.random.default_rng(seed)")
    return rng
