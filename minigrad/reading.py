"""What is read off a Tensor: its value as Python has it, whether it is differentiable.

>>> import minigrad as mg
>>> x = mg.tensor([[1.0, 2.0]], requires_grad=True)
>>> x.tolist(), x.item(1), x.requires_grad, f"{x.sum():.1f}"
([[1.0, 2.0]], 2.0, True, '3.0')
"""

from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from minigrad.graph import Node


class Reading:
    """What a Tensor gives away without recording."""

    __slots__ = ()
    node: Node

    def _value(self) -> Any:
        raise NotImplementedError

    def item(self, *index: Any) -> Any:
        """The one element, or the one at an index, as a Python number.

        As of an array: ``t.item(4)`` counts t flattened, ``t.item(0, 2)`` and
        ``t.item((0, 2))`` take an index for each axis.
        """
        return np.asarray(self._value()).item(*index)

    def tolist(self) -> Any:
        """The value as Python numbers in nested lists."""
        return np.asarray(self._value()).tolist()

    def copy(self) -> NDArray[Any]:
        """The value as an array of its own, which may be edited; no graph leads to it.

        >>> import minigrad as mg
        >>> W = mg.parameter([1.0], name="W")
        >>> best = W.copy()
        >>> W.assign([2.0])
        >>> best.tolist()
        [1.0]
        """
        return np.array(self._value())

    @property
    def requires_grad(self) -> bool:
        """Whether ``mg.grad`` has something to say: a parameter or input leads here."""
        seen: set[int] = set()
        stack = [self.node]
        while stack:
            node = stack.pop()
            if node.id in seen or np.asarray(node.value).dtype.kind != "f":
                continue
            seen.add(node.id)
            if node.op is None:
                if node.kind != "constant":
                    return True
                continue
            rules = node.op.rules(len(node.inputs))
            stack += [
                x
                for x, rule in zip(node.inputs, rules, strict=True)
                if rule is not None
            ]
        return False

    @requires_grad.setter
    def requires_grad(self, value: Any) -> NoReturn:
        raise AttributeError(
            "whether a tensor is differentiable is said where it is made: "
            "mg.tensor(a, requires_grad=True) or mg.parameter(a); t.detach() cuts the "
            "graph, and a parameter that is not given to the optimiser stays as it is"
        )

    def __format__(self, spec: str) -> str:
        """``f"{loss:.3f}"`` of a tensor with one element; without a format its repr."""
        if not spec:
            return repr(self)
        if np.size(self.node.value) != 1:
            raise TypeError(
                f"{spec!r} is the format of one number, and this tensor has the shape "
                f"{np.shape(self.node.value)}: write t.mean(), t.item(i), or "
                "np.array2string(t.data, precision=3)"
            )
        value = self.item()
        try:
            return format(value, spec)
        except ValueError:
            raise ValueError(
                f"{spec!r} is no format of a {type(value).__name__}: write .3f, as in "
                'f"{loss:.3f}"'
            ) from None
