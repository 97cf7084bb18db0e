// What a person can reach in C++: loss and gradients of the four networks of the race.
//
// Row-major arrays; inside, rows are padded to whole vectors and the padding stays zero.
// All work goes by chunks of about 256 rows (steps times batch): a chunk's products with
// the input, its softmax, its loss and its share of the weight gradients are done while
// its rows are in the cache. Weights are packed into panels once a call. Denormal
// numbers count as zero. Compiled once a dtype, REAL; native.py does that.
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
static int apart(int n) { return padded(n) + (padded(n) * sizeof(real) % 1024 ? 0 : V); }

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
            for (int e = 0; e < V; e++) p[i + e] = e < n - i ? b[k * ldb + j + i + e] : 0;
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
        if (n == WIDE * V)
          rows<ROWS, WIDE, false>(M, part, a + k, lda, p + (size_t)k * n, n, c + j, ldc);
        else
          rows<ROWS, 1, false>(M, part, a + k, lda, p + (size_t)k * n, n, c + j, ldc);
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

// -------------------------------------------------------------------- steps

enum Kind { MANY_TO_MANY, MANY_TO_ONE, FEEDBACK, LSTM };

static real *zeros(size_t n) {
  void *p = aligned_alloc(64, (n * sizeof(real) + 127) / 64 * 64);
  return (real *)memset(p, 0, (n * sizeof(real) + 127) / 64 * 64);
}

struct Step {
  int kind, T, B, I, H, O, G, W_rows, S, ldh, ldo;
  const real *x;
  const int64_t *y;
  real *h, *g, *o, *q, *s, *ts, *dh, *ds, *b, *c;
  Panels U[4], W[4], WT[4], V_, VT;
  Gradient dU[4], dW[4], db[4], dV, dc;
  double loss, total;

  Step(int kind_, int T_, int B_, int I_, int H_, int O_)
      : kind(kind_), T(T_), B(B_), I(I_), H(H_), O(O_) {
    G = kind == LSTM ? 4 : 1;
    W_rows = kind == FEEDBACK ? O : H;
    S = B < CHUNK ? CHUNK / B : 1;  // steps of a chunk
    ldh = apart(H), ldo = apart(O);
    size_t n = (size_t)(T + 1) * B;
    h = zeros(n * ldh), g = zeros(n * ldh * G), b = zeros(4 * ldh), c = zeros(ldo);
    o = zeros((kind == FEEDBACK ? n : 1) * ldo);
    q = zeros((kind == FEEDBACK ? n : (size_t)(S + 1) * B) * ldo);
    s = zeros(kind == LSTM ? n * ldh : 1), ts = zeros(kind == LSTM ? n * ldh : 1);
    dh = zeros(B * ldh), ds = zeros(B * ldh);
    for (int k = 0; k < G; k++) {
      U[k].make(I, H, T * B), W[k].make(W_rows, H, B), WT[k].make(H, W_rows, B);
      dU[k].make(I, H), dW[k].make(W_rows, H), db[k].make(1, H);
    }
    V_.make(H, O, kind == MANY_TO_MANY ? T * B : B);
    VT.make(O, H, kind == MANY_TO_MANY ? T * B : B);
    dV.make(H, O), dc.make(1, O);
  }

  void begin(const real *const *p) {
    int n = G * H;
    for (int k = 0; k < G; k++) {
      U[k].pack(p[0] + k * H, n);
      W[k].pack(p[1] + k * H, n), WT[k].pack_turned(p[1] + k * H, n);
      memcpy(b + k * ldh, p[3] + k * H, H * sizeof(real));
      dU[k].clear(), dW[k].clear(), db[k].clear();
    }
    V_.pack(p[2], O), VT.pack_turned(p[2], O);
    memcpy(c, p[4], O * sizeof(real));
    dV.clear(), dc.clear();
    loss = 0, total = 1;
  }
  void end(real *const *out) {
    for (int k = 0; k < G; k++) {
      dU[k].write(out[0] + k * H, G * H), dW[k].write(out[1] + k * H, G * H);
      db[k].write(out[3] + k * H, 0);
    }
    dV.write(out[2], O), dc.write(out[4], 0);
  }

  static void fill(int M, const real *row, int ld, real *to) {
    for (int m = 0; m < M; m++) memcpy(to + (size_t)m * ld, row, ld * sizeof(real));
  }
  // b + U x for the steps from t to t + n, into `to`.
  void input(int t, int n, real *to) {
    fill(n * B, b, G * ldh, to);
    for (int k = 0; k < G; k++)
      U[k].add_product(n * B, x + (size_t)t * B * I, I, to + k * ldh, G * ldh);
  }
  // In M rows of o, softmax(o) less 1 at y, over N; and their share of the loss.
  void softmax(int M, real *z, const int64_t *y, int N) {
    for (int m = 0; m < M; m++, z += ldo) {
      real top = z[0], sum = 0;
      for (int i = 1; i < O; i++) top = top < z[i] ? z[i] : top;
      loss += top - z[y[m]];
      for (int i = 0; i < padded(O); i += V) at(z + i) = exp_(at((const real *)z + i) - top);
      for (int i = O; i < padded(O); i++) z[i] = 0;
      vec sums = all(0);
      for (int i = 0; i < padded(O); i += V) sums += at((const real *)z + i);
      for (int e = 0; e < V; e++) sum += sums[e];
      total *= sum;  // the logarithm of many sums is one logarithm
      if (total > 1e200) loss += log(total), total = 1;
      real scale = 1 / (sum * N);
      for (int i = 0; i < padded(O); i += V) at(z + i) *= scale;
      z[y[m]] -= real(1) / N;
    }
  }
  // Output, loss and their gradients for M rows of h; their cotangents into `to`.
  void read(int M, const real *h, const int64_t *y, int N, real *to) {
    fill(M, c, ldo, q);
    V_.add_product(M, h, ldh, q, ldo);
    softmax(M, q, y, N);
    dV.add(M, h, ldh, q, ldo), dc.add_rows(M, q, ldo);
    memset(to, 0, (size_t)M * ldh * sizeof(real));
    VT.add_product(M, q, ldo, to, ldh);
  }
  // The weight gradients of the steps from t to t + n.
  void weights(int t, int n, const real *before, int ld) {
    for (int k = 0; k < G; k++) {
      const real *a = g + (size_t)t * B * G * ldh + k * ldh;
      dU[k].add(n * B, x + (size_t)t * B * I, I, a, G * ldh);
      dW[k].add(n * B, before + (size_t)t * B * ld, ld, a, G * ldh);
      db[k].add_rows(n * B, a, G * ldh);
    }
  }

  void rnn() {
    size_t w = (size_t)B * ldh;
    for (int t0 = 0; t0 < T; t0 += S) {
      int n = T - t0 < S ? T - t0 : S;
      input(t0, n, h + (t0 + 1) * w);
      for (int t = t0; t < t0 + n; t++) {
        real *after = h + (t + 1) * w;
        W[0].add_product(B, h + t * w, ldh, after, ldh);
        for (size_t i = 0; i < w; i += V) at(after + i) = tanh_(at((const real *)after + i));
      }
      if (kind == MANY_TO_MANY)
        read(n * B, h + (t0 + 1) * w, y + (size_t)t0 * B, T * B, g + t0 * w);
    }
    if (kind == MANY_TO_ONE) {
      memset(g, 0, T * w * sizeof(real));
      read(B, h + T * w, y, B, g + (T - 1) * w);
    }
    for (int t0 = (T - 1) / S * S; t0 >= 0; t0 -= S) {
      int n = T - t0 < S ? T - t0 : S;
      for (int t = t0 + n - 1; t >= t0; t--) {
        real *now = g + t * w, *after = h + (t + 1) * w;
        if (t < T - 1) WT[0].add_product(B, now + w, ldh, now, ldh);
        slope(w, after, now);
      }
      weights(t0, n, h, ldh);
    }
  }
  static void slope(size_t w, const real *h, real *g) {
    for (size_t i = 0; i < w; i += V) at(g + i) *= 1 - at(h + i) * at(h + i);
  }

  void feedback() {
    size_t w = (size_t)B * ldh, u = (size_t)B * ldo;
    for (int t0 = 0; t0 < T; t0 += S) {
      int n = T - t0 < S ? T - t0 : S;
      input(t0, n, h + (t0 + 1) * w);
      fill(n * B, c, ldo, o + (t0 + 1) * u);
      for (int t = t0; t < t0 + n; t++) {
        real *after = h + (t + 1) * w;
        W[0].add_product(B, o + t * u, ldo, after, ldh);
        for (size_t i = 0; i < w; i += V) at(after + i) = tanh_(at((const real *)after + i));
        V_.add_product(B, after, ldh, o + (t + 1) * u, ldo);
      }
      memcpy(q + t0 * u, o + (t0 + 1) * u, n * u * sizeof(real));
      softmax(n * B, q + t0 * u, y + (size_t)t0 * B, T * B);
    }
    memset(g, 0, T * w * sizeof(real));
    for (int t0 = (T - 1) / S * S; t0 >= 0; t0 -= S) {
      int n = T - t0 < S ? T - t0 : S;
      for (int t = t0 + n - 1; t >= t0; t--) {
        if (t < T - 1) WT[0].add_product(B, g + (t + 1) * w, ldh, q + t * u, ldo);
        VT.add_product(B, q + t * u, ldo, g + t * w, ldh);
        slope(w, h + (t + 1) * w, g + t * w);
      }
      weights(t0, n, o, ldo);
      dV.add(n * B, h + (t0 + 1) * w, ldh, q + t0 * u, ldo), dc.add_rows(n * B, q + t0 * u, ldo);
    }
  }

  void lstm() {  // the gates f, g, q and the candidate side by side
    size_t w = (size_t)B * ldh;
    for (int t0 = 0; t0 < T; t0 += S) {
      int n = T - t0 < S ? T - t0 : S;
      input(t0, n, g + t0 * 4 * w);
      for (int t = t0; t < t0 + n; t++) {
        for (int k = 0; k < 4; k++)
          W[k].add_product(B, h + t * w, ldh, g + t * 4 * w + k * ldh, 4 * ldh);
        for (int m = 0; m < B; m++) gates(t * w + m * ldh, (t * B + m) * (size_t)4 * ldh);
      }
    }
    read(B, h + T * w, y, B, dh);
    memset(ds, 0, w * sizeof(real));
    for (int t0 = (T - 1) / S * S; t0 >= 0; t0 -= S) {
      int n = T - t0 < S ? T - t0 : S;
      for (int t = t0 + n - 1; t >= t0; t--) {
        for (int m = 0; m < B; m++) back(t * w + m * ldh, (t * B + m) * (size_t)4 * ldh, m * ldh);
        if (t == 0) break;
        memset(dh, 0, w * sizeof(real));
        for (int k = 0; k < 4; k++)
          WT[k].add_product(B, g + t * 4 * w + k * ldh, 4 * ldh, dh, ldh);
      }
      weights(t0, n, h, ldh);
    }
  }
  // One row of one step; s and h of the step before lie B rows before those of this one.
  void gates(size_t i, size_t j) {
    const real *before = s + i;
    real *a = g + j, *now = s + i + B * ldh, *th = ts + i, *out = h + i + B * ldh;
    for (int e = 0; e < ldh; e += V) {
      vec f = sigmoid_(at((const real *)a + e));
      vec in = sigmoid_(at((const real *)a + ldh + e));
      vec q = sigmoid_(at((const real *)a + 2 * ldh + e));
      vec z = tanh_(at((const real *)a + 3 * ldh + e));
      vec state = f * at(before + e) + in * z, y = tanh_(state);
      at(a + e) = f, at(a + ldh + e) = in, at(a + 2 * ldh + e) = q, at(a + 3 * ldh + e) = z;
      at(now + e) = state, at(th + e) = y, at(out + e) = y * q;
    }
  }
  void back(size_t i, size_t j, int k) {
    const real *before = s + i, *th = ts + i;
    real *a = g + j;
    for (int e = 0; e < ldh; e += V) {
      vec f = at(a + e), in = at(a + ldh + e), q = at(a + 2 * ldh + e), z = at(a + 3 * ldh + e);
      vec y = at(th + e), d = at(dh + k + e), state = at(ds + k + e) + d * q * (1 - y * y);
      at(a + e) = state * at(before + e) * f * (1 - f);
      at(a + ldh + e) = state * z * in * (1 - in);
      at(a + 2 * ldh + e) = d * y * q * (1 - q);
      at(a + 3 * ldh + e) = state * in * (1 - z * z);
      at(ds + k + e) = state * f;
    }
  }
};

extern "C" {
void *make(int kind, int T, int B, int I, int H, int O) { return new Step(kind, T, B, I, H, O); }

// The loss, and gradients of U, W, V, b, c into `out`.
double run(Step *step, const real *x, const int64_t *y, const real *const *parameters,
           real *const *out) {
#ifdef __SSE__
  unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8040);
#endif
  step->x = x, step->y = y;
  step->begin(parameters);
  if (step->kind == FEEDBACK) step->feedback();
  else if (step->kind == LSTM) step->lstm();
  else step->rnn();
  step->end(out);
  int rows = step->kind == MANY_TO_ONE || step->kind == LSTM ? step->B : step->B * step->T;
#ifdef __SSE__
  _mm_setcsr(before);
#endif
  return (step->loss + log(step->total)) / rows;
}

// So many multiply-adds of vectors as fast as the processor does them: the floor.
double multiply_adds(long vectors) {
  vec sum[16];
  for (int i = 0; i < 16; i++) sum[i] = all(i);
  for (long n = 0; n < vectors; n += 16)
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) sum[i] = sum[i] * real(.5) + real(1);
  double total = 0;
  for (int i = 0; i < 16; i++) total += sum[i][0];
  return total;
}
int lanes() { return V; }
}
