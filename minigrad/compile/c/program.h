/* What the lines of a program need besides functions and products. */
#include <math.h>
#define APART __attribute__((noinline)) /* a function that is compiled once */
#if defined(__clang__)
#define EACH _Pragma("clang loop vectorize(enable) interleave(enable)")
#else
#define EACH _Pragma("GCC ivdep") /* an element depends on no other one */
#endif
/* sums and maxima of a row whose elements lie apart */
#define ROW_APART(T, s, NAME, START, JOIN)                                               \
    INLINE T s##_##NAME##_apart(const T *x, ptrdiff_t step, ptrdiff_t n) {             \
        T found = START;                                                             \
        for (ptrdiff_t j = 0; j < n; j++) { T y = x[j * step]; found = JOIN; }        \
        return found;                                                                \
    }
ROW_APART(float, f, row_sum, 0, found + y)
ROW_APART(double, d, row_sum, 0, found + y)
ROW_APART(float, f, row_max, -__builtin_inff(), maximum_f(found, y))
ROW_APART(double, d, row_max, -__builtin_inf(), maximum_d(found, y))
