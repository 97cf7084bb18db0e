"""The network whose recurrence is not trained: only its read-out is.

    h(t) = α h(t-1) + (1 - α) tanh(b + W h(t-1) + U x(t))       U, W, b as they started
    o(t) = c + V h(t)                                           V, c by least squares

Section 10.8 of Goodfellow, Bengio and Courville; Jaeger (2001). W has a spectral radius
a little below 1, so that the state echoes the past and lets it fade.

>>> model = EchoState(1, 30, 1, rng=np.random.default_rng(0))
>>> xs = np.sin(np.arange(201) / 4)[:, None, None]
>>> model.solve(xs[:-1], xs[1:], settle=50)
>>> errors = model(xs[:-1]).data[50:] - xs[51:]
>>> bool(np.abs(errors).max() < 1e-3), [p.name for p in model.parameters()]
(True, ['V', 'c'])
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from minigrad.limits import whole, within
from minigrad.mode import no_grad
from minigrad.nn import Module, init
from minigrad.nn.cells import Elman
from minigrad.nn.recurrent import extent, unroll
from minigrad.ops.shape import stack
from minigrad.tensor import Tensor, parameter


class EchoState(Module):
    """A fixed reservoir of ``n_hidden`` units with a linear read-out.

    Parameters
    ----------
    radius: the spectral radius of W.
    scale: the largest entry of U and of b, which are uniform.
    leak: α, how much of a unit stays from step to step.
    dtype: of the parameters, float32 by default.

    Raises ValueError for a setting that is out of its range, TypeError for one that is
    no number.
    """

    fixed = ("rnn",)

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        n_out: int,
        *,
        rng: np.random.Generator,
        radius: float = 0.9,
        scale: float = 0.5,
        leak: float = 0.0,
        dtype: DTypeLike = np.float64,
    ) -> None:
        scale = within("scale", scale, "[0, inf)")
        self.rnn = Elman(n_in, n_hidden, rng=rng, W=radius, leak=leak, dtype=dtype)
        self.rnn.U.assign(rng.uniform(-scale, scale, (n_in, n_hidden)))
        self.rnn.b.assign(rng.uniform(-scale, scale, n_hidden))
        self.V = parameter(init.zeros(rng, (n_hidden, n_out), dtype))
        self.c = parameter(init.zeros(rng, (n_out,), dtype))

    def forward(self, xs: Any) -> Tensor:
        """The outputs (time, batch, n_out) of xs (time, batch, n_in)."""
        return stack(  # type: ignore[no-any-return]
            [(self.c + h @ self.V).named("o") for _, (h, *_) in unroll(self.rnn, xs)]
        )

    def solve(
        self, xs: Any, ys: ArrayLike, settle: int = 0, ridge: float = 1e-8
    ) -> None:
        """Set V and c by least squares of o - y, without the first ``settle`` steps.

        ``ys`` is (time, batch, n_out). ``ridge`` times the squared size of V is added
        to the mean squared error.

        Raises ValueError for ys of another shape, and where ``settle`` leaves no step,
        and TypeError for a ridge that is no number.
        """
        ridge, settle = within("ridge", ridge, "[0, inf)"), whole("settle", settle, 0)
        expected, found = (*extent(xs), len(self.c)), np.shape(ys)
        if found != expected:
            raise ValueError(
                f"for these xs the targets ys are (time, batch, n_out) {expected}, got "
                f"shape {found}"
            )
        if settle >= len(xs):
            raise ValueError(
                f"settle leaves steps to learn from, and lies below the {len(xs)} that "
                f"there are: got {settle}"
            )
        with no_grad():
            hs = np.stack([h.data for _, (h, *_) in unroll(self.rnn, xs)])[settle:]
        h = hs.reshape(-1, hs.shape[-1]).astype(np.float64)
        y = np.asarray(ys, np.float64)[settle:].reshape(len(h), -1)
        # Centred, so that the ridge does not pull at c.
        mean_h, mean_y = h.mean(0), y.mean(0)
        h, y = h - mean_h, y - mean_y
        V = np.linalg.solve(h.T @ h + ridge * len(h) * np.eye(h.shape[1]), h.T @ y)
        self.V.assign(V)
        self.c.assign(mean_y - mean_h @ V)
