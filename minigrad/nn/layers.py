"""Layers without time: what stands before, behind and between recurrent cells.

>>> import numpy as np
>>> rng = np.random.default_rng(0)
>>> Linear(3, 2, rng=rng)(np.ones((5, 3), np.float32)).shape
(5, 2)
"""

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
from numpy.typing import DTypeLike

from minigrad.limits import whole, within
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.ops.indexing import embedding
from minigrad.ops.linalg import matmul
from minigrad.ops.nn import layer_norm
from minigrad.tensor import Tensor, parameter, tensor


class Linear(Module):
    """x W + b, W of shape (n_in, n_out) Glorot, b of shape (n_out,) zero.

    ``dtype`` is that of the parameters, float32 by default. Raises ValueError for a
    size below 1.

    >>> layer = Linear(2, 3, rng=np.random.default_rng(0))
    >>> layer(np.ones((4, 2), np.float32)).shape
    (4, 3)
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        rng: np.random.Generator,
        bias: bool = True,
        dtype: DTypeLike = np.float32,
    ) -> None:
        n_in, n_out = whole("n_in", n_in), whole("n_out", n_out)
        self.W = parameter(init.glorot(rng, (n_in, n_out), dtype))
        self.b = parameter(init.zeros(rng, (n_out,), dtype)) if bias else None

    def forward(self, x: Any) -> Tensor:
        """x of shape (..., n_in) to (..., n_out)."""
        product: Tensor = matmul(x, self.W)
        return product if self.b is None else product + self.b


class Embedding(Module):
    """A row of E, shape (n, size), for each number: E has normal entries.

    After Bengio (2003). ``dtype`` is that of E, float32 by default. Raises ValueError
    for a size below 1.

    >>> table = Embedding(5, 3, rng=np.random.default_rng(0))
    >>> table(np.array([4, 0])).shape  # a row for each symbol
    (2, 3)
    """

    def __init__(
        self,
        n: int,
        size: int,
        *,
        rng: np.random.Generator,
        dtype: DTypeLike = np.float32,
    ) -> None:
        n, size = whole("n", n), whole("size", size)
        self.E = parameter(rng.normal(size=(n, size)).astype(dtype))

    def forward(self, index: Any) -> Tensor:
        """Integers of shape (...) to (..., size)."""
        rows: Tensor = embedding(self.E, index)
        return rows


class LayerNorm(Module):
    """gain (x - mean) / sqrt(var + eps) + bias over the last axis (Ba et al. 2016).

    ``dtype`` is that of the parameters, float32 by default.

    Raises ValueError for an eps that is not above 0, TypeError for what is no number.

    >>> norm = LayerNorm(3)
    >>> norm(np.array([[1.0, 2.0, 3.0]], np.float32)).data.round(2).tolist()
    [[-1.2200000286102295, 0.0, 1.2200000286102295]]
    """

    def __init__(
        self, size: int, *, eps: float = 1e-5, dtype: DTypeLike = np.float32
    ) -> None:
        size = whole("size", size)
        self.gain = parameter(np.ones(size, dtype))
        self.bias = parameter(np.zeros(size, dtype))
        self.eps = within("eps", eps, "(0, inf)")

    def forward(self, x: Any) -> Tensor:
        """x of shape (..., size): rows of mean 0 and variance 1, before the gain."""
        rows: Tensor = layer_norm(x, self.gain, self.bias, eps=self.eps)
        return rows


class Dropout(Module):
    """Elements set to 0 with probability p, the others divided by 1 - p.

    Srivastava et al. (2014). Without a generator nothing is dropped: that is how a
    network is used. A mask that a compiled loss shall have anew at every step comes
    with the batch: draw it with ``mask`` and hand it over.

    Raises ValueError for what is no probability below 1, TypeError for what is no
    number.

    >>> half = Dropout(0.5)
    >>> half(np.ones(4), np.random.default_rng(0)).data.tolist()
    [0.0, 2.0, 2.0, 2.0]
    >>> half(np.ones(4)).data.tolist()
    [1.0, 1.0, 1.0, 1.0]
    """

    def __init__(self, p: float) -> None:
        self.p = within("p", p, "[0, 1)")

    def mask(
        self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike
    ) -> np.ndarray[Any, Any]:
        """0 with probability p, else 1 / (1 - p).

        It is of this shape and dtype.

        >>> Dropout(0.5).mask(np.random.default_rng(0), (4,), np.float32).tolist()
        [0.0, 2.0, 2.0, 2.0]
        """
        kept = rng.random(shape) < 1 - self.p
        return (kept / (1 - self.p)).astype(dtype)

    def forward(self, x: Any, noise: Any = None) -> Tensor:
        """x of any shape; ``noise`` is a generator, or a mask of that shape.

        Raises TypeError for a mask of another shape.
        """
        whole: Tensor = x if isinstance(x, Tensor) else tensor(x)
        if noise is None:
            return whole
        if isinstance(noise, np.random.Generator):
            noise = tensor(self.mask(noise, whole.shape, whole.dtype), name="m")
        elif np.shape(noise) != whole.shape:
            raise TypeError(
                "Dropout takes a generator, as np.random.default_rng(seed), or a mask "
                f"of shape {whole.shape}: got {noise!r}"
            )
        thinned: Tensor = whole * noise
        return thinned


class Sequential(Module):
    """Modules and functions, each applied to what the one before it gives.

    Raises TypeError for a part that cannot be called.

    >>> rng = np.random.default_rng(0)
    >>> below, above = Linear(2, 3, rng=rng), Linear(3, 1, rng=rng)
    >>> net = Sequential(below, np.tanh, Dropout(0.1), above)
    >>> net(np.ones((4, 2), np.float32)).shape
    (4, 1)
    """

    def __init__(self, *parts: Callable[[Any], Any]) -> None:
        for part in parts:
            if not callable(part):
                raise TypeError(
                    "Sequential takes modules and functions, as in Sequential(Linear("
                    f"2, 3, rng=rng), mg.tanh): got {type(part).__name__}"
                )
        self.parts = parts

    def __getitem__(self, k: Any) -> NoReturn:
        raise TypeError("the parts of a Sequential are net.parts[k], and net.parts all")

    def forward(self, x: Any, rng: np.random.Generator | None = None) -> Tensor:
        """From x to what the last part gives; ``rng`` draws for every ``Dropout``."""
        given: Tensor = x if isinstance(x, Tensor) else tensor(x)
        for part in self.parts:
            draws = isinstance(part, (Dropout, Sequential))
            given = part(given, rng) if draws else part(given)  # type: ignore[call-arg]
        return given
