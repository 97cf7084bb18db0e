"""The op set: one declaration per op, rules aligned by argument.

``elementwise transcendental discrete reduction shape linalg indexing nn binary
convolution time`` hold the ops of those kinds; ``composed`` and ``filled`` hold
functions that are made of ops. In a rule ``g`` is the cotangent of the output ``y`` and
a, b, x are the arguments; what has no derivative has ``None``. Rules are written with
NumPy functions and ops, so that they compute on arrays and record on Tensors.

>>> from minigrad.op import registry
>>> "tanh" in registry
True
"""

from minigrad.methods import install
from minigrad.op import builtin, registry
from minigrad.ops import (
    binary,
    composed,
    convolution,
    discrete,
    elementwise,
    filled,
    indexing,
    linalg,
    nn,
    reduction,
    shape,
    time,
    transcendental,
)

install()
builtin.update(registry)
