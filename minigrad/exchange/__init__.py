"""Networks as files that other programs run: ONNX."""

from minigrad.exchange.onnx import to_onnx

__all__ = ["to_onnx"]
