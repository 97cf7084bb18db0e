"""What a Tensor answers to NumPy: which op a function has, and what may not leave.

>>> import numpy as np
>>> dispatch(np.tanh).__name__
'tanh'
"""

from collections.abc import Callable
from opcode import opmap
from types import FrameType
from typing import Any

import numpy as np

from minigrad.graph import Leaf, Node
from minigrad.mode import Mode, current_mode
from minigrad.op import by_function

# The step of Python that ``array[i] = t`` is; NumPy asks for a float of one number.
_STORE = opmap["STORE_SUBSCR"]


def refuse_to_leave(t: Any, frame: FrameType) -> None:
    """Raise where NumPy would take a value in ``frame``, and its gradient be lost.

    It would be where a parameter, or a leaf that asks for its gradient, has part in the
    value; inside of NumPy and pandas, which are handed such values in lists and frames,
    also where it was computed from other inputs. Comparing in tests loses nothing.
    """
    module = str(frame.f_globals.get("__name__"))
    if (
        t.dtype.kind != "f"
        or current_mode.get() is Mode.OFF
        or module.startswith("numpy.testing.")
    ):
        return
    if (_is_library(module) and t.node.inputs) or _is_learnt(t.node):
        raise TypeError(
            f"NumPy would take the plain values of {t.node.said}, and the gradient "
            "would end there without a word. For several Tensors write "
            "mg.stack(list) or mg.concatenate(list), for array[i] = t "
            "mg.where(mask, t, array), for a pandas frame df.to_numpy(); for the "
            "values alone t.data, t.item() or np.array(t)"
        )


def refuse_to_be_taken(t: Any, frame: FrameType) -> None:
    """``refuse_to_leave``, where nobody has written float(t) or int(t).

    That is for ``array[i] = t``, and in a function of NumPy or pandas that was given a
    number for a keyword, as np.sum(a, initial=t).
    """
    if frame.f_code.co_code[frame.f_lasti] == _STORE or in_library(frame):
        refuse_to_leave(t, frame)


def in_library(frame: FrameType) -> bool:
    """Whether a frame is one of NumPy's or pandas', which know no graph."""
    return _is_library(str(frame.f_globals.get("__name__")))


def _is_library(module: str) -> bool:
    return module.startswith(("numpy.", "pandas."))


def _is_learnt(node: Node) -> bool:
    """Whether a node is, or was computed from, a leaf that a gradient is asked for by.

    An input with a name is data, one without was made with ``requires_grad``.
    """
    seen, stack = {node}, [node]
    while stack:
        last = stack.pop()
        if isinstance(last, Leaf):
            if last.kind == "parameter" or (last.kind, last.name) == ("input", None):
                return True
        else:
            stack += [n for n in last.inputs if n not in seen]
            seen.update(last.inputs)
    return False


def dispatch(function: Any) -> Callable[..., Any]:
    """The op of a NumPy function, or of one that an op was declared with."""
    found = by_function.get(function)
    if found is None:
        name = _as_written(function)
        raise TypeError(
            f"{name} has no op in minigrad: declare one with mg.Op({name}, rule), "
            "or pass t.data for a result without gradient"
        )
    return found


def _as_written(function: Any) -> str:
    """A function as code names it: np.tanh, np.linalg.det; erf if not of NumPy."""
    name = str(getattr(function, "__name__", function))
    if getattr(np, name, None) is function:
        return f"np.{name}"
    package, _, module = str(getattr(function, "__module__", "")).partition(".")
    return f"np.{module}.{name}" if package == "numpy" and module else name


STRUCTURAL: dict[Any, Callable[..., Any]] = {
    np.shape: lambda t: t.shape,
    np.ndim: lambda t: t.ndim,
    np.size: lambda t: t.size,
    np.array_equal: lambda a, b, **k: np.array_equal(np.array(a), np.array(b), **k),
    np.allclose: lambda a, b, **k: np.allclose(np.array(a), np.array(b), **k),
    np.copy: lambda t: t.copy(),
    np.array2string: lambda t, **k: np.array2string(t.data, **k),
}
