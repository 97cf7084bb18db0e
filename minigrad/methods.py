"""The operators and methods of a Tensor that are ops: ``a + b``, ``t.sum(axis=0)``.

Ops are declared above the floor of tensors: when all are, ``install`` gives the class
its methods, each of which calls its op. ``methods.pyi`` tells editors and type checkers
what they take.

>>> import minigrad as mg
>>> (mg.tensor([1.0, 2.0]) * 3).sum().item()
9.0
"""

import inspect
from typing import Any

import numpy as np

from minigrad.op import Op, registry
from minigrad.protocol import dispatch

NAMED = (
    "sum mean max min exp log sqrt tanh sigmoid relu clip softmax log_softmax "
    "logsumexp dot astype swapaxes squeeze prod var std cumsum cumprod take diagonal "
    "trace argmax argmin round any all"
)
# Python's names of the operators.
UNARY = {"neg": "negative", "abs": "absolute", "invert": "invert"}
BINARY = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "pow": "power",
    "matmul": "matmul",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
}
COMPARED = {
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "eq": "equal",
    "ne": "not_equal",
}
# Operators of arrays that have no op here, unless a user declares it.
# Each with the order of its operands.
LACKING = {
    "pos": (np.positive, 1),
    "floordiv": (np.floor_divide, 1),
    "rfloordiv": (np.floor_divide, -1),
    "mod": (np.remainder, 1),
    "rmod": (np.remainder, -1),
}
OTHERS = {"getitem": "getitem"}


class Methods:
    """What a Tensor has from the op set."""

    __slots__ = ()
    __hash__ = object.__hash__


def _named(op: Op) -> Any:
    """An op as a method, with its docstring and its parameters."""

    def method(self: Any, *args: Any, **attrs: Any) -> Any:
        return op(self, *args, **attrs)

    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    _, *others = op.__signature__.parameters.values()
    method.__name__, method.__doc__ = op.name, op.__doc__
    method.__signature__ = inspect.Signature([own, *others])
    return method


def _unary(op: Op) -> Any:
    return lambda self: op.record((self,), {})


def _left(op: Op) -> Any:
    of_two = op.of_two
    return lambda self, other: of_two(self, other)


def _right(op: Op) -> Any:
    """An op where the Tensor is the right operand."""
    of_two = op.of_two
    return lambda self, other: of_two(other, self)


def _of_numpy(function: Any, order: int) -> Any:
    return lambda *operands: dispatch(function)(*operands[::order])


def install() -> None:
    """Give a Tensor the operators and methods of the ops that are declared."""
    for name in NAMED.split():
        setattr(Methods, name, _named(registry[name]))
    for name, op in UNARY.items():
        setattr(Methods, f"__{name}__", _unary(registry[op]))
    for name, op in (BINARY | COMPARED | OTHERS).items():
        setattr(Methods, f"__{name}__", _left(registry[op]))
    for name, op in BINARY.items():
        setattr(Methods, f"__r{name}__", _right(registry[op]))
    for name, lacked in LACKING.items():
        setattr(Methods, f"__{name}__", _of_numpy(*lacked))
