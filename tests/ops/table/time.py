"""Rows of the ops of time.

>>> ROWS[0]
<row of step: ... cases>
"""

from minigrad.ops import shape, time
from minigrad.testing.row import Row, case

ROWS = [
    Row(
        time.step,
        case((3, 2)),
        case((1,)),
        call=lambda xs: shape.stack([x * k for k, x in time.steps(xs)]),
    ),
]
