"""The state of a system that is driven from outside, with no loss.

    s(t) = f(s(t-1), x(t); θ)                    (eq. 10.4)
    f(s, x; θ) = tanh(θ [s, x])                  unless a subclass says otherwise

One f and one θ serve every step, so the unrolled graph has as many columns as the
sequence has steps and θ stays one node. Unrolling at τ = 3, down to s(1):

>>> import numpy as np
>>> import minigrad as mg
>>> system = DynamicalSystem(n_in=2, n_state=3, rng=np.random.default_rng(0))
>>> s = system(np.ones((3, 1, 2), np.float32))
>>> said = mg.equations(s, functions={"f": "f"})
>>> said
s(t) = f(s(t-1), x(t); θ)
>>> said.unrolled()
s(3) = f(f(s(1), x(2); θ), x(3); θ)
>>> said.unrolled(down_to=0)
s(3) = f(f(f(s(0), x(1); θ), x(2); θ), x(3); θ)
>>> len(mg.Graph(s).uses(system.theta))
3

The figure of the same graph is ``mg.draw(s)``.
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minigrad.nn import Module, init
from minigrad.ops.elementwise import tanh
from minigrad.ops.shape import concatenate
from minigrad.ops.time import steps
from minigrad.scope import scope
from minigrad.tensor import Tensor, parameter, tensor


class DynamicalSystem(Module):
    """A state of size ``n_state``, driven by inputs of size ``n_in``.

    θ has shape (n_state + n_in, n_state) and acts on the rows [s, x]; ``rng`` starts it
    orthogonal. Another system is a subclass with its own ``f``.

    ``dtype`` is that of the parameters, float32 by default.
    """

    def __init__(
        self,
        n_in: int,
        n_state: int,
        *,
        rng: np.random.Generator,
        dtype: DTypeLike = np.float32,
    ) -> None:
        theta = init.orthogonal(rng, (n_state + n_in, n_state), dtype)
        self.theta = parameter(theta, name="θ")

    def f(self, s: Tensor, x: Tensor) -> Tensor:
        """From s(t-1) and x(t) to s(t).

        >>> system = DynamicalSystem(n_in=2, n_state=3, rng=np.random.default_rng(0))
        >>> s, x = np.zeros((5, 3), np.float32), np.ones((5, 2), np.float32)
        >>> system.f(s, x).shape
        (5, 3)
        """
        return tanh(concatenate([s, x], axis=-1) @ self.theta)  # type: ignore[no-any-return]

    def forward(self, xs: Any, s0: Any = None) -> Tensor:
        """The last state s(T), (batch, n_state), of xs (time, batch, n_in).

        ``s0`` is the state before the first step, zero by default.
        """
        n_state = self.theta.shape[1]
        if s0 is None:
            s0 = np.zeros((np.shape(xs)[1], n_state), self.theta.dtype)
        s = s0 if isinstance(s0, Tensor) else tensor(s0, name="s0")
        for _, x in steps(x=xs):
            with scope("f"):
                s = self.f(s, x)
            s.named("s")
        return s
