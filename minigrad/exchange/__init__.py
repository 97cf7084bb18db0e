"""What others read: a network as a file of another format.

>>> import minigrad as mg
>>> from minigrad.exchange import to_onnx
>>> W = mg.parameter(np.ones((2, 3), np.float32), name="W")
>>> model = to_onnx(lambda x: mg.tanh(x @ W), np.ones((4, 2), np.float32))
>>> [node.op_type for node in model.graph.node]
['MatMul', 'Tanh']
"""

from minigrad.exchange.onnx import to_onnx

__all__ = ["to_onnx"]
