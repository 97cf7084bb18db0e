"""The recurrent network as a directed graphical model of a sequence y(1) .. y(τ).

    h(t) = tanh(b + W h(t-1) + U y(t-1))
    o(t) = c + V h(t)
    P(y(1) .. y(τ)) = product over t of P(y(t) | y(1) .. y(t-1))            (eq. 10.31)
    P(y(t) | y(1) .. y(t-1)) = softmax o(t)

Section 10.2.3 and figure 10.8 of Goodfellow, Bengio and Courville. Every y(t) depends
on all before it, as in figure 10.7 (``FullyConnected``), but through h: the number of
parameters does not depend on τ, and each of them serves every step.

A sequence ends in one of three ways:

    "symbol"    o(t) has one more class, the end.
    "stop"      P(no further symbol) = sigmoid(d + S h(t)), asked before each one.
    "length"    P(τ) = softmax k at τ, first of all (eq. 10.34); h(t) reads R r(t) too,
                r(t) the share of symbols that are still to come.

>>> import numpy as np
>>> import minigrad as mg
>>> model = SequenceModel(3, 4, rng=np.random.default_rng(0))
>>> loss = model.loss(*model.arrays([[0, 1, 2, 2], [1], [2, 0]]))
>>> [str(e) for e in mg.fold(mg.contract(loss)).edges if e.delay == 1]
['h(t-1) -> h(t) by W', 'e(t-1) -> h(t) by U']
>>> ys = model.ancestral(6, 1, np.random.default_rng(0))
>>> [str(e) for e in mg.fold(mg.contract(ys)).edges if e.delay == 1]
['h(t-1) -> h(t) by W', 'y(t-1) -> h(t) by U']
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minigrad.limits import whole
from minigrad.mode import no_grad
from minigrad.nn import Module, init
from minigrad.nn.losses import binary_cross_entropy, cross_entropy
from minigrad.nn.recurrent import best, masks, unit_vectors
from minigrad.ops.elementwise import tanh, where
from minigrad.ops.nn import log_softmax
from minigrad.ops.shape import expand_dims, stack
from minigrad.ops.time import steps
from minigrad.tensor import Tensor, parameter, tensor

ENDS = ("symbol", "stop", "length")


class SequenceModel(Module):
    """A distribution over sequences of ``n_symbols`` symbols, of any length.

    Parameters
    ----------
    n_symbols, n_hidden: how many symbols there are, and the size of h(t).
    end: how a sequence ends, "symbol", "stop" or "length".
    longest: the longest sequence that ``end="length"`` gives a probability to.
    dtype: of the parameters, float32 by default.

    With n_out symbols, the end among them, U is (n_out, n_hidden), W (n_hidden,
    n_hidden), V (n_hidden, n_out), b (n_hidden,), c (n_out,). Raises ValueError for
    another ``end``.
    """

    def __init__(
        self,
        n_symbols: int,
        n_hidden: int,
        *,
        rng: np.random.Generator,
        end: str = "symbol",
        longest: int = 40,
        dtype: DTypeLike = np.float32,
    ) -> None:
        if end not in ENDS:
            raise ValueError(f"end is one of {', '.join(ENDS)}, got {end!r}")
        self.n_symbols, self.end = whole("n_symbols", n_symbols), end
        self.longest = whole("longest", longest)
        n_out = n_symbols + (end == "symbol")
        self.U = parameter(init.glorot(rng, (n_out, n_hidden), dtype))
        self.W = parameter(init.orthogonal(rng, (n_hidden, n_hidden), dtype))
        self.V = parameter(init.glorot(rng, (n_hidden, n_out), dtype))
        self.b = parameter(init.zeros(rng, (n_hidden,), dtype))
        self.c = parameter(init.zeros(rng, (n_out,), dtype))
        if end == "stop":
            self.S = parameter(init.glorot(rng, (n_hidden, 1), dtype))
            self.d = parameter(init.zeros(rng, (1,), dtype))
        if end == "length":
            self.R = parameter(init.glorot(rng, (1, n_hidden), dtype))
            self.k = parameter(init.zeros(rng, (longest,), dtype))

    def arrays(self, sequences: Sequence[Sequence[int]]) -> tuple[NDArray[Any], ...]:
        """A batch of sequences of symbol numbers as what ``log_likelihood`` takes.

        That is ys (steps, batch), what is to be said at each step, a mask that is true
        where there is something, and the lengths. An end that is said is a step more.

        Raises ValueError for no sequence, for symbols that there are not, and for
        sequences that are too short or too long.
        """
        if not sequences or any(np.ndim(s) != 1 for s in sequences):
            raise ValueError(
                "a batch is at least one sequence, each a list of symbol numbers, as "
                f"[[0, 1], [1]]: got {sequences!r}"
            )
        lengths = np.array([len(s) for s in sequences])
        least, most = (1, self.longest) if self.end == "length" else (0, np.inf)
        if not all(least <= n <= most for n in lengths):
            raise ValueError(
                f'sequences have {least} to {most} symbols with end="{self.end}", got '
                f"{lengths.min()} to {lengths.max()}"
            )
        n_steps = int(lengths.max()) + (self.end != "length")
        ys = np.full((n_steps, len(lengths)), self.n_symbols)
        for i, s in enumerate(sequences):
            ys[: len(s), i] = s
        if ys.min() < 0 or np.concatenate([*sequences, [0]]).max() >= self.n_symbols:
            raise ValueError(f"symbols are numbers 0 to {self.n_symbols - 1}")
        valid = masks(lengths + (self.end != "length"), n_steps)
        return np.where(valid, ys, 0), valid, lengths

    def step(
        self, h: Tensor, y: Tensor, left: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """From h(t-1), y(t-1) and what is left to h(t) and o(t).

        h is (batch, n_hidden), y(t-1) and o(t) are (batch, n_out).

        >>> model = SequenceModel(3, 4, rng=np.random.default_rng(0))
        >>> h, o = model.step(*model.start(batch=5))
        >>> h.shape, o.shape  # three symbols and the end
        ((5, 4), (5, 4))
        """
        a = self.b + h @ self.W + y @ self.U
        h = tanh(a if left is None else a + left @ self.R).named("h")
        return h, (self.c + h @ self.V).named("o")

    def start(self, batch: int) -> tuple[Tensor, Tensor]:
        """h(0) and what stands for y(0), zeros.

        They are (batch, n_hidden) and (batch, n_out).
        """
        h0 = np.zeros((batch, len(self.b)), self.b.dtype)
        y0 = np.zeros((batch, len(self.c)), self.c.dtype)
        return tensor(h0, name="h0"), tensor(y0, name="y0")

    def log_likelihood(self, ys: Any, valid: Any, lengths: Any) -> Tensor:
        """log P (batch,) of the sequences in these ``arrays``, their ends included.

        >>> model = SequenceModel(3, 4, rng=np.random.default_rng(0))
        >>> model.log_likelihood(*model.arrays([[0, 1, 2], [1]])).shape
        (2,)
        """
        with self.scope():
            if not isinstance(lengths, Tensor):
                lengths = tensor(lengths, name="τ")
            h, said = self.start(len(lengths))
            vector = unit_vectors(len(self.c), self.c.dtype)
            terms = []
            for _, y, *left in steps(y=ys, **self._left(lengths, len(ys))):
                h, o = self.step(h, said, *left)
                stop = y == self.n_symbols if self.end == "stop" else None
                symbol = y if stop is None else where(stop, 0, y)
                terms.append(self._term(h, o, symbol, stop).named("L"))
                said = vector(symbol)
            total = -(stack(terms) * valid).sum(axis=0)
            if self.end == "length":
                total = total + log_softmax(self.k)[lengths - 1]
            return total  # type: ignore[no-any-return]

    def _term(self, h: Tensor, o: Tensor, symbol: Tensor, stop: Any) -> Tensor:
        """-log P of what step t says: a symbol, and whether there is one."""
        loss = cross_entropy(o, symbol)
        if stop is None:
            return loss
        asked = expand_dims(stop, -1).astype(o.dtype)
        asking = binary_cross_entropy(self.d + h @ self.S, asked)
        return asking + where(stop, 0.0, loss)  # type: ignore[no-any-return]

    def _left(self, lengths: Any, n_steps: int) -> dict[str, Any]:
        """r(t), (batch, 1): the share of ``longest`` that is still to come."""
        if self.end != "length":
            return {}
        ahead = expand_dims(lengths, 0) - np.arange(n_steps)[:, None]
        return {"r": expand_dims(ahead.astype(self.c.dtype) / self.longest, -1)}

    def loss(self, ys: Any, valid: Any, lengths: Any) -> Tensor:
        """The mean of -log P over the batch, in nats a sequence."""
        return -self.log_likelihood(ys, valid, lengths).mean()

    def ancestral(
        self,
        n_steps: int,
        batch: int,
        rng: np.random.Generator,
        lengths: Any = None,
    ) -> list[Tensor]:
        """Symbols drawn one after the other, as recorded: unit vectors y(t) by t.

        ``lengths`` (batch,) are those that ``end="length"`` tells h(t) of.
        """
        return [y for y, _ in self._draw(n_steps, batch, rng, lengths)]

    def _draw(
        self, n_steps: int, batch: int, rng: np.random.Generator, lengths: Any
    ) -> list[tuple[Tensor, Tensor]]:
        # The largest of o + Gumbel noise is a draw from softmax o.
        noise = rng.gumbel(size=(n_steps, batch, len(self.c))).astype(self.c.dtype)
        if self.end == "length" and lengths is None:
            raise ValueError('with end="length" a length is drawn first: pass lengths=')
        given = None if lengths is None else tensor(lengths, name="τ")
        found = []
        with self.scope():
            h, y = self.start(batch)
            for _, ε, *left in steps(ε=noise, **self._left(given, n_steps)):
                h, o = self.step(h, y, *left)
                y = best(o + ε).named("y")
                found.append((y, h))
        return found

    def drawn(self, count: int, rng: np.random.Generator) -> list[list[int]]:
        """Sequences drawn from the model, each to its end or to ``longest`` symbols.

        >>> model = SequenceModel(3, 4, rng=np.random.default_rng(0))
        >>> sequences = model.drawn(2, np.random.default_rng(0))
        >>> len(sequences), all(0 <= symbol < 3 for s in sequences for symbol in s)
        (2, True)
        """
        n_steps, lengths = self.longest, None
        with no_grad():
            if self.end == "length":
                noise = rng.gumbel(size=(count, self.longest))
                lengths = (self.k.data + noise).argmax(-1) + 1
                n_steps = int(lengths.max())
            walk = self._draw(n_steps, count, rng, lengths)
            ys = np.stack([y.data.argmax(-1) for y, _ in walk])
            if self.end == "stop":
                stops = [(self.d + h @ self.S).data[:, 0] for _, h in walk]
                over = np.stack(stops) > rng.logistic(size=ys.shape)
            else:
                over = ys == self.n_symbols
        over = np.concatenate([over, np.ones((1, count), bool)])
        if lengths is None:
            lengths = over.argmax(0)
        return [column[:n].tolist() for column, n in zip(ys.T, lengths, strict=True)]
