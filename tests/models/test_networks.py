"""What is true of every network: it folds at every length, its gradient is right."""

from functools import partial

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import (
    Bidirectional,
    Clockwork,
    Conditional,
    DeepTransition,
    EchoState,
    EncoderDecoder,
    LinearRecurrence,
    ManyToMany,
    ManyToOne,
    NeuralTuringMachine,
    OneToMany,
    OutputFeedback,
    SelfAttention,
)
from minigrad.nn.cells import GRU, LSTM, Elman
from minigrad.nn.losses import mse

B, N = 2, 3  # sequences, classes


def rng(seed=0):
    return np.random.default_rng(seed)


def xs(T):
    return rng(1).normal(size=(T, B, N))


def classes(*shape):
    return rng(2).integers(N, size=shape)


def made(model, **options):
    network = model(N, 4, N, rng=rng(), dtype=np.float64, **options)
    for p in network.parameters():  # no zero biases: they would hide an error
        p.assign(p.data + 0.1 * rng(3).normal(size=p.shape))
    return network


def lengths(T):
    return [max(1, T - 2), T]


def echo(T):
    model = EchoState(N, 4, N, rng=rng())
    model.V.assign(rng().normal(size=(4, N)))
    return model(xs(T)).sum()


def many(T, **options):
    return made(ManyToMany, **options).loss(xs(T), classes(T, B))


def one(T, **options):
    return made(ManyToOne, **options).loss(xs(T), classes(B))


def fed(T, fed="o", **options):
    model = made(OutputFeedback, fed=fed)
    return model.loss(xs(T), classes(T, B), rng=rng(4), **options)


def regression(T, feedback):
    model = made(OutputFeedback, loss=mse)
    return model.loss(xs(T), xs(T), feedback=feedback, rng=rng(4))


def two_ways(T, read):
    shape = (T, B) if read == "each" else (B,)
    model = made(Bidirectional, read=read, cell="gru")
    return model.loss(xs(T), classes(*shape), lengths=lengths(T))


def from_one(T, given, cell="elman"):
    model = made(OneToMany, given=given, cell=cell)
    return model.loss(xs(1)[0], classes(T, B), lengths=lengths(T))


def translated(T, attention, cell="elman"):
    model = made(EncoderDecoder, attention=attention, cell=cell)
    ls = {"lengths": lengths(T), "y_lengths": lengths(T + 2)}
    return model.loss(xs(T), classes(T + 2, B), **ls)


def noisy(T):
    model = made(ManyToMany, layers=3, dropout=0.5)
    return model.loss(xs(T), classes(T, B), rng=rng(5))


def told(T):
    model = made(Conditional)
    return model.loss(xs(T), classes(T, B), lengths=lengths(T))


def transition(T, skip):
    return made(DeepTransition, skip=skip).loss(xs(T), classes(T, B))


def clocked(T):
    return made(Clockwork, periods=(1, 2)).loss(xs(T), classes(T, B))


def attended(T, **options):
    return made(SelfAttention, **options).loss(xs(T), classes(T, B))


def linear(T):
    return made(LinearRecurrence).loss(xs(T), classes(T, B))


def last(T, model):
    return made(model, read="last").loss(xs(T), classes(B))


def remembered(T):
    model = made(NeuralTuringMachine, places=5, width=3)
    return model.loss(xs(T), xs(T) > 0)


def masked(T, **options):
    model = made(ManyToMany, **options)
    return model.loss(xs(T), classes(T, B), lengths=lengths(T))


SMOOTH = {
    "elman": many,
    "lstm": partial(many, cell="lstm"),
    "gru": partial(many, cell="gru"),
    "mingru": partial(many, cell="mingru"),
    "gru, reset after": partial(many, cell=partial(GRU, reset_after=True)),
    "lstm, the book's candidate": partial(
        many, cell=partial(LSTM, candidate="sigmoid")
    ),
    "U identity": partial(many, cell="elman", U="orthogonal"),
    "stacked": partial(many, layers=3, cell="lstm"),
    "dropout": noisy,
    "leaky": partial(many, cell=partial(Elman, leak=0.7)),
    "leak learnt": partial(many, cell=partial(Elman, leak="learnt")),
    "skips": partial(many, cell=partial(Elman, skips=(2, 3))),
    "many to many, lengths": masked,
    "stacked, lengths": partial(masked, layers=2, cell="gru"),
    "last": one,
    "mean": partial(one, read="mean"),
    "max": partial(one, read="max", cell="gru"),
    "first step": partial(one, read=1),
    "teacher": fed,
    "teacher, numbers": partial(regression, feedback="teacher"),
    "free": partial(fed, feedback="free"),
    "free, softmax": partial(fed, fed="softmax", feedback="free"),
    "mixed": partial(fed, fed="softmax", feedback=0.5),
    "mixed, numbers": partial(regression, feedback=0.5),
    "both ways": partial(two_ways, read="each"),
    "both ways, ends": partial(two_ways, read="ends"),
    "both ways, max": partial(two_ways, read="max"),
    "one to many": partial(from_one, given="bias"),
    "one to many, start": partial(from_one, given="start", cell="lstm"),
    "one to many, both": partial(from_one, given="both"),
    "encoder-decoder": partial(translated, attention=False, cell="lstm"),
    "attention": partial(translated, attention=True),
    "attention, gru": partial(translated, attention=True, cell="gru"),
    "attention, lstm": partial(translated, attention=True, cell="lstm"),
    "echo state": echo,
    "conditional": told,
    "deep transition": partial(transition, skip=False),
    "deep transition, skip": partial(transition, skip=True),
    "clockwork": clocked,
    "self-attention, last": partial(last, model=SelfAttention),
    "linear recurrence": linear,
    "linear recurrence, last": partial(last, model=LinearRecurrence),
    "neural Turing machine": remembered,
}
# Every step reads all steps so far: the gradients of each step have other terms.
GROWING = {
    "self-attention": attended,
    "self-attention, no order": partial(attended, order=False),
}
# Here some path has no gradient, so that differences would disagree.
CUT = {
    "truncated": lambda T: made(ManyToMany).loss(xs(T), classes(T, B), truncate=2),
    "elman's rule": lambda T: made(ManyToOne).loss(xs(T), classes(B), truncate=1),
    "best": partial(fed, fed="best", feedback="free"),
    "drawn": partial(fed, fed="drawn", feedback=0.5),
    "irnn": partial(many, cell="irnn"),
}


@pytest.mark.parametrize("name", SMOOTH | CUT | GROWING)
def test_it_folds_and_unfolds(name):
    record = (SMOOTH | CUT | GROWING)[name]
    for T in (1, 2, 9):
        loss = record(T)
        parameters = [mg.Parameter(p) for p in mg.Graph(loss).parameters]
        gradient = mg.grad(loss, parameters, create_graph=True, unreached="zeros")
        for graph in (mg.Graph(loss), mg.contract(loss), mg.Graph(gradient)):
            recurrence = mg.fold(graph)
            assert recurrence.unfold(recurrence.lengths).same_as(graph)


@pytest.mark.parametrize("name", SMOOTH | CUT | GROWING)
def test_two_lengths_fold_alike(name):
    record = (SMOOTH | CUT | GROWING)[name]
    first, second = (mg.fold(mg.Graph(record(T))) for T in (10, 11))
    assert first.difference(second) is None


@pytest.mark.parametrize("name", SMOOTH | GROWING)
def test_gradients_agree_with_differences(name):
    record = (SMOOTH | GROWING)[name]
    loss = record(3)
    nodes = mg.Graph(loss).parameters
    gradients = mg.grad(loss, [mg.Parameter(p) for p in nodes])
    places = [n.slot for n in nodes]
    assert len(set(map(id, nodes))) == len(places)
    # The direction of the gradient itself, each parameter by itself.
    eps = 1e-6
    for k, g in enumerate(gradients):
        norm = np.sqrt(np.square(g.data).sum())
        if norm == 0:
            continue
        moved = [shifted(record, k, s * eps * g.data / norm) for s in (1, -1)]
        slope = (moved[0] - moved[1]) / (2 * eps)
        np.testing.assert_allclose(slope, norm, rtol=1e-5, atol=1e-8)


def shifted(record, k, change):
    """The loss after its k-th parameter was changed, by replaying the graph."""
    graph = mg.Graph(record(3))
    parameter = graph.parameters[k]

    values = {}
    for node in graph.nodes:
        if node.inputs:
            given = [values[i] for i in node.inputs]
            attrs = node.op.attributes(node)
            args = (given,) if node.op.variadic else given
            values[node] = node.op.forward(*args, **attrs)
        else:
            values[node] = node.value + change if node is parameter else node.value
    return float(values[graph.outputs[0]])


TAUGHT = {
    "Conditional": (Conditional, (xs(5), classes(5, B))),
    "DeepTransition": (DeepTransition, (xs(5), classes(5, B))),
    "Clockwork": (Clockwork, (xs(5), classes(5, B))),
    "SelfAttention": (SelfAttention, (xs(5), classes(5, B))),
    "LinearRecurrence": (LinearRecurrence, (xs(5), classes(5, B))),
    "ManyToMany": (ManyToMany, (xs(5), classes(5, B))),
    "ManyToOne": (ManyToOne, (xs(5), classes(B))),
    "OneToMany": (OneToMany, (xs(5)[0], classes(5, B))),
    "Bidirectional": (Bidirectional, (xs(5), classes(5, B))),
    "Bidirectional, one": (partial(Bidirectional, read="mean"), (xs(5), classes(B))),
    "EncoderDecoder": (EncoderDecoder, (xs(5), classes(5, B))),
    "OutputFeedback": (OutputFeedback, (xs(5), classes(5, B))),
}


@pytest.mark.parametrize("name", TAUGHT)
@pytest.mark.parametrize("compiled", [False, True])
def test_no_ignored_target_dilutes_a_loss(name, compiled):
    model, (x, y) = TAUGHT[name]
    loss = made(model).loss
    if compiled:
        loss = mg.compile(loss)
    loss(x, y)
    y = y.copy()
    y.flat[-1] = -100
    with pytest.raises(ValueError, match=r"ignores none, .* mg\.cross_entropy\(model"):
        loss(x, y)


@pytest.mark.parametrize("name", TAUGHT)
@pytest.mark.parametrize("value", [1.0, None])
def test_a_loss_is_a_tensor(name, value):
    model, given = TAUGHT[name]
    network = made(model, loss=lambda o, y: value)
    with pytest.raises(TypeError, match=f"returns a Tensor.*{type(value).__name__}"):
        network.loss(*given)


def test_a_loss_with_lengths_is_one_number_for_each_sequence():
    network = made(ManyToMany, loss=lambda o, y: mg.cross_entropy(o, y))
    network.loss(xs(5), classes(5, B))
    with pytest.raises(ValueError, match=r"L\(t\) has shape \(\) for 2 sequences"):
        network.loss(xs(5), classes(5, B), lengths=[5, 3])


@pytest.mark.parametrize("settle", [-1, 1.5, 20, 21])
def test_an_echo_state_settles_for_a_part_of_the_steps(settle):
    model = EchoState(1, 4, 1, rng=rng())
    wave = np.sin(np.arange(20.0))[:, None, None]
    with pytest.raises(ValueError, match=r"settle (is a whole|leaves steps)"):
        model.solve(wave, wave, settle=settle)
    for ys in (wave[1:], np.concatenate([wave, wave]), wave[:, 0]):
        with pytest.raises(ValueError, match=r"targets ys are .* \(20, 1, 1\), got"):
            model.solve(wave, ys)
