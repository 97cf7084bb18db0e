"""What tests of the C engine share: a function, and what C makes of it."""

import warnings

import numpy as np
import pytest

import minigrad as mg
from tests.compile.test_program import flat

from .headers import COMPILER

needs_compiler = pytest.mark.skipif(not COMPILER, reason="no C compiler")


def agrees(function, *given, tolerance=None, calls=2):
    """The compiled function; it gives what the function gives, twice.

    Whatever C cannot do NumPy does; that it is compiled at all is required.
    """
    compiled = mg.compile(function, strict=True, backend="c")
    for k in range(calls):
        arrays = [a * a.dtype.type(0.7) if k and is_float(a) else a for a in given]
        same(compiled(*arrays), function(*arrays), tolerance)
    return compiled


def is_float(a):
    return a.dtype.kind == "f"


def same(found, wanted, tolerance=None):
    """All results alike: shapes, dtypes and, as close as the dtype has it, numbers."""
    for a, b in zip(flat(found), flat(wanted), strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        scale = tolerance or {"float32": 2e-5, "float16": 2e-3}.get(str(b.dtype), 1e-10)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # inf - inf
            np.testing.assert_allclose(a.data, b.data, rtol=scale, atol=scale)


def numbers(*shape, seed=0, dtype="float64"):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def parameter(name, *shape, dtype="float64"):
    values = numbers(*shape, seed=len(name) + sum(map(ord, name))) * 0.5
    return mg.parameter(values.astype(dtype), name=name)


def calls_of(compiled):
    """The Python text between C functions: what NumPy computes."""
    return compiled.source.partition("def run(")[2]
