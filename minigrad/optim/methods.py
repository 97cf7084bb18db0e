"""The methods: gradient descent, RMSProp, Adam, and several of them as one.

>>> import minigrad as mg
>>> a, b = mg.parameter([4.0], name="a"), mg.parameter([4.0], name="b")
>>> optimiser = Groups(SGD([a], lr=0.5), Adam([b], lr=0.25))
>>> (a + b).sum().backward()
>>> optimiser.step()
>>> a.data.item(), round(b.data.item(), 6)
(3.5, 3.75)
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from minigrad.limits import within
from minigrad.optim.optimiser import Memory, Optimiser, Schedule
from minigrad.tensor import Parameter, Tensor


class SGD(Optimiser):
    """Gradient descent, v = momentum v + g, p = p - lr v (Polyak 1964).

    With ``weight_decay`` the gradient of a parameter of two axes or more is
    g + weight_decay · p; biases are left alone.

    Raises ValueError for a setting that is out of its range, TypeError for one that is
    no number.

    >>> import minigrad as mg
    >>> w = mg.parameter([1.0])
    >>> (2 * w).sum().backward()
    >>> SGD([w], lr=0.25).step()
    >>> w.data.tolist()
    [0.5]
    """

    kept: tuple[str, ...] = ("velocity",)

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float | Schedule,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr)
        self.momentum = within("momentum", momentum, "[0, 1)")
        self.weight_decay = within("weight_decay", weight_decay, "[0, inf)")

    def update(
        self, p: Any, g: Any, memory: tuple[Any, ...], lr: Any, step: Any
    ) -> tuple[Any, tuple[Any, ...]]:
        """Along the velocity."""
        (v,) = memory
        if p.ndim > 1 and self.weight_decay:
            g = g + self.weight_decay * p
        v = self.momentum * v + g
        return p - _as(p, lr) * v, (v,)


class RMSProp(Optimiser):
    """The gradient over the root of its running mean square (Tieleman and Hinton 2012).

    Raises ValueError for a setting that is out of its range, TypeError for one that is
    no number.

    >>> import minigrad as mg
    >>> w = mg.parameter([1.0])
    >>> (2 * w).sum().backward()
    >>> RMSProp([w], lr=0.1, decay=0.75).step()
    >>> round(w.data.item(), 6)
    0.8
    """

    kept: tuple[str, ...] = ("square",)

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float | Schedule = 1e-3,
        decay: float = 0.9,
        eps: float = 1e-8,
    ) -> None:
        super().__init__(parameters, lr)
        self.decay = within("decay", decay, "[0, 1)")
        self.eps = within("eps", eps, "(0, inf)")

    def update(
        self, p: Any, g: Any, memory: tuple[Any, ...], lr: Any, step: Any
    ) -> tuple[Any, tuple[Any, ...]]:
        """Along the gradient in units of its usual size."""
        (v,) = memory
        v = v + (1 - self.decay) * (g * g - v)
        return p - _as(p, lr) * (g / (np.sqrt(v) + self.eps)), (v,)


class Adam(Optimiser):
    """Adam: steps of about ``lr``, whatever the gradient's size (Kingma and Ba 2015).

    Raises TypeError for betas that are no pair, and ValueError for a setting that is
    out of its range.

    >>> import minigrad as mg
    >>> w = mg.parameter([1.0])
    >>> (2 * w).sum().backward()
    >>> Adam([w], lr=0.25).step()
    >>> round(w.data.item(), 6)
    0.75
    """

    kept: tuple[str, ...] = ("mean", "square")

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float | Schedule = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        super().__init__(parameters, lr)
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise TypeError(
                "betas are two numbers, of the mean and of the square, as in "
                f"betas=(0.9, 0.999): got {betas!r}"
            )
        first, second = betas
        self.betas = (
            within("betas[0]", first, "[0, 1)"),
            within("betas[1]", second, "[0, 1)"),
        )
        self.eps = within("eps", eps, "(0, inf)")

    def update(
        self, p: Any, g: Any, memory: tuple[Any, ...], lr: Any, step: Any
    ) -> tuple[Any, tuple[Any, ...]]:
        """Along the mean gradient in units of its usual size."""
        m, v = memory
        b1, b2 = self.betas
        # The moments start at zero; dividing by these takes the bias out again.
        c1, c2 = _as(p, 1 - b1**step), _as(p, 1 - b2**step)
        m = m + (1 - b1) * (g - m)
        v = v + (1 - b2) * (g * g - v)
        change = (m / c1) / (np.sqrt(v / c2) + self.eps)
        return p - _as(p, lr) * change, (m, v)


class AdamW(Adam):
    """Adam with weight decay beside the gradient (Loshchilov and Hutter 2019).

    ``weight_decay`` takes lr · weight_decay · p from each parameter of two axes or more
    at each step; biases are left alone.

    Raises ValueError for a setting that is out of its range, TypeError for one that is
    no number.

    >>> import minigrad as mg
    >>> w = mg.parameter([[1.0]])
    >>> (0 * w).sum().backward()
    >>> AdamW([w], lr=0.5, weight_decay=0.25).step()
    >>> w.data.item()
    0.875
    """

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float | Schedule = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(parameters, lr, betas, eps)
        self.weight_decay = within("weight_decay", weight_decay, "[0, inf)")

    def update(
        self, p: Any, g: Any, memory: tuple[Any, ...], lr: Any, step: Any
    ) -> tuple[Any, tuple[Any, ...]]:
        """As Adam does, from a matrix that has decayed."""
        if p.ndim > 1:
            p = p - _as(p, lr) * (self.weight_decay * p)
        return super().update(p, g, memory, lr, step)


class Groups(Optimiser):
    """Several optimisers as one: each with its own parameters, rate and settings.

    Raises TypeError for what is no optimiser, ValueError for one that has made steps.

    >>> import minigrad as mg
    >>> U, W = mg.parameter([[1.0]], name="U"), mg.parameter([[1.0]], name="W")
    >>> optimiser = Groups(Adam([U]), AdamW([W], lr=1e-4))
    >>> optimiser.rate().tolist()
    [0.001, 0.0001]
    """

    def __init__(self, *optimisers: Optimiser) -> None:
        for optimiser in optimisers:
            if not isinstance(optimiser, Optimiser):
                raise TypeError(
                    "Groups takes optimisers, as in Groups(Adam(a), SGD(b, lr=0.1)): "
                    f"got {type(optimiser).__name__}"
                )
            if optimiser.steps:
                raise ValueError(
                    "Groups begins at step 1, and an optimiser has made "
                    f"{optimiser.steps} steps: make a new one"
                )
        self.groups = optimisers
        super().__init__([p for each in optimisers for p in each.parameters], 0.0)
        self.names = [name for each in optimisers for name in each.names]
        self.held = {
            f"{i}.{name}": arrays
            for i, each in enumerate(optimisers)
            for name, arrays in each.memory.items()
        }

    def rate_at(self, step: int) -> Any:
        """The learning rates of a step, float64 (groups,)."""
        return np.array([each.rate_at(step) for each in self.groups])

    def labels(self) -> dict[str, list[str]]:
        """The labels of each group, behind its place."""
        return {
            f"{i}.{name}": [f"{i}.{label}" for label in labels]
            for i, each in enumerate(self.groups)
            for name, labels in each.labels().items()
        }

    def updates(
        self, ps: Sequence[Any], gs: Sequence[Any], memory: Memory, lr: Any, step: Any
    ) -> tuple[list[Any], Memory]:
        """Each group by its own ``update``; ``lr`` has a rate for each."""
        values: list[Any] = []
        after: Memory = {}
        for i, each in enumerate(self.groups):
            here = slice(len(values), len(values) + len(each.parameters))
            part = {name: memory[f"{i}.{name}"] for name in each.kept}
            new, kept = each.updates(ps[here], gs[here], part, lr[i], step)
            values += new
            after |= {f"{i}.{name}": arrays for name, arrays in kept.items()}
        return values, after

    def settings(self) -> dict[str, Any]:
        """The settings of each group."""
        return {str(i): each.settings() for i, each in enumerate(self.groups)}


def _as(p: Any, number: Any) -> Any:
    """A number beside p: a Tensor is cast, Python's own take the dtype of an array."""
    return number.astype(p.dtype) if isinstance(number, Tensor) else number
