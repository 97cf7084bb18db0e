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

__all__ = ["to_onnx"]


def to_onnx(
    f: Callable[..., Any], *example: Any, path: str | PathLike[str] | None = None
) -> Any:
    """A function of arrays as a model of ONNX, for any number of steps and any batch."""
    try:
        from minigrad.exchange.onnx.export import exported
    except ModuleNotFoundError as error:
        if error.name != "onnx":
            raise
        raise ModuleNotFoundError(
            "to_onnx needs the package onnx: pip install 'minigrad-rnn[onnx]'",
            name="onnx",
        ) from error
    return exported(f, example, path)
