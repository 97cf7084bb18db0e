"""The header's products and sums against NumPy's of float64, at every odd shape.

All arrays lie in the middle of larger ones that are full of NaN, at odd places and with
rows that are wider than what is used: what is read beside them shows, and what is
written beside them, too.
"""

import numpy as np
import pytest

from .headers import given, library, machines, needs_compiler, products

pytestmark = needs_compiler

TYPES = {"f": np.float32, "d": np.float64}
NAMES = {"f": "float", "d": "double"}
# How a product is called: N is a constant, as in programs, M and K may be.
PRODUCT = """
void {p}_product_{name}(ptrdiff_t M, ptrdiff_t K, ptrdiff_t acc, const {T} *A,
                        ptrdiff_t la, ptrdiff_t sa, const {T} *B, ptrdiff_t ldb,
                        ptrdiff_t sb, {T} *P, {T} *C, ptrdiff_t ldc) {{
    {p}_pack({K}, {N}, B, ldb, sb, P);
    {p}_product({M}, {K}, {N}, (int)acc, A, la, sa, P, C, ldc);
    (void)M, (void)K;
}}
ptrdiff_t {p}_packed_{name}(ptrdiff_t K) {{ return PACKED_{p}(K, {N}); }}
void {p}_long_{name}(ptrdiff_t M, ptrdiff_t K, ptrdiff_t acc, const {T} *A,
                     ptrdiff_t lda, const {T} *B, ptrdiff_t ldb, {T} *C, ptrdiff_t ldc,
                     {T} *pad) {{
    {p}_product_long({M}, K, {N}, (int)acc, A, lda, B, ldb, C, ldc, pad);
    (void)M;
}}
ptrdiff_t {p}_pad_{name}(void) {{ return PAD_{p}({N}); }}
"""
SUMS = """
void {p}_max(const {T} *x, ptrdiff_t n, {T} *out) {{ *out = {p}_row_max(x, n); }}
void {p}_sum(const {T} *x, ptrdiff_t n, {T} *out) {{ *out = {p}_row_sum(x, n); }}
void {p}_columns(ptrdiff_t R, ptrdiff_t N, const {T} *A, ptrdiff_t lda, ptrdiff_t acc,
                 {T} *out) {{ {p}_column_sums(R, N, A, lda, (int)acc, out); }}
"""
COLUMNS = [1, 7, 16, 33, 70]
SHAPES = [(1, 100, 100), (8, 64, 64), (9, 0, 5)]
VECTOR = "ptrdiff_t bytes_of_a_vector(void) { return VECTOR; }"
SOURCE = (
    products()
    + VECTOR
    + "".join(
        text.format(p=p, T=NAMES[p], **sizes)
        for p in "fd"
        for text, sizes in [(SUMS, {})]
        + [(PRODUCT, {"name": N, "M": "M", "K": "K", "N": N}) for N in COLUMNS]
        + [
            (PRODUCT, {"name": f"{M}_{K}_{N}", "M": M, "K": K, "N": N})
            for M, K, N in SHAPES
        ]
    )
)


class Room:
    """Arrays amid NaN, and whether something was written beside them."""

    def __init__(self, p, rng):
        self.dtype, self.rng, self.made = TYPES[p], rng, []

    def full(self, rows, columns, more=None):
        """Random numbers, and how far apart their rows are: ``more`` than they need."""
        more = int(self.rng.integers(0, 4)) if more is None else more
        width, start = columns + more, int(self.rng.integers(1, 5))
        whole = np.full(start + rows * width + 80, np.nan, self.dtype)
        part = whole[start:][: rows * width].reshape(rows, width)[:, :columns]
        part[...] = self.rng.normal(size=part.shape)
        used = np.full(len(whole), False)
        used[start:][: rows * width].reshape(rows, width)[:, :columns] = True
        self.made.append((whole, ~used))
        return part, width

    def untouched(self):
        return all(np.isnan(whole[beside]).all() for whole, beside in self.made)


def close(found, expected, size, dtype):
    """As far apart as sums of products of that size may be."""
    tolerance = 8 * np.finfo(dtype).eps
    return np.all(np.abs(found - expected) <= tolerance * size)


def one_product(lib, name, M, K, N, p, rng, acc, left, right):
    """A product of random numbers; ``left`` and ``right``: given transposed."""
    room = Room(p, rng)
    a, la = room.full(*((K, M) if left else (M, K)))
    b, ldb = room.full(*((N, K) if right else (K, N)))
    c, ldc = room.full(M, N)
    before, A, B = c.astype("d"), (a.T if left else a), (b.T if right else b)
    packed, _ = room.full(1, getattr(lib, f"{p}_packed_{name}")(*given(K)), 0)
    strides = [(1, la) if left else (la, 1), (1, ldb) if right else (ldb, 1)]
    getattr(lib, f"{p}_product_{name}")(
        *given(M, K, acc, a, *strides[0], b, *strides[1], packed, c, ldc)
    )
    wide = lib.bytes_of_a_vector() // packed.itemsize
    panels = packed.reshape(-(-N // wide), K, wide)
    columns = np.concatenate(panels, axis=1)
    assert np.array_equal(columns[:, :N], B)
    assert not columns[:, N:].any()
    expected = A.astype("d") @ B.astype("d") + acc * before
    size = np.abs(A).astype("d") @ np.abs(B).astype("d") + acc * np.abs(before)
    assert close(c, expected, size, c.dtype)
    assert room.untouched()


def one_long(lib, name, M, K, N, p, rng, acc):
    room = Room(p, rng)
    (a, lda), (b, ldb), (c, ldc) = room.full(K, M), room.full(K, N), room.full(M, N)
    before = c.astype("d")
    pad, _ = room.full(1, getattr(lib, f"{p}_pad_{name}")(), 0)
    getattr(lib, f"{p}_long_{name}")(*given(M, K, acc, a, lda, b, ldb, c, ldc, pad))
    A, B = a.T.astype("d"), b.astype("d")
    size = np.abs(A) @ np.abs(B) + acc * np.abs(before)
    assert close(c, A @ B + acc * before, size, c.dtype)
    assert room.untouched()


@pytest.fixture(scope="module", params=machines(), ids=str)
def lib(request):
    return library(SOURCE, "-O2", request.param)


@pytest.mark.parametrize("p", "fd")
@pytest.mark.parametrize("N", COLUMNS)
def test_products_of_any_shape(lib, p, N):
    rng = np.random.default_rng(N)
    for _ in range(40):
        M, K = rng.integers(0, 71, 2).tolist()
        acc, left, right = rng.integers(0, 2, 3).tolist()
        one_product(lib, N, M, K, N, p, rng, acc, left, right)
        one_long(lib, N, M, K, N, p, rng, acc)


@pytest.mark.parametrize("p", "fd")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_products_of_constant_shapes(lib, p, shape):
    rng, name = np.random.default_rng(2), "_".join(map(str, shape))
    for acc, left, right in np.ndindex(2, 2, 2):
        one_product(lib, name, *shape, p, rng, acc, left, right)
        one_long(lib, name, *shape, p, rng, acc)


@pytest.mark.parametrize("p", "fd")
def test_products_of_several_blocks(lib, p):
    rng = np.random.default_rng(3)
    for acc in (0, 1):
        one_product(lib, 33, 130, 600, 33, p, rng, acc, 0, 0)
        one_long(lib, 33, 130, 600, 33, p, rng, acc)


@pytest.mark.parametrize("p", "fd")
def test_sums_of_columns(lib, p):
    rng = np.random.default_rng(4)
    for k in range(100):
        R, N = (int(rng.integers(0, 200)), int(rng.integers(1, 150)))
        acc, room = k % 2, Room(p, rng)
        (a, lda), (out, _) = room.full(R, N), room.full(1, N)
        expected = a.astype("d").sum(0) + acc * out[0]
        size = np.abs(a).astype("d").sum(0) + acc * np.abs(out[0])
        getattr(lib, f"{p}_columns")(*given(R, N, a, lda, acc, out))
        assert close(out[0], expected, size, a.dtype)
        assert room.untouched()


@pytest.mark.parametrize("p", "fd")
def test_sums_and_maxima_of_rows(lib, p):
    rng = np.random.default_rng(5)
    for n in [*range(1, 150), 1000, 4096, 4099]:
        room = Room(p, rng)
        (x, _), (out, _) = room.full(1, n), room.full(1, 1)
        getattr(lib, f"{p}_max")(*given(x, n, out))
        assert out == x.max()
        getattr(lib, f"{p}_sum")(*given(x, n, out))
        assert close(out, x.astype("d").sum(), np.abs(x).astype("d").sum(), x.dtype)
        x[0, rng.integers(n)] = np.inf
        getattr(lib, f"{p}_max")(*given(x, n, out))
        assert out == np.inf
        x[0, rng.integers(n)] = np.nan
        getattr(lib, f"{p}_max")(*given(x, n, out))
        assert np.isnan(out)
        x[...] = -np.inf
        getattr(lib, f"{p}_max")(*given(x, n, out))
        assert out == -np.inf
        assert room.untouched()


@pytest.mark.parametrize("p", "fd")
def test_rounding_does_not_grow_with_the_number_of_terms(lib, p):
    """A million equal numbers, one after the other, are 1 % off in float32."""
    n, tolerance = 1_000_000, 2e3 * np.finfo(TYPES[p]).eps
    x, out = np.full(n, 0.1, TYPES[p]), np.empty(1, TYPES[p])
    one = x.astype("d")[0]
    getattr(lib, f"{p}_sum")(*given(x, n, out))
    assert abs(out[0] / (one * n) - 1) < tolerance
    getattr(lib, f"{p}_columns")(*given(n, 1, x, 1, 0, out))
    assert abs(out[0] / (one * n) - 1) < tolerance
    pad = np.empty(getattr(lib, f"{p}_pad_1")(), TYPES[p])
    getattr(lib, f"{p}_long_1")(*given(1, n, 0, x, 1, x, 1, out, 1, pad))
    assert abs(out[0] / (one * one * n) - 1) < tolerance
