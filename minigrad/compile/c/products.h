/* Products of matrices, and sums and maxima of rows and columns.

   To be pasted once for each type that a program uses, after functions.h, with DOUBLE
   defined as 0 (float: names begin with f_) or 1 (double: d_). Sizes and distances
   count elements. Every function is inlined, so sizes that are constants where it is
   called leave only the code that they need: give N always as one, K and acc where they
   are known, and call from one function of its own for each shape. acc: add to what is
   there.

   A product takes its right side packed: a panel for each vector of columns, which
   holds those columns row after row; what is missing in the last panel is zero. It is
   fastest where 64 divides the panels' address. */
#ifndef VECTOR
#if defined(__AVX512F__)
#define VECTOR 64 /* bytes of a vector */
#define SUMS 16   /* vectors of sums that a block keeps in registers */
#define ROWS 8    /* rows of a block */
#elif defined(__AVX__)
#define VECTOR 32
#define SUMS 12
#define ROWS 4
#elif defined(__aarch64__)
#define VECTOR 16
#define SUMS 16
#define ROWS 8
#else
#define VECTOR 16
#define SUMS 8
#define ROWS 4
#endif
#define DEEP 128 /* products that are summed before they are added to the result */
#define BLOCK 64 /* numbers that are summed one after the other */
#define CHUNK 64 /* rows that stay in the cache while the panels pass */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
#if defined(__clang__) || __GNUC__ >= 12
#define MIX(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define MIX(a, b, ...) __builtin_shuffle(a, b, (X(mask)){__VA_ARGS__})
#endif
#define WHOLE(n, of) (((n) + (of) - 1) / (of) * (of)) /* n, rounded up */
/* elements of a packed matrix, and of what product_long works in */
#define PACKED_f(K, N) ((K) * WHOLE(N, VECTOR / 4))
#define PACKED_d(K, N) ((K) * WHOLE(N, VECTOR / 8))
#define PAD_f(N) PACKED_f(DEEP, N)
#define PAD_d(N) PACKED_d(DEEP, N)
#endif

#if DOUBLE
#define T double
#define INTEGER int64_t
#define X(name) d_##name
#else
#define T float
#define INTEGER int32_t
#define X(name) f_##name
#endif
#define L ((ptrdiff_t)(VECTOR / sizeof(T)))
#define V X(vector)
#define FOUR X(four)
typedef T V __attribute__((vector_size(VECTOR), aligned(sizeof(T)), may_alias));
typedef T FOUR
    __attribute__((vector_size(4 * sizeof(T)), aligned(sizeof(T)), may_alias));
typedef INTEGER X(whole) __attribute__((vector_size(VECTOR)));
typedef INTEGER X(mask) __attribute__((vector_size(4 * sizeof(T))));

/* a vector's first `count` elements, the others zero */
INLINE V X(load)(const T *x, ptrdiff_t count) {
    V v = {0};
    if (count == L) return *(const V *)x;
    __builtin_memcpy(&v, x, (size_t)count * sizeof(T));
    return v;
}
INLINE void X(store)(T *x, V v, ptrdiff_t count) {
    if (count == L) *(V *)x = v;
    else __builtin_memcpy(x, &v, (size_t)count * sizeof(T));
}

/* a b + c, rounded once where functions.h does: with vectors only if it is asked for */
INLINE V X(fma)(T a, V b, V c) {
#if defined(__clang__)
#pragma clang fp contract(fast)
    return a * b + c;
#elif !FUSED
    return a * b + c;
#else
    V v = a - (V){0}; /* a everywhere */
#if defined(__AVX512F__) && DOUBLE
    return __builtin_ia32_vfmaddpd512_mask(v, b, c, -1, 4);
#elif defined(__AVX512F__)
    return __builtin_ia32_vfmaddps512_mask(v, b, c, -1, 4);
#elif defined(__AVX__) && DOUBLE
    return __builtin_ia32_vfmaddpd256(v, b, c);
#elif defined(__AVX__)
    return __builtin_ia32_vfmaddps256(v, b, c);
#elif DOUBLE
    return __builtin_aarch64_fmav2df(v, b, c);
#else
    return __builtin_aarch64_fmav4sf(v, b, c);
#endif
#endif
}

/* ---- Products ---- */

/* C of `rows` rows and `wide` vectors, the last of `tail` elements. The sums are kept
   in registers and start at zero, whatever they are added to. From one panel to the
   next are `panel` elements. */
INLINE void X(block)(const int rows, const int wide, const ptrdiff_t tail,
                     const int acc, ptrdiff_t K, const T *A, ptrdiff_t la, ptrdiff_t sa,
                     const T *P, ptrdiff_t panel, T *C, ptrdiff_t ldc) {
    V c[8][8];
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int j = 0; j < wide; j++) c[i][j] = (V){0};
    for (ptrdiff_t k = 0; k < K; k++) {
        V b[8];
        const T *p = P + k * L;
        UNROLL for (int j = 0; j < wide; j++) b[j] = *(const V *)(p + j * panel);
        UNROLL for (int i = 0; i < rows; i++) {
            T a = A[i * la + k * sa];
            UNROLL for (int j = 0; j < wide; j++) c[i][j] = X(fma)(a, b[j], c[i][j]);
        }
    }
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < wide; j++) {
        const ptrdiff_t count = j < wide - 1 ? L : tail;
        T *at = C + i * ldc + j * L;
        if (acc) c[i][j] += X(load)(at, count);
        X(store)(at, c[i][j], count);
    }
}

/* M rows of C, a multiple of `rows`, which are taken that many at a time. `step` is
   from the first of them to the next ones in A. */
INLINE void X(strips)(const int rows, ptrdiff_t M, ptrdiff_t K, const ptrdiff_t N,
                      const int acc, const T *A, ptrdiff_t step, ptrdiff_t la,
                      ptrdiff_t sa, const T *P, ptrdiff_t panel, T *C, ptrdiff_t ldc) {
    /* groups of panels, as equal as can be */
    const ptrdiff_t vectors = (N + L - 1) / L, most = SUMS / rows < 8 ? SUMS / rows : 8;
    const ptrdiff_t groups = (vectors + most - 1) / most;
    const ptrdiff_t wide = (vectors + groups - 1) / groups;
    const ptrdiff_t whole = N / L / wide * wide, rest = vectors - whole;
    for (ptrdiff_t j = 0; j < whole; j += wide)
        for (ptrdiff_t i = 0; i < M; i += rows)
            X(block)(rows, (int)wide, L, acc, K, A + i / rows * step, la, sa,
                     P + j * panel, panel, C + i * ldc + j * L, ldc);
    if (rest)
        for (ptrdiff_t i = 0; i < M; i += rows)
            X(block)(rows, (int)rest, N - (vectors - 1) * L, acc, K,
                     A + i / rows * step, la, sa, P + whole * panel, panel,
                     C + i * ldc + whole * L, ldc);
}

/* M rows, ROWS at a time, then 4, 2 and 1 */
INLINE void X(rows)(ptrdiff_t M, ptrdiff_t K, const ptrdiff_t N, const int acc,
                    const T *A, ptrdiff_t step, ptrdiff_t la, ptrdiff_t sa, const T *P,
                    ptrdiff_t panel, T *C, ptrdiff_t ldc) {
    const ptrdiff_t m = M / ROWS * ROWS, a = m / ROWS * step, c = m * ldc;
    const ptrdiff_t two = ROWS > 4 ? M & 4 : 0, one = two + (M & 2);
    if (m) X(strips)(ROWS, m, K, N, acc, A, step, la, sa, P, panel, C, ldc);
    if (two) X(strips)(4, 4, K, N, acc, A + a, 0, la, sa, P, panel, C + c, ldc);
    if (M & 2)
        X(strips)(2, 2, K, N, acc, A + a + two * la, 0, la, sa, P, panel,
                  C + c + two * ldc, ldc);
    if (M & 1)
        X(strips)(1, 1, K, N, acc, A + a + one * la, 0, la, sa, P, panel,
                  C + c + one * ldc, ldc);
}

/* C (M, N) = [C +] A B, with A[i la + k sa] and B packed into P */
INLINE void X(product)(ptrdiff_t M, ptrdiff_t K, const ptrdiff_t N, const int acc,
                       const T *A, ptrdiff_t la, ptrdiff_t sa, const T *P, T *C,
                       ptrdiff_t ldc) {
    ptrdiff_t k = 0;
    do {
        ptrdiff_t deep = K - k < DEEP ? K - k : DEEP;
        for (ptrdiff_t i = 0; i < M; i += CHUNK) {
            ptrdiff_t m = M - i < CHUNK ? M - i : CHUNK;
            X(rows)(m, deep, N, acc || k, A + i * la + k * sa, ROWS * la, la, sa,
                    P + k * L, K * L, C + i * ldc, ldc);
        }
        k += DEEP;
    } while (k < K);
}

/* four rows of four, as columns */
INLINE void X(turn)(const T *b, ptrdiff_t ldb, T *p) {
    FOUR a = *(const FOUR *)b, c = *(const FOUR *)(b + 2 * ldb);
    FOUR d = *(const FOUR *)(b + ldb), e = *(const FOUR *)(b + 3 * ldb);
    FOUR s = MIX(a, d, 0, 4, 1, 5), t = MIX(c, e, 0, 4, 1, 5);
    FOUR u = MIX(a, d, 2, 6, 3, 7), v = MIX(c, e, 2, 6, 3, 7);
    *(FOUR *)p = MIX(s, t, 0, 1, 4, 5);
    *(FOUR *)(p + L) = MIX(s, t, 2, 3, 6, 7);
    *(FOUR *)(p + 2 * L) = MIX(u, v, 0, 1, 4, 5);
    *(FOUR *)(p + 3 * L) = MIX(u, v, 2, 3, 6, 7);
}

/* B (K, N), with B[k ldb + n sb], as panels */
INLINE void X(pack)(ptrdiff_t K, const ptrdiff_t N, const T *B, ptrdiff_t ldb,
                    ptrdiff_t sb, T *P) {
    const ptrdiff_t whole = N / L * L, turned = L >= 4 && ldb == 1 ? K / 4 * 4 : 0;
    /* rows lie in memory: eight vectors of each at a time */
    if (sb == 1)
        for (ptrdiff_t n = 0; n < whole; n += 8 * L)
            for (ptrdiff_t k = 0; k < K; k++)
                for (ptrdiff_t j = n; j < whole && j < n + 8 * L; j += L)
                    *(V *)(P + j * K + k * L) = *(const V *)(B + k * ldb + j);
    else
        for (ptrdiff_t n = 0; n < whole; n += L) {
            for (ptrdiff_t k = 0; k < turned; k += 4)
                for (ptrdiff_t j = 0; j < L; j += 4)
                    X(turn)(B + k + (n + j) * sb, sb, P + n * K + k * L + j);
            for (ptrdiff_t k = turned; k < K; k++)
                for (ptrdiff_t j = 0; j < L; j++)
                    P[n * K + k * L + j] = B[k * ldb + (n + j) * sb];
        }
    if (whole < N)
        for (ptrdiff_t k = 0; k < K; k++)
            for (ptrdiff_t j = 0; j < L; j++)
                P[whole * K + k * L + j] =
                    j < N - whole ? B[k * ldb + (whole + j) * sb] : 0;
}

/* C (M, N) = [C +] A' B, for the sums over many k that gradients of weights are;
   A (K, M) and B (K, N) lie row after row. `pad` has room for PAD(N) elements. */
INLINE void X(product_long)(ptrdiff_t M, ptrdiff_t K, const ptrdiff_t N, const int acc,
                            const T *A, ptrdiff_t lda, const T *B, ptrdiff_t ldb, T *C,
                            ptrdiff_t ldc, T *pad) {
    ptrdiff_t k = 0;
    do {
        const ptrdiff_t deep = K - k < DEEP ? K - k : DEEP;
        X(pack)(deep, N, B + k * ldb, ldb, 1, pad);
        X(product)(M, deep, N, acc || k, A + k * lda, 1, lda, pad, C, ldc);
        k += DEEP;
    } while (k < K);
}

/* ---- Rows and columns. Sums go in blocks: rounding hardly grows with them. ---- */


/* the larger one of each pair; a NaN stays */
INLINE V X(larger)(V a, V b) {
    X(whole) first = (a > b) | (a != a);
    return (V)((first & (X(whole))a) | (~first & (X(whole))b));
}
INLINE T X(row_max)(const T *x, const ptrdiff_t n) {
    ptrdiff_t j = 0;
    T top = DOUBLE ? (T)-__builtin_inf() : (T)-__builtin_inff();
    if (n >= L) {
        V v = *(const V *)x;
        for (j = L; j + L <= n; j += L) v = X(larger)(*(const V *)(x + j), v);
        T half[L];
        __builtin_memcpy(half, &v, VECTOR);
        UNROLL for (int h = (int)L / 2; h; h /= 2)
            UNROLL for (int q = 0; q < h; q++) {
                const T other = half[q + h];
                half[q] = half[q] > other || half[q] != half[q] ? half[q] : other;
            }
        top = half[0];
    }
    for (; j < n; j++) top = x[j] > top || x[j] != x[j] ? x[j] : top;
    return top;
}
INLINE T X(row_sum)(const T *x, const ptrdiff_t n) {
    V all = {0};
    ptrdiff_t j = 0;
    while (j + L <= n) {
        const ptrdiff_t end = n - j < BLOCK * L ? n : j + BLOCK * L;
        V s[4] = {{0}};
        for (; j + 4 * L <= end; j += 4 * L)
            UNROLL for (int q = 0; q < 4; q++) s[q] += *(const V *)(x + j + q * L);
        for (; j + L <= end; j += L) s[0] += *(const V *)(x + j);
        all += (s[0] + s[1]) + (s[2] + s[3]);
    }
    T half[L];
    __builtin_memcpy(half, &all, VECTOR);
    UNROLL for (int h = (int)L / 2; h; h /= 2)
        UNROLL for (int q = 0; q < h; q++) half[q] += half[q + h];
    T sum = half[0];
    for (; j < n; j++) sum += x[j];
    return sum;
}

/* out (N) = [out +] the sums of A's columns, A (R, N) */
INLINE void X(column_sums)(ptrdiff_t R, const ptrdiff_t N, const T *A, ptrdiff_t lda,
                           const int acc, T *out) {
    if (!acc) for (ptrdiff_t j = 0; j < N; j++) out[j] = 0;
    for (ptrdiff_t r = 0; r < R; r += BLOCK) {
        const ptrdiff_t end = R - r < BLOCK ? R : r + BLOCK;
        ptrdiff_t j = 0;
        for (; j + 4 * L <= N; j += 4 * L) {
            V s[4] = {{0}};
            for (ptrdiff_t i = r; i < end; i++)
                UNROLL for (int q = 0; q < 4; q++)
                    s[q] += *(const V *)(A + i * lda + j + q * L);
            UNROLL for (int q = 0; q < 4; q++) *(V *)(out + j + q * L) += s[q];
        }
        for (; j + L <= N; j += L) {
            V s = {0};
            for (ptrdiff_t i = r; i < end; i++) s += *(const V *)(A + i * lda + j);
            *(V *)(out + j) += s;
        }
        for (; j < N; j++) {
            T s = 0;
            for (ptrdiff_t i = r; i < end; i++) s += A[i * lda + j];
            out[j] += s;
        }
    }
}

#undef DOUBLE
#undef T
#undef INTEGER
#undef X
#undef L
#undef V
#undef FOUR
