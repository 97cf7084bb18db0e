/* What the lines of a program need besides functions and products. */
#include <math.h>
#define APART __attribute__((noinline)) /* a function that is compiled once */
#if defined(__clang__)
#define EACH _Pragma("clang loop vectorize(enable) interleave(enable)")
#else
#define EACH _Pragma("GCC ivdep") /* an element depends on no other one */
#endif
/* A thread's part of a range of n: whole groups of 8, so that vectors stay whole. */
#define FROM(n) ((ptrdiff_t)(n) * me / all / 8 * 8)
#define TO(n) (me + 1 == all ? (ptrdiff_t)(n) : (ptrdiff_t)(n) * (me + 1) / all / 8 * 8)
#define MEET meet((int *)p[0], all);
#if !defined(_WIN32)
#include <sched.h>
#define YIELD sched_yield()
#else
#define YIELD (void)0
#endif
/* Wait until all threads are here: state[0] counts them, state[16] the meetings. */
static __attribute__((noinline, unused)) void meet(int *state, ptrdiff_t all) {
    int turn = __atomic_load_n(state + 16, __ATOMIC_ACQUIRE);
    if (__atomic_add_fetch(state, 1, __ATOMIC_ACQ_REL) == all) {
        __atomic_store_n(state, 0, __ATOMIC_RELAXED);
        __atomic_store_n(state + 16, turn + 1, __ATOMIC_RELEASE);
        return;
    }
    for (int spins = 0; __atomic_load_n(state + 16, __ATOMIC_ACQUIRE) == turn; spins++)
        if (spins > 2000) YIELD;
}
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
