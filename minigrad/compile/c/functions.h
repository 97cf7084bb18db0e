/* Elementary functions for loops over arrays, and the mode for denormal numbers.

   A function here is a few lines without a call, a branch or a table, so that every
   compiler makes vectors of a plain loop over it (GCC from -O3 on). They mean what
   NumPy's mean: a NaN stays, an infinity has its limit, tanh(-0.) is -0. Each exists for
   float, with _f, and for double, with _d. power, sin and cos are the C library's, an
   element at a time. GNU C, for GCC, Clang and zig cc on any processor. Errors in units
   in the last place and times: docs/compiler.md. */
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
    INLINE T minimum_##s(T a, T b) { return a < b ? a : a != a ? a : b; }              \
    /* x, between two numbers; a NaN stays. */                                         \
    INLINE T within_##s(T x, T low, T high) {                                          \
        x = x > high ? high : x;                                                       \
        return x < low ? low : x;                                                      \
    }
SIMPLE(float, f, f)
SIMPLE(double, , d)
#undef SIMPLE

/* ---- exp and its kin. exp(x) = 2^n exp(r) with a whole n and |r| <= ln(2) / 2.
   Adding 1.5 2^23 (1.5 2^52) rounds to whole numbers, and leaves n in the last bits. The
   product n ln(2) is taken in two parts, of which the first is exact. ---- */
#define ROUND_f 12582912.f
#define ROUND_d 6755399441055744.

/* exp(r) - 1, and ROUND + n. The polynomial is minimax: 4e-9 of 1, and 6e-18. */
INLINE float reduced_f(float x, float *rounded) {
    float t = x * 1.44269504f + ROUND_f, n = t - ROUND_f;
    float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.3949171676882323e-3f;
    p = p * r + 8.368318999882527e-3f;
    p = p * r + 4.166623255551044e-2f;
    p = p * r + 0.1666652513842823f;
    p = p * r + 0.5000000082222777f;
    *rounded = t;
    return p * (r * r) + r;
}
INLINE double reduced_d(double x, double *rounded) {
    double t = x * 1.4426950408889634 + ROUND_d, n = t - ROUND_d;
    double r = (x - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
    double p = 2.511569681632975e-08;
    p = p * r + 2.762756347195382e-07;
    p = p * r + 2.755722402306002e-06;
    p = p * r + 2.4801501345387343e-05;
    p = p * r + 0.00019841269907448845;
    p = p * r + 0.0013888888934796104;
    p = p * r + 0.0083333333333126;
    p = p * r + 0.041666666666568146;
    p = p * r + 0.16666666666666688;
    p = p * r + 0.5000000000000006;
    *rounded = t;
    return p * (r * r) + r;
}
/* 2^(n + more), of a normal number */
INLINE float two_to_f(float rounded, int more) {
    return from_f((bits_f(rounded) - bits_f(ROUND_f) + 127u + (uint32_t)more) << 23);
}
INLINE double two_to_d(double rounded, int more) {
    return from_d((bits_d(rounded) - bits_d(ROUND_d) + 1023u + (uint64_t)more) << 52);
}

/* 2^n in two halves: neither is 0 or infinite where the result is not. */
INLINE float exp_f(float x) {
    float t, p = reduced_f(within_f(x, -104.f, 89.f), &t) + 1.f;
    uint32_t n = bits_f(t) - bits_f(ROUND_f) + 254u, half = n >> 1;
    return p * from_f(half << 23) * from_f((n - half) << 23);
}
INLINE double exp_d(double x) {
    double t, p = reduced_d(within_d(x, -746., 710.), &t) + 1.;
    uint64_t n = bits_d(t) - bits_d(ROUND_d) + 2046u, half = n >> 1;
    return p * from_d(half << 52) * from_d((n - half) << 52);
}

/* 2^n exp(r) - 1 as 2^n (exp(r) - 1) + (2^n - 1), halved until the end: 2^n may be
   infinite where the result is not. */
INLINE float expm1_f(float x) {
    float t, p = reduced_f(within_f(x, -40.f, 89.f), &t), s = two_to_f(t, -1);
    return __builtin_copysignf((s * p + (s - .5f)) * 2.f, x);
}
INLINE double expm1_d(double x) {
    double t, p = reduced_d(within_d(x, -60., 710.), &t), s = two_to_d(t, -1);
    return __builtin_copysign((s * p + (s - .5)) * 2., x);
}

/* -e / (2 + e) with e = exp(-2 |x|) - 1, and the sign of x */
INLINE float tanh_f(float x) {
    float z = -2.f * abs_f(x), t, p = reduced_f(z < -40.f ? -40.f : z, &t);
    float s = two_to_f(t, 0), e = s * p + (s - 1.f);
    return __builtin_copysignf(e / (2.f + e), x);
}
INLINE double tanh_d(double x) {
    double z = -2. * abs_d(x), t, p = reduced_d(z < -60. ? -60. : z, &t);
    double s = two_to_d(t, 0), e = s * p + (s - 1.);
    return __builtin_copysign(e / (2. + e), x);
}

/* e / (1 + e) with e = exp(x): nothing cancels. From x = 80 on it is 1. */
INLINE float sigmoid_f(float x) {
    float e = exp_f(x > 80.f ? 80.f : x);
    return e / (1.f + e);
}
INLINE double sigmoid_d(double x) {
    double e = exp_d(x > 80. ? 80. : x);
    return e / (1. + e);
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
/* n ln(2) + log(1 + f). Of float a minimax polynomial, 2e-9 of log; of double the series
   of s = f / (2 + f) in Sun's fdlibm. */
INLINE float joined_f(float f, float n) {
    float z = f * f, p = 0.06967614319871568f;
    p = p * f - 0.11708908592683438f;
    p = p * f + 0.11803579764439423f;
    p = p * f - 0.123949442044212f;
    p = p * f + 0.1423043149897184f;
    p = p * f - 0.16668941094446982f;
    p = p * f + 0.20001554437986957f;
    p = p * f - 0.24999985854186602f;
    p = p * f + 0.33333322239232743f;
    p = p * f * z - n * 2.12194440e-4f;
    return n * 0.693359375f + (f - (.5f * z - p));
}
INLINE double joined_d(double f, double n) {
    double s = f / (2. + f), z = s * s, w = z * z, h = .5 * f * f;
    double even = 0.2222219843214978396 + w * 0.1531383769920937332;
    double odd = 0.1818357216161805012 + w * 0.1479819860511658591;
    even = w * (0.3999999999940941908 + w * even);
    odd = z * (0.6666666666666735130 + w * (0.2857142874366239149 + w * odd));
    double low = s * (h + (odd + even)) + n * 1.90821492927058770002e-10;
    return n * 0.693147180369123816490 - ((h - low) - f);
}
/* log at 0, below it, at infinity and NaN, y elsewhere */
INLINE float limits_f(float x, float y) {
    y = x > 0.f ? y : x == 0.f ? -__builtin_inff() : __builtin_nanf("");
    return x < __builtin_inff() ? y : x;
}
INLINE double limits_d(double x, double y) {
    y = x > 0. ? y : x == 0. ? -__builtin_inf() : __builtin_nan("");
    return x < __builtin_inf() ? y : x;
}

/* A denormal number is made normal first; where it counts as zero, so it does here. */
INLINE float log_f(float x) {
    int tiny = x < 0x1p-126f;
    float n, m = split_f(tiny ? x * 0x1p24f : x, &n);
    return limits_f(x, joined_f(m - 1.f, tiny ? n - 24.f : n));
}
INLINE double log_d(double x) {
    int tiny = x < 0x1p-1022;
    double n, m = split_d(tiny ? x * 0x1p54 : x, &n);
    return limits_d(x, joined_d(m - 1., tiny ? n - 54. : n));
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
INLINE float softplus_f(float x) {
    return relu_f(x) + log1p_f(exp_f(-abs_f(x)));
}
INLINE double softplus_d(double x) {
    return relu_d(x) + log1p_d(exp_d(-abs_d(x)));
}
