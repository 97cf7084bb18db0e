/* What the lines of a program need besides functions and products. */
#include <math.h>
#if defined(__clang__)
#define EACH _Pragma("clang loop vectorize(enable) interleave(enable)")
#else
#define EACH _Pragma("GCC ivdep") /* an element depends on no other one */
#endif
/* sums and maxima of a row whose elements lie apart */
#define APART(T, s, NAME, START, JOIN)                                               \
    INLINE T s##_##NAME##_apart(const T *x, ptrdiff_t step, ptrdiff_t n) {             \
        T found = START;                                                             \
        for (ptrdiff_t j = 0; j < n; j++) { T y = x[j * step]; found = JOIN; }        \
        return found;                                                                \
    }
APART(float, f, row_sum, 0, found + y)
APART(double, d, row_sum, 0, found + y)
APART(float, f, row_max, -__builtin_inff(), maximum_f(found, y))
APART(double, d, row_max, -__builtin_inf(), maximum_d(found, y))
