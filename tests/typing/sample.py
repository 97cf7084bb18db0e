"""A program of a user, with types: checked under mypy --strict and pyright.

Nothing of it is run.
"""

from typing import assert_type

import numpy as np
import numpy.typing as npt

import minigrad as mg
from minigrad.models import ManyToMany
from minigrad.nn import Linear, Module, init
from minigrad.nn.cells import Cell, State
from minigrad.optim import Adam
from minigrad.testing import check_op

Array = npt.NDArray[np.float64]


class Leaky(Cell):
    """A user's own cell."""

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        *,
        rng: np.random.Generator,
        dtype: type = np.float32,
    ) -> None:
        super().__init__(n_in, n_hidden, dtype)
        self.U = mg.parameter(init.glorot(rng, (n_in, n_hidden), dtype))

    def forward(self, x: mg.Tensor, state: State) -> State:
        """From h(t-1) to h(t)."""
        (h,) = state
        return (mg.tanh(x @ self.U + h),)


class Readout(Module):
    """A user's own module."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.V = mg.parameter(init.glorot(rng, (3, 2)))
        self.out = Linear(2, 1, rng=rng)

    def forward(self, h: mg.Tensor, scale: float = 1.0) -> mg.Tensor:
        """From h to o."""
        return self.out(h @ self.V * scale)


def square(a: Array) -> Array:
    """a²."""
    return np.multiply(a, a)


def rule(g: Array, y: Array, a: Array) -> Array:
    """The cotangent of a."""
    return 2 * g * a


def program() -> None:
    """What an editor should know of every line."""
    W = mg.parameter(np.eye(3), name="W")
    x = mg.tensor(np.ones((1, 3)), name="x")
    assert_type(W, mg.Parameter)
    assert_type(x, mg.Tensor)
    assert_type(x @ W, mg.Tensor)
    assert_type(2 * x + 1, mg.Tensor)
    assert_type(x.named("h"), mg.Tensor)
    assert_type((x @ W).sum(axis=0), mg.Tensor)
    assert_type(x[0], mg.Tensor)
    assert_type(mg.tanh(x), mg.Tensor)
    assert_type(mg.sum(x, axis=(0, 1), keepdims=True), mg.Tensor)
    assert_type(mg.stack([x, x], axis=1), mg.Tensor)
    assert_type(mg.einsum("ij,jk->ik", x, W), mg.Tensor)
    assert_type(mg.diff(x, axis=0, prepend=0.0), mg.Tensor)
    assert_type(mg.vstack([x, x]), mg.Tensor)
    assert_type(mg.array_split(x, 2), list[mg.Tensor])
    assert_type(x.ravel().repeat(2).argmax(axis=0), mg.Tensor)
    assert_type(mg.zeros_like(x), mg.Tensor)
    assert_type(x.requires_grad, bool)
    check_op(mg.tanh)
    check_op(mg.sum, axis=0)
    assert_type(W.shape, tuple[int, ...])

    loss = ((x @ W) ** 2).sum()
    assert_type(mg.grad(loss, [W]), list[mg.Tensor])
    assert_type(mg.Graph(loss).uses(W), list[mg.Use])
    assert_type(mg.grad_by_use(loss, W), list[mg.Share])
    assert_type(mg.draw(loss), mg.Figure)
    assert_type(mg.fold(loss), mg.Recurrence)
    loss.backward()

    model = ManyToMany(1, 8, 1, rng=np.random.default_rng(0), cell=Leaky)
    assert_type(model(np.zeros((4, 1, 1))), mg.Tensor)
    assert_type(Readout(np.random.default_rng(0))(x, scale=2.0), mg.Tensor)
    optimiser = Adam(model.parameters(), lr=0.01)
    optimiser.step()
    figure: mg.Figure = mg.draw(model.loss(np.zeros((4, 1, 1)), np.zeros((4, 1), int)))
    figure.save("rnn.png")
    own = mg.Op(square, rule, name="square")
    assert_type(own, mg.Op)
    assert_type(own(x), mg.Tensor)
    assert_type(own(np.ones(3), x), mg.Tensor)
    assert_type(own([x, x]), mg.Tensor)
    check_op(own)
    op: mg.Op = mg.tanh
    assert_type(op(x), mg.Tensor)
    assert_type(mg.op(rule)(square)(x), mg.Tensor)
