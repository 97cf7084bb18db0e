"""Convolution along the last axis, in PyTorch's layout.

It is linear in x and in w, so three ops close under differentiation: the convolution
itself and the two that give its cotangents; each rule is one of the other two.

    x (batch, channels, length), w (filters, channels / groups, size)
    y(n, f, l) = sum over c, k of w(f, c, k) x(n, c, stride l + dilation k - padding)

>>> import minigrad as mg
>>> import numpy as np
>>> mg.conv1d(mg.tensor(np.ones((1, 2, 5))), np.ones((3, 2, 3)), padding=1).data[0, 0]
array([4., 6., 6., 6., 4.])
"""

from typing import Any

import numpy as np

from minigrad.op import op


def _columns(x: Any, w: Any, stride: int, padding: Any, dilation: int) -> Any:
    """What each output sees of x: (batch, channels, outputs, size), mostly a view."""
    margins = _margins(w, stride, padding, dilation)
    x = np.pad(x, ((0, 0), (0, 0), margins)) if any(margins) else x
    reach = dilation * (w.shape[-1] - 1) + 1
    if x.shape[-1] < reach:
        raise ValueError(
            f"conv1d: the kernel reaches over {reach} elements, the padded x has "
            f"{x.shape[-1]}"
        )
    view = np.lib.stride_tricks.sliding_window_view(x, reach, axis=-1)
    return view[..., ::stride, ::dilation]


def _margins(w: Any, stride: int, padding: Any, dilation: int) -> tuple[int, int]:
    if padding == "valid":
        return (0, 0)
    if padding == "same":
        if stride != 1:
            raise ValueError('conv1d: padding="same" needs stride 1')
        total = dilation * (w.shape[-1] - 1)
        return (total // 2, total - total // 2)
    return (padding, padding)


def _grouped(x: Any, w: Any, groups: int, columns: Any) -> tuple[Any, Any]:
    """The columns and w with an axis of groups, ready for one matrix product."""
    n, channels, outputs, size = columns.shape
    if channels % groups or w.shape[0] % groups or w.shape[1] * groups != channels:
        raise ValueError(
            f"conv1d: x of shape {x.shape} and w of shape {w.shape} do not fit with "
            f"{groups} groups: w is (filters, channels / groups, size), and groups "
            "divides channels and filters"
        )
    per_group = channels // groups * size
    columns = columns.transpose(0, 1, 3, 2).reshape(n, groups, per_group, outputs)
    return columns, w.reshape(groups, w.shape[0] // groups, per_group)


def _to_x(a: Any, w: Any, x: Any, **how: Any) -> Any:
    return conv1d_to_x(a, w, x, **how)


def _to_w(a: Any, x: Any, w: Any, **how: Any) -> Any:
    return conv1d_to_w(a, x, w, **how)


@op(
    lambda g, y, x, w, **how: _to_x(g, w, x, **how),
    lambda g, y, x, w, **how: _to_w(g, x, w, **how),
)
def conv1d(
    x: Any,
    w: Any,
    stride: int = 1,
    padding: Any = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Any:
    """The cross-correlation of x with each filter of w: (batch, filters, outputs).

    padding is a number of zeros at both ends, "valid" (none) or "same" (as many as keep
    the length). x without a batch axis gives a result without one.

    Raises ValueError for shapes that do not fit, a kernel that is longer than x, and
    "same" with a stride.
    """
    if x.ndim == 2:
        return conv1d.forward(x[None], w, stride, padding, dilation, groups)[0]
    columns, filters = _grouped(x, w, groups, _columns(x, w, stride, padding, dilation))
    y = filters @ columns
    return y.reshape(len(x), w.shape[0], columns.shape[-1])


@op(
    lambda g, y, a, w, x, **how: conv1d(g, w, **how),
    lambda g, y, a, w, x, **how: _to_w(a, g, w, **how),
    None,
)
def conv1d_to_x(
    a: Any,
    w: Any,
    x: Any,
    stride: int = 1,
    padding: Any = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Any:
    """The cotangent of x when the one of conv1d(x, w) is a.

    Raises ValueError as conv1d does.
    """
    if x.ndim == 2:
        return conv1d_to_x.forward(
            a[None], w, x[None], stride, padding, dilation, groups
        )[0]
    n, channels, length = x.shape
    size, outputs = w.shape[-1], a.shape[-1]
    filters = w.reshape(groups, w.shape[0] // groups, channels // groups * size)
    by_group = a.reshape(n, groups, w.shape[0] // groups, outputs)
    spread = filters.swapaxes(1, 2) @ by_group
    spread = spread.reshape(n, channels, size, outputs)
    before, after = _margins(w, stride, padding, dilation)
    y = np.zeros((n, channels, before + length + after), spread.dtype)
    for k in range(size):
        start = dilation * k
        y[..., start : start + stride * (outputs - 1) + 1 : stride] += spread[:, :, k]
    return y[..., before : before + length]


@op(
    lambda g, y, a, x, w, **how: conv1d(x, g, **how),
    lambda g, y, a, x, w, **how: _to_x(a, g, x, **how),
    None,
)
def conv1d_to_w(
    a: Any,
    x: Any,
    w: Any,
    stride: int = 1,
    padding: Any = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Any:
    """The cotangent of w when the one of conv1d(x, w) is a.

    Raises ValueError as conv1d does.
    """
    if x.ndim == 2:
        return conv1d_to_w.forward(
            a[None], x[None], w, stride, padding, dilation, groups
        )
    columns, _ = _grouped(x, w, groups, _columns(x, w, stride, padding, dilation))
    outputs = columns.shape[-1]
    by_group = a.reshape(len(x), groups, w.shape[0] // groups, outputs)
    return (by_group @ columns.swapaxes(-1, -2)).sum(axis=0).reshape(w.shape)
