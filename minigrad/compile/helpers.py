"""Functions that kernels call, as the source that numba compiles.

``LETTERS`` are the variables of a kernel's loops over the axes of an array.

>>> sorted(HELPERS)[:2]
['class_share', 'exp32']
"""

LETTERS = "ijklmn"

# tanh of float32 as a quotient of polynomials, which the compiler can vectorise where
# a call of the C library stays scalar: within 6 units in the last place. The
# coefficients are those of Eigen (MathFunctionsImpl.h), whose
# bound is 9. NaN stays NaN. exp is that of Cephes (expf.c), within 1 unit.
HELPERS = {
    "tanh32": '''
@njit(inline="always", **OPTIONS)
def tanh32(x):
    """tanh as a quotient of polynomials, which is computed for many x at once."""
    x = np.float32(9) if x > np.float32(9) else x
    x = np.float32(-9) if x < np.float32(-9) else x
    z = x * x
    p = np.float32(-2.76076847742355e-16)
    p = p * z + np.float32(2.00018790482477e-13)
    p = p * z + np.float32(-8.60467152213735e-11)
    p = p * z + np.float32(5.12229709037114e-08)
    p = p * z + np.float32(1.48572235717979e-05)
    p = p * z + np.float32(6.37261928875436e-04)
    p = p * z + np.float32(4.89352455891786e-03)
    q = np.float32(1.19825839466702e-06)
    q = q * z + np.float32(1.18534705686654e-04)
    q = q * z + np.float32(2.26843463243900e-03)
    q = q * z + np.float32(4.89352518554385e-03)
    y = x * p / q
    y = np.float32(1) if y > np.float32(1) else y
    return np.float32(-1) if y < np.float32(-1) else y
''',
    "exp32": '''
@njit(inline="always", **OPTIONS)
def exp32(x):
    """exp: 2 to the power of n, in two halves, times a polynomial of the rest."""
    x = np.float32(89) if x > np.float32(89) else x
    x = np.float32(-104) if x < np.float32(-104) else x
    n = np.floor(x * np.float32(1.44269504) + np.float32(0.5))
    r = x - n * np.float32(0.693359375) + n * np.float32(2.12194440e-4)
    p = np.float32(1.9875691500e-4)
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    p = p * r * r + r + np.float32(1)
    k = np.int32(n)
    half = k >> 1
    a = np.int32((half + 127) << 23).view(np.float32)
    b = np.int32((k - half + 127) << 23).view(np.float32)
    return p * a * b
''',
    "logistic": '''
@njit(inline="always", **OPTIONS)
def logistic(x, e, one):
    """1 / (1 + exp(-x)) from e = exp(-|x|): nothing overflows and nothing cancels."""
    return (one if x >= one - one else e) / (one + e)
''',
    "row_max": '''
@njit(error_model="numpy", nogil=True, fastmath={"nnan", "nsz"})
def row_top(x, i, start, stop):
    """The largest of a row without NaN, of several elements at once."""
    top = x[i, start]
    for j in range(start, stop):
        top = x[i, j] if x[i, j] > top else top
    return top


@njit(error_model="numpy", nogil=True)
def row_max(x, i, start, stop):
    """The largest of a row, or NaN where there is one."""
    odd = 0
    for j in range(start, stop):
        odd += x[i, j] != x[i, j]
    return x.dtype.type(np.nan) if odd else row_top(x, i, start, stop)
''',
    "row_sum": '''
@njit(error_model="numpy", nogil=True, fastmath={"reassoc", "contract"})
def row_sum(x, i, start, stop):
    """The sum of a row, of several parts at once."""
    total = x[i, start]
    for j in range(start + 1, stop):
        total += x[i, j]
    return total
''',
    "picked_loss": '''
@njit(inline="always", **OPTIONS)
def picked_loss(z, i, start, s, y, ignored):
    """log s - z[y], or 0."""
    return 0.0 if y == ignored else np.log(s) - z[i, start + y]
''',
    "class_share": '''
@njit(inline="always", **OPTIONS)
def class_share(e, s, weight, y, j, ignored):
    """The gradient of o[j]: (e / s - (j == y)) times the weight of the loss, or 0."""
    nothing = e - e
    share = e * (weight / s) - (weight if y == j else nothing)
    return nothing if y == ignored else share
''',
}
