"""Who computes the steps of the race: a function of case, size and dtype for each.

minigrad's cases are its own models, called as a user calls them; compiled, the loss and
``mg.grad`` stand in one function under ``mg.compile``. A contender gives the loss, then
the gradients in the order of U, W, V, b, c.
"""

from functools import partial
from importlib.util import find_spec

import numpy as np

from tests.benchmarks import handwritten, libraries, native, networks
from tests.benchmarks.cases import NAMES, problem


def minigrad(case, size, dtype, *, backend=None, recompute=False):
    """The step of a model of ``minigrad.models``."""
    from minigrad import models

    library = libraries.Minigrad(backend, recompute)
    xs, ys, arrays = problem(case, size, dtype)
    make, how = {
        "many-to-one": (models.ManyToOne, {}),
        "LSTM": (models.ManyToOne, {"cell": "lstm"}),
        "output feedback": (models.OutputFeedback, {}),
    }.get(case, (models.ManyToMany, {}))
    model = make(*size[2:], rng=np.random.default_rng(0), dtype=dtype, **how)
    paths = {path.rsplit(".")[-1]: path for path in model.state_dict()}
    model.load_state_dict(
        {paths[name]: a for name, a in zip(NAMES, arrays, strict=True)}
    )
    by_path = dict(model.named_parameters())
    parameters = [by_path[paths[name]] for name in NAMES]
    loss = {
        "many-to-many, one loss": lambda xs, ys: library.cross_entropy(model(xs), ys),
        "output feedback": partial(model.loss, feedback="free"),
    }.get(case, model.loss)
    return library.training(loss, parameters, (xs, ys))


def peer(case, size, dtype, *, library):
    """The step in another library, its Python loop or its scan."""
    xs, ys, arrays = problem(case, size, dtype)
    parameters = dict(zip(NAMES, arrays, strict=True))
    return library().step(networks.case(case), parameters, (xs, ys))


def torch_layer(case, size, dtype):
    """The step by nn.RNN or nn.LSTM, the outputs of which are read at once."""
    import torch

    torch.set_num_threads(1)
    xs, ys, arrays = problem(case, size, dtype)
    xs, ys = torch.tensor(xs), torch.tensor(ys)
    n = size[3]
    kind = torch.nn.LSTM if case == "LSTM" else torch.nn.RNN
    layer = kind(size[2], n, dtype=xs.dtype)
    # The blocks of an nn.LSTM are input, forget, candidate, output: ours f, g, q, z.
    order = [1, 0, 3, 2] if case == "LSTM" else [0]
    U, W, V, b, c = (torch.tensor(a) for a in arrays)

    def theirs(w):
        blocks = w.reshape(-1, len(order), n).swapaxes(0, 1)[order]
        return blocks.swapaxes(1, 2).reshape(len(order) * n, -1)

    back = np.argsort(order)

    def ours(w):
        blocks = w.reshape(len(order), n, -1)[back]
        return blocks.reshape(len(order) * n, -1).T

    with torch.no_grad():
        layer.weight_ih_l0.copy_(theirs(U))
        layer.weight_hh_l0.copy_(theirs(W))
        layer.bias_ih_l0.copy_(theirs(b)[:, 0])
        layer.bias_hh_l0.zero_()
    V.requires_grad_(), c.requires_grad_()
    wanted = [layer.weight_ih_l0, layer.weight_hh_l0, V, layer.bias_ih_l0, c]

    def step():
        hs = layer(xs)[0]
        o = (hs if ys.ndim == 2 else hs[-1]) @ V + c
        loss = torch.nn.functional.cross_entropy(o.reshape(-1, size[4]), ys.reshape(-1))
        dU, dW, dV, db, dc = torch.autograd.grad(loss, wanted)
        found = loss.detach(), ours(dU), ours(dW), dV, ours(db)[0], dc
        return [r.numpy() for r in found]

    return step


FLOOR, LIMIT, HAND = "floating-point floor", "C++ limit", "NumPy by hand"
# JAX's engine is for devices: gpu.py races it there.
COMPILED = {f"minigrad compiled, {name}": name for name in ("numpy", "c")}
CONTENDERS = {
    FLOOR: native.floor,
    LIMIT: native.step,
    HAND: handwritten.step,
    **{n: partial(minigrad, backend=backend) for n, backend in COMPILED.items()},
    "minigrad eager": minigrad,
    "minigrad recompute": partial(minigrad, recompute=True),
    "jax.jit, lax.scan": partial(peer, library=libraries.Jax),
    "torch nn.RNN, nn.LSTM": torch_layer,
    "torch, Python loop": partial(peer, library=libraries.Torch),
    "mygrad": partial(peer, library=libraries.Mygrad),
    "autograd": partial(peer, library=libraries.Autograd),
}
OTHERS = {
    **{n: partial(libraries.Minigrad, backend) for n, backend in COMPILED.items()},
    "minigrad eager": libraries.Minigrad,
    "jax.jit": libraries.Jax,
    "torch eager": libraries.Torch,
}


def other(name, contender, dtype):
    """The step of an entry of the other work."""
    network, parameters, data = networks.other(name, dtype)
    return OTHERS[contender]().step(network, parameters, data)


def needs(contender):
    """The package that a contender needs and that is not here, or None."""
    if contender in (FLOOR, LIMIT):
        return None if native.compiler() else "a C++ compiler"
    for module in ("jax", "torch", "mygrad", "autograd"):
        if contender.startswith(module):
            return None if find_spec(module) else module
    return None
