"""Rows of trigonometric and hyperbolic functions, and of exp and log to other bases.

>>> ROWS[0]
<row of tan: ... cases>
"""

import numpy as np

from minigrad.ops import transcendental
from minigrad.testing.row import Row, at, nonzero
from tests.ops.table.elementwise import POSITIVE

INSIDE = (-0.8, 0.8)

ROWS = [
    Row(transcendental.tan, domain=(-1.2, 1.2)),
    Row(transcendental.arcsin, domain=INSIDE),
    Row(transcendental.arccos, domain=INSIDE),
    Row(transcendental.arctan),
    Row(
        transcendental.arctan2,
        domain=nonzero,
        conventions=[
            at([0.0], [0.0], gives=[[0.0], [0.0]]),
            at([0.0, -0.0], [1.0, -1.0], gives=[[1.0, -1.0], [0.0, 0.0]]),
            at([1e200], [1e200], gives=[[0.5e-200], [-0.5e-200]]),
        ],
    ),
    Row(
        transcendental.hypot,
        domain=nonzero,
        conventions=[
            at([0.0], [0.0], gives=[[0.0], [0.0]]),
            at([3e200, 3e-200], [4e200, 4e-200], gives=[[0.6, 0.6], [0.8, 0.8]]),
        ],
    ),
    Row(transcendental.sinh),
    Row(transcendental.cosh),
    Row(
        transcendental.arcsinh,
        conventions=[at([0.0, 1e200], gives=[[1.0, 1e-200]])],
    ),
    Row(transcendental.arccosh, domain=(1.5, 3.0)),
    Row(transcendental.arctanh, domain=INSIDE),
    Row(transcendental.exp2),
    Row(transcendental.log2, domain=POSITIVE),
    Row(transcendental.log10, domain=POSITIVE),
    Row(
        transcendental.logaddexp,
        conventions=[
            at([1e4, -1e4], [0.0, 0.0], gives=[[1.0, 0.0], [0.0, 1.0]]),
            at([-np.inf], [-np.inf], gives=[[0.0], [0.0]]),
            at([-np.inf], [1.0], gives=[[0.0], [1.0]]),
        ],
    ),
]
