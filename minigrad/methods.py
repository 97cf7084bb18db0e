"""The operators and methods of a Tensor that are ops: ``a + b``, ``t.sum(axis=0)``.

They look their op up in the registry when they are called, since ops are declared above
the floor of tensors. ``methods.pyi`` tells editors and type checkers what each takes;
``describe`` tells ``help``.

>>> import minigrad as mg
>>> (mg.tensor([1.0, 2.0]) * 3).sum().item()
9.0
"""

import inspect
from collections.abc import Callable
from typing import Any

from minigrad.op import registry


def _op(name: str) -> Callable[..., Any]:
    """The op ``name`` as a method."""

    def method(self: Any, *args: Any, **attrs: Any) -> Any:
        return registry[name](self, *args, **attrs)

    method.__name__ = name
    return method


def _reflected(name: str) -> Callable[..., Any]:
    """The op ``name`` where the Tensor is the right operand."""

    def method(self: Any, other: Any) -> Any:
        return registry[name](other, self)

    return method


class Methods:
    """What a Tensor has from the op set."""

    __slots__ = ()

    sum, mean, max, min = _op("sum"), _op("mean"), _op("max"), _op("min")
    exp, log, sqrt, tanh = _op("exp"), _op("log"), _op("sqrt"), _op("tanh")
    sigmoid, relu, clip = _op("sigmoid"), _op("relu"), _op("clip")
    softmax, log_softmax = _op("softmax"), _op("log_softmax")
    logsumexp, dot, astype = _op("logsumexp"), _op("dot"), _op("astype")
    swapaxes, squeeze = _op("swapaxes"), _op("squeeze")
    prod, var, std = _op("prod"), _op("var"), _op("std")
    cumsum, cumprod, take = _op("cumsum"), _op("cumprod"), _op("take")
    diagonal, trace = _op("diagonal"), _op("trace")
    argmax, argmin, round = _op("argmax"), _op("argmin"), _op("round")
    any, all = _op("any"), _op("all")

    __add__, __radd__ = _op("add"), _reflected("add")
    __sub__, __rsub__ = _op("subtract"), _reflected("subtract")
    __mul__, __rmul__ = _op("multiply"), _reflected("multiply")
    __truediv__, __rtruediv__ = _op("divide"), _reflected("divide")
    __pow__, __rpow__ = _op("power"), _reflected("power")
    __matmul__, __rmatmul__ = _op("matmul"), _reflected("matmul")
    __neg__, __abs__, __getitem__ = _op("negative"), _op("absolute"), _op("getitem")
    __lt__, __le__ = _op("less"), _op("less_equal")
    __gt__, __ge__ = _op("greater"), _op("greater_equal")
    __eq__, __ne__ = _op("equal"), _op("not_equal")
    __and__, __rand__ = _op("bitwise_and"), _reflected("bitwise_and")
    __or__, __ror__ = _op("bitwise_or"), _reflected("bitwise_or")
    __xor__, __rxor__ = _op("bitwise_xor"), _reflected("bitwise_xor")
    __invert__ = _op("invert")
    __hash__ = object.__hash__


def describe() -> None:
    """Give each method the docstring and the parameters of its op."""
    for name, method in vars(Methods).items():
        if not name.startswith("_"):
            op = registry[name]
            own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
            _, *others = op.__signature__.parameters.values()
            method.__doc__ = op.__doc__
            method.__signature__ = inspect.Signature([own, *others])
