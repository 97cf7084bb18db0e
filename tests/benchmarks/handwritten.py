"""Back-propagation through time written by hand, as fast as NumPy allows.

One training step's loss and gradients of the many-to-many network with softmax and
cross-entropy: x(t) U for all steps as one product, the output layer as one product,
each weight gradient as one product, buffers made once and written with ``out=``.
"""

import numpy as np


class HandWritten:
    """The step for fixed sizes; ``parameters`` are U, W, V, b, c as float32 arrays."""

    def __init__(self, T, B, n_in, n_hidden, n_out):
        def empty(*shape):
            return np.empty(shape, np.float32)

        self.sizes = T, B, n_in, n_hidden, n_out
        self.h = empty(T + 1, B, n_hidden)
        self.h[0] = 0
        self.a = empty(T, B, n_hidden)
        self.o = empty(T * B, n_out)
        self.p = empty(T * B, n_out)
        self.g = empty(T, B, n_hidden)
        self.slope = empty(T, B, n_hidden)
        self.part = empty(B, n_hidden)
        self.ones = np.ones(T * B, np.float32)
        self.rows = np.arange(T * B)
        self.forward = list(zip(self.h[:-1], self.a, self.h[1:], strict=True))
        self.backward = list(
            zip(self.g[-2::-1], self.g[:0:-1], self.slope[-2::-1], strict=True)
        )

    def __call__(self, xs, ys, U, W, V, b, c):
        T, B, n_in, n_hidden, _ = self.sizes
        N = T * B
        add, multiply, tanh = np.add, np.multiply, np.tanh
        x, a, part = xs.reshape(N, n_in), self.a, self.part
        flat_a = a.reshape(N, n_hidden)
        np.dot(x, U, flat_a)
        add(flat_a, b, flat_a)
        for before, a_t, h_t in self.forward:
            before.dot(W, part)
            add(a_t, part, part)
            tanh(part, h_t)
        h = self.h[1:].reshape(N, n_hidden)
        o, p = self.o, self.p
        np.dot(h, V, o)
        add(o, c, o)
        np.subtract(o, o.max(1, keepdims=True), o)
        np.exp(o, p)
        total = p.sum(1, keepdims=True)
        target = ys.reshape(N)
        loss = (np.log(total[:, 0]) - o[self.rows, target]).mean()
        multiply(p, 1 / (total * N), p)
        p[self.rows, target] -= 1 / N
        dV, dc = h.T.dot(p), self.ones.dot(p)
        g, slope = self.g, self.slope
        np.dot(p, np.ascontiguousarray(V.T), g.reshape(N, n_hidden))
        multiply(self.h[1:], self.h[1:], slope)
        np.subtract(1, slope, slope)
        WT = np.ascontiguousarray(W.T)
        multiply(g[-1], slope[-1], g[-1])
        for g_t, after, slope_t in self.backward:
            after.dot(WT, part)
            add(g_t, part, g_t)
            multiply(g_t, slope_t, g_t)
        flat_g = g.reshape(N, n_hidden)
        dU, db = x.T.dot(flat_g), self.ones.dot(flat_g)
        dW = self.h[:-1].reshape(N, n_hidden).T.dot(flat_g)
        return loss, dU, dW, dV, db, dc
