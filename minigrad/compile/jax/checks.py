"""What NumPy refuses and JAX does not: numbers out of range, which JAX brings inside.

Vocabulary
    index   an operand that picks elements: indices, and class numbers of targets
    source  a leaf whose elements an index consists of
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from minigrad.compile import kernels
from minigrad.compile.counts import Dim
from minigrad.compile.kinds import O
from minigrad.compile.values import Value

# Of each op that picks elements: whether this operand is an index of it.
INDICES: dict[Any, Callable[[Value, int], bool]] = {
    O.getitem: lambda v, i: i > 0,
    O.scatter_n: lambda v, i: v.attrs["keys"][i] is None,
    **dict.fromkeys(
        [O.embedding, O.take, O.untake, O.take_along_axis, O.untake_along_axis,
         O.cross_entropy, O.nll_loss],
        lambda v, i: i == 1,
    ),
    O.target_weights: lambda v, i: i == 0,
    kernels.number_kept: lambda v, i: i == 0,
    **dict.fromkeys([kernels.losses, kernels.gradient], lambda v, i: i == 2),
    O.where: lambda v, i: i == 0,
}  # fmt: skip
