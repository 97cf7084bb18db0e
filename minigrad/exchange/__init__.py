"""Exchange: weights of PyTorch in and out, networks as files of ONNX.

>>> import numpy as np
>>> from minigrad.nn import Linear
>>> layer = Linear(2, 3, rng=np.random.default_rng(0))
>>> {name: array.shape for name, array in to_torch(layer).items()}
{'weight': (3, 2), 'bias': (3,)}
"""

from minigrad.exchange.onnx import to_onnx
from minigrad.exchange.torch_weights import from_torch, to_torch

__all__ = ["from_torch", "to_onnx", "to_torch"]
