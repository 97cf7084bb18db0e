"""The JAX engine."""

from minigrad.compile.jax.engine import build

__all__ = ["build"]
