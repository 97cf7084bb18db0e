/* Elementary functions for loops over arrays, and the mode for denormal numbers.

   A function here is a few lines without a call, a branch or a table, so that every
   compiler makes vectors of a plain loop over it: GCC with -O3, or what of it asks for
   vectors, and -fno-trapping-math. They mean what NumPy's mean: a NaN stays, an
   infinity has its limit, tanh(-0.) is -0. Each exists for float, with _f, and for
   double, with _d. power, sin and cos are the C library's, an element at a time. GNU C,
   for GCC, Clang and zig cc on any processor. Errors in units in the last place, and
   times: docs/compiler.md. */
#include <stddef.h>
#include <stdint.h>
#define INLINE static inline __attribute__((always_inline, unused))

/* ---- Denormal numbers: flush_on counts them as zero in this thread, and hands back
   what flush_back needs to restore the caller's mode. A program does both. ---- */
INLINE uint64_t flush_on(void) {
#if defined(__x86_64__)
    uint32_t old = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(old | 0x8040); /* results, and operands */
    return old;
#elif defined(__aarch64__)
    uint64_t old;
    __asm__ volatile("mrs %0, fpcr" : "=r"(old));
    __asm__ volatile("msr fpcr, %0" : : "r"(old | 1u << 24) : "memory");
    return old;
#else
    return 0;
#endif
}
INLINE void flush_back(uint64_t old) {
#if defined(__x86_64__)
    __builtin_ia32_ldmxcsr((uint32_t)old);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(old) : "memory");
#else
    (void)old;
#endif
}

/* ---- The bits of a number, and back ---- */
INLINE uint32_t bits_f(float x) { uint32_t i; __builtin_memcpy(&i, &x, 4); return i; }
INLINE float from_f(uint32_t i) { float x; __builtin_memcpy(&x, &i, 4); return x; }
INLINE uint64_t bits_d(double x) { uint64_t i; __builtin_memcpy(&i, &x, 8); return i; }
INLINE double from_d(uint64_t i) { double x; __builtin_memcpy(&x, &i, 8); return x; }

/* a b + c, rounded once where the processor does it in one instruction */
#if defined(__FMA__) || defined(__aarch64__)
#define FUSED 1
INLINE float fma_f(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
INLINE double fma_d(double a, double b, double c) { return __builtin_fma(a, b, c); }
#else
#define FUSED 0
INLINE float fma_f(float a, float b, float c) { return a * b + c; }
INLINE double fma_d(double a, double b, double c) { return a * b + c; }
#endif

/* ---- Functions of one line. A comparison with a NaN is false: it decides which side
   of a choice a NaN takes. ---- */
#define SIMPLE(T, f, s)                                                                \
    INLINE T abs_##s(T x) { return __builtin_fabs##f(x); }                             \
    INLINE T sqrt_##s(T x) { return __builtin_sqrt##f(x); }                            \
    INLINE T power_##s(T a, T b) { return __builtin_pow##f(a, b); }                    \
    INLINE T sin_##s(T x) { return __builtin_sin##f(x); }                              \
    INLINE T cos_##s(T x) { return __builtin_cos##f(x); }                              \
    INLINE T relu_##s(T x) { return x < 0 ? 0 : x; }                                   \
    INLINE T sign_##s(T x) { return x > 0 ? 1 : x < 0 ? -1 : x + (T)0; }               \
    INLINE T maximum_##s(T a, T b) { return a > b ? a : a != a ? a : b; }              \
    INLINE T minimum_##s(T a, T b) { return a < b ? a : a != a ? a : b; }
SIMPLE(float, f, f)
SIMPLE(double, , d)
#undef SIMPLE

/* ---- exp and its kin. exp(x) = 2^n exp(r) with a whole n and |r| <= ln(2) / 2.
   Adding 1.5 2^23 (1.5 2^52) rounds to whole numbers, and leaves n in the last bits.
   The product n ln(2) is taken in two parts, of which the first is exact. ---- */
#define ROUND_f 12582912.f
#define ROUND_d 6755399441055744.

/* exp(r) - 1, and ROUND + n. The polynomial is minimax: 4e-9 of 1, and 6e-18. */
INLINE float reduced_f(float x, float *rounded) {
    float t = fma_f(x, 1.44269504f, ROUND_f), n = t - ROUND_f;
    float r = fma_f(n, 2.12194440e-4f, fma_f(n, -0.693359375f, x));
    float p = 1.3949171676882323e-3f;
    p = fma_f(p, r, 8.368318999882527e-3f);
    p = fma_f(p, r, 4.166623255551044e-2f);
    p = fma_f(p, r, 0.1666652513842823f);
    p = fma_f(p, r, 0.5000000082222777f);
    *rounded = t;
    return fma_f(p, r * r, r);
}
INLINE double reduced_d(double x, double *rounded) {
    double t = fma_d(x, 1.4426950408889634, ROUND_d), n = t - ROUND_d;
    double r = fma_d(n, -0.693147180369123816490, x);
    r = fma_d(n, -1.90821492927058770002e-10, r);
    double p = 2.511569681632975e-08;
    p = fma_d(p, r, 2.762756347195382e-07);
    p = fma_d(p, r, 2.755722402306002e-06);
    p = fma_d(p, r, 2.4801501345387343e-05);
    p = fma_d(p, r, 0.00019841269907448845);
    p = fma_d(p, r, 0.0013888888934796104);
    p = fma_d(p, r, 0.0083333333333126);
    p = fma_d(p, r, 0.041666666666568146);
    p = fma_d(p, r, 0.16666666666666688);
    p = fma_d(p, r, 0.5000000000000006);
    *rounded = t;
    return fma_d(p, r * r, r);
}
/* 2^(n + more), of a normal number */
INLINE float two_to_f(float rounded, int more) {
    return from_f((bits_f(rounded) - bits_f(ROUND_f) + 127u + (uint32_t)more) << 23);
}
INLINE double two_to_d(double rounded, int more) {
    return from_d((bits_d(rounded) - bits_d(ROUND_d) + 1023u + (uint64_t)more) << 52);
}

/* exp(x) where it is neither 0 nor infinite; nor are the two halves of 2^n */
INLINE float bounded_f(float x) {
    float t, p = reduced_f(x, &t) + 1.f;
    uint32_t n = bits_f(t) - bits_f(ROUND_f) + 254u, half = n >> 1;
    return p * from_f(half << 23) * from_f((n - half) << 23);
}
INLINE double bounded_d(double x) {
    double t, p = reduced_d(x, &t) + 1.;
    uint64_t n = bits_d(t) - bits_d(ROUND_d) + 2046u, half = n >> 1;
    return p * from_d(half << 52) * from_d((n - half) << 52);
}
INLINE float exp_f(float x) {
    float y = bounded_f(x);
    y = x > 89.f ? __builtin_inff() : y;
    return x < -104.f ? 0.f : y;
}
INLINE double exp_d(double x) {
    double y = bounded_d(x);
    y = x > 710. ? __builtin_inf() : y;
    return x < -746. ? 0. : y;
}

/* 2^n exp(r) - 1 as 2^n (exp(r) - 1) + (2^n - 1), halved until the end: 2^n may be
   infinite where the result is not. */
INLINE float expm1_f(float x) {
    float t, p = reduced_f(x, &t), s = two_to_f(t, -1);
    float y = __builtin_copysignf(fma_f(s, p, s - .5f) * 2.f, x);
    y = x > 89.f ? __builtin_inff() : y;
    return x < -40.f ? -1.f : y;
}
INLINE double expm1_d(double x) {
    double t, p = reduced_d(x, &t), s = two_to_d(t, -1);
    double y = __builtin_copysign(fma_d(s, p, s - .5) * 2., x);
    y = x > 710. ? __builtin_inf() : y;
    return x < -60. ? -1. : y;
}

/* -e / (2 + e) with e = exp(-2 |x|) - 1, and the sign of x */
INLINE float tanh_f(float x) {
    float a = abs_f(x), t, p = reduced_f(-2.f * a, &t);
    float s = two_to_f(t, 0), e = fma_f(s, p, s - 1.f), y = e / (-2.f - e);
    return __builtin_copysignf(a > 20.f ? 1.f : y, x);
}
INLINE double tanh_d(double x) {
    double a = abs_d(x), t, p = reduced_d(-2. * a, &t);
    double s = two_to_d(t, 0), e = fma_d(s, p, s - 1.), y = e / (-2. - e);
    return __builtin_copysign(a > 30. ? 1. : y, x);
}

/* e / (1 + e) with e = exp(x): nothing cancels. */
INLINE float sigmoid_f(float x) {
    float e = bounded_f(x), y = e / (1.f + e);
    y = x > 80.f ? 1.f : y;
    return x < -104.f ? 0.f : y;
}
INLINE double sigmoid_d(double x) {
    double e = bounded_d(x), y = e / (1. + e);
    y = x > 80. ? 1. : y;
    return x < -746. ? 0. : y;
}

/* ---- log and its kin. x = 2^n (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2): in the bits,
   n is what stands above those of sqrt(1/2). ---- */
#define ROOT_f 0x3f3504f3u
#define ROOT_d 0x3fe6a09e667f3bcdu

INLINE float split_f(float x, float *n) {
    uint32_t k = bits_f(x) - ROOT_f;
    *n = (float)((int32_t)k >> 23);
    return from_f((k & 0x7fffffu) + ROOT_f);
}
INLINE double split_d(double x, double *n) {
    uint64_t k = bits_d(x) - ROOT_d;
    *n = from_d(bits_d(0x1p52) | (k + (1024ull << 52)) >> 52) - (0x1p52 + 1024.);
    return from_d((k & 0xfffffffffffffu) + ROOT_d);
}
/* n ln(2) + log(1 + f). Of float a minimax polynomial, 2e-9 of log; of double the
   series of s = f / (2 + f) in Sun's fdlibm. */
INLINE float joined_f(float f, float n) {
    float z = f * f, p = 0.06967614319871568f;
    p = fma_f(p, f, -0.11708908592683438f);
    p = fma_f(p, f, 0.11803579764439423f);
    p = fma_f(p, f, -0.123949442044212f);
    p = fma_f(p, f, 0.1423043149897184f);
    p = fma_f(p, f, -0.16668941094446982f);
    p = fma_f(p, f, 0.20001554437986957f);
    p = fma_f(p, f, -0.24999985854186602f);
    p = fma_f(p, f, 0.33333322239232743f);
    p = fma_f(n, -2.12194440e-4f, p * f * z);
    return fma_f(n, 0.693359375f, f - fma_f(z, .5f, -p));
}
INLINE double joined_d(double f, double n) {
    double s = f / (2. + f), z = s * s, w = z * z, h = .5 * f * f;
    double even = fma_d(w, 0.1531383769920937332, 0.2222219843214978396);
    double odd = fma_d(w, 0.1479819860511658591, 0.1818357216161805012);
    odd = fma_d(w, fma_d(w, odd, 0.2857142874366239149), 0.6666666666666735130);
    even = w * fma_d(w, even, 0.3999999999940941908);
    double low = n * 1.90821492927058770002e-10;
    low = fma_d(s, h + fma_d(z, odd, even), low);
    return fma_d(n, 0.693147180369123816490, f - (h - low));
}
/* log at 0, below it, at infinity and NaN, y elsewhere */
INLINE float limits_f(float x, float y) {
    y = x > 0.f ? y : __builtin_nanf("");
    y = x == 0.f ? -__builtin_inff() : y;
    return x < __builtin_inff() ? y : x;
}
INLINE double limits_d(double x, double y) {
    y = x > 0. ? y : __builtin_nan("");
    y = x == 0. ? -__builtin_inf() : y;
    return x < __builtin_inf() ? y : x;
}

/* A denormal number is made normal first; where it counts as zero, so it does here. */
INLINE float log_f(float x) {
    int tiny = x < 0x1p-126f;
    float n, m = split_f(x * (tiny ? 0x1p24f : 1.f), &n);
    return limits_f(x, joined_f(m - 1.f, n - (tiny ? 24.f : 0.f)));
}
INLINE double log_d(double x) {
    int tiny = x < 0x1p-1022;
    double n, m = split_d(x * (tiny ? 0x1p54 : 1.), &n);
    return limits_d(x, joined_d(m - 1., n - (tiny ? 54. : 0.)));
}

/* What 1 + x loses is put back, 2^-n of it; from 2^60 on there is nothing to it. */
INLINE float log1p_f(float x) {
    float u = 1.f + x, n, m = split_f(u, &n), lost = x - (u - 1.f);
    lost *= from_f(bits_f(m) - bits_f(u) + bits_f(1.f));
    float y = joined_f(m - 1.f + (x < 0x1p60f ? lost : 0.f), n);
    return __builtin_copysignf(limits_f(u, y), x);
}
INLINE double log1p_d(double x) {
    double u = 1. + x, n, m = split_d(u, &n), lost = x - (u - 1.);
    lost *= from_d(bits_d(m) - bits_d(u) + bits_d(1.));
    double y = joined_d(m - 1. + (x < 0x1p60 ? lost : 0.), n);
    return __builtin_copysign(limits_d(u, y), x);
}

/* max(x, 0) + log(1 + e) with e = exp(-|x|) <= 1: n is 0 or 1. */
INLINE float softplus_f(float x) {
    float a = abs_f(x), e = bounded_f(-a), n = e > 0.4142f ? 1.f : 0.f;
    float y = .5f * (x + a) + joined_f(n > 0.f ? .5f * e - .5f : e, n);
    y = x > 104.f ? x : y;
    return x < -104.f ? 0.f : y;
}
INLINE double softplus_d(double x) {
    double a = abs_d(x), e = bounded_d(-a), n = e > 0.4142 ? 1. : 0.;
    double y = .5 * (x + a) + joined_d(n > 0. ? .5 * e - .5 : e, n);
    y = x > 746. ? x : y;
    return x < -746. ? 0. : y;
}
