"""What the tests of the compiler share: recorded functions, and programs of them."""

from functools import partial

import numpy as np

import minigrad as mg
from minigrad import models
from minigrad.compile.lift import lift, parameter_name, straight
from minigrad.compile.reading import LiftError
from minigrad.graph import Graph
from minigrad.mode import traced
from minigrad.nn.cells import Elman
from minigrad.tensor import tensor


def flat(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [x for v in value for x in flat(v)]
    return [value]


class Trace:
    """A function recorded once, as a program's trace records it: gradients too."""

    def __init__(self, function, *arrays):
        with traced():
            inputs = [tensor(a, name=f"x{i}") for i, a in enumerate(arrays)]
            self.graph = Graph(flat(function(*inputs)))
        self.names = {t.node: t.node.name for t in inputs}
        self.arguments = {f"x{i}": a for i, a in enumerate(arrays)}
        self.parameters = {parameter_name(p): p.value for p in self.graph.parameters}
        self.values = [node.value for node in self.graph.outputs]

    def fold(self):
        try:
            return mg.fold(self.graph)
        except mg.FoldError:
            for node in self.graph.nodes:
                if node.inputs and node.time:
                    node.name = None
        return mg.fold(Graph(self.graph.outputs))

    def program(self):
        """For the length of the trace, straight where there is no other."""
        try:
            return lift(self.fold(), self.names)
        except (LiftError, mg.FoldError):
            return straight(self.graph, self.names)

    def free(self, other):
        """For every length, by a second trace that folds alike; None if it does not."""
        if self.fold() != other.fold():
            return None
        return lift(self.fold(), self.names, other.fold())


def close(found, wanted, tolerance=1e-9):
    for a, b in zip(found, wanted, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        scale = 1e-3 if a.dtype == np.float32 else tolerance
        np.testing.assert_allclose(a, b, rtol=scale, atol=scale)


def steps_of(model, loss=None):
    """Loss and gradients of a model as a function of its arrays."""

    def step(*arrays):
        value = (loss or model.loss)(*arrays)
        return value, mg.grad(value, model.parameters(), unreached="zeros")

    return step


def sequences(T):
    rng = np.random.default_rng(T)
    return rng.normal(size=(T, 5, 3)), rng.integers(2, size=(T, 5))


def _masked(T):
    mask = np.ones((T, 5), bool)
    mask[T - 1, 0] = mask[1:, 2] = False
    return *sequences(T), mask


def network(name):
    """A model's step, and the function that makes its arrays of T steps."""
    kind, _, option = name.partition(" ")
    options = {"rng": np.random.default_rng(0), "dtype": np.float64}
    if option in ("lstm", "gru"):
        options["cell"] = option
    if option == "skips":
        options["cell"] = partial(Elman, skips=(2, 3), leak="learnt")
    if option == "deep":
        options["layers"] = 2
    if option == "attention":
        options["attention"] = True
    model = getattr(models, kind)(3, 4, 2, **options)
    loss, data = None, sequences
    if kind == "ManyToOne":
        data = lambda T: (sequences(T)[0], sequences(T)[1][0])  # noqa: E731
    if kind == "EncoderDecoder":
        data = lambda T: (sequences(T)[0], sequences(T - 1)[1])  # noqa: E731
    if kind == "OneToMany":
        data = lambda T: (sequences(T)[0][0], sequences(T)[1])  # noqa: E731
    if option == "masked":
        data = _masked
        loss = lambda x, y, m: model.loss(x, y, lengths=m)  # noqa: E731
    if option == "free":
        loss = lambda x, y: model.loss(x, y, feedback="free")  # noqa: E731
    return steps_of(model, loss), data


NETWORKS = [
    "ManyToMany", "ManyToMany lstm", "ManyToMany gru", "ManyToMany skips",
    "ManyToMany deep", "ManyToMany masked", "ManyToOne", "ManyToOne lstm",
    "Bidirectional", "Bidirectional gru", "EncoderDecoder", "EncoderDecoder attention",
    "OutputFeedback", "OutputFeedback free", "OneToMany",
]  # fmt: skip
