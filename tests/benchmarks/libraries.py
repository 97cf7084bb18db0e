"""One face for five libraries, so that each network of the bench is written once.

A library has its functions under the names of minigrad; ``scan`` runs a body over time
as its users would, and ``step`` makes a network's training step: a function of nothing
that gives the loss and the gradients of all parameters as arrays.
"""

import os

import numpy as np


class Library:
    """The common part: a Python loop over time, and ``@`` for products."""

    module = "numpy"

    def scan(self, body, state, **sequences):
        """The last state, and what the body gives at each step, stacked or None."""
        given = []
        for values in self.steps(sequences):
            state, out = body(state, *values)
            given.append(out)
        return state, None if out is None else self.stack(given)

    def steps(self, sequences):
        return zip(*sequences.values(), strict=True)

    def zeros(self, *shape):
        return np.zeros(shape, self.dtype)


class Minigrad(Library):
    """minigrad, eager or compiled by ``backend``."""

    module = "minigrad"

    def __init__(self, backend=None, recompute=False):
        import minigrad as mg

        self.mg, self.backend, self.recompute = mg, backend, recompute
        self.swapaxes, self.flip, self.stack = mg.swapaxes, mg.flip, mg.stack
        self.tanh, self.sigmoid, self.relu = mg.tanh, mg.sigmoid, mg.relu
        self.softmax, self.layer_norm, self.conv1d = (
            mg.softmax,
            mg.layer_norm,
            mg.conv1d,
        )
        self.embedding, self.where = mg.embedding, mg.where
        self.concatenate, self.cross_entropy = mg.concatenate, mg.cross_entropy

    def steps(self, sequences):
        return (values for _, *values in self.mg.steps(**sequences))

    def zeros(self, *shape):
        return self.mg.tensor(super().zeros(*shape), name="h0")

    def step(self, network, parameters, data):
        mg, self.dtype = self.mg, parameters["c"].dtype
        p = {name: mg.parameter(a, name=name) for name, a in parameters.items()}
        return self.training(
            lambda *data: network(self, p, *data), list(p.values()), data
        )

    def training(self, loss, parameters, data):
        """The step of a loss that is a function of the data; it may take other data."""

        def step(*data):
            value = loss(*data)
            return [value, *self.mg.grad(value, parameters)]

        if self.recompute:
            step = self.mg.recompute()(step)
        if self.backend:
            step = self.mg.compile(step, strict=True, backend=self.backend)
        return lambda data=data: [t.data for t in step(*data)]


class Torch(Library):
    """PyTorch, eager."""

    module = "torch"

    def __init__(self):
        import torch

        torch.set_num_threads(1)
        self.torch, F = torch, torch.nn.functional
        self.tanh, self.sigmoid, self.relu = torch.tanh, torch.sigmoid, torch.relu
        self.where, self.stack, self.swapaxes = torch.where, torch.stack, torch.swapaxes
        self.concatenate, self.conv1d = torch.cat, F.conv1d
        self.flip = lambda x, axis: torch.flip(x, [axis])
        self.softmax = lambda x: torch.softmax(x, -1)
        self.embedding = lambda E, index: F.embedding(index, E)
        self.layer_norm = lambda x, gain, bias: F.layer_norm(
            x, x.shape[-1:], gain, bias
        )
        self.cross_entropy = lambda o, y: F.cross_entropy(
            o.reshape(-1, o.shape[-1]), y.reshape(-1)
        )

    def zeros(self, *shape):
        return self.torch.tensor(super().zeros(*shape))

    def step(self, network, parameters, data):
        torch, self.dtype = self.torch, parameters["c"].dtype
        p = {k: torch.tensor(a, requires_grad=True) for k, a in parameters.items()}
        data = [torch.tensor(a) for a in data]

        def step():
            loss = network(self, p, *data)
            grads = torch.autograd.grad(loss, list(p.values()))
            return [r.detach().numpy() for r in (loss, *grads)]

        return step


class Jax(Library):
    """JAX: ``jit`` of the whole step, ``lax.scan`` over time, one core."""

    module = "jax"

    def __init__(self):
        os.environ["NPROC"] = "1"
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
        import jax
        import jax.numpy as jnp

        self.jax, self.jnp = jax, jnp
        self.tanh, self.sigmoid, self.relu = jnp.tanh, jax.nn.sigmoid, jax.nn.relu
        self.softmax, self.where, self.stack = jax.nn.softmax, jnp.where, jnp.stack
        self.concatenate, self.flip, self.swapaxes = (
            jnp.concatenate,
            jnp.flip,
            jnp.swapaxes,
        )
        self.embedding = lambda E, index: E[index]

    def layer_norm(self, x, gain, bias):
        mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return gain * (x - mean) / self.jnp.sqrt(var + 1e-5) + bias

    def conv1d(self, x, w):
        return self.jax.lax.conv_general_dilated(x, w, (1,), "VALID")

    def cross_entropy(self, o, y):
        logp = self.jax.nn.log_softmax(o)
        return -self.jnp.take_along_axis(logp, y[..., None], -1).mean()

    def scan(self, body, state, **sequences):
        return self.jax.lax.scan(
            lambda s, values: body(s, *values), state, tuple(sequences.values())
        )

    def step(self, network, parameters, data):
        self.dtype = parameters["c"].dtype
        self.jax.config.update("jax_enable_x64", self.dtype == np.float64)
        p = {name: self.jnp.array(a) for name, a in parameters.items()}
        data = [self.jnp.array(a) for a in data]
        step = self.jax.jit(
            self.jax.value_and_grad(lambda p, *data: network(self, p, *data))
        )

        def run():
            value, grads = step(p, *data)
            return [np.asarray(value), *(np.asarray(grads[name]) for name in p)]

        return run


class Mygrad(Library):
    """MyGrad."""

    module = "mygrad"

    def __init__(self):
        import mygrad
        from mygrad.nnet.activations import sigmoid
        from mygrad.nnet.losses import softmax_crossentropy

        self.mygrad, self.tanh, self.sigmoid = mygrad, mygrad.tanh, sigmoid
        self.stack = mygrad.stack
        self.loss = softmax_crossentropy

    def cross_entropy(self, o, y):
        return self.loss(o.reshape(-1, o.shape[-1]), y.reshape(-1))

    def step(self, network, parameters, data):
        self.dtype = parameters["c"].dtype
        p = {name: self.mygrad.tensor(a) for name, a in parameters.items()}

        def step():
            loss = network(self, p, *data)
            loss.backward()
            return [loss.data.copy(), *(t.grad.copy() for t in p.values())]

        return step


class Autograd(Library):
    """HIPS autograd."""

    module = "autograd"

    def __init__(self):
        import autograd
        import autograd.numpy as anp

        self.autograd, self.anp = autograd, anp
        self.tanh, self.stack = anp.tanh, anp.stack
        self.sigmoid = lambda x: 1 / (1 + anp.exp(-x))

    def cross_entropy(self, o, y):
        anp, o = self.anp, o.reshape((-1, o.shape[-1]))
        top = anp.max(o, axis=1, keepdims=True)
        all_ = anp.log(anp.sum(anp.exp(o - top), axis=1)) + top[:, 0]
        return anp.mean(all_ - o[np.arange(len(o)), y.reshape(-1)])

    def step(self, network, parameters, data):
        self.dtype = parameters["c"].dtype
        step = self.autograd.value_and_grad(lambda p: network(self, p, *data))

        def run():
            value, grads = step(parameters)
            return [value, *(grads[name] for name in parameters)]

        return run
