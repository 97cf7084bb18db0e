"""The header's elementary functions: errors in units in the last place, and edges."""

import ctypes

import numpy as np
import pytest

from ...benchmarks import accuracy
from .headers import given, header, library, machines, needs_compiler

pytestmark = needs_compiler

TYPES = {"f": np.float32, "d": np.float64}
# Where a limit, a sign or a NaN is decided, and numbers near it.
EDGES = [0.0, -0.0, np.nan, np.inf, -np.inf, 1e-40, -1e-40, 1e-310, 1.0, -1.0, 1e300]
EDGES += [
    -1e300,
    3.4e38,
    1.79e308,
    88.8,
    -88.8,
    104.0,
    -104.0,
    710.0,
    -710.0,
    746.0,
    -746.0,
    20.0,
    1e-5,
]
FLUSH = """
double flushed(double tiny, double factor) {
    uint64_t old = flush_on();
    volatile double x = tiny, y = factor, z = x * y;
    flush_back(old);
    return z;
}
double kept(double tiny, double factor) {
    volatile double x = tiny, y = factor, z = x * y;
    return z;
}
"""


@pytest.fixture(scope="module", params=machines(), ids=str)
def lib(request):
    source = accuracy.source(header("functions")) + FLUSH
    return library(source, "-O3", request.param)


@pytest.mark.parametrize("p", "fd")
@pytest.mark.parametrize("name", accuracy.FUNCTIONS)
def test_no_function_is_more_than_three_units_off(lib, name, p):
    if p == "d" and np.finfo(np.longdouble).nmant == np.finfo(np.float64).nmant:
        pytest.skip("long double is double here: nothing to compare with")
    x = accuracy.samples(TYPES[p], 100_000)
    worst, _ = accuracy.error(accuracy.called(lib, name, x), name, x)
    assert worst < 3


@pytest.mark.parametrize("p", "fd")
@pytest.mark.parametrize("name", [*accuracy.FUNCTIONS, "relu", "sign", "abs", "sqrt"])
def test_limits_signs_and_nan_are_those_of_numpy(lib, name, p):
    with np.errstate(all="ignore"):
        x = np.array(EDGES * 3, TYPES[p])
        found = accuracy.called(lib, name, x)
        expected = accuracy.expected(name, x)
        assert np.array_equal(np.isnan(found), np.isnan(expected))
        real = ~np.isnan(expected)
        assert np.array_equal(np.isinf(found), np.isinf(expected))
        same = np.isclose(found, expected, rtol=1e-5, atol=np.finfo(x.dtype).tiny)
        assert same[real].all()
        # The sign of a zero, too; np.maximum(-0.0, 0) is either.
        if name not in ("relu", "sign"):
            assert np.array_equal(np.signbit(found)[real], np.signbit(expected)[real])
        # Where numbers, signs and limits are exact, so they are here.
        exact = real & (np.isin(expected, [0, 1, -1]) | np.isinf(expected))
        assert np.array_equal(found[exact], expected[exact])


@pytest.mark.parametrize("p", "fd")
@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_the_larger_and_the_smaller_hand_on_a_nan(lib, name, p):
    with np.errstate(over="ignore"):
        edges = np.array(EDGES, TYPES[p])
    a, b = np.repeat(edges, len(edges)), np.tile(edges, len(edges))
    out = np.empty_like(a)
    getattr(lib, f"all_{name}_{p}")(*given(a, b, out, a.size))
    np.testing.assert_array_equal(out, getattr(np, name)(a, b))


def test_denormals_count_as_zero_between_two_calls(lib):
    for name in ("flushed", "kept"):
        getattr(lib, name).restype = ctypes.c_double
        getattr(lib, name).argtypes = [ctypes.c_double] * 2
    for tiny, factor in (1e-307, 1e-3), (1e-310, 1e10):  # results, and operands
        assert lib.kept(tiny, factor) > 0
        assert lib.flushed(tiny, factor) == 0
        assert lib.kept(tiny, factor) > 0
