"""Rows of the ops that move elements.

>>> ROWS[0]
<row of reshape_like: ... cases>
"""

from typing import Any

import numpy as np

from minigrad.ops import shape
from minigrad.testing.row import Row, case


def _with(value: tuple[Any, ...], attrs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of np.pad, where a second operand is the value."""
    return attrs | ({"constant_values": value[0]} if value else {})


ROWS = [
    Row(shape.reshape_like, case((2, 3), (3, 2)), case((6,), (1, 6)), case((1,), ())),
    Row(
        shape.reshape,
        case((2, 3), shape=(3, 2)),
        case((2, 3), shape=-1),
        case((1,), shape=()),
        case((0, 2), shape=(0,)),
    ),
    Row(
        shape.transpose,
        case((2, 3)),
        case((2, 3, 1), axes=(1, 2, 0)),
        case((2, 3, 1), axes=(-1, 0, -2)),
        case((3,)),
        case(()),
    ),
    Row(
        shape.swapaxes,
        case((2, 3), axis1=0, axis2=1),
        case((2, 3, 1), axis1=-1, axis2=0),
        case((3,), axis1=0, axis2=0),
    ),
    Row(
        shape.squeeze,
        case((2, 1, 3)),
        case((1, 2, 1), axis=0),
        case((1, 1), axis=(0, -1)),
    ),
    Row(
        shape.expand_dims,
        case((2, 3), axis=0),
        case((3,), axis=-1),
        case((2,), axis=(0, 2)),
        case((), axis=0),
    ),
    Row(
        shape.broadcast_to,
        case((3,), shape=(2, 3)),
        case((2, 1), shape=(2, 3)),
        case((), shape=(2, 2)),
        case((1, 2, 1), shape=(2, 1, 2, 3)),
        case((1,), shape=(0,)),
    ),
    Row(
        shape.concatenate,
        case((2, 3), (1, 3)),
        case((2, 3), (2, 1), (2, 2), axis=-1),
        case((2,)),
        case((0, 2), (1, 2), axis=0),
        case((2, 2), (1, 3), (), axis=None),
    ),
    Row(
        shape.stack,
        case((2, 3), (2, 3)),
        case((2,), (2,), (2,), axis=-1),
        case((2, 3), (2, 3), axis=1),
        case((), ()),
    ),
    Row(
        shape.flip,
        case((2, 3)),
        case((2, 3), axis=0),
        case((2, 3, 2), axis=(0, -1)),
        case(()),
        case((0, 2), axis=1),
    ),
    Row(
        shape.roll,
        case((2, 3), shift=2),
        case((2, 3), shift=-1, axis=1),
        case((2, 3, 2), shift=(1, -2), axis=(0, 1)),
        case((2, 3), shift=1, axis=(0, 1)),
        case((3,), shift=7, axis=-1),
        case((0,), shift=1),
    ),
    *(
        Row(op, case((3, 3)), case((2, 3), k=1), case((2, 3, 2), k=-1), case((3,)))
        for op in (shape.tril, shape.triu)
    ),
    Row(
        shape.pad,
        case((3,), pad_width=2),
        case((2, 3), pad_width=(1, 2)),
        case((2, 3), pad_width={-1: (1, 2)}),
        case((2, 3), pad_width={0: (2, 1)}),
        case((2, 3), pad_width=((0, 0), (1, 2)), constant_values=1.5),
        case((2, 3), (), pad_width=((2, 0), (1, 2))),
        *(
            case((3, 4), pad_width=((1, 2), (2, 1)), mode=mode)
            for mode in shape.PAD_MODES
        ),
        case((3,), pad_width=5, mode="reflect"),
        case((3,), pad_width=5, mode="symmetric"),
        case((2,), pad_width=(5, 0), mode="wrap"),
        case((3,), pad_width=(2, 1), mode="linear_ramp", end_values=2.0),
        case((0,), pad_width=1),
        case((), pad_width=0),
        call=lambda x, *value, **attrs: shape.pad(x, **_with(value, attrs)),
        ref=lambda x, *value, **attrs: np.pad(x, **_with(value, attrs)),
    ),
    Row(
        shape.unpad,
        case((5,), (2,), pad_width=(1, 2)),
        case((5, 3), (3, 3), pad_width=((1, 1), (0, 0)), mode="edge"),
        case((7,), (3,), pad_width=2, mode="reflect"),
    ),
]
