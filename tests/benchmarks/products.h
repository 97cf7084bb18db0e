// Vectors, functions and products of the C++ limit; included by limit.cpp alone.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <type_traits>
#ifdef __SSE__
#include <xmmintrin.h>
#endif

typedef REAL real;
#ifdef __AVX512F__
constexpr int BYTES = 64, ROWS = 8;
#else
constexpr int BYTES = 32, ROWS = 4;
#endif
constexpr int V = BYTES / sizeof(real), WIDE = 2, CHUNK = 256;
typedef std::conditional_t<sizeof(real) == 4, int32_t, int64_t> whole;
typedef real vec __attribute__((vector_size(BYTES), aligned(sizeof(real)), may_alias));
typedef whole ivec __attribute__((vector_size(BYTES)));

static vec &at(real *p) { return *(vec *)p; }
static vec at(const real *p) { return *(const vec *)p; }
static vec all(real x) { return x - vec{}; }
static int padded(int n) { return (n + V - 1) / V * V; }
// Rows a multiple of 1 kB apart would share few sets of the cache.
static int apart(int n) {
  return padded(n) + (padded(n) * sizeof(real) % 1024 ? 0 : V);
}

// ---------------------------------------------------------------- functions

struct Exponential { vec part, scale; };  // exp(x) = scale (1 + part)

static inline Exponential exponential(vec x) {
  constexpr bool f = sizeof(real) == 4;
  constexpr int mantissa = f ? 23 : 52, degree = f ? 7 : 13;
  constexpr real top = f ? 88 : 708, magic = f ? 12582912. : 6755399441055744.;
  constexpr real high = f ? 0.693359375 : 6.93145751953125e-1;
  constexpr real low = f ? -2.12194440e-4 : 1.42860682030941723212e-6;
  x = x < -top ? all(-top) : x;
  x = x > top ? all(top) : x;
  vec t = x * real(1.4426950408889634) + magic, n = t - magic;
  vec r = x - n * high - n * low, p = all(0);
  real factorial[degree + 1] = {1};
  for (int k = 1; k <= degree; k++) factorial[k] = factorial[k - 1] * k;
  for (int k = degree; k > 0; k--) p = (p + 1 / factorial[k]) * r;
  ivec exponent = (ivec)t - (ivec)all(magic) + (f ? 127 : 1023);
  return {p, (vec)(exponent << mantissa)};
}
static inline vec exp_(vec x) {
  Exponential e = exponential(x);
  return e.scale * e.part + e.scale;
}
static inline vec sigmoid_(vec x) { return 1 / (1 + exp_(-x)); }
static inline vec tanh_(vec x) {  // expm1(2x) / (expm1(2x) + 2), exact at 0
  constexpr real top = sizeof(real) == 4 ? 20 : 40;
  x = x > top ? all(top) : x;
  Exponential e = exponential(2 * x);
  vec y = e.scale * e.part + (e.scale - 1);
  return y / (y + 2);
}

// ----------------------------------------------------------------- products

// c (R, N vectors) += a b, where a is (R, K), or (K, R) if TURNED.
template <int R, int N, bool TURNED>
static inline void block(int K, const real *a, long lda, const real *b, long ldb,
                         real *c, long ldc) {
  vec sum[R][N];
  for (int r = 0; r < R; r++)
    for (int v = 0; v < N; v++) sum[r][v] = at((const real *)c + r * ldc + v * V);
#pragma GCC unroll 2
  for (int k = 0; k < K; k++) {
    vec right[N];
    for (int v = 0; v < N; v++) right[v] = at(b + k * ldb + v * V);
    for (int r = 0; r < R; r++)
      for (int v = 0; v < N; v++)
        sum[r][v] += (TURNED ? a[k * lda + r] : a[r * lda + k]) * right[v];
  }
  for (int r = 0; r < R; r++)
    for (int v = 0; v < N; v++) at(c + r * ldc + v * V) = sum[r][v];
}
template <int R, int N, bool TURNED>
static void rows(int M, int K, const real *a, long lda, const real *b, long ldb,
                 real *c, long ldc) {
  for (; M >= R; M -= R, a += TURNED ? R : R * lda, c += R * ldc)
    block<R, N, TURNED>(K, a, lda, b, ldb, c, ldc);
  if constexpr (R > 1)
    if (M) rows<R / 2, N, TURNED>(M, K, a, lda, b, ldb, c, ldc);
}
// One row against up to 8 vectors of columns: a batch of one.
static void row(int n, int K, const real *a, const real *b, long ldb, real *c) {
  switch (n) {
    case 1: return block<1, 1, false>(K, a, 0, b, ldb, c, 0);
    case 2: return block<1, 2, false>(K, a, 0, b, ldb, c, 0);
    case 3: return block<1, 3, false>(K, a, 0, b, ldb, c, 0);
    case 4: return block<1, 4, false>(K, a, 0, b, ldb, c, 0);
    case 5: return block<1, 5, false>(K, a, 0, b, ldb, c, 0);
    case 6: return block<1, 6, false>(K, a, 0, b, ldb, c, 0);
    case 7: return block<1, 7, false>(K, a, 0, b, ldb, c, 0);
    default: return block<1, 8, false>(K, a, 0, b, ldb, c, 0);
  }
}

// A right factor (K, N) in panels of `wide` vectors, the rows of a panel in a line.
struct Panels {
  int K, N, wide;
  real *data;
  void make(int K_, int N_, int M) {
    K = K_, N = N_, wide = M < ROWS ? 8 : WIDE;
    data = (real *)aligned_alloc(64, (size_t)K * padded(N) * sizeof(real) + 64);
  }
  void pack(const real *b, int ldb) {
    for (int j = 0, n; j < N; j += n) {
      n = N - j < wide * V ? N - j : wide * V;
      real *p = data + (size_t)K * j;
      for (int k = 0; k < K; k++, p += padded(n))
        for (int i = 0; i < n; i += V)
          if (n - i >= V) at(p + i) = at(b + (size_t)k * ldb + j + i);
          else
            for (int e = 0; e < V; e++)
              p[i + e] = e < n - i ? b[(size_t)k * ldb + j + i + e] : 0;
    }
  }
  void pack_turned(const real *b, int ldb) {  // b is (N, K)
    for (int j = 0, n; j < N; j += n) {
      n = N - j < wide * V ? N - j : wide * V;
      real *p = data + (size_t)K * j;
      for (int i = 0; i < padded(n); i++)
        for (int k = 0; k < K; k++)
          p[k * padded(n) + i] = i < n ? b[(size_t)(j + i) * ldb + k] : 0;
    }
  }
  void add_product(int M, const real *a, long lda, real *c, long ldc) const {
    for (int j = 0; j < padded(N); j += wide * V) {
      int n = padded(N) - j < wide * V ? padded(N) - j : wide * V;
      const real *p = data + (size_t)K * j;
      if (wide > WIDE) {
        for (int m = 0; m < M; m++) row(n / V, K, a + m * lda, p, n, c + m * ldc + j);
        continue;
      }
      for (int k = 0; k < K; k += CHUNK) {
        int part = K - k < CHUNK ? K - k : CHUNK;
        const real *right = p + (size_t)k * n;
        if (n == WIDE * V)
          rows<ROWS, WIDE, false>(M, part, a + k, lda, right, n, c + j, ldc);
        else
          rows<ROWS, 1, false>(M, part, a + k, lda, right, n, c + j, ldc);
      }
    }
  }
};

// A gradient (K, N) that is summed over rows: a'g and the sums of g's columns.
struct Gradient {
  int K, N;
  real *sum;
  void make(int K_, int N_) {
    K = K_, N = N_;
    sum = (real *)aligned_alloc(64, (size_t)K * padded(N) * sizeof(real) + 64);
  }
  void clear() { memset(sum, 0, (size_t)K * padded(N) * sizeof(real)); }
  void add(int R, const real *a, long lda, const real *g, long ldg) {
    int width = padded(N);
    for (int j = 0; j < width; j += WIDE * V)
      if (width - j >= WIDE * V)
        rows<ROWS, WIDE, true>(K, R, a, lda, g + j, ldg, sum + j, width);
      else
        rows<ROWS, 1, true>(K, R, a, lda, g + j, ldg, sum + j, width);
  }
  void add_rows(int R, const real *g, long ldg) {
    for (int j = 0; j < padded(N); j += V) {
      vec s = at((const real *)sum + j);
      for (int r = 0; r < R; r++) s += at(g + r * ldg + j);
      at(sum + j) = s;
    }
  }
  void write(real *out, int ld) const {
    for (int k = 0; k < K; k++)
      memcpy(out + (size_t)k * ld, sum + (size_t)k * padded(N), N * sizeof(real));
  }
};
