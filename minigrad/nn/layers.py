"""Layers without time: what stands before, behind and between recurrent cells.

>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> Linear(3, 2, rng=rng)(np.ones((5, 3), np.float32)).shape
(5, 2)
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minigrad.limits import within
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.ops.indexing import embedding
from minigrad.ops.linalg import matmul
from minigrad.ops.nn import layer_norm
from minigrad.tensor import Tensor, parameter

__all__ = ["Embedding", "LayerNorm", "Linear"]


class Linear(Module):
    """x W + b, W of shape (n_in, n_out) Glorot, b of shape (n_out,) zero."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        rng: np.random.Generator,
        bias: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.W = parameter(init.glorot(rng, (n_in, n_out), dtype))
        self.b = parameter(init.zeros(rng, (n_out,), dtype)) if bias else None

    def forward(self, x: Any) -> Tensor:
        """x of shape (..., n_in) to (..., n_out)."""
        product: Tensor = matmul(x, self.W)
        return product if self.b is None else product + self.b


class Embedding(Module):
    """A row of E, shape (n, size), for each number: E has normal entries."""

    def __init__(
        self,
        n: int,
        size: int,
        *,
        rng: np.random.Generator,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.E = parameter(rng.normal(size=(n, size)).astype(dtype))

    def forward(self, index: Any) -> Tensor:
        """Integers of shape (...) to (..., size)."""
        rows: Tensor = embedding(self.E, index)
        return rows


class LayerNorm(Module):
    """gain (x - mean) / sqrt(var + eps) + bias over the last axis (Ba et al. 2016)."""

    def __init__(
        self, size: int, *, eps: float = 1e-5, dtype: DTypeLike = np.float32
    ) -> None:
        self.gain = parameter(np.ones(size, dtype))
        self.bias = parameter(np.zeros(size, dtype))
        self.eps = within("eps", eps, "(0, inf)")

    def forward(self, x: Any) -> Tensor:
        """x of shape (..., size): rows of mean 0 and variance 1, before the gain."""
        rows: Tensor = layer_norm(x, self.gain, self.bias, eps=self.eps)
        return rows
