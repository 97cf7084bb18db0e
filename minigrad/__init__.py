"""minigrad: a tiny tensor and autograd engine whose computational graph is the product.

>>> import minigrad as mg
>>> w = mg.parameter(2.0, name="w")
>>> loss = (w * 3 - 1) ** 2
>>> mg.grad(loss, [w])[0].item()
30.0
"""

import importlib as _importlib
import sys as _sys
import types as _types

import minigrad.advice as _advice
from minigrad.grad import (
    Share,
    grad,
    grad_by_use,
    hessian,
    hvp,
    jacobian,
    jvp,
    value_and_grad,
    vjp,
)
from minigrad.graph import Graph, Leaf, Node, Spec, Use
from minigrad.mode import detect_anomaly, no_grad
from minigrad.op import Op, op
from minigrad.ops.binary import log_sigmoid
from minigrad.ops.composed import (
    array_split,
    diff,
    hstack,
    inner,
    moveaxis,
    ravel,
    repeat,
    tile,
    vstack,
)
from minigrad.ops.filled import full, full_like, ones, ones_like, zeros, zeros_like
from minigrad.ops.shape import split
from minigrad.ops.time import steps
from minigrad.recompute import recompute
from minigrad.scope import keep_lines, scope
from minigrad.tensor import Parameter, Tensor, parameter, tensor

__version__ = "0.2.0"

# What is loaded when it is first asked for, and the room that has it.
_ON_USE = {
    "Equations": "minigrad.equations",
    "Figure": "minigrad.draw",
    "FoldError": "minigrad.fold",
    "Program": "minigrad.compile",
    "Recurrence": "minigrad.fold",
    "Style": "minigrad.draw",
    "compile": "minigrad.compile",
    "contract": "minigrad.fold",
    "draw": "minigrad.draw",
    "equations": "minigrad.equations",
    "fold": "minigrad.fold",
    "load": "minigrad.tasks",
}
_lacks = _advice.names_of(__name__)


def __getattr__(name):
    if name not in _ON_USE:
        _lacks(name)
    globals()[name] = found = getattr(_importlib.import_module(_ON_USE[name]), name)
    return found


def __dir__():
    return sorted({*globals(), *__all__})


class _Face(_types.ModuleType):
    """The module, where a function and a room may have one name, as ``draw`` has.

    Python binds a room here when it is imported, which must not hide the function.
    """

    def __setattr__(self, name, value):
        if name in __all__ and isinstance(value, _types.ModuleType):
            value = getattr(value, name)
        super().__setattr__(name, value)


_sys.modules[__name__].__class__ = _Face

# All ops, but for ``detach``, which is a method alone; and those with a short name.
_ops = _importlib.import_module("minigrad.op")  # ``mg.op`` is the function
_SHORT = {"sub": "subtract", "mul": "multiply", "div": "divide"}
_SHORT |= {"neg": "negative", "pow": "power", "abs": "absolute"}
_NAMED = {name: name for name in _ops.builtin - {"detach"}} | _SHORT
globals().update({short: _ops.registry[name] for short, name in _NAMED.items()})

# All that is named above; type checkers read it one by one in ``__init__.pyi``.
__all__ = sorted(
    _ON_USE.keys()
    | {
        name
        for name, thing in globals().items()
        if not name.startswith("_") and not isinstance(thing, _types.ModuleType)
    }
)
