"""A function as a file of ONNX, which other programs run without minigrad.

parts   ops that ONNX lacks, written with ops that it has
traces  the function recorded at two sizes: what is free, T and batch
twins   each op in ONNX; nodes: names, numbers and sizes
write   loops over time as Scan
export  to_onnx: the file, checked and run
"""

from collections.abc import Callable
from os import PathLike
from typing import Any

from minigrad.advice import imported

__all__ = ["to_onnx"]


def to_onnx(
    f: Callable[..., Any], *example: Any, path: str | PathLike[str] | None = None
) -> Any:
    """A function as a model of ONNX, for any number of steps and any batch.

    Parameters
    ----------
    f: what takes arrays and returns Tensors: a model, its ``loss``, any function.
    example: its arguments. Their dtypes are those of the model's inputs; T and batch
        are the first and the second axis of what a loop over time reads, and the first
        of other arguments that have that length. So T and batch must differ where an
        argument could have either.
    path: where the model is written; it is whole or not there.

    Each loop over time is a ``Scan``. Parameters are initializers with their names, and
    inputs have those of f's arguments. The model is checked by ONNX, and run beside f
    at a few sizes. A UserWarning says what is not free: a length at which f does not
    run, or an array that f makes itself, which goes on as it began.

    Raises ExportError, a ValueError, for an op that ONNX has not, a gradient, a branch
    on a length, random numbers, and where the model gives something else than f;
    ModuleNotFoundError where onnx is not installed.

    >>> import numpy as np
    >>> import minigrad as mg
    >>> W = mg.parameter(np.eye(3, dtype=np.float32), name="W")
    >>> def last(xs):
    ...     h = mg.tensor(np.zeros((xs.shape[1], 3), np.float32), name="h0")
    ...     for t, x in mg.steps(xs):
    ...         h = mg.tanh(h @ W + x).named("h")
    ...     return h
    >>> model = to_onnx(last, np.ones((7, 2, 3), np.float32))
    >>> [i.name for i in model.graph.initializer if i.name in "UVW"]
    ['W']
    >>> [node.op_type for node in model.graph.node if node.op_type == "Scan"]
    ['Scan']
    """
    imported("onnx", "onnx")
    from minigrad.exchange.onnx.export import exported

    return exported(f, example, path)
