"""Every elementwise op that C has words for gives what NumPy gives, at hard values.

All cases are functions of one library. Bounds are in units in the last place of NumPy's
result; what is smaller than the smallest normal number counts as zero.
"""

from itertools import product

import numpy as np
import pytest

from minigrad.compile.c import cache
from minigrad.compile.c.elements import FLOATS, TYPES, WEAK, expression, is_sayable
from minigrad.compile.c.engine import _headers
from minigrad.compile.kinds import is_elementwise
from minigrad.op import registry

from .headers import given, needs_compiler

pytestmark = [needs_compiler, pytest.mark.filterwarnings("ignore::RuntimeWarning")]

EXACT = """add subtract multiply divide negative square reciprocal sqrt absolute maximum
minimum where sign detach greater greater_equal less less_equal equal not_equal
logical_and logical_or logical_not bitwise_and bitwise_or bitwise_xor invert relu clip
astype add_n floor ceil rint isnan isinf isfinite"""
BOUND = 4  # of the others
SIGNED = "negative absolute sqrt tanh expm1 log1p floor ceil rint sin multiply"
TERNARY = ["where", "clip"]
BINARY = """add subtract multiply divide power maximum minimum greater greater_equal
less less_equal equal not_equal logical_and logical_or bitwise_and bitwise_or
bitwise_xor arctan2 hypot add_n"""
HARD = [0.0, 1e-310, 1e-40, 1e-30, 1e-8, 0.3, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 17.25, 40.0,
        87.5, 88.5, 103.0, 300.5, 709.5, 745.0, 1e5, 1e30, 3e38, np.inf]  # fmt: skip
WHOLE = [0, 1, -1, 2, 3, -7, 100, 2**31 - 1, 1 - 2**31]
NUMBERS = ["2", "2.0", "0.5", "1", "0", "-1", "-1.5", "3", "nan", "inf", "-inf", "True",
           "1e+30", "1e+300"]  # fmt: skip
FEW = ["2", "-1.5", "nan", "True", "1e+300"]


def values(dtype):
    if dtype == "bool":
        return np.array([False, True])
    if dtype in FLOATS:
        found = np.array([*HARD, *(-x for x in HARD), np.nan]).astype(dtype)
        tiny = np.finfo(dtype).tiny
        return np.where(np.abs(found) < tiny, np.copysign(0, found), found).astype(
            dtype
        )
    more = [2**53 + 1, 2**62, -(2**62)] if dtype == "int64" else []
    return np.array([*WHOLE, *more], dtype)


def arity(name):
    return 3 if name in TERNARY else 2 if name in BINARY.split() else 1


def operand_types(name, dtype):
    """Dtypes of operands that an op is tried with, for a result near ``dtype``."""
    n = arity(name)
    if name == "where":
        return [
            ("bool", dtype, dtype),
            ("float32", "int32", dtype),
            ("int64", dtype, dtype),
            ("bool", "int32", "int32"),
            ("bool", "int64", "int32"),
        ]
    if n == 1:
        return [(dtype,), ("int64",), ("int32",), ("bool",)]
    if n == 2:
        return [(dtype, dtype), (dtype, "int64"), ("int32", dtype), (dtype, "bool"),
                ("bool", "int32"), ("bool", "bool")]  # fmt: skip
    return [(dtype, dtype, dtype), (dtype, "float32", dtype)]


class Case:
    """One op on operands of these dtypes; ``codes`` has the text of Python numbers."""

    def __init__(self, name, dtypes, codes=()):
        self.op, self.name, self.dtypes = registry[name], name, dtypes
        self.codes = dict(codes)
        arrays = [values(d) for k, d in enumerate(dtypes) if k not in self.codes]
        mesh = np.meshgrid(*arrays, indexing="ij")
        self.arrays = [np.ascontiguousarray(a.reshape(-1)) for a in mesh]
        rest = iter(self.arrays)
        namespace = {"nan": np.nan, "inf": np.inf}
        given_ = [
            eval(self.codes[k], namespace) if k in self.codes else next(rest)
            for k in range(len(dtypes))
        ]
        forward = self.op.forward
        if name == "add_n":
            given_ = [given_]
        self.wanted = np.asarray(forward(*given_))
        self.dtype = str(self.wanted.dtype)

    def __repr__(self):
        inputs = [self.codes.get(k, d) for k, d in enumerate(self.dtypes)]
        return f"{self.name}({', '.join(inputs)})"

    @property
    def sayable(self):
        return is_sayable(self.op, self.dtypes, self.dtype)

    def text(self, function):
        arrays = [d for k, d in enumerate(self.dtypes) if k not in self.codes]
        takes = ["ptrdiff_t n", f"{TYPES[self.dtype]} *out"]
        takes += [f"const {TYPES[d]} *x{k}" for k, d in enumerate(arrays)]
        names = iter([f"x{k}[i]" for k in range(len(arrays))])
        codes = [self.codes.get(k) or next(names) for k in range(len(self.dtypes))]
        line = expression(self.op, codes, self.dtypes, self.dtype)
        return (
            f"void {function}({', '.join(takes)}) "
            "{\n    uint64_t before = flush_on();\n"
            f"    EACH for (ptrdiff_t i = 0; i < n; i++) out[i] = {line};\n"
            "    flush_back(before);\n}\n"
        )


def all_cases():
    found = {}
    names = [n for n, op in registry.items() if is_elementwise(op)]
    for name, dtype in product(names, ["float32", "float64"]):
        if name == "astype":
            continue
        for dtypes in operand_types(name, dtype):
            found[name, dtypes, ()] = None
        for number in NUMBERS:
            kind = f"weak {type(eval(number, {'nan': 0.0, 'inf': 0.0})).__name__}"
            pair = arity(name) == 2
            if pair and (number in FEW or name == "power"):
                found[name, (dtype, kind), ((1, number),)] = None
            if pair and number in FEW[:2]:
                found[name, (kind, dtype), ((0, number),)] = None
            if name == "where" and number in FEW:
                found[name, ("bool", dtype, kind), ((2, number),)] = None
                found[name, (kind, dtype, dtype), ((0, number),)] = None
            if name == "clip" and number in ["0.5", "nan", "-inf"]:
                found[name, (dtype, kind, dtype), ((1, number),)] = None
                found[name, (dtype, dtype, kind), ((2, number),)] = None
    for number in ["2", "1.5", str(2**53 + 1), "True"]:
        kind = f"weak {type(eval(number, {'nan': 0.0})).__name__}"
        for name in ["equal", "less", "greater_equal", "divide", "logical_and"]:
            for dtype in ["int64", "int32", "bool"] if len(number) < 5 else ["int64"]:
                found[name, (dtype, kind), ((1, number),)] = None
    cases = []
    for name, dtypes, codes in found:
        try:
            case = Case(name, dtypes, codes)
        except (TypeError, ValueError, OverflowError):
            continue  # NumPy has no such op either
        if case.sayable:
            cases.append(case)
    return cases


@pytest.fixture(scope="module")
def library():
    with np.errstate(all="ignore"):
        cases = all_cases()
    text = "".join(case.text(f"f{k}") for k, case in enumerate(cases))
    return cases, cache.compiled(_headers() + text)


def run(library, k, case):
    found = np.empty(case.wanted.shape, case.dtype)
    library.function(f"f{k}")(*given(found.size, found, *case.arrays))
    return found


def far(case, found):
    """Where a result is not what NumPy gives."""
    wanted = case.wanted
    if case.dtype not in FLOATS:
        return found != wanted
    bound = 0 if case.name in EXACT.split() else BOUND
    with np.errstate(all="ignore"):
        near = np.abs(found - wanted) <= bound * np.spacing(np.abs(wanted))
        tiny = np.abs(found) + np.abs(wanted) <= 2 * np.finfo(case.dtype).tiny
        same = (found == wanted) | (np.isnan(found) & np.isnan(wanted))
        good = near | tiny | same
        # One side may reach the largest number a little before the other.
        most = np.finfo(case.dtype).max * (1 - 1e-6)
        if bound:
            good |= (np.abs(found) > most) & (np.abs(wanted) > most)
        if case.name in SIGNED.split():
            zero = (wanted == 0) & (found == 0)
            good &= ~zero | (np.signbit(found) == np.signbit(wanted))
    return ~good


def test_every_op(library):
    cases, built = library
    wrong = []
    for k, case in enumerate(cases):
        found = run(built, k, case)
        for i in np.flatnonzero(far(case, found))[:3]:
            operands = [a[i] for a in case.arrays]
            wrong.append(f"{case} at {operands}: {found[i]}, not {case.wanted[i]}")
    assert not wrong, "\n".join(wrong)


def test_every_op_was_tried(library):
    cases, _ = library
    tried = {case.name for case in cases}
    names = {n for n, op in registry.items() if is_elementwise(op)}
    assert names - tried == {"astype", "logaddexp"}
    assert {case.dtype for case in cases} == {
        "float32",
        "float64",
        "bool",
        "int32",
        "int64",
    }
    assert len(cases) > 350


def test_a_cast_to_each_dtype():
    cast = registry["astype"]
    text, pairs = "", list(product(TYPES, TYPES))
    for k, (dtype, to) in enumerate(pairs):
        line = expression(cast, ["x[i]"], [dtype], to)
        text += (
            f"void f{k}(ptrdiff_t n, {TYPES[to]} *out, const {TYPES[dtype]} *x) "
            f"{{ for (ptrdiff_t i = 0; i < n; i++) out[i] = {line}; }}\n"
        )
    built = cache.compiled(_headers() + text)
    for k, (dtype, to) in enumerate(pairs):
        x = values(dtype)
        if dtype in FLOATS and to.startswith("int"):
            x = x[np.abs(x) < 2**31]  # beyond, C and NumPy promise nothing
        wanted = x.astype(to)
        found = np.empty_like(wanted)
        built.function(f"f{k}")(*given(x.size, found, x))
        np.testing.assert_array_equal(found, wanted, f"{dtype} to {to}")


@pytest.mark.parametrize("dtypes", [("int64",), ("int32", "int64"), ("bool", "int64")])
def test_arithmetic_of_whole_numbers_is_numpys(dtypes):
    name = "negative" if len(dtypes) == 1 else "add"
    assert not is_sayable(registry[name], dtypes, "int64")


def test_other_dtypes_have_no_words():
    assert not is_sayable(registry["tanh"], ["float16"], "float16")
    assert not is_sayable(registry["add"], ["float32", "complex64"], "complex64")
    assert not is_sayable(registry["add"], ["float32", "uint8"], "float32")
    assert set(WEAK) == {f"weak {kind.__name__}" for kind in (int, float, bool)}
