// What a person can reach in C++: loss and gradients of the four networks of the race.
//
// Row-major arrays; inside, rows are padded to whole vectors, and the padding stays
// zero. All work goes by chunks of about 256 rows (steps times batch): a chunk's
// products with the input, its softmax, its loss and its share of the weight gradients
// are done while its rows are in the cache. Weights are packed into panels once a call.
// Denormal numbers count as zero. Compiled once a dtype, REAL; native.py does that.
#include "products.h"

enum Kind { MANY_TO_MANY, MANY_TO_ONE, FEEDBACK, LSTM };

static real *zeros(size_t n) {
  void *p = aligned_alloc(64, (n * sizeof(real) + 127) / 64 * 64);
  return (real *)memset(p, 0, (n * sizeof(real) + 127) / 64 * 64);
}

struct Step {
  int kind, T, B, I, H, O, G, W_rows, S, ldh, ldo, ldg;
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
    ldh = apart(H), ldo = apart(O), ldg = G > 1 ? G * ldh + V : ldh;
    size_t n = (size_t)(T + 1) * B;
    h = zeros(n * ldh), g = zeros(n * ldg), b = zeros(ldg), c = zeros(ldo);
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
    fill(n * B, b, ldg, to);
    for (int k = 0; k < G; k++)
      U[k].add_product(n * B, x + (size_t)t * B * I, I, to + k * ldh, ldg);
  }
  // In M rows of o, softmax(o) less 1 at y, over N; and their share of the loss.
  void softmax(int M, real *z, const int64_t *y, int N) {
    for (int m = 0; m < M; m++, z += ldo) {
      real top = z[0], sum = 0;
      for (int i = 1; i < O; i++) top = top < z[i] ? z[i] : top;
      loss += top - z[y[m]];
      for (int i = 0; i < padded(O); i += V)
        at(z + i) = exp_(at((const real *)z + i) - top);
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
      const real *a = g + (size_t)t * B * ldg + k * ldh;
      dU[k].add(n * B, x + (size_t)t * B * I, I, a, ldg);
      dW[k].add(n * B, before + (size_t)t * B * ld, ld, a, ldg);
      db[k].add_rows(n * B, a, ldg);
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
        tanhs(w, after);
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
  static void tanhs(size_t w, real *a) {
    for (size_t i = 0; i < w; i += V) at(a + i) = tanh_(at((const real *)a + i));
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
        tanhs(w, after);
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
      dV.add(n * B, h + (t0 + 1) * w, ldh, q + t0 * u, ldo);
      dc.add_rows(n * B, q + t0 * u, ldo);
    }
  }

  void lstm() {  // the gates f, g, q and the candidate side by side
    size_t w = (size_t)B * ldh, u = (size_t)B * ldg;
    for (int t0 = 0; t0 < T; t0 += S) {
      int n = T - t0 < S ? T - t0 : S;
      input(t0, n, g + t0 * u);
      for (int t = t0; t < t0 + n; t++) {
        for (int k = 0; k < 4; k++)
          W[k].add_product(B, h + t * w, ldh, g + t * u + k * ldh, ldg);
        for (int m = 0; m < B; m++) gates(t * w + m * ldh, t * u + m * ldg);
      }
    }
    read(B, h + T * w, y, B, dh);
    memset(ds, 0, w * sizeof(real));
    for (int t0 = (T - 1) / S * S; t0 >= 0; t0 -= S) {
      int n = T - t0 < S ? T - t0 : S;
      for (int t = t0 + n - 1; t >= t0; t--) {
        for (int m = 0; m < B; m++)
          back(t * w + m * ldh, t * u + m * ldg, m * ldh);
        if (t == 0) break;
        memset(dh, 0, w * sizeof(real));
        for (int k = 0; k < 4; k++)
          WT[k].add_product(B, g + t * u + k * ldh, ldg, dh, ldh);
      }
      weights(t0, n, h, ldh);
    }
  }
  // One row of one step; s and h of the step before lie B rows before its own.
  void gates(size_t i, size_t j) {
    const real *before = s + i;
    real *a = g + j, *now = s + i + B * ldh, *th = ts + i, *out = h + i + B * ldh;
    for (int e = 0; e < ldh; e += V) {
      vec f = sigmoid_(at((const real *)a + e));
      vec in = sigmoid_(at((const real *)a + ldh + e));
      vec q = sigmoid_(at((const real *)a + 2 * ldh + e));
      vec z = tanh_(at((const real *)a + 3 * ldh + e));
      vec state = f * at(before + e) + in * z, y = tanh_(state);
      at(a + e) = f, at(a + ldh + e) = in;
      at(a + 2 * ldh + e) = q, at(a + 3 * ldh + e) = z;
      at(now + e) = state, at(th + e) = y, at(out + e) = y * q;
    }
  }
  void back(size_t i, size_t j, int k) {
    const real *before = s + i, *th = ts + i;
    real *a = g + j;
    for (int e = 0; e < ldh; e += V) {
      vec f = at(a + e), in = at(a + ldh + e);
      vec q = at(a + 2 * ldh + e), z = at(a + 3 * ldh + e);
      vec y = at(th + e), d = at(dh + k + e);
      vec state = at(ds + k + e) + d * q * (1 - y * y);
      at(a + e) = state * at(before + e) * f * (1 - f);
      at(a + ldh + e) = state * z * in * (1 - in);
      at(a + 2 * ldh + e) = d * y * q * (1 - q);
      at(a + 3 * ldh + e) = state * in * (1 - z * z);
      at(ds + k + e) = state * f;
    }
  }
};

extern "C" {
void *make(int kind, int T, int B, int I, int H, int O) {
  return new Step(kind, T, B, I, H, O);
}

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
  bool one = step->kind == MANY_TO_ONE || step->kind == LSTM;
#ifdef __SSE__
  _mm_setcsr(before);
#endif
  return (step->loss + log(step->total)) / (one ? step->B : step->B * step->T);
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
