"""Back-propagation through time written by hand, as fast as NumPy allows.

x(t) U for all steps as one product, the output layer as one product where it is no part
of the loop, each weight gradient as one product, buffers made once and written with
``out=``. Denormal numbers count as zero, as they do in minigrad's compiled programs and
by the same two calls: vanishing gradients end in them, and many processors trap.
"""

import numpy as np

from minigrad.compile import denormals
from tests.benchmarks.cases import every_step, problem

add, multiply, subtract, tanh = np.add, np.multiply, np.subtract, np.tanh


class HandWritten:
    """What the four steps share: the buffers, the softmax, the products over all steps.

    A step is called with xs, ys, U, W, V, b, c and gives the loss and five gradients.
    """

    def __init__(self, case, size, dtype, parameters):
        self.dtype = np.dtype(dtype)
        self.B, self.T, self.n_in, self.n, self.n_out = size
        self.N = self.T * self.B
        self.read = self.N if every_step(case) else self.B
        self.h = self.empty(self.T + 1, self.B, self.n)
        self.h[0] = 0
        self.o = self.empty(self.read, self.n_out)
        self.p = self.empty(self.read, self.n_out)
        self.ones = np.ones(self.N, dtype)
        self.rows = np.arange(self.read)
        self.part = self.empty(self.B, self.n)
        self.grads = [self.empty(*p.shape) for p in parameters]
        self.turned_W = self.empty(*parameters[1].shape[::-1])
        self.turned_V = self.empty(self.n_out, self.n)
        self.buffers()

    def empty(self, *shape):
        return np.empty(shape, self.dtype)

    def __call__(self, xs, ys, U, W, V, b, c):
        before = denormals.now()
        try:
            denormals.flush()
            return self.step(xs.reshape(self.N, self.n_in), ys, U, W, V, b, c)
        finally:
            denormals.restore(before)

    def softmax(self, values, ys):
        """The loss of the outputs; into p its gradient."""
        o, p, rows, target = self.o, self.p, self.rows, ys.reshape(-1)
        subtract(values, values.max(1, keepdims=True), o)
        np.exp(o, p)
        total = p.sum(1, keepdims=True)
        loss = (np.log(total[:, 0]) - o[rows, target]).mean()
        multiply(p, 1 / (total * self.read), p)
        p[rows, target] -= 1 / self.read
        return loss

    def output(self, h, ys, V, c):
        """The loss of o = c + V h; into p the cotangent of o."""
        np.dot(h, V, self.o)
        add(self.o, c, self.o)
        return self.softmax(self.o, ys)

    def results(self, loss, x, before, g, h):
        """The loss and the gradients, of what each product reads and its cotangent."""
        dU, dW, dV, db, dc = self.grads
        np.dot(x.T, g, dU)
        np.dot(before.T, g, dW)
        np.dot(h.T, self.p, dV)
        self.ones.dot(g, db)
        self.ones[: self.read].dot(self.p, dc)
        return loss, dU, dW, dV, db, dc

    def turn(self, W, V):
        """W and V transposed, as arrays: a view would be read twice as slowly."""
        np.copyto(self.turned_W, W.T)
        np.copyto(self.turned_V, V.T)
        return self.turned_W, self.turned_V

    def slopes(self, h, slope):
        multiply(h, h, slope)
        subtract(1, slope, slope)


class Elman(HandWritten):
    """Many-to-many and many-to-one."""

    def buffers(self):
        shape = self.T, self.B, self.n
        self.a, self.g, self.slope = (self.empty(*shape) for _ in range(3))
        self.forward = list(zip(self.h[:-1], self.a, self.h[1:], strict=True))
        self.backward = list(
            zip(self.g[-2::-1], self.g[:0:-1], self.slope[-2::-1], strict=True)
        )

    def step(self, x, ys, U, W, V, b, c):
        N, n, part, g, slope = self.N, self.n, self.part, self.g, self.slope
        flat_a = self.a.reshape(N, n)
        np.dot(x, U, flat_a)
        add(flat_a, b, flat_a)
        for before, a_t, h_t in self.forward:
            before.dot(W, part)
            add(a_t, part, part)
            tanh(part, h_t)
        every = self.read == N
        h = self.h[1:].reshape(N, n) if every else self.h[-1]
        loss = self.output(h, ys, V, c)
        flat_g, (WT, VT) = g.reshape(N, n), self.turn(W, V)
        np.dot(self.p, VT, flat_g if every else g[-1])
        self.slopes(self.h[1:], slope)
        multiply(g[-1], slope[-1], g[-1])
        if every:
            for g_t, after, slope_t in self.backward:
                after.dot(WT, part)
                add(g_t, part, g_t)
                multiply(g_t, slope_t, g_t)
        else:
            for g_t, after, slope_t in self.backward:
                after.dot(WT, part)
                multiply(part, slope_t, g_t)
        return self.results(loss, x, self.h[:-1].reshape(N, n), flat_g, h)


class Feedback(HandWritten):
    """Output feedback: h(t) = tanh(b + U x(t) + W o(t-1)), o(t) = c + V h(t)."""

    def buffers(self):
        T, B, n = self.T, self.B, self.n
        self.a, self.g, self.slope = (self.empty(T, B, n) for _ in range(3))
        self.said = self.empty(T + 1, B, self.n_out)
        self.said[0] = 0
        self.back = self.empty(B, self.n_out)
        q = self.p.reshape(T, B, self.n_out)
        self.forward = list(
            zip(self.said[:-1], self.a, self.h[1:], self.said[1:], strict=True)
        )
        self.backward = list(
            zip(
                q[-2::-1],
                self.g[:0:-1],
                self.g[-2::-1],
                self.slope[-2::-1],
                strict=True,
            )
        )
        self.last = q[-1]

    def step(self, x, ys, U, W, V, b, c):
        N, n, part, back = self.N, self.n, self.part, self.back
        flat_a, flat_g = self.a.reshape(N, n), self.g.reshape(N, n)
        np.dot(x, U, flat_a)
        # In the loop o is without c: W c joins b, except before the first step.
        from_c = c.dot(W)
        add(flat_a, b + from_c, flat_a)
        subtract(self.a[0], from_c, self.a[0])
        for before, a_t, h_t, o_t in self.forward:
            before.dot(W, part)
            add(a_t, part, part)
            tanh(part, h_t)
            h_t.dot(V, o_t)
        add(self.said[1:], c, self.said[1:])
        loss = self.softmax(self.said[1:].reshape(N, self.n_out), ys)
        self.slopes(self.h[1:], self.slope)
        WT, VT = self.turn(W, V)
        self.last.dot(VT, self.g[-1])
        multiply(self.g[-1], self.slope[-1], self.g[-1])
        for q_t, after, g_t, slope_t in self.backward:
            after.dot(WT, back)
            add(q_t, back, q_t)
            q_t.dot(VT, part)
            multiply(part, slope_t, g_t)
        said, h = self.said[:-1].reshape(N, self.n_out), self.h[1:].reshape(N, n)
        return self.results(loss, x, said, flat_g, h)


class Lstm(HandWritten):
    """The gates f, g, q and the candidate z one after the other: (T, 4, batch, n).

    A sigmoid is written by tanh, of which NumPy has a vectorised one; so all four go
    through one call, the halves of the gates in the weights. A batch of one needs one
    product where more sequences need one a block, in which OpenBLAS is faster then.
    """

    def buffers(self):
        T, B, n = self.T, self.B, self.n
        self.a, self.slope = self.empty(T, 4, B, n), self.empty(T, 4, B, n)
        self.s, self.ts = self.empty(T + 1, B, n), self.empty(T, B, n)
        self.s[0] = 0
        self.parts, self.wide = self.empty(4, B, n), self.empty(self.N, 4 * n)
        self.turned = self.wide.reshape(T, B, 4, n).swapaxes(1, 2)
        self.dh, self.ds = self.empty(B, n), self.empty(B, n)
        # How many products a step has, and the columns of each.
        self.whole = (1, 1, 4 * n) if B == 1 else (4, B, n)
        self.a_half = np.array(0.5, self.dtype)  # half the time of a Python number
        self.U4 = self.empty(self.n_in, 4 * n)
        self.W4 = self.empty(self.whole[0], n, self.whole[2])
        self.half = np.repeat(np.array([0.5, 0.5, 0.5, 1], self.dtype), n)
        states = zip(self.h, self.h[1:], self.s, self.s[1:], self.ts, strict=False)
        self.forward = [
            (a_t, a_t[:3], *a_t, *state)
            for a_t, state in zip(self.a, states, strict=True)
        ]
        self.backward = [
            (list(d.reshape(self.whole)), *d, a_t[0], to_s)
            for d, a_t, to_s in zip(self.slope, self.a, self.ts, strict=True)
        ][::-1]

    def step(self, x, ys, U, W, V, b, c):
        N, n, parts, (k, _, width) = self.N, self.n, self.parts, self.whole
        half, (WT, VT) = self.a_half, self.turn(W, V)
        np.dot(x, multiply(U, self.half, self.U4), self.wide)
        add(self.turned, (b * self.half).reshape(4, 1, n), self.a)
        columns = W.reshape(n, k, width).swapaxes(0, 1)
        multiply(columns, self.half.reshape(k, 1, width), self.W4)
        products = list(zip(self.W4, parts.reshape(self.whole), strict=True))
        for a_t, gates, f, g, q, z, h, h_t, s, s_t, ts_t in self.forward:
            for w, part in products:
                h.dot(w, part)
            add(a_t, parts, a_t)
            tanh(a_t, a_t)
            multiply(gates, half, gates)
            add(gates, half, gates)
            multiply(f, s, s_t)
            multiply(g, z, self.part)
            add(s_t, self.part, s_t)
            tanh(s_t, ts_t)
            multiply(ts_t, q, h_t)
        loss = self.output(self.h[-1], ys, V, c)
        np.dot(self.p, VT, self.dh)
        self.back(*WT.reshape(k, width, n))
        np.copyto(self.turned, self.slope)
        before = self.h[:-1].reshape(N, n)
        return self.results(loss, x, before, self.wide, self.h[-1])

    def back(self, first, *others):
        """Into ``slope`` the cotangents of the pre-activations."""
        _, g, q, z = self.a.swapaxes(0, 1)
        df, dg, dq, dz = self.slope.swapaxes(0, 1)
        # The factors that do not depend on the cotangents, for all steps at once.
        subtract(1, self.a, self.slope)
        multiply(self.slope, self.a, self.slope)
        multiply(df, self.s[:-1], df)
        multiply(dg, z, dg)
        multiply(dq, self.ts, dq)
        self.slopes(z, dz)
        multiply(dz, g, dz)
        self.slopes(self.ts, self.ts)
        multiply(self.ts, q, self.ts)
        dh, ds, part = self.dh, self.ds, self.part
        ds.fill(0)
        after = None
        for blocks, df, dg, dq, dz, f_t, to_s in self.backward:
            if after is not None:
                after[0].dot(first, dh)
                for d, w in zip(after[1:], others, strict=True):
                    d.dot(w, part)
                    add(dh, part, dh)
            multiply(dh, to_s, part)
            add(ds, part, ds)
            multiply(dq, dh, dq)
            multiply(df, ds, df)
            multiply(dg, ds, dg)
            multiply(dz, ds, dz)
            multiply(ds, f_t, ds)
            after = blocks


def step(case, size, dtype="float32"):
    """The step of a case as a function of nothing."""
    xs, ys, parameters = problem(case, size, dtype)
    run = KINDS.get(case, Elman)(case, size, dtype, parameters)
    return lambda: run(xs, ys, *parameters)


def reference(case, size, dtype):
    """Loss and gradients of the problem of this dtype, computed in float64."""
    xs, ys, parameters = problem(case, size, dtype)
    run = KINDS.get(case, Elman)(case, size, "float64", parameters)
    return run(xs.astype(float), ys, *(p.astype(float) for p in parameters))


KINDS = {"output feedback": Feedback, "LSTM": Lstm}
