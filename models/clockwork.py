"""The network whose units are groups, each with a clock of its own.

    h_k(t) = tanh(b_k + U_k x(t) + sum over j >= k of W_kj h_j)    t = 1, 1 + p_k, ..
    o(t)   = c + sum over k of V_k h_k                             at every t

Section 10.9.3 of Goodfellow, Bengio and Courville (removing connections); the Clockwork
RNN of Koutník (2014). Group k is computed at every p_k-th step alone, and whoever reads
it reads its latest value. So h_j is that of this step where group j ticks now, and of
its last tick where it does not; only h_k itself is read as h_k(t - p_k). Between these
steps there is no node of it in the graph: nothing is masked, and what is not computed
costs nothing. Its recurrence goes p_k steps at once, so T steps back are T / p_k
products. A faster group reads the slower ones; a slower one does not read a faster one.

>>> import numpy as np
>>> import minigrad as mg
>>> model = Clockwork(1, 4, 2, rng=np.random.default_rng(0), periods=(1, 3))
>>> o = model(np.ones((13, 1, 1), np.float32))
>>> edges = [str(e) for e in mg.fold(mg.contract(o)).edges]
>>> [e for e in edges if e.startswith("h2(") and "h1" in e]
['h2(t) -> h1(1,4,..T) by W12', 'h2(t-1) -> h1(2,5,..T) by W12', \
'h2(t-2) -> h1(3,6,..T) by W12']
>>> [e for e in edges if "-> h2(" in e]
['x(t) -> h2(1,4,..T) by U2', 'h20 -> h2(1) by W22', 'h2(t-3) -> h2(t) by W22']
"""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minigrad.limits import whole
from minigrad.models.many_to_many import mean_loss
from minigrad.nn import Module, init
from minigrad.nn.losses import Loss, cross_entropy, step_loss
from minigrad.nn.recurrent import extent
from minigrad.ops.elementwise import tanh
from minigrad.ops.shape import stack
from minigrad.ops.time import steps
from minigrad.scope import scope
from minigrad.tensor import Tensor, parameter, tensor


class Clockwork(Module):
    """A recurrent network of groups of units at several time scales.

    Parameters
    ----------
    n_in, n_group, n_out: the sizes of x(t), of each group h_k(t), and of o(t).
    periods: p_k, the fastest group first, each a multiple of the one before.
    read: "each" for an output at every step, or "last" for one at the end.
    loss: L as a function of o and y.
    dtype: of the parameters, float32 by default.

    xs is (time, batch, n_in). Of every group, U_k is (n_in, n_group), W_kj (n_group,
    n_group), b_k (n_group,) and V_k (n_group, n_out); c is (n_out,). Raises ValueError
    for periods that are not such, and for another ``read``.
    """

    def __init__(
        self,
        n_in: int,
        n_group: int,
        n_out: int,
        *,
        rng: np.random.Generator,
        periods: tuple[int, ...] = (1, 2, 4),
        read: str = "each",
        loss: Loss = cross_entropy,
        dtype: DTypeLike = np.float32,
    ) -> None:
        given = periods if np.iterable(periods) else ()
        self.periods = tuple(whole("a period", p) for p in given)
        pairs = pairwise(self.periods)
        if not self.periods or any(b <= a or b % a for a, b in pairs):
            raise ValueError(
                "periods grow, and each is a multiple of the one before, as (1, 2, 4): "
                f"got {periods}"
            )
        if read not in ("each", "last"):
            raise ValueError(f'read is "each" or "last", got {read!r}')
        groups = range(1, len(self.periods) + 1)
        for k in groups:
            U = init.glorot(rng, (n_in, n_group), dtype)
            setattr(self, f"U{k}", parameter(U))
            for j in range(k, len(self.periods) + 1):
                # What a group reads of all is as large as what it reads of itself.
                W = init.orthogonal(rng, (n_group, n_group), dtype)
                W = W if j == k else W / len(self.periods)
                setattr(self, f"W{k}{j}", parameter(W))
            setattr(self, f"b{k}", parameter(init.zeros(rng, (n_group,), dtype)))
            V = init.glorot(rng, (n_group, n_out), dtype)
            setattr(self, f"V{k}", parameter(V))
        self.c = parameter(init.zeros(rng, (n_out,), dtype))
        self.n_in, self.n_group, self.read, self.step_loss = n_in, n_group, read, loss

    def start(self, batch: int) -> list[Tensor]:
        """h_k before its first step, zeros.

        Each is (batch, n_group).
        """
        zeros = np.zeros((batch, self.n_group), self.c.dtype)
        return [tensor(zeros, name=f"h{k}0") for k, _ in self.groups]

    @property
    def groups(self) -> list[tuple[int, int]]:
        """k and p_k of each group."""
        return list(enumerate(self.periods, 1))

    def step(self, t: int, x: Any, hs: list[Tensor]) -> list[Tensor]:
        """The latest values of all groups at step t, of those at step t-1.

        x is (batch, n_in), every h_k (batch, n_group).

        >>> model = Clockwork(1, 3, 2, rng=np.random.default_rng(0), periods=(1, 4))
        >>> model.groups
        [(1, 1), (2, 4)]
        >>> before = model.start(batch=5)
        >>> after = model.step(2, np.ones((5, 1), np.float32), before)
        >>> [new is old for new, old in zip(after, before)]  # the fast group ticks
        [False, True]
        >>> model.output(after).shape
        (5, 2)
        """
        hs = list(hs)
        own = vars(self)
        for k, period in reversed(self.groups):
            if (t - 1) % period:
                continue
            # In a scope of its own, since only some steps have these lines.
            with scope(f"group{k}"):
                a = own[f"b{k}"] + x @ own[f"U{k}"]
                for j, _ in self.groups[k - 1 :]:
                    a = a + hs[j - 1] @ own[f"W{k}{j}"]
                hs[k - 1] = tanh(a).named(f"h{k}")
        return hs

    def output(self, hs: list[Tensor]) -> Tensor:
        """From the latest values of all groups to o.

        o is (batch, n_out).
        """
        o: Any = self.c
        for (k, _), h in zip(self.groups, hs, strict=True):
            o = o + h @ vars(self)[f"V{k}"]
        named: Tensor = o.named("o")
        return named

    def forward(self, xs: Any) -> Tensor:
        """The outputs (time, batch, n_out) of xs, or the one output (batch, n_out)."""
        outputs = []
        hs = self.start(extent(xs, self.n_in)[1])
        for t, x in steps(x=xs):
            hs = self.step(t, x, hs)
            if self.read == "each":
                outputs.append(self.output(hs))
        if self.read == "last":
            return self.output(hs)
        return stack(outputs)  # type: ignore[no-any-return]

    def loss(self, xs: Any, y: Any) -> Tensor:
        """The mean loss, for targets y (time, batch, ...), or (batch, ...) for one.

        >>> model = Clockwork(1, 3, 2, rng=np.random.default_rng(0))
        >>> model.loss(np.ones((6, 5, 1), np.float32), np.zeros((6, 5), int)).shape
        ()
        """
        if self.read == "last":
            target = y if isinstance(y, Tensor) else tensor(y, name="y")
            return step_loss(self.step_loss, self(xs), target).mean()
        with self.scope():
            losses = []
            hs = self.start(extent(xs, self.n_in)[1])
            for t, x, target in steps(x=xs, y=y):
                hs = self.step(t, x, hs)
                losses.append(step_loss(self.step_loss, self.output(hs), target))
            return mean_loss(losses)
