"""Rows of the ops of convolution.

>>> ROWS[0]
<row of conv1d: ... cases>
"""

from typing import Any

import numpy as np

from minigrad.ops import convolution
from minigrad.testing.row import Row, case


def _places(op: Any, x: Any, w: Any, y: Any) -> tuple[Any, ...]:
    """The operands of the convolution, or of its two transposed maps."""
    return {"conv1d": (x, w), "conv1d_to_x": (y, w, x)}.get(op.name, (y, x, w))


SHAPES: list[tuple[Any, Any, Any, dict[str, Any]]] = [
    # x, w, y
    ((2, 2, 5), (3, 2, 2), (2, 3, 4), {}),
    ((1, 2, 6), (2, 2, 3), (1, 2, 3), {"stride": 2, "padding": 1}),
    ((1, 1, 5), (1, 1, 2), (1, 1, 3), {"dilation": 2}),
    ((2, 4, 4), (2, 2, 3), (2, 2, 2), {"groups": 2}),
    (
        (1, 2, 7),
        (4, 1, 2),
        (1, 4, 4),
        {"groups": 2, "stride": 2, "padding": 1, "dilation": 2},
    ),
    ((1, 1, 4), (2, 1, 2), (1, 2, 4), {"padding": "same"}),
    ((1, 1, 5), (1, 1, 3), (1, 1, 5), {"padding": "same", "dilation": 2}),
    ((1, 1, 4), (2, 1, 4), (1, 2, 1), {"padding": "valid"}),
    ((2, 5), (1, 2, 1), (1, 5), {}),
    ((0, 2, 4), (1, 2, 2), (0, 1, 3), {}),
]


def _conv1d(
    x: Any,
    w: Any,
    stride: int = 1,
    padding: Any = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Any:
    """The definition, one output after the other."""
    reach = dilation * (w.shape[-1] - 1)
    before, after = {"valid": (0, 0), "same": (reach // 2, reach - reach // 2)}.get(
        padding, (padding, padding)
    )
    x = np.pad(x, ((0, 0),) * (x.ndim - 1) + ((before, after),))
    outputs = (x.shape[-1] - reach - 1) // stride + 1
    y = np.zeros((*x.shape[:-2], len(w), outputs))
    for f, k in np.ndindex(len(w), outputs):
        first = f // (len(w) // groups) * w.shape[1]
        start = k * stride
        seen = x[..., first : first + w.shape[1], start : start + reach + 1 : dilation]
        y[..., f, k] = np.sum(w[f] * seen, axis=(-2, -1))
    return y


ROWS = [
    Row(
        op,
        *(case(*_places(op, x, w, y), **attrs) for x, w, y, attrs in SHAPES),
        ref=_conv1d if op is convolution.conv1d else None,
    )
    for op in (convolution.conv1d, convolution.conv1d_to_x, convolution.conv1d_to_w)
]
