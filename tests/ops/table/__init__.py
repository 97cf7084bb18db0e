"""The op table: one row per op of minigrad, from which all of its tests are made.

A row says where an op is sampled, where its derivative jumps, what the documentation
promises at its hard points and which checks do not apply, with the reason. Its rooms
are those of ``minigrad.ops``; a test of the project fails for an op without a row.

>>> [row.op.name for row in ROWS][:3]
['add', 'subtract', 'multiply']
"""

from tests.ops.table import (
    binary,
    convolution,
    discrete,
    elementwise,
    indexing,
    linalg,
    nn,
    reduction,
    shape,
    time,
    transcendental,
)

ROWS = [
    *elementwise.ROWS,
    *transcendental.ROWS,
    *discrete.ROWS,
    *reduction.ROWS,
    *shape.ROWS,
    *linalg.ROWS,
    *indexing.ROWS,
    *nn.ROWS,
    *binary.ROWS,
    *convolution.ROWS,
    *time.ROWS,
]
